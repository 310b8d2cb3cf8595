/* SPDX-License-Identifier: MIT */
/* engines.c - which engines are opened for a list, and what they are given. */
#include "engines.h"

#include "cpu/cpu.h"
#include "faulty.h"
#include <stdio.h>
#include <time.h>

#include "offload.h"
#include "scene.h"
#include "unit.h"

static struct {
	struct bm_engines engines;
	struct bm_backend first, second;
	int errors[2]; /* of open() */
	int opened[2], closed[2];
	char line[256]; /* the last one of the log */
} scene;

static int open_first(const struct bm_backend_env *env, struct bm_engine **engine)
{
	(void)env;
	*engine = NULL;
	scene.opened[0]++;
	return scene.errors[0];
}

static int open_second(const struct bm_backend_env *env, struct bm_engine **engine)
{
	(void)env;
	*engine = NULL;
	scene.opened[1]++;
	return scene.errors[1];
}

static void close_first(struct bm_engine *engine)
{
	(void)engine;
	scene.closed[0]++;
}

static void close_second(struct bm_engine *engine)
{
	(void)engine;
	scene.closed[1]++;
}

static void *some_memory(const struct bm_sys *sys, size_t size)
{
	return sys->alloc(1, size);
}

static void some_memory_end(const struct bm_sys *sys, void *memory, size_t size)
{
	(void)sys;
	(void)size;
	free(memory);
}

static void keep(void *user, int level, const char *line)
{
	(void)user;
	(void)level;
	snprintf(scene.line, sizeof(scene.line), "%s", line);
}

static void begin(void)
{
	static struct bm_log log = {.hook = keep, .level = BM_LOG_INFO};

	memset(&scene, 0, sizeof(scene));
	faulty = (struct faulty){0};
	scene.first = scene.second = faulty_backend;
	scene.first.name = "first";
	scene.first.open = open_first;
	scene.first.close = close_first;
	scene.second.open = open_second;
	scene.second.close = close_second;
	scene.engines.patience_ns = 20000000;
	scene.engines.env = (struct bm_backend_env){.sys = &bm_sys_linux,
						    .log = &log,
						    .loop = "memcpy",
						    .page_size = 4096,
						    .memory = some_memory,
						    .memory_end = some_memory_end};
}

static struct bm_use use_of(const struct bm_picks *picks, int rc)
{
	struct bm_use use;

	ck_assert_int_eq(bm_engines_use(&scene.engines, picks, &use), rc);
	return use;
}

static const struct bm_backend *at(int place)
{
	return scene.engines.slots[place].backend;
}

START_TEST(the_first_that_can_be_had)
{
	struct bm_picks picks = {{&scene.first, &scene.second, &bm_backend_cpu}, 3, 1};
	struct bm_use use;

	begin();
	scene.engines.least = 4096;
	scene.engines.share = BM_SHARE_OFF;
	scene.errors[0] = -ENODEV;
	use = use_of(&picks, 0);
	ck_assert_ptr_eq(at(use.main), &scene.second);
	ck_assert_ptr_eq(at(use.cpu), &bm_backend_cpu);
	/* What is not on this machine is not looked for again, what is open stays so. */
	use = use_of(&picks, 0);
	ck_assert_ptr_eq(at(use.main), &scene.second);
	ck_assert_int_eq(scene.opened[0], 1);
	ck_assert_int_eq(scene.opened[1], 1);
	bm_engines_close(&scene.engines);
	ck_assert_int_eq(scene.closed[0], 0);
	ck_assert_int_eq(scene.closed[1], 1);
}
END_TEST

START_TEST(what_passes_is_tried_again)
{
	struct bm_picks picks = {{&scene.first}, 1, 1};
	struct bm_use use;

	begin();
	scene.errors[0] = -EMFILE;
	use = use_of(&picks, -EMFILE);
	ck_assert_int_eq(use.main, -1);
	scene.errors[0] = 0;
	use = use_of(&picks, 0);
	ck_assert_ptr_eq(at(use.main), &scene.first);
	ck_assert_int_eq(use.cpu, -1);
	bm_engines_close(&scene.engines);
}
END_TEST

START_TEST(the_cpu_first_is_alone)
{
	struct bm_picks picks = {{&bm_backend_cpu, &scene.first}, 2, 1};
	struct bm_use use;

	begin();
	use = use_of(&picks, 0);
	ck_assert_ptr_eq(at(use.main), &bm_backend_cpu);
	ck_assert_int_eq(use.cpu, -1);
	ck_assert_int_eq(scene.opened[0], 0);
	bm_engines_close(&scene.engines);
}
END_TEST

START_TEST(least_size_that_pays)
{
	static const size_t sizes[] = {4, 16, 64, 256};
	static const uint64_t cpu[] = {10, 40, 160, 640};
	static const uint64_t ns[][4] = {
		{5, 5, 5, 5}, {11, 40, 160, 640}, {5, 50, 160, 600}, {11, 41, 161, 641}};
	static const size_t least[] = {4, 16, 64, SIZE_MAX};

	for (size_t i = 0; i < 4; i++)
		ck_assert_uint_eq(bm_offload_least(sizes, ns[i], cpu, 4), least[i]);
}
END_TEST

START_TEST(options_beat_the_measurement)
{
	struct bm_picks picks = {{&scene.first, &bm_backend_cpu}, 2, 1};
	struct bm_use use;

	begin();
	scene.engines.least = 12345;
	scene.engines.share = BM_SHARE_ON;
	use = use_of(&picks, 0);
	ck_assert_uint_eq(scene.engines.slots[use.main].least, 12345);
	ck_assert_int_eq(scene.engines.slots[use.main].shares, 1);
	ck_assert_uint_eq(faulty.seen, 0);
	ck_assert_ptr_nonnull(strstr(scene.line, "as asked for"));
	bm_engines_close(&scene.engines);
}
END_TEST

static void slow_limits(const struct bm_channel *channel, struct bm_limits *limits)
{
	/* No core takes as long for 256 KiB, in an emulator or beside others either. */
	struct timespec a_while = {0, 10000000};

	(void)channel;
	limits->piece = 0;
	nanosleep(&a_while, NULL);
}

START_TEST(what_is_slower_is_not_used)
{
	struct bm_picks picks = {{&scene.first, &bm_backend_cpu}, 2, 1};
	struct bm_use use;

	begin();
	scene.first.limits = slow_limits;
	use = use_of(&picks, 0);
	ck_assert_uint_gt(scene.engines.slots[use.main].least, 256u << 10);
	ck_assert_uint_gt(faulty.seen, 0);
	bm_engines_close(&scene.engines);
}
END_TEST

/* What a copy costs with each size of batch: 16 are the least that are fast. */
static uint32_t batch_now, batch_asked;

static int batch(struct bm_engine *engine, uint32_t copies)
{
	(void)engine;
	batch_now = batch_asked ? batch_asked : copies;
	return batch_asked == 0;
}

static void limits_of_batch(const struct bm_channel *channel, struct bm_limits *limits)
{
	struct timespec a_while = {0, batch_now == 8 ? 3000000 : 1000000};

	(void)channel;
	limits->piece = 0;
	nanosleep(&a_while, NULL);
}

START_TEST(the_least_batch_that_is_fast)
{
	struct bm_picks picks = {{&scene.first, &bm_backend_cpu}, 2, 1};
	struct bm_use use;

	begin();
	scene.first.batch = batch;
	scene.first.limits = limits_of_batch;
	use_of(&picks, 0);
	ck_assert_uint_ge(batch_now, 16);
	bm_engines_close(&scene.engines);
	/* As asked for, it is not measured. */
	begin();
	scene.first.batch = batch;
	batch_asked = 7;
	use = use_of(&picks, 0);
	ck_assert_uint_eq(batch_now, 7);
	ck_assert_uint_eq(scene.engines.slots[use.main].batch, 0);
	batch_asked = 0;
	bm_engines_close(&scene.engines);
}
END_TEST

static void *no_memory(const struct bm_sys *sys, size_t size)
{
	(void)sys;
	(void)size;
	return NULL;
}

START_TEST(published_without_a_measurement)
{
	struct bm_picks picks = {{&scene.first, &bm_backend_cpu}, 2, 1};
	struct bm_use use;

	begin();
	/* The cpu is open before there is no more memory. */
	use = use_of(&(struct bm_picks){{&bm_backend_cpu}, 1, 1}, 0);
	scene.engines.env.memory = no_memory;
	use = use_of(&picks, 0);
	ck_assert_uint_eq(scene.engines.slots[use.main].least, 16384);
	ck_assert_ptr_nonnull(strstr(scene.line, "published"));
	bm_engines_close(&scene.engines);
}
END_TEST

/* Leaks nobody: the device may hold it still. */
static void *kept_memory(const struct bm_sys *sys, size_t size)
{
	static void *volatile kept[8];
	static size_t count;
	void *memory = some_memory(sys, size);

	ck_assert_uint_lt(count, sizeof(kept) / sizeof(kept[0]));
	kept[count++] = memory;
	return memory;
}

/* It may still write to what it was given, so that stays; nobody gives it more. */
START_TEST(silent_at_the_measurement)
{
	struct bm_picks picks = {{&scene.first, &bm_backend_cpu}, 2, 1};
	struct bm_use use;

	begin();
	scene.engines.env.memory = kept_memory;
	faulty.kind = FAULTY_SILENT;
	faulty.at = 7;
	use = use_of(&picks, 0);
	ck_assert_ptr_eq(at(use.main), &bm_backend_cpu);
	ck_assert_int_eq(use.cpu, -1);
	ck_assert_ptr_nonnull(strstr(scene.line, "did not answer"));
	ck_assert_uint_eq(faulty_write_late(), 1);
	use = use_of(&picks, 0);
	ck_assert_ptr_eq(at(use.main), &bm_backend_cpu);
	use = use_of(&(struct bm_picks){{&scene.first}, 1, 1}, -ENODEV);
	ck_assert_int_eq(use.main, -1);
	bm_engines_close(&scene.engines);
	ck_assert_int_eq(scene.closed[0], 0);
}
END_TEST

static const TTest *const *const tests[] = {
	&the_first_that_can_be_had,    &what_passes_is_tried_again,
	&the_cpu_first_is_alone,       &least_size_that_pays,
	&options_beat_the_measurement, &what_is_slower_is_not_used,
	&the_least_batch_that_is_fast, &published_without_a_measurement,
	&silent_at_the_measurement,    NULL};
const struct report_group engines_group = {"engines", tests};

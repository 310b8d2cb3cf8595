/* SPDX-License-Identifier: MIT */
/* spread.c - where the threads of a batch go, and that the caller's stays as it is. */

#include "bits.h"
#include "scene.h"
#include "unit.h"

#define COUNT 1024u
#define CALLS "64"

static const uint64_t pairs[] = {3, 3 << 2, 3 << 4, 3 << 6}; /* CPUs of each node's cache */

/* Four nodes; pages of the first one. */
static struct bm_context *make_world(const char *threads)
{
	fake_reset();
	fake_caches(4);
	fake_map(BASE, COUNT, 0);
	fake_env("BATCHMIG_THREADS", threads);
	fake_env("BATCHMIG_CALL_PAGES", CALLS);
	return fake_context();
}

static void migrate(struct bm_context *context, int node)
{
	struct scene scene;

	scene_line(&scene, COUNT, node);
	ck_assert_int_eq(scene_migrate(&scene, context), 0);
	scene_check(&scene, 0, 0);
	scene_free(&scene);
}

/* How many threads went to the CPUs of this node. */
static unsigned int pinned_to(unsigned int node)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < fake.pin_count; i++) {
		ck_assert_uint_eq(fake.pins[i].bits[1], 0);
		count += fake.pins[i].bits[0] == pairs[node];
	}
	return count;
}

START_TEST(near_where_pages_are_and_go)
{
	struct bm_context *context = make_world("4");

	fake.cpu = 1;
	migrate(context, 2);
	/* The caller is on the first of them. */
	ck_assert_uint_eq(fake.pin_count, 3);
	ck_assert_uint_eq(pinned_to(2), 2);
	ck_assert_uint_eq(pinned_to(0), 1);
	ck_assert_uint_eq(fake.calls[FAKE_AFFINITY], 1);
	/* What was read of the caches is kept; the mask is not. */
	fake_file("/sys/devices/system/node/has_cpu", NULL);
	fake.affinity.bits[0] = 0xf0;
	fake.pin_count = 0;
	migrate(context, 1);
	ck_assert_uint_eq(pinned_to(2), fake.pin_count);
	ck_assert_uint_gt(fake.pin_count, 0);
	bm_context_free(context);
	fake_end();
}
END_TEST

static void somebody_moves(enum fake_call call, uint64_t number)
{
	(void)number;
	fake.outside += call == FAKE_MOVE;
}

/* Threads that only ask where pages are, as after another mover was seen, copy nothing. */
START_TEST(who_asks_is_not_placed)
{
	struct bm_context *context = make_world("4");

	fake.hook = somebody_moves;
	migrate(context, 2);
	ck_assert_uint_gt(fake.calls[FAKE_THREAD], 3);
	ck_assert_uint_eq(fake.pin_count, 3);
	bm_context_free(context);
	fake_end();
}
END_TEST

START_TEST(each_of_several_targets)
{
	struct bm_context *context = make_world("4");
	struct scene scene;

	scene_line(&scene, COUNT, 1);
	for (size_t i = 0; i < COUNT; i++)
		scene.nodes[i] = i % 2 ? 3 : 1;
	ck_assert_int_eq(scene_migrate(&scene, context), 0);
	scene_check(&scene, 0, 0);
	ck_assert_uint_ge(pinned_to(1), 1);
	ck_assert_uint_ge(pinned_to(3), 1);
	ck_assert_uint_eq(pinned_to(2), 0);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}
END_TEST

START_TEST(switched_off)
{
	struct bm_context *context;

	fake_reset();
	context = make_world("4");
	bm_context_free(context);
	context = fake_context_with("BATCHMIG_SPREAD", "off");
	migrate(context, 2);
	ck_assert_uint_gt(fake.calls[FAKE_THREAD], 0);
	ck_assert_uint_eq(fake.calls[FAKE_AFFINITY] + fake.calls[FAKE_PIN], 0);
	ck_assert_ptr_null(atomic_load(&context->places));
	bm_context_free(context);
	fake_end();
}
END_TEST

START_TEST(a_single_thread_reads_nothing)
{
	struct bm_context *context = make_world("1");

	migrate(context, 2);
	ck_assert_uint_eq(fake.calls[FAKE_AFFINITY] + fake.calls[FAKE_PIN], 0);
	ck_assert_ptr_null(atomic_load(&context->places));
	bm_context_free(context);
	fake_end();
}
END_TEST

/* With nothing to choose a batch costs nothing more, the first one apart. */
START_TEST(one_cache_asks_nothing)
{
	struct bm_context *context = make_world("4");
	uint64_t queries, opens;

	fake_caches(1);
	fake_file("/sys/devices/system/node/has_cpu", "0\n");
	migrate(context, 2);
	ck_assert_ptr_nonnull(atomic_load(&context->places));
	queries = fake.calls[FAKE_QUERY];
	migrate(context, 1);
	opens = fake.calls[FAKE_OPEN];
	migrate(context, 2);
	opens = fake.calls[FAKE_OPEN] - opens;
	ck_assert_uint_eq(fake.calls[FAKE_AFFINITY] + fake.calls[FAKE_PIN], 0);
	bm_context_free(context);
	context = make_world("4");
	bm_context_free(context);
	context = fake_context_with("BATCHMIG_SPREAD", "off");
	migrate(context, 2);
	ck_assert_uint_eq(fake.calls[FAKE_QUERY], queries);
	migrate(context, 1);
	queries = fake.calls[FAKE_OPEN];
	migrate(context, 2);
	ck_assert_uint_eq(fake.calls[FAKE_OPEN] - queries, opens);
	bm_context_free(context);
	fake_end();
}
END_TEST

/* Whichever question fails: threads go to no other node than these two. */
START_TEST(questions_that_fail)
{
	for (uint64_t at = 1;; at++) {
		struct bm_context *context = make_world("4");
		int fired;

		fake_fail(1u << FAKE_QUERY | 1u << FAKE_AFFINITY | 1u << FAKE_PIN, at, -ENOMEM);
		migrate(context, 2);
		fired = fake.fired;
		ck_assert_uint_eq(pinned_to(0) + pinned_to(2), fake.pin_count);
		bm_context_free(context);
		fake_end();
		if (!fired)
			break;
		ck_assert_uint_lt(at, 1000);
	}
}
END_TEST

/* ------------------------------------------------- threads of the running kernel */

static pthread_barrier_t meeting;
static struct bm_ids seen[2];

static void look(void *arg, unsigned int worker, size_t block)
{
	(void)arg;
	(void)block;
	pthread_barrier_wait(&meeting);
	ck_assert_int_eq(bm_sys_linux.affinity(&seen[worker]), 0);
}

/* Each CPU with a cache of its own, all on node 0. */
static struct bm_places *a_cache_each(const struct bm_ids *cpus)
{
	struct bm_places *places = calloc(1, sizeof(*places));

	ck_assert_ptr_nonnull(places);
	for (uint32_t cpu = 0; cpu < BM_CPUS_MAX; cpu++) {
		if (bm_bit(cpus->bits, cpu))
			places->cache[cpu] = (uint16_t)++places->caches;
	}
	return places;
}

START_TEST(the_mask_of_real_threads)
{
	struct bm_ids before, after, near = {.bits = {1}};
	struct bm_placement placement = {0};
	int here = bm_sys_linux.cpu();
	uint32_t cpus;

	ck_assert_int_eq(bm_sys_linux.affinity(&before), 0);
	cpus = bm_bits_count(before.bits, BM_CPUS_MAX / 64);
	ck_assert_int_eq((int)cpus, bm_sys_linux.cpus());
	ck_assert(here >= 0 && bm_bit(before.bits, (uint32_t)here));
	placement.allowed = before;
	placement.places = a_cache_each(&before);
	bm_placement_choose(&placement, &near, here, 2);
	pthread_barrier_init(&meeting, NULL, 2);
	ck_assert_uint_eq(bm_workers_run(&bm_sys_linux, &placement, 2, 2, look, NULL), 2);
	pthread_barrier_destroy(&meeting);
	ck_assert_int_eq(bm_sys_linux.affinity(&after), 0);
	ck_assert_mem_eq(&after, &before, sizeof(after));
	ck_assert_mem_eq(&seen[0], &before, sizeof(before));
	/* With a single CPU there is nothing to choose. */
	ck_assert_uint_eq(bm_bits_count(seen[1].bits, BM_CPUS_MAX / 64), 1);
	ck_assert(cpus == 1 || !bm_bit(seen[1].bits, (uint32_t)here));
	for (size_t i = 0; i < BM_CPUS_MAX / 64; i++)
		ck_assert_uint_eq(seen[1].bits[i] & ~before.bits[i], 0);
	free((void *)(uintptr_t)placement.places);
}
END_TEST

static const TTest *const *const tests[] = {&near_where_pages_are_and_go,
					    &who_asks_is_not_placed,
					    &each_of_several_targets,
					    &switched_off,
					    &a_single_thread_reads_nothing,
					    &one_cache_asks_nothing,
					    &questions_that_fail,
					    &the_mask_of_real_threads,
					    NULL};
const struct report_group spread_group = {"spread", tests};

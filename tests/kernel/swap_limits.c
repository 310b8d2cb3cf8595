/* SPDX-License-Identifier: MIT */
/* swap_limits.c - too few mappings, locked memory, privileges or memory for the mover swap. */
#include "swap_load.h"

#include <fcntl.h>
#include <numa.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define COUNT  1024
#define NOBODY 65534
#define MAPS   "/proc/sys/vm/max_map_count"

static struct load load;

/* Takes every mapping that the process may still have; how many. */
static size_t take_mappings(char **taken, size_t most)
{
	size_t count = 0;

	while (count < most) {
		char *page = mmap(NULL, PAGE, count % 2 ? PROT_READ : PROT_NONE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (page == MAP_FAILED)
			break;
		taken[count++] = page;
	}
	return count;
}

static int with_few_mappings(void *arg)
{
	static char *taken[4096];
	struct writers writers = {.count = COUNT / 2, .threads = 2};
	size_t count, spare = 0;

	(void)arg;
	load_new(&load, COUNT);
	load.allowed = ENOMEM;
	writers.start = load.area.start;
	writers_start(&writers);
	load_start(&load);
	load_await(&load, 2);
	count = take_mappings(taken, 4096);
	ck_assert_uint_gt(count, 20);
	ck_assert_uint_lt(count, 4096);
	load_await(&load, 2);
	/* Given back one by one: each step fails at another place. */
	while (spare++ < 20) {
		munmap(taken[--count], PAGE);
		load_await(&load, 2);
	}
	while (count > 0)
		munmap(taken[--count], PAGE);
	load_await(&load, 2);
	load_join(&load);
	writers_end(&writers);
	load_end(&load);
	/* Mappings are registered whole: none is split, so that swap goes on. */
	if (!swap_refusal())
		ck_assert_uint_gt(load.reasons[BM_REASON_NONE], 0);
	load_free(&load);
	return 0;
}

START_TEST(few_mappings)
{
	long limit = read_number(MAPS);
	char text[32];
	int rc;

	snprintf(text, sizeof(text), "%zu", count_maps() + 600);
	if (write_text(MAPS, text) < 0)
		skip_test("vm.max_map_count cannot be set");
	rc = in_asserting_child(with_few_mappings, NULL);
	snprintf(text, sizeof(text), "%ld", limit);
	ck_assert_int_eq(write_text(MAPS, text), 0);
	ck_assert_int_eq(rc, 0);
}
END_TEST

/* Gives up every privilege; dumpable, or it could not read its own pagemap. */
static void become_nobody(void)
{
	ck_assert_int_eq(setresgid(NOBODY, NOBODY, NOBODY), 0);
	ck_assert_int_eq(setresuid(NOBODY, NOBODY, NOBODY), 0);
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1), 0);
}

/* The promise comes from the context, not from the batch. */
static void use_quiet(const char *quiet)
{
	struct bm_options options;

	bm_context_free(load.swapper.context);
	bm_options_init(&options, sizeof(options));
	options.quiet = quiet;
	ck_assert_int_eq(bm_context_new(&options, &load.swapper.context), 0);
	load.swapper.flags = BM_REPLACE;
}

#define LOCKED 256

/* What is locked stays so: where the pool cannot be locked the kernel has it. */
static int with_locked_pages(void *arg)
{
	int old = *(int *)arg == BM_REASON_OLD_KERNEL;
	struct rlimit none = {0, 0};

	load_new(&load, COUNT);
	ck_assert_int_eq(mlock(load.area.start, LOCKED * PAGE), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_MEMLOCK, &none), 0);
	become_nobody();
	use_quiet("strict");
	for (int round = 0; round < 4; round++) {
		ck_assert_int_eq(swapper_round(&load.swapper, &load.area, round), 0);
		ck_assert_uint_eq(status_wrong(&load.area), 0);
		for (size_t i = 0; i < COUNT; i++) {
			int expected = old          ? BM_REASON_OLD_KERNEL
				       : i < LOCKED ? BM_REASON_LOCKED
						    : BM_REASON_NONE;

			ck_assert_msg(load.swapper.reasons[i] == expected, "page %zu: %s", i,
				      bm_reason_name(load.swapper.reasons[i]));
		}
		ck_assert_uint_eq(load.swapper.report.bytes_swapped,
				  old ? 0 : (COUNT - LOCKED) * PAGE);
	}
	ck_assert_int_eq(smaps_kb(load.area.start, "Locked"), LOCKED * 4);
	ck_assert_uint_eq(wrong_words(load.area.start, load.area.length, LOAD_SEED), 0);
	return 0;
}

START_TEST(locked_pages_without_the_right)
{
	int refusal = swap_refusal();

	if (geteuid() != 0)
		skip_test("needs root to give it up");
	ck_assert_int_eq(in_asserting_child(with_locked_pages, &refusal), 0);
}
END_TEST

struct unprivileged {
	const char *quiet;
	int reason; /* of every page */
};

static int without_privilege(void *arg)
{
	struct unprivileged *unprivileged = arg;
	struct writers writers = {.count = COUNT / 2, .threads = 2};
	int reason = unprivileged->reason;
	struct box box;

	load_new(&load, COUNT);
	become_nobody();
	use_quiet(unprivileged->quiet);
	ck_assert_int_eq(swapper_round(&load.swapper, &load.area, 0), 0);
	for (size_t i = 0; i < COUNT; i++)
		ck_assert_msg(load.swapper.reasons[i] == reason, "page %zu: %s", i,
			      bm_reason_name(load.swapper.reasons[i]));
	ck_assert_uint_eq(load.swapper.report.bytes_swapped, reason ? 0 : COUNT * PAGE);
	ck_assert_uint_eq(load.swapper.report.windows > 0, reason == 0);
	ck_assert_uint_eq(wrong_words(load.area.start, load.area.length, LOAD_SEED), 0);
	/* Loads and stores only: also the strict promise allows them. */
	writers.start = load.area.start;
	writers_start(&writers);
	load_start(&load);
	box_start(&box, "the test");
	while (box_open(&box))
		usleep(20000);
	load_join(&load);
	writers_end(&writers);
	load_check(&load);
	ck_assert_uint_eq(load.swapper.swapped > 0, reason == 0);
	return 0;
}

static void unprivileged_is(const char *quiet, int reason)
{
	struct unprivileged unprivileged = {quiet, swap_refusal() ? swap_refusal() : reason};

	ck_assert_int_eq(in_asserting_child(without_privilege, &unprivileged), 0);
}

START_TEST(nobody_is_refused)
{
	struct stat device;

	if (geteuid() != 0)
		skip_test("needs root to give it up");
	if (read_number("/proc/sys/vm/unprivileged_userfaultfd") > 0 ||
	    (stat("/dev/userfaultfd", &device) == 0 && device.st_mode & 06))
		skip_test("everybody may have a userfaultfd here");
	unprivileged_is("yes", BM_REASON_NO_PRIVILEGE);
}
END_TEST

START_TEST(nobody_with_the_strict_promise)
{
	if (geteuid() != 0)
		skip_test("needs root to give it up");
	unprivileged_is("strict", BM_REASON_NONE);
}
END_TEST

/* A memory cgroup of either version. */
static const struct {
	const char *folder, *limit, *usage;
} groups[] = {
	{"/sys/fs/cgroup/bm_swap", "memory.max", "memory.current"},
	{"/sys/fs/cgroup/memory/bm_swap", "memory.limit_in_bytes", "memory.usage_in_bytes"},
};

struct limited {
	size_t group;
	long slack_kb; /* above what is in use */
};

static const char *in_group(size_t group, const char *file)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", groups[group].folder, file);
	return path;
}

static void limit_myself(const struct limited *limited)
{
	long usage = read_number(in_group(limited->group, groups[limited->group].usage));
	char text[32];

	ck_assert_int_gt(usage, COUNT * 8 * 4096);
	snprintf(text, sizeof(text), "%ld", usage + limited->slack_kb * 1024);
	ck_assert_int_eq(write_text(in_group(limited->group, groups[limited->group].limit), text),
			 0);
}

/* The library's own memory for the batch is taken before there is a limit. */
static int with_little_memory(void *arg)
{
	struct limited *limited = arg;
	struct writers writers = {.count = COUNT * 4, .threads = 1};
	struct box box;

	ck_assert_int_eq(write_text(in_group(limited->group, "cgroup.procs"), "0"), 0);
	load_new(&load, COUNT * 8);
	swapper_free(&load.swapper);
	swapper_new(&load.swapper, 0, 1, 0);
	load.allowed = ENOMEM;
	load.swapper.flags = 0;
	ck_assert_int_ge(swapper_round(&load.swapper, &load.area, 0), 0);
	load.swapper.flags = SWAP_FLAGS;
	writers.start = load.area.start;
	writers_start(&writers);
	limit_myself(limited);
	load_start(&load);
	box_start(&box, "the test");
	while (box_open(&box))
		usleep(20000);
	load_join(&load);
	writers_end(&writers);
	load_check(&load);
	printf("# with %ld KiB to spare %llu KiB were swapped\n", limited->slack_kb,
	       (unsigned long long)load.swapper.swapped / 1024);
	fflush(stdout);
	/* Room for the pages of several chunks. */
	if (limited->slack_kb >= 16384 && !swap_refusal())
		ck_assert_uint_gt(load.swapper.swapped, 0);
	return 0;
}

/* 0 and the group, or -1 where there is none. */
static int make_group(size_t *group)
{
	write_text("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	for (*group = 0; *group < 2; ++*group) {
		if (mkdir(groups[*group].folder, 0755) < 0 && errno != EEXIST)
			continue;
		if (access(in_group(*group, groups[*group].limit), W_OK) == 0)
			return 0;
		rmdir(groups[*group].folder);
	}
	return -1;
}

START_TEST(little_memory)
{
	static const long slacks[] = {6 << 10, 24 << 10};
	struct limited limited;

	for (size_t i = 0; i < 2; i++) {
		int rc;

		limited.slack_kb = slacks[i];
		if (make_group(&limited.group) < 0)
			skip_test("no memory cgroup can be made");
		rc = in_asserting_child(with_little_memory, &limited);
		/* Gone when its memory is. */
		for (int k = 0; k < 100 && rmdir(groups[limited.group].folder) < 0; k++)
			usleep(10000);
		ck_assert_msg(rc == 0, "%ld KiB above what is in use: %d", slacks[i], rc);
	}
}
END_TEST

static long free_megabytes(int node)
{
	long long size = 0;

	numa_node_size64(node, &size);
	return (long)(size >> 20);
}

/* As much as fits goes there; the rest stays, says -ENOMEM, and nobody is killed. */
static int with_full_target(void *arg)
{
	size_t full = 0, room = (size_t)free_megabytes(nodes[1]) - 70;
	struct area filler;
	long rc;

	(void)arg;
	area_new(&filler, room * 256, nodes[1]);
	ck_assert_int_eq(mlock(filler.start, filler.length), 0);
	load_new(&load, 100 * 256);
	rc = swapper_round(&load.swapper, &load.area, 0);
	ck_assert_int_gt(rc, 0);
	for (size_t i = 0; i < load.area.count; i++) {
		int status = load.area.status[i];

		ck_assert_msg(status == nodes[1] || status == -ENOMEM, "page %zu: %d", i, status);
		full += status == -ENOMEM;
		if (status == -ENOMEM) {
			ck_assert_int_eq(load.swapper.reasons[i], BM_REASON_TARGET_FULL);
			ck_assert_int_eq(node_of(load.area.pages[i]), nodes[0]);
		} else {
			ck_assert_int_eq(node_of(load.area.pages[i]), nodes[1]);
		}
	}
	ck_assert_uint_eq(full, (size_t)rc);
	check_any_swapped(&load.swapper);
	ck_assert_uint_eq(wrong_words(load.area.start, load.area.length, LOAD_SEED), 0);
	ck_assert_uint_eq(stamp_wrong(filler.start, filler.count, PAGE), 0);
	return 0;
}

START_TEST(full_target)
{
	NEED_NODES();
	ck_assert_int_eq(bm_quiesce(), 0);
	write_text("/proc/sys/vm/drop_caches", "3");
	if (free_megabytes(nodes[1]) > 1600 || free_megabytes(nodes[0]) < 500)
		skip_test("the second node is too large to be filled, or the first too small");
	ck_assert_int_eq(in_asserting_child(with_full_target, NULL), 0);
}
END_TEST

static const TTest *const *const tests[] = {&few_mappings,
					    &locked_pages_without_the_right,
					    &nobody_is_refused,
					    &nobody_with_the_strict_promise,
					    &little_memory,
					    &full_target,
					    NULL};
const struct report_group swap_limits_group = {"swap_limits", tests};

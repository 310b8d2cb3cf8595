/* SPDX-License-Identifier: MIT */
/* swap_process.c - children of every kind while a range is migrated: they see all its bytes. */
#include "swap_children.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define COUNT 1024

static struct load load;
extern char **environ;
static char true_name[] = "true";
static char *const arguments[] = {true_name, NULL};

static pid_t by_fork(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		limit_child(20);
		_exit(contents_as_seen(&load));
	}
	return pid;
}

static pid_t by_vfork(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execv("/bin/true", arguments);
		_exit(127);
	}
	return pid;
}

static pid_t by_spawn(void)
{
	pid_t pid = -1;

	return posix_spawn(&pid, "/bin/true", NULL, NULL, arguments, environ) == 0 ? pid : -1;
}

START_TEST(forks)
{
	children_meanwhile(&load, "swap_process/forks", by_fork);
}
END_TEST

START_TEST(vforks)
{
	children_meanwhile(&load, "swap_process/vforks", by_vfork);
}
END_TEST

START_TEST(spawned)
{
	children_meanwhile(&load, "swap_process/spawned", by_spawn);
}
END_TEST

/* One of two that fork at the same time. */
struct forker {
	pthread_t thread;
	unsigned int bad, children;
};

static void *fork_often(void *arg)
{
	struct forker *forker = arg;
	struct box box;

	box_start(&box, "a thread that forks");
	while (forker->bad == 0 && box_open(&box)) {
		pid_t pid = by_fork();

		forker->bad += pid < 0 || await_child(pid) != 0;
		forker->children++;
		load_refill(&load);
	}
	pulse_end(box.pulse);
	return NULL;
}

/* Without the right to hear of forks: nobody fills what a child would miss. */
static void use_no_rights(void)
{
	struct bm_options options;

	if (geteuid() == 0) {
		ck_assert_int_eq(setresgid(65534, 65534, 65534), 0);
		ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
		ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1), 0);
	}
	bm_context_free(load.swapper.context);
	bm_options_init(&options, sizeof(options));
	options.quiet = "strict";
	ck_assert_int_eq(bm_context_new(&options, &load.swapper.context), 0);
	load.swapper.flags = BM_REPLACE;
}

static int two_threads_fork(void *arg)
{
	struct writers writers = {.threads = 1, .count = COUNT / 2};
	struct forker forkers[2] = {{.bad = 0}, {.bad = 0}};

	(void)arg;
	load_new(&load, COUNT);
	use_no_rights();
	writers.start = load.area.start;
	writers_start(&writers);
	load_start(&load);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&forkers[i].thread, NULL, fork_often, &forkers[i]),
				 0);
	for (int i = 0; i < 2; i++)
		pthread_join(forkers[i].thread, NULL);
	load_join(&load);
	writers_end(&writers);
	load_check(&load);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(forkers[i].bad, 0);
		ck_assert_uint_ge(forkers[i].children, 4);
	}
	if (!swap_refusal())
		ck_assert_uint_gt(load.reasons[BM_REASON_NONE], 0);
	return 0;
}

/* The end of one fork is not the end of the other one. */
START_TEST(forks_of_two_threads)
{
	ck_assert_int_eq(in_asserting_child(two_threads_fork, NULL), 0);
}
END_TEST

static pid_t by_system(void)
{
	return system("exit 0") == 0 ? by_spawn() : -1;
}

START_TEST(shells)
{
	children_meanwhile(&load, "swap_process/shells", by_system);
}
END_TEST

/* What a batch has to say of pages that it found shared, or of which it cannot tell any more. */
static void check_shared(int reason)
{
	int refusal = swap_refusal();

	for (size_t i = 0; i < COUNT; i++) {
		int told = load.swapper.reasons[i];

		if (node_count > 1 && reason == BM_REASON_COW_SHARED) {
			ck_assert_int_eq(load.area.status[i], -EACCES);
			ck_assert_int_eq(told, BM_REASON_SHARED);
		} else {
			ck_assert_int_eq(load.area.status[i], node_of_round(0));
			ck_assert_msg(told == (refusal ? refusal : reason), "page %zu: %s", i,
				      bm_reason_name(told));
		}
	}
	ck_assert_uint_eq(load.swapper.report.bytes_swapped, 0);
}

/* A child that lives until it is told to look. */
struct living {
	pid_t pid;
	int go[2];
};

static void living_start(struct living *living)
{
	char byte;

	ck_assert_int_eq(pipe(living->go), 0);
	living->pid = fork();
	if (living->pid == 0) {
		limit_child(60);
		(void)!read(living->go[0], &byte, 1);
		_exit(contents_as_seen(&load));
	}
	ck_assert_int_gt(living->pid, 0);
}

static int living_end(struct living *living)
{
	int rc;

	ck_assert_int_eq(write(living->go[1], "", 1), 1);
	rc = await_child(living->pid);
	close(living->go[0]);
	close(living->go[1]);
	return rc;
}

START_TEST(shared_with_a_living_child)
{
	struct living living;
	uint64_t *before;

	load_new(&load, COUNT);
	living_start(&living);
	before = frames_of(&load.area);
	ck_assert_int_eq(swapper_round(&load.swapper, &load.area, 0), node_count > 1 ? COUNT : 0);
	check_shared(BM_REASON_COW_SHARED);
	ck_assert_uint_eq(frames_kept(&load.area, before), COUNT);
	free(before);
	ck_assert_int_eq(contents_as_seen(&load), 0);
	ck_assert_int_eq(living_end(&living), 0);
	/* Nobody shares them, but swap cannot know that until they are written. */
	swapper_round(&load.swapper, &load.area, 0);
	check_shared(BM_REASON_PINNED);
	ck_assert_int_eq(contents_as_seen(&load), 0);
	area_free(&load.area);
	area_new(&load.area, COUNT, nodes[0]);
	fill(load.area.start, load.area.length, LOAD_SEED);
	/* A part of them written: that part is swapped, and the child keeps what it had. */
	living_start(&living);
	load_refill(&load);
	ck_assert_int_ge(swapper_round(&load.swapper, &load.area, 0), 0);
	if (!swap_refusal())
		ck_assert_uint_eq(load.swapper.report.bytes_swapped, load_half(&load));
	memset(load.area.start + load_half(&load), 0, load_half(&load));
	ck_assert_int_eq(living_end(&living), 0);
	load_free(&load);
}
END_TEST

/* Of the parent: */
static struct swapper parents;

static int new_context_works(int generation)
{
	struct swapper own;
	uint64_t *before;

	swapper_new(&own, 0, 0, 0);
	fill(load.area.start, load.area.length, LOAD_SEED);
	before = frames_of(&load.area);
	ck_assert_int_eq(swapper_round(&own, &load.area, generation), 0);
	check_swapped(&own, &load.area, before);
	ck_assert_uint_eq(wrong_words(load.area.start, load.area.length, LOAD_SEED), 0);
	free(before);
	swapper_free(&own);
	return 0;
}

static int in_the_child(void *arg)
{
	int *generation = arg;
	struct bm_context *old = parents.context;
	struct bm_stats stats;

	++*generation;
	ck_assert_int_eq(swapper_round(&parents, &load.area, 1), -ESTALE);
	ck_assert_int_eq(bm_stats_get(old, &stats, sizeof(stats)), -ESTALE);
	ck_assert_int_eq(bm_pool_get(old, NULL, sizeof(struct bm_pool_stats), 0), -ESTALE);
	bm_context_free(old);
	new_context_works(*generation);
	if (*generation < 3) {
		swapper_new(&parents, 0, 0, 0);
		ck_assert_int_ge(swapper_round(&parents, &load.area, 0), 0);
		ck_assert_int_eq(in_asserting_child(in_the_child, generation), 0);
		/* What its child did to its own is nothing to this one. */
		new_context_works(*generation);
		ck_assert_int_ge(swapper_round(&parents, &load.area, 0), 0);
		swapper_free(&parents);
	}
	ck_assert_int_eq(bm_quiesce(), 0);
	return contents_as_seen(&load);
}

START_TEST(child_uses_the_library)
{
	int generation = 0;

	load_new(&load, COUNT);
	swapper_new(&parents, 0, 0, 0);
	for (int i = 0; i < 3; i++) {
		generation = 0;
		ck_assert_int_ge(swapper_round(&parents, &load.area, 0), 0);
		ck_assert_int_eq(in_asserting_child(in_the_child, &generation), 0);
	}
	new_context_works(0);
	ck_assert_int_ge(swapper_round(&parents, &load.area, 1), 0);
	check_any_swapped(&parents);
	swapper_free(&parents);
	load_free(&load);
}
END_TEST

static const TTest *const *const tests[] = {&forks,
					    &forks_of_two_threads,
					    &vforks,
					    &spawned,
					    &shells,
					    &shared_with_a_living_child,
					    &child_uses_the_library,
					    NULL};
const struct report_group swap_process_group = {"swap_process", tests};

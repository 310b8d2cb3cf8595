/* SPDX-License-Identifier: MIT */
/* swap_load.c - a thread that migrates without end, contents of every byte, children. */
#include "swap_load.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

/* ---------------------------------------------------------------- contents */

static uint64_t word_for(const uint64_t *place, uint64_t seed)
{
	return ((uint64_t)(uintptr_t)place + seed * 0x100000001b3u) * 0x9e3779b97f4a7c15u | 1;
}

void fill(void *memory, size_t length, uint64_t seed)
{
	uint64_t *words = memory;

	for (size_t i = 0; i < length / 8; i++)
		words[i] = word_for(&words[i], seed);
}

size_t wrong_words(const void *memory, size_t length, uint64_t seed)
{
	const uint64_t *words = memory;
	size_t wrong = 0;

	for (size_t i = 0; i < length / 8; i++)
		wrong += words[i] != word_for(&words[i], seed);
	return wrong;
}

size_t lost_words(const void *memory, size_t length, uint64_t seed)
{
	const uint64_t *words = memory;
	size_t lost = 0;

	/* Threads may write meanwhile. */
	for (size_t i = 0; i < length / 8; i++)
		lost += __atomic_load_n(&words[i], __ATOMIC_RELAXED) - word_for(&words[i], seed) >=
			1ull << 40;
	return lost;
}

/* ---------------------------------------------------------------- the thread */

size_t load_half(const struct load *load)
{
	return load->area.length / 2;
}

void load_refill(struct load *load)
{
	fill(load->area.start + load_half(load), load_half(load), LOAD_SEED);
}

void load_new(struct load *load, size_t count)
{
	memset(load, 0, sizeof(*load));
	swapper_new(&load->swapper, 0, 0, 0);
	area_new(&load->area, count, nodes[0]);
	fill(load->area.start, load->area.length, LOAD_SEED);
}

void load_free(struct load *load)
{
	area_free(&load->area);
	swapper_free(&load->swapper);
}

__attribute__((format(printf, 2, 3))) static void complain(struct load *load, const char *format,
							   ...)
{
	va_list args;

	if (load->why[0])
		return;
	va_start(args, format);
	vsnprintf(load->why, sizeof(load->why), format, args);
	va_end(args);
}

/* What is absent Linux 6.1 also calls not mapped. */
static int allowed(const struct load *load, int error)
{
	return error == load->allowed || (error == EFAULT && load->allowed == ENOENT);
}

static void judge_page(struct load *load, size_t i, uint64_t *reasons)
{
	int status = load->area.status[i], reason = load->swapper.reasons[i];

	if (reason >= BM_REASON_COUNT)
		complain(load, "page %zu: reason %d", i, reason);
	else
		reasons[reason]++;
	if (status < 0 && status != -EBUSY && status != -EACCES && !allowed(load, -status))
		complain(load, "page %zu: status %d", i, status);
	if (status >= 0 && status != nodes[0] && (node_count < 2 || status != nodes[1]))
		complain(load, "page %zu: status %d is no node", i, status);
}

/* The result, the statuses, the reasons and the report have to tell the same. */
static void judge(struct load *load, long rc)
{
	uint64_t reasons[BM_REASON_SLOTS] = {0};
	const struct area *area = &load->area;
	long misplaced = 0;

	if (rc < 0) {
		if (rc != -load->allowed)
			complain(load, "bm_submit gave %ld", rc);
		return;
	}
	for (size_t i = 0; i < area->count; i++) {
		misplaced += area->status[i] != area->targets[i];
		judge_page(load, i, reasons);
	}
	if (rc != misplaced)
		complain(load, "bm_batch_wait gave %ld, but %ld are misplaced", rc, misplaced);
	for (int i = 0; i < BM_REASON_SLOTS; i++) {
		load->reasons[i] += reasons[i];
		if (reasons[i] != load->swapper.report.reasons[i])
			complain(load, "reason %s: %llu pages, %llu in the report",
				 bm_reason_name(i), (unsigned long long)reasons[i],
				 (unsigned long long)load->swapper.report.reasons[i]);
	}
}

static void *migrate(void *arg)
{
	struct pulse *pulse = pulse_new("the migrating thread");
	struct load *load = arg;

	for (int round = 0; !atomic_load(&load->stop); round++) {
		judge(load, swapper_round(&load->swapper, &load->area, round));
		atomic_fetch_add(&load->rounds, 1);
		pulse_beat(pulse);
	}
	pulse_end(pulse);
	return NULL;
}

void load_start(struct load *load)
{
	atomic_store(&load->stop, 0);
	ck_assert_int_eq(pthread_create(&load->thread, NULL, migrate, load), 0);
	load->running = 1;
}

void load_join(struct load *load)
{
	atomic_store(&load->stop, 1);
	if (load->running)
		pthread_join(load->thread, NULL);
	load->running = 0;
}

/* A node has to be where the page is; who says that it could not move is not there. */
static size_t untrue_statuses(const struct area *area)
{
	size_t untrue = 0;

	for (size_t i = 0; i < area->count; i++) {
		int status = area->status[i], node = node_of(area->pages[i]);

		if (status >= 0 || status == -ENOENT || status == -EFAULT)
			untrue += status != node;
		else
			untrue += node < 0 || node == area->targets[i];
	}
	return untrue;
}

void load_check(struct load *load)
{
	char *kept = load->area.start + load_half(load);

	ck_assert_msg(!load->why[0], "%s", load->why);
	ck_assert_uint_gt(atomic_load(&load->rounds), 0);
	swapper_round(&load->swapper, &load->area, 0);
	ck_assert_uint_eq(untrue_statuses(&load->area), 0);
	ck_assert_uint_eq(wrong_words(kept, load_half(load), LOAD_SEED), 0);
}

void load_end(struct load *load)
{
	int refusal;

	load_join(load);
	load_check(load);
	check_any_swapped(&load->swapper);
	refusal = swap_refusal();
	if (refusal)
		ck_assert_uint_gt(load->reasons[refusal], 0);
}

void load_await(struct load *load, unsigned long rounds)
{
	unsigned long from = atomic_load(&load->rounds);

	while (atomic_load(&load->rounds) - from < rounds)
		usleep(50);
}

/* ---------------------------------------------------------------- children */

#define CHILD_FAILED 99

/* As long as the loops in it may take, and a little more. */
static unsigned int child_seconds(void)
{
	const char *full = getenv("BM_TEST_FULL");

	return full && strcmp(full, "1") == 0 ? 300 : 120;
}

static struct {
	int (*body)(void *arg);
	void *arg;
	int rc;
	int runs; /* a runner, in this process or in one that it comes from */
} child;

void limit_child(unsigned int seconds)
{
	signal(SIGALRM, SIG_DFL);
	alarm(seconds);
}

/* Only here is the limit set: the runner has installed its handlers now. */
START_TEST(child_body)
{
	limit_child(child_seconds());
	child.rc = child.body(child.arg);
}
END_TEST

/*
 * A runner of its own: the one of the parent would go on with the next test
 * here. Of a child's child the child's will do, and Check knows no third one.
 */
static int run_body(void)
{
	TestResult **results;
	SRunner *runner;
	TCase *single;
	Suite *suite;

	if (child.runs) {
		limit_child(child_seconds());
		return child.body(child.arg);
	}
	child.runs = 1;
	suite = suite_create("child");
	single = tcase_create("child");
	tcase_add_test(single, child_body);
	suite_add_tcase(suite, single);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_SILENT);
	if (srunner_ntests_failed(runner) == 0)
		return child.rc;
	results = srunner_results(runner);
	dprintf(STDERR_FILENO, "# in a child: %s:%d: %s\n", tr_lfile(results[0]),
		tr_lno(results[0]), tr_msg(results[0]));
	return CHILD_FAILED;
}

pid_t asserting_child(int (*body)(void *arg), void *arg)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		child.body = body;
		child.arg = arg;
		_exit(run_body());
	}
	ck_assert_int_gt(pid, 0);
	return pid;
}

int in_asserting_child(int (*body)(void *arg), void *arg)
{
	return await_child(asserting_child(body, arg));
}

int end_of_child(pid_t pid)
{
	int status;
	pid_t rc;

	do
		rc = waitpid(pid, &status, 0);
	while (rc < 0 && errno == EINTR);
	if (rc != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int await_child(pid_t pid)
{
	int status = end_of_child(pid);

	ck_assert_int_ge(status, 0);
	return status;
}

/* SPDX-License-Identifier: MIT */
/*
 * pace_faults.c - waiting for turns and for bytes, where waits end too early
 * and the clock stands still or jumps. Nobody moves before his time, nobody
 * waits for ever, and no bytes of an allowance are lost.
 */
#include <errno.h>

#include "fake.h"
#include "queue.h"
#include "unit.h"

#define MB      UINT64_C(1000000)
#define MS      UINT64_C(1000000) /* ns */
#define PORTION (MB / 10)
#define ROUNDS  200

/* A clock that only waiting moves, but for one look at it; waits that fail. */
static struct {
	_Atomic uint64_t now;
	uint64_t looks, jump_at, jump_ns;
	uint64_t waits, early_at;
	int early, always;
	uint64_t tired; /* more waits than that are a thread that spins */
} odd;

static uint64_t odd_now(void)
{
	if (++odd.looks == odd.jump_at)
		odd.now += odd.jump_ns;
	return odd.now;
}

static int odd_wait(const bm_futex *word, uint32_t value, int64_t timeout_us)
{
	ck_assert_int_ge(timeout_us, 0);
	ck_assert_uint_lt(++odd.waits, odd.tired);
	if (atomic_load(word) != value)
		return -EAGAIN;
	if (odd.waits == odd.early_at || odd.always) {
		/* Some of the time has passed. */
		odd.now += (uint64_t)timeout_us * 300;
		return odd.early;
	}
	odd.now += (uint64_t)timeout_us * 1000;
	return -ETIMEDOUT;
}

static struct bm_sys odd_sys;

static void begin(void)
{
	memset(&odd, 0, sizeof(odd));
	odd.now = 5000 * MS;
	odd.tired = 100000;
	odd_sys = bm_sys_linux;
	odd_sys.now_ns = odd_now;
	odd_sys.futex_wait = odd_wait;
}

/* The time that 20 MB take at 10 MB/s, in milliseconds; each portion at its time. */
static uint64_t move_with_rate(struct bm_allowance *shared)
{
	struct bm_pace pace = {.sys = &odd_sys, .own = {.bytes_per_s = 10 * MB}, .shared = shared};
	uint64_t start = odd.now;

	for (int i = 0; i < ROUNDS; i++) {
		ck_assert_int_eq(bm_pace_begin(&pace, PORTION), 0);
		/* 10 ms each; the jump is made up for within the slack. */
		ck_assert_uint_ge(odd.now - start + 21 * MS, (uint64_t)i * 10 * MS);
		bm_pace_end(&pace, PORTION, PORTION);
	}
	ck_assert_uint_eq(atomic_load(&pace.bytes_moved), ROUNDS * PORTION);
	return (odd.now - start) / MS;
}

START_TEST(a_wait_ends_early)
{
	static const int errors[] = {0, -EINTR, -EAGAIN, -ENOMEM};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		for (uint64_t at = 1; at <= 30; at++) {
			struct bm_allowance shared = {.bytes_per_s = 100 * MB};
			uint64_t ms;

			begin();
			odd.early_at = at;
			odd.early = errors[i];
			ms = move_with_rate(&shared);
			ck_assert_msg(ms >= 1970 && ms <= 2010, "wait %d gives %d: %d ms", (int)at,
				      errors[i], (int)ms);
		}
	}
}
END_TEST

/* Where a debugger looks on, each wait ends with a signal. */
START_TEST(every_wait_ends_early)
{
	uint64_t ms;

	begin();
	odd.always = 1;
	odd.early = -EINTR;
	ms = move_with_rate(NULL);
	ck_assert_msg(ms >= 1970 && ms <= 2010, "%d ms", (int)ms);
}
END_TEST

/* A process that is stopped for ten seconds: no burst afterwards. */
START_TEST(the_clock_jumps)
{
	for (uint64_t at = 1; at <= 60; at++) {
		uint64_t ms;

		begin();
		odd.jump_at = at;
		odd.jump_ns = 10000 * MS;
		ms = move_with_rate(NULL);
		ck_assert_msg(ms >= 10000 + 1970 - 40 && ms <= 10000 + 2010, "look %d: %d ms",
			      (int)at, (int)ms);
	}
}
END_TEST

/* One that is cancelled while it waits, after a wait that ended early, takes nothing from others. */
static struct bm_pace waiting;

static int cancel_in_wait(const bm_futex *word, uint32_t value, int64_t timeout_us)
{
	(void)word;
	(void)value;
	(void)timeout_us;
	if (++odd.waits % 2 == 0)
		bm_pace_cancel(&waiting);
	return -EINTR;
}

START_TEST(what_was_set_aside_comes_back)
{
	struct bm_allowance shared = {.bytes_per_s = 10 * MB};
	uint64_t spent, own;

	begin();
	odd_sys.futex_wait = cancel_in_wait;
	waiting = (struct bm_pace){
		.sys = &odd_sys, .own = {.bytes_per_s = 5 * MB}, .shared = &shared};
	ck_assert_int_eq(bm_pace_begin(&waiting, PORTION), 0);
	spent = shared.spent_ns;
	own = waiting.own.spent_ns;
	for (int i = 1; i <= 10; i++) {
		atomic_store(&waiting.canceled, 0);
		ck_assert_int_eq(bm_pace_begin(&waiting, PORTION), -ECANCELED);
		ck_assert_uint_eq(odd.waits, 2 * (uint64_t)i);
		ck_assert_uint_eq(shared.spent_ns, spent);
		ck_assert_uint_eq(waiting.own.spent_ns, own);
	}
	bm_pace_end(&waiting, PORTION, 0);
	ck_assert_uint_eq(shared.spent_ns, spent - 10 * MS);
}
END_TEST

/* ---------------------------------------------------------------- waiting for a batch */

/* It ends in the wait number `ends_at`; all others end early. */
static struct bm_task task;
static uint64_t ends_at;

static int task_wait(const bm_futex *word, uint32_t value, int64_t timeout_us)
{
	ck_assert_uint_lt(++odd.waits, odd.tired);
	ck_assert(timeout_us < 0 || timeout_us <= 1000000);
	if (odd.waits == ends_at)
		atomic_store(&task.state, BM_TASK_ENDED);
	odd.now += 100 * MS;
	return atomic_load(word) == value ? odd.early : -EAGAIN;
}

static int wait_for_task(int early, uint64_t end, int64_t timeout_us)
{
	struct bm_queue queue = {.sys = &odd_sys};
	int rc;

	begin();
	odd_sys.futex_wait = task_wait;
	odd.early = early;
	ends_at = end;
	bm_queue_init(&queue, &odd_sys);
	atomic_store(&task.state, BM_TASK_RUNS);
	rc = bm_queue_wait(&queue, &task, timeout_us);
	bm_queue_end(&queue);
	return rc;
}

START_TEST(waits_for_a_batch_end_early)
{
	static const int errors[] = {0, -EINTR, -EAGAIN, -ETIMEDOUT};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		ck_assert_int_eq(wait_for_task(errors[i], 50, -1), 0);
		ck_assert_uint_eq(odd.waits, 50);
		ck_assert_int_eq(wait_for_task(errors[i], 5, 1000000), 0);
		/* A tenth of a second each: not earlier, not later. */
		ck_assert_int_eq(wait_for_task(errors[i], 50, 1000000), -ETIMEDOUT);
		ck_assert_uint_eq(odd.waits, 10);
	}
}
END_TEST

static const TTest *const *const tests[] = {&a_wait_ends_early,
					    &every_wait_ends_early,
					    &the_clock_jumps,
					    &what_was_set_aside_comes_back,
					    &waits_for_a_batch_end_early,
					    NULL};
const struct report_group pace_faults_group = {"pace_faults", tests};

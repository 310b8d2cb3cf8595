/* SPDX-License-Identifier: MIT */
/* pace.c - rates, pauses and cancellation; and the histogram of windows. */
#include "pace.h"

#include "fake.h"
#include "stalls.h"
#include "unit.h"

#define MB UINT64_C(1000000)
#define MS UINT64_C(1000000) /* ns */

/* Moves portions at the times that the allowance gives; bytes that moved in [from, to). */
static uint64_t moved_between(struct bm_allowance *allowance, uint64_t portion, uint64_t from,
			      uint64_t to)
{
	uint64_t now = from, bytes = 0;

	while (now < to) {
		uint64_t at = bm_allowance_take(allowance, portion, now);

		now = at > now ? at : now;
		bytes += now < to ? portion : 0;
	}
	return bytes;
}

START_TEST(allowance_keeps_its_rate)
{
	struct bm_allowance allowance = {.bytes_per_s = 100 * MB};
	uint64_t start = 5000 * MS;

	for (int second = 0; second < 3; second++, start += 1000 * MS) {
		uint64_t bytes = moved_between(&allowance, MB / 4, start, start + 1000 * MS);

		ck_assert_uint_ge(bytes, 95 * MB);
		ck_assert_uint_le(bytes, 105 * MB);
	}
	/* Within a tenth of a second, too. */
	for (int part = 0; part < 10; part++, start += 100 * MS) {
		uint64_t bytes = moved_between(&allowance, MB / 4, start, start + 100 * MS);

		ck_assert_uint_ge(bytes, 9 * MB);
		ck_assert_uint_le(bytes, 11 * MB);
	}
}
END_TEST

START_TEST(allowance_of_who_comes_late)
{
	struct bm_allowance allowance = {.bytes_per_s = 100 * MB};
	uint64_t start = 5000 * MS;

	ck_assert_uint_eq(bm_allowance_take(&allowance, MB, start), start);
	/* 1 MB lasts 10 ms; 5 ms late are made up for, 300 ms are not. */
	ck_assert_uint_eq(bm_allowance_take(&allowance, MB, start + 15 * MS), start + 10 * MS);
	ck_assert_uint_eq(bm_allowance_take(&allowance, MB, start + 300 * MS), start + 280 * MS);
	ck_assert_uint_eq(bm_allowance_take(&allowance, MB, start + 300 * MS), start + 290 * MS);
	ck_assert_uint_eq(bm_allowance_take(&allowance, MB, start + 300 * MS), start + 300 * MS);
	/* What did not move is given back. */
	bm_allowance_return(&allowance, MB);
	ck_assert_uint_eq(bm_allowance_take(&allowance, MB, start + 300 * MS), start + 300 * MS);
	/* After a rest there is nothing to be made up for. */
	ck_assert_uint_eq(bm_allowance_take(&allowance, MB, start + 9000 * MS), start + 9000 * MS);
}
END_TEST

START_TEST(allowance_without_a_limit)
{
	struct bm_allowance allowance = {0};

	ck_assert_uint_eq(bm_allowance_take(&allowance, UINT64_MAX, 77), 77);
	bm_allowance_return(&allowance, UINT64_MAX);
	ck_assert_uint_eq(bm_allowance_portion(&allowance), UINT64_MAX);
	allowance.bytes_per_s = 1;
	ck_assert_uint_eq(bm_allowance_portion(&allowance), 0);
	ck_assert_uint_eq(bm_allowance_take(&allowance, UINT64_C(1) << 40, 2000 * MS), 2000 * MS);
	/* It lasts 35000 years. */
	ck_assert_uint_gt(bm_allowance_take(&allowance, 1, 2000 * MS), UINT64_C(1) << 59);
}
END_TEST

static struct bm_pace pace;

static void *begin_pace(void *arg)
{
	*(int *)arg = bm_pace_begin(&pace, 4096);
	return NULL;
}

/* A thread that is held goes on when it is let go, or cancelled. */
START_TEST(held_until_let_go)
{
	pthread_t thread;
	int rc = 77;

	pace = (struct bm_pace){.sys = &bm_sys_linux};
	bm_pace_hold(&pace, 1);
	ck_assert_int_eq(pthread_create(&thread, NULL, begin_pace, &rc), 0);
	bm_sys_linux.sleep_us(20000);
	ck_assert_int_eq(__atomic_load_n(&rc, __ATOMIC_SEQ_CST), 77);
	bm_pace_hold(&pace, 0);
	pthread_join(thread, NULL);
	ck_assert_int_eq(rc, 0);
	bm_pace_hold(&pace, 1);
	ck_assert_int_eq(pthread_create(&thread, NULL, begin_pace, &rc), 0);
	bm_sys_linux.sleep_us(20000);
	bm_pace_cancel(&pace);
	pthread_join(thread, NULL);
	ck_assert_int_eq(rc, -ECANCELED);
}
END_TEST

/* What it has set aside is for the one that it makes room for. */
START_TEST(held_while_it_waits_for_bytes)
{
	struct bm_allowance shared = {.bytes_per_s = 1000000};
	struct bm_pace high = {.sys = &bm_sys_linux, .shared = &shared};
	uint64_t start = bm_sys_linux.now_ns();
	pthread_t thread;
	int rc = 77;

	pace = (struct bm_pace){.sys = &bm_sys_linux, .shared = &shared};
	ck_assert_int_eq(bm_pace_begin(&pace, 50000), 0);
	for (int i = 0; i < 100; i++)
		bm_allowance_take(&shared, 4096, start);
	ck_assert_int_eq(pthread_create(&thread, NULL, begin_pace, &rc), 0);
	bm_sys_linux.sleep_us(20000);
	bm_pace_hold(&pace, 1);
	bm_sys_linux.sleep_us(600000);
	/* Its time has come, but it is held. */
	ck_assert_int_eq(__atomic_load_n(&rc, __ATOMIC_SEQ_CST), 77);
	ck_assert_int_eq(bm_pace_begin(&high, 4096), 0);
	bm_pace_hold(&pace, 0);
	pthread_join(thread, NULL);
	ck_assert_int_eq(rc, 0);
}
END_TEST

START_TEST(cancelled_while_it_waits_for_bytes)
{
	uint64_t start = bm_sys_linux.now_ns();
	pthread_t thread;
	int rc = 77;

	pace = (struct bm_pace){.sys = &bm_sys_linux, .own = {.bytes_per_s = 100}};
	ck_assert_int_eq(bm_pace_begin(&pace, 100000), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, begin_pace, &rc), 0);
	bm_sys_linux.sleep_us(20000);
	ck_assert_int_eq(__atomic_load_n(&rc, __ATOMIC_SEQ_CST), 77);
	bm_pace_cancel(&pace);
	pthread_join(thread, NULL);
	ck_assert_int_eq(rc, -ECANCELED);
	ck_assert_uint_lt(bm_sys_linux.now_ns() - start, 10000 * MS);
}
END_TEST

START_TEST(two_rates_both_hold)
{
	struct bm_allowance shared = {.bytes_per_s = 10 * MB};

	fake_reset();
	pace = (struct bm_pace){
		.sys = &fake_sys, .own = {.bytes_per_s = 40 * MB}, .shared = &shared};
	ck_assert_uint_eq(bm_pace_portion(&pace), MB / 10);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(bm_pace_begin(&pace, MB / 10), 0);
	/* 10 MB at the lower rate. */
	ck_assert_uint_ge(fake.now, 980 * MS);
	ck_assert_uint_le(fake.now, 1020 * MS);
	fake_end();
}
END_TEST

START_TEST(quantiles)
{
	static struct bm_histogram histogram, more;

	ck_assert_uint_eq(bm_histogram_quantile(&histogram, 999000), 0);
	for (uint64_t i = 1; i <= 100000; i++)
		bm_histogram_add(i % 2 ? &histogram : &more, i * 100);
	bm_histogram_merge(&histogram, &more);
	for (uint32_t part = 10000; part <= 1000000; part += 10000) {
		uint64_t exact = part * UINT64_C(10),
			 told = bm_histogram_quantile(&histogram, part);

		ck_assert_uint_ge(told, exact);
		ck_assert_uint_le(told, exact + exact / 15 + 64);
	}
	ck_assert_uint_ge(bm_histogram_quantile(&histogram, 999000), 9990000);
	/* The smallest and the largest. */
	bm_histogram_add(&histogram, 0);
	bm_histogram_add(&histogram, UINT64_MAX);
	ck_assert_uint_le(bm_histogram_quantile(&histogram, 1), 200);
	ck_assert_uint_gt(bm_histogram_quantile(&histogram, 1000000), UINT64_C(30000000000));
}
END_TEST

START_TEST(late_windows_are_counted)
{
	static struct bm_stalls stalls = {.bound_ns = 1000};
	struct bm_report report = {0};

	bm_stalls_window(&stalls, 900, 300, 0);
	bm_stalls_window(&stalls, 1000, 0, 1);
	bm_stalls_window(&stalls, 5000, 4000, 1);
	bm_stalls_call(&stalls, 70);
	bm_stalls_call(&stalls, 60);
	bm_stalls_report(&stalls, &report);
	ck_assert_uint_eq(report.windows, 3);
	ck_assert_uint_eq(report.ns_window, 6900);
	ck_assert_uint_eq(report.ns_copy, 4300);
	ck_assert_uint_eq(report.ns_window_max, 5000);
	ck_assert_uint_eq(report.windows_late, 1);
	ck_assert_uint_eq(report.windows_preempted, 2);
	ck_assert_uint_eq(report.ns_call_max, 70);
	ck_assert_uint_ge(report.ns_window_p999, 5000);
	ck_assert_uint_le(report.ns_window_p50, 1100);
}
END_TEST

static const TTest *const *const tests[] = {
	&allowance_keeps_its_rate,      &allowance_of_who_comes_late,
	&allowance_without_a_limit,     &held_until_let_go,
	&held_while_it_waits_for_bytes, &cancelled_while_it_waits_for_bytes,
	&two_rates_both_hold,           &quantiles,
	&late_windows_are_counted,      NULL};
const struct report_group pace_group = {"pace", tests};

/* SPDX-License-Identifier: MIT */
/* stalls.c - sums, the longest, and a histogram. */
#include "stalls.h"

static void add(atomic_uint_fast64_t *sum, uint64_t more)
{
	atomic_fetch_add_explicit(sum, more, memory_order_relaxed);
}

static void at_least(atomic_uint_fast64_t *longest, uint64_t ns)
{
	uint64_t known = atomic_load_explicit(longest, memory_order_relaxed);

	while (ns > known && !atomic_compare_exchange_weak(longest, &known, ns))
		continue;
}

void bm_stalls_window(struct bm_stalls *stalls, uint64_t ns, uint64_t copying, int preempted)
{
	add(&stalls->windows, 1);
	add(&stalls->ns, ns);
	add(&stalls->copying, copying);
	at_least(&stalls->longest, ns);
	if (stalls->bound_ns && ns > stalls->bound_ns)
		add(&stalls->late, 1);
	if (preempted)
		add(&stalls->preempted, 1);
	bm_histogram_add(&stalls->histogram, ns);
}

void bm_stalls_call(struct bm_stalls *stalls, uint64_t ns)
{
	at_least(&stalls->longest_call, ns);
}

void bm_stalls_report(const struct bm_stalls *stalls, struct bm_report *report)
{
	report->ns_call_max = atomic_load(&stalls->longest_call);
	report->windows = atomic_load(&stalls->windows);
	if (report->windows == 0)
		return;
	report->ns_window = atomic_load(&stalls->ns);
	report->ns_copy = atomic_load(&stalls->copying);
	report->ns_window_max = atomic_load(&stalls->longest);
	report->windows_late = atomic_load(&stalls->late);
	report->windows_preempted = atomic_load(&stalls->preempted);
	report->ns_window_p50 = bm_histogram_quantile(&stalls->histogram, 500000);
	report->ns_window_p99 = bm_histogram_quantile(&stalls->histogram, 990000);
	report->ns_window_p999 = bm_histogram_quantile(&stalls->histogram, 999000);
}

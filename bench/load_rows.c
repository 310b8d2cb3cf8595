/* SPDX-License-Identifier: MIT */
/*
 * load_rows.c - what the rounds of a trial came to, as rows of the table "load".
 *
 * What cannot be told of a round, such as a quantile of too few accesses, is NaN
 * and left out; a row that lacks some rounds says so.
 */
#include <math.h>
#include <stdlib.h>

#include "load.h"
#include "results.h"

enum metric {
	ACCESSES,
	ACCESS_P50,
	ACCESS_MAX = ACCESS_P50 + 5,
	TOUCH_CPU,
	MIGRATED,
	LIBRARY_CPU,
	LIBRARY_CPU_NS,
	LEFT,
	SWAPPED,
	WAITED,
	WAITED_P50,
	WAITED_MAX = WAITED_P50 + 5,
	OVER,
	SCHED_P50,
	SCHED_MAX = SCHED_P50 + 5,
	NO_FAULT,
	NO_FAULT_MAX,
	PAUSES_100,
	PAUSES_1000,
	WINDOWS,
	WINDOW_P50,
	WINDOW_P99,
	WINDOW_P999,
	WINDOW_MAX,
	LATE,
	PREEMPTED,
	CALL_MAX,
	HUGE_SHARE,
	METRICS
};

static const struct {
	const char *name, *unit;
	enum better better;
} metrics[METRICS] = {
	[ACCESSES] = {"accesses", "M/s", MORE_IS_BETTER},
	[ACCESS_P50] = {"access_p50", "us", LESS_IS_BETTER},
	[ACCESS_P50 + 1] = {"access_p90", "us", LESS_IS_BETTER},
	[ACCESS_P50 + 2] = {"access_p99", "us", LESS_IS_BETTER},
	[ACCESS_P50 + 3] = {"access_p999", "us", LESS_IS_BETTER},
	[ACCESS_P50 + 4] = {"access_p9999", "us", LESS_IS_BETTER},
	[ACCESS_MAX] = {"access_max", "us", LESS_IS_BETTER},
	[TOUCH_CPU] = {"touch_cpu", "CPUs", NEITHER},
	[MIGRATED] = {"migrated", "GB/s", MORE_IS_BETTER},
	[LIBRARY_CPU] = {"library_cpu", "CPUs", LESS_IS_BETTER},
	[LIBRARY_CPU_NS] = {"library_cpu_ns", "ns/4 KiB", LESS_IS_BETTER},
	[LEFT] = {"left_share", "", LESS_IS_BETTER},
	[SWAPPED] = {"swapped_share", "", NEITHER},
	[WAITED] = {"waited", "1/s", NEITHER},
	[WAITED_P50] = {"waited_p50", "us", LESS_IS_BETTER},
	[WAITED_P50 + 1] = {"waited_p90", "us", LESS_IS_BETTER},
	[WAITED_P50 + 2] = {"waited_p99", "us", LESS_IS_BETTER},
	[WAITED_P50 + 3] = {"waited_p999", "us", LESS_IS_BETTER},
	[WAITED_P50 + 4] = {"waited_p9999", "us", LESS_IS_BETTER},
	[WAITED_MAX] = {"waited_max", "us", LESS_IS_BETTER},
	[OVER] = {"over", "1/s", LESS_IS_BETTER},
	[SCHED_P50] = {"waited_sched_p50", "us", NEITHER},
	[SCHED_P50 + 1] = {"waited_sched_p90", "us", NEITHER},
	[SCHED_P50 + 2] = {"waited_sched_p99", "us", NEITHER},
	[SCHED_P50 + 3] = {"waited_sched_p999", "us", NEITHER},
	[SCHED_P50 + 4] = {"waited_sched_p9999", "us", NEITHER},
	[SCHED_MAX] = {"waited_sched_max", "us", NEITHER},
	[NO_FAULT] = {"no_fault", "1/s", NEITHER},
	[NO_FAULT_MAX] = {"no_fault_max", "us", NEITHER},
	[PAUSES_100] = {"pauses_100", "1/s", NEITHER},
	[PAUSES_1000] = {"pauses_1000", "1/s", NEITHER},
	[WINDOWS] = {"windows", "1/s", NEITHER},
	[WINDOW_P50] = {"window_p50", "us", NEITHER},
	[WINDOW_P99] = {"window_p99", "us", LESS_IS_BETTER},
	[WINDOW_P999] = {"window_p999", "us", LESS_IS_BETTER},
	[WINDOW_MAX] = {"window_max", "us", LESS_IS_BETTER},
	[LATE] = {"late", "1/s", LESS_IS_BETTER},
	[PREEMPTED] = {"preempted", "1/s", NEITHER},
	[CALL_MAX] = {"call_max", "us", LESS_IS_BETTER},
	[HUGE_SHARE] = {"huge_share", "", NEITHER},
};

void trial_new(struct trial *trial, const struct load *load)
{
	size_t count = (size_t)METRICS * (size_t)load->setup.rounds;

	trial->delay_told = 1;
	trial->values = malloc(count * sizeof(*trial->values));
	if (!trial->values)
		die("memory for the values");
	for (size_t i = 0; i < count; i++)
		trial->values[i] = nan("");
}

/* ---------------------------------------------------------------- one round */

/* Where the values of a round go, and how long it was. */
struct round {
	double *values; /* of the first metric */
	int rounds;
	double ns;
};

static void put(const struct round *round, int metric, double value)
{
	round->values[metric * round->rounds] = value;
}

static void put_rate(const struct round *round, int metric, uint64_t count)
{
	put(round, metric, (double)count / round->ns * 1e9);
}

static void put_us(const struct round *round, int metric, uint64_t ns)
{
	put(round, metric, (double)ns / 1000);
}

/* Of what takes @from nanoseconds or more. One in 1000 says nothing about fewer than 1000. */
static void put_quantiles(const struct round *round, int first, const struct histogram *histogram,
			  uint64_t from)
{
	static const double rarer[] = {2, 10, 100, 1000, 10000};
	uint64_t count = histogram_count(histogram, from);

	for (int i = 0; i < 5; i++)
		if ((double)count >= rarer[i])
			put(round, first + i,
			    histogram_quantile_us(histogram, from, 1 - 1 / rarer[i]));
	if (count)
		put_us(round, first + 5, histogram->longest);
}

static void take_touches(const struct round *round, const struct touches *touches, uint64_t slow_ns,
			 int bound)
{
	const struct histogram *other = touches->other;

	put(round, ACCESSES, (double)touches->accesses / round->ns * 1e3);
	put_quantiles(round, ACCESS_P50, touches->all, 0);
	put_rate(round, WAITED, histogram_count(touches->net, slow_ns));
	put_quantiles(round, WAITED_P50, touches->net, slow_ns);
	put_quantiles(round, SCHED_P50, touches->waited, slow_ns);
	if (bound)
		put_rate(round, OVER, touches->over);
	put_rate(round, NO_FAULT, histogram_count(other, 0));
	if (other->longest)
		put_us(round, NO_FAULT_MAX, other->longest);
	put_rate(round, PAUSES_100, histogram_count(other, 100000));
	put_rate(round, PAUSES_1000, histogram_count(other, 1000000));
}

static void take_windows(const struct round *round, const struct bm_stats *stats, int bound)
{
	put_rate(round, WINDOWS, stats->windows);
	put_us(round, WINDOW_P50, stats->ns_window_p50);
	put_us(round, WINDOW_P99, stats->ns_window_p99);
	put_us(round, WINDOW_P999, stats->ns_window_p999);
	put_us(round, WINDOW_MAX, stats->ns_window_max);
	if (!bound)
		return;
	put_rate(round, LATE, stats->windows_late);
	put_rate(round, PREEMPTED, stats->windows_preempted);
}

static void take_stats(const struct round *round, const struct bm_stats *stats,
		       double library_cpu_ns)
{
	double moved = (double)stats->bytes_moved, pages = (double)stats->tally.pages;

	put(round, MIGRATED, moved / round->ns);
	if (pages > 0)
		put(round, LEFT, (double)stats->reasons[BM_REASON_BOUND] / pages);
	if (stats->ns_call_max)
		put_us(round, CALL_MAX, stats->ns_call_max);
	if (!stats->bytes_moved)
		return;
	put(round, SWAPPED, (double)stats->bytes_swapped / moved);
	put(round, LIBRARY_CPU_NS, library_cpu_ns / (moved / 4096));
}

void trial_take(struct trial *trial, const struct load *load, int round,
		const struct observed *observed)
{
	const struct round of = {
		.values = trial->values + round, .rounds = load->setup.rounds, .ns = observed->ns};
	const struct bm_stats *stats = &observed->stats;

	trial->delay_told &= observed->touches.delay_told;
	take_touches(&of, &observed->touches, load->slow_ns, trial->bound_us > 0);
	put(&of, TOUCH_CPU, observed->touch_cpu_ns / observed->ns);
	put(&of, LIBRARY_CPU, observed->library_cpu_ns / observed->ns);
	if (trial->mover)
		take_stats(&of, stats, observed->library_cpu_ns);
	if (stats->windows)
		take_windows(&of, stats, trial->bound_us > 0);
	if (trial->huge && observed->huge_share >= 0)
		put(&of, HUGE_SHARE, observed->huge_share);
}

/* --------------------------------------------------------------- all rounds */

static void add_keys(json_t *row, const struct trial *trial, const struct load *load)
{
	row_key(row, "pages", "%s",
		pages_text(&load->setup, trial->huge ? FRAMES_HUGE : FRAMES_IN_ORDER));
	row_key(row, "mover", "%s", trial->mover ? trial->mover : "none");
	if (trial->bound_us)
		row_key(row, "bound_us", "%lld", (long long)trial->bound_us);
	else
		row_key(row, "bound_us", "none");
	if (trial->bound_us && load->wish)
		row_key(row, "bound", "wish");
	row_key(row, "touchers", "%d", load->touchers);
	row_key(row, "threads", "%d", trial->mover ? load->library_threads : 0);
}

/* Where nothing moves, what is taken for the library's is how exact that is. */
static enum better better_of(const struct trial *trial, int metric)
{
	return metric == LIBRARY_CPU && !trial->mover ? NEITHER : metrics[metric].better;
}

/* Nothing moves, and yet threads that only touch had less than a CPU each. */
static int is_crowded(const struct trial *trial, const struct load *load, double touch_cpu)
{
	int most = load->touchers < load->setup.cpus ? load->touchers : load->setup.cpus;

	return !trial->mover && touch_cpu < 0.9 * most;
}

static void add_notes(json_t *row, const struct trial *trial, const struct load *load, int metric)
{
	if (metric == ACCESSES && trial->mover &&
	    load->touchers + load->library_threads > load->setup.cpus)
		row_note(row, "more threads than CPUs: the scheduler takes part");
	if (metric == TOUCH_CPU && is_crowded(trial, load, row_number(row, "median")))
		row_note(row, "other programs have these CPUs, too");
	if (metric == WAITED && !trial->delay_told)
		row_note(row, "without those in which a slice ended: the kernel does not tell how "
			      "long they waited for a CPU");
}

static void add_row(const struct trial *trial, const struct load *load, int metric)
{
	int rounds = load->setup.rounds, told = 0;
	double *values = trial->values + metric * rounds;
	json_t *row;

	for (int i = 0; i < rounds; i++)
		if (!isnan(values[i]))
			values[told++] = values[i];
	if (!told)
		return;
	row = results_row(load->setup.results, "load", metrics[metric].name, metrics[metric].unit,
			  better_of(trial, metric));
	add_keys(row, trial, load);
	row_values(row, values, told);
	add_notes(row, trial, load, metric);
	if (told < rounds)
		row_note(row, "of %d of %d rounds: there was too little in the others", told,
			 rounds);
}

void trial_rows(struct trial *trial, const struct load *load)
{
	for (int i = 0; i < METRICS; i++)
		add_row(trial, load, i);
	free(trial->values);
}

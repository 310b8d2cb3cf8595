/* SPDX-License-Identifier: MIT */
/* swap_contest.c - rounds in which all entrants alternate, and what comes of them. */
#include "histogram.h"
#include "swap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARM_UP 2

/* ------------------------------------------------------------------ stage */

void stage_open(struct stage *stage, const struct setup *setup, enum frames frames)
{
	size_t count = (setup->mb << 20) / setup->page_size;

	memset(stage, 0, sizeof(*stage));
	stage->setup = setup;
	stage->frames = frames;
	stage->threads = 1;
	region_new(&stage->live, setup, frames, setup->near);
	region_new(&stage->other, setup, frames, setup->far);
	stage->pages = malloc(count * sizeof(*stage->pages));
	stage->nodes[0] = malloc(count * sizeof(*stage->nodes[0]));
	stage->nodes[1] = malloc(count * sizeof(*stage->nodes[1]));
	stage->status = malloc(count * sizeof(*stage->status));
	if (!stage->pages || !stage->nodes[0] || !stage->nodes[1] || !stage->status)
		die("memory for the entries");
	stage_entries(stage, 1, setup->page_size, count);
}

void stage_close(struct stage *stage)
{
	free(stage->status);
	free(stage->nodes[1]);
	free(stage->nodes[0]);
	free(stage->pages);
	region_free(&stage->other);
	region_free(&stage->live);
}

void stage_entries(struct stage *stage, size_t stride, size_t unit, size_t count)
{
	const struct setup *setup = stage->setup;
	size_t step = stride * setup->page_size;

	stage->stride = stride;
	stage->unit = unit;
	stage->count = count;
	stage->repeats = 1;
	for (size_t i = 0; i * step < stage->live.length; i++) {
		stage->pages[i] = stage->live.start + i * step;
		stage->nodes[0][i] = setup->near;
		stage->nodes[1][i] = setup->far;
	}
}

size_t stage_bytes(const struct stage *stage)
{
	return stage->count * stage->unit * stage->repeats * (stage->setup->two_nodes ? 2 : 1);
}

void stage_check(const struct stage *stage, const char *name, int copied)
{
	size_t wrong = region_wrong(&stage->live, 1, stage->live.page_size);

	if (wrong) {
		fprintf(stderr, "%s: %zu words of the pages that moved are wrong\n", name, wrong);
		exit(1);
	}
	wrong = copied ? region_wrong(&stage->other, stage->stride, stage->unit) : 0;
	if (wrong) {
		fprintf(stderr, "%s: %zu words of the copies are wrong\n", name, wrong);
		exit(1);
	}
}

/* ---------------------------------------------------------------- results */

static int ascending(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double median_of(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), ascending);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

void result_numbers(struct result *result, double *values, int count)
{
	result->median = median_of(values, count);
	result->min = values[0];
	result->max = values[count - 1];
	result->best = result->less_is_better ? result->min : result->max;
}

void result_extra(struct result *result, const char *name, double value)
{
	if (result->extra_count < EXTRAS_MAX)
		result->extras[result->extra_count++] = (struct extra){name, value};
}

static double share_of(uint64_t some, uint64_t all)
{
	return all ? (double)some / (double)all : 0;
}

static void note_reasons(struct result *result, const struct mover *mover)
{
	size_t used = strlen(result->note);

	for (int i = BM_REASON_ABSENT; i < BM_REASON_COUNT; i++) {
		if (!mover->reasons[i] || used + 1 >= sizeof(result->note))
			continue;
		snprintf(result->note + used, sizeof(result->note) - used, "%s%s: %.3g %%",
			 used ? ", " : "", bm_reason_name(i),
			 100 * share_of(mover->reasons[i], mover->entries));
		used = strlen(result->note);
	}
}

/* Where an entry stands for a huge page, bytes_swapped may count what the entry names only. */
void result_mover(struct result *result, const struct mover *mover, const struct stage *stage)
{
	uint64_t populated = mover_populated(mover) - mover->populated;
	double swapped = share_of(mover->bytes_swapped, mover->bytes);

	if (stage->unit > stage->setup->page_size && mover->bytes_swapped)
		swapped = share_of(mover->entries_as_asked, mover->entries);
	result_extra(result, "swapped_share", swapped);
	result_extra(result, "threads_used", mover->threads);
	if (mover->windows)
		result_extra(result, "window_us",
			     (double)mover->ns_window / (double)mover->windows / 1000);
	if (mover->ns_window_max)
		result_extra(result, "window_max_us", (double)mover->ns_window_max / 1000);
	if (populated)
		result_extra(result, "populated_share", share_of(populated, mover->bytes));
	note_reasons(result, mover);
}

/* ---------------------------------------------------------------- contest */

void contest_begin(struct contest *contest, const char *name, struct stage *stage)
{
	memset(contest, 0, sizeof(*contest));
	contest->name = name;
	contest->stage = stage;
	contest->reference = -1;
}

static struct entrant *add(struct contest *contest, const char *name)
{
	struct entrant *entrant = &contest->entrants[contest->count];

	if (contest->count == ENTRANTS_MAX) {
		fprintf(stderr, "%s: more than %d entrants\n", contest->name, ENTRANTS_MAX);
		exit(1);
	}
	contest->count++;
	snprintf(entrant->name, sizeof(entrant->name), "%s", name);
	entrant->stage = contest->stage;
	entrant->ns = malloc((size_t)contest->stage->setup->rounds * sizeof(*entrant->ns));
	if (!entrant->ns)
		die("memory for the times");
	return entrant;
}

struct entrant *contest_copy(struct contest *contest, const char *name, copy_loop *loop)
{
	struct entrant *entrant = add(contest, name);

	if (loop == copy_plain && contest->reference < 0)
		contest->reference = contest->count - 1;
	entrant->run = loop == copy_populate ? run_populate : run_copy;
	entrant->loop = loop;
	return entrant;
}

struct entrant *contest_mover(struct contest *contest, const char *name, struct mover *mover)
{
	struct entrant *entrant = add(contest, name);

	entrant->run = run_mover;
	entrant->mover = mover;
	return entrant;
}

void contest_move_pages(struct contest *contest)
{
	if (contest->stage->setup->two_nodes)
		add(contest, "move_pages")->run = run_move_pages;
}

static double go(struct entrant *entrant)
{
	if (entrant->quiesce)
		bm_quiesce();
	return entrant->run(entrant);
}

static void report_entrant(const struct contest *contest, const struct entrant *entrant)
{
	const struct stage *stage = contest->stage;
	const struct setup *setup = stage->setup;
	const double *reference =
		contest->reference < 0 ? NULL : contest->entrants[contest->reference].ns;
	double bytes = (double)stage_bytes(stage), *values;
	struct result result = {.name = contest->name,
				.detail = contest->detail,
				.competitor = entrant->name,
				.threads = stage->threads,
				.less_is_better = setup->instructions,
				.unit = setup->instructions ? "instructions/4 KiB" : "GB/s"};

	values = malloc((size_t)setup->rounds * sizeof(*values));
	if (!values)
		die("memory for the ratios");
	for (int i = 0; reference && i < setup->rounds; i++)
		values[i] = reference[i] / entrant->ns[i];
	if (reference && !setup->instructions)
		result.ratio = median_of(values, setup->rounds);
	for (int i = 0; i < setup->rounds; i++)
		values[i] = setup->instructions ? entrant->ns[i] / (bytes / 4096)
						: bytes / entrant->ns[i];
	result_numbers(&result, values, setup->rounds);
	for (int i = 0; i < setup->rounds; i++)
		values[i] = entrant->ns[i] * (double)stage->unit / bytes;
	if (!setup->instructions)
		result_extra(&result, "ns_entry", median_of(values, setup->rounds));
	for (int i = 0; reference && i < setup->rounds; i++)
		values[i] = (entrant->ns[i] - reference[i]) / (bytes / 4096);
	if (setup->instructions && reference)
		result_extra(&result, "beyond_plain_nt", median_of(values, setup->rounds));
	if (entrant->mover)
		result_mover(&result, entrant->mover, stage);
	for (int i = 0; entrant->mover && i < contest->extra_count; i++)
		result_extra(&result, contest->extras[i].name, contest->extras[i].value);
	if (entrant->histogram)
		histogram_extras(entrant->histogram, &result);
	free(values);
	output_add(setup, &result);
}

/* What the memory is made of, before and after: migrations may change it. */
static void note_frames(struct contest *contest, int after)
{
	const struct stage *stage = contest->stage;
	int huge = stage->frames == FRAMES_HUGE;
	double share = huge ? region_huge_share(&stage->live) : region_adjacent(&stage->live);
	const char *name;

	if (huge)
		name = after ? "huge_share_after" : "huge_share_before";
	else
		name = after ? "adjacent_after" : "adjacent_before";
	if (share >= 0)
		contest->extras[contest->extra_count++] = (struct extra){name, share};
}

void contest_run(struct contest *contest)
{
	int rounds = contest->stage->setup->rounds;

	note_frames(contest, 0);
	for (int i = 0; i < contest->count * WARM_UP; i++)
		go(&contest->entrants[i % contest->count]);
	for (int i = 0; i < contest->count; i++) {
		if (contest->entrants[i].mover)
			mover_reset(contest->entrants[i].mover);
		if (contest->entrants[i].histogram)
			histogram_clear(contest->entrants[i].histogram);
	}
	for (int round = 0; round < rounds; round++)
		for (int i = 0; i < contest->count; i++) {
			/* Nobody is always first, or always behind the same one. */
			int turn = (round + (round % 2 ? contest->count - i : i)) % contest->count;

			contest->entrants[turn].ns[round] = go(&contest->entrants[turn]);
		}
	note_frames(contest, 1);
	for (int i = 0; i < contest->count; i++)
		report_entrant(contest, &contest->entrants[i]);
	stage_check(contest->stage, contest->name, contest->reference >= 0);
	for (int i = 0; i < contest->count; i++)
		free(contest->entrants[i].ns);
}

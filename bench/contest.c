/* SPDX-License-Identifier: MIT */
/* contest.c - rounds in which all entrants alternate, and what comes of them. */
#include "contest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interrupts.h"
#include "kernel_calls.h"
#include "results.h"

#define WARM_UP 2

void contest_begin(struct contest *contest, const char *table, struct stage *stage)
{
	memset(contest, 0, sizeof(*contest));
	contest->table = table;
	contest->stage = stage;
	contest->reference = contest->kernel = -1;
}

void contest_key(struct contest *contest, const char *name, const char *format, ...)
{
	struct key *key = &contest->keys[contest->key_count];
	va_list arguments;

	if (contest->key_count == KEYS_MAX)
		abort();
	contest->key_count++;
	key->name = name;
	va_start(arguments, format);
	vsnprintf(key->value, sizeof(key->value), format, arguments);
	va_end(arguments);
}

static double *rounds_of(const struct contest *contest)
{
	double *values = calloc((size_t)contest->stage->setup->rounds, sizeof(*values));

	if (!values)
		die("memory for the rounds");
	return values;
}

static struct entrant *add(struct contest *contest, const char *name,
			   double (*run)(struct entrant *entrant))
{
	struct entrant *entrant = &contest->entrants[contest->count];

	if (contest->count == ENTRANTS_MAX)
		abort();
	contest->count++;
	snprintf(entrant->name, sizeof(entrant->name), "%s", name);
	entrant->stage = contest->stage;
	entrant->run = run;
	entrant->interrupts = run != run_copy && run != run_populate && run != run_migrate_pages;
	entrant->ns = rounds_of(contest);
	entrant->tlb = rounds_of(contest);
	return entrant;
}

struct entrant *contest_copy(struct contest *contest, const char *name, copy_loop *loop)
{
	struct entrant *entrant =
		add(contest, name, loop == copy_populate ? run_populate : run_copy);

	if (loop == copy_plain)
		contest->reference = contest->count - 1;
	entrant->loop = loop;
	return entrant;
}

struct entrant *contest_mover(struct contest *contest, struct mover *mover)
{
	struct entrant *entrant = add(contest, mover->name, run_mover);

	entrant->mover = mover;
	return entrant;
}

void contest_kernel(struct contest *contest)
{
	const struct stage *stage = contest->stage;

	if (!stage->setup->two_nodes)
		return;
	add(contest, "plain move_pages", run_move_pages);
	contest->kernel = contest->count - 1;
	add(contest, "plain mbind", run_mbind);
	/* It takes a process whole, by one thread: beside others it would be another contest. */
	if (stage->threads == 1 && stage->run >= stage->count && stage->repeats == 1)
		add(contest, "migrate_pages", run_migrate_pages);
}

/* ------------------------------------------------------------------- rows */

/* A row of @entrant; the first one of it has the keys, the others take them over. */
struct rows {
	const struct contest *contest;
	const struct entrant *entrant;
	json_t *first;
	double *values;
};

static json_t *row(struct rows *rows, const char *metric, const char *unit, enum better better)
{
	const struct contest *contest = rows->contest;
	struct results *results = contest->stage->setup->results;
	json_t *row;

	if (rows->first)
		return results_again(results, rows->first, metric, unit, better);
	row = rows->first = results_row(results, contest->table, metric, unit, better);
	for (int i = 0; i < contest->key_count; i++)
		row_key(row, contest->keys[i].name, "%s", contest->keys[i].value);
	row_key(row, "mover", "%s", rows->entrant->name);
	row_key(row, "threads", "%d", contest->stage->threads);
	return row;
}

/* A number that is not of single rounds. */
static void fact(struct rows *rows, const char *metric, const char *unit, double value)
{
	row_values(row(rows, metric, unit, NEITHER), &value, 1);
}

static void add_ratio(struct rows *rows, const char *metric, int to)
{
	int count = rows->contest->stage->setup->rounds;

	if (to < 0 || rows->entrant == &rows->contest->entrants[to])
		return;
	for (int i = 0; i < count; i++)
		rows->values[i] = rows->contest->entrants[to].ns[i] / rows->entrant->ns[i];
	row_values(row(rows, metric, "x", MORE_IS_BETTER), rows->values, count);
}

static void add_instructions(struct rows *rows)
{
	const struct contest *contest = rows->contest;
	int count = contest->stage->setup->rounds;
	double pages = (double)stage_bytes(contest->stage) / 4096;

	for (int i = 0; i < count; i++)
		rows->values[i] = rows->entrant->ns[i] / pages;
	row_values(row(rows, "instructions", "instructions/4 KiB", LESS_IS_BETTER), rows->values,
		   count);
	if (contest->reference < 0)
		return;
	for (int i = 0; i < count; i++)
		rows->values[i] =
			(rows->entrant->ns[i] - contest->entrants[contest->reference].ns[i]) /
			pages;
	row_values(row(rows, "beyond_plain_nt", "instructions/4 KiB", LESS_IS_BETTER), rows->values,
		   count);
}

static void add_times(struct rows *rows)
{
	const struct contest *contest = rows->contest;
	const struct stage *stage = contest->stage;
	int count = stage->setup->rounds;
	double bytes = (double)stage_bytes(stage);
	double calls = (double)stage->repeats * (stage->setup->two_nodes ? 2 : 1);

	for (int i = 0; i < count; i++)
		rows->values[i] = bytes / rows->entrant->ns[i];
	row_values(row(rows, "throughput", "GB/s", MORE_IS_BETTER), rows->values, count);
	for (int i = 0; i < count; i++)
		rows->values[i] = rows->entrant->ns[i] / calls / 1000;
	row_values(row(rows, "call", "us", LESS_IS_BETTER), rows->values, count);
	add_ratio(rows, "to_plain_nt", contest->reference);
}

static void add_interrupts(struct rows *rows)
{
	int count = rows->contest->stage->setup->rounds;
	double units = (double)stage_bytes(rows->contest->stage) / (2 << 20);

	if (rows->entrant->tlb[0] < 0 || !rows->entrant->interrupts || rows->entrant->quiesce)
		return;
	for (int i = 0; i < count; i++)
		rows->values[i] = rows->entrant->tlb[i] / units;
	row_values(row(rows, "tlb_interrupts", "/2 MiB", LESS_IS_BETTER), rows->values, count);
}

static void note_reasons(struct rows *rows, const struct mover *mover)
{
	char text[200];

	if (mover_reasons(mover, text, sizeof(text)))
		row_note(rows->first, "%s", text);
}

/* Migrations change what memory is made of: what swap puts in place was in its pool. */
static double order_of(const struct stage *stage)
{
	return stage->frames == FRAMES_HUGE ? region_huge_share(&stage->live)
					    : region_adjacent(&stage->live);
}

static void add_order(struct rows *rows)
{
	const struct contest *contest = rows->contest;
	int huge = contest->stage->frames == FRAMES_HUGE;

	if (contest->order[0] < 0)
		return;
	fact(rows, huge ? "huge_before" : "adjacent_before", "", contest->order[0]);
	fact(rows, huge ? "huge_after" : "adjacent_after", "", contest->order[1]);
}

/* Nobody is fast because pages stay. */
static void add_left(struct rows *rows)
{
	const struct entrant *entrant = rows->entrant;
	const struct stage *stage = rows->contest->stage;
	double share = (double)entrant->left /
		       (double)(stage->count * stage->repeats * 2 * (size_t)stage->setup->rounds);

	if (entrant->mover)
		share = mover_left_share(entrant->mover);
	if (share > 0)
		fact(rows, "left_share", "", share);
}

static void add_mover(struct rows *rows)
{
	const struct mover *mover = rows->entrant->mover;
	const struct stage *stage = rows->contest->stage;
	uint64_t populated = mover_populated(mover) - mover->populated;

	fact(rows, "swapped_share", "", mover_swapped_share(mover, stage->frames == FRAMES_HUGE));
	if (mover->bytes_offloaded)
		fact(rows, "offloaded_share", "",
		     (double)mover->bytes_offloaded / (double)mover->bytes);
	fact(rows, "threads_used", "", mover->threads);
	if (mover->windows && !stage->setup->instructions)
		fact(rows, "window", "us",
		     (double)mover->ns_window / (double)mover->windows / 1000);
	if (populated)
		fact(rows, "populated_share", "", (double)populated / (double)mover->bytes);
	add_order(rows);
	note_reasons(rows, mover);
}

static void report(const struct contest *contest, const struct entrant *entrant)
{
	struct rows rows = {.contest = contest, .entrant = entrant, .values = rounds_of(contest)};

	if (contest->stage->setup->instructions)
		add_instructions(&rows);
	else
		add_times(&rows);
	add_ratio(&rows, "to_move_pages", contest->kernel);
	add_interrupts(&rows);
	add_left(&rows);
	if (entrant->mover)
		add_mover(&rows);
	free(rows.values);
}

/* ----------------------------------------------------------------- rounds */

static void timed(struct entrant *entrant, int round)
{
	double before = bench_tlb_interrupts();

	entrant->ns[round] = entrant->run(entrant);
	entrant->tlb[round] = before < 0 ? -1 : bench_tlb_interrupts() - before;
}

/* Each copy alone: the next one would mend what one has left out. */
static void try_copy(const struct contest *contest, struct entrant *entrant)
{
	stage_wipe_copies(contest->stage);
	entrant->run(entrant);
	if (!stage_copies_wrong(contest->stage))
		return;
	fprintf(stderr, "%s: the copies of %s are not what was copied\n", contest->table,
		entrant->name);
	exit(1);
}

static void warm_up(struct contest *contest)
{
	for (int i = 0; i < contest->count * WARM_UP; i++) {
		struct entrant *entrant = &contest->entrants[i % contest->count];

		if (entrant->loop && i < contest->count)
			try_copy(contest, entrant);
		else
			entrant->run(entrant);
	}
	for (int i = 0; i < contest->count; i++) {
		contest->entrants[i].left = 0;
		if (contest->entrants[i].mover)
			mover_reset(contest->entrants[i].mover);
	}
}

void contest_run(struct contest *contest)
{
	int rounds = contest->stage->setup->rounds;

	contest->order[0] = order_of(contest->stage);
	warm_up(contest);
	for (int round = 0; round < rounds; round++)
		for (int i = 0; i < contest->count; i++) {
			/* Nobody is always first, or always behind the same one. */
			int turn = (round + (round % 2 ? contest->count - i : i)) % contest->count;

			timed(&contest->entrants[turn], round);
		}
	contest->order[1] = order_of(contest->stage);
	for (int i = 0; i < contest->count; i++)
		report(contest, &contest->entrants[i]);
	region_check(&contest->stage->live, contest->table);
	for (int i = 0; i < contest->count; i++) {
		free(contest->entrants[i].ns);
		free(contest->entrants[i].tlb);
	}
	results_show(contest->stage->setup->results);
}

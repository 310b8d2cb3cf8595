/* SPDX-License-Identifier: MIT */
/* results.c - from what became of a unit to what the caller is told of its pages. */
#include "results.h"

#include <errno.h>

#include "classify.h"
#include "error.h"
#include "least.h"
#include "locate.h"
#include "parts.h"

/* What is said of a unit whose last known status is this. */
static int status_of(const struct bm_unit *unit, int status, int asked)
{
	/* An entry that was overruled is told where the page is. */
	if (asked != unit->node && status >= 0)
		return status;
	/* The kernel says nothing of what is broken but that it is not there. */
	if (unit->left == BM_REASON_POISONED && (status == -ENOENT || status == -EFAULT))
		return -EHWPOISON;
	/* Somewhere, but not where it should be: then why it could not move. */
	if (status >= 0 && status != unit->node && unit->error && unit->state == BM_UNIT_LEFT)
		return unit->error;
	return status;
}

/* 1 when the page was where this entry wants it before anything moved. */
static int was_there(const struct bm_unit *unit, int asked)
{
	if (unit->state == BM_UNIT_ALREADY)
		return 1;
	/* Not moved by us: it has come by itself, or stayed where an overruled entry wants it. */
	return unit->state != BM_UNIT_MOVED && asked != unit->node;
}

static enum bm_reason reason_of(const struct bm_unit *unit, int status, int asked)
{
	if (status >= 0 && status == asked) {
		if (unit->reason == BM_REASON_NO_BIND)
			return BM_REASON_NO_BIND;
		if (unit->left)
			return unit->left;
		return was_there(unit, asked) ? BM_REASON_ALREADY : BM_REASON_NONE;
	}
	if ((asked != unit->node || unit->contested) && status >= 0)
		return BM_REASON_CONTRADICTED;
	if (status >= 0)
		return BM_REASON_MOVED_AWAY;
	return status == unit->error ? unit->reason : bm_reason_of(status);
}

static void count(struct bm_job *job, const struct bm_unit *unit, int status, int asked,
		  enum bm_reason reason)
{
	struct bm_tally *tally = &job->report.tally;

	job->report.reasons[reason]++;
	tally->retried += unit->tried > 1;
	if (status == asked && status >= 0) {
		tally->pages++;
		if (was_there(unit, asked))
			tally->already++;
		else
			tally->moved++;
		return;
	}
	job->misplaced++;
	bm_tally_fail(tally, status < 0 ? -status : 0, 1);
}

static void write_item(struct bm_job *job, const struct bm_unit *unit, const struct bm_item *item,
		       int kernel_status)
{
	int asked = job->nodes[item->index];
	int status = status_of(unit, kernel_status, asked);
	enum bm_reason reason = reason_of(unit, status, asked);

	job->status[item->index] = status;
	if (job->reasons) {
		job->reasons[item->index] = (unsigned char)reason;
		if (job->tell_there && unit->state == BM_UNIT_ALREADY)
			job->reasons[item->index] |= BM_WAS_THERE;
	}
	count(job, unit, status, asked, reason);
}

/* The page that stands for a huge page has been unmapped or removed, maybe not the others. */
static int is_headless(const struct bm_unit *unit)
{
	int told = unit->error ? unit->error : unit->status;

	return told == -ENOENT || told == -EFAULT;
}

/* Entries of a huge page that was split on its way: ask about each. */
static void write_parts(struct bm_job *job, const struct bm_unit *unit, size_t first, size_t count)
{
	struct bm_scratch *scratch = &job->scratch[0];
	struct bm_unit left = *unit;
	long rc;

	left.state = BM_UNIT_LEFT;
	left.error = is_headless(unit) ? -EBUSY : -ENOMEM;
	left.reason = is_headless(unit) ? BM_REASON_CHANGED : BM_REASON_TARGET_FULL;
	for (size_t i = 0; i < count; i++)
		scratch->pages[i] = (void *)(uintptr_t)job->items[first + i].addr;
	rc = bm_locate_pages(job, scratch, count);
	for (size_t i = 0; i < count; i++) {
		const struct bm_item *item = &job->items[first + i];
		int status = rc < 0 ? (int)rc : scratch->status[i];

		/* The kernel splits a huge page when the target has no other one. */
		if (status >= 0 && status != unit->node && (!unit->error || is_headless(unit)))
			write_item(job, &left, item, status);
		else
			write_item(job, unit, item, status);
	}
}

/* 1 when all of what was moved as one huge page is still one, and in one place. */
static int is_whole(struct bm_job *job, const struct bm_unit *unit)
{
	struct bm_scratch *scratch = &job->scratch[0];

	if (unit->state == BM_UNIT_ALREADY && unit->left != BM_REASON_POISONED)
		return 1;
	if (!bm_classify_is_huge(job, unit->addr))
		return 0;
	if (unit->items == 1)
		return 1;
	/* hugetlb pages may be smaller than those of a PMD (arm64). */
	scratch->pages[0] = (void *)(uintptr_t)job->items[unit->first + unit->items - 1].addr;
	return bm_locate_pages(job, scratch, 1) < 0 || scratch->status[0] == unit->status;
}

/*
 * The usual cases: one entry, one page, moved at once, or there already, or
 * nothing there. Returns 0 when it is another one.
 */
static int write_usual(const struct bm_job *job, const struct bm_unit *unit, uint64_t *usual,
		       uint64_t *swapped)
{
	enum bm_reason reason;
	size_t index;

	if (unit->items != 1 || unit->huge || unit->tried > 1 || unit->left)
		return 0;
	if (unit->error) {
		if (unit->state != BM_UNIT_LEFT || unit->status != unit->error)
			return 0;
	} else if (unit->reason) {
		return 0;
	}
	if (unit->status == -ENOENT)
		reason = BM_REASON_ABSENT;
	else if (unit->status == -EFAULT)
		reason = BM_REASON_UNMAPPED;
	else if (unit->state == BM_UNIT_MOVED && unit->status == unit->node)
		reason = BM_REASON_NONE;
	else if (unit->state == BM_UNIT_ALREADY && unit->status == unit->node)
		reason = BM_REASON_ALREADY;
	else
		return 0;
	index = job->items[unit->first].index;
	job->status[index] = unit->status;
	if (job->reasons)
		job->reasons[index] = (unsigned char)reason;
	usual[reason]++;
	*swapped += unit->swapped;
	return 1;
}

static void count_bytes(struct bm_job *job, const struct bm_unit *unit)
{
	uint64_t bytes = unit->huge ? job->context->huge_size : job->context->page_size;

	if (unit->state != BM_UNIT_MOVED || unit->status != unit->node)
		return;
	job->report.bytes_moved += bytes;
	job->report.bytes_swapped += unit->swapped ? bytes : 0;
}

static void count_usual(struct bm_job *job, const uint64_t *usual)
{
	struct bm_report *report = &job->report;
	uint64_t moved = usual[BM_REASON_NONE], already = usual[BM_REASON_ALREADY];

	report->tally.pages += moved + already;
	report->tally.moved += moved;
	report->tally.already += already;
	report->bytes_moved += moved * job->context->page_size;
	bm_tally_fail(&report->tally, ENOENT, usual[BM_REASON_ABSENT]);
	bm_tally_fail(&report->tally, EFAULT, usual[BM_REASON_UNMAPPED]);
	job->misplaced += usual[BM_REASON_ABSENT] + usual[BM_REASON_UNMAPPED];
	for (size_t i = 0; i < BM_REASON_COUNT; i++)
		report->reasons[i] += usual[i];
}

void bm_results_write(struct bm_job *job)
{
	uint64_t usual[BM_REASON_COUNT] = {0}, swapped = 0;

	for (size_t i = 0; i < job->unit_count; i++) {
		const struct bm_unit *unit = &job->units[i];

		if (write_usual(job, unit, usual, &swapped))
			continue;
		count_bytes(job, unit);
		if (unit->huge && !is_whole(job, unit)) {
			if (unit->state == BM_UNIT_MOVED || is_headless(unit))
				bm_parts_move(job, unit);
			for (size_t k = 0; k < unit->items; k += job->room)
				write_parts(job, unit, unit->first + k,
					    bm_least(unit->items - k, job->room));
			continue;
		}
		for (size_t k = unit->first; k < unit->first + unit->items; k++)
			write_item(job, unit, &job->items[k], unit->status);
	}
	count_usual(job, usual);
	job->report.bytes_swapped += swapped * job->context->page_size;
}

void bm_results_cancel(struct bm_job *job, size_t first)
{
	uint64_t count = job->count - first;

	if (count == 0)
		return;
	for (size_t i = first; i < job->count; i++) {
		size_t index = job->items[i].index;

		job->status[index] = -ECANCELED;
		if (job->reasons)
			job->reasons[index] = BM_REASON_CANCELED;
	}
	job->misplaced += count;
	job->report.reasons[BM_REASON_CANCELED] += count;
	bm_tally_fail(&job->report.tally, ECANCELED, count);
	atomic_fetch_add(&job->choice.pace->settled, count);
}

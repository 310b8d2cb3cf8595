/* SPDX-License-Identifier: MIT */
/* migrate.h - a migration and what came of it. */
#ifndef MIGRATE_H
#define MIGRATE_H

#include "maps.h"
#include "progress.h"

struct migration {
	const struct arguments *arguments;
	struct bm_context *context;            /* with the bound and the rate that were asked for */
	int64_t max_stall_us, max_bytes_per_s; /* in force, also by the environment; 0: none */
	int is_wish;                           /* the bound */
	int sees_huge; /* the kernel tells which pages are huge before they move */
	uint64_t page_size, huge_size;
	void **pages;
	int *nodes, *status;
	unsigned char *reasons;
	size_t count;       /* pages waiting */
	uint64_t last_huge; /* address of the huge page named last; 1: the last was none */
	uint64_t found[MAPPING_KINDS]; /* bytes, counted before anything moves */
	uint64_t shared;               /* bytes of them that are mapped more than once */
	uint64_t unknown;              /* bytes on a node that the kernel does not tell */
	uint64_t done;                 /* bytes tried */
	struct bm_tally tally;         /* base pages; retried is not kept */
	uint64_t why[BM_REASON_SLOTS]; /* tally.failed by enum bm_reason */
	uint64_t ns_call_max;          /* the longest kernel call that moved */
	double seconds;
	int stopped; /* by a signal, before all was tried */
	long error;  /* -errno that ended it half way, or 0 */
	struct progress progress;
};

uint64_t migration_found(const struct migration *migration);
uint64_t migration_moved(const struct migration *migration); /* bytes */
/* What a bound or a rate cannot do here; NULL: nothing of note. */
const char *migration_note(const struct migration *migration);
/* Prints the outcome, as JSON where asked; returns the exit status. */
int migration_finish(const struct migration *migration);

#endif

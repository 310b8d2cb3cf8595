/* SPDX-License-Identifier: MIT */
/* faulty.h - a backend that copies, and does one thing wrong when it is told to. */
#ifndef UNIT_FAULTY_H
#define UNIT_FAULTY_H

#include <stdint.h>

#include "backend.h"

struct bm_context;

enum faulty_kind {
	FAULTY_NOT,
	FAULTY_ERROR,   /* says that the copy has failed, having written something else */
	FAULTY_SHORT,   /* stops in the middle, without an error */
	FAULTY_LATE,    /* ends after many questions only */
	FAULTY_SILENT,  /* is never told of again */
	FAULTY_REFUSED, /* takes nothing more from here on */
	FAULTY_TWICE,   /* is told of twice */
	/* The memory breaks: what is copied from, before or after it was; what is copied to. */
	FAULTY_BREAKS,        /* before, and says that the copy has failed */
	FAULTY_BREAKS_SILENT, /* before, and is never told of again */
	FAULTY_BREAKS_AFTER,
	FAULTY_BREAKS_TARGET,
};

#define FAULTY_LATE_MOST 8

struct faulty {
	enum faulty_kind kind;
	size_t at;                         /* of the copies since this was set, from 1 */
	size_t every;                      /* each n-th instead */
	size_t depth;                      /* of the queue, 0 many */
	int shuffle;                       /* completions in another order */
	size_t piece;                      /* longest copy that it takes, 0 any */
	int is_quiet;                      /* what was never told of is over */
	void (*break_page)(uint64_t addr); /* the page with it, in the middle of the copy */

	struct bm_copy late[FAULTY_LATE_MOST]; /* what was never told of */
	size_t silent;                         /* how much of that */

	size_t seen; /* copies */
	int hit;     /* it was done */
};

extern struct faulty faulty;
extern const struct bm_backend faulty_backend;

/* What was never told of is written now, with other bytes: how many copies. */
size_t faulty_write_late(void);
/* What the pool leaves to a silent engine when it ends is no leak: before it does. */
void faulty_keep_held(const struct bm_context *context);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * failing.h - the real system, one call of which fails, and what is held of it.
 *
 * Call number `at` of one kind gives an error without having been made; all
 * others are made. With at 0 none fails.
 */
#ifndef UNIT_FAILING_H
#define UNIT_FAILING_H

#include "fake.h"

enum failing_call {
	FAILING_NONE,
	FAILING_ALLOC, /* alloc and memory */
	FAILING_MAP,
	FAILING_MADVISE,
	FAILING_MLOCK,
	FAILING_THREAD,
	FAILING_OPEN,
	FAILING_READ,
	FAILING_PREAD,
	FAILING_WRITE,
	FAILING_CLOSE, /* it is closed nevertheless */
	FAILING_RENAME,
	FAILING_UFFD,
	FAILING_IOCTL,
	FAILING_MARKER,
	FAILING_KEEP,
	FAILING_QUERY, /* move_pages without targets, also of no page at all */
	FAILING_MOVE,  /* with targets */
	FAILING_EVENT, /* a duplicate of an eventfd */
	FAILING_FUTEX, /* a wait, at once; 0: as if it had been woken */
	FAILING_AFFINITY,
	FAILING_CLOCK, /* goes on by `error` milliseconds, from then on */
};

extern struct bm_sys failing_sys;

/*
 * Threads that run may look meanwhile. Where failing_check() does not follow
 * within a minute, somebody waits for ever: then the process ends and says so.
 */
void failing_arm(enum failing_call call, unsigned long at, int error);
/* That one and all that follow, until it is disarmed. */
void failing_arm_ever(enum failing_call call, unsigned long at, int error);
/* No more from here on: 1 when the call was made since it was armed. */
int failing_disarm(void);
/* What fails, for messages: a static text. */
const char *failing_text(void);

/* What the process has: descriptors, threads, bytes mapped by failing_sys and not unmapped. */
struct failing_held {
	long fds, threads, mapped;
};
struct failing_held failing_held(void);
/* Asserts that nothing is left. Threads that have just ended may take a moment. */
void failing_check(const struct failing_held *before);

#endif

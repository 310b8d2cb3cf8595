/* SPDX-License-Identifier: MIT */
/*
 * events.h - the permanent reader of the userfaultfd.
 *
 * The application's munmap, mremap, madvise and raw clone of a range that is
 * registered wait until their event has been read. The reader writes down in
 * the window what it means, behind the closed gate. Its descriptors are in a
 * table of its own, where the application cannot close them.
 */
#ifndef BM_EVENTS_H
#define BM_EVENTS_H

#include "uffd.h"

/* Starts the reader of a userfaultfd that nobody uses yet: 0 or -errno. */
int bm_events_start(struct bm_uffd *uffd);
/* No window is open and none will be. */
void bm_events_stop(struct bm_uffd *uffd);

/* Waits, shortly, until the reader has taken what was pending. */
void bm_events_pass(struct bm_uffd *uffd, uint32_t seen);

/* Of a window (or NULL): with how many changes of its segments the argument was made. */
struct bm_errand_for {
	const struct bm_window *window;
	uint32_t changes;
};

/*
 * Lets the reader perform an ioctl on the userfaultfd: its result; -EAGAIN
 * when there have been more changes before. Not inside the gate, but their
 * number is read there.
 */
int bm_events_errand(struct bm_uffd *uffd, struct bm_errand_for whom, unsigned long request,
		     void *arg);

#endif

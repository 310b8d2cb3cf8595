/* SPDX-License-Identifier: MIT */
/*
 * uffd.h - the process's one userfaultfd, and what belongs to it.
 *
 * There is one for the process, because a range can be registered with one
 * only, and because the pool must be registered with the one that the pages
 * are taken out with. All of it lives in memory of its own that the kernel does
 * not let swap move (it is shared) and that a child does not get.
 */
#ifndef BM_UFFD_H
#define BM_UFFD_H

#include <pthread.h>

#include "gate.h"
#include "log.h"
#include "segments.h"

#define BM_CLAIMS_MAX  2048u
#define BM_WINDOWS_MAX 96u

enum bm_claim_kind { BM_CLAIM_FREE, BM_CLAIM_WINDOW, BM_CLAIM_OWN };

/* A range that is out of reach, or that must never be. */
struct bm_claim {
	_Atomic uint64_t start, end;
	_Atomic uint32_t kind;
};

/*
 * A chunk that is out of reach. Written by its owner inside the gate and by
 * the reader behind the closed gate.
 */
struct bm_window {
	_Atomic uint32_t open;
	uint32_t taken; /* by a thread, under the lock of claims */
	uint64_t start, end;
	uint64_t grave; /* where page 0 lies in the graveyard */
	uint32_t pages;
	int lease;
	uint32_t waited; /* somebody has touched it since it was opened */
	struct bm_segments segments;
	uint64_t staging; /* where the pages are copied to */
	uint32_t direct;  /* nowhere: the kernel copies from the graveyard into place */
	/* Sets of pages. */
	uint64_t *away;    /* taken out and not put back yet */
	uint64_t *present; /* in the graveyard, with contents of their own */
	uint64_t *copied;  /* the staging has the same contents */
	uint64_t *staged;  /* put back as the new page, from the staging */
	uint64_t *back;    /* put back as the old page, from the graveyard */
	uint16_t *place;   /* page of the staging for each page; NULL: the same number */
};
#define BM_WINDOW_SETS 5u

/* An ioctl that the reader performs with a descriptor that nobody else can close. */
struct bm_errand {
	bm_futex latch; /* one at a time */
	bm_futex state;
	int result;
	unsigned long request;
	void *arg;
	const struct bm_window *window; /* not when its segments have changed since */
	uint32_t changes;
};

/* What the application has asked to be removed, and may not have done yet. */
struct bm_removal {
	uint64_t start, end, ns;
};
#define BM_REMOVALS   32u
#define BM_REMOVAL_NS UINT64_C(100000000)

/* A registered range. */
struct bm_lease {
	uint32_t taken;
	uint64_t start, end;
};

struct bm_uffd {
	const struct bm_sys *sys;
	uint64_t serial; /* another one for each userfaultfd of the process */
	int fd;
	int maps;           /* /proc/self/maps, -errno; the application may close it, too */
	int reader_fd;      /* the same in the reader's own table */
	int reader_pagemap; /* likewise; -1: a raw clone(2) of the parent is not served */
	int user_mode_only;
	int sees_forks;
	uint64_t page_size, huge_size;
	struct bm_gate gate;
	bm_futex progress; /* counts what the reader has done */
	bm_futex released; /* counts windows that have closed */
	_Atomic uint32_t waiting;
	uint64_t doorbell; /* a page whose MADV_DONTNEED wakes the reader */
	struct bm_errand errand;
	_Atomic int ending;
	pthread_t reader;
	pthread_mutex_t lock;         /* of claims; never taken while a window is open */
	_Atomic uint32_t claim_count; /* those below may be in use */
	struct bm_claim claims[BM_CLAIMS_MAX];
	struct bm_window windows[BM_WINDOWS_MAX];
	struct bm_removal removals[BM_REMOVALS]; /* a ring, of the reader */
	uint32_t removal;
	bm_futex lease_latch;
	struct bm_lease leases[BM_WINDOWS_MAX];
};

/* What must be gone before the userfaultfd can be closed: a pool. */
struct bm_uffd_user {
	void (*empty)(struct bm_uffd_user *user);
	struct bm_uffd_user *next, *previous;
};

struct bm_uffd_wish {
	const struct bm_sys *sys;
	uint64_t page_size, huge_size;
	int strict; /* one that does not serve system calls will do */
};

/*
 * Between enter and leave no fork and no bm_quiesce() takes place, and all
 * signals are blocked: for the time of one chunk. Gives the userfaultfd, made
 * at first use. 0; -EPERM no privilege; -ENOSYS a kernel without what is
 * needed; -EOPNOTSUPP one without UFFDIO_MOVE; or another -errno.
 */
int bm_uffd_enter(const struct bm_uffd_wish *wish, struct bm_uffd **uffd, uint64_t *signals);
/* The same for the one there is; NULL: there is none, and nothing is to be left. */
struct bm_uffd *bm_uffd_visit(const struct bm_sys *sys, uint64_t *signals);
void bm_uffd_leave(const struct bm_sys *sys, const uint64_t *signals);

/*
 * Keeps it from being closed, also while a fork takes place: for the end of
 * claims and what pools are given back, not for windows. NULL: there is none,
 * and nothing is to be let go.
 */
struct bm_uffd *bm_uffd_hold(const struct bm_sys *sys, uint64_t *signals);
void bm_uffd_let_go(const struct bm_sys *sys, const uint64_t *signals);

/* Both not between enter and leave; the second empties it. */
void bm_uffd_user_add(const struct bm_sys *sys, struct bm_uffd_user *user);
void bm_uffd_user_end(const struct bm_sys *sys, struct bm_uffd_user *user);

/* Closes it: see bm_quiesce(). */
void bm_uffd_quiesce(const struct bm_sys *sys);

/* Opens one just to see whether it can be had: 0 or as bm_uffd_enter(). */
int bm_uffd_probe(const struct bm_uffd_wish *wish);

/* Memory that swap can never take: for the engines and channels of backends. */
void *bm_own_memory(const struct bm_sys *sys, size_t size);
void bm_own_memory_end(const struct bm_sys *sys, void *memory, size_t size);

#endif

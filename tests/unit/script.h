/* SPDX-License-Identifier: MIT */
/*
 * script.h - a window on the real kernel whose owner stops at a chosen moment
 * until something is done, and whose calls fail as they are told to.
 */
#ifndef UNIT_SCRIPT_H
#define UNIT_SCRIPT_H

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "context.h"
#include "faulty.h"
#include "uffd_abi.h"
#include "unit.h"

#define PAGE  4096ul
#define HUGE  (2ul << 20)
#define PART  64u /* pages that are moved at a time; the area has three such parts */
#define PARTS 3u
#define BYTES (PART * PAGE)

/*
 * The first batch stops once: at its first copy, at an ioctl for a place
 * in the area, where it waits for an event that a MOVE was told of, or after
 * pages of the area were taken out.
 */
enum stop { AT_COPY, AT_IOCTL, AT_EVENT, AT_AWAY };

struct script {
	enum stop stop;
	unsigned long request; /* of the ioctl, which begins with the place */
	atomic_int stage;
	atomic_int told; /* of an event that there is none of */
	/* MOVE and COPY from the copies, or also from the old pages, to the first `denied` pages. */
	int error; /* what they give, 0: they are made */
	int also_old;
	uint64_t denied;
	atomic_int times; /* so often, -1: always */
	char *stack;      /* 2 MiB for the thread of the first batch, or NULL */
	uint64_t frame;   /* where that has stopped on its stack */
	uint64_t blocked; /* signals of it there */
	/* Where the pages are, from the first copy on. */
	_Atomic uint64_t staging, grave;
	atomic_int closed; /* channels of the backend */
	atomic_int again;  /* so many first touches are to be tried again */
	/* The first MOVE out of the area moves so many pages, and tells of so many; 0: all of all. */
	uint32_t moved, counted;
	/* Done once, before the mapping at elsewhere is unregistered: with its bounds, in the gate. */
	void (*unregistering)(void);
	/* Done once instead of a REGISTER in the area, and what that gives. */
	int (*registering)(void);
	/* The event of this unmapping comes after the next one of a remapping. */
	_Atomic uint64_t unmapped, unmapped_end;
	unsigned int late_us;      /* what comes before a child gets pages */
	unsigned int move_late_us; /* before a MOVE: who has rung for an errand has gone on */
};

extern struct script script;
extern struct bm_sys scripted_sys;
extern struct bm_context *scripted_context;
extern char *area, *elsewhere; /* both have room for 2 MiB */

void fill(char *start, size_t length, uint64_t seed);
/* What lies at `now` should be what was filled in at `then`. */
size_t wrong_words(const char *now, const char *then, size_t length, uint64_t seed);
void check(const char *now, const char *then, size_t length, uint64_t seed);
void check_zeros(const char *start, size_t length);
void map_at(char *place, size_t length);
/* 1: a userfaultfd has it, and it can be but ours. */
int is_registered(const char *start, size_t length);

/* A descriptor of a userfaultfd, not this one; -1: there is none. */
int find_userfaultfd(int not_this);

/* Moves the pages of one part; how many were swapped. Reasons may be NULL. */
size_t move_part(char *start, unsigned char *reasons);
/* Moves the first part, with this done in the middle; how many pages were swapped. */
size_t move_meanwhile(enum stop stop, unsigned long request, void (*act)(void));

/* Fills the area with seed 1; 0: swap cannot be had here. Quiet: of the context, or NULL. */
int script_begin(const char *quiet);
void script_end(void);

#define NEED_SWAP()                                                                    \
	do {                                                                           \
		if (!script_begin(NULL))                                               \
			skip_test("no userfaultfd with UFFDIO_MOVE for this process"); \
	} while (0)

#endif

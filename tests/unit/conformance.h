/* SPDX-License-Identifier: MIT */
/*
 * conformance.h - what lib/backend.h demands, tried with every backend.
 *
 * A case is a backend with a system and options of its own; a subject is one
 * demand, and runs with each case. BM_TEST_CONFORMANCE names the cases that
 * are wanted, by a part of their names.
 */
#ifndef UNIT_CONFORMANCE_H
#define UNIT_CONFORMANCE_H

#include <stdatomic.h>

#include "backend.h"
#include "unit.h"

#define CONFORMANCE_PAGE 4096u
/*
 * Pages, and copies of a list; and one of so many variants is tried: fewer where
 * every byte takes long, as in an emulator.
 */
#if defined(__SANITIZE_THREAD__) || !defined(__x86_64__)
#define CONFORMANCE_ARENA 300u
#define CONFORMANCE_STEP  5u
#else
#define CONFORMANCE_ARENA 1100u
#define CONFORMANCE_STEP  1u
#endif
#define CONFORMANCE_PINS   256u /* copies that are pinned at a time, as the library does */
#define CONFORMANCE_PINNED 512u /* and their pages */
#define CONFORMANCE_STALE  0xa5
#define CONFORMANCE_EVER_S 20 /* a device that says nothing for so long has lost something */

struct conformance;

struct conformance_case {
	char name[40];
	const struct bm_backend *backend;
	/* Completes the table of calls and the options; why it cannot be had here, or NULL. */
	const char *(*set_up)(struct conformance *run);
	void (*tear_down)(struct conformance *run); /* optional */
	void (*progress)(struct conformance *run);  /* a step of the device; NULL: it needs none */
	/* 1: a page of this range cannot be moved; NULL: that cannot be told. */
	int (*is_pinned)(const void *start, size_t length);
	unsigned int how; /* for set_up */
};

/* A case while it is tried. */
struct conformance {
	const struct conformance_case *which;
	const struct bm_backend *backend;
	struct bm_backend_env env;
	struct bm_sys sys; /* watched, see below */
	struct bm_log log;
	struct bm_engine *engine;
	unsigned char *from, *kept, *to, *expected; /* arenas; kept is what from was */
	atomic_int errors;                          /* lines that were logged */
	int queues;                                 /* that list() is to tell of; -1: not known */
	char what[96];                              /* is tried now, for messages; "" */
	char lines[2][200];                         /* the last ones that were logged */
	int poor;    /* calls fail that open() makes: copies may end with errors */
	int gave_up; /* on copies: the device was stopped in the middle of them */
};

/* Runs a subject with each case, the engine being open; or without opening it. */
void conformance_each(void (*subject)(struct conformance *run));
void conformance_each_closed(void (*subject)(struct conformance *run));
void conformance_open(struct conformance *run);
void conformance_close(struct conformance *run);
/* All cases there are, and NULL. */
const struct conformance_case *conformance_case_at(size_t index);

/* What a backend has taken by env.memory() and not given back. */
long conformance_blocks(void);

/* Asserts, naming the case; Check writes a line to a file for each assert that holds. */
#define conformance_assert(run, holds, ...)                           \
	do {                                                          \
		if (!(holds))                                         \
			conformance_fail(run, __LINE__, __VA_ARGS__); \
	} while (0)
__attribute__((noreturn, format(printf, 3, 4))) void
conformance_fail(const struct conformance *run, int line, const char *format, ...);

/* ---------------------------------------------------------------- watched calls */

/*
 * From here on the table sees what is called. Between hot() and cold() only
 * calls that are allowed in windows may be made, no memory taken, no lock, no
 * line logged, and errno is left alone: cold() tells what was done, or NULL.
 */
void conformance_watch(struct bm_sys *sys);
void conformance_hot(void);
const char *conformance_cold(void);
/* Something was done that may not be in a window. */
void conformance_saw(const char *what);

/* The n-th call that can fail does, of those that are watched and env.memory(). */
void conformance_arm(unsigned long at, int error);
int conformance_disarm(void); /* 1: that call was made */
int conformance_fails(const char *what);

/* ---------------------------------------------------------------- a list of copies */

/* A channel and a list that goes through it. One thread at a time. */
struct conformance_flow {
	struct conformance *run;
	struct bm_channel *channel;
	struct bm_limits limits;
	size_t first, pages; /* of the arenas: no other flow is there */
	struct bm_copy copies[CONFORMANCE_ARENA];
	unsigned char states[CONFORMANCE_ARENA];
	size_t count, sent, told;
	size_t oldest;   /* all before it were told */
	size_t ready;    /* those before it may be submitted: they were pinned */
	size_t pins;     /* calls of pin() */
	int is_pinned;   /* until unpin() */
	size_t give;     /* to submit() at most, 0: any number */
	size_t take;     /* from reap() at most, 0: any number */
	int late;        /* takes only what it must */
	int aims;        /* at nodes that are and are not */
	int equal_tags;  /* cannot be told apart */
	uint64_t heard;  /* when anything came, ns */
	uint64_t random; /* state */
	char wrong[200];
};

/* A channel for all of the arenas. */
void conformance_flow_open(struct conformance *run, struct conformance_flow *flow, int node);
void conformance_flow_close(struct conformance_flow *flow);
/* Asks for its limits, and forgets what was before. */
void conformance_flow_new(struct conformance *run, struct conformance_flow *flow,
			  struct bm_channel *channel);
/* Its backend has pin() and unpin(). */
int conformance_pins(const struct conformance_flow *flow);
uint32_t conformance_random(struct conformance_flow *flow, uint32_t below);
/* The longest copy, in pages. */
size_t conformance_longest(const struct conformance_flow *flow);
/* As many as can be in flight; `fallback` where any number can. */
size_t conformance_depth(const struct conformance_flow *flow, size_t fallback);

/* An empty list, a destination without contents. */
void conformance_begin(struct conformance_flow *flow);
void conformance_add(struct conformance_flow *flow, size_t to, size_t from, size_t pages);
/* Pages to the places of a permutation, from anywhere. */
void conformance_add_scattered(struct conformance_flow *flow, size_t count);
/* Random lengths to all of the destination, with gaps, in random order. */
void conformance_add_random(struct conformance_flow *flow);

/*
 * One call, watched; *wrong is set when it did what it must not. submit() of a backend
 * that pins is preceded by pin(), for as much of the list as a window has, and by
 * unpin() of what was before, once all of that was told.
 */
int conformance_submit(struct conformance_flow *flow, size_t most);
int conformance_reap(struct conformance_flow *flow, size_t most);
void conformance_pause(struct conformance_flow *flow);
int conformance_pin(struct conformance_flow *flow, const struct bm_copy *copies, size_t count);
/* Nothing where nothing is pinned. */
int conformance_unpin(struct conformance_flow *flow);
/* No source of its part of the arenas is pinned, no target that was told of; or *wrong. */
void conformance_check_free(struct conformance_flow *flow, const char *when);
/* Until all has been told: NULL, or what is wrong. In any thread. */
const char *conformance_go(struct conformance_flow *flow);
/* After that: all bytes are where they belong, and nowhere else. */
const char *conformance_compare(struct conformance_flow *flow);
/* Both, asserted. */
void conformance_run(struct conformance_flow *flow, const char *what);

#endif

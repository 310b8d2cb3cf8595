/* SPDX-License-Identifier: MIT */
/*
 * flights.h - batches in flight over two regions of real memory that the mover
 * swap replaces, and what must hold of each, whatever has failed.
 */
#ifndef UNIT_FLIGHTS_H
#define UNIT_FLIGHTS_H

#include "failing.h"

#define FLIGHTS        4
#define FLIGHT_PAGES   64
#define FLIGHT_UNSET   (-77777) /* no status was written */
#define FLIGHT_PROMISE (BM_QUIET | BM_REPLACE)

struct flight {
	void *pages[FLIGHT_PAGES];
	int status[FLIGHT_PAGES];
	unsigned char reasons[FLIGHT_PAGES];
	struct bm_range range;
	struct bm_request request;
	struct bm_batch *batch;
	int refused; /* what bm_submit() gave */
	int event_fd;
	long result;
	atomic_int told;
	long told_result;
};

extern struct flight flights[FLIGHTS];
extern struct flights_world {
	char *start;
	int nodes[FLIGHT_PAGES];
	struct bm_context *context;
} world;

/* 1 when this process can swap. */
int flights_usable(void);
/* Two regions of base pages with some holes, every byte filled. */
void flights_new(void);
/* Asserts that no byte has changed. */
void flights_check(void);
void flights_free(void);
/* Of the pages of a region. */
size_t flights_holes(void);

/* A request for the pages of a region, with a callback and an event; nothing is told yet. */
struct flight *flight_new(size_t number, size_t region);
/* The same, as a range. */
void flight_as_range(struct flight *flight, size_t region);
/* Asserts that it is taken, or refused as the header says. */
void flight_submit(struct flight *flight);
/* Waits, not for ever. */
void flight_wait(struct flight *flight);
/* 1: the header says that the batch may end like that. */
int flight_may_give(const struct flight *flight, long result);
/* Asserts that all outputs are written and fit each other, or none is; frees the batch. */
void flight_check(struct flight *flight);
/* When its context is free: one event and one callback, or none. */
void flight_check_told(struct flight *flight);

#endif

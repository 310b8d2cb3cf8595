/* SPDX-License-Identifier: MIT */
/*
 * placement.h - on which last-level cache each worker of a batch runs.
 *
 * What shares a last-level cache shares its way to the memory: eight threads
 * on one die copied 11 GB/s where spread ones copied 37. A worker is kept to
 * the CPUs of a cache, not to one CPU, so that it need not wait for a thread
 * of the application's that runs there.
 */
#ifndef BM_PLACEMENT_H
#define BM_PLACEMENT_H

#include "sys.h"
#include "workers.h"

/*
 * The last-level caches of the machine, counted from 1; one that several
 * nodes share counts for each of them.
 */
struct bm_places {
	unsigned int caches;
	uint16_t cache[BM_CPUS_MAX]; /* of each CPU; 0: offline, or not known */
	uint16_t node[BM_CPUS_MAX];  /* of each cache */
};

struct bm_placement {
	const struct bm_places *places;
	struct bm_ids allowed;          /* CPUs of the calling thread */
	unsigned int workers;           /* that have a place; 0: nobody is moved */
	uint16_t cache[BM_WORKERS_MAX]; /* of each worker; the first is the calling thread */
};

/* As sysfs tells, without caches where it tells nothing; to be freed. NULL: no memory. */
struct bm_places *bm_places_read(const struct bm_sys *sys);

/*
 * Places workers, after `places` and `allowed` were set: pure. A worker gets a
 * cache whose node is @near, another one as long as there are any, of the
 * nodes in turn; the calling thread, on the CPU @here, has the first of them.
 * A cache is given out as often as it has CPUs: what is more keeps to no cache.
 */
void bm_placement_choose(struct bm_placement *placement, const struct bm_ids *near, int here,
			 unsigned int threads);

/* Takes the calling thread, which is this worker, to its place. NULL: nobody has one. */
void bm_placement_go(const struct bm_placement *placement, const struct bm_sys *sys,
		     unsigned int worker);

#endif

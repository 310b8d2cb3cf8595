/* SPDX-License-Identifier: MIT */
/* dsa_device.h - the device of dsa_records.c: one queue, wq0.0, that answers as the input says. */
#ifndef FUZZ_DSA_DEVICE_H
#define FUZZ_DSA_DEVICE_H

#include "input.h"
#include "sys.h"

#define FUZZ_PAGE   4096u
#define FUZZ_COPIES 16u
#define FUZZ_SLOT   3u /* pages: a copy, and at least one behind it */
#define FUZZ_STALE  0xa5
#define FUZZ_ARENA  ((size_t)FUZZ_COPIES * FUZZ_SLOT * FUZZ_PAGE)

struct fuzz_device {
	int shared, busy, halted, by_write;
	uint64_t clock;
	size_t waiting;                 /* descriptors that were not answered */
	unsigned char said[FUZZ_ARENA]; /* the destination, by what the records say */
};

extern struct fuzz_device device;
extern unsigned char fuzz_from[FUZZ_ARENA], fuzz_to[FUZZ_ARENA];

/* Nothing waits any more. */
void fuzz_device_reset(void);
/* A table of calls that leads to it. */
void fuzz_device_use(struct bm_sys *sys);
/* One that waits is answered. */
void fuzz_device_answer(size_t index);
/* Memory that the device may be told of. */
int fuzz_is_backends(uint64_t at, size_t length);

#endif

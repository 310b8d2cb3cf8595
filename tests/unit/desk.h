/* SPDX-License-Identifier: MIT */
/*
 * desk.h - a software DSA with memory to copy, for its own tests.
 *
 * Descriptors and records are bytes at offsets here, as the hardware defines
 * them: what the model calls them does not matter.
 */
#ifndef UNIT_DESK_H
#define UNIT_DESK_H

#include <stdint.h>

#include "models/dsa.h"

#define DESK_PIECE  8192u
#define DESK_PIECES 64

#define DESK_MEMMOVE 3u
#define DESK_WANTED  0x0cu /* CRAV, RCR */

typedef struct {
	_Alignas(64) unsigned char bytes[64];
} desk_descriptor;

struct desk {
	struct dsa *dsa;
	unsigned char *source, *destination; /* DESK_PIECES each */
	unsigned char (*records)[32];        /* DESK_PIECES, and one more for a batch */
	desk_descriptor *list;               /* DESK_PIECES */
};

#define DESK_BATCH_RECORD DESK_PIECES

/* A shared queue, and a dedicated one: 64 entries, 1 MiB, 32 children, batches by write(2). */
extern const struct dsa_queue_config desk_queues[2];

void desk_open(struct desk *desk, enum dsa_pace pace, uint32_t seed);
void desk_open_with(struct desk *desk, const struct dsa_queue_config *queues, enum dsa_pace pace,
		    uint32_t seed);
void desk_close(struct desk *desk);

void desk_put(void *at, size_t offset, uint64_t value, size_t bytes);
uint64_t desk_get(const void *at, size_t offset, size_t bytes);
uint64_t desk_address(const void *at);
/* An operation with a record. */
desk_descriptor desk_operation(const struct desk *desk, unsigned int opcode, unsigned int flags,
			       size_t record);
/* One that copies a piece. */
desk_descriptor desk_copy(const struct desk *desk, size_t piece);
/* The first so many pieces, into the list, and what refers to them. */
desk_descriptor desk_batch(const struct desk *desk, size_t count);
/* Copies a piece by the shared queue. */
void desk_submit(const struct desk *desk, size_t piece);

uint8_t desk_status(const struct desk *desk, size_t record);
uint8_t desk_wait(const struct desk *desk, size_t record);
int desk_is_copied(const struct desk *desk, size_t piece);
int desk_is_untouched(const struct desk *desk, size_t piece);
struct dsa_counts desk_counts(const struct desk *desk);

#endif

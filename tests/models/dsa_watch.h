/* SPDX-License-Identifier: MIT */
/*
 * dsa_watch.h - a portal of plain memory that a thread watches, to measure what
 * a store to it costs without a signal each time.
 *
 * It has 64 slots and cannot push back: a slot that is written again before the
 * thread was there is lost. Store to the slots in turn, with fewer than 64 in
 * flight.
 */
#ifndef MODEL_DSA_WATCH_H
#define MODEL_DSA_WATCH_H

#include "dsa.h"

struct dsa_watch;

/* Descriptors go into this queue as by dsa_movdir64b(); NULL: no thread, or no memory. */
struct dsa_watch *dsa_watch_begin(struct dsa *dsa, unsigned int queue);
uint64_t dsa_watch_portal(const struct dsa_watch *watch);
/* Takes what is there still. */
void dsa_watch_end(struct dsa_watch *watch);
/* In the place of MOVDIR64B, where the CPU has none: past the cache, its first word last. */
void dsa_watch_store(uint64_t portal, const void *descriptor);

#endif

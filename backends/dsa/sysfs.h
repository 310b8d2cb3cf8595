/* SPDX-License-Identifier: MIT */
/* sysfs.h - what sysfs says of one work queue; it may also be mounted read-only. */
#ifndef BM_DSA_SYSFS_H
#define BM_DSA_SYSFS_H

#include "found.h"

/* Names the device; all else is what is not known. Then names a queue of it. */
void bm_dsa_facts_begin(struct bm_dsa_facts *facts, unsigned int device);
void bm_dsa_facts_queue(struct bm_dsa_facts *facts, unsigned int number);

/* What there is to be read of the device, and then of the queue. */
void bm_dsa_sysfs_device(const struct bm_sys *sys, struct bm_dsa_facts *facts);
void bm_dsa_sysfs_queue(const struct bm_sys *sys, struct bm_dsa_facts *facts);

/* The numbers of the queues of a device, at most BM_DSA_PER_DEVICE: how many, or -errno. */
#define BM_DSA_PER_DEVICE 64u
int bm_dsa_sysfs_list(const struct bm_sys *sys, const char *device, unsigned int *numbers);

/* The number after a prefix: 1 for "dsa12", whatever follows at *end, else 0. */
int bm_dsa_parse(const char *name, const char *prefix, unsigned int *number, const char **end);

/* The numbers of "wq2.1": 1, whatever follows at *end, else 0. */
int bm_dsa_parse_queue(const char *name, unsigned int *device, unsigned int *number,
		       const char **end);

/* The lesser of two limits, of which 0 is not known; nonsense is not known. */
uint64_t bm_dsa_limit(uint64_t queue, uint64_t device, uint64_t most);

/* More than any device has: what is beyond is an errno of somebody's. */
#define BM_DSA_MOST_SIZE     UINT64_C(65536)
#define BM_DSA_MOST_TRANSFER (UINT64_C(1) << 40)

#endif

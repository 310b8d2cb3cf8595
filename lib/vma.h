/* SPDX-License-Identifier: MIT */
/* vma.h - the mappings of a process, from /proc/PID/maps. */
#ifndef BM_VMA_H
#define BM_VMA_H

#include "sys.h"

struct bm_vma {
	uint64_t start, end;
	unsigned char is_private;
	unsigned char is_anon; /* no file and no shared memory behind it */
	unsigned char hugetlb;
	unsigned char is_open;  /* readable and writable */
	unsigned char is_stack; /* of the first thread */
};

struct bm_vmas {
	struct bm_vma *list;
	size_t count;
};

/* Reads all mappings; *vmas is to be given to bm_vmas_free(). 0 or -errno. */
int bm_vmas_read(const struct bm_sys *sys, pid_t pid, struct bm_vmas *vmas);
void bm_vmas_free(struct bm_vmas *vmas);

/* 1 when the mapping at addr is of hugetlb pages: one question, for a descriptor of maps. */
int bm_vma_is_hugetlb(const struct bm_sys *sys, pid_t pid, int maps, uint64_t addr);
/*
 * The bounds of the mapping that holds addr, from a descriptor of maps: 0, or
 * -errno (-ENOTTY before Linux 6.11) and nothing is written.
 */
int bm_vma_bounds(const struct bm_sys *sys, int maps, uint64_t addr, uint64_t *start,
		  uint64_t *end);
/* Those of the mapping that holds addr or is the next above it; -ENOENT: there is none. */
int bm_vma_from(const struct bm_sys *sys, int maps, uint64_t addr, uint64_t *start, uint64_t *end);
/* Opens /proc/PID/maps: a descriptor or -errno. */
int bm_vma_open(const struct bm_sys *sys, pid_t pid);

/* The mapping that holds addr or the next one above it; NULL past the last. */
const struct bm_vma *bm_vmas_from(const struct bm_vmas *vmas, uint64_t addr);

#endif

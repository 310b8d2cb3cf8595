/* SPDX-License-Identifier: MIT */
/* merged.h - whether KSM has merged a page: /proc/kpageflags, which is root's. */
#ifndef BM_MERGED_H
#define BM_MERGED_H

#include "sys.h"

/* For the time of a batch. */
struct bm_merged {
	const struct bm_sys *sys;
	int pagemap; /* of this process */
	uint64_t page_size;
	pthread_mutex_t lock;
	int asked; /* whether it can be told */
	int flags; /* descriptor of /proc/kpageflags; negative: it cannot */
};

void bm_merged_init(struct bm_merged *merged, const struct bm_sys *sys, int pagemap,
		    uint64_t page_size);
void bm_merged_end(struct bm_merged *merged);

/*
 * 1 when the page with this entry of the pagemap is one that KSM has merged; 0
 * when not, or when it cannot be told: without CAP_SYS_ADMIN, and on kernels
 * that say so of every anonymous page. Opens the file when it is first needed.
 * Any thread, not in a window.
 */
int bm_merged_is(struct bm_merged *merged, uint64_t entry);

#endif

/* SPDX-License-Identifier: MIT */
/* merged.c - asks for the flags of page frames, once it is known that they can be believed. */
#include "merged.h"

#include <errno.h>
#include <fcntl.h>

#include "pagemap.h"

#define FLAGS_FILE "/proc/kpageflags"
/* Documentation/admin-guide/mm/pagemap.rst. */
#define FLAG_ANON (UINT64_C(1) << 12)
#define FLAG_KSM  (UINT64_C(1) << 21)

void bm_merged_init(struct bm_merged *merged, const struct bm_sys *sys, int pagemap,
		    uint64_t page_size)
{
	*merged = (struct bm_merged){
		.sys = sys, .pagemap = pagemap, .page_size = page_size, .flags = -EBADF};
	pthread_mutex_init(&merged->lock, NULL);
}

void bm_merged_end(struct bm_merged *merged)
{
	if (merged->flags >= 0)
		merged->sys->close(merged->flags);
	pthread_mutex_destroy(&merged->lock);
}

/* Of the frame of an entry; 0: not told. */
static uint64_t flags_of(const struct bm_merged *merged, uint64_t entry)
{
	off_t offset = (off_t)((entry & BM_PAGEMAP_FRAME) * sizeof(uint64_t));
	uint64_t flags;

	if (!(entry & BM_PAGEMAP_PRESENT) || offset == 0 ||
	    merged->sys->pread(merged->flags, &flags, sizeof(flags), offset) != sizeof(flags))
		return 0;
	return flags;
}

/*
 * Several kernels, 6.12 among them, set the flag for every anonymous page
 * (stable_page_flags() in fs/proc/page.c took one bit of two for both). KSM has
 * not merged what was written a moment ago, so it must not be set there.
 */
static int is_believable(const struct bm_merged *merged)
{
	volatile unsigned char written = 1;
	uint64_t entry;

	if (bm_pagemap_read(merged->sys, merged->pagemap, (uint64_t)(uintptr_t)&written,
			    merged->page_size, &entry, 1) != 1)
		return 0;
	return (flags_of(merged, entry) & (FLAG_ANON | FLAG_KSM)) == FLAG_ANON;
}

static void ask(struct bm_merged *merged)
{
	merged->asked = 1;
	merged->flags = merged->sys->open(FLAGS_FILE, O_RDONLY);
	if (merged->flags < 0 || is_believable(merged))
		return;
	merged->sys->close(merged->flags);
	merged->flags = -ENOTSUP;
}

int bm_merged_is(struct bm_merged *merged, uint64_t entry)
{
	/* Without the privilege the frame is 0. */
	if (!(entry & BM_PAGEMAP_PRESENT) || !(entry & BM_PAGEMAP_FRAME))
		return 0;
	pthread_mutex_lock(&merged->lock);
	if (!merged->asked)
		ask(merged);
	pthread_mutex_unlock(&merged->lock);
	return merged->flags >= 0 && flags_of(merged, entry) & FLAG_KSM;
}

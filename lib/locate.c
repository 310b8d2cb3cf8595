/* SPDX-License-Identifier: MIT */
/* locate.c - move_pages(2) without targets. */
#include "locate.h"

long bm_locate_pages(struct bm_job *job, struct bm_scratch *scratch, size_t count)
{
	/* The flags change nothing here but the check of privileges. */
	long rc = job->sys->move_pages(job->pid, count, scratch->pages, NULL, scratch->status,
				       job->kernel_flags);

	if (rc < 0)
		atomic_store(&job->refused, (int)rc);
	return rc;
}

static void ask_some(struct bm_job *job, struct bm_scratch *scratch, const uint32_t *list,
		     size_t first, size_t count)
{
	long rc;

	for (size_t i = 0; i < count; i++) {
		size_t unit = list ? list[first + i] : first + i;

		scratch->pages[i] = (void *)(uintptr_t)job->units[unit].addr;
	}
	rc = bm_locate_pages(job, scratch, count);
	for (size_t i = 0; i < count; i++) {
		size_t unit = list ? list[first + i] : first + i;

		job->units[unit].status = rc < 0 ? (int)rc : scratch->status[i];
	}
}

void bm_locate_units(struct bm_job *job, struct bm_scratch *scratch, const uint32_t *list,
		     size_t first, size_t count)
{
	while (count > 0) {
		size_t some = count < job->room ? count : job->room;

		ask_some(job, scratch, list, first, some);
		first += some;
		count -= some;
	}
}

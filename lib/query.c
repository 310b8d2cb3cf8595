/* SPDX-License-Identifier: MIT */
/* query.c - bm_query_pages(): where pages are and what they are. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "context.h"
#include "kind.h"
#include "least.h"

/* Pages for one call of the kernel: its fixed cost is small, the buffer stays on the stack. */
#define BLOCK 1024u

static uint64_t page_of(const struct bm_context *context, const void *page)
{
	return (uint64_t)(uintptr_t)page & ~(context->page_size - 1);
}

/* How many of the pages follow each other in memory. */
static size_t run_of(const struct bm_context *context, void *const *pages, size_t count)
{
	size_t length = 1;

	while (length < bm_least(count, BM_KIND_RUN) &&
	       page_of(context, pages[length]) ==
		       page_of(context, pages[length - 1]) + context->page_size)
		length++;
	return length;
}

static int kinds_of_block(struct bm_kinds *open, const struct bm_context *context,
			  void *const *pages, const int *status, size_t count, unsigned int *kinds)
{
	for (size_t i = 0; i < count;) {
		size_t length = run_of(context, pages + i, count - i);
		int rc = bm_kinds_run(open, page_of(context, pages[i]), length, kinds + i);

		if (rc < 0)
			return rc;
		for (size_t k = i; k < i + length; k++) {
			/* Linux 6.1 says -EFAULT of a hole in a mapping too. */
			if (kinds[k] == 0 && status[k] == -EFAULT &&
			    bm_kinds_unmapped(open, page_of(context, pages[k])))
				kinds[k] = BM_PAGE_UNMAPPED;
		}
		i += length;
	}
	return 0;
}

struct query {
	const struct bm_context *context;
	pid_t pid;
	size_t count;
	void *const *pages;
	int *status;
	unsigned int *kinds;
};

static long query_blocks(const struct query *query, struct bm_kinds *open)
{
	const struct bm_sys *sys = query->context->sys;
	long present = 0;

	for (size_t i = 0; i < query->count; i += BLOCK) {
		size_t some = bm_least(query->count - i, BLOCK);
		int local[BLOCK], *status = query->status ? query->status + i : local;
		long rc = sys->move_pages(query->pid, some, query->pages + i, NULL, status, 0);

		if (rc == 0 && query->kinds)
			rc = kinds_of_block(open, query->context, query->pages + i, status, some,
					    query->kinds + i);
		if (rc < 0)
			return rc;
		for (size_t k = 0; k < some; k++)
			present += status[k] >= 0;
	}
	return present;
}

long bm_query_pages(struct bm_context *context, pid_t pid, size_t count, void *const *pages,
		    int *status, unsigned int *kinds)
{
	struct query query = {NULL, pid, count, pages, status, kinds};
	struct bm_kinds open;
	long rc = bm_context_get(&context);

	if (rc < 0)
		return rc;
	if (pid < 0 || (count > 0 && (!pages || (!status && !kinds))))
		return -EINVAL;
	if (count > SIZE_MAX / 128)
		return -E2BIG;
	query.context = context;
	query.pid = pid == context->pid ? 0 : pid;
	if (!kinds || count == 0)
		return query_blocks(&query, NULL);
	rc = bm_kinds_open(&open, context, query.pid);
	if (rc < 0)
		return rc;
	rc = query_blocks(&query, &open);
	bm_kinds_close(&open);
	return rc;
}

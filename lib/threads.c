/* SPDX-License-Identifier: MIT */
/* threads.c - /proc/self/task, and the list of robust mutexes of each. */
#include "threads.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TASKS      "/proc/self/task"
#define LIST_BYTES (256u << 10) /* of names: some 30000 threads */
/*
 * glibc keeps 2.3 KiB of a thread, at the end of its stack's mapping; the list
 * begins 0.7 KiB behind its start, and the rseq area is its end: not one byte
 * more, or the page behind would count.
 */
#define BELOW 1024u
#define ABOVE 1632u

struct bm_span bm_span_around(uint64_t block, uint64_t page_size)
{
	return (struct bm_span){(block - BELOW) & ~(page_size - 1),
				(block + ABOVE + page_size - 1) & ~(page_size - 1)};
}

static void add(struct bm_spans *spans, struct bm_span span)
{
	spans->list[spans->count++] = span;
}

/* Of one thread; its stack lies in the same mapping, but for the first one's. */
static void add_thread(struct bm_spans *spans, uint64_t block, uint64_t page_size,
		       const struct bm_vmas *stacks)
{
	const struct bm_vma *vma = stacks ? bm_vmas_from(stacks, block) : NULL;

	add(spans, bm_span_around(block, page_size));
	if (vma && vma->start <= block)
		add(spans, (struct bm_span){vma->start, vma->end});
}

static size_t count_names(const char *names, ssize_t length)
{
	size_t count = 0;

	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1)
		count++;
	return count;
}

static int by_start(const void *a, const void *b)
{
	const struct bm_span *left = a, *right = b;

	return (left->start > right->start) - (left->start < right->start);
}

int bm_spans_read(const struct bm_sys *sys, uint64_t page_size, const struct bm_vmas *stacks,
		  struct bm_spans *spans)
{
	char *names = sys->memory(LIST_BYTES);
	ssize_t length = names ? sys->list(TASKS, names, LIST_BYTES) : -ENOMEM;
	size_t count = count_names(names, length);

	*spans = (struct bm_spans){0};
	if (length >= 0)
		spans->list = sys->alloc(2 * count + (stacks ? stacks->count : 0) + 1,
					 sizeof(*spans->list));
	for (ssize_t at = 0; spans->list && at < length; at += (ssize_t)strlen(names + at) + 1) {
		uint64_t block = sys->thread_block((pid_t)strtol(names + at, NULL, 10));

		if (block)
			add_thread(spans, block, page_size, stacks);
	}
	for (size_t i = 0; spans->list && stacks && i < stacks->count; i++) {
		if (stacks->list[i].is_stack)
			add(spans, (struct bm_span){stacks->list[i].start, stacks->list[i].end});
	}
	free(names);
	/* Without all of them something of a thread could be taken away. */
	if (!spans->list)
		return length < 0 ? (int)length : -ENOMEM;
	qsort(spans->list, spans->count, sizeof(*spans->list), by_start);
	return 0;
}

void bm_spans_free(struct bm_spans *spans)
{
	free(spans->list);
	*spans = (struct bm_spans){0};
}

/* SPDX-License-Identifier: MIT */
/* missed.c - pagemap finds them, process_vm_readv(2) reads them. */
#include "missed.h"

#include <errno.h>

#include "claims.h"
#include "locate.h"
#include "pagemap.h"

/* Entries of pagemap that are read at once, pages that are touched at once. */
#define WINDOW  256u
#define TOUCHED 256u
/* How often a page is looked for while others swap without end. */
#define SWAPPED_TRIES 100

struct window {
	const struct bm_job *job;
	struct bm_uffd *uffd; /* with which swap takes pages out of reach; NULL: nobody does */
	uint32_t released;    /* windows of swap that had closed before this was read */
	int fd;
	uint64_t start; /* address of the first page */
	size_t count;
	uint64_t entries[WINDOW];
	int known; /* resident is that of all pages of the window */
	unsigned char resident[WINDOW];
};

/* Pages from a unit on to the last one that fits into a window. */
static size_t span_of(const struct bm_job *job, const struct bm_unit *unit)
{
	const struct bm_unit *last = unit, *end = job->units + job->unit_count;
	uint64_t size = job->context->page_size;

	while (last + 1 < end && last[1].addr - unit->addr < WINDOW * size)
		last++;
	return (last->addr - unit->addr) / size + 1;
}

static uint64_t entry_of(struct window *window, const struct bm_unit *unit)
{
	const struct bm_job *job = window->job;
	uint64_t size = job->context->page_size, addr = unit->addr;
	long got;

	if (addr < window->start || addr >= window->start + window->count * size) {
		window->released = window->uffd ? atomic_load(&window->uffd->released) : 0;
		got = bm_pagemap_read(job->sys, window->fd, addr, size, window->entries,
				      span_of(job, unit));
		window->start = addr;
		window->count = got > 0 ? (size_t)got : 0;
		window->known = -1;
	}
	return window->count > 0 ? window->entries[(addr - window->start) / size] : 0;
}

/*
 * In memory, though its entry is that of a page that is swapped out: in
 * migration. Where swapped pages abound one question serves a window, unless
 * a part of it is not mapped.
 */
static int is_resident(struct window *window, uint64_t addr)
{
	const struct bm_sys *sys = window->job->sys;
	uint64_t size = window->job->context->page_size;
	unsigned char resident = 0;

	if (window->known < 0)
		window->known =
			sys->mincore(window->start, window->count * size, window->resident) == 0;
	if (window->known)
		return window->resident[(addr - window->start) / size] & 1;
	return sys->mincore(addr, size, &resident) == 0 && resident & 1;
}

/*
 * While another thread swaps it a page is nowhere to be seen; it is back when
 * no window has been over it while it was looked for.
 */
static int is_swapped_now(struct window *window, const struct bm_unit *unit)
{
	const struct bm_job *job = window->job;
	uint64_t size = job->context->page_size, entry = 0;
	uint32_t seen = window->released;

	for (int tries = 0; tries < SWAPPED_TRIES; tries++) {
		if (!bm_window_over(window->uffd, unit->addr, unit->addr + size) &&
		    atomic_load(&window->uffd->released) == seen)
			break;
		bm_window_wait(window->uffd, unit->addr, unit->addr + size);
		seen = atomic_load(&window->uffd->released);
		if (bm_pagemap_read(job->sys, window->fd, unit->addr, size, &entry, 1) != 1)
			break;
		if (entry & BM_PAGEMAP_PRESENT)
			return 1;
	}
	return 0;
}

/* As far as is known, and not for sure. */
static int is_absent(const struct bm_unit *unit)
{
	return unit->status == -ENOENT;
}

enum finding { ABSENT, READY, TO_BE_READ };

static enum finding look_at(struct bm_job *job, struct window *window, struct bm_unit *unit)
{
	uint64_t entry = entry_of(window, unit);

	if (entry & BM_PAGEMAP_PRESENT)
		return job->context->misses_hinted ? TO_BE_READ : READY;
	if (!(entry & BM_PAGEMAP_SWAPPED) && window->uffd && is_swapped_now(window, unit))
		return READY;
	if (!(entry & BM_PAGEMAP_SWAPPED)) {
		unit->gone = 1;
		return ABSENT;
	}
	/* Of another process a page in migration looks as if it were swapped out. */
	if (job->pid) {
		job->passing++;
		return ABSENT;
	}
	return is_resident(window, unit->addr) ? TO_BE_READ : ABSENT;
}

struct touch {
	uint32_t units[TOUCHED];
	struct iovec pages[TOUCHED];
	size_t count;
};

/* Reads from all; writes to order, from `found` on, the units of those that could be read. */
static size_t read_pages(struct bm_job *job, struct touch *touch, size_t found)
{
	char bytes[TOUCHED];
	size_t at = 0;

	while (at < touch->count) {
		struct iovec local = {bytes, touch->count - at};
		ssize_t got = job->sys->vm_readv(job->pid ? job->pid : job->context->pid, &local,
						 &touch->pages[at], touch->count - at);

		if (got < 0 && got != -EFAULT)
			break;
		for (; got > 0; got--)
			job->order[found++] = touch->units[at++];
		/* The next one stopped it. */
		at++;
	}
	touch->count = 0;
	return found;
}

static size_t find_all(struct bm_job *job, struct window *window)
{
	struct touch touch = {.count = 0};
	size_t found = 0;

	for (size_t i = 0; i < job->unit_count; i++) {
		struct bm_unit *unit = &job->units[i];
		enum finding finding = ABSENT;

		/* Where pages are swapped what was seen to be gone may be back. */
		if (is_absent(unit) && (!unit->gone || window->uffd))
			finding = look_at(job, window, unit);
		if (finding == READY)
			job->order[found++] = (uint32_t)i;
		if (finding != TO_BE_READ)
			continue;
		touch.units[touch.count] = (uint32_t)i;
		touch.pages[touch.count++] = (struct iovec){(void *)(uintptr_t)unit->addr, 1};
		if (touch.count == TOUCHED)
			found = read_pages(job, &touch, found);
	}
	return read_pages(job, &touch, found);
}

static void classify(struct bm_unit *unit, enum bm_unit_state there, enum bm_unit_state elsewhere)
{
	if (unit->state == BM_UNIT_MOVED || unit->state == BM_UNIT_ALREADY ||
	    !bm_node_possible(unit->node))
		return;
	if (unit->status == unit->node) {
		bm_unit_moved(unit, unit->node);
		unit->state = (unsigned char)there;
		return;
	}
	/* What another attempt has met stays: a target that is full, say. */
	if (unit->error == 0 || unit->error == -ENOENT) {
		unit->error = -EBUSY;
		unit->reason = BM_REASON_BUSY;
	}
	unit->state = (unsigned char)elsewhere;
}

static int any_absent(const struct bm_job *job)
{
	for (size_t i = 0; i < job->unit_count; i++) {
		if (is_absent(&job->units[i]))
			return 1;
	}
	return 0;
}

size_t bm_missed_find(struct bm_job *job, enum bm_unit_state there, enum bm_unit_state elsewhere)
{
	struct window window;
	uint64_t signals;
	size_t count;

	job->passing = 0;
	if (!any_absent(job))
		return 0;
	/* Not by an initialiser, which would clear the arrays in every call. */
	window.job = job;
	window.fd = job->pagemap;
	window.start = 0;
	window.count = 0;
	if (job->pagemap < 0)
		window.fd = bm_pagemap_open(job->sys, job->pid);
	if (window.fd < 0)
		return 0;
	window.uffd = job->pid ? NULL : bm_uffd_visit(job->sys, &signals);
	count = find_all(job, &window);
	if (window.uffd)
		bm_uffd_leave(job->sys, &signals);
	if (job->pagemap < 0)
		job->sys->close(window.fd);
	bm_locate_units(job, &job->scratch[0], job->order, 0, count);
	for (size_t i = 0; i < count; i++)
		classify(&job->units[job->order[i]], there, elsewhere);
	return count;
}

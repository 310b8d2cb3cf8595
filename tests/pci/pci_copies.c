/* SPDX-License-Identifier: MIT */
/* pci_copies.c - what a function copies arrives, and only with bus mastering on. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "pci_support.h"

#define PAGES 4u
#define HUGE  (512 * PAGE)

static void registers(enum bm_pci_access access)
{
	struct bench *bench;

	bench = bench_open(access);
	ck_assert_uint_ge(bench->pci.size, 1ul << 20);
	ck_assert(edu_is_there(&bench->pci));
	ck_assert_int_eq(bm_pci_guards(bench->space), access == BM_PCI_VFIO);
	bench_close(bench);
	/* And once more: nothing of the first time is left. */
	bench = bench_open(access);
	ck_assert(edu_is_there(&bench->pci));
	bench_close(bench);
}
BY_BOTH(registers)

/* From the first page to the second: what the device has stored there. */
static void try_copy(struct bench *bench, unsigned char *pages)
{
	size_t run;

	memset(pages + PAGE, 0xa5, PAGE);
	ck_assert_int_eq(edu_fetch(&bench->pci, bm_pci_bus(bench->pins, pages, &run), EDU_PIECE),
			 0);
	ck_assert_int_eq(
		edu_store(&bench->pci, bm_pci_bus(bench->pins, pages + PAGE, &run), EDU_PIECE), 0);
}

static void only_as_master(enum bm_pci_access access)
{
	unsigned char *pages = pages_new(2, -1);
	const struct bm_copy copy = {.from = pages, .to = pages + PAGE, .length = PAGE};
	struct bench *bench;

	bench = bench_open(access);
	pages_fill(pages, 1, 1);
	ck_assert_int_eq(bm_pci_pin(bench->pins, &copy, 1), 0);
	ck_assert_int_eq(bm_pci_is_master(&bench->pci), 0);
	ck_assert_int_eq(seen_master(&bench->found), 0);
	try_copy(bench, pages);
	for (size_t i = 0; i < PAGE; i++)
		ck_assert_uint_eq(pages[PAGE + i], 0xa5);
	bench_start(bench);
	ck_assert_int_eq(seen_master(&bench->found), 1);
	try_copy(bench, pages);
	ck_assert_int_eq(memcmp(pages, pages + PAGE, EDU_PIECE), 0);
	ck_assert_uint_eq(pages[PAGE + EDU_PIECE], 0xa5);
	ck_assert_int_eq(bm_pci_quiet(&bench->pci), 1);
	ck_assert_int_eq(bm_pci_is_master(&bench->pci), 0);
	ck_assert_int_eq(seen_master(&bench->found), 0);
	try_copy(bench, pages);
	ck_assert_uint_eq(pages[PAGE], 0xa5);
	ck_assert_int_eq(bm_pci_unpin(bench->pins, 0), 0);
	bench_close(bench);
	pages_free(pages, 2);
}
BY_BOTH(only_as_master)

/* Nothing comes after bm_pci_quiet(), not even what had been begun before it. */
static void quiet_in_the_middle(enum bm_pci_access access)
{
	unsigned char *pages = pages_new(2, -1);
	const struct bm_copy copy = {.from = pages, .to = pages + PAGE, .length = PAGE};
	struct bench *bench;
	size_t run;

	bench = bench_open(access);
	pages_fill(pages, 1, 2);
	ck_assert_int_eq(bm_pci_pin(bench->pins, &copy, 1), 0);
	bench_start(bench);
	ck_assert_int_eq(edu_fetch(&bench->pci, bm_pci_bus(bench->pins, pages, &run), EDU_PIECE),
			 0);
	edu_store_begin(&bench->pci, bm_pci_bus(bench->pins, pages + PAGE, &run), EDU_PIECE);
	ck_assert_int_eq(bm_pci_quiet(&bench->pci), 1);
	ck_assert_uint_eq(pages[PAGE], 0xa5);
	ck_assert_int_eq(edu_wait(&bench->pci), 0);
	ck_assert_uint_eq(pages[PAGE], 0xa5);
	ck_assert_int_eq(bm_pci_unpin(bench->pins, 0), 0);
	bench_close(bench);
	pages_free(pages, 2);
}
BY_BOTH(quiet_in_the_middle)

/* Single pages to places in another order, and two pages in one copy; each byte. */
static void pages_are_exact(enum bm_pci_access access)
{
	unsigned char *from = pages_new(2 * PAGES, -1), *to = pages_new(2 * PAGES, -1);
	struct bm_copy copies[PAGES - 1];
	struct bench *bench;

	bench = bench_open(access);
	bench_start(bench);
	pages_fill(from, 2 * PAGES, 3);
	for (size_t i = 0; i < PAGES - 1; i++) {
		copies[i] = (struct bm_copy){.from = from + 2 * i * PAGE,
					     .to = to + 2 * (PAGES - 2 - i) * PAGE,
					     .length = PAGE};
	}
	copies[PAGES - 2].length = 2 * PAGE;
	ck_assert_int_eq(bm_pci_pin(bench->pins, copies, PAGES - 1), 0);
	for (size_t i = 0; i < PAGES - 1; i++)
		ck_assert_int_eq(edu_copy(&bench->pci, bench->pins, &copies[i]), 0);
	for (size_t i = 0; i < PAGES - 1; i++)
		ck_assert_int_eq(memcmp(copies[i].to, copies[i].from, copies[i].length), 0);
	for (size_t i = 0; i < PAGE; i++) {
		ck_assert_uint_eq(to[3 * PAGE + i], 0xa5);
		ck_assert_uint_eq(to[5 * PAGE + i], 0xa5);
	}
	ck_assert_uint_eq(pages_wrong(from, 2 * PAGES, 3), 0);
	ck_assert_int_eq(bm_pci_unpin(bench->pins, 0), 0);
	bench_close(bench);
	pages_free(from, 2 * PAGES);
	pages_free(to, 2 * PAGES);
}
BY_BOTH(pages_are_exact)

/* Pinned again and again, as by one window after the other: never an address of before. */
static void window_after_window(enum bm_pci_access access)
{
	struct bench *bench;

	bench = bench_open(access);
	bench_start(bench);
	for (uint32_t round = 0; round < 5; round++) {
		unsigned char *pages = pages_new(2, -1);
		const struct bm_copy copy = {.from = pages, .to = pages + PAGE, .length = PAGE};

		pages_fill(pages, 1, 10 + round);
		ck_assert_int_eq(bm_pci_pin(bench->pins, &copy, 1), 0);
		ck_assert_int_eq(edu_copy(&bench->pci, bench->pins, &copy), 0);
		ck_assert_int_eq(bm_pci_unpin(bench->pins, 0), 0);
		ck_assert_uint_eq(pages_wrong(pages + PAGE, 1, 10 + round), 0);
		pages_free(pages, 2);
	}
	bench_close(bench);
}
BY_BOTH(window_after_window)

/* A part of a huge page is where the whole of it is. */
static void parts_of_huge_pages(enum bm_pci_access access)
{
	unsigned char *memory =
		mmap(NULL, 3 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *pages = memory + (HUGE - (uintptr_t)memory % HUGE) % HUGE;
	const struct bm_copy copy = {
		.from = pages + 5 * PAGE, .to = pages + HUGE + 300 * PAGE, .length = 2 * PAGE};
	struct bench *bench;

	ck_assert_ptr_ne(memory, MAP_FAILED);
	madvise(pages, 2 * HUGE, MADV_HUGEPAGE);
	pages_fill(pages, 2 * HUGE / PAGE, 4);
	bench = bench_open(access);
	bench_start(bench);
	ck_assert_int_eq(bm_pci_pin(bench->pins, &copy, 1), 0);
	ck_assert_int_eq(edu_copy(&bench->pci, bench->pins, &copy), 0);
	ck_assert_int_eq(bm_pci_unpin(bench->pins, 0), 0);
	ck_assert_int_eq(memcmp(copy.to, copy.from, copy.length), 0);
	bench_close(bench);
	munmap(memory, 3 * HUGE);
}
BY_BOTH(parts_of_huge_pages)

/* To be pinned such a page becomes our own; what the child has stays as it is. */
static void shared_with_a_child(enum bm_pci_access access)
{
	unsigned char *pages = pages_new(2, -1);
	const struct bm_copy copy = {.from = pages, .to = pages + PAGE, .length = PAGE};
	struct bench *bench;
	pid_t pid;

	pages_fill(pages, 1, 5);
	pid = sharer_begin(pages + PAGE, 0xa5);
	bench = bench_open(access);
	bench_start(bench);
	ck_assert_int_eq(bm_pci_pin(bench->pins, &copy, 1), 0);
	ck_assert_int_eq(edu_copy(&bench->pci, bench->pins, &copy), 0);
	ck_assert_int_eq(bm_pci_unpin(bench->pins, 0), 0);
	ck_assert_uint_eq(pages_wrong(pages + PAGE, 1, 5), 0);
	bench_close(bench);
	ck_assert(sharer_is_content(pid));
	pages_free(pages, 2);
}
BY_BOTH(shared_with_a_child)

static void one_ring(struct bench *bench, size_t size)
{
	unsigned char *source = pages_new(2, -1);
	const struct bm_copy copy = {.from = source, .to = source + PAGE, .length = PAGE};
	struct bm_pci_memory ring;
	size_t last, run, stale = 0;
	int error = bm_pci_memory_new(bench->space, size, &ring);

	/* By uio that is luck beyond a page. */
	ck_assert(error == 0 || (error == -EFBIG && !bm_pci_guards(bench->space) && size > PAGE));
	if (error)
		return;
	ck_assert_uint_ge(ring.size, size);
	ck_assert_uint_eq(ring.bus % size, 0);
	/* One assertion: a million of them take a minute in an emulator. */
	for (size_t i = 0; i < size; i++)
		stale += ((unsigned char *)ring.at)[i] != 0;
	ck_assert_uint_eq(stale, 0);
	last = size - EDU_PIECE;
	pages_fill(source, 1, (uint32_t)size);
	ck_assert_int_eq(bm_pci_pin(bench->pins, &copy, 1), 0);
	ck_assert_int_eq(edu_fetch(&bench->pci, bm_pci_bus(bench->pins, source, &run), EDU_PIECE),
			 0);
	ck_assert_int_eq(edu_store(&bench->pci, ring.bus + last, EDU_PIECE), 0);
	ck_assert_int_eq(bm_pci_unpin(bench->pins, 0), 0);
	ck_assert_int_eq(memcmp((unsigned char *)ring.at + last, source, EDU_PIECE), 0);
	bm_pci_memory_free(bench->space, &ring);
	pages_free(source, 2);
}

static void rings(enum bm_pci_access access)
{
	struct bench *bench;

	bench = bench_open(access);
	bench_start(bench);
	one_ring(bench, PAGE);
	one_ring(bench, 16 * PAGE);
	one_ring(bench, 256 * PAGE);
	bench_close(bench);
}
BY_BOTH(rings)

static const TTest *const *const uio_tests[] = {&uio_registers,
						&uio_only_as_master,
						&uio_quiet_in_the_middle,
						&uio_pages_are_exact,
						&uio_window_after_window,
						&uio_parts_of_huge_pages,
						&uio_shared_with_a_child,
						&uio_rings,
						NULL};
static const TTest *const *const vfio_tests[] = {&vfio_registers,
						 &vfio_only_as_master,
						 &vfio_quiet_in_the_middle,
						 &vfio_pages_are_exact,
						 &vfio_window_after_window,
						 &vfio_parts_of_huge_pages,
						 &vfio_shared_with_a_child,
						 &vfio_rings,
						 NULL};
const struct report_group uio_copies_group = {"pci_copies", uio_tests};
const struct report_group vfio_copies_group = {"pci_copies", vfio_tests};

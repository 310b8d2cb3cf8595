/* SPDX-License-Identifier: MIT */
/* pci_cost.c - what a pin costs, and how much a core would have copied in that time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "pci_support.h"

#define ROUNDS 101u
#define HUGE   (512 * PAGE)

struct spread {
	uint64_t low, middle, high; /* quartiles, ns */
};

static int by_size(const void *one, const void *other)
{
	const uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;

	return (a > b) - (a < b);
}

static struct spread spread_of(uint64_t *times)
{
	qsort(times, ROUNDS, sizeof(*times), by_size);
	return (struct spread){times[ROUNDS / 4], times[ROUNDS / 2], times[ROUNDS / 4 * 3]};
}

static struct spread copy_times(const struct bm_copy *copies, size_t count)
{
	uint64_t times[ROUNDS];

	for (size_t round = 0; round < ROUNDS; round++) {
		times[round] = now_ns();
		for (size_t i = 0; i < count; i++)
			memcpy(copies[i].to, copies[i].from, copies[i].length);
		times[round] = now_ns() - times[round];
	}
	return spread_of(times);
}

static void pin_times(struct bm_pci_pins *pins, const struct bm_copy *copies, size_t count,
		      struct spread spreads[2])
{
	uint64_t times[2][ROUNDS], start, middle;

	for (size_t round = 0; round < ROUNDS; round++) {
		start = now_ns();
		ck_assert_int_eq(bm_pci_pin(pins, copies, count), 0);
		middle = now_ns();
		ck_assert_int_eq(bm_pci_unpin(pins, 0), 0);
		times[0][round] = middle - start;
		times[1][round] = now_ns() - middle;
	}
	spreads[0] = spread_of(times[0]);
	spreads[1] = spread_of(times[1]);
}

static void print_times(const char *what, const struct spread pins[2], const struct spread *copy)
{
	printf("# pins: %s: pin %lu (%lu to %lu) ns, unpin %lu (%lu to %lu) ns, copying %lu (%lu "
	       "to "
	       "%lu) ns, ratio %.2f\n",
	       what, pins[0].middle, pins[0].low, pins[0].high, pins[1].middle, pins[1].low,
	       pins[1].high, copy->middle, copy->low, copy->high,
	       (double)(pins[0].middle + pins[1].middle) / (double)copy->middle);
}

/* So many copies of so many pages, with a page between one and the next. */
static void measure(struct bm_pci_pins *pins, const char *what, size_t count, size_t each)
{
	size_t step = (each + 1) * PAGE, pages = count * (each + 1);
	unsigned char *from = pages_new(pages, -1), *to = pages_new(pages, -1);
	struct bm_copy copies[BENCH_COPIES];
	struct spread times[2], copying;

	for (size_t i = 0; i < count; i++)
		copies[i] = (struct bm_copy){
			.from = from + i * step, .to = to + i * step, .length = each * PAGE};
	copying = copy_times(copies, count);
	pin_times(pins, copies, count, times);
	print_times(what, times, &copying);
	pages_free(from, pages);
	pages_free(to, pages);
}

/* Both in huge pages, where the kernel gives them when it is asked to. */
static void measure_huge(struct bm_pci_pins *pins)
{
	unsigned char *pages =
		mmap(NULL, 3 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uintptr_t start = ((uintptr_t)pages + HUGE - 1) / HUGE * HUGE;
	struct bm_copy copy = {.from = pages + (start - (uintptr_t)pages), .length = HUGE};
	struct spread times[2], copying;

	ck_assert_ptr_ne(pages, MAP_FAILED);
	copy.to = pages + (start - (uintptr_t)pages) + HUGE;
	madvise(copy.to, HUGE, MADV_HUGEPAGE);
	madvise(pages + (start - (uintptr_t)pages), HUGE, MADV_HUGEPAGE);
	memset(pages, 0xa5, 3 * HUGE);
	copying = copy_times(&copy, 1);
	pin_times(pins, &copy, 1, times);
	print_times("1 copy of a huge page", times, &copying);
	munmap(pages, 3 * HUGE);
}

static void measure_all(enum bm_pci_access access)
{
	struct bm_pci_found found;
	struct bm_pci_space *space;
	struct bm_pci_pins *pins;
	struct bm_pci pci = {.space = NULL};
	char why[BM_WHY_MAX];

	ck_assert_int_eq(bm_pci_space_new(pci_env(), access, &space, why), 0);
	/* Without a function there is no IOMMU to map anything for. */
	if (access == BM_PCI_VFIO) {
		pci_find(access, &found);
		ck_assert_int_eq(bm_pci_open(space, &found, 0, &pci, why), 0);
	}
	ck_assert_int_eq(bm_pci_pins_new(space, BENCH_BYTES, BENCH_COPIES, &pins), 0);
	measure(pins, "1 copy of 1 page", 1, 1);
	measure(pins, "1 copy of 512 pages", 1, 512);
	measure(pins, "256 copies of 1 page", 256, 1);
	measure_huge(pins);
	bm_pci_pins_free(pins);
	if (pci.space)
		bm_pci_close(&pci);
	bm_pci_space_free(space);
}

START_TEST(uio_pins)
{
	measure_all(BM_PCI_UIO);
}
END_TEST

START_TEST(vfio_pins)
{
	measure_all(BM_PCI_VFIO);
}
END_TEST

static const TTest *const *const uio_tests[] = {&uio_pins, NULL};
static const TTest *const *const vfio_tests[] = {&vfio_pins, NULL};
const struct report_group uio_cost_group = {"pci_cost", uio_tests};
const struct report_group vfio_cost_group = {"pci_cost", vfio_tests};

/* SPDX-License-Identifier: MIT */
/* pci_vfio.c - behind an IOMMU nothing is written but what is pinned. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>

#include "pci_support.h"

#define READ_ALL  3
#define LOG_BYTES (1 << 20)

/* How many faults the kernel has written of. It leaves some out when there are many. */
static unsigned int faults(void)
{
	char *text = malloc(LOG_BYTES), *at;
	unsigned int count = 0;
	int length;

	ck_assert_ptr_nonnull(text);
	length = klogctl(READ_ALL, text, LOG_BYTES - 1);
	ck_assert_int_gt(length, 0);
	text[length] = '\0';
	for (at = text; (at = strstr(at, "DMAR: [DMA ")); at++)
		count++;
	free(text);
	return count;
}

/* Fills the buffer of the device with the first page, by a copy that is allowed. */
static uint64_t fetch_pinned(struct bench *bench, unsigned char *pages)
{
	const struct bm_copy copy = {.from = pages, .to = pages + PAGE, .length = PAGE};
	uint64_t bus;
	size_t run;

	pages_fill(pages, 1, 9);
	ck_assert_int_eq(bm_pci_pin(bench->pins, &copy, 1), 0);
	ck_assert_int_eq(edu_fetch(&bench->pci, bm_pci_bus(bench->pins, pages, &run), EDU_PIECE),
			 0);
	bus = bm_pci_bus(bench->pins, pages + PAGE, &run);
	return bus;
}

START_TEST(unpinned_is_not_written)
{
	unsigned char *pages = pages_new(2, -1);
	unsigned int before;
	struct bench *bench;
	uint64_t bus;

	bench = bench_open(BM_PCI_VFIO);
	bench_start(bench);
	bus = fetch_pinned(bench, pages);
	ck_assert_int_eq(bm_pci_unpin(bench->pins, 0), 0);
	before = faults();
	ck_assert_int_eq(edu_store(&bench->pci, bus, EDU_PIECE), 0);
	for (size_t i = 0; i < PAGE; i++)
		ck_assert_uint_eq(pages[PAGE + i], 0xa5);
	ck_assert_uint_gt(faults(), before);
	/* And pinned again it is. */
	bus = fetch_pinned(bench, pages);
	ck_assert_int_eq(edu_store(&bench->pci, bus, EDU_PIECE), 0);
	ck_assert_int_eq(memcmp(pages, pages + PAGE, EDU_PIECE), 0);
	ck_assert_int_eq(bm_pci_unpin(bench->pins, 0), 0);
	bench_close(bench);
	pages_free(pages, 2);
}
END_TEST

/* Unpinned while the store is on its way: it does not come. */
START_TEST(unpinned_in_the_middle)
{
	unsigned char *pages = pages_new(2, -1);
	struct bench *bench;
	uint64_t bus;

	bench = bench_open(BM_PCI_VFIO);
	bench_start(bench);
	bus = fetch_pinned(bench, pages);
	edu_store_begin(&bench->pci, bus, EDU_PIECE);
	ck_assert_int_eq(bm_pci_unpin(bench->pins, 0), 0);
	ck_assert_uint_eq(pages[PAGE], 0xa5);
	ck_assert_int_eq(edu_wait(&bench->pci), 0);
	for (size_t i = 0; i < PAGE; i++)
		ck_assert_uint_eq(pages[PAGE + i], 0xa5);
	bench_close(bench);
	pages_free(pages, 2);
}
END_TEST

/* Sources are only read. */
START_TEST(sources_are_not_written)
{
	unsigned char *pages = pages_new(2, -1);
	struct bench *bench;
	size_t run;

	bench = bench_open(BM_PCI_VFIO);
	bench_start(bench);
	fetch_pinned(bench, pages);
	ck_assert_int_eq(
		edu_fetch(&bench->pci, bm_pci_bus(bench->pins, pages + PAGE, &run), EDU_PIECE), 0);
	ck_assert_int_eq(edu_store(&bench->pci, bm_pci_bus(bench->pins, pages, &run), EDU_PIECE),
			 0);
	ck_assert_uint_eq(pages_wrong(pages, 1, 9), 0);
	ck_assert_int_eq(bm_pci_unpin(bench->pins, 0), 0);
	bench_close(bench);
	pages_free(pages, 2);
}
END_TEST

/* ---------------------------------------------------------------- two of them */

#define FUNCTIONS 2

/* All that vfio-pci has, in one space. */
static void open_both(struct bm_pci_space *space, struct bm_pci *pci, char *why)
{
	const struct bm_pci_id id = {EDU_VENDOR, EDU_DEVICE};
	struct bm_pci_found all[8];
	int count = bm_pci_find(&bm_sys_linux, &id, 1, all, 8), open = 0;

	for (int i = 0; i < count && open < FUNCTIONS; i++) {
		if (strcmp(all[i].driver, "vfio-pci") != 0)
			continue;
		ck_assert_msg(bm_pci_open(space, &all[i], 0, &pci[open], why) == 0, "%s", why);
		ck_assert_int_eq(bm_pci_master(&pci[open++], 1), 0);
	}
	ck_assert_int_eq(open, FUNCTIONS);
}

static void copy_by(struct bm_pci *pci, struct bm_pci_pins *pins, unsigned char *pages,
		    uint32_t seed)
{
	const struct bm_copy copy = {.from = pages, .to = pages + PAGE, .length = PAGE};

	pages_fill(pages, 1, seed);
	ck_assert_int_eq(bm_pci_pin(pins, &copy, 1), 0);
	ck_assert_int_eq(edu_copy(pci, pins, &copy), 0);
	ck_assert_int_eq(bm_pci_unpin(pins, 0), 0);
	ck_assert_uint_eq(pages_wrong(pages + PAGE, 1, seed), 0);
}

/* What is pinned is so for both; also when one has gone, and come back, or both have. */
START_TEST(two_functions)
{
	unsigned char *pages = pages_new(2, -1);
	struct bm_pci pci[FUNCTIONS];
	struct bm_pci_space *space;
	struct bm_pci_pins *pins;
	char why[BM_WHY_MAX] = "";

	bench_end();
	ck_assert_int_eq(bm_pci_space_new(pci_env(), BM_PCI_VFIO, &space, why), 0);
	for (uint32_t round = 0; round < 2; round++) {
		open_both(space, pci, why);
		ck_assert_int_eq(bm_pci_pins_new(space, BENCH_BYTES, BENCH_COPIES, &pins), 0);
		copy_by(&pci[0], pins, pages, 20 + round);
		copy_by(&pci[1], pins, pages, 30 + round);
		bm_pci_close(&pci[round]);
		ck_assert_int_eq(bm_pci_is_master(&pci[1 - round]), 1);
		copy_by(&pci[1 - round], pins, pages, 40 + round);
		bm_pci_pins_free(pins);
		bm_pci_close(&pci[1 - round]);
	}
	bm_pci_space_free(space);
	pages_free(pages, 2);
}
END_TEST

static const TTest *const *const two_tests[] = {&two_functions, NULL};
const struct report_group vfio_two_group = {"pci_two", two_tests};

static const TTest *const *const tests[] = {&unpinned_is_not_written, &unpinned_in_the_middle,
					    &sources_are_not_written, NULL};
const struct report_group vfio_group = {"pci_vfio", tests};

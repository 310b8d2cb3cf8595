/* SPDX-License-Identifier: MIT */
/* ptdma_sizes.c - rings, lists and copies of all sizes, through the backend ptdma. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ptdma_scene.h"
#include "unit.h"

#define HUGE_PAGES 512u
#define MOST       256u /* copies of a window: lib/pieces.h */
#define FIT        512u /* and pages: lib/slab.h */

static const struct ptdma_config ptdma_1[1], ptdma_3[3];
static const struct ptdma_config ae4[1] = {{.ae4 = 1, .queues = 3}};

enum shape { APART, IN_A_ROW, BACKWARDS, FROM_IN_A_ROW, SHAPES };

/* At most FIT pages: one each, or as many as there is room for. */
static void make_list(size_t count, enum shape shape, size_t pages)
{
	pages = pages < pt.piece ? pages : pt.piece;
	pt_clear();
	for (size_t i = 0; i < count; i++) {
		size_t back = count - 1 - i;
		size_t to = shape == IN_A_ROW ? i : shape == BACKWARDS ? back : i * 2 + 1;
		size_t from = shape == APART ? back * 2 + 1 : i;

		pt_add(to * pages, from * pages, pages);
	}
}

static void run_list(void)
{
	int rc = pt_pin();

	pt_assert(rc == 0, "pin() of %zu copies gave %d", pt.count, rc);
	pt_assert(pt_drive(PT_EVER) == 0, "copies are not told of");
	pt_assert(pt.failed == 0 && pt.ended == pt.count,
		  "%zu failed, %zu of %zu ended, the last call gave %d", pt.failed, pt.ended,
		  pt.count, pt.end);
	pt_unpin();
	pt_compare("a list");
}

static void check_ring(uint32_t ring)
{
	struct ptdma_counts counts = pt_counted();

	pt_assert(counts.refused == 0 && counts.faults == 0 && counts.odd_writes == 0 &&
			  counts.masterless == 0,
		  "%lu refused, %lu faults, %lu odd writes, %lu without bus mastering",
		  (unsigned long)counts.refused, (unsigned long)counts.faults,
		  (unsigned long)counts.odd_writes, (unsigned long)counts.masterless);
	pt_assert(!ring || counts.most_waiting < ring, "%lu in a ring of %u",
		  (unsigned long)counts.most_waiting, ring);
}

static void try_ring(const struct ptdma_config *functions, size_t count, enum ptdma_driver driver,
		     uint32_t ring)
{
	static const size_t counts[] = {1, 2, 3, 7, 31, 32, 33, 127, 128, 129, 200, MOST};
	struct ptdma_sys_how how = {.driver = driver};

	pt_begin(functions, count, &how, ring);
	snprintf(pt.what, sizeof(pt.what), "driver %d, %zu functions%s, ring of %u", (int)driver,
		 count, functions->ae4 ? " ae4" : "", ring);
	pt_open();
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		for (int shape = 0; shape < SHAPES; shape++) {
			make_list(counts[i], (enum shape)shape, 1 + (counts[i] * 2 <= FIT));
			run_list();
		}
	}
	check_ring(functions->ae4 ? 32 : ring);
	pt_close();
}

START_TEST(rings_of_all_sizes)
{
	for (uint32_t ring = 2; ring <= 8192; ring *= 2)
		try_ring(ptdma_1, 1, PTDMA_VFIO_PCI, ring);
	try_ring(ptdma_3, 3, PTDMA_VFIO_PCI, 2);
	try_ring(ptdma_3, 3, PTDMA_VFIO_PCI, 64);
}
END_TEST

/* Without an IOMMU a ring lies in one page, or in a huge one. */
START_TEST(rings_in_memory_as_it_is)
{
	for (uint32_t ring = 2; ring <= 128; ring *= 2)
		try_ring(ptdma_1, 1, PTDMA_UIO_PCI, ring);
	try_ring(ptdma_3, 3, PTDMA_UIO_PCI, 4);
	try_ring(ptdma_3, 3, PTDMA_UIO_PCI, 0);
}
END_TEST

START_TEST(rings_of_ae4dma)
{
	try_ring(ae4, 1, PTDMA_VFIO_PCI, 0);
	try_ring(ae4, 1, PTDMA_UIO_PCI, 0);
}
END_TEST

/* More than memory that lies together: it says so, or makes do with less. */
START_TEST(rings_that_do_not_fit)
{
	struct ptdma_sys_how how = {.driver = PTDMA_UIO_PCI};
	int rc;

	for (uint32_t ring = 256; ring <= 8192; ring *= 2) {
		snprintf(pt.what, sizeof(pt.what), "uio, ring of %u", ring);
		pt_begin(ptdma_1, 1, &how, ring);
		rc = bm_backend_ptdma.open(&pt.env, &pt.engine);
		pt_assert(rc <= 0 && rc > -4096 && rc != -ENODEV, "open() gave %d", rc);
		pt_assert(rc == 0 || pt.lines[0], "open() gave %d and logged nothing", rc);
		if (rc < 0)
			pt.engine = NULL;
		pt_close();
	}
}
END_TEST

START_TEST(lists_of_all_lengths)
{
	static const enum ptdma_driver drivers[] = {PTDMA_VFIO_PCI, PTDMA_UIO_PCI};

	for (size_t way = 0; way < 2; way++) {
		struct ptdma_sys_how how = {.driver = drivers[way]};

		snprintf(pt.what, sizeof(pt.what), "driver %d", (int)drivers[way]);
		pt_begin(ptdma_1, 1, &how, 0);
		pt_open();
		for (size_t count = 1; count <= MOST; count += 1 + count / 40) {
			make_list(count, (enum shape)(count % SHAPES), 1);
			run_list();
		}
		check_ring(0);
		pt_close();
	}
}
END_TEST

/* A whole huge page is one copy; the channel takes it in pieces of its own size. */
static void try_huge(const struct ptdma_config *functions, enum ptdma_driver driver)
{
	struct ptdma_sys_how how = {.driver = driver};
	size_t piece;

	snprintf(pt.what, sizeof(pt.what), "huge, driver %d%s", (int)driver,
		 functions->ae4 ? ", ae4" : "");
	pt_begin(functions, 1, &how, 0);
	pt_open();
	piece = pt.piece < HUGE_PAGES ? pt.piece : HUGE_PAGES;
	for (size_t at = 0; at + HUGE_PAGES <= PT_PAGES; at += HUGE_PAGES) {
		pt_clear();
		for (size_t done = 0; done < HUGE_PAGES; done += piece)
			pt_add(at + done, (at + HUGE_PAGES) % PT_PAGES + done, piece);
		run_list();
	}
	check_ring(0);
	pt_close();
}

START_TEST(huge_pages)
{
	try_huge(ptdma_1, PTDMA_VFIO_PCI);
	try_huge(ptdma_1, PTDMA_UIO_PCI);
	try_huge(ae4, PTDMA_VFIO_PCI);
	try_huge(ae4, PTDMA_UIO_PCI);
}
END_TEST

/* What lies side by side here and there is one descriptor with an IOMMU that maps it so. */
START_TEST(few_descriptors_for_long_copies)
{
	struct ptdma_sys_how how = {.driver = PTDMA_VFIO_PCI};
	uint64_t before;

	snprintf(pt.what, sizeof(pt.what), "long copies");
	pt_begin(ptdma_1, 1, &how, 0);
	pt_open();
	before = pt_counted().descriptors;
	for (size_t i = 0; i < 8; i++)
		pt_add(i * 65, i * 65, 64);
	run_list();
	pt_assert(pt_counted().descriptors - before <= 16, "%lu descriptors for 8 copies",
		  (unsigned long)(pt_counted().descriptors - before));
	pt_close();
}
END_TEST

static const TTest *const *const tests[] = {&rings_of_all_sizes,
					    &rings_in_memory_as_it_is,
					    &rings_of_ae4dma,
					    &rings_that_do_not_fit,
					    &lists_of_all_lengths,
					    &huge_pages,
					    &few_descriptors_for_long_copies,
					    NULL};
const struct report_group ptdma_sizes_group = {"ptdma_sizes", tests};

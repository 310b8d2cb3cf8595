/* SPDX-License-Identifier: MIT */
/* pci_pins.c - pages that are pinned, and the bus addresses that they have. */
#include "pci_scene.h"
#include "unit.h"

#define FROM    UINT64_C(0x7e0000000000)
#define TO      UINT64_C(0x7f0000000000)
#define COPIES  64u
#define SOURCE  VFIO_DMA_MAP_FLAG_READ
#define TARGET  (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)
#define PAGES_0 0x100u /* all that a set of pins takes */

static struct bm_copy copies[COPIES];
static size_t count;
static struct bm_pci_pins *pins;
static struct bm_pci opened;

static void begin(enum bm_pci_access access)
{
	pci_begin(access == BM_PCI_VFIO ? "vfio-pci" : "uio_pci_generic");
	pci_space(access);
	opened = pci_opened(PCI_A);
	ck_assert_int_eq(bm_pci_pins_new(pci.space, PAGES_0 * PCI_PAGE, COPIES, &pins), 0);
	count = 0;
}

static void end(void)
{
	bm_pci_pins_free(pins);
	bm_pci_close(&opened);
	pci_end();
}

/* By pages from the beginnings. */
static void add(uint64_t to, uint64_t from, size_t pages)
{
	copies[count++] = (struct bm_copy){(void *)(uintptr_t)(TO + to * PCI_PAGE),
					   (const void *)(uintptr_t)(FROM + from * PCI_PAGE),
					   pages * PCI_PAGE, 0};
}

static void add_usual(void)
{
	add(10, 0, 1);
	add(11, 1, 2);
	add(13, 5, 1); /* upwards in the targets only */
	add(8, 4, 1);  /* downwards in the sources only */
	add(7, 9, 1);
}

static uint64_t bus(uint64_t addr, size_t *run)
{
	return bm_pci_bus(pins, (const void *)(uintptr_t)addr, run);
}

static const uint64_t source_runs[][2] = {{0, 3}, {4, 2}, {9, 1}};
static const uint64_t target_runs[][2] = {{10, 4}, {7, 2}};

/* By vfio, with the windows that a test has set. */
static void pin_usual(void)
{
	pci_space(BM_PCI_VFIO);
	opened = pci_opened(PCI_A);
	ck_assert_int_eq(bm_pci_pins_new(pci.space, PAGES_0 * PCI_PAGE, COPIES, &pins), 0);
	count = 0;
	add_usual();
	ck_assert_int_eq(bm_pci_pin(pins, copies, count), 0);
}

/* What is between the runs is touched by nobody. */
START_TEST(mapped_are_the_runs_and_nothing_else)
{
	begin(BM_PCI_VFIO);
	add_usual();
	ck_assert_int_eq(bm_pci_pin(pins, copies, count), 0);
	ck_assert_uint_eq(pci.map_count, 5);
	for (size_t i = 0; i < 3; i++)
		ck_assert(pci_is_mapped(FROM + source_runs[i][0] * PCI_PAGE,
					FROM + source_runs[i][0] * PCI_PAGE,
					source_runs[i][1] * PCI_PAGE, SOURCE));
	for (size_t i = 0; i < 2; i++)
		ck_assert(pci_is_mapped(TO + target_runs[i][0] * PCI_PAGE,
					TO + target_runs[i][0] * PCI_PAGE,
					target_runs[i][1] * PCI_PAGE, TARGET));
	ck_assert_int_eq(bm_pci_unpin(pins, 0), 0);
	ck_assert_uint_eq(pci.map_count, 0);
	ck_assert_uint_eq(pci.unmap_calls, 5);
	ck_assert_int_eq(bm_pci_unpin(pins, 0), 0);
	ck_assert_uint_eq(pci.unmap_calls, 5);
	end();
}
END_TEST

static int is_pinned(uint64_t addr, uint64_t pages)
{
	for (size_t side = 0; side < PCI_PINNERS; side++)
		for (size_t i = 0; i < pci.pinned_count[side]; i++)
			if ((uint64_t)(uintptr_t)pci.pinned[side][i].iov_base == addr &&
			    pci.pinned[side][i].iov_len == pages * PCI_PAGE)
				return 1;
	return 0;
}

START_TEST(pinned_are_the_runs_and_nothing_else)
{
	begin(BM_PCI_UIO);
	add_usual();
	ck_assert_int_eq(bm_pci_pin(pins, copies, count), 0);
	ck_assert_uint_eq(pci.pin_calls, 2);
	ck_assert_uint_eq(pci_pinned_all(), 5);
	for (size_t i = 0; i < 3; i++)
		ck_assert(is_pinned(FROM + source_runs[i][0] * PCI_PAGE, source_runs[i][1]));
	for (size_t i = 0; i < 2; i++)
		ck_assert(is_pinned(TO + target_runs[i][0] * PCI_PAGE, target_runs[i][1]));
	ck_assert_int_eq(bm_pci_unpin(pins, 0), 0);
	ck_assert_uint_eq(pci_pinned_all(), 0);
	end();
}
END_TEST

START_TEST(long_runs_in_both_directions)
{
	size_t run;

	for (int access = BM_PCI_VFIO; access <= BM_PCI_UIO; access++) {
		begin((enum bm_pci_access)access);
		pci.frames_together = 1u << 20;
		for (uint64_t i = 0; i < COPIES; i++)
			add(200 - 3 * i, 3 * i, 3);
		ck_assert_int_eq(bm_pci_pin(pins, copies, count), 0);
		ck_assert_uint_eq(pci.map_calls + pci.pin_calls, 2);
		ck_assert_uint_eq(pci.map_count + pci_pinned_all(), 2);
		bus(FROM + PCI_PAGE, &run);
		ck_assert_uint_eq(run, (3 * COPIES - 1) * PCI_PAGE);
		bus(TO + 11 * PCI_PAGE, &run);
		ck_assert_uint_eq(run, (3 * COPIES) * PCI_PAGE);
		ck_assert_int_eq(bm_pci_unpin(pins, 0), 0);
		end();
	}
}
END_TEST

/* In any order, and in the middle of a page. */
START_TEST(addresses_by_vfio)
{
	size_t run;

	begin(BM_PCI_VFIO);
	add_usual();
	ck_assert_int_eq(bm_pci_pin(pins, copies, count), 0);
	for (int times = 0; times < 2; times++) {
		ck_assert_uint_eq(bus(FROM + 9 * PCI_PAGE, &run), FROM + 9 * PCI_PAGE);
		ck_assert_uint_eq(run, PCI_PAGE);
		ck_assert_uint_eq(bus(TO + 7 * PCI_PAGE, &run), TO + 7 * PCI_PAGE);
		ck_assert_uint_eq(run, 2 * PCI_PAGE);
		ck_assert_uint_eq(bus(FROM + 5000, &run), FROM + 5000);
		ck_assert_uint_eq(run, 3 * PCI_PAGE - 5000);
		ck_assert_uint_eq(bus(TO + 13 * PCI_PAGE, &run), TO + 13 * PCI_PAGE);
	}
	ck_assert_uint_eq(bus(FROM + 3 * PCI_PAGE, &run), UINT64_MAX);
	ck_assert_uint_eq(run, 0);
	ck_assert_int_eq(bm_pci_unpin(pins, 0), 0);
	ck_assert_uint_eq(bus(FROM, &run), UINT64_MAX);
	end();
}
END_TEST

/* Frames of the scene follow each other up to each 8th page; a run ends there or before. */
START_TEST(addresses_by_uio)
{
	size_t run;

	begin(BM_PCI_UIO);
	add(0, 6, 20);
	ck_assert_int_eq(bm_pci_pin(pins, copies, count), 0);
	for (uint64_t page = 6; page < 26; page++) {
		uint64_t number = FROM / PCI_PAGE + page, within = page % 3 * 7;
		uint64_t frame = PCI_FRAME + number / 8 * 16 + number % 8;
		uint64_t left = 8 - number % 8 < 26 - page ? 8 - number % 8 : 26 - page;

		ck_assert_uint_eq(bus(FROM + page * PCI_PAGE + within, &run),
				  frame * PCI_PAGE + within);
		ck_assert_uint_eq(run, left * PCI_PAGE - within);
	}
	ck_assert_int_eq(bm_pci_unpin(pins, 0), 0);
	end();
}
END_TEST

/* Two runs whose frames would follow each other are two nevertheless. */
START_TEST(addresses_by_uio_end_with_their_run)
{
	size_t run;

	begin(BM_PCI_UIO);
	pci.frames_together = 1u << 20;
	add(0, 0, 5); /* leaves numbers behind that would go on */
	ck_assert_int_eq(bm_pci_pin(pins, copies, count), 0);
	ck_assert_int_eq(bm_pci_unpin(pins, 0), 0);
	count = 0;
	add(0, 0, 2);
	add(3, 3, 2);
	ck_assert_int_eq(bm_pci_pin(pins, copies, count), 0);
	bus(FROM, &run);
	ck_assert_uint_eq(run, 2 * PCI_PAGE);
	bus(FROM + 4 * PCI_PAGE, &run);
	ck_assert_uint_eq(run, PCI_PAGE);
	ck_assert_int_eq(bm_pci_unpin(pins, 0), 0);
	end();
}
END_TEST

/* ---------------------------------------------------------------- bus addresses that there are */

static struct vfio_iova_range low[] = {{0, 0xfedfffff}, {0xfef00000, 0xffffffff}};
/* The second run of sources has its own address, the first and the targets have not. */
static struct vfio_iova_range odd[] = {{0x10000000, 0x1fffffff},
				       {FROM + 4 * PCI_PAGE, FROM + 6 * PCI_PAGE - 1},
				       {UINT64_C(1) << 48, (UINT64_C(1) << 52) - 1}};

START_TEST(addresses_where_the_iommu_has_few)
{
	uint64_t first, second;
	size_t run;

	pci_begin("vfio-pci");
	pci.ranges = low;
	pci.range_count = 2;
	pin_usual();
	first = bus(FROM + PCI_PAGE, &run);
	ck_assert_uint_eq(run, 2 * PCI_PAGE);
	ck_assert_uint_le(first, 0xffffffff);
	second = bus(FROM + 4 * PCI_PAGE, &run);
	ck_assert_uint_ne(first, second);
	ck_assert(pci_is_mapped(second, FROM + 4 * PCI_PAGE, 2 * PCI_PAGE, SOURCE));
	ck_assert(pci_is_mapped(bus(TO + 7 * PCI_PAGE, &run), TO + 7 * PCI_PAGE, 2 * PCI_PAGE,
				TARGET));
	ck_assert_int_eq(bm_pci_unpin(pins, 0), 0);
	end();
}
END_TEST

START_TEST(addresses_where_the_iommu_has_odd_ones)
{
	size_t run;

	pci_begin("vfio-pci");
	pci.ranges = odd;
	pci.range_count = 3;
	pci.other_caps = 1;
	pin_usual();
	ck_assert_uint_eq(bus(FROM + 4 * PCI_PAGE, &run), FROM + 4 * PCI_PAGE);
	ck_assert_uint_le(bus(FROM, &run), 0x1fffffff);
	ck_assert_uint_le(bus(TO + 7 * PCI_PAGE, &run), 0x1fffffff);
	end();
}
END_TEST

START_TEST(addresses_where_the_kernel_tells_none)
{
	size_t run;

	pci_begin("vfio-pci");
	pci.no_ranges = 1;
	pci.range_count = 0;
	pin_usual();
	ck_assert_uint_lt(bus(FROM, &run), 0xfee00000);
	end();
}
END_TEST

/* Each set of pins has addresses of its own, and leaves them to the next one. */
START_TEST(addresses_of_many_channels)
{
	struct bm_pci_pins *all[8];
	size_t run, made = 0;
	int rc = 0;

	pci_begin("vfio-pci");
	low[0].end = 0x1ffffff; /* 31 MiB, without the first one */
	pci.ranges = low;
	pci.range_count = 1;
	pci_space(BM_PCI_VFIO);
	opened = pci_opened(PCI_A);
	while (made < 8 && rc == 0) {
		rc = bm_pci_pins_new(pci.space, 4u << 20, 4, &all[made]);
		made += rc == 0;
	}
	ck_assert_int_eq(rc, -ENOSPC);
	ck_assert_uint_eq(made, 3);
	for (size_t i = 0; i < made; i++) {
		count = 0;
		add(i, i, 1);
		ck_assert_int_eq(bm_pci_pin(all[i], copies, 1), 0);
		pins = all[i];
		ck_assert_uint_le(bus(FROM + i * PCI_PAGE, &run), 0x1ffffff);
	}
	ck_assert_uint_eq(pci.map_count, 6);
	bm_pci_pins_free(all[1]);
	ck_assert_int_eq(bm_pci_pins_new(pci.space, 4u << 20, 4, &all[1]), 0);
	for (size_t i = 0; i < made; i++)
		bm_pci_pins_free(all[i]);
	low[0].end = 0xfedfffff;
	bm_pci_close(&opened);
	pci_end();
}
END_TEST

static const TTest *const *const tests[] = {&mapped_are_the_runs_and_nothing_else,
					    &pinned_are_the_runs_and_nothing_else,
					    &long_runs_in_both_directions,
					    &addresses_by_vfio,
					    &addresses_by_uio,
					    &addresses_by_uio_end_with_their_run,
					    &addresses_where_the_iommu_has_few,
					    &addresses_where_the_iommu_has_odd_ones,
					    &addresses_where_the_kernel_tells_none,
					    &addresses_of_many_channels,
					    NULL};

const struct report_group pci_pins_group = {"pci_pins", tests};

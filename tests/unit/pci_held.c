/* SPDX-License-Identifier: MIT */
/* pci_held.c - what stays pinned and what does not, and memory for rings. */
#include "pci_scene.h"
#include "unit.h"

#define FROM UINT64_C(0x7e0000000000)
#define TO   UINT64_C(0x7f0000000000)

static struct bm_pci_pins *pins;
static struct bm_pci opened;
static struct bm_copy copies[4];

static void begin(enum bm_pci_access access)
{
	pci_begin(access == BM_PCI_VFIO ? "vfio-pci" : "uio_pci_generic");
	pci_space(access);
	opened = pci_opened(PCI_A);
	ck_assert_int_eq(bm_pci_pins_new(pci.space, 8 * PCI_PAGE, 4, &pins), 0);
	for (uint64_t i = 0; i < 4; i++)
		copies[i] = (struct bm_copy){(void *)(uintptr_t)(TO + 2 * i * PCI_PAGE),
					     (const void *)(uintptr_t)(FROM + 3 * i * PCI_PAGE),
					     PCI_PAGE, 0};
}

static void end(void)
{
	bm_pci_pins_free(pins);
	bm_pci_close(&opened);
	pci_end();
}

START_TEST(too_much_is_refused_before_anything_is_pinned)
{
	struct bm_copy many[6];

	for (int access = BM_PCI_VFIO; access <= BM_PCI_UIO; access++) {
		begin((enum bm_pci_access)access);
		copies[3].length = 6 * PCI_PAGE;
		ck_assert_int_eq(bm_pci_pin(pins, copies, 4), -E2BIG);
		for (size_t i = 0; i < 6; i++)
			many[i] = (struct bm_copy){(void *)(uintptr_t)(TO + 2 * i * PCI_PAGE),
						   (const void *)(uintptr_t)(FROM + i * PCI_PAGE),
						   PCI_PAGE, 0};
		ck_assert_int_eq(bm_pci_pin(pins, many, 6), -E2BIG);
		ck_assert_uint_eq(pci.map_calls + pci.pin_calls, 0);
		copies[3].length = 5 * PCI_PAGE;
		ck_assert_int_eq(bm_pci_pin(pins, copies, 4), 0);
		end();
	}
}
END_TEST

/* io_uring takes 1 GiB a buffer; what is longer is cut. */
START_TEST(long_copies_are_cut)
{
	struct bm_pci_pins *large;
	size_t run;

	begin(BM_PCI_VFIO);
	ck_assert_int_eq(bm_pci_pins_new(pci.space, (size_t)5 << 29, 1, &large), 0);
	copies[0].length = (size_t)5 << 29;
	ck_assert_int_eq(bm_pci_pin(large, copies, 1), 0);
	ck_assert_uint_eq(pci.map_count, 6);
	bm_pci_bus(large, (const void *)(uintptr_t)(FROM + ((size_t)1 << 31)), &run);
	ck_assert_uint_eq(run, (size_t)1 << 29);
	bm_pci_pins_free(large);
	end();
}
END_TEST

START_TEST(targets_are_kept_where_nothing_else_guards_them)
{
	begin(BM_PCI_UIO);
	ck_assert_int_eq(bm_pci_pin(pins, copies, 4), 0);
	ck_assert_int_eq(bm_pci_unpin(pins, 1), 0);
	ck_assert_uint_eq(pci_pinned_all(), 4);
	ck_assert_uint_eq((uintptr_t)pci.pinned[1][0].iov_base, TO);
	ck_assert_int_eq(bm_pci_pin(pins, copies, 4), -EBUSY);
	ck_assert_int_eq(bm_pci_unpin(pins, 1), 0);
	ck_assert_uint_eq(pci_pinned_all(), 4);
	ck_assert_int_eq(bm_pci_unpin(pins, 0), 0);
	ck_assert_uint_eq(pci_pinned_all(), 0);
	ck_assert_int_eq(bm_pci_pin(pins, copies, 4), 0);
	end();
	begin(BM_PCI_VFIO);
	ck_assert_int_eq(bm_pci_pin(pins, copies, 4), 0);
	ck_assert_int_eq(bm_pci_unpin(pins, 1), 0);
	ck_assert_uint_eq(pci.map_count, 0);
	end();
}
END_TEST

/* Told, and done again until it is done. */
START_TEST(unmapping_fails)
{
	static const int errors[] = {-EFAULT, -ERANGE};

	for (size_t i = 0; i < 2; i++) {
		begin(BM_PCI_VFIO);
		ck_assert_int_eq(bm_pci_pin(pins, copies, 4), 0);
		pci.unmap_error = errors[i];
		pci.unmap_errors = 2;
		ck_assert_int_eq(bm_pci_unpin(pins, 0), errors[i] == -ERANGE ? -EIO : errors[i]);
		ck_assert_uint_eq(pci.map_count, 2);
		ck_assert_int_eq(bm_pci_pin(pins, copies, 4), -EBUSY);
		ck_assert_int_eq(bm_pci_unpin(pins, 0), 0);
		ck_assert_uint_eq(pci.map_count, 0);
		end();
	}
}
END_TEST

START_TEST(unpinning_fails)
{
	begin(BM_PCI_UIO);
	ck_assert_int_eq(bm_pci_pin(pins, copies, 4), 0);
	pci.unpin_error = -EINTR;
	pci.unpin_errors = 1;
	ck_assert_int_eq(bm_pci_unpin(pins, 0), -EINTR);
	ck_assert_uint_eq(pci_pinned_all(), 4);
	ck_assert_int_eq(bm_pci_unpin(pins, 0), 0);
	ck_assert_uint_eq(pci_pinned_all(), 0);
	end();
}
END_TEST

/* At each place: nothing is pinned after an error. */
START_TEST(pinning_fails)
{
	for (int access = BM_PCI_VFIO; access <= BM_PCI_UIO; access++) {
		begin((enum bm_pci_access)access);
		for (unsigned long at = 1;; at++) {
			int rc;

			pci.calls = 0;
			pci.failed = 0;
			pci.fail_at = at;
			rc = bm_pci_pin(pins, copies, 4);
			pci.fail_at = 0;
			if (!pci.failed)
				break;
			ck_assert_int_eq(rc, -EIO);
			ck_assert_uint_eq(pci.map_count + pci_pinned_all(), 0);
		}
		ck_assert_uint_ge(pci.calls, 8);
		ck_assert_int_eq(bm_pci_unpin(pins, 0), 0);
		end();
	}
}
END_TEST

START_TEST(pinning_without_frames)
{
	static const int errors[] = {-EFAULT, -EPERM, -EIO};

	begin(BM_PCI_UIO);
	for (size_t i = 0; i < 3; i++) {
		pci.frames_error = errors[i];
		ck_assert_int_eq(bm_pci_pin(pins, copies, 4), errors[i]);
		ck_assert_uint_eq(pci_pinned_all(), 0);
	}
	pci.frames_error = 0;
	pci.pin_error = -ENOMEM;
	ck_assert_int_eq(bm_pci_pin(pins, copies, 4), -ENOMEM);
	end();
	begin(BM_PCI_VFIO);
	pci.map_error = -ENOMEM;
	ck_assert_int_eq(bm_pci_pin(pins, copies, 4), -ENOMEM);
	end();
}
END_TEST

/* An address at which something may still be mapped goes to nobody. */
START_TEST(addresses_that_cannot_be_unmapped_are_lost)
{
	static struct vfio_iova_range range = {0, 0x100000 + 4 * PCI_PAGE - 1};
	struct bm_pci_pins *next;

	pci_begin("vfio-pci");
	pci.ranges = &range;
	pci.range_count = 1;
	pci_space(BM_PCI_VFIO);
	opened = pci_opened(PCI_A);
	ck_assert_int_eq(bm_pci_pins_new(pci.space, 2 * PCI_PAGE, 1, &pins), 0);
	copies[0] =
		(struct bm_copy){(void *)(uintptr_t)TO, (const void *)(uintptr_t)FROM, PCI_PAGE, 0};
	ck_assert_int_eq(bm_pci_pin(pins, copies, 1), 0);
	pci.unmap_error = -EFAULT;
	pci.unmap_errors = 1;
	bm_pci_pins_free(pins);
	ck_assert_uint_eq(pci.map_count, 1);
	ck_assert_int_eq(bm_pci_pins_new(pci.space, 2 * PCI_PAGE, 1, &next), -ENOSPC);
	pci.map_count = 0; /* ends with the group */
	bm_pci_close(&opened);
	pci_end();
}
END_TEST

/* ---------------------------------------------------------------- rings */

static void check_memory(size_t size)
{
	struct bm_pci_memory memory;
	int rc = bm_pci_memory_new(pci.space, size, &memory);
	const unsigned char *bytes;

	ck_assert_msg(rc == 0, "%zu bytes: error %d", size, -rc);
	ck_assert_uint_eq(memory.bus % size, 0);
	ck_assert_uint_eq(memory.size, size);
	bytes = memory.at;
	for (size_t i = 0; i < size; i++)
		ck_assert_uint_eq(bytes[i], 0);
	if (bm_pci_guards(pci.space))
		ck_assert(pci_is_mapped(memory.bus, (uint64_t)(uintptr_t)memory.at,
					size < PCI_PAGE ? PCI_PAGE : size,
					VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE));
	else
		ck_assert_uint_eq(pci_pinned_all(), 1);
	bm_pci_memory_free(pci.space, &memory);
	ck_assert_uint_eq(pci.map_count + pci_pinned_all(), 0);
}

START_TEST(rings_lie_together)
{
	begin(BM_PCI_VFIO);
	for (size_t size = 32; size <= PCI_HUGE; size *= 4)
		check_memory(size);
	end();
	begin(BM_PCI_UIO);
	pci.frames_together = 512;
	for (size_t size = 32; size <= PCI_HUGE; size *= 4)
		check_memory(size);
	end();
}
END_TEST

START_TEST(rings_that_would_not_lie_together)
{
	struct bm_pci_memory memory;

	begin(BM_PCI_UIO);
	pci.frames_together = 4;
	check_memory(PCI_PAGE);
	check_memory(4 * PCI_PAGE);
	ck_assert_int_eq(bm_pci_memory_new(pci.space, 8 * PCI_PAGE, &memory), -EFBIG);
	ck_assert_int_eq(bm_pci_memory_new(pci.space, 2 * PCI_HUGE, &memory), -EFBIG);
	pci.env.huge_size = 0;
	ck_assert_int_eq(bm_pci_memory_new(pci.space, 2 * PCI_PAGE, &memory), -EFBIG);
	check_memory(PCI_PAGE);
	end();
}
END_TEST

START_TEST(rings_beyond_the_limit_are_told_of)
{
	struct bm_pci_memory memory;

	begin(BM_PCI_VFIO);
	pci.map_error = -ENOMEM;
	ck_assert_int_eq(bm_pci_memory_new(pci.space, 65536, &memory), -ENOMEM);
	ck_assert_ptr_nonnull(strstr(pci.lines, "65536 bytes"));
	ck_assert_ptr_nonnull(strstr(pci.lines, "RLIMIT_MEMLOCK (ulimit -l)"));
	end();
}
END_TEST

static enum bm_pci_access way;

static void work_round(void)
{
	struct bm_pci_memory small, large;
	struct bm_pci_found found;
	int rc;

	pci.command = 0x0400;
	if (bm_pci_space_new(&pci.env, way, &pci.space, pci.why) < 0)
		return;
	rc = bm_pci_look(&pci.sys, PCI_A, &found);
	if (rc == 0 && bm_pci_open(pci.space, &found, 2, &opened, pci.why) == 0) {
		if (bm_pci_memory_new(pci.space, 1024, &small) == 0) {
			if (bm_pci_memory_new(pci.space, 4 * PCI_PAGE, &large) == 0)
				bm_pci_memory_free(pci.space, &large);
			bm_pci_memory_free(pci.space, &small);
		}
		if (bm_pci_pins_new(pci.space, 8 * PCI_PAGE, 4, &pins) == 0) {
			bm_pci_pin(pins, copies, 4);
			bm_pci_pins_free(pins);
		}
		bm_pci_close(&opened);
	}
	bm_pci_space_free(pci.space);
	pci.space = NULL;
}

START_TEST(nothing_leaks_when_a_call_fails)
{
	for (int access = BM_PCI_VFIO; access <= BM_PCI_UIO; access++) {
		begin((enum bm_pci_access)access);
		end();
		pci_begin(access == BM_PCI_VFIO ? "vfio-pci" : "uio_pci_generic");
		way = (enum bm_pci_access)access;
		ck_assert_uint_gt(pci_try_each(work_round), 35);
		pci_end();
	}
}
END_TEST

static const TTest *const *const tests[] = {&too_much_is_refused_before_anything_is_pinned,
					    &long_copies_are_cut,
					    &targets_are_kept_where_nothing_else_guards_them,
					    &unmapping_fails,
					    &unpinning_fails,
					    &pinning_fails,
					    &pinning_without_frames,
					    &addresses_that_cannot_be_unmapped_are_lost,
					    &rings_lie_together,
					    &rings_that_would_not_lie_together,
					    &rings_beyond_the_limit_are_told_of,
					    &nothing_leaks_when_a_call_fails,
					    NULL};

const struct report_group pci_held_group = {"pci_held", tests};

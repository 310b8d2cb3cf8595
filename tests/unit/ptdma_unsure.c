/* SPDX-License-Identifier: MIT */
/* ptdma_unsure.c - functions that cannot be made quiet: what stays pinned, and until when. */
#include <errno.h>
#include <linux/pci_regs.h>

#include "ptdma_bed.h"
#include "unit.h"

#define COUNT    20
#define LONG     UINT64_C(50000000)
#define GROUP_FD 7

static struct bm_copy copies[BED_PAGES];

static struct bm_ptdma_function *function(void)
{
	return &bed.engine->functions[0];
}

static void begin(unsigned int channels, uint32_t slots, uint32_t rings)
{
	int each = COUNT / (int)channels;

	bed_begin(1, slots, rings);
	bed_copies(copies, COUNT, 0);
	for (int i = 0; i < (int)channels; i++) {
		struct bm_channel *channel = bed_channel(i);

		ck_assert_int_eq(bm_backend_ptdma.pin(channel, copies + i * each, (size_t)each), 0);
		ck_assert_int_eq(bm_backend_ptdma.submit(channel, copies + i * each, (size_t)each),
				 each);
	}
}

/* Nothing that is tried makes it quiet. */
static void refuse(void)
{
	bed.refuses = 1;
	bed.reset_error = -ENOTTY;
}

/* Its copies are never told, and targets stay pinned until it is quiet. */
static void stay_unsure(int guards)
{
	begin(1, 128, 1);
	bed.engine->guards = guards;
	refuse();
	bed_put(0, BM_PTDMA_QUEUE + BM_PTDMA_INT_STATUS, BM_PTDMA_INT_ERROR);
	bed.clock += LONG;
	ck_assert_int_eq(bed_reap(bed_channel(0)), -EIO);
	ck_assert_int_eq(bm_backend_ptdma.submit(bed_channel(0), copies, 1), -ENODEV);
	ck_assert_int_eq(bm_backend_ptdma.unpin(bed_channel(0)), 1);
	ck_assert_uint_eq(bed.kept, 1);
	ck_assert_int_eq(bm_backend_ptdma.pin(bed_channel(0), copies, COUNT), -EBUSY);
	ck_assert_int_eq(bm_backend_ptdma.settle(bed_channel(0)), 0);
	ck_assert_int_eq(bed_reap(bed_channel(0)), 0);
	ck_assert_uint_eq(bed.unpins, 1);
	bed.refuses = 0;
	ck_assert_int_eq(bm_backend_ptdma.settle(bed_channel(0)), 1);
	ck_assert_uint_eq(bed.unpins, 2);
	ck_assert_uint_eq(bed.kept, 1);
	bed_end();
}

/* Also where an IOMMU stands before them: the next window would open it again. */
START_TEST(unsure_is_kept)
{
	stay_unsure(0);
	stay_unsure(1);
}
END_TEST

/* Bus mastering stays on, but a reset is done: whoever comes last sets it up again. */
START_TEST(nobody_has_it)
{
	begin(1, 0, 1);
	bed_step(0, COUNT);
	bed.clock += LONG;
	ck_assert_int_eq(bed_reap(bed_channel(0)), COUNT);
	refuse();
	bm_ptdma_halt(function());
	ck_assert_int_eq(bm_backend_ptdma.unpin(bed_channel(0)), 0);
	ck_assert_uint_eq(bed.engine->rings[0].taken, 0);
	ck_assert_int_eq(bm_ptdma_how(function()), BM_PTDMA_UNSURE);
	bed.refuses = bed.reset_error = 0;
	ck_assert_int_eq(bm_backend_ptdma.settle(bed_channel(0)), 1);
	ck_assert_int_eq(bm_ptdma_how(function()), BM_PTDMA_LIVE);
	ck_assert_int_eq(bm_backend_ptdma.pin(bed_channel(0), copies, COUNT), 0);
	bed_run(bed_channel(0), copies, COUNT);
	ck_assert_uint_eq(bed.told_errors, 0);
	bed_verify(copies, COUNT);
	ck_assert_int_eq(bm_backend_ptdma.unpin(bed_channel(0)), 0);
	bed_end();
}
END_TEST

static void let_go(struct bm_pci *pci)
{
	pci->group = -1;
	bed.space.groups[0].users = 0;
}

/* Registers are memory of the test. */
static int no_unmap(uint64_t addr, size_t size)
{
	(void)addr;
	(void)size;
	return 0;
}

/* It is closed for good once no channel looks at its registers any more, not before. */
START_TEST(the_last_channel_cuts_it_off)
{
	begin(2, 0, 2);
	bed.way.guards = bed.engine->guards = 1;
	bed.way.let_go = let_go;
	bed.sys.unmap = no_unmap;
	bed.space.groups[0] = (struct bm_pci_group){.number = 14, .fd = GROUP_FD, .users = 1};
	function()->pci.group = GROUP_FD;
	refuse();
	ck_assert_int_eq(bm_backend_ptdma.unpin(bed_channel(0)), 1);
	ck_assert_int_eq(bm_ptdma_how(function()), BM_PTDMA_UNSURE);
	/* The other one may be reading a register now. */
	ck_assert_int_eq(bm_backend_ptdma.settle(bed_channel(0)), 0);
	ck_assert_uint_eq(bed.resets, 0);
	ck_assert_uint_eq(bed.space.groups[0].users, 1);
	ck_assert_int_eq(bm_backend_ptdma.unpin(bed_channel(1)), 1);
	ck_assert_int_eq(bm_backend_ptdma.settle(bed_channel(0)), 1);
	ck_assert_uint_eq(bed.space.groups[0].users, 0);
	ck_assert_int_eq(bm_ptdma_how(function()), BM_PTDMA_DEAD);
	ck_assert_int_eq(bm_backend_ptdma.settle(bed_channel(1)), 1);
	ck_assert_uint_eq(function()->left, 0);
	bed_end();
}
END_TEST

/* The pages are not kept from users until the other channel has come back for its ring. */
START_TEST(left_by_another_channel)
{
	begin(2, 0, 2);
	refuse();
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(bm_backend_ptdma.unpin(bed_channel(i)), 1);
	bed.refuses = bed.reset_error = 0;
	ck_assert_int_eq(bm_backend_ptdma.settle(bed_channel(0)), 1);
	ck_assert_int_eq(bm_ptdma_how(function()), BM_PTDMA_QUIET);
	ck_assert_int_eq(bm_backend_ptdma.pin(bed_channel(0), copies, COUNT), 0);
	ck_assert_int_eq(bm_backend_ptdma.submit(bed_channel(0), copies, COUNT), -ENODEV);
	ck_assert_int_eq(bm_backend_ptdma.settle(bed_channel(1)), 1);
	ck_assert_int_eq(bm_ptdma_how(function()), BM_PTDMA_LIVE);
	bed_run(bed_channel(0), copies, COUNT);
	ck_assert_uint_eq(bed.told_errors, 0);
	ck_assert_int_eq(bm_backend_ptdma.unpin(bed_channel(0)), 0);
	bed_end();
}
END_TEST

/* Who closes it has no use for one that is a bus master again. */
START_TEST(retired_for_good)
{
	for (int resets = 0; resets < 2; resets++) {
		bed_begin(1, 128, 1);
		refuse();
		bm_ptdma_halt(function());
		ck_assert_int_eq(bm_ptdma_how(function()), BM_PTDMA_UNSURE);
		bed.refuses = 0;
		bed.reset_error = resets ? 0 : -ENOTTY;
		bm_ptdma_retire(function());
		ck_assert_int_eq(bm_ptdma_how(function()), BM_PTDMA_DEAD);
		ck_assert_uint_eq(bed.resets, 1);
		ck_assert(!(bed.command[0] & PCI_COMMAND_MASTER));
		bed_end();
	}
}
END_TEST

static const TTest *const *const tests[] = {&unsure_is_kept,
					    &nobody_has_it,
					    &retired_for_good,
					    &left_by_another_channel,
					    &the_last_channel_cuts_it_off,
					    NULL};
const struct report_group ptdma_unsure_group = {"ptdma_unsure", tests};

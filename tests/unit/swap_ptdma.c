/* SPDX-License-Identifier: MIT */
/*
 * swap_ptdma.c - windows on the real kernel, copied by software functions that lose copies.
 *
 * Old pages go back where a copy was lost, although they were pinned as sources;
 * what is pinned is never moved, and nothing is written late to what is the owner's again.
 */
#include "models/ptdma_sys.h"
#include "ptdma/ptdma.h"

#include "script.h"

static struct ptdma *functions;
static struct ptdma_rule rule;
static int (*model_ioctl)(int fd, unsigned long request, void *arg);
static atomic_int refused; /* moves of what is pinned */

/* As the kernel, which looks for pins of a page before it moves it. */
static int p_ioctl(int fd, unsigned long request, void *arg)
{
	const struct bm_uffd_transfer *transfer = arg;

	if (request == BM_UFFDIO_MOVE &&
	    ptdma_sys_pinned((const void *)(uintptr_t)transfer->from, transfer->length)) {
		atomic_fetch_add(&refused, 1);
		return -EBUSY;
	}
	return model_ioctl(fd, request, arg);
}

static int begin(enum ptdma_knob knob)
{
	static const struct ptdma_config two[2];
	struct ptdma_sys_how how = {.driver = PTDMA_VFIO_PCI};

	if (!script_begin(NULL))
		return 0;
	atomic_store(&refused, 0);
	rule = (struct ptdma_rule){.knob = knob, .amount = 1};
	functions = ptdma_sys_use(&scripted_sys, two, 2, &how, 5);
	ck_assert_ptr_nonnull(functions);
	model_ioctl = scripted_sys.ioctl;
	scripted_sys.ioctl = p_ioctl;
	scripted_context->copies = &bm_backend_ptdma;
	return 1;
}

static void end(void)
{
	struct ptdma_sys_held held;
	struct ptdma_counts counts;

	script_end();
	ptdma_sys_count(&held);
	ptdma_count(functions, &counts);
	ptdma_sys_end();
	ck_assert_uint_eq(held.mappings, 0);
	ck_assert_uint_eq(held.pinned_pages, 0);
	ck_assert_uint_eq(held.bus_masters, 0);
	ck_assert_uint_eq(held.files, 0);
	ck_assert_uint_eq(held.stale, 0);
	ck_assert_uint_eq(counts.refused, 0);
	ck_assert_uint_eq(counts.odd_writes, 0);
	ck_assert_int_eq(atomic_load(&refused), 0);
}

#define NEED(knob)                                                                     \
	do {                                                                           \
		if (!begin(knob))                                                      \
			skip_test("no userfaultfd with UFFDIO_MOVE for this process"); \
	} while (0)

static uint64_t descriptors(void)
{
	struct ptdma_counts counts;

	ptdma_count(functions, &counts);
	return counts.descriptors;
}

/* Nobody has lost anything: all pages are moved by it. */
START_TEST(copied_by_functions)
{
	uint64_t before;

	NEED(PTDMA_DELAY);
	ck_assert_uint_eq(move_part(area, NULL), PART);
	before = descriptors();
	for (int i = 0; i < 6; i++) {
		ck_assert_uint_eq(move_part(area + (size_t)(i % 3) * BYTES, NULL), PART);
		ck_assert(!ptdma_sys_pinned(area, PARTS * BYTES));
		check(area, area, PARTS * BYTES, 1);
	}
	ck_assert_uint_gt(descriptors(), before);
	end();
}
END_TEST

/* The pages come to the owner, who writes there, and the function gets on with its own. */
static void lose(void)
{
	ck_assert_uint_eq(move_part(area, NULL), PART);
	check(area, area, PARTS * BYTES, 1);
	/* Not before: the engine is opened by the first batch. */
	rule.every = 3;
	ptdma_set_rules(functions, &rule, 1);
	for (int i = 0; i < 4; i++) {
		ck_assert_uint_eq(move_part(area, NULL), PART);
		ck_assert(!ptdma_sys_pinned(area, PARTS * BYTES));
		check(area, area, PARTS * BYTES, 1);
	}
	ck_assert_uint_gt(rule.hits, 0);
	fill(area, PARTS * BYTES, 2);
	ptdma_release(functions);
	ptdma_pause(functions);
	check(area, area, PARTS * BYTES, 2);
	for (int i = 0; i < 8; i++)
		ck_assert_uint_eq(move_part(area, NULL), PART);
	check(area, area, PARTS * BYTES, 2);
}

START_TEST(stuck)
{
	NEED(PTDMA_STUCK);
	lose();
	end();
}
END_TEST

START_TEST(late)
{
	NEED(PTDMA_LATE);
	lose();
	end();
}
END_TEST

START_TEST(gone)
{
	NEED(PTDMA_GONE);
	lose();
	end();
}
END_TEST

START_TEST(errors)
{
	NEED(PTDMA_ERROR);
	lose();
	end();
}
END_TEST

static const TTest *const *const tests[] = {
	&copied_by_functions, &stuck, &late, &gone, &errors, NULL};
const struct report_group swap_ptdma_group = {"swap_ptdma", tests};

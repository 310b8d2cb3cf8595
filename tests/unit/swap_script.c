/* SPDX-License-Identifier: MIT */
/*
 * swap_script.c - what the application does at a chosen moment of a window:
 * the owner stops there until it is done. On the real kernel.
 */
#include "latch.h"
#include "script.h"

/* With the new mapping registered by a window of its own nothing but the event tells. */
static void map_anew(void)
{
	munmap(area, 2 * BYTES);
	map_at(area, 2 * BYTES);
	fill(area + BYTES, BYTES, 2);
	ck_assert_uint_eq(move_part(area + BYTES, NULL), PART);
}

START_TEST(unmapped_and_mapped_anew)
{
	NEED_SWAP();
	move_meanwhile(AT_COPY, 0, map_anew);
	check_zeros(area, BYTES);
	check(area + BYTES, area + BYTES, BYTES, 2);
	check(area + 2 * BYTES, area + 2 * BYTES, BYTES, 1);
	script_end();
}
END_TEST

static void map_anew_and_fill(void)
{
	munmap(area, 2 * BYTES);
	map_at(area, 2 * BYTES);
	fill(area, 2 * BYTES, 2);
	ck_assert_uint_eq(move_part(area + BYTES, NULL), PART);
}

/* What is there now does not belong to the window, though it is registered. */
START_TEST(mapped_anew_before_taken_out)
{
	NEED_SWAP();
	ck_assert_uint_eq(move_meanwhile(AT_EVENT, 0, map_anew_and_fill), 0);
	check(area, area, 2 * BYTES, 2);
	check(area + 2 * BYTES, area + 2 * BYTES, BYTES, 1);
	script_end();
}
END_TEST

static void remove_a_half(void)
{
	ck_assert_int_eq(madvise(area, BYTES / 2, MADV_DONTNEED), 0);
}

START_TEST(removed)
{
	NEED_SWAP();
	ck_assert_uint_eq(move_meanwhile(AT_COPY, 0, remove_a_half), PART / 2);
	check_zeros(area, BYTES / 2);
	check(area + BYTES / 2, area + BYTES / 2, PARTS * BYTES - BYTES / 2, 1);
	script_end();
}
END_TEST

static void remove_next_part(void)
{
	uint64_t start = bm_sys_linux.now_ns(), end;
	unsigned char reasons[PART];
	size_t swapped;

	ck_assert_int_eq(madvise(area + BYTES, BYTES, MADV_DONTNEED), 0);
	check_zeros(area + BYTES, BYTES);
	fill(area + BYTES, BYTES, 2);
	swapped = move_part(area + BYTES, reasons);
	end = bm_sys_linux.now_ns();
	/* Where that took longer nothing was asked. */
	if (end - start < BM_REMOVAL_NS) {
		ck_assert_uint_eq(swapped, 0);
		ck_assert_int_eq(reasons[0], BM_REASON_CHANGED);
	}
	usleep(BM_REMOVAL_NS / 1000 + 20000);
	ck_assert_uint_eq(move_part(area + BYTES, NULL), PART);
}

/* The kernel may not have removed it yet: no window is opened there for a while. */
START_TEST(removed_a_moment_ago)
{
	NEED_SWAP();
	ck_assert_uint_eq(move_meanwhile(AT_COPY, 0, remove_next_part), PART);
	check(area, area, BYTES, 1);
	check(area + BYTES, area + BYTES, BYTES, 2);
	script_end();
}
END_TEST

/* The place of the first one is asked for last. */
static void remove_often(void)
{
	uint64_t start = bm_sys_linux.now_ns();
	size_t swapped;

	ck_assert_int_eq(madvise(area + BYTES, BYTES, MADV_DONTNEED), 0);
	fill(area + BYTES, BYTES, 2);
	for (size_t i = 0; i < PART; i++)
		ck_assert_int_eq(madvise(area + 2 * BYTES + i * PAGE, PAGE, MADV_DONTNEED), 0);
	swapped = move_part(area + BYTES, NULL);
	if (bm_sys_linux.now_ns() - start < BM_REMOVAL_NS)
		ck_assert_uint_eq(swapped, 0);
}

START_TEST(removed_often)
{
	NEED_SWAP();
	ck_assert_uint_eq(move_meanwhile(AT_COPY, 0, remove_often), PART);
	check(area + BYTES, area + BYTES, BYTES, 2);
	check_zeros(area + 2 * BYTES, BYTES);
	script_end();
}
END_TEST

static void move_next_part(void)
{
	ck_assert_uint_eq(move_part(area + BYTES, NULL), PART);
}

/* The end of a window leaves the mapping registered for another one. */
START_TEST(another_window_ends)
{
	NEED_SWAP();
	ck_assert_uint_eq(move_meanwhile(AT_COPY, 0, move_next_part), PART);
	check(area, area, PARTS * BYTES, 1);
	script_end();
}
END_TEST

static void remap_all(void)
{
	ck_assert_ptr_eq(mremap(area, PARTS * BYTES, PARTS * BYTES, MREMAP_MAYMOVE | MREMAP_FIXED,
				elsewhere),
			 elsewhere);
}

static void remap_and_move_next_part(void)
{
	remap_all();
	ck_assert_uint_eq(move_part(elsewhere + BYTES, NULL), PART);
}

/* The same where the pages will go to a place that the window did not register. */
START_TEST(another_window_ends_where_it_was_remapped)
{
	NEED_SWAP();
	move_meanwhile(AT_COPY, 0, remap_and_move_next_part);
	check(elsewhere, area, PARTS * BYTES, 1);
	script_end();
}
END_TEST

static pthread_t remapping;

static void *remap_main(void *arg)
{
	remap_all();
	return arg;
}

/* Its events are read when the window goes on: the reader may wait for the latch of leases. */
static void begin_to_remap(void)
{
	ck_assert_int_eq(pthread_create(&remapping, NULL, remap_main, NULL), 0);
	usleep(50000);
}

/* The window is closed already: nobody but the reader can see to the new place. */
START_TEST(remapped_at_the_end)
{
	NEED_SWAP();
	ck_assert_uint_eq(move_meanwhile(AT_IOCTL, BM_UFFDIO_UNREGISTER, begin_to_remap), PART);
	pthread_join(remapping, NULL);
	check(elsewhere, area, PARTS * BYTES, 1);
	for (int ms = 0; ms < 2000 && is_registered(elsewhere, PARTS * BYTES); ms++)
		usleep(1000);
	ck_assert(!is_registered(elsewhere, PARTS * BYTES));
	script_end();
}
END_TEST

static void remap_what_is_away(uint32_t moved, uint32_t counted)
{
	script.moved = moved;
	script.counted = counted;
	move_meanwhile(AT_AWAY, 0, begin_to_remap);
	ck_assert_uint_eq(script.moved, 0);
	pthread_join(remapping, NULL);
	check(elsewhere, area, PARTS * BYTES, 1);
	for (int ms = 0; ms < 2000 && is_registered(elsewhere, PARTS * BYTES); ms++)
		usleep(1000);
	ck_assert(!is_registered(elsewhere, PARTS * BYTES));
}

/* Once the gate is open nothing tells any more which pages were taken out of there. */
START_TEST(moved_without_being_counted)
{
	NEED_SWAP();
	remap_what_is_away(PART, 0);
	script_end();
}
END_TEST

START_TEST(moved_and_not_all_counted)
{
	NEED_SWAP();
	remap_what_is_away(PART / 2, 3);
	script_end();
}
END_TEST

/* Two remappings, the second to where the first one came from, before that is told to be unmapped. */
static void remap_to_where_another_was(void)
{
	int flags = MREMAP_MAYMOVE | MREMAP_FIXED;

	script.unmapped_end = (uintptr_t)area + 2 * BYTES;
	script.unmapped = (uintptr_t)area + BYTES;
	ck_assert_ptr_eq(mremap(area + BYTES, BYTES, BYTES, flags, elsewhere), elsewhere);
	ck_assert_ptr_eq(mremap(area, BYTES, BYTES, flags, area + BYTES), area + BYTES);
}

START_TEST(unmapping_is_told_late)
{
	NEED_SWAP();
	ck_assert_uint_eq(move_meanwhile(AT_COPY, 0, remap_to_where_another_was), PART);
	ck_assert_uint_eq(script.unmapped, 0);
	check(area + BYTES, area, BYTES, 1);
	check(elsewhere, area + BYTES, BYTES, 1);
	script_end();
}
END_TEST

/* So far into what is just unregistered comes so much of the area, and grows by so much. */
static struct {
	size_t at, length, more;
} over;

static void *remap_over_main(void *arg)
{
	char *to = elsewhere + over.at;

	if (mremap(area, over.length, over.length + over.more, MREMAP_MAYMOVE | MREMAP_FIXED, to) !=
	    to)
		return arg;
	return NULL;
}

static int remap_begun;

static void begin_to_remap_over(void)
{
	remap_begun = pthread_create(&remapping, NULL, remap_over_main, area) == 0;
	usleep(50000);
}

static void end_a_window_elsewhere(void)
{
	void *wrong;

	remap_begun = 0;
	script.unregistering = begin_to_remap_over;
	ck_assert_uint_eq(move_part(elsewhere, NULL), PART);
	ck_assert(remap_begun);
	pthread_join(remapping, &wrong);
	ck_assert_ptr_null(wrong);
}

/*
 * What is away belongs to where a mapping is unregistered, and only the kernel
 * knows: nothing of it is lost, and the mapping is whole for the next mremap(2).
 */
START_TEST(remapped_to_what_is_unregistered)
{
	char *now;

	NEED_SWAP();
	over.at = BYTES / 2;
	over.length = BYTES;
	over.more = 0;
	now = elsewhere + over.at;
	map_at(elsewhere, BYTES);
	fill(elsewhere, BYTES, 2);
	ck_assert_uint_eq(move_meanwhile(AT_COPY, 0, end_a_window_elsewhere), PART);
	check(elsewhere, elsewhere, BYTES / 2, 2);
	check(now, area, BYTES, 1);
	ck_assert_ptr_eq(mremap(now, BYTES, BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, area), area);
	check(area, area, PARTS * BYTES, 1);
	ck_assert(!is_registered(area, PARTS * BYTES));
	ck_assert(!is_registered(elsewhere, BYTES / 2));
	script_end();
}
END_TEST

/* What mremap(2) of a locked mapping has begun to fill is registered again, and it waits then. */
START_TEST(grows_over_what_is_unregistered)
{
	char *now;

	NEED_SWAP();
	over.at = over.length = BYTES / 4;
	over.more = BYTES;
	now = elsewhere + over.at;
	map_at(elsewhere, BYTES);
	fill(elsewhere, BYTES, 2);
	ck_assert_int_eq(mlock(area, PARTS * BYTES), 0);
	ck_assert_uint_eq(move_meanwhile(AT_COPY, 0, end_a_window_elsewhere), PART);
	check(elsewhere, elsewhere, over.at, 2);
	check(now, area, over.length, 1);
	check_zeros(now + over.length, over.more);
	check(area + over.length, area + over.length, PARTS * BYTES - over.length, 1);
	ck_assert(!is_registered(now, over.length + over.more));
	script_end();
}
END_TEST

static struct bm_uffd *errands;

/* When the owner waits for its errand. */
static void *remap_before_the_errand(void *arg)
{
	usleep(50000);
	remap_all();
	bm_latch_give(&errands->errand.latch, &bm_sys_linux);
	return arg;
}

static void close_descriptor_and_remap(void)
{
	uint64_t signals;

	errands = bm_uffd_hold(&bm_sys_linux, &signals);
	bm_uffd_let_go(&bm_sys_linux, &signals);
	bm_latch_take(&errands->errand.latch, &bm_sys_linux);
	ck_assert_int_eq(close(find_userfaultfd(-1)), 0);
	ck_assert_int_eq(pthread_create(&remapping, NULL, remap_before_the_errand, NULL), 0);
}

/* An errand is for where the page belonged when it was asked for. */
START_TEST(remapped_before_an_errand)
{
	NEED_SWAP();
	script.move_late_us = 1000;
	move_meanwhile(AT_COPY, 0, close_descriptor_and_remap);
	pthread_join(remapping, NULL);
	check(elsewhere, area, PARTS * BYTES, 1);
	script_end();
}
END_TEST

static const TTest *const *const tests[] = {&unmapped_and_mapped_anew,
					    &mapped_anew_before_taken_out,
					    &removed,
					    &removed_a_moment_ago,
					    &removed_often,
					    &another_window_ends,
					    &another_window_ends_where_it_was_remapped,
					    &remapped_at_the_end,
					    &moved_without_being_counted,
					    &moved_and_not_all_counted,
					    &unmapping_is_told_late,
					    &remapped_to_what_is_unregistered,
					    &grows_over_what_is_unregistered,
					    &remapped_before_an_errand,
					    NULL};
const struct report_group swap_script_group = {"swap_script", tests};

/* SPDX-License-Identifier: MIT */
/* swap_touched.c - who touches a page of a window that never comes back goes on nevertheless. */
#include "script.h"

static pthread_t touching;
static atomic_int touched;

static void *touch_main(void *page)
{
	unsigned char byte = *(volatile unsigned char *)page;

	atomic_store(&touched, 1 + byte);
	return NULL;
}

/* Long enough that the reader has seen it and left it to the window. */
static void begin_to_touch(void *page)
{
	atomic_store(&touched, 0);
	ck_assert_int_eq(pthread_create(&touching, NULL, touch_main, page), 0);
	usleep(50000);
	ck_assert_int_eq(atomic_load(&touched), 0);
}

/* The first window is still open: what its end wakes comes too late. */
static void must_go_on(void)
{
	for (int ms = 0; ms < 2000 && !atomic_load(&touched); ms++)
		usleep(1000);
	ck_assert_int_eq(atomic_load(&touched), 1);
	pthread_join(touching, NULL);
}

static int refused;

static int touch_a_hole(void)
{
	begin_to_touch(area + BYTES + 5 * PAGE);
	refused = 1;
	return -ENOMEM;
}

static void open_another_in_vain(void)
{
	unsigned char reasons[PART];

	refused = 0;
	script.registering = touch_a_hole;
	ck_assert_uint_eq(move_part(area + BYTES, reasons), 0);
	ck_assert(refused);
	ck_assert_int_eq(reasons[0], BM_REASON_NO_MAPS);
	must_go_on();
}

/* The mapping is registered for another window. */
START_TEST(before_a_window_that_does_not_open)
{
	NEED_SWAP();
	madvise(area + BYTES + 5 * PAGE, PAGE, MADV_DONTNEED);
	ck_assert_uint_eq(move_meanwhile(AT_COPY, 0, open_another_in_vain), PART);
	check(area, area, BYTES, 1);
	check(area + 2 * BYTES, area + 2 * BYTES, BYTES, 1);
	script_end();
}
END_TEST

static void remap_and_map_over(void)
{
	ck_assert_ptr_eq(mremap(area, BYTES, BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, elsewhere),
			 elsewhere);
	begin_to_touch(elsewhere + 5 * PAGE);
	map_at(elsewhere, BYTES);
	must_go_on();
}

/* The kernel wakes nobody when it unmaps, and where that was no window looks in the end. */
START_TEST(what_is_then_unmapped)
{
	NEED_SWAP();
	move_meanwhile(AT_COPY, 0, remap_and_map_over);
	check_zeros(elsewhere, BYTES);
	check(area + BYTES, area + BYTES, 2 * BYTES, 1);
	script_end();
}
END_TEST

static const TTest *const *const tests[] = {&before_a_window_that_does_not_open,
					    &what_is_then_unmapped, NULL};
const struct report_group swap_touched_group = {"swap_touched", tests};

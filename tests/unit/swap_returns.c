/* SPDX-License-Identifier: MIT */
/* swap_returns.c - every way back of pages, and of those who wait for them. On the real kernel. */
#include "script.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/uio.h>

#define COLLAPSE 25  /* MADV_COLLAPSE, Linux 6.1 */
#define GUARD    102 /* MADV_GUARD_INSTALL, Linux 6.13 */
#define NO_GUARD 103

static void do_nothing(void)
{
}

/* From the first copy on these calls fail for the first pages. */
static size_t move_denied(int error, int also_old, uint64_t pages, int times)
{
	script.error = error;
	script.also_old = also_old;
	script.denied = pages * PAGE;
	script.times = times;
	return move_meanwhile(AT_COPY, 0, do_nothing);
}

/* The old pages are there as well. */
START_TEST(copies_are_refused)
{
	NEED_SWAP();
	ck_assert_uint_eq(move_denied(-EINVAL, 0, PART, -1), 0);
	check(area, area, PARTS * BYTES, 1);
	script_end();
}
END_TEST

/* A control group at its limit: there is memory again in a moment. */
START_TEST(no_memory_for_a_while)
{
	NEED_SWAP();
	ck_assert_uint_eq(move_denied(-ENOMEM, 1, 1, 20), PART);
	check(area, area, PARTS * BYTES, 1);
	script_end();
}
END_TEST

/* Memory that is broken: nobody may read zeros there, or anything else. */
START_TEST(nothing_can_be_read)
{
	char bytes[PAGE];
	struct iovec to = {bytes, PAGE};
	struct iovec from;

	NEED_SWAP();
	ck_assert_uint_eq(move_denied(-EFAULT, 1, 1, -1), PART - 1);
	from = (struct iovec){area, PAGE};
	ck_assert_int_eq(process_vm_readv(getpid(), &to, 1, &from, 1, 0), -1);
	ck_assert_int_eq(errno, EFAULT);
	check(area + PAGE, area + PAGE, PARTS * BYTES - PAGE, 1);
	script_end();
}
END_TEST

/* What belongs to the library is closed, or another one is put in its place. */
static void replace_descriptor(int other)
{
	int fd = find_userfaultfd(other);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(other < 0 ? close(fd) : dup3(other, fd, O_CLOEXEC), other < 0 ? 0 : fd);
}

static void close_descriptor(void)
{
	replace_descriptor(-1);
}

static void use_another_userfaultfd(void)
{
	struct bm_uffd_api api = {.api = BM_UFFD_API};
	int other = (int)bm_sys_linux.userfaultfd(O_CLOEXEC | O_NONBLOCK);

	ck_assert_int_ge(other, 0);
	ck_assert_int_eq(bm_sys_linux.ioctl(other, BM_UFFDIO_API, &api), 0);
	replace_descriptor(other);
	close(other);
}

/* The reader has one that nobody can close. */
START_TEST(descriptor_is_lost)
{
	void (*const ways[])(void) = {close_descriptor, use_another_userfaultfd};

	for (int i = 0; i < 2; i++) {
		NEED_SWAP();
		move_meanwhile(AT_COPY, 0, ways[i]);
		check(area, area, PARTS * BYTES, 1);
		script_end();
		/* The library leaves alone what is not its own. */
		ck_assert_int_eq(find_userfaultfd(-1) >= 0, i);
		if (i)
			close(find_userfaultfd(-1));
	}
}
END_TEST

static int guarded;

static void install_guard(void)
{
	guarded = madvise(area, BYTES / 2, GUARD) == 0;
}

/* It drops what was there, as it would have without the window. */
START_TEST(guard_pages_in_the_place)
{
	NEED_SWAP();
	move_meanwhile(AT_COPY, 0, install_guard);
	if (guarded) {
		ck_assert_int_eq(madvise(area, BYTES / 2, NO_GUARD), 0);
		check_zeros(area, BYTES / 2);
	}
	check(area + BYTES / 2, area + BYTES / 2, PARTS * BYTES - BYTES / 2, 1);
	script_end();
	if (!guarded)
		skip_test("no guard pages in this kernel");
}
END_TEST

static void install_guard_and_look(void)
{
	char byte;
	struct iovec to = {&byte, 1}, from = {area, 1};

	install_guard();
	ck_assert(!guarded || process_vm_readv(getpid(), &to, 1, &from, 1, 0) == -1);
}

/* Nor does the kernel copy over them, where the pool is not used. */
START_TEST(guard_pages_without_the_pool)
{
	char byte;
	struct iovec to = {&byte, 1}, from;

	NEED_SWAP();
	scripted_context->copies = NULL;
	move_meanwhile(AT_AWAY, 0, install_guard_and_look);
	for (size_t at = 0; guarded && at < BYTES / 2; at += PAGE) {
		from = (struct iovec){area + at, 1};
		ck_assert_int_eq(process_vm_readv(getpid(), &to, 1, &from, 1, 0), -1);
	}
	check(area + BYTES / 2, area + BYTES / 2, PARTS * BYTES - BYTES / 2, 1);
	script_end();
	if (!guarded)
		skip_test("no guard pages in this kernel");
}
END_TEST

/* A mapping that no userfaultfd can have lies in the middle of what was registered. */
static void map_a_file(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	ck_assert_ptr_eq(mmap(area + BYTES, BYTES, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0),
			 area + BYTES);
	close(fd);
}

START_TEST(unregistered_in_pieces)
{
	NEED_SWAP();
	ck_assert_uint_eq(move_meanwhile(AT_COPY, 0, map_a_file), PART);
	ck_assert(!is_registered(area, BYTES));
	ck_assert(!is_registered(area + 2 * BYTES, BYTES));
	check(area, area, BYTES, 1);
	check(area + 2 * BYTES, area + 2 * BYTES, BYTES, 1);
	script_end();
}
END_TEST

static void map_a_larger_one(void)
{
	munmap(area + BYTES, 2 * BYTES);
	map_at(area + BYTES, 4 * BYTES);
	madvise(area + BYTES, 4 * BYTES, MADV_RANDOM);
}

/* A part of another mapping must not stay registered: mremap(2) of that would fail. */
START_TEST(bounds_change_before_it_is_registered)
{
	NEED_SWAP();
	ck_assert_uint_eq(move_meanwhile(AT_IOCTL, BM_UFFDIO_REGISTER, map_a_larger_one), 0);
	ck_assert(!is_registered(area, 5 * BYTES));
	check(area, area, BYTES, 1);
	munmap(area + BYTES, 4 * BYTES);
	script_end();
}
END_TEST

static void collapse(void)
{
	if (madvise(area, HUGE, COLLAPSE) != 0)
		script.also_old = 1;
}

/* What has become a huge page is left to the kernel: it would be split. */
START_TEST(becomes_huge)
{
	unsigned char reasons[PART];
	size_t swapped = 1;
	int failed;

	NEED_SWAP();
	/* khugepaged may have made it huge before it is looked at: then it is swapped whole. */
	for (int tries = 0; swapped > 0 && tries < 5; tries++) {
		munmap(area, HUGE);
		map_at(area, HUGE);
		madvise(area, HUGE, MADV_NOHUGEPAGE);
		fill(area, HUGE, 1);
		madvise(area, HUGE, MADV_HUGEPAGE);
		swapped = move_meanwhile(AT_IOCTL, BM_UFFDIO_REGISTER, collapse);
	}
	failed = script.also_old;
	check(area, area, HUGE, 1);
	if (!failed) {
		ck_assert_uint_eq(swapped, 0);
		/* Still one: it is taken whole when it is known. */
		ck_assert_uint_eq(move_part(area, reasons), HUGE / PAGE);
	}
	check(area, area, HUGE, 1);
	munmap(area, HUGE);
	script_end();
	if (failed)
		skip_test("no huge page can be made");
}
END_TEST

static void split(void)
{
	ck_assert_int_eq(mprotect(area + PAGE, PAGE, PROT_READ), 0);
	ck_assert_int_eq(mprotect(area + PAGE, PAGE, PROT_READ | PROT_WRITE), 0);
}

/* What is no huge page any more would come back as pages of another one. */
START_TEST(becomes_small)
{
	size_t swapped;

	NEED_SWAP();
	munmap(area, HUGE);
	map_at(area, HUGE);
	madvise(area, HUGE, MADV_HUGEPAGE);
	fill(area, HUGE, 1);
	swapped = move_meanwhile(AT_IOCTL, BM_UFFDIO_REGISTER, split);
	ck_assert_uint_eq(swapped, 0);
	check(area, area, HUGE, 1);
	munmap(area, HUGE);
	script_end();
}
END_TEST

static void touch_elsewhere(void)
{
	ck_assert_int_eq(madvise(area + BYTES, BYTES, MADV_DONTNEED), 0);
	script.again = 3;
	check_zeros(area + BYTES, BYTES);
}

/* A first touch that cannot be served at once, since an event is pending, is not forgotten. */
START_TEST(touched_while_an_event_is_pending)
{
	NEED_SWAP();
	ck_assert_uint_eq(move_meanwhile(AT_COPY, 0, touch_elsewhere), PART);
	ck_assert_int_le(script.again, 0);
	check(area, area, BYTES, 1);
	script_end();
}
END_TEST

static struct {
	pthread_t thread;
	atomic_int stop;
	atomic_ulong rounds;
} other;

static void *move_the_same(void *arg)
{
	move_part(area, NULL);
	return arg;
}

static void begin_to_move_the_same(void)
{
	ck_assert_int_eq(pthread_create(&other.thread, NULL, move_the_same, NULL), 0);
	usleep(50000);
}

/* Another batch waits for the end of the window, and is woken by it. */
START_TEST(another_batch_waits)
{
	NEED_SWAP();
	ck_assert_uint_eq(move_meanwhile(AT_COPY, 0, begin_to_move_the_same), PART);
	pthread_join(other.thread, NULL);
	check(area, area, PARTS * BYTES, 1);
	script_end();
}
END_TEST

static void *touch_always(void *arg)
{
	while (!atomic_load(&other.stop)) {
		for (size_t i = 0; i < PART; i++)
			atomic_fetch_add((atomic_ulong *)(void *)(area + BYTES + i * PAGE), 0);
		atomic_fetch_add(&other.rounds, 1);
	}
	return arg;
}

/* Windows that end while another one keeps the mapping registered: who waits goes on. */
static void move_touched(void)
{
	for (int i = 0; i < 200; i++) {
		unsigned long before = atomic_load(&other.rounds);

		ck_assert_uint_eq(move_part(area + BYTES, NULL), PART);
		for (int ms = 0; atomic_load(&other.rounds) < before + 2; ms++) {
			ck_assert_msg(ms < 5000, "it waits for a window that has ended");
			usleep(1000);
		}
	}
}

START_TEST(woken_without_unregistering)
{
	NEED_SWAP();
	atomic_store(&other.stop, 0);
	ck_assert_int_eq(pthread_create(&other.thread, NULL, touch_always, NULL), 0);
	ck_assert_uint_eq(move_meanwhile(AT_COPY, 0, move_touched), PART);
	atomic_store(&other.stop, 1);
	pthread_join(other.thread, NULL);
	check(area, area, PARTS * BYTES, 1);
	script_end();
}
END_TEST

/* mlockall(2) and munlockall(2) change the memory of the library, too. */
START_TEST(all_is_locked)
{
	NEED_SWAP();
	ck_assert_int_eq(mlock(area, PARTS * BYTES), 0);
	ck_assert_uint_eq(move_part(area, NULL), PART);
	munlockall();
	ck_assert_int_eq(mlock(area, PARTS * BYTES), 0);
	move_part(area, NULL);
	ck_assert_uint_eq(move_part(area, NULL), PART);
	ck_assert_int_eq(mlockall(MCL_CURRENT), 0);
	move_part(area, NULL);
	/* The reader is woken by memory that is locked now. */
	script_end();
	munlockall();
}
END_TEST

static const TTest *const *const tests[] = {&copies_are_refused,
					    &no_memory_for_a_while,
					    &nothing_can_be_read,
					    &descriptor_is_lost,
					    &guard_pages_in_the_place,
					    &guard_pages_without_the_pool,
					    &unregistered_in_pieces,
					    &bounds_change_before_it_is_registered,
					    &becomes_huge,
					    &becomes_small,
					    &touched_while_an_event_is_pending,
					    &another_batch_waits,
					    &woken_without_unregistering,
					    &all_is_locked,
					    NULL};
const struct report_group swap_returns_group = {"swap_returns", tests};

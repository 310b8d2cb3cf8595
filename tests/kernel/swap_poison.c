/* SPDX-License-Identifier: MIT */
/* swap_poison.c - the mover swap and memory that was broken before the batch. */
#include "swap_load.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#ifndef MADV_HWPOISON
#define MADV_HWPOISON 100
#endif
#define UFFD_POISON (1ull << 14) /* UFFD_FEATURE_POISON, Linux 6.6 */

struct poison {
	uint64_t start, length, mode;
	int64_t done;
};
#define UFFD_POISON_IOCTL _IOWR(0xAA, 0x08, struct poison)

/* ---------------------------------------------------------------- breaking */

/*
 * The mark that the kernel leaves where a page was that is broken, made by a
 * userfaultfd that is gone before the batch: 0, or why it cannot be had.
 */
static const char *break_by_marker(char *page)
{
	struct uffdio_api api = {.api = UFFD_API, .features = UFFD_POISON};
	struct uffdio_register range = {.range = {(uintptr_t)page, PAGE},
					.mode = UFFDIO_REGISTER_MODE_MISSING};
	struct poison poison = {(uintptr_t)page, PAGE, 0, 0};
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	int rc;

	if (fd < 0)
		return "no userfaultfd for this process";
	rc = ioctl(fd, UFFDIO_API, &api);
	if (rc == 0) {
		madvise(page, PAGE, MADV_DONTNEED);
		rc = ioctl(fd, UFFDIO_REGISTER, &range);
		ck_assert_int_eq(rc, 0);
		rc = ioctl(fd, UFFD_POISON_IOCTL, &poison);
		ck_assert_int_eq(rc, 0);
	}
	close(fd);
	return rc == 0 ? NULL : "UFFDIO_POISON needs Linux 6.6";
}

static void go_on(int number)
{
	(void)number;
}

/* Its memory is lost until the machine is started again. */
static const char *break_memory(char *page)
{
	struct sigaction none = {.sa_handler = go_on}, before;
	int rc;

	/* Of what is not mapped it says something else where it can be had at all. */
	rc = madvise((void *)PAGE, PAGE, MADV_HWPOISON);
	if (rc != 0 && (errno == EINVAL || errno == EPERM))
		return "MADV_HWPOISON needs CONFIG_MEMORY_FAILURE and CAP_SYS_ADMIN";
	/* The thread that does it gets a SIGBUS of its own. */
	sigaction(SIGBUS, &none, &before);
	rc = madvise(page, PAGE, MADV_HWPOISON);
	sigaction(SIGBUS, &before, NULL);
	ck_assert_int_eq(rc, 0);
	return NULL;
}

/* ---------------------------------------------------------------- looking */

static int touch(void *page)
{
	signal(SIGBUS, SIG_DFL);
	return *(volatile char *)page;
}

static void check_broken(void *page)
{
	ck_assert_int_eq(in_asserting_child(touch, page), 128 + SIGBUS);
}

/* What a child has shared with us is ours again when it was written. */
static void stamp_others(const struct area *area, size_t broken)
{
	stamp(area->start, broken, PAGE);
	stamp(area->start + (broken + 1) * PAGE, area->count - broken - 1, PAGE);
}

/* All others are on their target, and their contents are right. */
static void check_others(const struct area *area, size_t broken)
{
	for (size_t i = 0; i < area->count; i++) {
		if (i != broken)
			ck_assert_msg(area->status[i] == area->targets[i], "page %zu: %d", i,
				      area->status[i]);
	}
	ck_assert_uint_eq(stamp_wrong(area->start, broken, PAGE), 0);
	ck_assert_uint_eq(
		stamp_wrong(area->start + (broken + 1) * PAGE, area->count - broken - 1, PAGE), 0);
}

/* The kernel says only that it is not there; MOVE, where the page is tried, that it is broken. */
static void check_told(const struct swapper *swapper, const struct area *area, size_t broken)
{
	int status = area->status[broken];

	ck_assert(status == -ENOENT || status == -EHWPOISON);
	ck_assert_int_eq(swapper->reasons[broken],
			 status == -ENOENT ? BM_REASON_ABSENT : BM_REASON_POISONED);
}

/* What is left of a huge page may be of a large folio, then the reason says so. */
static void check_swapped_others(const struct swapper *swapper, const struct area *area,
				 size_t broken, int was_huge)
{
	size_t swapped = 0;

	for (size_t i = 0; i < area->count; i++) {
		int reason = swapper->reasons[i];

		if (i == broken)
			continue;
		ck_assert_msg(reason == BM_REASON_NONE ||
				      (was_huge && (reason == BM_REASON_LARGE_FOLIO ||
						    reason == BM_REASON_PINNED)),
			      "page %zu: reason %s", i, bm_reason_name(reason));
		swapped += reason == BM_REASON_NONE;
	}
	ck_assert_uint_gt(swapped, area->count / 2);
	ck_assert_uint_eq(swapper->report.bytes_swapped, swapped * PAGE);
}

static void break_before(const char *(*break_page)(char *page), int huge, size_t broken)
{
	struct swapper swapper;
	struct area area;
	const char *why;

	area_new_low(&area, 2, huge, nodes[0]);
	why = break_page(area.pages[broken]);
	if (why) {
		area_free(&area);
		skip_test("%s", why);
	}
	swapper_new(&swapper, 256, 2, 64);
	for (int round = 0; round < 3; round++) {
		ck_assert_int_eq(swapper_round(&swapper, &area, round), 1);
		check_told(&swapper, &area, broken);
		check_others(&area, broken);
		if (!swap_refusal())
			check_swapped_others(&swapper, &area, broken, huge);
		check_broken(area.pages[broken]);
		stamp_others(&area, broken);
	}
	area_free(&area);
	swapper_free(&swapper);
}

START_TEST(marked_base_page)
{
	watchdog_start("swap_poison/marked_base_page");
	break_before(break_by_marker, 0, 300);
	watchdog_stop();
}
END_TEST

START_TEST(marked_part_of_a_huge_page)
{
	watchdog_start("swap_poison/marked_part_of_a_huge_page");
	break_before(break_by_marker, 1, 700);
	watchdog_stop();
}
END_TEST

START_TEST(broken_base_page)
{
	watchdog_start("swap_poison/broken_base_page");
	break_before(break_memory, 0, 300);
	watchdog_stop();
}
END_TEST

START_TEST(broken_part_of_a_huge_page)
{
	watchdog_start("swap_poison/broken_part_of_a_huge_page");
	break_before(break_memory, 1, 700);
	watchdog_stop();
}
END_TEST

static const TTest *const *const tests[] = {&marked_base_page, &marked_part_of_a_huge_page,
					    &broken_base_page, &broken_part_of_a_huge_page, NULL};
const struct report_group swap_poison_group = {"swap_poison", tests};

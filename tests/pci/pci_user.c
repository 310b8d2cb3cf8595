/* SPDX-License-Identifier: MIT */
/* pci_user.c - for a user who owns the group, with enough locked memory and with too little. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "pci_support.h"

static struct bm_copy copy_of(unsigned char *pages, size_t count)
{
	return (struct bm_copy){.from = pages, .to = pages + count * PAGE, .length = count * PAGE};
}

START_TEST(a_user_copies)
{
	unsigned char *pages = pages_new(2, -1);
	const struct bm_copy copy = copy_of(pages, 1);
	struct bench *bench;

	ck_assert_uint_ne(geteuid(), 0);
	bench = bench_open(BM_PCI_VFIO);
	bench_start(bench);
	pages_fill(pages, 1, 4);
	ck_assert_int_eq(bm_pci_pin(bench->pins, &copy, 1), 0);
	ck_assert_int_eq(edu_copy(&bench->pci, bench->pins, &copy), 0);
	ck_assert_int_eq(bm_pci_unpin(bench->pins, 0), 0);
	ck_assert_uint_eq(pages_wrong(pages + PAGE, 1, 4), 0);
	bench_close(bench);
	pages_free(pages, 2);
}
END_TEST

/* What is not unpinned is still counted: each round needs more than half of the limit. */
START_TEST(nothing_stays_locked)
{
	struct rlimit limit;
	unsigned char *pages;
	struct bm_copy copy;
	struct bench *bench;
	size_t count;

	ck_assert_int_eq(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
	count = limit.rlim_cur / PAGE / 16 * 5;
	pages = pages_new(2 * count, -1);
	copy = copy_of(pages, count);
	bench = bench_open(BM_PCI_VFIO);
	for (int round = 0; round < 5; round++) {
		ck_assert_int_eq(bm_pci_pin(bench->pins, &copy, 1), 0);
		ck_assert_int_eq(bm_pci_unpin(bench->pins, 0), 0);
	}
	bench_close(bench);
	pages_free(pages, 2 * count);
}
END_TEST

static const TTest *const *const tests[] = {&a_user_copies, &nothing_stays_locked, NULL};
const struct report_group user_group = {"pci_user", tests};

/* More than the limit: an error, nothing is pinned, and less of it works. */
START_TEST(too_much)
{
	struct rlimit limit;
	unsigned char *pages;
	struct bm_copy most, little;
	struct bench *bench;
	size_t count;

	ck_assert_uint_ne(geteuid(), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
	count = limit.rlim_cur / PAGE;
	pages = pages_new(2 * count, -1);
	most = copy_of(pages, count);
	little = copy_of(pages, 2);
	bench = bench_open(BM_PCI_VFIO);
	ck_assert_int_eq(bm_pci_pin(bench->pins, &most, 1), -ENOMEM);
	for (int round = 0; round < 20; round++) {
		ck_assert_int_eq(bm_pci_pin(bench->pins, &little, 1), 0);
		ck_assert_int_eq(bm_pci_unpin(bench->pins, 0), 0);
	}
	bench_close(bench);
	pages_free(pages, 2 * count);
}
END_TEST

static const TTest *const *const limit_tests[] = {&too_much, NULL};
const struct report_group user_limit_group = {"pci_limit", limit_tests};

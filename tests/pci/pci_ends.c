/* SPDX-License-Identifier: MIT */
/* pci_ends.c - one process has a function; whatever becomes of it, it writes no more. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pci_support.h"

#define STORE_US  300000 /* three times as long as one takes */
#define END_TRIES 50
#define TRIES     5

static void closed(enum bm_pci_access access)
{
	struct bench *bench;

	bench = bench_open(access);
	bench_start(bench);
	ck_assert_int_eq(seen_master(&bench->found), 1);
	bench_close(bench);
	ck_assert_int_eq(seen_master(&bench->found), 0);
}
BY_BOTH(closed)

/* It fails, and the one who has it can go on. */
static void one_at_a_time(enum bm_pci_access access)
{
	unsigned char *pages = pages_new(2, -1);
	const struct bm_copy copy = {.from = pages, .to = pages + PAGE, .length = PAGE};
	char why[BM_WHY_MAX] = "";
	struct bench *bench;

	bench = bench_open(access);
	bench_start(bench);
	pages_fill(pages, 1, 7);
	ck_assert_int_eq(bm_pci_pin(bench->pins, &copy, 1), 0);
	ck_assert_int_eq(child_opens(access, why), -EBUSY);
	printf("# busy: %s\n", why);
	ck_assert_str_ne(why, "");
	ck_assert_int_eq(bm_pci_is_master(&bench->pci), 1);
	ck_assert_int_eq(edu_copy(&bench->pci, bench->pins, &copy), 0);
	ck_assert_uint_eq(pages_wrong(pages + PAGE, 1, 7), 0);
	ck_assert_int_eq(bm_pci_unpin(bench->pins, 0), 0);
	bench_close(bench);
	ck_assert_int_eq(child_opens(access, why), 0);
	pages_free(pages, 2);
}
BY_BOTH(one_at_a_time)

/* A child of fork(2) has the descriptors, too, and nothing to say: also not when it closes them. */
static void closed_by_a_child(enum bm_pci_access access)
{
	unsigned char *pages = pages_new(2, -1);
	const struct bm_copy copy = {.from = pages, .to = pages + PAGE, .length = PAGE};
	struct bench *bench = bench_open(access);

	bench_start(bench);
	pages_fill(pages, 1, 8);
	ck_assert_int_eq(bm_pci_pin(bench->pins, &copy, 1), 0);
	child_closes(bench);
	ck_assert_int_eq(bm_pci_is_master(&bench->pci), 1);
	ck_assert_int_eq(edu_copy(&bench->pci, bench->pins, &copy), 0);
	ck_assert_int_eq(page_move(pages, page_node(pages) == 0), -EBUSY);
	ck_assert_uint_eq(pages_wrong(pages + PAGE, 1, 8), 0);
	ck_assert_int_eq(bm_pci_unpin(bench->pins, 0), 0);
	bench_close(bench);
	pages_free(pages, 2);
}
BY_BOTH(closed_by_a_child)

static void wait_for_its_end(const struct bm_pci_found *found)
{
	for (int i = 0; i < END_TRIES && seen_master(found); i++)
		usleep(STORE_US / 10);
	ck_assert_int_eq(seen_master(found), 0);
}

static void killed(enum bm_pci_access access)
{
	pid_t pid = holder_begin(access);
	struct bm_pci_found found;
	struct bench *bench;

	pci_find(access, &found);
	ck_assert_int_eq(seen_master(&found), 1);
	process_kill(pid);
	wait_for_its_end(&found);
	bench = bench_open(access);
	ck_assert(edu_is_there(&bench->pci));
	bench_close(bench);
}
BY_BOTH(killed)

/* Whether the store has come, with or without a kill in between. */
static int store_comes(enum bm_pci_access access, unsigned char *pages, int kill_it)
{
	struct bm_pci_found found;
	pid_t pid;

	pci_find(access, &found);
	memset(pages, 0xa5, PAGE);
	memset(pages + PAGE, 0x5a, PAGE);
	pid = writer_begin(access, pages);
	if (kill_it)
		process_kill(pid);
	usleep(STORE_US);
	if (!kill_it)
		process_kill(pid);
	wait_for_its_end(&found);
	ck_assert(pages[0] == 0xa5 || pages[0] == 0x5a);
	return pages[0] == 0x5a;
}

/* A kill may come late here, when all is written; but not each time. */
static void killed_while_it_writes(enum bm_pci_access access)
{
	unsigned char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	int tries = 0;

	ck_assert_ptr_ne(pages, MAP_FAILED);
	ck_assert(store_comes(access, pages, 0));
	while (tries < TRIES && store_comes(access, pages, 1))
		tries++;
	ck_assert_int_lt(tries, TRIES);
	munmap(pages, 2 * PAGE);
}
BY_BOTH(killed_while_it_writes)

/* A child that runs another program holds nothing: or a kill would not end it. */
static void not_inherited(enum bm_pci_access access)
{
	static const char *const ours[] = {"uio",      "vfio",     "resource",   "/config",
					   "io_uring", "/pagemap", "/dev/iommu", NULL};
	unsigned char *pages = pages_new(2, -1);
	const struct bm_copy copy = {.from = pages, .to = pages + PAGE, .length = PAGE};
	struct bench *bench;
	char line[256];
	FILE *list;

	bench = bench_open(access);
	ck_assert_int_eq(bm_pci_pin(bench->pins, &copy, 1), 0);
	list = popen("ls -l /proc/self/fd", "r");
	ck_assert_ptr_nonnull(list);
	while (fgets(line, sizeof(line), list))
		for (size_t i = 0; ours[i]; i++)
			ck_assert_msg(!strstr(line, ours[i]), "%s", line);
	ck_assert_int_eq(pclose(list), 0);
	bench_close(bench);
	pages_free(pages, 2);
}
BY_BOTH(not_inherited)

static const TTest *const *const uio_tests[] = {
	&uio_closed, &uio_one_at_a_time,          &uio_closed_by_a_child,
	&uio_killed, &uio_killed_while_it_writes, &uio_not_inherited,
	NULL};
static const TTest *const *const vfio_tests[] = {
	&vfio_closed, &vfio_one_at_a_time,          &vfio_closed_by_a_child,
	&vfio_killed, &vfio_killed_while_it_writes, &vfio_not_inherited,
	NULL};
const struct report_group uio_ends_group = {"pci_ends", uio_tests};
const struct report_group vfio_ends_group = {"pci_ends", vfio_tests};

/* ---------------------------------------------------------------- resets */

static void reset(enum bm_pci_access way)
{
	unsigned char *pages = pages_new(2, -1);
	const struct bm_copy copy = {.from = pages, .to = pages + PAGE, .length = PAGE};
	struct bench *bench;
	char path[64];

	bench = bench_open(way);
	bench_start(bench);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/reset", bench->found.address);
	ck_assert_int_eq(bench->pci.resets, access(path, F_OK) == 0);
	printf("# reset: %s can%s be reset\n", bench->found.address,
	       bench->pci.resets ? "" : "not");
	ck_assert_int_eq(bm_pci_reset(&bench->pci), bench->pci.resets ? 0 : -ENOTTY);
	ck_assert_int_eq(bm_pci_is_master(&bench->pci), !bench->pci.resets);
	ck_assert(edu_is_there(&bench->pci));
	bench_start(bench);
	pages_fill(pages, 1, 8);
	ck_assert_int_eq(bm_pci_pin(bench->pins, &copy, 1), 0);
	ck_assert_int_eq(edu_copy(&bench->pci, bench->pins, &copy), 0);
	ck_assert_int_eq(bm_pci_unpin(bench->pins, 0), 0);
	ck_assert_uint_eq(pages_wrong(pages + PAGE, 1, 8), 0);
	bench_close(bench);
	pages_free(pages, 2);
}
BY_BOTH(reset)

static const TTest *const *const uio_resets[] = {&uio_reset, NULL};
static const TTest *const *const vfio_resets[] = {&vfio_reset, NULL};
const struct report_group uio_resets_group = {"pci_resets", uio_resets};
const struct report_group vfio_resets_group = {"pci_resets", vfio_resets};

/* SPDX-License-Identifier: MIT */
/* pci_pages.c - a pinned page stays where it is; before that it may be moved to be pinned. */
#include <errno.h>
#include <linux/userfaultfd.h>
#include <numa.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pci_support.h"

/* Of Linux 6.8; the headers here may be older. */
struct move_call {
	uint64_t to, from, length, mode;
	int64_t moved;
};
#define UFFD_MOVE    _IOWR(0xaa, 0x05, struct move_call)
#define FEATURE_MOVE (UINT64_C(1) << 16)

/* To another address, as the mover swap does it: 0 or -errno; -ENOTTY: an older kernel. */
static int swap_away(unsigned char *page, unsigned char *to)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register range = {.range = {(uintptr_t)to, PAGE},
					.mode = UFFDIO_REGISTER_MODE_MISSING};
	struct move_call call = {.to = (uintptr_t)to, .from = (uintptr_t)page, .length = PAGE};
	int fd = (int)syscall(SYS_userfaultfd, 1), error;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ioctl(fd, UFFDIO_API, &api), 0);
	ck_assert_int_eq(ioctl(fd, UFFDIO_REGISTER, &range), 0);
	error = ioctl(fd, UFFD_MOVE, &call) ? -errno : 0;
	close(fd);
	return api.features & FEATURE_MOVE ? error : -ENOTTY;
}

static unsigned char *empty_page(void)
{
	unsigned char *page =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(page, MAP_FAILED);
	return page;
}

static int other_node(void *page)
{
	return page_node(page) == 0 ? 1 : 0;
}

static void assert_stays(unsigned char *page)
{
	unsigned char *empty = empty_page();
	int error;

	ck_assert_int_eq(page_move(page, other_node(page)), -EBUSY);
	error = swap_away(page, empty);
	ck_assert_msg(error == -EBUSY || error == -ENOTTY, "%s", strerror(-error));
	munmap(empty, PAGE);
}

static void assert_moves(unsigned char *page)
{
	unsigned char *empty = empty_page();
	int error;

	ck_assert_int_eq(page_move(page, other_node(page)), 0);
	error = swap_away(page, empty);
	ck_assert_msg(error == 0 || error == -ENOTTY, "%s", strerror(-error));
	munmap(empty, PAGE);
}

static void pinned_pages_stay(enum bm_pci_access access)
{
	unsigned char *pages = pages_new(2, 0);
	const struct bm_copy copy = {.from = pages, .to = pages + PAGE, .length = PAGE};
	struct bench *bench;

	bench = bench_open(access);
	ck_assert_int_eq(page_move(pages, 1), 0);
	ck_assert_int_eq(bm_pci_pin(bench->pins, &copy, 1), 0);
	assert_stays(pages);
	assert_stays(pages + PAGE);
	ck_assert_int_eq(bm_pci_unpin(bench->pins, 0), 0);
	assert_moves(pages);
	assert_moves(pages + PAGE);
	bench_close(bench);
	pages_free(pages, 2);
}
BY_BOTH(pinned_pages_stay)

static void targets_are_kept(enum bm_pci_access access)
{
	unsigned char *pages = pages_new(3, 0);
	const struct bm_copy copy = {.from = pages, .to = pages + PAGE, .length = PAGE};
	struct bench *bench;
	uint64_t bus;
	size_t run;

	bench = bench_open(access);
	bench_start(bench);
	pages_fill(pages, 1, 5);
	ck_assert_int_eq(bm_pci_pin(bench->pins, &copy, 1), 0);
	bus = bm_pci_bus(bench->pins, pages + PAGE, &run);
	ck_assert_int_eq(edu_fetch(&bench->pci, bm_pci_bus(bench->pins, pages, &run), EDU_PIECE),
			 0);
	ck_assert_int_eq(bm_pci_unpin(bench->pins, 1), 0);
	assert_moves(pages);
	/* A late write lands where it was meant to, or it is kept away by the IOMMU. */
	if (!bm_pci_guards(bench->space))
		assert_stays(pages + PAGE);
	ck_assert_int_eq(edu_store(&bench->pci, bus, EDU_PIECE), 0);
	ck_assert_int_eq(pages[PAGE] == 0xa5, bm_pci_guards(bench->space));
	ck_assert_int_eq(bm_pci_unpin(bench->pins, 0), 0);
	assert_moves(pages + PAGE);
	bench_close(bench);
	pages_free(pages, 3);
}
BY_BOTH(targets_are_kept)

static void freed_with_pins(enum bm_pci_access access)
{
	unsigned char *pages = pages_new(2, 0);
	const struct bm_copy copy = {.from = pages, .to = pages + PAGE, .length = PAGE};
	struct bench *bench;

	bench = bench_open(access);
	ck_assert_int_eq(bm_pci_pin(bench->pins, &copy, 1), 0);
	bench_close(bench);
	assert_moves(pages);
	assert_moves(pages + PAGE);
	pages_free(pages, 2);
}
BY_BOTH(freed_with_pins)

#define MOVABLE_NODE  2
#define MOVABLE_PAGES 64u

static void count_nodes(unsigned char *pages, size_t count, size_t *on)
{
	for (size_t i = 0; i < count; i++)
		on[page_node(pages + i * PAGE)]++;
}

/* Where the kernel keeps nothing for long, a pin brings the page to another node. */
static void from_a_movable_node(enum bm_pci_access access)
{
	unsigned char *from, *to;
	struct bm_copy copy;
	struct bench *bench;
	size_t on[3] = {0};

	if (numa_max_node() < MOVABLE_NODE)
		skip_test("needs a node of movable pages: tests/vm/run --movable");
	from = pages_new(MOVABLE_PAGES, MOVABLE_NODE);
	to = pages_new(MOVABLE_PAGES, 0);
	copy = (struct bm_copy){.from = from, .to = to, .length = MOVABLE_PAGES * PAGE};
	bench = bench_open(access);
	bench_start(bench);
	pages_fill(from, MOVABLE_PAGES, 6);
	ck_assert_int_eq(bm_pci_pin(bench->pins, &copy, 1), 0);
	count_nodes(from, MOVABLE_PAGES, on);
	printf("# movable: of %u pages pinned on node %d, %zu are on node 0 then, %zu on node 1, "
	       "%zu still there\n",
	       MOVABLE_PAGES, MOVABLE_NODE, on[0], on[1], on[2]);
	ck_assert_uint_eq(on[MOVABLE_NODE], 0);
	copy.length = PAGE;
	ck_assert_int_eq(edu_copy(&bench->pci, bench->pins, &copy), 0);
	ck_assert_uint_eq(pages_wrong(to, 1, 6), 0);
	ck_assert_uint_eq(pages_wrong(from, MOVABLE_PAGES, 6), 0);
	ck_assert_int_eq(bm_pci_unpin(bench->pins, 0), 0);
	ck_assert_int_eq(page_move(from, MOVABLE_NODE), 0);
	bench_close(bench);
	pages_free(from, MOVABLE_PAGES);
	pages_free(to, MOVABLE_PAGES);
}
BY_BOTH(from_a_movable_node)

static const TTest *const *const uio_tests[] = {&uio_pinned_pages_stay, &uio_targets_are_kept,
						&uio_freed_with_pins, &uio_from_a_movable_node,
						NULL};
static const TTest *const *const vfio_tests[] = {&vfio_pinned_pages_stay, &vfio_targets_are_kept,
						 &vfio_freed_with_pins, &vfio_from_a_movable_node,
						 NULL};
const struct report_group uio_pages_group = {"pci_pages", uio_tests};
const struct report_group vfio_pages_group = {"pci_pages", vfio_tests};

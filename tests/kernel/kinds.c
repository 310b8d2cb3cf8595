/* SPDX-License-Identifier: MIT */
/* kinds.c - pages of every kind: file, shared, absent, pinned, swapped. */
#include "support.h"

#include <fcntl.h>
#include <stdio.h>
#ifdef HAVE_URING
#include <liburing.h>
#endif

START_TEST(holes_zero_pages_unmapped)
{
	struct area area;
	volatile char sum = 0;
	size_t count = 3000;

	NEED_NODES();
	area_new(&area, count, nodes[0]);
	madvise(area.start, 1000 * PAGE, MADV_DONTNEED);
	for (size_t i = 0; i < 500; i++)
		sum = (char)(sum + *(volatile char *)(area.start + i * PAGE));
	/* Working memory is taken now, and not in the gap that is to come. */
	area_target(&area, nodes[0]);
	area_move(&area, 0);
	munmap(area.start + 2000 * PAGE, 1000 * PAGE);
	area_target(&area, nodes[1]);
	ck_assert_int_eq(area_move(&area, 0), 2000);
	ck_assert_int_eq(area.status[0], node_of(area.start));
	ck_assert_int_lt(area.status[0], 0);
	ck_assert_int_lt(area.status[700], 0);
	ck_assert_int_eq(area.status[1500], nodes[1]);
	ck_assert_int_eq(area.status[2500], -EFAULT);
	ck_assert_uint_eq(status_wrong(&area), 0);
	ck_assert_uint_eq(stamp_wrong(area.start + 1000 * PAGE, 1000, PAGE), 0);
	area.length = 2000 * PAGE;
	area_free(&area);
}
END_TEST

START_TEST(prot_none_and_locked)
{
	struct area area;
	int visible;

	NEED_NODES();
	area_new(&area, 600, nodes[0]);
	ck_assert_int_eq(mprotect(area.start, 200 * PAGE, PROT_NONE), 0);
	mlock(area.start + 200 * PAGE, 200 * PAGE);
	/* Linux 6.1 does not see pages without access. */
	visible = node_of(area.start) >= 0;
	area_target(&area, nodes[1]);
	ck_assert_int_eq(area_move(&area, 0), visible ? 0 : 200);
	ck_assert_int_eq(area.status[200], nodes[1]);
	ck_assert_uint_eq(status_wrong(&area), 0);
	mprotect(area.start, 200 * PAGE, PROT_READ);
	ck_assert_uint_eq(stamp_wrong(area.start, 600, PAGE), 0);
	area_free(&area);
}
END_TEST

START_TEST(file_and_shared_memory)
{
	int fds[2] = {memfd_create("shared", MFD_CLOEXEC), -1};
	struct area area;
	char *memory;

	NEED_NODES();
	fds[1] = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_ge(fds[i], 0);
		ck_assert_int_eq(ftruncate(fds[i], 600 * PAGE), 0);
		prefer(nodes[0]);
		memory = mmap(NULL, 600 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fds[i], 0);
		ck_assert_ptr_ne(memory, MAP_FAILED);
		stamp(memory, 600, PAGE);
		prefer(-1);
		area_over(&area, memory, 600, PAGE);
		area_target(&area, nodes[1]);
		area_move(&area, 0);
		ck_assert_uint_eq(status_wrong(&area), 0);
		ck_assert_int_eq(area.status[0], nodes[1]);
		ck_assert_int_eq(area.status[599], nodes[1]);
		ck_assert_uint_eq(stamp_wrong(memory, 600, PAGE), 0);
		area_free(&area);
		munmap(memory, 600 * PAGE);
		close(fds[i]);
	}
}
END_TEST

/* A child that has inherited the pages keeps them shared while it lives. */
START_TEST(shared_with_a_child)
{
	struct area area;
	int ends[2];
	char byte;
	pid_t pid;

	NEED_NODES();
	area_new(&area, 300, nodes[0]);
	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		close(ends[1]);
		(void)!read(ends[0], &byte, 1);
		_exit(0);
	}
	area_target(&area, nodes[1]);
	ck_assert_int_eq(area_move(&area, 0), 300);
	ck_assert_int_eq(area.status[0], -EACCES);
	ck_assert_int_eq(area.status[299], -EACCES);
	ck_assert_int_eq(node_of(area.start), nodes[0]);
	if (geteuid() == 0) {
		ck_assert_int_eq(area_move(&area, BM_MOVE_ALL), 0);
		ck_assert_uint_eq(status_wrong(&area), 0);
	}
	close(ends[1]);
	waitpid(pid, NULL, 0);
	ck_assert_int_eq(area_move(&area, 0), 0);
	ck_assert_uint_eq(stamp_wrong(area.start, 300, PAGE), 0);
	close(ends[0]);
	area_free(&area);
}
END_TEST

#ifdef HAVE_URING
START_TEST(pinned)
{
	struct bm_stats stats;
	struct io_uring ring;
	struct iovec buffer;
	struct area area;

	NEED_NODES();
	area_new(&area, 1000, nodes[0]);
	ck_assert_int_eq(io_uring_queue_init(4, &ring, 0), 0);
	buffer = (struct iovec){area.start + 500 * PAGE, PAGE};
	ck_assert_int_eq(io_uring_register_buffers(&ring, &buffer, 1), 0);
	area_target(&area, nodes[1]);
	bm_stats_reset(NULL);
	ck_assert_int_eq(area_move(&area, 0), 1);
	for (size_t i = 0; i < 1000; i++)
		ck_assert_int_eq(area.status[i], i == 500 ? -EBUSY : nodes[1]);
	ck_assert_int_eq(node_of(area.start + 500 * PAGE), nodes[0]);
	bm_stats_get(NULL, &stats, sizeof(stats));
	ck_assert_uint_eq(stats.reasons[BM_REASON_BUSY], 1);
	ck_assert_uint_eq(stats.tally.retried, 1);
	/* The device's memory is still the page. */
	io_uring_queue_exit(&ring);
	ck_assert_uint_eq(stamp_wrong(area.start, 1000, PAGE), 0);
	for (int i = 0; i < 100 && area_move(&area, 0) != 0; i++)
		usleep(20000);
	ck_assert_int_eq(node_of(area.start + 500 * PAGE), nodes[1]);
	ck_assert_uint_eq(stamp_wrong(area.start, 1000, PAGE), 0);
	area_free(&area);
}
END_TEST
#else
START_TEST(pinned)
{
	skip_test("built without liburing");
}
END_TEST
#endif

#define KSM "/sys/kernel/mm/ksm/"

/* Waits until the kernel has found the pages of the area to be alike; 0 when it has not. */
static int await_merging(const struct area *area)
{
	unsigned int kind = 0;
	int status;

	for (int i = 0; i < 300 && !(kind & BM_PAGE_SHARED); i++) {
		usleep(100000);
		bm_query_pages(NULL, 0, 1, area->pages, &status, &kind);
	}
	return (kind & BM_PAGE_SHARED) != 0;
}

/* Merged by KSM: shared, so they move only where that is asked for. */
START_TEST(merged)
{
	char *mapping;
	struct area area;

	NEED_NODES();
	if (write_text(KSM "run", "1") < 0)
		skip_test("no KSM, or not root");
	write_text(KSM "sleep_millisecs", "1");
	write_text(KSM "pages_to_scan", "10000");
	mapping =
		mmap(NULL, 300 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(mapping, MAP_FAILED);
	madvise(mapping, 300 * PAGE, MADV_NOHUGEPAGE);
	prefer(nodes[0]);
	memset(mapping, 7, 300 * PAGE);
	prefer(-1);
	ck_assert_int_eq(madvise(mapping, 300 * PAGE, MADV_MERGEABLE), 0);
	area_over(&area, mapping, 300, PAGE);
	area_target(&area, nodes[1]);
	ck_assert(await_merging(&area));
	write_text(KSM "run", "0");
	ck_assert_int_gt(area_move(&area, 0), 0);
	ck_assert_int_eq(area.status[0], -EACCES);
	area_move(&area, BM_MOVE_ALL);
	ck_assert_uint_eq(status_wrong(&area), 0);
	for (size_t i = 0; i < 300 * PAGE; i++)
		ck_assert_int_eq(mapping[i], 7);
	munmap(mapping, 300 * PAGE);
	area_free(&area);
	write_text(KSM "run", "2");
	write_text(KSM "run", "0");
}
END_TEST

static long free_megabytes(int node)
{
	char path[96], line[128];
	long value = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/meminfo", node);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Node %*d MemFree: %ld", &value) == 1)
			break;
	}
	if (file)
		fclose(file);
	return value / 1024;
}

/* More pages than the target has room for: none is lost, and each status is true. */
START_TEST(target_full)
{
	struct area area, filler;
	size_t room, full = 0;
	long rc;

	NEED_NODES();
	/* Reclaim must not find room in the page cache. */
	write_text("/proc/sys/vm/drop_caches", "3");
	if (free_megabytes(nodes[1]) > 1600 || free_megabytes(nodes[0]) < 500)
		skip_test("the second node is too large to be filled, or the first too small");
	room = (size_t)free_megabytes(nodes[1]) - 40;
	area_new(&filler, room * 256, nodes[1]);
	ck_assert_int_eq(mlock(filler.start, filler.length), 0);
	area_new(&area, 250 * 256, nodes[0]);
	area_target(&area, nodes[1]);
	rc = area_move(&area, 0);
	ck_assert_int_gt(rc, 0);
	for (size_t i = 0; i < area.count; i++) {
		int node = node_of(area.pages[i]);

		ck_assert_int_ge(node, 0);
		if (area.status[i] >= 0)
			ck_assert_int_eq(area.status[i], node);
		else
			full += area.status[i] == -ENOMEM;
	}
	ck_assert_uint_eq(full, (size_t)rc);
	ck_assert_uint_eq(stamp_wrong(area.start, area.count, PAGE), 0);
	ck_assert_uint_eq(stamp_wrong(filler.start, filler.count, PAGE), 0);
	area_free(&area);
	area_free(&filler);
}
END_TEST

START_TEST(query_tells_kinds)
{
	unsigned int kinds[5];
	int status[5], fd = memfd_create("kinds", MFD_CLOEXEC);
	struct area area;
	void *pages[5];
	char *file;

	NEED_NODES();
	area_new(&area, 4, nodes[1]);
	ck_assert_int_eq(ftruncate(fd, PAGE), 0);
	file = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	*file = 1;
	madvise(area.start + PAGE, PAGE, MADV_DONTNEED);
	munmap(area.start + 3 * PAGE, PAGE);
	memcpy(pages, area.pages, 4 * sizeof(void *));
	pages[4] = file;
	ck_assert_int_eq(bm_query_pages(NULL, 0, 5, pages, status, kinds), 3);
	ck_assert_uint_eq(kinds[0], BM_PAGE_PRESENT);
	ck_assert_int_eq(status[0], nodes[1]);
	ck_assert_uint_eq(kinds[1], 0);
	ck_assert_int_eq(status[1], node_of(pages[1]));
	ck_assert_uint_eq(kinds[3], BM_PAGE_UNMAPPED);
	ck_assert_int_eq(status[3], -EFAULT);
	ck_assert_uint_eq(kinds[4], BM_PAGE_PRESENT | BM_PAGE_FILE);
	munmap(file, PAGE);
	close(fd);
	area.length = 3 * PAGE;
	area_free(&area);
}
END_TEST

static const TTest *const *const tests[] = {&holes_zero_pages_unmapped,
					    &prot_none_and_locked,
					    &file_and_shared_memory,
					    &shared_with_a_child,
					    &pinned,
					    &merged,
					    &target_full,
					    &query_tells_kinds,
					    NULL};
const struct report_group kinds_group = {"kinds", tests};

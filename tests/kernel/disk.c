/* SPDX-License-Identifier: MIT */
/* disk.c - pages with a disk behind them: swap, files of ext4. */
#include "support.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>

#define FOLDER "/tmp/bm_disk"
#define COUNT  800

/* Runs COMMAND on the scratch disk of the rig; 0 when there is none. */
static int prepare_disk(const char *command)
{
	const char *disk = getenv("SCRATCH_DISK");
	char line[256];

	snprintf(line, sizeof(line), "%s %s >/dev/null 2>&1", command, disk ? disk : "");
	return disk && system(line) == 0;
}

START_TEST(swapped_out)
{
	struct area area;
	size_t out = 0;

	NEED_NODES();
	if (!prepare_disk("mkswap") || swapon(getenv("SCRATCH_DISK"), 0) != 0)
		skip_test("no scratch disk for swap");
	area_new(&area, 400, nodes[0]);
	madvise(area.start, 200 * PAGE, MADV_PAGEOUT);
	for (size_t i = 0; i < 200; i++)
		out += node_of(area.pages[i]) == -ENOENT;
	ck_assert_uint_gt(out, 0);
	area_target(&area, nodes[1]);
	area_move(&area, 0);
	ck_assert_uint_eq(status_wrong(&area), 0);
	ck_assert_int_eq(area.status[399], nodes[1]);
	ck_assert_uint_eq(stamp_wrong(area.start, 400, PAGE), 0);
	area_free(&area);
	swapoff(getenv("SCRATCH_DISK"));
}
END_TEST

/* Stamped, on the disk, and out of the page cache. */
static void write_file(int fd)
{
	char *memory;

	ck_assert_int_eq(ftruncate(fd, COUNT * PAGE), 0);
	memory = mmap(NULL, COUNT * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(memory, MAP_FAILED);
	for (size_t i = 0; i < COUNT; i++)
		memset(memory + i * PAGE, (int)(i % 251 + 1), PAGE);
	munmap(memory, COUNT * PAGE);
	ck_assert_int_eq(fsync(fd), 0);
	ck_assert_int_eq(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
}

static void contents_are_whole(const char *memory)
{
	for (size_t i = 0; i < COUNT * PAGE; i++)
		ck_assert_int_eq((unsigned char)memory[i], (int)(i / PAGE % 251 + 1));
}

/* Half of the pages are read, the other half are on the disk only, and stay there. */
static void move_file_pages(int fd, int flags, int protection)
{
	size_t absent = 0;
	volatile char sum = 0;
	struct area area;
	char *memory;

	write_file(fd);
	memory = mmap(NULL, COUNT * PAGE, protection, flags, fd, 0);
	ck_assert_ptr_ne(memory, MAP_FAILED);
	madvise(memory, COUNT * PAGE, MADV_RANDOM);
	prefer(nodes[0]);
	for (size_t i = 0; i < COUNT; i += 2)
		sum = (char)(sum + memory[i * PAGE]);
	prefer(-1);
	area_over(&area, memory, COUNT, PAGE);
	area_target(&area, nodes[1]);
	area_move(&area, 0);
	ck_assert_uint_eq(status_wrong(&area), 0);
	for (size_t i = 0; i < COUNT; i++) {
		absent += area.status[i] == -ENOENT || area.status[i] == -EFAULT;
		ck_assert(i % 2 || area.status[i] == nodes[1]);
	}
	ck_assert_uint_gt(absent, 0);
	contents_are_whole(memory);
	munmap(memory, COUNT * PAGE);
	area_free(&area);
}

START_TEST(files_of_ext4)
{
	int fd;

	NEED_NODES();
	mkdir(FOLDER, 0755);
	if (!prepare_disk("mkfs.ext4 -qF") ||
	    mount(getenv("SCRATCH_DISK"), FOLDER, "ext4", 0, NULL) != 0)
		skip_test("no scratch disk, or no ext4");
	fd = open(FOLDER "/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	move_file_pages(fd, MAP_SHARED, PROT_READ | PROT_WRITE);
	move_file_pages(fd, MAP_SHARED, PROT_READ);
	move_file_pages(fd, MAP_PRIVATE, PROT_READ);
	close(fd);
	ck_assert_int_eq(umount(FOLDER), 0);
}
END_TEST

static const TTest *const *const tests[] = {&swapped_out, &files_of_ext4, NULL};
const struct report_group disk_group = {"disk", tests};

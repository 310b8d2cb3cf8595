/* SPDX-License-Identifier: MIT */
/* swap_io.c - system calls that read and write a range while it is migrated. */
#include "swap_load.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>

#define COUNT 1024

static struct load load;

/* Does the work again and again meanwhile; it tells how many words were wrong. */
static void work_meanwhile(const char *test, size_t (*work)(int fd, uint64_t turn), int fd)
{
	uint64_t turns = 0;
	size_t wrong = 0;
	struct box box;

	watchdog_start(test);
	load_new(&load, COUNT);
	load_start(&load);
	box_start(&box, "the system calls");
	while (wrong == 0 && box_open(&box))
		wrong += work(fd, turns++);
	pulse_end(box.pulse);
	load_end(&load);
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_ge(turns, 4);
	watchdog_stop();
	load_free(&load);
}

/* Two places in the test's half, each turn others, that do not overlap. */
struct places {
	char *from, *to;
	size_t length;
};

static struct places places_of(uint64_t turn, size_t length, size_t alignment)
{
	size_t room = load_half(&load) / 2 - length;
	size_t at = turn * 7919 * 8 % room / alignment * alignment;
	char *start = load.area.start;

	return (struct places){start + at, start + load_half(&load) / 2 + at, length};
}

/* What is at "to" belongs to the address "from": both are compared with what was written there. */
static size_t differ(const struct places *places, uint64_t seed)
{
	return wrong_words(places->from, places->length, seed) +
	       (memcmp(places->from, places->to, places->length) != 0);
}

static int pipe_ends[2];

static size_t through_a_pipe(int fd, uint64_t turn)
{
	struct places places = places_of(turn, 40000, 8);
	size_t got = 0;

	(void)fd;
	fill(places.from, places.length, turn);
	memset(places.to, 0xee, places.length);
	if (write(pipe_ends[1], places.from, places.length) != (ssize_t)places.length)
		return 1;
	while (got < places.length) {
		ssize_t rc = read(pipe_ends[0], places.to + got, places.length - got);

		if (rc <= 0)
			return 1;
		got += (size_t)rc;
	}
	return differ(&places, turn);
}

START_TEST(pipes)
{
	ck_assert_int_eq(pipe2(pipe_ends, O_CLOEXEC), 0);
	work_meanwhile("swap_io/pipes", through_a_pipe, -1);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
}
END_TEST

static size_t through_a_file(int fd, uint64_t turn)
{
	int direct = fcntl(fd, F_GETFL) & O_DIRECT;
	struct places places = places_of(turn, 256u << 10, direct ? PAGE : 8);
	off_t at = (off_t)(turn % 16 * PAGE);

	fill(places.from, places.length, turn);
	memset(places.to, 0xee, places.length);
	if (pwrite(fd, places.from, places.length, at) != (ssize_t)places.length ||
	    pread(fd, places.to, places.length, at) != (ssize_t)places.length)
		return 1;
	return differ(&places, turn);
}

START_TEST(files_of_tmpfs)
{
	int fd = memfd_create("swap_io", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	work_meanwhile("swap_io/files_of_tmpfs", through_a_file, fd);
	close(fd);
}
END_TEST

#define FOLDER "/tmp/bm_swap_disk"

/* The scratch disk of the rig with an ext4, else /tmp where it lies on a disk; -1: neither. */
static int open_direct(int *mounted)
{
	const char *disk = getenv("SCRATCH_DISK");
	struct statfs about;
	char line[256];
	int fd;

	mkdir(FOLDER, 0755);
	snprintf(line, sizeof(line), "mkfs.ext4 -qF %s >/dev/null 2>&1", disk ? disk : "");
	*mounted = disk && system(line) == 0 && mount(disk, FOLDER, "ext4", 0, NULL) == 0;
	if (statfs(FOLDER, &about) != 0 || about.f_type != EXT4_SUPER_MAGIC)
		return -1;
	fd = open(FOLDER "/file", O_RDWR | O_CREAT | O_CLOEXEC | O_DIRECT, 0600);
	unlink(FOLDER "/file");
	return fd;
}

START_TEST(direct_io)
{
	int mounted, fd = open_direct(&mounted);

	if (fd >= 0)
		work_meanwhile("swap_io/direct_io", through_a_file, fd);
	close(fd);
	if (mounted)
		umount(FOLDER);
	rmdir(FOLDER);
	if (fd < 0)
		skip_test("no ext4 to do direct I/O on");
}
END_TEST

static size_t vm_to_and_fro(pid_t pid, const struct places *places, uint64_t seed)
{
	size_t length = places->length;
	char *copy = malloc(length);
	struct iovec here = {copy, length};
	struct iovec from = {places->from, length}, to = {places->to, length};
	size_t wrong = 1;

	memset(copy, 0xee, length);
	if (process_vm_readv(pid, &here, 1, &from, 1, 0) == (ssize_t)length &&
	    process_vm_writev(pid, &here, 1, &to, 1, 0) == (ssize_t)length) {
		fill(places->from, length, seed);
		wrong = (size_t)(memcmp(copy, places->from, length) != 0);
	}
	free(copy);
	return wrong;
}

static size_t by_itself(int fd, uint64_t turn)
{
	struct places places = places_of(turn, 128u << 10, 8);
	struct iovec from = {places.from, places.length}, to = {places.to, places.length};

	(void)fd;
	fill(places.from, places.length, turn);
	if (vm_to_and_fro(getpid(), &places, turn) != 0)
		return 1;
	if (differ(&places, turn) != 0)
		return 1;
	/* Both sides in the range. */
	memset(places.to, 0xee, places.length);
	if (process_vm_writev(getpid(), &from, 1, &to, 1, 0) != (ssize_t)places.length)
		return 1;
	return differ(&places, turn);
}

START_TEST(process_vm_of_itself)
{
	work_meanwhile("swap_io/process_vm_of_itself", by_itself, -1);
}
END_TEST

/* What the child reports. */
struct remote {
	atomic_int stop, rc;
	atomic_ulong turns;
};

/*
 * The first half belongs to the child alone: it writes a piece through the
 * kernel, and reads it back. It has no such memory itself (MADV_DONTFORK).
 */
static int work_on_parent(struct remote *remote)
{
	size_t length = 64u << 10;
	char *ours = malloc(length), *back = malloc(length);
	struct iovec here = {ours, length}, there = {NULL, length}, again = {back, length};

	limit_child(120);
	for (uint64_t turn = 0; !atomic_load(&remote->stop); turn++) {
		there.iov_base = load.area.start + turn * 7919 * 8 % (load_half(&load) - length);
		fill(ours, length, turn);
		if (process_vm_writev(getppid(), &here, 1, &there, 1, 0) != (ssize_t)length)
			return 10;
		memset(back, 0xee, length);
		if (process_vm_readv(getppid(), &again, 1, &there, 1, 0) != (ssize_t)length)
			return 11;
		if (memcmp(ours, back, length) != 0)
			return 12;
		atomic_fetch_add(&remote->turns, 1);
	}
	return 0;
}

START_TEST(process_vm_of_a_child)
{
	struct remote *remote =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct box box;
	pid_t pid;
	int rc;

	ck_assert_ptr_ne(remote, MAP_FAILED);
	watchdog_start("swap_io/process_vm_of_a_child");
	load_new(&load, COUNT);
	ck_assert_int_eq(madvise(load.area.start, load.area.length, MADV_DONTFORK), 0);
	pid = fork();
	if (pid == 0)
		_exit(work_on_parent(remote));
	ck_assert_int_gt(pid, 0);
	load_start(&load);
	box_start(&box, "the test");
	while (box_open(&box))
		usleep(20000);
	atomic_store(&remote->stop, 1);
	rc = await_child(pid);
	load_end(&load);
	ck_assert_int_eq(rc, 0);
	ck_assert_uint_gt(atomic_load(&remote->turns), 0);
	watchdog_stop();
	load_free(&load);
	munmap(remote, PAGE);
}
END_TEST

static const TTest *const *const tests[] = {
	&pipes, &files_of_tmpfs, &direct_io, &process_vm_of_itself, &process_vm_of_a_child, NULL};
const struct report_group swap_io_group = {"swap_io", tests};

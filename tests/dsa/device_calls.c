/* SPDX-License-Identifier: MIT */
/* device_calls.c - the character device answers as the driver does: what the rest relies on. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device_support.h"

#define NODE "/dev/dsa/wq0.0"

/* A memmove, or a batch; as the driver's header has it. */
struct descriptor {
	uint32_t pasid, command;
	uint64_t record, from, to;
	uint32_t size;
	uint32_t rest[7];
} __attribute__((aligned(64)));

#define MEMMOVE 0x0300000cu
#define BATCH   0x0100000cu

static struct descriptor descriptors[4];
static volatile unsigned char records[4][32] __attribute__((aligned(32)));
static char from[4][PAGE], to[4][PAGE];

static void fill(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		memset(from[i], 'a' + (int)i, PAGE);
		memset(to[i], 0, PAGE);
		memset((void *)(uintptr_t)records[i], 0, sizeof(records[i]));
		descriptors[i] = (struct descriptor){.command = MEMMOVE,
						     .record = (uint64_t)(uintptr_t)records[i],
						     .from = (uint64_t)(uintptr_t)from[i],
						     .to = (uint64_t)(uintptr_t)to[i],
						     .size = PAGE};
	}
}

static void wait_for(size_t index)
{
	uint64_t limit = now_ms() + 20000;

	while (records[index][0] == 0)
		ck_assert_uint_lt(now_ms(), limit);
}

static int open_node(void)
{
	int fd = open(NODE, O_RDWR | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void write_fails(int fd, const void *start, size_t size, int error)
{
	errno = 0;
	ck_assert_int_eq(write(fd, start, size), -1);
	ck_assert_int_eq(errno, error);
}

START_TEST(node_is_a_character_device)
{
	struct stat seen;
	int fd;

	device_begin("wq0.0", NULL);
	ck_assert_int_eq(stat(NODE, &seen), 0);
	ck_assert(S_ISCHR(seen.st_mode));
	ck_assert_uint_eq(seen.st_mode & 0777, 0600);
	fd = open_node();
	ck_assert_ptr_eq(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0),
			 MAP_FAILED);
	ck_assert_int_eq(errno, ENODEV);
	close(fd);
	device_end("wq0.0");
}
END_TEST

START_TEST(writes_are_counted_in_descriptors)
{
	int fd;

	device_begin("wq0.0", NULL);
	fd = open_node();
	fill(4);
	ck_assert_int_eq(write(fd, descriptors, 63), 0);
	/* What is left of the last one is not looked at. */
	ck_assert_int_eq(write(fd, descriptors, 3 * 64 + 63), 3 * 64);
	for (size_t i = 0; i < 3; i++) {
		wait_for(i);
		ck_assert_uint_eq(records[i][0], 1);
		ck_assert_int_eq(memcmp(from[i], to[i], PAGE), 0);
	}
	ck_assert_uint_eq(records[3][0], 0);
	close(fd);
	ck_assert_uint_eq(device_count("wq0.0", "most_taken"), 3);
	ck_assert_uint_eq(device_count("wq0.0", "bytes"), 3 * PAGE);
	device_end("wq0.0");
}
END_TEST

START_TEST(what_the_driver_refuses)
{
	int fd;

	device_begin("wq0.0", NULL);
	fd = open_node();
	fill(2);
	descriptors[0].record += 8;
	write_fails(fd, descriptors, 64, EINVAL);
	fill(2);
	descriptors[0].command = BATCH;
	descriptors[0].from = (uint64_t)(uintptr_t)descriptors;
	descriptors[0].size = 2;
	write_fails(fd, descriptors, 64, EINVAL);
	fill(2);
	descriptors[1].record += 8;
	/* The error of a later one is lost, and told by the next call. */
	ck_assert_int_eq(write(fd, descriptors, 2 * 64), 64);
	write_fails(fd, &descriptors[1], 64, EINVAL);
	write_fails(fd, (void *)8, 64, EFAULT);
	close(fd);
	device_end("wq0.0");
}
END_TEST

START_TEST(dedicated_is_opened_once)
{
	int fd;

	device_begin("wq0.0", "--dedicated", NULL);
	fd = open_node();
	ck_assert_int_eq(open(NODE, O_RDWR), -1);
	ck_assert_int_eq(errno, EBUSY);
	close(fd);
	close(open_node());
	device_end("wq0.0");
}
END_TEST

START_TEST(children_may_not_write)
{
	int fd, status;
	pid_t child;

	device_begin("wq0.0", NULL);
	fd = open_node();
	fill(1);
	child = fork();
	if (child == 0)
		_exit(write(fd, descriptors, 64) == -1 && errno == EPERM ? 0 : 1);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(write(fd, descriptors, 64), 64);
	wait_for(0);
	close(fd);
	device_end("wq0.0");
}
END_TEST

/* Behind close(2) nothing is written: memory can be used for something else. */
START_TEST(closing_waits)
{
	int fd;

	device_begin("wq0.0", "--fault=delay,every=1,amount=100000", NULL);
	fd = open_node();
	fill(4);
	ck_assert_int_eq(write(fd, descriptors, 4 * 64), 4 * 64);
	ck_assert_uint_eq(records[0][0], 0);
	close(fd);
	for (size_t i = 0; i < 4; i++) {
		ck_assert_uint_eq(records[i][0], 1);
		ck_assert_int_eq(memcmp(from[i], to[i], PAGE), 0);
	}
	device_end("wq0.0");
}
END_TEST

START_TEST(full_and_gone)
{
	int fd;

	device_begin("wq0.0", "--size=2", "--fault=lost,every=1", NULL);
	fd = open_node();
	fill(3);
	ck_assert_int_eq(write(fd, descriptors, 3 * 64), 2 * 64);
	write_fails(fd, &descriptors[2], 64, EAGAIN);
	close(fd);
	device_end("wq0.0");
	device_begin("wq0.0", "--fault=halt,at=1", NULL);
	fd = open_node();
	ck_assert_int_eq(write(fd, descriptors, 64), 64);
	for (int i = 0; i < 1000 && write(fd, descriptors, 64) >= 0; i++)
		usleep(1000);
	write_fails(fd, descriptors, 64, ENXIO);
	device_kill("wq0.0");
	write_fails(fd, descriptors, 64, ENOTCONN);
	close(fd);
}
END_TEST

static const TTest *const *const tests[] = {&node_is_a_character_device,
					    &writes_are_counted_in_descriptors,
					    &what_the_driver_refuses,
					    &dedicated_is_opened_once,
					    &children_may_not_write,
					    &closing_waits,
					    &full_and_gone,
					    NULL};
const struct report_group device_calls_group = {"device_calls", tests};

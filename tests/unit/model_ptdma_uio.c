/* SPDX-License-Identifier: MIT */
/* model_ptdma_uio.c - uio, pinned pages and frames as the machine of the software PTDMA has them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "ptdma_desk.h"
#include "ptdma_machine.h"
#include "unit.h"

#define MASTER 4u
#define FOLDER "/sys/bus/pci/devices/0000:01:00.2/"

START_TEST(uio_pins_once_each)
{
	struct uio uio;
	struct iovec buffers[3];
	int second;

	uio_use(&uio, (struct ptdma_sys_how){0});
	second = uio.sys.pinner();
	ck_assert_int_eq(uio.sys.unpin_buffers(uio.pinner), -ENXIO);
	buffers[0] = (struct iovec){uio.memory + 100, 4096};
	buffers[1] = (struct iovec){uio.memory + 5 * 4096, 1};
	buffers[2] = (struct iovec){uio.memory + 7 * 4096, 2 * 4096};
	ck_assert_int_eq(uio.sys.pin_buffers(uio.pinner, buffers, 3), 0);
	ck_assert_int_eq(uio.sys.pin_buffers(uio.pinner, buffers, 1), -EBUSY);
	ck_assert(machine_held().pinned_pages == 5 && machine_held().pin_calls == 2 &&
		  machine_held().files == 3);
	ck_assert(ptdma_sys_pinned(uio.memory + 4096, 1));
	ck_assert(!ptdma_sys_pinned(uio.memory + 2 * 4096, 3 * 4096));
	/* By two: it stays until neither has it. */
	ck_assert_int_eq(uio_pin(&uio, second, uio.memory, 2 * 4096), 0);
	ck_assert_uint_eq(machine_held().pinned_pages, 5);
	ck_assert_int_eq(uio.sys.unpin_buffers(uio.pinner), 0);
	ck_assert_int_eq(uio.sys.unpin_buffers(uio.pinner), -ENXIO);
	ck_assert(machine_held().pinned_pages == 2 && ptdma_sys_pinned(uio.memory, 4096));
	ck_assert_int_eq(uio.sys.close(second), 0);
	ck_assert(machine_held().pinned_pages == 0 && !ptdma_sys_pinned(uio.memory, 4096));
	ck_assert_int_eq(uio.sys.unpin_buffers(second), -EBADF);
	ck_assert_int_eq(uio.sys.pin_buffers(second, buffers, 1), -EBADF);
	uio_end(&uio);
}
END_TEST

START_TEST(uio_pins_that_are_refused)
{
	struct uio uio;
	struct iovec buffers[2];
	char *readable = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	uio_use(&uio, (struct ptdma_sys_how){.memlock = 3 * 4096});
	ck_assert_int_eq(uio.sys.pin_buffers(uio.pinner, buffers, 0), -EINVAL);
	ck_assert_int_eq(uio_pin(&uio, uio.pinner, NULL, 4096), -EFAULT);
	ck_assert_int_eq(uio_pin(&uio, uio.pinner, uio.memory, 0), -EFAULT);
	ck_assert_int_eq(uio_pin(&uio, uio.pinner, uio.memory, (1u << 30) + 1), -EFAULT);
	ck_assert_int_eq(uio_pin(&uio, uio.pinner, readable, 4096), -EFAULT);
	munmap(readable, 4096);
	ck_assert_int_eq(uio_pin(&uio, uio.pinner, readable, 4096), -EFAULT);
	ck_assert_int_eq(uio.sys.pin_buffers(uio.pagemap, buffers, 1), -EOPNOTSUPP);
	/* All of them, or none. */
	buffers[0] = (struct iovec){uio.memory, 2 * 4096};
	buffers[1] = (struct iovec){uio.memory + 4 * 4096, 2 * 4096};
	ck_assert_int_eq(uio.sys.pin_buffers(uio.pinner, buffers, 2), -ENOMEM);
	ck_assert_uint_eq(machine_held().pinned_pages, 0);
	ck_assert_int_eq(uio_pin(&uio, uio.pinner, uio.memory, 3 * 4096), 0);
	uio_end(&uio);
	uio_use(&uio, (struct ptdma_sys_how){.map_error = -ENOSPC});
	ck_assert_int_eq(uio_pin(&uio, uio.pinner, uio.memory, 4096), -ENOSPC);
	ck_assert_uint_eq(machine_held().pinned_pages, 0);
	uio_end(&uio);
}
END_TEST

/* One while it is pinned; before and afterwards it is another one each time. */
START_TEST(uio_frames)
{
	struct uio uio;
	uint64_t frames[5];

	uio_use(&uio, (struct ptdma_sys_how){0});
	frames[0] = uio_frame(&uio, uio.memory);
	ck_assert_int_eq(uio_pin(&uio, uio.pinner, uio.memory, 4096), 0);
	frames[1] = uio_frame(&uio, uio.memory);
	frames[2] = uio_frame(&uio, uio.memory);
	ck_assert_int_eq(uio.sys.unpin_buffers(uio.pinner), 0);
	frames[3] = uio_frame(&uio, uio.memory);
	ck_assert_int_eq(uio_pin(&uio, uio.pinner, uio.memory, 4096), 0);
	frames[4] = uio_frame(&uio, uio.memory);
	ck_assert(frames[1] == frames[2] && frames[0] != frames[1]);
	ck_assert(frames[3] != frames[1] && frames[3] != frames[0]);
	ck_assert(frames[4] != frames[3] && frames[4] != frames[1]);
	for (size_t i = 0; i < 5; i++)
		ck_assert_uint_lt(frames[i], UINT64_C(1) << 36);
	uio_end(&uio);
	uio_use(&uio, (struct ptdma_sys_how){.no_pfn = 1});
	ck_assert_int_eq(uio_pin(&uio, uio.pinner, uio.memory, 4096), 0);
	ck_assert_uint_eq(uio_frame(&uio, uio.memory), 0);
	uio_end(&uio);
}
END_TEST

/* Of how many pages from here on frames follow each other. */
static size_t run_of(const struct uio *uio, const char *at)
{
	size_t pages = 1;

	while (uio_frame(uio, at + pages * 4096) == uio_frame(uio, at) + pages)
		pages++;
	return pages;
}

START_TEST(uio_frames_that_follow)
{
	struct uio uio;
	uint64_t first;

	uio_use(&uio, (struct ptdma_sys_how){0});
	/* From the middle of 64 KiB: to its end, a whole one, and what is left. */
	ck_assert_int_eq(uio_pin(&uio, uio.pinner, uio.memory + 4 * 4096, 32 * 4096), 0);
	ck_assert_uint_eq(run_of(&uio, uio.memory + 4 * 4096), 12);
	ck_assert_uint_eq(run_of(&uio, uio.memory + 16 * 4096), 16);
	ck_assert_uint_eq(run_of(&uio, uio.memory + 32 * 4096), 4);
	ck_assert_int_eq(uio.sys.unpin_buffers(uio.pinner), 0);
	/* A ring, and a huge page: aligned there as here. */
	ck_assert_int_eq(uio_pin(&uio, uio.pinner, uio.memory + (256 << 10), 256 << 10), 0);
	ck_assert_uint_eq(run_of(&uio, uio.memory + (256 << 10)), 64);
	ck_assert_uint_eq(uio_frame(&uio, uio.memory + (256 << 10)) % 64, 0);
	ck_assert_int_eq(uio.sys.unpin_buffers(uio.pinner), 0);
	ck_assert_int_eq(uio_pin(&uio, uio.pinner, uio.memory, 2 * UIO_BLOCK), 0);
	first = uio_frame(&uio, uio.memory);
	ck_assert(first % 512 == 0 && run_of(&uio, uio.memory) == 512);
	uio_end(&uio);
}
END_TEST

/* Many, of which some go: none is found any more, and all others are. */
START_TEST(uio_many_frames)
{
	struct uio uio;
	uint64_t frames[1024];
	int pinners[1024 / 8];

	uio_use(&uio, (struct ptdma_sys_how){0});
	for (size_t i = 0; i < 1024 / 8; i++) {
		pinners[i] = uio.sys.pinner();
		ck_assert_int_eq(uio_pin(&uio, pinners[i], uio.memory + i * 8 * 4096, 8 * 4096), 0);
	}
	for (size_t i = 0; i < 1024; i++)
		frames[i] = uio_frame(&uio, uio.memory + i * 4096);
	for (size_t i = 0; i < 1024 / 8; i += 3)
		ck_assert_int_eq(uio.sys.close(pinners[i]), 0);
	for (size_t i = 0; i < 1024; i++)
		ck_assert_int_eq(uio_frame(&uio, uio.memory + i * 4096) == frames[i],
				 i / 8 % 3 != 0);
	uio_end(&uio);
}
END_TEST

static uint16_t command(const struct uio *uio, int config)
{
	uint16_t value = 0;

	ck_assert_int_eq(uio->sys.pread_raw(config, &value, 2, 4), 2);
	return value;
}

/* Any close of the node turns it off. */
START_TEST(uio_bus_mastering)
{
	struct uio uio;
	uint32_t with = MASTER | 2;
	int config, first, second;

	uio_use(&uio, (struct ptdma_sys_how){0});
	config = uio.sys.open(FOLDER "config", O_RDWR);
	first = uio.sys.open("/dev/uio3", O_RDWR);
	second = uio.sys.open("/dev/uio3", O_RDWR);
	ck_assert(config >= 1 << 21 && first >= 1 << 21 && second >= 1 << 21);
	ck_assert_uint_eq(command(&uio, config), 2);
	ck_assert_int_eq(uio.sys.pwrite_raw(config, &with, 4, 4), 4);
	ck_assert(command(&uio, config) == with && ptdma_is_master(uio.ptdma, 0));
	ck_assert_int_eq(uio.sys.lock_file(first), 0);
	ck_assert_int_eq(uio.sys.lock_file(first), 0);
	ck_assert_int_eq(uio.sys.lock_file(second), -EWOULDBLOCK);
	ck_assert_uint_eq(machine_held().locks, 1);
	ck_assert_int_eq(uio.sys.close(first), 0);
	ck_assert(command(&uio, config) == 2 && !ptdma_is_master(uio.ptdma, 0));
	ck_assert_int_eq(uio.sys.lock_file(second), 0);
	ck_assert_int_eq(uio.sys.pwrite_raw(config, &with, 2, 4), 2);
	ptdma_remove(uio.ptdma, 0);
	ck_assert_uint_eq(command(&uio, config), 0xffff);
	ck_assert_int_eq(uio.sys.lock_file(config), 0);
	ck_assert_int_eq(uio.sys.close_raw(config), 0);
	ck_assert_int_eq(uio.sys.lock_file(config), -EBADF);
	uio_end(&uio);
	uio_use(&uio, (struct ptdma_sys_how){.master_lost_config = 1, .open_error = -EACCES});
	config = uio.sys.open(FOLDER "config", O_RDWR);
	ck_assert_int_eq(uio.sys.pwrite_raw(config, &with, 4, 4), -EPERM);
	ck_assert_uint_eq(command(&uio, config), 2);
	ck_assert_int_eq(uio.sys.open("/dev/uio3", O_RDWR), -EACCES);
	ck_assert_int_eq(uio.sys.access("/dev/uio3", R_OK | W_OK), -EACCES);
	ck_assert_int_eq(uio.sys.access("/dev/uio3", F_OK), 0);
	uio_end(&uio);
}
END_TEST

START_TEST(uio_registers)
{
	struct uio uio;
	uint64_t at, other;
	int node, resource;

	uio_use(&uio, (struct ptdma_sys_how){0});
	node = uio.sys.open("/dev/uio3", O_RDWR);
	resource = uio.sys.open(FOLDER "resource2", O_RDWR);
	ck_assert_int_eq(uio.sys.open(FOLDER "resource0", O_RDWR), -ENOENT);
	ck_assert_int_eq(uio.sys.map_device(node, 8192, 4096, &at), -EINVAL);
	ck_assert_int_eq(uio.sys.map_device(node, 0, (512 << 10) + 4096, &at), -EINVAL);
	ck_assert_int_eq(uio.sys.map_device(uio.pagemap, 0, 4096, &at), -EINVAL);
	ck_assert_int_eq(uio.sys.map_device(node, 0, 512 << 10, &at), 0);
	ck_assert_int_eq(uio.sys.map_device(resource, 0, 8192, &other), 0);
	((volatile uint32_t *)(uintptr_t)at)[0] = 6;
	ck_assert_uint_eq(((volatile uint32_t *)(uintptr_t)other)[0], 6);
	ck_assert_int_eq(uio.sys.unmap(at, 512 << 10), 0);
	ck_assert_int_eq(uio.sys.unmap(other, 8192), 0);
	ck_assert_int_eq(uio.sys.read(node, &at, 4), -EIO);
	node = uio.sys.open("/dev/uio4", O_RDWR);
	ck_assert_int_eq(uio.sys.map_device(node, 0, 4096, &at), 0);
	ck_assert_int_eq(uio.sys.unmap(at, 4096), 0);
	ck_assert_int_eq(uio.sys.open("/dev/uio5", O_RDWR), -ENOENT);
	uio_end(&uio);
}
END_TEST

START_TEST(uio_reset)
{
	struct uio uio;
	int fd;

	uio_use(&uio, (struct ptdma_sys_how){0});
	fd = uio.sys.open(FOLDER "reset", O_WRONLY);
	ck_assert_int_eq(uio.sys.write(fd, "0", 1), -EINVAL);
	ck_assert_int_eq(uio.sys.write(fd, "1", 1), 1);
	ptdma_remove(uio.ptdma, 0);
	ck_assert_int_eq(uio.sys.write_raw(fd, "1", 1), -ENODEV);
	uio_end(&uio);
	uio_use(&uio, (struct ptdma_sys_how){.reset_error = -EIO});
	ck_assert_int_eq(uio.sys.write(uio.sys.open(FOLDER "reset", O_WRONLY), "1", 1), -EIO);
	uio_end(&uio);
	/* There is no way to reset it. */
	uio_use(&uio, (struct ptdma_sys_how){.reset_error = -ENOTTY});
	ck_assert_int_eq(uio.sys.open(FOLDER "reset", O_WRONLY), -ENOENT);
	ck_assert_int_eq(uio.sys.access(FOLDER "reset", F_OK), -ENOENT);
	uio_end(&uio);
}
END_TEST

/* A page in the ring of two that it is: from the first page of the memory to the third. */
static void copy_by_frames(const struct uio *uio, struct ptdma_desk *desk, const uint64_t *frames)
{
	uint64_t ring = frames[0] * 4096;
	uint32_t words[8] = {0x00500012,
			     4096,
			     (uint32_t)(frames[1] * 4096),
			     (uint32_t)(frames[1] >> 20),
			     (uint32_t)(frames[2] * 4096),
			     (uint32_t)(frames[2] >> 20)};

	memcpy(uio->memory, words, sizeof(words));
	pd_write(desk, PD_CONTROL, 0);
	pd_write(desk, PD_HEAD, (uint32_t)ring);
	pd_write(desk, PD_TAIL, (uint32_t)ring + 32);
	pd_write(desk, PD_CONTROL, (uint32_t)(ring >> 32) << 16 | 1);
}

static void open_function(const struct uio *uio, struct ptdma_desk *desk)
{
	uint64_t at;
	int node = uio->sys.open("/dev/uio3", O_RDWR);

	ck_assert_int_eq(uio->sys.map_device(node, 0, 512 << 10, &at), 0);
	*desk = (struct ptdma_desk){.ptdma = uio->ptdma,
				    .registers = (volatile unsigned char *)(uintptr_t)at};
	ptdma_master(uio->ptdma, 0, 1);
}

static void frames_of(const struct uio *uio, uint64_t *frames)
{
	for (size_t i = 0; i < 3; i++)
		frames[i] = uio_frame(uio, uio->memory + i * 4096);
}

/* What is pinned is reached; what was, or never was, is not, and the first is counted. */
START_TEST(uio_copies)
{
	struct uio uio;
	struct ptdma_desk desk;
	uint64_t frames[3];
	int second;

	uio_use(&uio, (struct ptdma_sys_how){0});
	second = uio.sys.pinner();
	open_function(&uio, &desk);
	memset(uio.memory + 4096, 9, 4096);
	ck_assert_int_eq(uio_pin(&uio, uio.pinner, uio.memory, 2 * 4096), 0);
	ck_assert_int_eq(uio_pin(&uio, second, uio.memory + 2 * 4096, 4096), 0);
	frames_of(&uio, frames);
	copy_by_frames(&uio, &desk, frames);
	ck_assert(pd_wait(&desk, PD_HEAD, 0xffffffff, (uint32_t)(frames[0] * 4096) + 32));
	ck_assert(uio.memory[2 * 4096] == 9 && uio.memory[3 * 4096 - 1] == 9);
	ck_assert(uio.memory[3 * 4096] == 5 && machine_held().stale == 0);
	ck_assert_int_eq(uio.sys.unpin_buffers(second), 0);
	memset(uio.memory + 2 * 4096, 0, 4096);
	copy_by_frames(&uio, &desk, frames);
	ck_assert(pd_wait(&desk, PD_CONTROL, 3, 2));
	ck_assert(uio.memory[2 * 4096] == 0 && machine_held().stale == 1 &&
		  pd_counts(&desk).faults == 1);
	frames[2] ^= 0x123456000;
	copy_by_frames(&uio, &desk, frames);
	ck_assert(pd_wait(&desk, PD_CONTROL, 3, 2));
	ck_assert(machine_held().stale == 1 && pd_counts(&desk).faults == 2);
	uio.sys.unmap((uint64_t)(uintptr_t)desk.registers, 512 << 10);
	uio_end(&uio);
}
END_TEST

/* Pages that are asked for before they are pinned lead nowhere. */
START_TEST(uio_frames_too_early)
{
	struct uio uio;
	struct ptdma_desk desk;
	uint64_t frames[3];

	uio_use(&uio, (struct ptdma_sys_how){0});
	open_function(&uio, &desk);
	frames_of(&uio, frames);
	ck_assert_int_eq(uio_pin(&uio, uio.pinner, uio.memory, 3 * 4096), 0);
	copy_by_frames(&uio, &desk, frames);
	ck_assert(pd_wait(&desk, PD_CONTROL, 3, 2));
	ck_assert(machine_held().stale == 1 && uio.memory[2 * 4096] == 5);
	uio.sys.unmap((uint64_t)(uintptr_t)desk.registers, 512 << 10);
	uio_end(&uio);
}
END_TEST

static void read_file(const struct uio *uio, const char *path, char *text, size_t size)
{
	int fd = uio->sys.open(path, O_RDONLY);
	ssize_t length = uio->sys.read(fd, text, size - 1);

	ck_assert_int_gt(length, 0);
	text[length] = 0;
	uio->sys.close(fd);
}

/* Rings are read wrong, too: nothing comes of it. */
START_TEST(uio_encrypted)
{
	struct uio uio;
	struct ptdma_desk desk;
	uint64_t frames[3];
	char text[1024];

	uio_use(&uio, (struct ptdma_sys_how){.encrypted = 1});
	read_file(&uio, "/proc/cpuinfo", text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "flags\t\t: "));
	ck_assert_ptr_nonnull(strstr(text, " sme "));
	read_file(&uio, "/proc/cmdline", text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, " mem_encrypt=on "));
	open_function(&uio, &desk);
	ck_assert_int_eq(uio_pin(&uio, uio.pinner, uio.memory, 3 * 4096), 0);
	frames_of(&uio, frames);
	copy_by_frames(&uio, &desk, frames);
	ck_assert(pd_wait(&desk, PD_CONTROL, 3, 2));
	ck_assert(uio.memory[2 * 4096] == 5 && pd_counts(&desk).refused == 1);
	uio.sys.unmap((uint64_t)(uintptr_t)desk.registers, 512 << 10);
	uio_end(&uio);
}
END_TEST

static const TTest *const *const tests[] = {
	&uio_pins_once_each, &uio_pins_that_are_refused, &uio_frames,    &uio_frames_that_follow,
	&uio_many_frames,    &uio_bus_mastering,         &uio_registers, &uio_reset,
	&uio_copies,         &uio_frames_too_early,      &uio_encrypted, NULL};
const struct report_group model_ptdma_uio_group = {"model_ptdma_uio", tests};

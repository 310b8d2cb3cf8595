/* SPDX-License-Identifier: MIT */
/*
 * dsa_device.c - takes descriptors by its portal and by write(2), and answers
 * each with the record that the input says.
 *
 * It copies where a record claims so, as hardware would. What no hardware would
 * write is not backed by a copy: whoever believes it is found out.
 */
#include "dsa_device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE      16u /* of the queue */
#define THRESHOLD 12u
#define PORTAL    0x7d5a00000000ull
#define QUEUE_FD  1000
#define FILE_FD   2000

enum { BATCH = 1, DRAIN, MEMMOVE };

/* As the device reads it: an own copy. */
struct descriptor {
	uint32_t pasid, command;
	uint64_t record, from, to;
	uint32_t size;
	uint32_t rest[7];
};

_Static_assert(sizeof(struct descriptor) == 64, "descriptors have 64 bytes");

struct fuzz_device device;
unsigned char fuzz_from[FUZZ_ARENA] __attribute__((aligned(FUZZ_PAGE)));
unsigned char fuzz_to[FUZZ_ARENA] __attribute__((aligned(FUZZ_PAGE)));

static struct descriptor kept[SIZE];

/* ---------------------------------------------------------------- the device */

static int lies_in(const void *start, size_t size, uint64_t at, size_t length)
{
	uint64_t first = (uint64_t)(uintptr_t)start;

	return at >= first && at - first <= size && length <= size - (at - first);
}

static unsigned int opcode(const struct descriptor *desc)
{
	return desc->command >> 24;
}

static void check(const struct descriptor *desc)
{
	fuzz_demand(desc->record % 32 == 0 && fuzz_is_backends(desc->record, 32),
		    "a record somewhere");
	fuzz_demand(opcode(desc) == BATCH || opcode(desc) == DRAIN || opcode(desc) == MEMMOVE,
		    "an opcode that nobody needs");
	if (opcode(desc) == BATCH) {
		fuzz_demand(desc->size >= 2 && desc->size <= 32, "a batch of too few or too many");
		fuzz_demand(desc->from % 64 == 0 &&
				    fuzz_is_backends(desc->from,
						     desc->size * sizeof(struct descriptor)),
			    "a list somewhere");
	}
	if (opcode(desc) == MEMMOVE)
		fuzz_demand(desc->size > 0 &&
				    lies_in(fuzz_from, FUZZ_ARENA, desc->from, desc->size) &&
				    lies_in(fuzz_to, FUZZ_ARENA, desc->to, desc->size),
			    "a copy somewhere");
}

static const struct descriptor *child_of(const struct descriptor *batch, size_t index)
{
	return (const struct descriptor *)(uintptr_t)batch->from + index;
}

static void copy(const struct descriptor *desc, uint32_t first, uint32_t bytes)
{
	size_t at = (size_t)(desc->to - (uint64_t)(uintptr_t)fuzz_to) + first;
	const unsigned char *source = (const unsigned char *)(uintptr_t)desc->from + first;

	memcpy(fuzz_to + at, source, bytes);
	memcpy(device.said + at, source, bytes);
}

/* What its record claims; nothing where that cannot be. */
static void copy_claimed(const struct descriptor *desc, unsigned int status, unsigned int result,
			 uint32_t bytes)
{
	if ((status & 0x7f) == 1)
		copy(desc, 0, desc->size);
	else if (bytes <= desc->size && result == 0)
		copy(desc, 0, bytes);
	else if (bytes <= desc->size && result == 1)
		copy(desc, desc->size - bytes, bytes);
}

/* The status last, as hardware does it. */
static void write_record(uint64_t at, unsigned int status, unsigned int result, uint32_t bytes,
			 uint64_t fault)
{
	unsigned char record[32] = {0};
	unsigned char *target = (unsigned char *)(uintptr_t)at;

	record[1] = (unsigned char)result;
	memcpy(record + 4, &bytes, sizeof(bytes));
	memcpy(record + 8, &fault, sizeof(fault));
	memcpy(target + 1, record + 1, sizeof(record) - 1);
	__atomic_store_n(target, (unsigned char)status, __ATOMIC_RELEASE);
}

static uint64_t fault_address(const struct descriptor *desc)
{
	switch (fuzz_byte() % 4) {
	case 0:
		return 0;
	case 1:
		return desc->from + fuzz_number(2) % desc->size;
	case 2:
		return desc->to + fuzz_number(2) % desc->size;
	default:
		return fuzz_number(8);
	}
}

static uint32_t bytes_of(const struct descriptor *desc)
{
	switch (fuzz_byte() % 4) {
	case 0:
		return (uint32_t)fuzz_number(4);
	case 1:
		return desc->size;
	default:
		return (uint32_t)fuzz_number(2) % (desc->size + 1);
	}
}

static void end_copy(const struct descriptor *desc)
{
	unsigned int kind = fuzz_byte() % 4, status = kind == 0 ? fuzz_byte() : kind == 1 ? 3 : 1;
	unsigned int result = kind == 0 ? fuzz_byte() % 4 : 0;
	uint32_t bytes = bytes_of(desc);

	copy_claimed(desc, status, result, bytes);
	write_record(desc->record, status, result, bytes, fault_address(desc));
}

static void end_batch(const struct descriptor *batch)
{
	unsigned int how = fuzz_byte();
	unsigned int status = how % 8 == 0 ? fuzz_byte() : how % 2 ? 1 : 5;
	uint32_t bytes;
	uint64_t fault;

	for (uint32_t i = 0; i < batch->size; i++) {
		check(child_of(batch, i));
		fuzz_demand(opcode(child_of(batch, i)) == MEMMOVE, "a batch in a batch");
		/* Some are not told of, some only when the batch has ended. */
		if (how % 4 || fuzz_byte() % 4)
			end_copy(child_of(batch, i));
		/* The record of the batch speaks for all of them. */
		if ((status & 0x7f) == 1)
			copy(child_of(batch, i), 0, child_of(batch, i)->size);
	}
	bytes = how % 8 < 2 ? (uint32_t)fuzz_number(1 + how % 4) : batch->size;
	fault = how % 8 ? 0 : fuzz_number(8);
	write_record(batch->record, status, how % 16 ? 0 : 1, bytes, fault);
}

/* One of those that wait. */
void fuzz_device_answer(size_t index)
{
	struct descriptor desc = kept[index];

	kept[index] = kept[--device.waiting];
	check(&desc);
	if (opcode(&desc) == MEMMOVE)
		end_copy(&desc);
	else if (opcode(&desc) == BATCH)
		end_batch(&desc);
	else
		write_record(desc.record, fuzz_byte() % 8 ? 1 : fuzz_byte(), 0, 0, 0);
}

static int keep(const void *descriptor)
{
	struct descriptor *desc = &kept[device.waiting];

	if (device.waiting >= (device.shared ? THRESHOLD : SIZE) ||
	    (device.busy && fuzz_byte() % 4 == 0))
		return -EAGAIN;
	memcpy(desc, descriptor, sizeof(*desc));
	check(desc);
	device.waiting++;
	return 0;
}

/* ---------------------------------------------------------------- the system */

static void f_movdir64b(uint64_t portal, const void *descriptor)
{
	fuzz_demand(portal >= PORTAL && portal < PORTAL + FUZZ_PAGE && portal % 64 == 0,
		    "no portal");
	fuzz_demand(device.waiting < SIZE, "a dedicated queue is full");
	memcpy(&kept[device.waiting++], descriptor, sizeof(kept[0]));
	check(&kept[device.waiting - 1]);
}

static int f_enqcmd(uint64_t portal, const void *descriptor)
{
	fuzz_demand(portal >= PORTAL && portal < PORTAL + FUZZ_PAGE && portal % 64 == 0,
		    "no portal");
	return keep(descriptor);
}

static ssize_t f_write_raw(int fd, const void *buffer, size_t size)
{
	size_t sent = 0;

	fuzz_demand(fd == QUEUE_FD, "a write to something else");
	/* The driver does not look whether a dedicated queue has room. */
	fuzz_demand(device.shared || device.waiting + size / 64 <= SIZE,
		    "a dedicated queue is full");
	while (sent + 64 <= size && keep((const unsigned char *)buffer + sent) == 0)
		sent += 64;
	return sent ? (ssize_t)sent : -EAGAIN;
}

static const char *const files[][2] = {
	{"/dsa0/state", "enabled\n"},
	{"/dsa0/version", "0x100\n"},
	{"/dsa0/numa_node", "0\n"},
	{"/dsa0/pasid_enabled", "1\n"},
	{"/dsa0/max_batch_size", "32\n"},
	{"/dsa0/max_transfer_size", "2097152\n"},
	{"wq0.0/state", "enabled\n"},
	{"wq0.0/type", "user\n"},
	{"wq0.0/driver_name", "user\n"},
	{"wq0.0/size", "16\n"},
	{"wq0.0/threshold", "12\n"},
	{"wq0.0/max_batch_size", "32\n"},
	{"wq0.0/max_transfer_size", "2097152\n"},
};

static const char *text_of(size_t file)
{
	if (file == 0 && device.halted)
		return "halted\n";
	if (file == sizeof(files) / sizeof(files[0]))
		return device.shared ? "shared\n" : "dedicated\n";
	return files[file][1];
}

static int ends_with(const char *path, const char *end)
{
	size_t length = strlen(path), tail = strlen(end);

	return length >= tail && strcmp(path + length - tail, end) == 0;
}

static int f_open(const char *path, int flags)
{
	size_t count = sizeof(files) / sizeof(files[0]);

	(void)flags;
	if (strcmp(path, "/dev/dsa/wq0.0") == 0)
		return QUEUE_FD;
	if (ends_with(path, "wq0.0/mode"))
		return FILE_FD + (int)count;
	for (size_t i = 0; i < count; i++)
		if (ends_with(path, files[i][0]))
			return FILE_FD + (int)i;
	return -ENOENT;
}

/* Each is read in one call. */
static ssize_t f_read(int fd, void *buffer, size_t size)
{
	const char *text = text_of((size_t)(fd - FILE_FD));
	size_t length = strlen(text);

	length = length < size ? length : size;
	memcpy(buffer, text, length);
	return (ssize_t)length;
}

static int f_close(int fd)
{
	(void)fd;
	return 0;
}

static int f_access(const char *path, int mode)
{
	(void)mode;
	return strncmp(path, "/dev/dsa", 8) == 0 || strncmp(path, "/sys/bus/dsa", 12) == 0
		       ? 0
		       : -ENOENT;
}

static int f_map_portal(int fd, uint64_t *addr)
{
	fuzz_demand(fd == QUEUE_FD, "a portal of something else");
	if (device.by_write)
		return -EPERM;
	*addr = PORTAL;
	return 0;
}

static int f_unmap(uint64_t addr, size_t length)
{
	(void)length;
	return addr == PORTAL ? 0 : -EINVAL;
}

static int f_pin(uint64_t addr, size_t length)
{
	(void)addr;
	(void)length;
	return -ENOMEM;
}

static unsigned int f_cpu_facts(void)
{
	return BM_CPU_MOVDIR64B | BM_CPU_ENQCMD;
}

static uint64_t f_now_ns(void)
{
	return device.clock += 1000;
}

static void f_sleep_us(uint64_t us)
{
	device.clock += us * 100000;
}

static void f_umwait(const volatile void *line, uint64_t cycles)
{
	(void)line;
	(void)cycles;
}

void fuzz_device_reset(void)
{
	memset(&device, 0, offsetof(struct fuzz_device, said));
	memset(device.said, FUZZ_STALE, FUZZ_ARENA);
	memset(fuzz_to, FUZZ_STALE, FUZZ_ARENA);
}

void fuzz_device_use(struct bm_sys *sys)
{
	*sys = bm_sys_linux;
	sys->open = f_open;
	sys->read = f_read;
	sys->close = f_close;
	sys->access = f_access;
	sys->write_raw = f_write_raw;
	sys->map_portal = f_map_portal;
	sys->unmap = f_unmap;
	sys->movdir64b = f_movdir64b;
	sys->enqcmd = f_enqcmd;
	sys->umwait = f_umwait;
	sys->pin = f_pin;
	sys->cpu_facts = f_cpu_facts;
	sys->now_ns = f_now_ns;
	sys->sleep_us = f_sleep_us;
}

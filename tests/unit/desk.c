/* SPDX-License-Identifier: MIT */
/* desk.c - a software DSA with memory to copy. */
#include "desk.h"

#include <check.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define PIECES_BYTES ((size_t)DESK_PIECE * DESK_PIECES)
#define REST_BYTES   (2 * 4096ul)
#define WAIT_SECONDS 20

const struct dsa_queue_config desk_queues[2] = {
	{.shared = 1, .size = 64, .max_transfer = 1 << 20, .max_batch = 32, .batch_by_write = 1},
	{.shared = 0, .size = 64, .max_transfer = 1 << 20, .max_batch = 32, .batch_by_write = 1},
};

void desk_open(struct desk *desk, enum dsa_pace pace, uint32_t seed)
{
	desk_open_with(desk, desk_queues, pace, seed);
}

void desk_open_with(struct desk *desk, const struct dsa_queue_config *queues, enum dsa_pace pace,
		    uint32_t seed)
{
	unsigned char *bytes = mmap(NULL, 2 * PIECES_BYTES + REST_BYTES, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert(bytes != MAP_FAILED);
	desk->source = bytes;
	desk->destination = bytes + PIECES_BYTES;
	desk->list = (void *)(bytes + 2 * PIECES_BYTES);
	desk->records = (void *)(bytes + 2 * PIECES_BYTES + 4096);
	for (size_t i = 0; i < PIECES_BYTES; i++)
		desk->source[i] = (unsigned char)(i * 31 + i / 251 + 1);
	desk->dsa = dsa_new(queues, 2, pace, seed);
}

void desk_close(struct desk *desk)
{
	dsa_free(desk->dsa);
	munmap(desk->source, 2 * PIECES_BYTES + REST_BYTES);
}

void desk_put(void *at, size_t offset, uint64_t value, size_t bytes)
{
	memcpy((char *)at + offset, &value, bytes);
}

uint64_t desk_get(const void *at, size_t offset, size_t bytes)
{
	uint64_t value = 0;

	memcpy(&value, (const char *)at + offset, bytes);
	return value;
}

uint64_t desk_address(const void *at)
{
	return (uint64_t)(uintptr_t)at;
}

desk_descriptor desk_operation(const struct desk *desk, unsigned int opcode, unsigned int flags,
			       size_t record)
{
	desk_descriptor descriptor = {{0}};

	desk_put(&descriptor, 4, flags | opcode << 24, 4);
	desk_put(&descriptor, 8, desk_address(desk->records[record]), 8);
	return descriptor;
}

desk_descriptor desk_copy(const struct desk *desk, size_t piece)
{
	desk_descriptor descriptor = desk_operation(desk, DESK_MEMMOVE, DESK_WANTED, piece);

	desk_put(&descriptor, 16, desk_address(desk->source + DESK_PIECE * piece), 8);
	desk_put(&descriptor, 24, desk_address(desk->destination + DESK_PIECE * piece), 8);
	desk_put(&descriptor, 32, DESK_PIECE, 4);
	return descriptor;
}

desk_descriptor desk_batch(const struct desk *desk, size_t count)
{
	desk_descriptor descriptor = desk_operation(desk, 1, DESK_WANTED, DESK_BATCH_RECORD);

	for (size_t i = 0; i < count; i++)
		desk->list[i] = desk_copy(desk, i);
	desk_put(&descriptor, 16, desk_address(desk->list), 8);
	desk_put(&descriptor, 32, count, 4);
	return descriptor;
}

void desk_submit(const struct desk *desk, size_t piece)
{
	desk_descriptor descriptor = desk_copy(desk, piece);

	ck_assert_int_eq(dsa_enqcmd(desk->dsa, 0, &descriptor), 0);
}

uint8_t desk_status(const struct desk *desk, size_t record)
{
	return __atomic_load_n(&desk->records[record][0], __ATOMIC_ACQUIRE);
}

uint8_t desk_wait(const struct desk *desk, size_t record)
{
	time_t end = time(NULL) + WAIT_SECONDS;

	while (!desk_status(desk, record)) {
		ck_assert_msg(time(NULL) < end, "record %zu is never written", record);
		sched_yield();
	}
	return desk_status(desk, record);
}

int desk_is_copied(const struct desk *desk, size_t piece)
{
	return memcmp(desk->source + DESK_PIECE * piece, desk->destination + DESK_PIECE * piece,
		      DESK_PIECE) == 0;
}

int desk_is_untouched(const struct desk *desk, size_t piece)
{
	for (size_t i = 0; i < DESK_PIECE; i++)
		if (desk->destination[DESK_PIECE * piece + i])
			return 0;
	return 1;
}

struct dsa_counts desk_counts(const struct desk *desk)
{
	struct dsa_counts counts;

	dsa_count(desk->dsa, &counts);
	return counts;
}

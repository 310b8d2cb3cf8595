/* SPDX-License-Identifier: MIT */
/*
 * ptdma_device.c - registers and rings of the functions of ptdma_heads.c.
 *
 * It copies where HEAD or read_idx claims so, as hardware would. What no hardware
 * would say is not backed by a copy: whoever believes it is found out.
 */
#include "ptdma_device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DESC   32u
#define RUN    1u
#define HALT   2u
#define ERROR  2u /* of INT_STATUS */
#define AE4_AT 0x20u
#define QUEUE  0x1000u
#define SLOTS  32u
/* Queues of AE4DMA that are off read as stopped. */
#define STOPPED 4u

struct fuzz_device device;
unsigned char fuzz_from[FUZZ_ARENA] __attribute__((aligned(FUZZ_PAGE)));
unsigned char fuzz_to[FUZZ_ARENA] __attribute__((aligned(FUZZ_PAGE)));

/* ---------------------------------------------------------------- copies */

static uint64_t address_of(uint32_t low, uint32_t high)
{
	return (uint64_t)(high & 0xffff) << 32 | low;
}

/* 1: it was done; 0: an IOMMU did not let it through. */
static int copy(uint64_t to, uint64_t from, uint32_t length)
{
	uint64_t at = (to ^ FUZZ_BUS) - (uint64_t)(uintptr_t)fuzz_to;
	int fits = fuzz_is_pinned(to, length, 1) && fuzz_is_pinned(from, length, 0);

	fuzz_demand(length > 0, "copies of something");
	/* The source may be free again: that is read only. */
	fuzz_demand(device.guards || fuzz_is_pinned(to, length, 1), "it writes to what is pinned");
	if (!fits)
		return 0;
	/* Before it is used a function may be tried with memory of the backend. */
	if (at >= FUZZ_ARENA) {
		memcpy((void *)(uintptr_t)(to ^ FUZZ_BUS),
		       (const void *)(uintptr_t)(from ^ FUZZ_BUS), length);
		return 1;
	}
	fuzz_demand(device.flying[at / FUZZ_PAGE / FUZZ_SLOT], "a target that is in flight");
	memcpy(fuzz_to + at, (const void *)(uintptr_t)(from ^ FUZZ_BUS), length);
	memcpy(device.said + at, (const void *)(uintptr_t)(from ^ FUZZ_BUS), length);
	return 1;
}

/* ---------------------------------------------------------------- PTDMA */

static uint32_t ring_bytes(const struct fuzz_queue *queue)
{
	return 1u << ((queue->control >> 3 & 31) + 6);
}

static int runs(const struct fuzz_function *function, const struct fuzz_queue *queue)
{
	if (!function->is_master || function->is_gone)
		return 0;
	if (function->ae4)
		return queue->control & 1 && queue->head != queue->tail && queue->status == 0;
	return (queue->control & (RUN | HALT)) == RUN && queue->head != queue->tail;
}

static uint32_t *slot_of(const struct fuzz_function *function, const struct fuzz_queue *queue)
{
	uint64_t base = function->ae4 ? address_of(queue->base_low, queue->base_high)
				      : (uint64_t)(queue->control >> 16) << 32;
	uint64_t at = base + (function->ae4 ? (uint64_t)queue->head * DESC : queue->head);

	fuzz_demand(fuzz_is_ring(at, DESC), "a ring in its memory");
	return (uint32_t *)(uintptr_t)(at ^ FUZZ_BUS);
}

static void advance(const struct fuzz_function *function, struct fuzz_queue *queue)
{
	uint32_t bytes = ring_bytes(queue);

	if (function->ae4)
		queue->head = (queue->head + 1) % queue->most;
	else
		queue->head = (queue->head & ~(bytes - 1)) | ((queue->head + DESC) & (bytes - 1));
}

static int do_ptdma(const uint32_t *words)
{
	fuzz_demand((words[0] >> 20 & 15) == 5 && words[0] >> 25 == 0 && (words[0] & 1) == 0,
		    "a passthrough, without a stop");
	fuzz_demand(words[3] >> 16 == 0 && words[5] >> 16 == 0 && !words[6] && !words[7],
		    "memory of the system, and nothing that is reserved");
	return copy(address_of(words[4], words[5]), address_of(words[2], words[3]), words[1]);
}

static int do_ae4(const uint32_t *words)
{
	static const uint32_t empty[DESC / sizeof(uint32_t)];

	/* A slot that nobody has filled, by an index that was shown wrong for long. */
	if (memcmp(words, empty, DESC) == 0)
		return 0;
	fuzz_demand((words[0] & 1) == 0 && !words[3] && words[5] >> 16 == 0 && words[7] >> 16 == 0,
		    "without a stop, and nothing that is reserved");
	return copy(address_of(words[6], words[7]), address_of(words[4], words[5]), words[2]);
}

/* Stops, and says so in one way, in both or in none. */
static void fail(const struct fuzz_function *function, struct fuzz_queue *queue, unsigned int how,
		 unsigned int code)
{
	if (function->ae4) {
		slot_of(function, queue)[1] = 4 | code << 8;
		advance(function, queue);
		return;
	}
	if (how & 1)
		queue->status = code ? code : 1;
	if (how & 2)
		queue->int_status |= ERROR;
	queue->control = (queue->control & ~RUN) | HALT;
	if (how & 4)
		advance(function, queue);
}

static void do_one(struct fuzz_function *function, struct fuzz_queue *queue)
{
	uint32_t *words = slot_of(function, queue);
	unsigned int how = device.plain ? 0 : fuzz_byte();

	if (!(function->ae4 ? do_ae4(words) : do_ptdma(words))) {
		fail(function, queue, 3, 19);
		return;
	}
	/* What is written back may come late, or say something else that is no error. */
	if (function->ae4)
		words[1] = how < 128 ? 3 : how % 4;
	advance(function, queue);
}

void fuzz_device_look(void)
{
	fuzz_demand(++device.looks < FUZZ_MOST, "a call ends");
	for (size_t i = 0; device.plain && i < FUZZ_FUNCTIONS; i++) {
		struct fuzz_function *function = &device.functions[i];

		for (size_t k = 0; k < FUZZ_QUEUES; k++)
			while (runs(function, &function->queues[k]))
				do_one(function, &function->queues[k]);
	}
}

/* ---------------------------------------------------------------- what happens */

static void do_some(struct fuzz_function *function, struct fuzz_queue *queue, size_t most)
{
	while (most-- > 0 && runs(function, queue))
		do_one(function, queue);
}

/* One that hardware could mean as well is made true. */
static void lie(struct fuzz_function *function, struct fuzz_queue *queue, uint32_t value)
{
	uint32_t head = queue->head;

	while (runs(function, queue) && queue->head != value)
		advance(function, queue);
	if (queue->head == value) {
		queue->head = head;
		while (runs(function, queue) && queue->head != value)
			do_one(function, queue);
		return;
	}
	queue->head = head;
	queue->head_lie.value = value;
	queue->head_lie.waits = 1;
}

static uint32_t any_head(const struct fuzz_queue *queue)
{
	switch (fuzz_byte() % 4) {
	case 0:
		return (uint32_t)fuzz_number(4);
	case 1:
		return queue->tail + (uint32_t)fuzz_byte() % 64;
	default:
		return queue->head ^ (uint32_t)fuzz_number(2);
	}
}

void fuzz_device_event(struct fuzz_function *function)
{
	struct fuzz_queue *queue = &function->queues[function->ae4 ? fuzz_byte() % FUZZ_QUEUES : 0];
	unsigned int kind = fuzz_byte() % 16;

	if (kind < 9)
		do_some(function, queue, 1 + kind);
	else if (kind < 11 && runs(function, queue))
		fail(function, queue, fuzz_byte(), fuzz_byte() % 64);
	else if (kind == 11)
		lie(function, queue, any_head(queue));
	else if (kind == 12)
		queue->control_lie.waits = 1, queue->control_lie.value = (uint32_t)fuzz_number(4);
	else if (kind == 13)
		function->is_gone |= fuzz_byte() > 240;
	else if (kind == 14)
		function->is_master &= fuzz_byte() < 200;
	else if (kind == 15 && function->ae4 && fuzz_byte() > 200)
		queue->status = (uint32_t)fuzz_byte() & 6;
}

void fuzz_device_reset(struct fuzz_function *function)
{
	memset(function->queues, 0, sizeof(function->queues));
	function->enabled = 0;
	for (size_t i = 0; function->ae4 && i < FUZZ_QUEUES; i++)
		function->queues[i].status = STOPPED;
}

/* ---------------------------------------------------------------- registers */

/*
 * Never twice in a row: one that always shows the same, and has copied nothing, and
 * tells of no error elsewhere, nobody could tell from one that works.
 */
static uint32_t shown(struct fuzz_lie *lie, uint32_t value)
{
	int tells = lie->waits && !lie->was_told;

	lie->waits = 0;
	lie->was_told = tells;
	return tells ? lie->value : value;
}

static uint32_t read_ptdma(struct fuzz_queue *queue, size_t offset)
{
	switch (offset) {
	case QUEUE:
		return shown(&queue->control_lie, queue->control);
	case QUEUE + 4:
		return queue->tail;
	case QUEUE + 8:
		return shown(&queue->head_lie, queue->head);
	case QUEUE + 0xc:
		return queue->int_enable;
	case QUEUE + 0x10:
		return queue->int_status;
	case QUEUE + 0x100:
		return queue->status;
	default:
		return 0;
	}
}

/* An error is over once software has set a new head. */
static void write_ptdma(struct fuzz_queue *queue, size_t offset, uint32_t value)
{
	switch (offset) {
	case QUEUE:
		queue->control = value;
		break;
	case QUEUE + 4:
		queue->tail = value;
		break;
	case QUEUE + 8:
		queue->head = value;
		queue->status = 0;
		break;
	case QUEUE + 0xc:
		queue->int_enable = value;
		break;
	case QUEUE + 0x10:
		queue->int_status &= ~value;
		break;
	default:
		fuzz_demand(offset <= 8 || offset == 0x1120 || offset == 0x6004,
			    "a register that there is");
	}
}

static uint32_t *ae4_register(struct fuzz_queue *queue, size_t at)
{
	uint32_t *const all[] = {&queue->control,  &queue->status,   &queue->most,
				 &queue->head,     &queue->tail,     &queue->int_status,
				 &queue->base_low, &queue->base_high};

	return all[at / 4];
}

static struct fuzz_function *function_of(const struct bm_pci *pci)
{
	/* "0000:0N:00.2" */
	unsigned int number = (unsigned int)(pci->address[6] - '1');

	fuzz_demand(number < FUZZ_FUNCTIONS, "a function that there is");
	return &device.functions[number];
}

/* Queues beyond those that are watched are there, and nobody may use them. */
uint32_t bm_pci_read(const struct bm_pci *pci, size_t offset)
{
	struct fuzz_function *function = function_of(pci);
	size_t queue = offset / AE4_AT - 1;
	struct fuzz_queue *at;

	fuzz_device_look();
	if (!device.plain && fuzz_byte() >= 216)
		fuzz_device_event(function);
	fuzz_demand(offset % 4 == 0 && offset < pci->size, "a register in the BAR");
	if (function->is_gone)
		return ~0u;
	if (!function->ae4)
		return read_ptdma(&function->queues[0], offset);
	if (offset == 0)
		return function->enabled;
	if (queue >= FUZZ_QUEUES)
		return 0;
	at = &function->queues[queue];
	if (offset % AE4_AT == 0xc)
		return shown(&at->head_lie, at->head);
	if (offset % AE4_AT == 0)
		return shown(&at->control_lie, at->control);
	return *ae4_register(at, offset % AE4_AT);
}

void bm_pci_write(const struct bm_pci *pci, size_t offset, uint32_t value)
{
	struct fuzz_function *function = function_of(pci);
	size_t queue = offset / AE4_AT - 1;

	fuzz_device_look();
	if (function->is_gone)
		return;
	if (!function->ae4) {
		write_ptdma(&function->queues[0], offset, value);
		return;
	}
	if (offset == 0) {
		function->enabled = value < FUZZ_QUEUES ? value : FUZZ_QUEUES;
		return;
	}
	if (queue >= FUZZ_QUEUES)
		return;
	fuzz_demand(offset % AE4_AT != 0xc || value == 0, "read_idx is the hardware's");
	if (offset % AE4_AT == 0x10)
		fuzz_demand(value < SLOTS, "write_idx in the ring");
	*ae4_register(&function->queues[queue], offset % AE4_AT) = value;
	if (offset % AE4_AT == 0)
		function->queues[queue].status = value & 1 ? 0 : STOPPED;
}

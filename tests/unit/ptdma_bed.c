/* SPDX-License-Identifier: MIT */
/* ptdma_bed.c - registers that are plain memory, and what a function makes of them. */
#include "ptdma_bed.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pci/pins.h"
#include "unit.h"

#define FILES 100000 /* descriptors of configuration space: this and the function */

struct bed bed;

/* ---------------------------------------------------------------- calls */

static uint64_t bed_now(void)
{
	return bed.clock += bed.tick;
}

static void bed_sleep(uint64_t us)
{
	bed.clock += us * 1000;
}

/* Bits that were written are cleared: memory does not do that. */
static void bed_yield(void)
{
	for (unsigned int i = 0; i < BED_FUNCTIONS; i++)
		if (bed.registers[i])
			bed_put(i, BM_PTDMA_QUEUE + BM_PTDMA_INT_STATUS, 0);
	bed.yields++;
}

static ssize_t bed_pread(int fd, void *buffer, size_t size, off_t offset)
{
	ck_assert_int_eq(offset, PCI_COMMAND);
	memcpy(buffer, &bed.command[fd - FILES], size);
	return (ssize_t)size;
}

static ssize_t bed_pwrite(int fd, const void *buffer, size_t size, off_t offset)
{
	ck_assert_int_eq(offset, PCI_COMMAND);
	if (!bed.refuses)
		memcpy(&bed.command[fd - FILES], buffer, size);
	return (ssize_t)size;
}

static void *bed_memory(const struct bm_sys *sys, size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)sys;
	ck_assert_ptr_ne(at, MAP_FAILED);
	return at;
}

static void bed_memory_end(const struct bm_sys *sys, void *memory, size_t size)
{
	(void)sys;
	munmap(memory, size);
}

/* ---------------------------------------------------------------- the way to functions */

static int way_pins_begin(struct bm_pci_pins *pins)
{
	(void)pins;
	return 0;
}

static void way_pins_end(struct bm_pci_pins *pins)
{
	(void)pins;
}

static int way_reset(struct bm_pci *pci)
{
	unsigned int function = (unsigned int)(pci->config - FILES);

	bed.resets++;
	if (bed.reset_error)
		return bed.reset_error;
	memset(bed.registers[function], 0, BED_BAR);
	bed.command[function] = PCI_COMMAND_MEMORY;
	return 0;
}

static uint64_t way_bus(const struct bm_pci_pins *pins, unsigned int side, size_t run,
			size_t offset, size_t *follow)
{
	const struct bm_pci_run *of = &pins->sides[side].runs[run];
	uint64_t at = of->start + offset;

	*follow = of->length - offset;
	if (!bed.scattered)
		return at;
	*follow = BED_PAGE - at % BED_PAGE;
	return at / BED_PAGE % 2 ? at | BED_FAR : at;
}

static int way_unpin(struct bm_pci_pins *pins, int keep_targets)
{
	int held = pins->sides[BM_PCI_SOURCES].count || pins->sides[BM_PCI_TARGETS].count;

	bed.unpins += (unsigned int)held;
	bed.kept += held && keep_targets;
	pins->sides[BM_PCI_SOURCES].count = 0;
	if (!keep_targets)
		pins->sides[BM_PCI_TARGETS].count = 0;
	return 0;
}

/* ---------------------------------------------------------------- beginning and end */

uint32_t bed_get(unsigned int function, uint32_t offset)
{
	return *(volatile uint32_t *)(void *)(bed.registers[function] + offset);
}

void bed_put(unsigned int function, uint32_t offset, uint32_t value)
{
	*(volatile uint32_t *)(void *)(bed.registers[function] + offset) = value;
}

static void make_ring(struct bm_ptdma_function *function, uint32_t number, uint32_t slots)
{
	struct bm_ptdma_ring *ring = &function->rings[number];
	size_t size = slots * (size_t)BM_PTDMA_DESC_BYTES;

	ring->function = function;
	ring->slots = slots;
	ring->registers = function->kind->registers(number);
	ring->entry_count = BM_PTDMA_COPIES;
	ring->entries = calloc(BM_PTDMA_COPIES, sizeof(*ring->entries));
	ring->memory.at =
		aligned_alloc(size < BED_PAGE ? BED_PAGE : size, size < BED_PAGE ? BED_PAGE : size);
	ring->memory.bus = (uint64_t)(uintptr_t)ring->memory.at;
	ring->memory.size = size;
}

static void make_function(unsigned int i, uint32_t slots, uint32_t rings)
{
	struct bm_engine *engine = bed.engine;
	struct bm_ptdma_function *function = &engine->functions[i];

	bed.registers[i] = calloc(1, BED_BAR);
	bed.command[i] = PCI_COMMAND_MEMORY;
	function->kind = slots ? &bm_ptdma_kind_ptdma : &bm_ptdma_kind_ae4dma;
	function->sys = &bed.sys;
	function->node = (int)i % 2;
	function->pci = (struct bm_pci){.space = &bed.space,
					.registers = bed.registers[i],
					.size = BED_BAR,
					.config = FILES + (int)i,
					.resets = 1};
	function->rings = &engine->rings[engine->ring_count];
	function->ring_count = slots ? 1 : rings;
	atomic_store(&function->lives, 3);
	for (uint32_t k = 0; k < function->ring_count; k++)
		make_ring(function, k, slots ? slots : BM_AE4_SLOTS);
	ck_assert_int_eq(bm_ptdma_start(function), 0);
	ck_assert(bed.command[i] & PCI_COMMAND_MASTER);
	engine->ring_count += function->ring_count;
	engine->function_count++;
}

static void make_space(void)
{
	bed.sys = bm_sys_linux;
	bed.sys.now_ns = bed_now;
	bed.sys.sleep_us = bed_sleep;
	bed.sys.yield = bed_yield;
	bed.sys.pread_raw = bed_pread;
	bed.sys.pwrite_raw = bed_pwrite;
	bed.way = (struct bm_pci_way){.reset = way_reset,
				      .pins_begin = way_pins_begin,
				      .pins_end = way_pins_end,
				      .pin = way_pins_begin,
				      .unpin = way_unpin,
				      .bus = way_bus};
}

void bed_begin(unsigned int functions, uint32_t slots, uint32_t rings)
{
	struct bm_engine *engine = calloc(1, sizeof(*engine));

	memset(&bed, 0, sizeof(bed));
	rnd_seed(11);
	bed.tick = 100;
	bed.engine = engine;
	make_space();
	engine->env = (struct bm_backend_env){.sys = &bed.sys,
					      .log = &bed.log,
					      .page_size = BED_PAGE,
					      .memory = bed_memory,
					      .memory_end = bed_memory_end};
	bed.space = (struct bm_pci_space){.sys = &bed.sys,
					  .env = &engine->env,
					  .way = &bed.way,
					  .owner = getpid(),
					  .page_size = BED_PAGE};
	engine->space = &bed.space;
	engine->owner = getpid();
	engine->share = 16;
	for (unsigned int i = 0; i < functions; i++)
		make_function(i, slots, rings);
	for (uint32_t k = 0, n = 0; n < engine->ring_count; k++)
		for (uint32_t f = 0; f < functions; f++, n++)
			engine->order[n] = (uint8_t)(f * engine->functions->ring_count + k);
	engine->piece = slots == 2 ? BED_PAGE : 2 * BED_PAGE;
	bed.from = bed_memory(NULL, BED_PAGES * BED_PAGE);
	bed.to = bed_memory(NULL, BED_PAGES * BED_PAGE);
	for (size_t i = 0; i < BED_PAGES * BED_PAGE; i += sizeof(uint32_t))
		*(uint32_t *)(void *)(bed.from + i) = rnd();
}

struct bm_channel *bed_channel(int i)
{
	if (!bed.channels[i])
		ck_assert_int_eq(bm_ptdma_chan_open(bed.engine, -1, &bed.channels[i]), 0);
	return bed.channels[i];
}

void bed_end(void)
{
	struct bm_engine *engine = bed.engine;

	for (int i = 0; i < BED_CHANNELS; i++)
		if (bed.channels[i])
			bm_ptdma_chan_close(bed.channels[i]);
	for (uint32_t i = 0; i < engine->ring_count; i++) {
		ck_assert_uint_eq(engine->rings[i].taken, 0);
		free(engine->rings[i].entries);
		free(engine->rings[i].memory.at);
	}
	for (uint32_t i = 0; i < engine->function_count; i++)
		free(bed.registers[i]);
	free(engine);
	munmap(bed.from, BED_PAGES * BED_PAGE);
	munmap(bed.to, BED_PAGES * BED_PAGE);
}

/* ---------------------------------------------------------------- functions */

static void execute(uint64_t from, uint64_t to, uint32_t length)
{
	memcpy((void *)(uintptr_t)(to & ~BED_FAR), (void *)(uintptr_t)(from & ~BED_FAR), length);
	bed.executed++;
	bed.bytes += length;
}

/* Where the ring is, only its registers tell. */
static int step_ptdma(unsigned int function)
{
	uint32_t control = bed_get(function, BM_PTDMA_QUEUE + BM_PTDMA_CONTROL);
	uint32_t head = bed_get(function, BM_PTDMA_QUEUE + BM_PTDMA_HEAD);
	uint32_t tail = bed_get(function, BM_PTDMA_QUEUE + BM_PTDMA_TAIL);
	uint32_t mask = (1u << ((control >> BM_PTDMA_SIZE_SHIFT & 0x1f) + 6)) - 1;
	const uint32_t *words;

	if (!(control & BM_PTDMA_RUN) || control & BM_PTDMA_HALT || head == tail)
		return 0;
	words = (uint32_t *)(uintptr_t)((uint64_t)(control >> BM_PTDMA_HIGH_SHIFT) << 32 | head);
	ck_assert_uint_eq(words[0], 5u << 20);
	execute((uint64_t)words[3] << 32 | words[2], (uint64_t)words[5] << 32 | words[4], words[1]);
	head = (head & ~mask) | ((head + 32) & mask);
	bed_put(function, BM_PTDMA_QUEUE + BM_PTDMA_HEAD, head);
	return 1;
}

static int step_ae4(unsigned int function, uint32_t at)
{
	uint32_t index = bed_get(function, at + BM_AE4_READ_INDEX);
	uint64_t base = (uint64_t)bed_get(function, at + BM_AE4_BASE_HIGH) << 32 |
			bed_get(function, at + BM_AE4_BASE_LOW);
	uint32_t *words = (uint32_t *)(uintptr_t)(base + index * (uint64_t)32);

	if (!(bed_get(function, at + BM_AE4_CONTROL) & BM_AE4_ENABLE) ||
	    index == bed_get(function, at + BM_AE4_WRITE_INDEX))
		return 0;
	ck_assert(words[0] == 0 && words[1] == 0 && words[3] == 0);
	execute((uint64_t)words[5] << 32 | words[4], (uint64_t)words[7] << 32 | words[6], words[2]);
	if (!bed.lags)
		words[1] = BM_AE4_COMPLETED;
	bed_put(function, at + BM_AE4_READ_INDEX, (index + 1) % BM_AE4_SLOTS);
	return 1;
}

unsigned int bed_step(unsigned int function, unsigned int most)
{
	const struct bm_ptdma_function *of = &bed.engine->functions[function];
	unsigned int count = 0;

	if (!(bed.command[function] & PCI_COMMAND_MASTER))
		return 0;
	for (uint32_t k = 0; k < of->ring_count; k++)
		for (unsigned int i = 0; i < most; i++)
			count += (unsigned int)(of->kind == &bm_ptdma_kind_ptdma
							? step_ptdma(function)
							: step_ae4(function,
								   of->rings[k].registers));
	return count;
}

/* ---------------------------------------------------------------- copies */

void bed_copies(struct bm_copy *copies, size_t count, int neighbours)
{
	for (size_t i = 0; i < count; i++) {
		size_t source = neighbours ? i : BED_PAGES - 1 - i;

		copies[i] = (struct bm_copy){.to = bed.to + i * BED_PAGE,
					     .from = bed.from + source * BED_PAGE,
					     .length = BED_PAGE,
					     .tag = (uint32_t)i};
	}
}

int bed_reap(struct bm_channel *channel)
{
	struct bm_copied *told = bed.told + bed.told_count;
	int got = bm_backend_ptdma.reap(channel, told, 1024 - bed.told_count);

	for (int i = 0; i < got; i++)
		bed.told_errors += told[i].error != 0;
	bed.told_count += got > 0 ? (size_t)got : 0;
	return got;
}

void bed_run(struct bm_channel *channel, struct bm_copy *copies, size_t count)
{
	size_t taken = 0;

	bed.told_count = bed.told_errors = 0;
	for (int idle = 0; bed.told_count < count && idle < 1000; idle++) {
		int took = taken < count
				   ? bm_backend_ptdma.submit(channel, copies + taken, count - taken)
				   : 0;

		ck_assert(took >= 0 || took == -EAGAIN);
		taken += took > 0 ? (size_t)took : 0;
		for (unsigned int i = 0; i < bed.engine->function_count; i++)
			bed_step(i, rnd() % 40);
		bm_backend_ptdma.wait(channel);
		if (bed_reap(channel) > 0 || took > 0)
			idle = 0;
	}
	ck_assert_uint_eq(bed.told_count, count);
}

void bed_verify(const struct bm_copy *copies, size_t count)
{
	unsigned char seen[1024] = {0};

	for (size_t i = 0; i < bed.told_count; i++) {
		const struct bm_copied *told = &bed.told[i];

		ck_assert_uint_lt(told->tag, count);
		ck_assert_msg(!seen[told->tag]++, "tag %u is told twice", told->tag);
		if (told->error)
			continue;
		ck_assert_uint_eq(told->done, copies[told->tag].length);
		ck_assert_msg(memcmp(copies[told->tag].to, copies[told->tag].from, told->done) == 0,
			      "copy %u is not made", told->tag);
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * ptdma_cost.c - what it costs the CPU to submit and reap copies of 4 KiB.
 *
 * Four PTDMA functions with rings of 128 slots, whose registers are memory and whose
 * engine is instant: a loop moves each HEAD to TAIL while nothing is measured. What
 * hardware adds is not in it: a read of a register takes hundreds of ns, and each
 * look at a ring that has moved is five of them and a system call. Nor is what the
 * kernel does to pin pages: "with pins" has the tables of what is pinned.
 */
#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cost.h"
#include "pci/pins.h"
#include "ptdma/channel.h"
#include "ptdma/ptdma.h"

#define COPIES    256u
#define PAGE      4096u
#define ROUNDS    2001u
#define FUNCTIONS 4u
#define SLOTS     128u
#define BAR       0x7000u

static uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
static unsigned char bars[FUNCTIONS][BAR] __attribute__((aligned(4096)));
static struct bm_ptdma_desc rings[FUNCTIONS][SLOTS] __attribute__((aligned(4096)));
static struct bm_ptdma_entry entries[FUNCTIONS][BM_PTDMA_COPIES];

static ssize_t read_config(int fd, void *buffer, size_t size, off_t offset)
{
	(void)fd;
	(void)offset;
	memcpy(buffer, &command, size);
	return (ssize_t)size;
}

static ssize_t write_config(int fd, const void *buffer, size_t size, off_t offset)
{
	(void)fd;
	(void)offset;
	memcpy(&command, buffer, size);
	return (ssize_t)size;
}

static int nothing(struct bm_pci_pins *pins)
{
	(void)pins;
	return 0;
}

static void no_end(struct bm_pci_pins *pins)
{
	(void)pins;
}

static int forget(struct bm_pci_pins *pins, int keep_targets)
{
	(void)keep_targets;
	pins->sides[BM_PCI_SOURCES].count = pins->sides[BM_PCI_TARGETS].count = 0;
	return 0;
}

static uint64_t bus(const struct bm_pci_pins *pins, unsigned int side, size_t run, size_t offset,
		    size_t *follow)
{
	*follow = PAGE - offset % PAGE;
	return pins->sides[side].runs[run].start + offset;
}

static const struct bm_pci_way way = {
	.pins_begin = nothing, .pins_end = no_end, .pin = nothing, .unpin = forget, .bus = bus};

static void complete(void)
{
	for (unsigned int i = 0; i < FUNCTIONS; i++) {
		unsigned char *queue = bars[i] + BM_PTDMA_QUEUE;

		memcpy(queue + BM_PTDMA_HEAD, queue + BM_PTDMA_TAIL, sizeof(uint32_t));
	}
}

static int submit_all(struct bm_channel *channel, const struct bm_copy *copies)
{
	size_t taken = 0;
	int took = 1;

	/* As lib/copy.c submits: 64 at a time. */
	for (; taken < COPIES && took > 0; taken += (size_t)took)
		took = bm_backend_ptdma.submit(channel, copies + taken, 64);
	return took > 0 ? 0 : -1;
}

static int reap_all(struct bm_channel *channel)
{
	struct bm_copied copied[32];
	double end = cost_now() + 1e9;
	size_t back = 0;
	int got = 0;

	while (back < COPIES && got >= 0 && cost_now() < end) {
		got = bm_backend_ptdma.reap(channel, copied, 32);
		back += got > 0 ? (size_t)got : 0;
	}
	return back == COPIES ? 0 : -1;
}

/* Until it is worth to look at a ring. */
static void pass(const struct bm_engine *engine)
{
	uint64_t due = 0;

	for (uint32_t i = 0; i < engine->ring_count; i++)
		due = engine->rings[i].due > due ? engine->rings[i].due : due;
	while (engine->env.sys->now_ns() < due)
		;
}

static double pins[ROUNDS], submits[ROUNDS], reaps[ROUNDS], unpins[ROUNDS], both[ROUNDS],
	all[ROUNDS];

static int run_once(struct bm_channel *channel, const struct bm_copy *copies, size_t round)
{
	double begin = cost_now(), pinned, submitted, middle, reaped;

	if (bm_backend_ptdma.pin(channel, copies, COPIES) < 0)
		return -1;
	pinned = cost_now();
	if (submit_all(channel, copies) < 0)
		return -1;
	submitted = cost_now();
	complete();
	pass(channel->engine);
	middle = cost_now();
	if (reap_all(channel) < 0)
		return -1;
	reaped = cost_now();
	if (bm_backend_ptdma.unpin(channel) < 0)
		return -1;
	unpins[round] = (cost_now() - reaped) / COPIES;
	pins[round] = (pinned - begin) / COPIES;
	submits[round] = (submitted - pinned) / COPIES;
	reaps[round] = (reaped - middle) / COPIES;
	both[round] = submits[round] + reaps[round];
	all[round] = both[round] + pins[round] + unpins[round];
	return 0;
}

static void make_function(struct bm_engine *engine, unsigned int i, struct bm_pci_space *space)
{
	struct bm_ptdma_function *function = &engine->functions[i];
	struct bm_ptdma_ring *ring = &engine->rings[i];

	function->kind = &bm_ptdma_kind_ptdma;
	function->sys = engine->env.sys;
	function->rings = ring;
	function->ring_count = 1;
	function->pci = (struct bm_pci){.space = space, .registers = bars[i], .size = BAR};
	ring->function = function;
	ring->registers = BM_PTDMA_QUEUE;
	ring->slots = SLOTS;
	ring->entries = entries[i];
	ring->entry_count = BM_PTDMA_COPIES;
	ring->memory.at = rings[i];
	ring->memory.bus = (uint64_t)(uintptr_t)rings[i];
	engine->order[i] = (uint8_t)i;
	bm_ptdma_start(function);
}

static void make_engine(struct bm_engine *engine, struct bm_pci_space *space, struct bm_sys *sys)
{
	*sys = bm_sys_linux;
	sys->pread_raw = read_config;
	sys->pwrite_raw = write_config;
	engine->env = (struct bm_backend_env){.sys = sys,
					      .page_size = PAGE,
					      .memory = cost_memory,
					      .memory_end = cost_memory_end};
	engine->space = space;
	engine->owner = sys->getpid();
	engine->share = 16;
	engine->piece = 256u << 10;
	engine->function_count = engine->ring_count = FUNCTIONS;
	*space = (struct bm_pci_space){
		.sys = sys, .env = &engine->env, .way = &way, .page_size = PAGE};
	for (unsigned int i = 0; i < FUNCTIONS; i++)
		make_function(engine, i, space);
}

int main(void)
{
	static struct bm_copy copies[COPIES];
	static struct bm_engine engine;
	struct bm_pci_space space;
	struct bm_channel *channel;
	struct bm_sys sys;
	char *arena = cost_memory(NULL, 4 * (size_t)COPIES * PAGE);

	make_engine(&engine, &space, &sys);
	if (!arena || bm_backend_ptdma.chan_open(&engine, -1, &channel) < 0)
		return 1;
	/* Every other page, so that none are neighbours. */
	for (uint32_t i = 0; i < COPIES; i++)
		copies[i] = (struct bm_copy){arena + (size_t)i * 2 * PAGE,
					     arena + (size_t)(COPIES + i) * 2 * PAGE, PAGE, i};
	for (size_t round = 0; round < ROUNDS; round++)
		if (run_once(channel, copies, round) < 0)
			return 1;
	printf("| ns a page  |  least |   10 %% |   50 %% |   90 %% |\n"
	       "| ---------- | -----: | -----: | -----: | -----: |\n");
	cost_print("submit", submits, ROUNDS);
	cost_print("reap", reaps, ROUNDS);
	cost_print("both", both, ROUNDS);
	cost_print("with pins", all, ROUNDS);
	bm_backend_ptdma.chan_close(channel);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* ptdma_access.c - what backends/pci does otherwise, for the functions of ptdma_heads.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ptdma_device.h"

#define RINGS 64u
#define PINS  8u

struct bm_pci_space {
	int opened;
};

struct bm_pci_pins {
	struct bm_copy copies[FUZZ_COPIES];
	size_t count, bytes, most;
	int used, sources, targets; /* are pinned */
};

static struct bm_pci_space the_space;
static struct bm_pci_pins all_pins[PINS];
static struct {
	unsigned char *at;
	size_t size;
} rings[RINGS];

/* ---------------------------------------------------------------- functions */

static void describe(unsigned int number, struct bm_pci_found *found)
{
	memset(found, 0, sizeof(*found));
	snprintf(found->address, sizeof(found->address), "0000:0%u:00.2", number + 1);
	found->id = (struct bm_pci_id){0x1022, device.functions[number].ae4 ? 0x149b : 0x1498};
	found->node = -1;
	found->uio = -1;
	found->group = 20 + (int)number;
	snprintf(found->group_type, sizeof(found->group_type), "DMA");
	snprintf(found->driver, sizeof(found->driver), "vfio-pci");
}

int bm_pci_find(const struct bm_sys *sys, const struct bm_pci_id *ids, size_t id_count,
		struct bm_pci_found *found, size_t most)
{
	size_t count = 0;

	(void)sys;
	(void)ids;
	(void)id_count;
	for (unsigned int i = 0; i < FUZZ_FUNCTIONS && count < most; i++)
		if (device.present >> i & 1)
			describe(i, &found[count++]);
	return (int)count;
}

int bm_pci_look(const struct bm_sys *sys, const char *address, struct bm_pci_found *found)
{
	(void)sys;
	(void)address;
	(void)found;
	return -ENODEV;
}

int bm_pci_usable(const struct bm_sys *sys, const struct bm_pci_found *found,
		  enum bm_pci_access access, char *why, char *remedy)
{
	(void)sys;
	(void)found;
	(void)access;
	*why = *remedy = '\0';
	return 0;
}

int bm_pci_space_new(const struct bm_backend_env *env, enum bm_pci_access access,
		     struct bm_pci_space **space, char *why)
{
	(void)env;
	(void)access;
	(void)why;
	*space = &the_space;
	return 0;
}

void bm_pci_space_free(struct bm_pci_space *space)
{
	fuzz_demand(space->opened == 0, "all functions are closed");
	for (size_t i = 0; i < PINS; i++)
		fuzz_demand(!all_pins[i].used, "all pins are freed");
}

int bm_pci_open(struct bm_pci_space *space, const struct bm_pci_found *found, unsigned int bar,
		struct bm_pci *pci, char *why)
{
	unsigned int number = (unsigned int)(found->address[6] - '1');

	(void)why;
	memset(pci, 0, sizeof(*pci));
	fuzz_demand(bar == (device.functions[number].ae4 ? 0 : 2), "the BAR with the registers");
	pci->space = space;
	pci->size = 512u << 10;
	pci->fd = pci->config = pci->group = -1;
	pci->resets = !device.no_resets;
	memcpy(pci->address, found->address, sizeof(pci->address));
	space->opened++;
	return 0;
}

static struct fuzz_function *function_of(const struct bm_pci *pci)
{
	return &device.functions[pci->address[6] - '1'];
}

void bm_pci_close(struct bm_pci *pci)
{
	function_of(pci)->is_master = 0;
	pci->space->opened--;
}

/* It is not alone in its group. */
int bm_pci_cut_off(struct bm_pci *pci)
{
	(void)pci;
	return 0;
}

int bm_pci_master(struct bm_pci *pci, int on)
{
	struct fuzz_function *function = function_of(pci);

	fuzz_device_look();
	if (function->is_gone)
		return -ENODEV;
	function->is_master = on;
	return 0;
}

int bm_pci_is_master(const struct bm_pci *pci)
{
	const struct fuzz_function *function = function_of(pci);

	fuzz_device_look();
	return function->is_gone ? -ENODEV : function->is_master;
}

int bm_pci_quiet(struct bm_pci *pci)
{
	struct fuzz_function *function = function_of(pci);

	fuzz_device_look();
	if (!device.plain && fuzz_byte() >= 240)
		return 0;
	function->is_master = 0;
	return 1;
}

int bm_pci_reset(struct bm_pci *pci)
{
	if (device.no_resets)
		return -ENOTTY;
	if (function_of(pci)->is_gone)
		return -EIO;
	fuzz_device_reset(function_of(pci));
	return 0;
}

/* ---------------------------------------------------------------- memory */

int bm_pci_memory_new(struct bm_pci_space *space, size_t size, struct bm_pci_memory *memory)
{
	size_t i = 0;

	(void)space;
	fuzz_demand(size > 0 && (size & (size - 1)) == 0, "a power of two");
	while (i < RINGS && rings[i].at)
		i++;
	fuzz_demand(i < RINGS, "few rings");
	rings[i].at = aligned_alloc(size < FUZZ_PAGE ? FUZZ_PAGE : size,
				    size < FUZZ_PAGE ? FUZZ_PAGE : size);
	fuzz_demand(rings[i].at != NULL, "there is memory");
	memset(rings[i].at, 0, size);
	rings[i].size = size;
	*memory = (struct bm_pci_memory){rings[i].at, (uint64_t)(uintptr_t)rings[i].at ^ FUZZ_BUS,
					 size, -1};
	return 0;
}

void bm_pci_memory_free(struct bm_pci_space *space, struct bm_pci_memory *memory)
{
	size_t i = 0;

	(void)space;
	while (i < RINGS && rings[i].at != memory->at)
		i++;
	fuzz_demand(i < RINGS, "what is given back was given");
	free(rings[i].at);
	rings[i].at = NULL;
}

int fuzz_is_ring(uint64_t bus, size_t length)
{
	for (size_t i = 0; i < RINGS; i++) {
		uint64_t start = (uint64_t)(uintptr_t)rings[i].at, at = bus ^ FUZZ_BUS;

		if (rings[i].at && at >= start && at - start < rings[i].size &&
		    length <= rings[i].size - (at - start))
			return 1;
	}
	return 0;
}

/* ---------------------------------------------------------------- pins */

int bm_pci_pins_new(struct bm_pci_space *space, size_t bytes, size_t copies,
		    struct bm_pci_pins **pins)
{
	size_t i = 0;

	(void)space;
	while (i < PINS && all_pins[i].used)
		i++;
	fuzz_demand(i < PINS, "few pins");
	all_pins[i] = (struct bm_pci_pins){.used = 1, .bytes = bytes, .most = copies};
	*pins = &all_pins[i];
	return 0;
}

void bm_pci_pins_free(struct bm_pci_pins *pins)
{
	memset(pins, 0, sizeof(*pins));
}

int bm_pci_pin(struct bm_pci_pins *pins, const struct bm_copy *copies, size_t count)
{
	size_t bytes = 0;

	fuzz_demand(!pins->sources && !pins->targets, "nothing is pinned yet");
	for (size_t i = 0; i < count; i++)
		bytes += copies[i].length;
	if (count > pins->most || count > FUZZ_COPIES || bytes > pins->bytes)
		return -E2BIG;
	if (!device.plain && fuzz_byte() >= 240)
		return -ENOMEM;
	memcpy(pins->copies, copies, count * sizeof(*copies));
	pins->count = count;
	pins->sources = pins->targets = 1;
	return 0;
}

static int lies_in(const void *start, size_t size, uint64_t at, size_t length)
{
	uint64_t first = (uint64_t)(uintptr_t)start;

	return at >= first && at - first < size && length <= size - (at - first);
}

/* The rest of the copy that the address is in, 0: it is in none. */
static size_t rest_of(const struct bm_pci_pins *pins, uint64_t at, size_t length, int target)
{
	for (size_t i = 0; i < pins->count; i++) {
		const struct bm_copy *copy = &pins->copies[i];
		const void *start = target ? copy->to : copy->from;

		if ((target ? pins->targets : pins->sources) &&
		    lies_in(start, copy->length, at, length))
			return copy->length - (at - (uint64_t)(uintptr_t)start);
	}
	return 0;
}

uint64_t bm_pci_bus(const struct bm_pci_pins *pins, const void *address, size_t *run)
{
	uint64_t at = (uint64_t)(uintptr_t)address;
	size_t rest = rest_of(pins, at, 1, 1);

	if (rest == 0)
		rest = rest_of(pins, at, 1, 0);
	fuzz_demand(rest > 0, "only what is pinned has a bus address");
	*run = rest;
	if (device.scattered && *run > FUZZ_PAGE - at % FUZZ_PAGE)
		*run = FUZZ_PAGE - at % FUZZ_PAGE;
	return at ^ FUZZ_BUS;
}

int bm_pci_unpin(struct bm_pci_pins *pins, int keep_targets)
{
	pins->sources = 0;
	if (!keep_targets)
		pins->targets = 0;
	return 0;
}

int bm_pci_guards(const struct bm_pci_space *space)
{
	(void)space;
	return device.guards;
}

int fuzz_is_pinned(uint64_t bus, size_t length, int target)
{
	for (size_t i = 0; i < PINS; i++)
		if (all_pins[i].used && rest_of(&all_pins[i], bus ^ FUZZ_BUS, length, target))
			return 1;
	return 0;
}

/* ---------------------------------------------------------------- the clock */

static uint64_t f_now_ns(void)
{
	fuzz_device_look();
	return device.clock += 20000;
}

static void f_sleep_us(uint64_t us)
{
	fuzz_device_look();
	device.clock += us * 1000;
}

static void f_yield(void)
{
	fuzz_device_look();
	device.clock += 1000;
}

void fuzz_access_use(struct bm_sys *sys)
{
	*sys = bm_sys_linux;
	sys->now_ns = f_now_ns;
	sys->sleep_us = f_sleep_us;
	sys->yield = f_yield;
}

void fuzz_access_end(void)
{
	for (size_t i = 0; i < RINGS; i++)
		fuzz_demand(!rings[i].at, "all rings are given back");
	for (size_t i = 0; i < FUZZ_FUNCTIONS; i++)
		fuzz_demand(!device.functions[i].is_master, "no function is a bus master");
}

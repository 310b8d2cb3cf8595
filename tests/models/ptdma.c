/* SPDX-License-Identifier: MIT */
/* ptdma.c - the software PTDMA: made, reset, looked at. */
#include "ptdma_device.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define SPINS 100

/*
 * In turns, and without the C library: calls of the table are made where no
 * thread may wait for one of the application's.
 */
void ptdma_lock(struct ptdma *ptdma)
{
	uint32_t mine = atomic_fetch_add(&ptdma->ticket, 1);

	for (unsigned int spins = 0; atomic_load(&ptdma->serving) != mine; spins++)
		if (spins > SPINS)
			sched_yield();
}

void ptdma_unlock(struct ptdma *ptdma)
{
	atomic_fetch_add(&ptdma->serving, 1);
}

uint32_t ptdma_random(struct ptdma *ptdma, uint32_t below)
{
	ptdma->random ^= ptdma->random << 13;
	ptdma->random ^= ptdma->random >> 17;
	ptdma->random ^= ptdma->random << 5;
	return ptdma->random % below;
}

static void reset(struct ptdma_function *function)
{
	if (function->gone)
		return;
	ptdma_fill(function, 0);
	for (size_t i = 0; i < function->queues_count; i++) {
		struct ptdma_queue *queue = &function->queues[i];

		*queue = (struct ptdma_queue){.function = function, .index = (unsigned int)i};
		function->kind->reset(queue);
	}
	if (!function->config.ae4)
		ptdma_put(function, PTDMA_CMD_PT_VERSION, PTDMA_VERSION_VALUE);
}

/* A file, so that it can be mapped once more by each user. */
static void make_bar(struct ptdma_function *function)
{
	void *at;

	function->file = memfd_create("ptdma", MFD_CLOEXEC);
	if (function->file < 0 || ftruncate(function->file, (off_t)function->kind->size))
		abort();
	at = mmap(NULL, function->kind->size, PROT_READ | PROT_WRITE, MAP_SHARED, function->file,
		  0);
	if (at == MAP_FAILED)
		abort();
	function->bar = at;
}

static void make_function(struct ptdma *ptdma, unsigned int index,
			  const struct ptdma_config *config)
{
	struct ptdma_function *function = &ptdma->functions[index];

	function->ptdma = ptdma;
	function->index = index;
	function->config = *config;
	if (!config->queues || config->queues > PTDMA_QUEUES)
		function->config.queues = PTDMA_QUEUES;
	function->kind = config->ae4 ? &ptdma_kind_ae4 : &ptdma_kind_ring;
	function->queues_count = config->ae4 ? function->config.queues : 1;
	make_bar(function);
	reset(function);
}

/* Shared memory: tests move all that is private, and the device works meanwhile. */
struct ptdma *ptdma_new(const struct ptdma_config *functions, size_t count, ptdma_bus_fn *bus,
			void *user, uint32_t seed)
{
	struct ptdma *ptdma;

	if (!count || count > PTDMA_FUNCTIONS_MOST)
		abort();
	ptdma = mmap(NULL, sizeof(*ptdma), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (ptdma == MAP_FAILED)
		abort();
	ptdma->bus = bus;
	ptdma->user = user;
	/* A shift register never leaves 0. */
	ptdma->random = seed * 2654435761u | 1;
	ptdma->functions_count = count;
	for (size_t i = 0; i < count; i++)
		make_function(ptdma, (unsigned int)i, &functions[i]);
	if (ptdma_thread_begin(ptdma))
		abort();
	return ptdma;
}

void ptdma_free(struct ptdma *ptdma)
{
	if (!ptdma)
		return;
	ptdma_thread_end(ptdma);
	for (size_t i = 0; i < ptdma->functions_count; i++) {
		munmap(ptdma->functions[i].bar, ptdma->functions[i].kind->size);
		close(ptdma->functions[i].file);
	}
	munmap(ptdma, sizeof(*ptdma));
}

size_t ptdma_functions(const struct ptdma *ptdma)
{
	return ptdma->functions_count;
}

const struct ptdma_config *ptdma_config_of(const struct ptdma *ptdma, unsigned int function)
{
	return &ptdma->functions[function].config;
}

volatile void *ptdma_registers(struct ptdma *ptdma, unsigned int function, size_t *size)
{
	*size = ptdma->functions[function].kind->size;
	return ptdma->functions[function].bar;
}

int ptdma_bar_file(const struct ptdma *ptdma, unsigned int function)
{
	return ptdma->functions[function].file;
}

int ptdma_is_gone(const struct ptdma *ptdma, unsigned int function)
{
	return ptdma->functions[function].gone;
}

void ptdma_master(struct ptdma *ptdma, unsigned int function, int on)
{
	ptdma_lock(ptdma);
	ptdma->functions[function].master = on != 0;
	ptdma_unlock(ptdma);
}

int ptdma_is_master(const struct ptdma *ptdma, unsigned int function)
{
	return ptdma->functions[function].master;
}

void ptdma_reset(struct ptdma *ptdma, unsigned int function)
{
	ptdma_lock(ptdma);
	reset(&ptdma->functions[function]);
	ptdma_unlock(ptdma);
}

void ptdma_release(struct ptdma *ptdma)
{
	ptdma_lock(ptdma);
	for (size_t i = 0; i < ptdma->functions_count; i++)
		for (size_t k = 0; k < ptdma->functions[i].queues_count; k++)
			ptdma_work_held(&ptdma->functions[i].queues[k]);
	ptdma_unlock(ptdma);
}

void ptdma_pull_out(struct ptdma_function *function)
{
	function->gone = 1;
	function->master = 0;
	ptdma_fill(function, PTDMA_ALL_ONES);
}

void ptdma_remove(struct ptdma *ptdma, unsigned int function)
{
	ptdma_lock(ptdma);
	ptdma_pull_out(&ptdma->functions[function]);
	ptdma_unlock(ptdma);
}

void ptdma_pause(struct ptdma *ptdma)
{
	ptdma_lock(ptdma);
	ptdma_unlock(ptdma);
}

/* Also what was written and not yet noticed. */
static void look(struct ptdma_function *function)
{
	for (size_t i = 0; i < function->queues_count && !function->gone; i++)
		function->kind->look(&function->queues[i]);
	ptdma_look_through(function, 0, function->kind->size);
}

void ptdma_count(struct ptdma *ptdma, struct ptdma_counts *counts)
{
	ptdma_lock(ptdma);
	for (size_t i = 0; i < ptdma->functions_count; i++)
		look(&ptdma->functions[i]);
	*counts = ptdma->counts;
	ptdma_unlock(ptdma);
}

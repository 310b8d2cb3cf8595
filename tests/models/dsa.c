/* SPDX-License-Identifier: MIT */
/* dsa.c - the software DSA: made, given descriptors, run. */
#include "dsa_device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define DEFAULT_TRANSFER (2u << 20)
#define DEFAULT_BATCH    32

static size_t slots_of(const struct dsa_queue_config *config)
{
	return 2 * (size_t)config->size;
}

static size_t items_of(const struct dsa_queue_config *config)
{
	return slots_of(config) * (1 + config->max_batch);
}

static struct dsa_queue_config with_defaults(const struct dsa_queue_config *given)
{
	struct dsa_queue_config config = *given;

	if (!config.size)
		config.size = 1;
	if (!config.threshold || config.threshold > config.size)
		config.threshold = config.size;
	if (!config.max_transfer)
		config.max_transfer = DEFAULT_TRANSFER;
	if (!config.max_batch)
		config.max_batch = DEFAULT_BATCH;
	return config;
}

/* Returns what is behind them. */
static struct dsa_item *lay_out_queue(struct dsa_queue *queue, struct dsa_item *items)
{
	struct dsa_item *children;

	queue->limit = queue->config.shared ? queue->config.threshold : queue->config.size;
	queue->slots = slots_of(&queue->config);
	queue->items = items;
	children = items + queue->slots;
	for (size_t i = 0; i < queue->slots; i++) {
		items[i].queue = queue;
		items[i].children = children;
		children += queue->config.max_batch;
	}
	return children;
}

/* No memory of the heap: tests move that, and the device works meanwhile. */
static struct dsa *allocate(const struct dsa_queue_config *queues, size_t count)
{
	size_t total = 0, bytes;
	struct dsa *dsa;
	struct dsa_item *items;

	for (size_t i = 0; i < count; i++) {
		struct dsa_queue_config config = with_defaults(&queues[i]);

		total += items_of(&config);
	}
	bytes = sizeof(*dsa) + total * (sizeof(*items) + 2 * sizeof(struct dsa_item *));
	dsa = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		   -1, 0);
	if (dsa == MAP_FAILED)
		abort();
	dsa->mapped = bytes;
	dsa->queues_count = count;
	items = (struct dsa_item *)(dsa + 1);
	dsa->ready.items = (struct dsa_item **)(items + total);
	dsa->delayed.items = dsa->ready.items + total;
	for (size_t i = 0; i < count; i++) {
		dsa->queues[i].config = with_defaults(&queues[i]);
		items = lay_out_queue(&dsa->queues[i], items);
	}
	return dsa;
}

struct dsa *dsa_new(const struct dsa_queue_config *queues, size_t count, enum dsa_pace pace,
		    uint32_t seed)
{
	struct dsa *dsa;

	if (!count || count > DSA_QUEUES_MOST)
		abort();
	dsa = allocate(queues, count);
	dsa->pace = pace;
	/* A shift register never leaves 0. */
	dsa->random = seed * 2654435761u | 1;
	pthread_mutex_init(&dsa->lock, NULL);
	pthread_mutex_init(&dsa->at_once, NULL);
	if (pace == DSA_BY_THREAD && dsa_thread_begin(dsa))
		abort();
	return dsa;
}

void dsa_free(struct dsa *dsa)
{
	if (!dsa)
		return;
	if (dsa->pace == DSA_BY_THREAD)
		dsa_thread_end(dsa);
	pthread_mutex_destroy(&dsa->at_once);
	pthread_mutex_destroy(&dsa->lock);
	munmap(dsa, dsa->mapped);
}

/* Who works at once keeps others from working on what is his. */
void dsa_enter(struct dsa *dsa)
{
	if (dsa->pace == DSA_AT_ONCE)
		pthread_mutex_lock(&dsa->at_once);
	pthread_mutex_lock(&dsa->lock);
}

void dsa_leave(struct dsa *dsa)
{
	while (dsa->pace == DSA_AT_ONCE && dsa_work(dsa, NULL))
		;
	pthread_mutex_unlock(&dsa->lock);
	if (dsa->pace == DSA_AT_ONCE)
		pthread_mutex_unlock(&dsa->at_once);
}

static struct dsa_item *find_slot(struct dsa_queue *queue)
{
	if (queue->occupied >= queue->limit)
		return NULL;
	for (size_t i = 0; i < queue->slots; i++)
		if (queue->items[i].state == DSA_FREE)
			return &queue->items[i];
	return NULL;
}

static int accept(struct dsa *dsa, struct dsa_queue *queue, const struct dsa_descriptor *descriptor)
{
	struct dsa_item *item = dsa->halted ? NULL : find_slot(queue);

	if (!item)
		return 0;
	item->descriptor = *descriptor;
	queue->occupied++;
	if (++dsa->counts.in_flight > dsa->counts.most_in_flight)
		dsa->counts.most_in_flight = dsa->counts.in_flight;
	dsa_arrive(dsa, item);
	return 1;
}

int dsa_submit(struct dsa *dsa, unsigned int queue, const struct dsa_descriptor *descriptor)
{
	int taken;

	dsa_enter(dsa);
	taken = accept(dsa, &dsa->queues[queue], descriptor);
	if (!taken && !dsa->queues[queue].config.shared) {
		dsa->counts.dropped++;
		dsa->counts.software_errors++;
	}
	dsa_leave(dsa);
	return taken;
}

static void count_store(struct dsa *dsa, unsigned int queue, int *busy)
{
	if (queue >= dsa->queues_count)
		abort();
	pthread_mutex_lock(&dsa->lock);
	dsa->counts.portal++;
	if (busy)
		*busy = dsa_is_busy(dsa);
	pthread_mutex_unlock(&dsa->lock);
}

/* The instruction puts in who it is: not what the program wrote there. */
int dsa_enqcmd(struct dsa *dsa, unsigned int queue, const void *descriptor)
{
	struct dsa_descriptor copy;
	int busy;

	memcpy(&copy, descriptor, sizeof(copy));
	copy.pasid = 0;
	count_store(dsa, queue, &busy);
	return busy || !dsa_submit(dsa, queue, &copy);
}

void dsa_movdir64b(struct dsa *dsa, unsigned int queue, const void *descriptor)
{
	struct dsa_descriptor copy;

	memcpy(&copy, descriptor, sizeof(copy));
	count_store(dsa, queue, NULL);
	dsa_submit(dsa, queue, &copy);
}

size_t dsa_run(struct dsa *dsa, size_t steps)
{
	size_t used = 0;

	dsa_enter(dsa);
	for (; used < steps; used++) {
		dsa->steps++;
		dsa_promote(dsa);
		if (!dsa_work(dsa, NULL) && (!dsa->delayed.count || dsa->halted))
			break;
	}
	pthread_mutex_unlock(&dsa->lock);
	if (dsa->pace == DSA_AT_ONCE)
		pthread_mutex_unlock(&dsa->at_once);
	return used;
}

void dsa_halt(struct dsa *dsa)
{
	pthread_mutex_lock(&dsa->lock);
	dsa->halted = 1;
	pthread_mutex_unlock(&dsa->lock);
}

void dsa_count(struct dsa *dsa, struct dsa_counts *counts)
{
	pthread_mutex_lock(&dsa->lock);
	*counts = dsa->counts;
	counts->foreign = dsa->foreign;
	pthread_mutex_unlock(&dsa->lock);
}

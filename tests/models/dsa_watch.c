/* SPDX-License-Identifier: MIT */
/* dsa_watch.c - a page that is read again and again for descriptors. */
#include "dsa_watch.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#ifdef __x86_64__
#include <emmintrin.h>
#endif

#include "dsa_device.h"

#define SLOTS 64
#define WORDS 8

struct dsa_watch {
	struct dsa *dsa;
	unsigned int queue;
	pthread_t thread;
	_Atomic int stops;
	uint64_t *page;
};

/* The first word holds the operation, and is never 0: nobody can want a NOOP without a record. */
static int take_slot(struct dsa_watch *watch, uint64_t *slot)
{
	uint64_t words[WORDS];

	words[0] = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
	if (!words[0])
		return 0;
	for (size_t i = 1; i < WORDS; i++)
		words[i] = __atomic_load_n(slot + i, __ATOMIC_RELAXED);
	__atomic_store_n(slot, 0, __ATOMIC_RELEASE);
	dsa_movdir64b(watch->dsa, watch->queue, words);
	return 1;
}

static int look(struct dsa_watch *watch)
{
	int found = 0;

	for (size_t slot = 0; slot < SLOTS; slot++)
		found |= take_slot(watch, watch->page + WORDS * slot);
	return found;
}

static void *run(void *arg)
{
	struct dsa_watch *watch = arg;

	while (!watch->stops)
		if (!look(watch))
			sched_yield();
	look(watch);
	return NULL;
}

static int begin_thread(struct dsa_watch *watch)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&watch->thread, NULL, run, watch);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

struct dsa_watch *dsa_watch_begin(struct dsa *dsa, unsigned int queue)
{
	struct dsa_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->dsa = dsa;
	watch->queue = queue;
	watch->page =
		mmap(NULL, DSA_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (watch->page != MAP_FAILED && begin_thread(watch) == 0)
		return watch;
	if (watch->page != MAP_FAILED)
		munmap(watch->page, DSA_PAGE);
	free(watch);
	return NULL;
}

uint64_t dsa_watch_portal(const struct dsa_watch *watch)
{
	return (uint64_t)(uintptr_t)watch->page;
}

void dsa_watch_end(struct dsa_watch *watch)
{
	watch->stops = 1;
	pthread_join(watch->thread, NULL);
	munmap(watch->page, DSA_PAGE);
	free(watch);
}

static void store_word(uint64_t *to, uint64_t word)
{
#ifdef __x86_64__
	_mm_stream_si64((long long *)to, (long long)word);
#else
	__atomic_store_n(to, word, __ATOMIC_RELAXED);
#endif
}

void dsa_watch_store(uint64_t portal, const void *descriptor)
{
	uint64_t words[WORDS], *slot = (uint64_t *)(uintptr_t)portal;

	memcpy(words, descriptor, sizeof(words));
	for (size_t i = 1; i < WORDS; i++)
		store_word(slot + i, words[i]);
		/* Such stores are not ordered by those that follow. */
#ifdef __x86_64__
	_mm_sfence();
#endif
	__atomic_store_n(slot, words[0], __ATOMIC_RELEASE);
}

/* SPDX-License-Identifier: MIT */
/* swap_mutator.c - a thread that changes mappings and knows what every byte has to be. */
#include "swap_mutator.h"

#include <stdio.h>

size_t mutator_any(struct mutator *mutator, size_t limit)
{
	mutator->seed = mutator->seed * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(mutator->seed >> 33) % limit;
}

static uint64_t word_of(uint64_t generation, size_t page, size_t at)
{
	return generation == 0 ? 0 : generation * 0x9e3779b97f4a7c15u + page * 512 + at;
}

/* The part of the mutator, and where it is just now. */
char *mutator_part(const struct mutator *mutator)
{
	return mutator->start + mutator->at * PAGE;
}

/* Writes every byte of the part. */
void mutator_fill(struct mutator *mutator, char *place)
{
	mutator->generation++;
	for (size_t i = 0; i < mutator->count; i++) {
		uint64_t *words = (uint64_t *)(void *)(place + i * PAGE);

		mutator->made[mutator->at + i] = mutator->generation;
		for (size_t k = 0; k < PAGE / 8; k++)
			words[k] = word_of(mutator->generation, mutator->at + i, k);
	}
}

static int page_is(const struct mutator *mutator, const char *place, size_t i, uint64_t generation)
{
	const uint64_t *words = (const uint64_t *)(const void *)(place + i * PAGE);

	for (size_t k = 0; k < PAGE / 8; k++) {
		if (words[k] != word_of(generation, mutator->at + i, k))
			return 0;
	}
	return 1;
}

/* Reads every byte of the part; zeros may be: pages may have become all zeros. */
const char *mutator_look(struct mutator *mutator, const char *place, int zeros_may_be)
{
	for (size_t i = 0; i < mutator->count; i++) {
		uint64_t made = mutator->made[mutator->at + i];
		uint64_t is;

		if (page_is(mutator, place, i, made) ||
		    (zeros_may_be && page_is(mutator, place, i, 0)))
			continue;
		memcpy(&is, place + i * PAGE, 8);
		snprintf(mutator->message, sizeof(mutator->message),
			 "round %lu: page %zu, first word %#llx, should be %#llx (%s)",
			 atomic_load(&mutator->rounds), mutator->at + i, (unsigned long long)is,
			 (unsigned long long)word_of(made, mutator->at + i, 0),
			 made ? "as written" : "zeros");
		return mutator->message;
	}
	return NULL;
}

void mutator_zeros(struct mutator *mutator)
{
	memset(mutator->made + mutator->at, 0, mutator->count * sizeof(mutator->made[0]));
}

const char *mutator_failed(struct mutator *mutator, const char *call)
{
	snprintf(mutator->message, sizeof(mutator->message), "%s: %s", call, strerror(errno));
	return mutator->message;
}

/* ---------------------------------------------------------------- what it does */

static const char *map_again(struct mutator *mutator)
{
	char *place = mutator_part(mutator);
	size_t length = mutator->count * PAGE;

	if (mmap(place, length, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != place)
		return mutator_failed(mutator, "mmap");
	madvise(place, length, mutator->huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	mutator_zeros(mutator);
	return mutator_look(mutator, place, 0);
}

const char *step_munmap(struct mutator *mutator)
{
	size_t length = mutator->count * PAGE;

	if (munmap(mutator_part(mutator), length) != 0)
		return mutator_failed(mutator, "munmap");
	/* It stays away. */
	for (int i = 0; i < 20; i++) {
		if (msync(mutator_part(mutator), PAGE, MS_ASYNC) == 0 ||
		    msync(mutator_part(mutator) + length - PAGE, PAGE, MS_ASYNC) == 0)
			return "what was unmapped is there again";
		usleep(100);
	}
	return map_again(mutator);
}

const char *step_munmap_mmap(struct mutator *mutator)
{
	if (munmap(mutator_part(mutator), mutator->count * PAGE) != 0)
		return mutator_failed(mutator, "munmap");
	return map_again(mutator);
}

/* EFAULT: the range is not one mapping at this moment. See remap_is_never_refused. */
static int remap(struct mutator *mutator, char *from, char *to, int flags)
{
	size_t length = mutator->count * PAGE;

	for (int i = 0; i < 20000; i++) {
		if (mremap(from, length, length, flags, to) == to)
			return 0;
		if (errno != EFAULT)
			return -1;
		mutator->refused++;
		usleep(100);
	}
	return -1;
}

static char *other_place(struct mutator *mutator)
{
	return mutator->start + MUTATOR_AWAY + mutator_any(mutator, 600) * PAGE;
}

const char *step_remap(struct mutator *mutator)
{
	char *other = other_place(mutator);
	const char *wrong;

	if (remap(mutator, mutator_part(mutator), other, MREMAP_MAYMOVE | MREMAP_FIXED) != 0)
		return mutator_failed(mutator, "mremap away");
	wrong = mutator_look(mutator, other, 0);
	if (wrong)
		return wrong;
	mutator_fill(mutator, other);
	if (msync(mutator_part(mutator), PAGE, MS_ASYNC) == 0)
		return "what was remapped is still there";
	if (remap(mutator, other, mutator_part(mutator), MREMAP_MAYMOVE | MREMAP_FIXED) != 0)
		return mutator_failed(mutator, "mremap back");
	return mutator_look(mutator, mutator_part(mutator), 0);
}

const char *step_dontunmap(struct mutator *mutator)
{
	char *other = other_place(mutator);
	const char *wrong;
	static struct mutator zeros;

	if (remap(mutator, mutator_part(mutator), other,
		  MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP) != 0)
		return mutator_failed(mutator, "mremap, leaving the mapping");
	wrong = mutator_look(mutator, other, 0);
	zeros.count = mutator->count;
	if (!wrong && mutator_look(&zeros, mutator_part(mutator), 0))
		return "what was left behind is not zeros";
	if (remap(mutator, other, mutator_part(mutator), MREMAP_MAYMOVE | MREMAP_FIXED) != 0)
		return mutator_failed(mutator, "mremap back");
	return wrong ? wrong : mutator_look(mutator, mutator_part(mutator), 0);
}

/* The kernel fills what has grown of a locked mapping before it tells of the remapping. */
const char *step_grow_locked(struct mutator *mutator)
{
	size_t length = mutator->count * PAGE, more = (1 + mutator_any(mutator, 100)) * PAGE;
	char *other = other_place(mutator);
	const char *wrong;

	if (mlock(mutator_part(mutator), length) != 0)
		return mutator_failed(mutator, "mlock");
	if (mremap(mutator_part(mutator), length, length + more, MREMAP_MAYMOVE | MREMAP_FIXED,
		   other) != other)
		return mutator_failed(mutator, "mremap away, growing");
	wrong = mutator_look(mutator, other, 0);
	if (munlock(other, length + more) != 0 || munmap(other + length, more) != 0)
		return mutator_failed(mutator, "munlock");
	if (remap(mutator, other, mutator_part(mutator), MREMAP_MAYMOVE | MREMAP_FIXED) != 0)
		return mutator_failed(mutator, "mremap back");
	return wrong ? wrong : mutator_look(mutator, mutator_part(mutator), 0);
}

/* The same to where pages of the part are, which are migrated, too: they are unmapped. */
const char *step_grow_over(struct mutator *mutator)
{
	size_t all = mutator->count, moved = 100, grown = 200, behind = 500;
	char *from = mutator_part(mutator), *to = from + behind * PAGE;
	const char *wrong;

	if (mlock(from, moved * PAGE) != 0)
		return mutator_failed(mutator, "mlock");
	if (mremap(from, moved * PAGE, (moved + grown) * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) !=
	    to)
		return mutator_failed(mutator, "mremap over, growing");
	mutator->count = moved;
	wrong = mutator_look(mutator, to, 0);
	if (munlock(to, (moved + grown) * PAGE) != 0 ||
	    remap(mutator, to, from, MREMAP_MAYMOVE | MREMAP_FIXED) != 0)
		return mutator_failed(mutator, "mremap back");
	mutator->at += behind;
	mutator->count = moved + grown;
	wrong = wrong ? wrong : map_again(mutator);
	mutator->at -= behind;
	mutator->count = all;
	return wrong ? wrong : mutator_look(mutator, from, 0);
}

/* The last pages go and come again as zeros; here the part is shortened, too. */
const char *step_resize(struct mutator *mutator)
{
	size_t all = mutator->count, kept = 1 + mutator_any(mutator, all - 1);
	char *place = mutator_part(mutator);
	const char *wrong;
	void *grown = MAP_FAILED;

	if (mremap(place, all * PAGE, kept * PAGE, 0) != place)
		return mutator_failed(mutator, "mremap, shrinking");
	mutator->count = kept;
	wrong = mutator_look(mutator, place, 0);
	for (int i = 0; i < 20000 && grown == MAP_FAILED; i++) {
		grown = mremap(place, kept * PAGE, all * PAGE, 0);
		if (grown == MAP_FAILED) {
			/* ENOMEM: it does not see itself that it may grow; EFAULT: as above. */
			mutator->refused++;
			usleep(100);
		}
	}
	if (grown != place)
		return mutator_failed(mutator, "mremap, growing");
	mutator->at += kept;
	mutator->count = all - kept;
	mutator_zeros(mutator);
	if (!wrong)
		wrong = mutator_look(mutator, mutator_part(mutator), 0);
	mutator->at -= kept;
	mutator->count = all;
	return wrong;
}

const char *step_protect(struct mutator *mutator)
{
	size_t length = mutator->count * PAGE;
	const char *wrong;

	if (mprotect(mutator_part(mutator), length, PROT_READ) != 0)
		return mutator_failed(mutator, "mprotect(PROT_READ)");
	wrong = mutator_look(mutator, mutator_part(mutator), 0);
	if (mutator_any(mutator, 2) && mprotect(mutator_part(mutator), length, PROT_NONE) != 0)
		return mutator_failed(mutator, "mprotect(PROT_NONE)");
	if (mprotect(mutator_part(mutator), length, PROT_READ | PROT_WRITE) != 0)
		return mutator_failed(mutator, "mprotect(PROT_READ | PROT_WRITE)");
	return wrong ? wrong : mutator_look(mutator, mutator_part(mutator), 0);
}

const char *step_mlock(struct mutator *mutator)
{
	const char *wrong;

	if (mlock(mutator_part(mutator), mutator->count * PAGE) != 0)
		return mutator_failed(mutator, "mlock");
	wrong = mutator_look(mutator, mutator_part(mutator), 0);
	mutator_fill(mutator, mutator_part(mutator));
	usleep(500);
	if (munlock(mutator_part(mutator), mutator->count * PAGE) != 0)
		return mutator_failed(mutator, "munlock");
	return wrong ? wrong : mutator_look(mutator, mutator_part(mutator), 0);
}

const char *step_mlockall(struct mutator *mutator)
{
	const char *wrong;

	if (mlockall(mutator_any(mutator, 2) ? MCL_CURRENT : MCL_CURRENT | MCL_FUTURE) != 0)
		return mutator_failed(mutator, "mlockall(MCL_CURRENT)");
	wrong = mutator_look(mutator, mutator_part(mutator), 0);
	mutator_fill(mutator, mutator_part(mutator));
	usleep(2000);
	if (munlockall() != 0 || mlockall(MCL_FUTURE) != 0 || munlockall() != 0)
		return mutator_failed(mutator, "munlockall");
	return wrong ? wrong : mutator_look(mutator, mutator_part(mutator), 0);
}

/* ---------------------------------------------------------------- its thread */

/* The part of a round: any; or for mremap(2), that wants one mapping, always the same. */
static void choose_part(struct mutator *mutator)
{
	int fixed = mutator->step == step_remap || mutator->step == step_dontunmap ||
		    mutator->step == step_resize || mutator->step == step_grow_locked ||
		    mutator->step == step_grow_over;

	mutator->at = fixed ? 200 : mutator_any(mutator, MUTATOR_PAGES - 1);
	mutator->count = fixed ? 900 : 1 + mutator_any(mutator, MUTATOR_PAGES - mutator->at);
}

static void *mutate(void *arg)
{
	struct mutator *mutator = arg;
	struct pulse *pulse = pulse_new("the thread that changes mappings");

	while (!atomic_load(&mutator->stop) && !mutator->wrong) {
		choose_part(mutator);
		mutator->wrong = mutator_look(mutator, mutator_part(mutator), 0);
		if (!mutator->wrong)
			mutator->wrong = mutator->step(mutator);
		if (mutator->wrong)
			break;
		mutator_fill(mutator, mutator_part(mutator));
		mutator->wrong = mutator_look(mutator, mutator_part(mutator), 0);
		atomic_fetch_add(&mutator->rounds, 1);
		pulse_beat(pulse);
	}
	pulse_end(pulse);
	return NULL;
}

void mutator_start(struct mutator *mutator)
{
	mutator->seed = 0x853c49e6748fea9bu;
	mutator->at = 0;
	mutator->count = MUTATOR_PAGES;
	mutator_fill(mutator, mutator->start);
	ck_assert_int_eq(pthread_create(&mutator->thread, NULL, mutate, mutator), 0);
}

void mutator_end(struct mutator *mutator)
{
	atomic_store(&mutator->stop, 1);
	pthread_join(mutator->thread, NULL);
	ck_assert_msg(!mutator->wrong, "%s", mutator->wrong);
	ck_assert_uint_gt(atomic_load(&mutator->rounds), 0);
	mutator_check(mutator);
}

void mutator_check(struct mutator *mutator)
{
	mutator->at = 0;
	mutator->count = MUTATOR_PAGES;
	ck_assert_msg(!mutator_look(mutator, mutator->start, 0), "at the end: %s",
		      mutator->message);
}

/* SPDX-License-Identifier: MIT */
/* swap_mutator.c - a thread that changes mappings and knows what every byte has to be. */
#include "swap_mutator.h"

#include <stdio.h>
#include <sys/uio.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MADV_GUARD_INSTALL /* Linux 6.13 */
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE  103
#endif

static size_t any(struct mutator *mutator, size_t limit)
{
	mutator->seed = mutator->seed * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(mutator->seed >> 33) % limit;
}

static uint64_t word_of(uint64_t generation, size_t page, size_t at)
{
	return generation == 0 ? 0 : generation * 0x9e3779b97f4a7c15u + page * 512 + at;
}

/* The part of the mutator, and where it is just now. */
static char *part(const struct mutator *mutator)
{
	return mutator->start + mutator->at * PAGE;
}

/* Writes every byte of the part. */
static void fill(struct mutator *mutator, char *place)
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
static const char *check(struct mutator *mutator, const char *place, int zeros_may_be)
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

static void now_zeros(struct mutator *mutator)
{
	memset(mutator->made + mutator->at, 0, mutator->count * sizeof(mutator->made[0]));
}

static const char *failed(struct mutator *mutator, const char *call)
{
	snprintf(mutator->message, sizeof(mutator->message), "%s: %s", call, strerror(errno));
	return mutator->message;
}

/* ---------------------------------------------------------------- what it does */

static const char *map_again(struct mutator *mutator)
{
	char *place = part(mutator);
	size_t length = mutator->count * PAGE;

	if (mmap(place, length, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != place)
		return failed(mutator, "mmap");
	madvise(place, length, mutator->huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	now_zeros(mutator);
	return check(mutator, place, 0);
}

const char *step_munmap(struct mutator *mutator)
{
	size_t length = mutator->count * PAGE;

	if (munmap(part(mutator), length) != 0)
		return failed(mutator, "munmap");
	/* It stays away. */
	for (int i = 0; i < 20; i++) {
		if (msync(part(mutator), PAGE, MS_ASYNC) == 0 ||
		    msync(part(mutator) + length - PAGE, PAGE, MS_ASYNC) == 0)
			return "what was unmapped is there again";
		usleep(100);
	}
	return map_again(mutator);
}

const char *step_munmap_mmap(struct mutator *mutator)
{
	if (munmap(part(mutator), mutator->count * PAGE) != 0)
		return failed(mutator, "munmap");
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
	return mutator->start + MUTATOR_AWAY + any(mutator, 600) * PAGE;
}

const char *step_remap(struct mutator *mutator)
{
	char *other = other_place(mutator);
	const char *wrong;

	if (remap(mutator, part(mutator), other, MREMAP_MAYMOVE | MREMAP_FIXED) != 0)
		return failed(mutator, "mremap away");
	wrong = check(mutator, other, 0);
	if (wrong)
		return wrong;
	fill(mutator, other);
	if (msync(part(mutator), PAGE, MS_ASYNC) == 0)
		return "what was remapped is still there";
	if (remap(mutator, other, part(mutator), MREMAP_MAYMOVE | MREMAP_FIXED) != 0)
		return failed(mutator, "mremap back");
	return check(mutator, part(mutator), 0);
}

const char *step_dontunmap(struct mutator *mutator)
{
	char *other = other_place(mutator);
	const char *wrong;
	static struct mutator zeros;

	if (remap(mutator, part(mutator), other,
		  MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP) != 0)
		return failed(mutator, "mremap, leaving the mapping");
	wrong = check(mutator, other, 0);
	zeros.count = mutator->count;
	if (!wrong && check(&zeros, part(mutator), 0))
		return "what was left behind is not zeros";
	if (remap(mutator, other, part(mutator), MREMAP_MAYMOVE | MREMAP_FIXED) != 0)
		return failed(mutator, "mremap back");
	return wrong ? wrong : check(mutator, part(mutator), 0);
}

/* The last pages go and come again as zeros; here the part is shortened, too. */
const char *step_resize(struct mutator *mutator)
{
	size_t all = mutator->count, kept = 1 + any(mutator, all - 1);
	char *place = part(mutator);
	const char *wrong;
	void *grown = MAP_FAILED;

	if (mremap(place, all * PAGE, kept * PAGE, 0) != place)
		return failed(mutator, "mremap, shrinking");
	mutator->count = kept;
	wrong = check(mutator, place, 0);
	for (int i = 0; i < 20000 && grown == MAP_FAILED; i++) {
		grown = mremap(place, kept * PAGE, all * PAGE, 0);
		if (grown == MAP_FAILED) {
			/* ENOMEM: it does not see itself that it may grow; EFAULT: as above. */
			mutator->refused++;
			usleep(100);
		}
	}
	if (grown != place)
		return failed(mutator, "mremap, growing");
	mutator->at += kept;
	mutator->count = all - kept;
	now_zeros(mutator);
	if (!wrong)
		wrong = check(mutator, part(mutator), 0);
	mutator->at -= kept;
	mutator->count = all;
	return wrong;
}

const char *step_dontneed(struct mutator *mutator)
{
	if (madvise(part(mutator), mutator->count * PAGE, MADV_DONTNEED) != 0)
		return failed(mutator, "madvise(MADV_DONTNEED)");
	now_zeros(mutator);
	if (any(mutator, 2))
		usleep(500);
	return check(mutator, part(mutator), 0);
}

const char *step_free(struct mutator *mutator)
{
	if (madvise(part(mutator), mutator->count * PAGE, MADV_FREE) != 0)
		return failed(mutator, "madvise(MADV_FREE)");
	return check(mutator, part(mutator), 1);
}

const char *step_pageout(struct mutator *mutator)
{
	if (madvise(part(mutator), mutator->count * PAGE, MADV_PAGEOUT) != 0)
		return failed(mutator, "madvise(MADV_PAGEOUT)");
	return check(mutator, part(mutator), 0);
}

const char *step_protect(struct mutator *mutator)
{
	size_t length = mutator->count * PAGE;
	const char *wrong;

	if (mprotect(part(mutator), length, PROT_READ) != 0)
		return failed(mutator, "mprotect(PROT_READ)");
	wrong = check(mutator, part(mutator), 0);
	if (any(mutator, 2) && mprotect(part(mutator), length, PROT_NONE) != 0)
		return failed(mutator, "mprotect(PROT_NONE)");
	if (mprotect(part(mutator), length, PROT_READ | PROT_WRITE) != 0)
		return failed(mutator, "mprotect(PROT_READ | PROT_WRITE)");
	return wrong ? wrong : check(mutator, part(mutator), 0);
}

const char *step_mlock(struct mutator *mutator)
{
	const char *wrong;

	if (mlock(part(mutator), mutator->count * PAGE) != 0)
		return failed(mutator, "mlock");
	wrong = check(mutator, part(mutator), 0);
	fill(mutator, part(mutator));
	usleep(500);
	if (munlock(part(mutator), mutator->count * PAGE) != 0)
		return failed(mutator, "munlock");
	return wrong ? wrong : check(mutator, part(mutator), 0);
}

const char *step_mlockall(struct mutator *mutator)
{
	const char *wrong;

	if (mlockall(any(mutator, 2) ? MCL_CURRENT : MCL_CURRENT | MCL_FUTURE) != 0)
		return failed(mutator, "mlockall(MCL_CURRENT)");
	wrong = check(mutator, part(mutator), 0);
	fill(mutator, part(mutator));
	usleep(2000);
	if (munlockall() != 0 || mlockall(MCL_FUTURE) != 0 || munlockall() != 0)
		return failed(mutator, "munlockall");
	return wrong ? wrong : check(mutator, part(mutator), 0);
}

const char *step_hugepage(struct mutator *mutator)
{
	static const int other[4] = {MADV_NOHUGEPAGE, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_COLD};
	char *place = part(mutator);
	const char *wrong;

	if (madvise(place, mutator->count * PAGE, MADV_HUGEPAGE) != 0)
		return failed(mutator, "madvise(MADV_HUGEPAGE)");
	/* Whether there is something to collapse just now is not known: any error will do. */
	madvise(place, mutator->count * PAGE, MADV_COLLAPSE);
	wrong = check(mutator, place, 0);
	fill(mutator, place);
	madvise(place, mutator->count * PAGE, other[any(mutator, 4)]);
	return wrong ? wrong : check(mutator, place, 0);
}

/* No page of the part can be touched. */
static const char *guards_hold(const struct mutator *mutator)
{
	char byte;

	for (size_t i = 0; i < mutator->count; i++) {
		struct iovec to = {&byte, 1}, from = {part(mutator) + i * PAGE, 1};

		if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) == 1)
			return "a page has lost its guard";
	}
	return NULL;
}

const char *step_guard(struct mutator *mutator)
{
	const char *wrong;

	/* A kernel that has none. */
	if (madvise(part(mutator), mutator->count * PAGE, MADV_GUARD_INSTALL) != 0)
		return errno == EINVAL ? NULL : failed(mutator, "madvise(MADV_GUARD_INSTALL)");
	/* There is no event of it: both calls in one window would go unnoticed. */
	usleep(200000);
	wrong = guards_hold(mutator);
	if (madvise(part(mutator), mutator->count * PAGE, MADV_GUARD_REMOVE) != 0)
		return failed(mutator, "madvise(MADV_GUARD_REMOVE)");
	now_zeros(mutator);
	return wrong ? wrong : check(mutator, part(mutator), 0);
}

const char *step_dontfork(struct mutator *mutator)
{
	const char *wrong;

	if (madvise(part(mutator), mutator->count * PAGE, MADV_DONTFORK) != 0)
		return failed(mutator, "madvise(MADV_DONTFORK)");
	wrong = check(mutator, part(mutator), 0);
	fill(mutator, part(mutator));
	if (madvise(part(mutator), mutator->count * PAGE, MADV_DOFORK) != 0)
		return failed(mutator, "madvise(MADV_DOFORK)");
	return wrong ? wrong : check(mutator, part(mutator), 0);
}

/* ---------------------------------------------------------------- its thread */

/* The part of a round: any; or for mremap(2), that wants one mapping, always the same. */
static void choose_part(struct mutator *mutator)
{
	int fixed = mutator->step == step_remap || mutator->step == step_dontunmap ||
		    mutator->step == step_resize;

	mutator->at = fixed ? 200 : any(mutator, MUTATOR_PAGES - 1);
	mutator->count = fixed ? 900 : 1 + any(mutator, MUTATOR_PAGES - mutator->at);
}

static void *mutate(void *arg)
{
	struct mutator *mutator = arg;
	struct pulse *pulse = pulse_new("the thread that changes mappings");

	while (!atomic_load(&mutator->stop) && !mutator->wrong) {
		choose_part(mutator);
		mutator->wrong = check(mutator, part(mutator), 0);
		if (!mutator->wrong)
			mutator->wrong = mutator->step(mutator);
		if (mutator->wrong)
			break;
		fill(mutator, part(mutator));
		mutator->wrong = check(mutator, part(mutator), 0);
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
	fill(mutator, mutator->start);
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
	ck_assert_msg(!check(mutator, mutator->start, 0), "at the end: %s", mutator->message);
}

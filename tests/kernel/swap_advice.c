/* SPDX-License-Identifier: MIT */
/* swap_advice.c - what the mutator does by madvise(2). */
#include <sys/uio.h>

#include "swap_mutator.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MADV_GUARD_INSTALL /* Linux 6.13 */
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE  103
#endif

const char *step_dontneed(struct mutator *mutator)
{
	if (madvise(mutator_part(mutator), mutator->count * PAGE, MADV_DONTNEED) != 0)
		return mutator_failed(mutator, "madvise(MADV_DONTNEED)");
	mutator_zeros(mutator);
	if (mutator_any(mutator, 2))
		usleep(500);
	return mutator_look(mutator, mutator_part(mutator), 0);
}

const char *step_free(struct mutator *mutator)
{
	if (madvise(mutator_part(mutator), mutator->count * PAGE, MADV_FREE) != 0)
		return mutator_failed(mutator, "madvise(MADV_FREE)");
	return mutator_look(mutator, mutator_part(mutator), 1);
}

const char *step_pageout(struct mutator *mutator)
{
	if (madvise(mutator_part(mutator), mutator->count * PAGE, MADV_PAGEOUT) != 0)
		return mutator_failed(mutator, "madvise(MADV_PAGEOUT)");
	return mutator_look(mutator, mutator_part(mutator), 0);
}

const char *step_hugepage(struct mutator *mutator)
{
	static const int other[4] = {MADV_NOHUGEPAGE, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_COLD};
	char *place = mutator_part(mutator);
	const char *wrong;

	if (madvise(place, mutator->count * PAGE, MADV_HUGEPAGE) != 0)
		return mutator_failed(mutator, "madvise(MADV_HUGEPAGE)");
	/* Whether there is something to collapse just now is not known: any error will do. */
	madvise(place, mutator->count * PAGE, MADV_COLLAPSE);
	wrong = mutator_look(mutator, place, 0);
	mutator_fill(mutator, place);
	madvise(place, mutator->count * PAGE, other[mutator_any(mutator, 4)]);
	return wrong ? wrong : mutator_look(mutator, place, 0);
}

/* No page of the part can be touched. */
static const char *guards_hold(const struct mutator *mutator)
{
	char byte;

	for (size_t i = 0; i < mutator->count; i++) {
		struct iovec to = {&byte, 1}, from = {mutator_part(mutator) + i * PAGE, 1};

		if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) == 1)
			return "a page has lost its guard";
	}
	return NULL;
}

/* Until no window is open any more that is open now. */
static void await_batches(const struct mutator *mutator)
{
	unsigned long ended = atomic_load(&mutator->batches);

	while (atomic_load(&mutator->batches) < ended + 2 && !atomic_load(&mutator->stop))
		usleep(1000);
}

const char *step_guard(struct mutator *mutator)
{
	const char *wrong;

	/* A kernel that has none. */
	if (madvise(mutator_part(mutator), mutator->count * PAGE, MADV_GUARD_INSTALL) != 0)
		return errno == EINVAL ? NULL
				       : mutator_failed(mutator, "madvise(MADV_GUARD_INSTALL)");
	/* There is no event of it: both calls in one window would go unnoticed. */
	await_batches(mutator);
	wrong = guards_hold(mutator);
	if (madvise(mutator_part(mutator), mutator->count * PAGE, MADV_GUARD_REMOVE) != 0)
		return mutator_failed(mutator, "madvise(MADV_GUARD_REMOVE)");
	mutator_zeros(mutator);
	return wrong ? wrong : mutator_look(mutator, mutator_part(mutator), 0);
}

const char *step_dontfork(struct mutator *mutator)
{
	const char *wrong;

	if (madvise(mutator_part(mutator), mutator->count * PAGE, MADV_DONTFORK) != 0)
		return mutator_failed(mutator, "madvise(MADV_DONTFORK)");
	wrong = mutator_look(mutator, mutator_part(mutator), 0);
	mutator_fill(mutator, mutator_part(mutator));
	if (madvise(mutator_part(mutator), mutator->count * PAGE, MADV_DOFORK) != 0)
		return mutator_failed(mutator, "madvise(MADV_DOFORK)");
	return wrong ? wrong : mutator_look(mutator, mutator_part(mutator), 0);
}

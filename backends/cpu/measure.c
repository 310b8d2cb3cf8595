/* SPDX-License-Identifier: MIT */
/*
 * measure.c - times the loops on this machine.
 *
 * A trial copies TRIAL bytes out of memory, not out of a cache: both buffers
 * are written with streaming stores before it, which drops them from every
 * cache of an x86. The rounds go through all loops, so that whatever disturbs a
 * shared machine disturbs all of them; the best of the rounds counts.
 */
#include <errno.h>
#include <string.h>

#include "choose.h"
#include "loops.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define TRIAL       (512u << 10)
#define SMALL       4096u
#define RUN         (64u << 10)
#define COPIES_MOST (TRIAL / SMALL)
/* More than half a second L2 of today; trials go through it in turns. */
#define BUFFER      (4u << 20)
#define ROUNDS      4
#define DEADLINE_NS 5500000u

_Static_assert(BUFFER % TRIAL == 0, "trials fill the buffer");

struct trial {
	const struct bm_sys *sys;
	char *to, *from;
	struct bm_copy copies[COPIES_MOST];
	size_t count;
	uint64_t end; /* of the time that all may take */
};

#if defined(__x86_64__)
static void write_cold(char *to, size_t length)
{
	for (size_t at = 0; at < length; at += 16)
		_mm_stream_si128((void *)(to + at), _mm_set1_epi8(1));
	_mm_sfence();
}
#else
static void write_cold(char *to, size_t length)
{
	memset(to, 1, length);
}
#endif

/* Pages lie in an order that no prefetcher guesses. */
static size_t scattered(size_t i, size_t count)
{
	return (i * 37 + 11) % count;
}

static size_t length_of(enum bm_cpu_class which)
{
	if (which == BM_CPU_PAGES)
		return SMALL;
	return which == BM_CPU_RUNS ? RUN : TRIAL;
}

static void prepare(struct trial *trial, enum bm_cpu_class which, size_t turn)
{
	size_t length = length_of(which), count = TRIAL / length;
	size_t base = turn * TRIAL % BUFFER;

	write_cold(trial->from + base, TRIAL);
	write_cold(trial->to + base, TRIAL);
	for (size_t i = 0; i < count; i++) {
		trial->copies[i] = (struct bm_copy){
			.to = trial->to + base + scattered(i + 5, count) * length,
			.from = trial->from + base + scattered(i, count) * length,
			.length = length,
		};
	}
	trial->count = count;
}

static void take_least(uint64_t *ns, uint64_t took)
{
	if (took < *ns)
		*ns = took;
}

/* 1, or 0 when the time is over. */
static int round_of(struct trial *trial, enum bm_cpu_class which, size_t turn, uint64_t *ns)
{
	for (size_t i = 0; i < bm_cpu_loop_count(); i++) {
		uint64_t start;

		if (!bm_cpu_loop_here(i))
			continue;
		prepare(trial, which, turn + i);
		start = trial->sys->now_ns();
		if (start >= trial->end)
			return 0;
		bm_cpu_loop(i)->copy(trial->copies, trial->count);
		take_least(&ns[i], trial->sys->now_ns() - start);
	}
	return 1;
}

static void rounds(struct trial *trial, struct bm_cpu_times *times)
{
	memset(times, 0xff, sizeof(*times));
	for (size_t i = 0; i < ROUNDS; i++)
		for (int which = 0; which < BM_CPU_CLASSES; which++)
			if (!round_of(trial, (enum bm_cpu_class)which, i, times->ns[which]))
				return;
}

int bm_cpu_measure(const struct bm_backend_env *env, struct bm_cpu_times *times)
{
	size_t size = 2 * (size_t)BUFFER;
	char *memory = env->memory(env->sys, size);
	struct trial trial = {.sys = env->sys, .to = memory};

	if (!memory)
		return -ENOMEM;
	trial.from = memory + BUFFER;
	trial.end = env->sys->now_ns() + DEADLINE_NS;
	rounds(&trial, times);
	env->memory_end(env->sys, memory, size);
	return 0;
}

size_t bm_cpu_choose(const uint64_t *ns, size_t count, size_t fallback)
{
	size_t best = fallback;
	uint64_t least = BM_CPU_UNMEASURED;

	for (size_t i = 0; i < count; i++) {
		if (ns[i] < least) {
			least = ns[i];
			best = i;
		}
	}
	return best;
}

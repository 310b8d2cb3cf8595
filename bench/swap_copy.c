/* SPDX-License-Identifier: MIT */
/* swap_copy.c - plain copies to compare with, and threads that start together. */
#include "swap.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define PIECE (2ul << 20)

copy_loop *copy_plain;
const char *copy_plain_name;

double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

void die(const char *what)
{
	perror(what);
	exit(1);
}

void copy_memcpy(char *to, const char *from, size_t length)
{
	memcpy(to, from, length);
}

#ifdef __x86_64__
#include <immintrin.h>

/* Forward, one stream, nothing clever: what is compared with must be what everybody has. */
__attribute__((target("avx512f"))) static void copy_avx512(char *to, const char *from,
							   size_t length)
{
	for (size_t at = 0; at < length; at += 256) {
		const void *source = from + at;
		void *target = to + at;
		__m512i a = _mm512_loadu_si512(source);
		__m512i b = _mm512_loadu_si512((const char *)source + 64);
		__m512i c = _mm512_loadu_si512((const char *)source + 128);
		__m512i d = _mm512_loadu_si512((const char *)source + 192);

		_mm512_stream_si512(target, a);
		_mm512_stream_si512((void *)((char *)target + 64), b);
		_mm512_stream_si512((void *)((char *)target + 128), c);
		_mm512_stream_si512((void *)((char *)target + 192), d);
	}
	_mm_sfence();
}

__attribute__((target("avx2"))) static void copy_avx2(char *to, const char *from, size_t length)
{
	for (size_t at = 0; at < length; at += 128) {
		const void *source = from + at;
		void *target = to + at;
		__m256i a = _mm256_loadu_si256((const __m256i *)source);
		__m256i b = _mm256_loadu_si256((const __m256i *)source + 1);
		__m256i c = _mm256_loadu_si256((const __m256i *)source + 2);
		__m256i d = _mm256_loadu_si256((const __m256i *)source + 3);

		_mm256_stream_si256((__m256i *)target, a);
		_mm256_stream_si256((__m256i *)target + 1, b);
		_mm256_stream_si256((__m256i *)target + 2, c);
		_mm256_stream_si256((__m256i *)target + 3, d);
	}
	_mm_sfence();
}

static void copy_sse2(char *to, const char *from, size_t length)
{
	for (size_t at = 0; at < length; at += 64) {
		const void *source = from + at;
		void *target = to + at;

		for (size_t i = 0; i < 4; i++)
			_mm_stream_si128((__m128i *)target + i,
					 _mm_loadu_si128((const __m128i *)source + i));
	}
	_mm_sfence();
}

void copy_plain_choose(void)
{
	if (__builtin_cpu_supports("avx512f")) {
		copy_plain = copy_avx512;
		copy_plain_name = "avx512 non-temporal";
	} else if (__builtin_cpu_supports("avx2")) {
		copy_plain = copy_avx2;
		copy_plain_name = "avx2 non-temporal";
	} else {
		copy_plain = copy_sse2;
		copy_plain_name = "sse2 non-temporal";
	}
}
#else
void copy_plain_choose(void)
{
	copy_plain = copy_memcpy;
	copy_plain_name = "memcpy (no non-temporal loop for this architecture)";
}
#endif

void copy_populate(char *to, const char *from, size_t length)
{
	for (size_t at = 0; at < length; at += PIECE) {
		size_t some = length - at < PIECE ? length - at : PIECE;

		if (madvise(to + at, some, MADV_POPULATE_WRITE) < 0)
			die("MADV_POPULATE_WRITE");
		copy_plain(to + at, from + at, some);
	}
}

/* ---------------------------------------------------------------- threads */

struct team {
	void (*work)(void *arg, int index, int count);
	void *arg;
	int count;
	atomic_int ready, go, done;
};

struct member {
	struct team *team;
	pthread_t thread;
	int index;
};

static void *member_main(void *arg)
{
	struct member *member = arg;
	struct team *team = member->team;

	atomic_fetch_add(&team->ready, 1);
	while (!atomic_load(&team->go))
		sched_yield();
	team->work(team->arg, member->index, team->count);
	atomic_fetch_add(&team->done, 1);
	return NULL;
}

/* The others wait spinning, so that no wake-up is in the time. */
double in_threads(void (*work)(void *arg, int index, int count), void *arg, int count)
{
	struct team team = {.work = work, .arg = arg, .count = count};
	struct member members[THREADS_MAX];
	double start, end;

	for (int i = 1; i < count; i++) {
		members[i] = (struct member){.team = &team, .index = i};
		if (pthread_create(&members[i].thread, NULL, member_main, &members[i]) != 0)
			die("thread");
	}
	while (atomic_load(&team.ready) < count - 1)
		sched_yield();
	start = now_ns();
	atomic_store(&team.go, 1);
	work(arg, 0, count);
	while (atomic_load(&team.done) < count - 1)
		sched_yield();
	end = now_ns();
	for (int i = 1; i < count; i++)
		pthread_join(members[i].thread, NULL);
	return end - start;
}

/* SPDX-License-Identifier: MIT */
/* plain.c - plain copies to compare with. */
#include "plain.h"

#include <string.h>
#include <sys/mman.h>

#include "setup.h"

#define PIECE (2ul << 20)

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

void copy_plain(char *to, const char *from, size_t length)
{
	if (__builtin_cpu_supports("avx512f"))
		copy_avx512(to, from, length);
	else if (__builtin_cpu_supports("avx2"))
		copy_avx2(to, from, length);
	else
		copy_sse2(to, from, length);
}

const char *copy_plain_name(void)
{
	if (__builtin_cpu_supports("avx512f"))
		return "avx512 non-temporal";
	return __builtin_cpu_supports("avx2") ? "avx2 non-temporal" : "sse2 non-temporal";
}
#else
void copy_plain(char *to, const char *from, size_t length)
{
	memcpy(to, from, length);
}

const char *copy_plain_name(void)
{
	return "memcpy (no non-temporal loop for this architecture)";
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

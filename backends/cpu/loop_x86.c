/* SPDX-License-Identifier: MIT */
/* loop_x86.c - copies by single instructions of x86: REP MOVSB and MOVDIR64B. */
#include "loops.h"

#include <cpuid.h>
#include <immintrin.h>

#define CPUID7_ECX_MOVDIR64B (1u << 28)

int bm_cpu_has_movdir64b(void)
{
	unsigned int eax, ebx, ecx, edx;

	return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ecx & CPUID7_ECX_MOVDIR64B);
}

void bm_cpu_rep_movsb(const struct bm_copy *copies, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		void *to = copies[i].to;
		const void *from = copies[i].from;
		size_t length = copies[i].length;

		__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(length) : : "memory");
	}
	/* The stores inside one string instruction may be weakly ordered. */
	_mm_sfence();
}

__attribute__((target("movdir64b"))) void bm_cpu_movdir64b(const struct bm_copy *copies,
							   size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *to = copies[i].to;
		const char *from = copies[i].from;

		for (size_t at = 0; at < copies[i].length; at += 64)
			_movdir64b(to + at, from + at);
	}
	_mm_sfence();
}

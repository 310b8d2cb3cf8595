/* SPDX-License-Identifier: MIT */
/* loops.c - the table of the loops, and the one that every machine has. */
#include "loops.h"

#include "cpu.h"
#include "plain_copy.h"

static void copy_memcpy(const struct bm_copy *copies, size_t count)
{
	for (size_t i = 0; i < count; i++)
		bm_plain_copy(copies[i].to, copies[i].from, copies[i].length);
#if !defined(__x86_64__)
	/* On x86 stores are seen in their order. */
	__sync_synchronize();
#endif
}

/* The last one that is here serves when nothing could be measured. */
static const struct bm_cpu_loop loops[] = {
	{"memcpy", NULL, copy_memcpy},
#if defined(__x86_64__)
	{"rep_movsb", NULL, bm_cpu_rep_movsb},
	{"movdir64b", bm_cpu_has_movdir64b, bm_cpu_movdir64b},
	{"avx2", bm_cpu_has_avx2, bm_cpu_avx2},
	{"avx2_x4", bm_cpu_has_avx2, bm_cpu_avx2_x4},
	{"avx512", bm_cpu_has_avx512, bm_cpu_avx512},
	{"avx512_x4", bm_cpu_has_avx512, bm_cpu_avx512_x4},
#elif defined(__aarch64__)
	{"stnp", NULL, bm_cpu_stnp},
#endif
};

size_t bm_cpu_loop_count(void)
{
	return sizeof(loops) / sizeof(loops[0]);
}

const struct bm_cpu_loop *bm_cpu_loop(size_t loop)
{
	return &loops[loop];
}

const char *bm_cpu_loop_name(size_t loop)
{
	return loops[loop].name;
}

int bm_cpu_loop_here(size_t loop)
{
	return !loops[loop].here || loops[loop].here();
}

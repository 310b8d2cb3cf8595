/* SPDX-License-Identifier: MIT */
/* loop_aarch64.c - copies by pairs of non-temporal loads and stores. */
#include "loops.h"

static void copy_forward(char *to, const char *from, size_t length)
{
	for (size_t at = 0; at < length; at += 64)
		__asm__ volatile("ldnp q0, q1, [%1]\n\t"
				 "ldnp q2, q3, [%1, #32]\n\t"
				 "stnp q0, q1, [%0]\n\t"
				 "stnp q2, q3, [%0, #32]"
				 :
				 : "r"(to + at), "r"(from + at)
				 : "v0", "v1", "v2", "v3", "memory");
}

void bm_cpu_stnp(const struct bm_copy *copies, size_t count)
{
	for (size_t i = 0; i < count; i++)
		copy_forward(copies[i].to, copies[i].from, copies[i].length);
	__sync_synchronize();
}

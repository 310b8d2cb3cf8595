// SPDX-License-Identifier: MIT
// Shows what the guest's clock measures under "run --icount": the time of loops
// of a known number of instructions, and of page copies, several times each.

#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

// Exactly two instructions for each round.
static void spin(uint64_t rounds)
{
	__asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(rounds) : : "cc");
}

static void copy_page(char *to, const char *from)
{
	unsigned long bytes = 4096;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}

int main(void)
{
	static const uint64_t rounds[] = {0, 1000, 100000, 10000000, 500000000};
	char *pages = aligned_alloc(4096, 8192);
	int i, j;

	if (pages == NULL)
		return 1;
	memset(pages, 1, 8192);
	for (i = 0; i < (int)(sizeof(rounds) / sizeof(rounds[0])); i++) {
		printf("%10llu instructions:", (unsigned long long)rounds[i] * 2);
		for (j = 0; j < 3; j++) {
			uint64_t start = now();

			spin(rounds[i] ? rounds[i] : 1);
			printf(" %llu", (unsigned long long)(now() - start));
		}
		printf(" ns\n");
	}
	printf("copy of a page by rep movsb:");
	for (j = 0; j < 5; j++) {
		uint64_t start = now();

		copy_page(pages + 4096, pages);
		printf(" %llu", (unsigned long long)(now() - start));
	}
	printf(" ns\n");
	free(pages);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* interrupts.c - reads /proc/interrupts. */
#include "interrupts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double bench_tlb_interrupts(void)
{
	FILE *file = fopen("/proc/interrupts", "re");
	char line[8192], *at, *end;
	double sum = -1;

	while (file && fgets(line, sizeof(line), file)) {
		at = strstr(line, "TLB:");
		if (!at)
			continue;
		sum = 0;
		/* A column for each CPU, then words. */
		for (at += 4;; at = end) {
			sum += (double)strtoul(at, &end, 10);
			if (end == at)
				break;
		}
	}
	if (file)
		fclose(file);
	return sum;
}

/* SPDX-License-Identifier: MIT */
/* resident.c - the resident set by /proc/self/status, its peak reset by /proc/self/clear_refs. */
#include "resident.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Of a line such as "VmRSS:  1234 kB", in bytes. */
static double field_of(const char *name)
{
	FILE *file = fopen("/proc/self/status", "re");
	size_t length = strlen(name);
	double value = -1;
	char line[256];

	while (file && value < 0 && fgets(line, sizeof(line), file)) {
		unsigned long long kib;

		if (strncmp(line, name, length) == 0 && line[length] == ':' &&
		    sscanf(line + length + 1, "%llu kB", &kib) == 1)
			value = (double)kib * 1024;
	}
	if (file)
		fclose(file);
	return value;
}

/* 5: the peak becomes what is resident now. */
static int reset_peak(void)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : write(fd, "5", 1);

	if (fd >= 0)
		close(fd);
	return got == 1 ? 0 : -1;
}

void resident_begin(struct resident *resident)
{
#ifdef __GLIBC__
	/* What the heap has kept of an earlier batch would not grow again. */
	malloc_trim(0);
#endif
	resident->is_bound = reset_peak() < 0;
	resident->before = field_of("VmRSS");
}

double resident_growth(const struct resident *resident)
{
	double peak = field_of("VmHWM");

	if (peak < 0 || resident->before < 0)
		return -1;
	return peak > resident->before ? peak - resident->before : 0;
}

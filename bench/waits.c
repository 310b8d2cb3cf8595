/* SPDX-License-Identifier: MIT */
/* waits.c - what a thread waited for, by getrusage(2) and /proc/thread-self/schedstat. */
#include "waits.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "setup.h"

/* "TIME-ON-CPU TIME-ON-RUN-QUEUE TIMES"; all 0 in a kernel that does not count. */
static int read_schedstat(int file, uint64_t *delay)
{
	unsigned long long on, waited, times;
	char line[80];
	ssize_t got = file < 0 ? -1 : pread(file, line, sizeof(line) - 1, 0);

	if (got <= 0)
		return 0;
	line[got] = '\0';
	if (sscanf(line, "%llu %llu %llu", &on, &waited, &times) != 3 || !times)
		return 0;
	*delay = waited;
	return 1;
}

void waits_read(struct waits *waits)
{
	struct rusage usage;

	if (getrusage(RUSAGE_THREAD, &usage) < 0)
		die("getrusage");
	waits->faults = (uint64_t)usage.ru_minflt + (uint64_t)usage.ru_majflt;
	waits->slices_cut = (uint64_t)usage.ru_nivcsw;
	if (waits->told)
		read_schedstat(waits->file, &waits->ns_for_cpu);
}

void waits_open(struct waits *waits)
{
	*waits = (struct waits){.file = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)};
	waits->told = read_schedstat(waits->file, &waits->ns_for_cpu);
	waits_read(waits);
}

void waits_close(struct waits *waits)
{
	if (waits->file >= 0)
		close(waits->file);
	waits->file = -1;
}

/* Where only slices are told, nothing is known of a time in which one was cut. */
uint64_t waits_for_page(const struct waits *then, const struct waits *now, uint64_t ns)
{
	uint64_t for_cpu = now->ns_for_cpu - then->ns_for_cpu;

	if (now->faults == then->faults || (!now->told && now->slices_cut != then->slices_cut))
		return 0;
	return ns > for_cpu ? ns - for_cpu : 0;
}

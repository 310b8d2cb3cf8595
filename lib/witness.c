/* SPDX-License-Identifier: MIT */
/* witness.c - the counters of /proc/vmstat that tell of other movers. */
#include "witness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* 6.12 writes 5 kB; cut off at the end it would lack what is looked for. */
#define VMSTAT_MAX 16384

static int starts_with(const char *line, const char *prefix)
{
	return strncmp(line, prefix, strlen(prefix)) == 0;
}

static void count_line(const char *line, struct bm_witness *witness)
{
	const char *value = strchr(line, ' ');

	if (!value)
		return;
	if (starts_with(line, "pgmigrate_success ")) {
		witness->migrated = strtoull(value, NULL, 10);
		witness->known = 1;
	} else if (starts_with(line, "pgsteal_") || starts_with(line, "pswpout ")) {
		witness->reclaimed += strtoull(value, NULL, 10);
	}
}

int bm_witness_read(const struct bm_sys *sys, struct bm_witness *witness)
{
	char text[VMSTAT_MAX], *line = text;
	ssize_t length = bm_sys_text(sys, "/proc/vmstat", text, sizeof(text));

	*witness = (struct bm_witness){0};
	if (length < 0)
		return (int)length;
	while (line) {
		/* All names looked for start with a p: most lines are passed over at once. */
		if (*line == 'p')
			count_line(line, witness);
		line = strchr(line, '\n');
		line += line != NULL;
	}
	return witness->known ? 0 : -ENODATA;
}

int bm_witness_alone(const struct bm_witness *before, const struct bm_witness *after, uint64_t own)
{
	return before->known && after->known && after->migrated - before->migrated == own &&
	       after->reclaimed == before->reclaimed;
}

/* SPDX-License-Identifier: MIT */
/* log.c - formats a line and hands it to the hook or to standard error. */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>

#define LINE_MAX_BYTES 512

static const char *const level_names[] = {"none", "error", "warn", "info", "debug"};

void bm_log(const struct bm_log *log, int level, const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list args;

	if (level > log->level)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (log->hook)
		log->hook(log->user, level, line);
	else
		fprintf(stderr, "batchmig: %s: %s\n", level_names[level], line);
}

/* SPDX-License-Identifier: MIT */
/* registry.c - the only file that names the backends. */
#include "registry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "least.h"
#include "cpu/cpu.h"
#include "log.h"

#define COUNT_OF(a)    (sizeof(a) / sizeof((a)[0]))
#define NAME_MAX_BYTES 32

static const char not_built[] = "not part of this version of the library";
static const char later[] = "a later version; until then name kernel, cpu or auto";

#define ALLOWED "auto, kernel, cpu"

static const struct bm_facility table[] = {
	{"kernel", 1, "the kernel copies, with move_pages(2) or mbind(2)", ""},
	{"cpu", 1, "threads of the process copy, with the mover swap", ""},
	{"dsa", 0, not_built, later},
	{"ptdma", 0, not_built, later},
};

/* What copies for the mover swap; NULL: nothing, or not yet. */
static const struct bm_backend *const copying[COUNT_OF(table)] = {NULL, &bm_backend_cpu};

const struct bm_facility *bm_registry_row(size_t index)
{
	return index < COUNT_OF(table) ? &table[index] : NULL;
}

const char *bm_registry_kernel(void)
{
	return table[0].name;
}

static const struct bm_facility *find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	}
	return NULL;
}

/* Levenshtein's distance, one row at a time; names are at most NAME_MAX_BYTES. */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_BYTES + 1], width = strlen(b);

	for (size_t j = 0; j <= width; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= width; j++) {
			size_t above = row[j];

			row[j] = bm_least(bm_least(row[j - 1], above) + 1,
					  diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[width];
}

static int unknown(const char *name, const char *option, char *why)
{
	const char *near = NULL;
	size_t best = 3; /* more than two letters off is another word */

	for (size_t i = 0; i < COUNT_OF(table); i++) {
		size_t off = distance(name, table[i].name);

		/* A short name is two letters off almost anything. */
		if (off < best && off < strlen(table[i].name)) {
			best = off;
			near = table[i].name;
		}
	}
	snprintf(why, BM_WHY_MAX, "%s: there is no backend \"%s\"%s%s%s; allowed: " ALLOWED, option,
		 name, near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	return -EINVAL;
}

static size_t explain(char *why, size_t used, const struct bm_facility *row)
{
	int more = snprintf(why + used, BM_WHY_MAX - used, "%s %s: %s", used ? ";" : "", row->name,
			    row->why);

	return bm_least(used + (size_t)more, BM_WHY_MAX - 1);
}

int bm_registry_check(const char *list, const char *option, char *why)
{
	char reasons[BM_WHY_MAX] = "";
	size_t used = 0;
	int usable = 0;

	for (;;) {
		size_t span = strcspn(list, ",");
		char name[NAME_MAX_BYTES] = "";
		const struct bm_facility *row;

		snprintf(name, sizeof(name), "%.*s", (int)bm_least(span, NAME_MAX_BYTES), list);
		row = find(name);
		if (!row && strcmp(name, "auto") != 0)
			return unknown(name, option, why);
		usable |= !row || row->usable;
		if (row && !row->usable)
			used = explain(reasons, used, row);
		if (!list[span])
			break;
		list += span + 1;
	}
	if (usable)
		return 0;
	snprintf(why, BM_WHY_MAX, "%s: nothing of the list can be had:%.400s; allowed: " ALLOWED,
		 option, reasons);
	return -ENODEV;
}

const struct bm_backend *bm_registry_copying(const char *list, int *named)
{
	*named = 0;
	for (;;) {
		size_t span = strcspn(list, ",");
		char name[NAME_MAX_BYTES] = "";
		const struct bm_facility *row;

		snprintf(name, sizeof(name), "%.*s", (int)bm_least(span, NAME_MAX_BYTES), list);
		row = find(name);
		if (!row)
			return copying[1]; /* auto */
		if (row->usable) {
			*named = copying[row - table] != NULL;
			return copying[row - table];
		}
		if (!list[span])
			return NULL;
		list += span + 1;
	}
}

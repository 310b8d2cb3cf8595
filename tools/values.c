/* SPDX-License-Identifier: MIT */
/* values.c - reads the values of options; says of a bad one what is allowed. */
#include "values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RATE_MOST INT64_C(1000000000000000) /* of the library */

int value_number(const char *name, const char *text, int least, int most, const char * or)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || *end || text[0] < '0' || text[0] > '9' || value < least || value > most)
		usage_error("%s '%s' is not allowed: a number in %d..%d%s", name, text, least, most,
			    or);
	return (int)value;
}

/* The factor of a suffix; 0: there is no such. */
static int64_t factor_of(const char *suffix, size_t length)
{
	static const struct {
		const char *suffix;
		int64_t factor;
	} units[] = {
		{"", 1},         {"K", 1000},     {"M", 1000000},  {"G", 1000000000},
		{"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30},
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strlen(units[i].suffix) == length &&
		    strncmp(units[i].suffix, suffix, length) == 0)
			return units[i].factor;
	}
	return 0;
}

int64_t value_rate(const char *text)
{
	const char *end = text + strlen(text);
	int64_t factor, value;
	char *suffix;

	if (end - text > 2 && strcmp(end - 2, "/s") == 0)
		end -= 2;
	errno = 0;
	value = strtoll(text, &suffix, 10);
	factor = suffix <= end ? factor_of(suffix, (size_t)(end - suffix)) : 0;
	if (errno || text[0] < '0' || text[0] > '9' || !factor || value > RATE_MOST / factor)
		usage_error("--rate '%s' is not allowed: bytes in a second, a whole number with K, "
			    "M, G (powers of 1000), Ki, Mi, Gi (of 1024) or none, up to %lldG, as "
			    "in 200M",
			    text, (long long)(RATE_MOST / 1000000000));
	return value * factor;
}

const char *value_bound(const char *text)
{
	if (strcmp(text, "strict") != 0 && strcmp(text, "wish") != 0)
		usage_error("--bound '%s' is not allowed: strict or wish", text);
	return text;
}

/* "0xHEX", to be followed by the character last; NULL: it is not. */
static const char *address(const char *text, char last, uint64_t *value)
{
	char *end;

	/* strtoull would also take blanks and signs. */
	if (strncmp(text, "0x", 2) != 0 || !strchr("0123456789abcdefABCDEF", text[2]) || !text[2])
		return NULL;
	errno = 0;
	*value = strtoull(text, &end, 16);
	return errno || *end != last ? NULL : end;
}

static void set_range(struct selection *selection, const char *text)
{
	uint64_t mask = (uint64_t)sysconf(_SC_PAGESIZE) - 1;
	const char *middle = address(text, '-', &selection->start);

	if (!middle || !address(middle + 1, '\0', &selection->end))
		usage_error("--map '%s' is not allowed: heap, anon, or a range 0xA-0xB", text);
	if (selection->start >= selection->end)
		usage_error("--map %s is empty or reversed: 0xA-0xB needs A < B", text);
	/* A page belongs to the range when any of its bytes does. */
	selection->start &= ~mask;
	selection->end =
		selection->end > UINT64_MAX - mask ? ~mask : (selection->end + mask) & ~mask;
}

void value_map(struct arguments *arguments, const char *text)
{
	struct selection *selection = &arguments->selections[arguments->selection_count];

	if (arguments->selection_count == SELECTIONS_MAX)
		usage_error("--map '%s' is one too many: at most %d are allowed", text,
			    SELECTIONS_MAX);
	arguments->selection_count++;
	if (strcmp(text, "heap") == 0) {
		selection->kind = SELECT_HEAP;
	} else if (strcmp(text, "anon") == 0) {
		selection->kind = SELECT_ANON;
	} else {
		selection->kind = SELECT_RANGE;
		set_range(selection, text);
	}
}

/* SPDX-License-Identifier: MIT */
/* values.c - reads the values of options; says of a bad one what is allowed. */
#include "values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* SPDX-License-Identifier: MIT */
/* maps.c - reads /proc/PID/maps and picks the mappings that were asked for. */
#include "maps.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct line {
	uint64_t start, end, inode;
	char permissions[5];
	char name[64];
};

const char *mapping_kind_name(enum mapping_kind kind)
{
	static const char *const names[MAPPING_KINDS] = {"heap", "stack", "anon", "file", "shared"};

	return names[kind];
}

static int parse_line(const char *text, struct line *line)
{
	line->name[0] = '\0';
	return sscanf(text, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %" SCNu64 " %63[^\n]",
		      &line->start, &line->end, line->permissions, &line->inode, line->name) >= 4;
}

/* Pages of the kernel that are mapped into every process. */
static int is_special(const struct line *line)
{
	return strcmp(line->name, "[vdso]") == 0 || strncmp(line->name, "[vvar", 5) == 0 ||
	       strcmp(line->name, "[vsyscall]") == 0;
}

static enum mapping_kind kind_of(const struct line *line)
{
	if (line->permissions[3] == 's')
		return MAPPING_SHARED;
	if (strcmp(line->name, "[heap]") == 0)
		return MAPPING_HEAP;
	if (strcmp(line->name, "[stack]") == 0)
		return MAPPING_STACK;
	/* What MAP_ANONYMOUS | MAP_HUGETLB gives is shown as a file. */
	if (line->inode && strncmp(line->name, "/anon_hugepage", 14) != 0)
		return MAPPING_FILE;
	return MAPPING_ANON;
}

static int add(struct mappings *mappings, const struct mapping *mapping)
{
	const struct mapping *last = mappings->count ? &mappings->list[mappings->count - 1] : NULL;
	struct mapping part = *mapping, *more;

	/* Selections may overlap: no page is to be counted twice. */
	if (last && part.start < last->end)
		part.start = last->end;
	if (part.start >= part.end)
		return 0;
	more = realloc(mappings->list, (mappings->count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	mappings->list = more;
	mappings->list[mappings->count++] = part;
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct selection *left = a, *right = b;

	return (left->start > right->start) - (left->start < right->start);
}

/* The part of the mapping that is selected; empty when none is. */
static struct mapping cut(const struct mapping *mapping, const struct selection *selection)
{
	struct mapping part = *mapping;

	if ((selection->kind == SELECT_HEAP && part.kind != MAPPING_HEAP) ||
	    (selection->kind == SELECT_ANON && part.kind != MAPPING_ANON))
		part.end = part.start;
	if (selection->kind != SELECT_RANGE)
		return part;
	if (part.start < selection->start)
		part.start = selection->start;
	if (part.end > selection->end)
		part.end = selection->end;
	return part;
}

static int pick(const struct arguments *arguments, const struct line *line,
		struct mappings *mappings)
{
	struct mapping mapping = {line->start, line->end, kind_of(line)};
	int rc = 0;

	if (is_special(line))
		return 0;
	if (arguments->selection_count == 0)
		return add(mappings, &mapping);
	for (size_t i = 0; i < arguments->selection_count && rc == 0; i++) {
		struct mapping part = cut(&mapping, &arguments->selections[i]);

		rc = add(mappings, &part);
	}
	return rc;
}

static int read_lines(FILE *file, const struct arguments *arguments, struct mappings *mappings)
{
	char *text = NULL;
	size_t room = 0, lines = 0;
	struct line line;
	int rc = 0;

	for (errno = 0; rc == 0 && getline(&text, &room, file) > 0; lines++) {
		if (parse_line(text, &line))
			rc = pick(arguments, &line, mappings);
	}
	if (rc == 0 && ferror(file))
		rc = -errno;
	else if (rc == 0 && lines == 0)
		rc = -ESRCH;
	free(text);
	return rc;
}

int mappings_read(const struct arguments *arguments, struct mappings *mappings)
{
	struct arguments sorted = *arguments;
	char path[32];
	FILE *file;
	int rc;

	*mappings = (struct mappings){0};
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)arguments->pid);
	file = fopen(path, "re");
	if (!file)
		return errno == ENOENT ? -ESRCH : errno == EACCES ? -EPERM : -errno;
	/* In ascending order add() sees overlaps; whole mappings come first: they have no start. */
	qsort(sorted.selections, sorted.selection_count, sizeof(sorted.selections[0]), by_start);
	rc = read_lines(file, &sorted, mappings);
	fclose(file);
	if (rc < 0)
		mappings_free(mappings);
	return rc;
}

void mappings_free(struct mappings *mappings)
{
	free(mappings->list);
	*mappings = (struct mappings){0};
}

long process_check(const struct arguments *arguments, long rc)
{
	struct mappings mappings;
	int now = mappings_read(arguments, &mappings);

	mappings_free(&mappings);
	return now == -ESRCH ? now : rc;
}

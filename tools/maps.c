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

static int is_anon(const struct line *line)
{
	return line->permissions[3] == 'p' && line->inode == 0 &&
	       (!line->name[0] || strncmp(line->name, "[anon:", 6) == 0);
}

static int add(struct mappings *mappings, uint64_t start, uint64_t end)
{
	struct mapping *last = mappings->count ? &mappings->list[mappings->count - 1] : NULL;
	struct mapping *more;

	/* Selections may overlap: no page is to be counted twice. */
	if (last && start < last->end)
		start = last->end;
	if (start >= end)
		return 0;
	more = realloc(mappings->list, (mappings->count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	mappings->list = more;
	mappings->list[mappings->count++] = (struct mapping){start, end};
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct selection *left = a, *right = b;

	return (left->start > right->start) - (left->start < right->start);
}

static int pick(const struct arguments *arguments, const struct line *line,
		struct mappings *mappings)
{
	int rc = 0;

	if (is_special(line))
		return 0;
	if (arguments->selection_count == 0)
		return add(mappings, line->start, line->end);
	for (size_t i = 0; i < arguments->selection_count && rc == 0; i++) {
		const struct selection *selection = &arguments->selections[i];
		uint64_t start = line->start, end = line->end;

		if ((selection->kind == SELECT_HEAP && strcmp(line->name, "[heap]") != 0) ||
		    (selection->kind == SELECT_ANON && !is_anon(line)))
			continue;
		if (selection->kind == SELECT_RANGE) {
			start = selection->start > start ? selection->start : start;
			end = selection->end < end ? selection->end : end;
		}
		if (start < end)
			rc = add(mappings, start, end);
	}
	return rc;
}

int mappings_read(const struct arguments *arguments, struct mappings *mappings)
{
	struct arguments sorted = *arguments;
	char path[64], text[4096 + 128];
	struct line line;
	FILE *file;
	int rc = 0;

	*mappings = (struct mappings){0};
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)arguments->pid);
	file = fopen(path, "re");
	if (!file)
		return errno == ENOENT ? -ESRCH : errno == EACCES ? -EPERM : -errno;
	/* Whole mappings come first: they have no start. */
	qsort(sorted.selections, sorted.selection_count, sizeof(sorted.selections[0]), by_start);
	while (rc == 0 && fgets(text, sizeof(text), file)) {
		if (parse_line(text, &line))
			rc = pick(&sorted, &line, mappings);
	}
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

/* SPDX-License-Identifier: MIT */
/* vma.c - parses /proc/PID/maps; PROCMAP_QUERY for what the text does not tell. */
#include "vma.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

/* include/uapi/linux/fs.h of Linux 6.11; the headers of Debian 12 are older. */
struct procmap_query {
	uint64_t size, query_flags, query_addr;
	uint64_t vma_start, vma_end, vma_flags, vma_page_size, vma_offset, inode;
	uint32_t dev_major, dev_minor, vma_name_size, build_id_size;
	uint64_t vma_name_addr, build_id_addr;
};
#define PROCMAP_QUERY _IOWR('f', 17, struct procmap_query)
#define OR_NEXT       0x10u /* PROCMAP_QUERY_COVERING_OR_NEXT_VMA */

static void maps_path(char *path, size_t size, pid_t pid)
{
	if (pid == 0)
		snprintf(path, size, "/proc/self/maps");
	else
		snprintf(path, size, "/proc/%d/maps", (int)pid);
}

/* Names of private mappings without a file: the heap, stacks, and those set by prctl(2). */
static int is_anon_name(const char *name)
{
	return *name == '\0' || strcmp(name, "[heap]") == 0 || strncmp(name, "[stack", 6) == 0 ||
	       strncmp(name, "[anon:", 6) == 0;
}

static int parse_line(const char *line, struct bm_vma *vma)
{
	char permissions[5] = "", name[32] = "";
	uint64_t inode = 0;

	/* A blank in the format would pass over the end of a line that has no name. */
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %" SCNu64 "%*[ ]%31[^\n]",
		   &vma->start, &vma->end, permissions, &inode, name) < 4)
		return 0;
	vma->is_private = permissions[3] == 'p';
	vma->is_stack = strcmp(name, "[stack]") == 0;
	vma->is_open = permissions[0] == 'r' && permissions[1] == 'w';
	vma->is_anon = vma->is_private && inode == 0 && is_anon_name(name);
	/* Before Linux 6.11 only the anonymous ones can be told by their name. */
	vma->hugetlb = strncmp(name, "/anon_hugepage", 14) == 0;
	return 1;
}

static size_t count_lines(const char *text)
{
	size_t lines = 0;

	while ((text = strchr(text, '\n'))) {
		lines++;
		text++;
	}
	return lines;
}

static void parse(char *text, struct bm_vmas *vmas)
{
	while (text && *text) {
		char *end = strchr(text, '\n');

		/* sscanf() takes the length of all that follows. */
		if (end)
			*end++ = '\0';
		if (parse_line(text, &vmas->list[vmas->count]))
			vmas->count++;
		text = end;
	}
}

/* Mappings with something behind them may be of hugetlbfs under any name. */
static void ask_page_sizes(const struct bm_sys *sys, const char *path, struct bm_vmas *vmas)
{
	uint64_t base = (uint64_t)sys->page_size();
	int fd = sys->open(path, O_RDONLY);

	if (fd < 0)
		return;
	for (size_t i = 0; i < vmas->count; i++) {
		struct procmap_query query = {.size = sizeof(query),
					      .query_addr = vmas->list[i].start};

		if (vmas->list[i].is_anon)
			continue;
		if (sys->ioctl(fd, PROCMAP_QUERY, &query) < 0)
			break;
		vmas->list[i].hugetlb = query.vma_page_size > base;
	}
	sys->close(fd);
}

int bm_vmas_read(const struct bm_sys *sys, pid_t pid, struct bm_vmas *vmas)
{
	char path[64], *text = NULL;
	ssize_t got;

	*vmas = (struct bm_vmas){0};
	maps_path(path, sizeof(path), pid);
	got = bm_sys_file(sys, path, &text);
	if (got < 0)
		return (int)got;
	vmas->list = sys->alloc(count_lines(text) + 1, sizeof(*vmas->list));
	if (vmas->list)
		parse(text, vmas);
	free(text);
	if (!vmas->list)
		return -ENOMEM;
	ask_page_sizes(sys, path, vmas);
	return 0;
}

void bm_vmas_free(struct bm_vmas *vmas)
{
	free(vmas->list);
	*vmas = (struct bm_vmas){0};
}

const struct bm_vma *bm_vmas_from(const struct bm_vmas *vmas, uint64_t addr)
{
	size_t low = 0, high = vmas->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (vmas->list[middle].end <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low < vmas->count ? &vmas->list[low] : NULL;
}

int bm_vma_open(const struct bm_sys *sys, pid_t pid)
{
	char path[64];

	maps_path(path, sizeof(path), pid);
	return sys->open(path, O_RDONLY);
}

int bm_vma_is_hugetlb(const struct bm_sys *sys, pid_t pid, int maps, uint64_t addr)
{
	struct procmap_query query = {.size = sizeof(query), .query_addr = addr};
	const struct bm_vma *vma;
	struct bm_vmas vmas;
	int hugetlb;

	if (maps >= 0 && sys->ioctl(maps, PROCMAP_QUERY, &query) == 0)
		return query.vma_page_size > (uint64_t)sys->page_size();
	if (bm_vmas_read(sys, pid, &vmas) < 0)
		return 0;
	vma = bm_vmas_from(&vmas, addr);
	hugetlb = vma && vma->start <= addr && vma->hugetlb;
	bm_vmas_free(&vmas);
	return hugetlb;
}

static int ask_bounds(const struct bm_sys *sys, int maps, struct procmap_query query,
		      uint64_t *start, uint64_t *end)
{
	int rc = maps < 0 ? maps : sys->ioctl(maps, PROCMAP_QUERY, &query);

	if (rc < 0)
		return rc;
	*start = query.vma_start;
	*end = query.vma_end;
	return 0;
}

int bm_vma_bounds(const struct bm_sys *sys, int maps, uint64_t addr, uint64_t *start, uint64_t *end)
{
	struct procmap_query query = {.size = sizeof(query), .query_addr = addr};

	return ask_bounds(sys, maps, query, start, end);
}

int bm_vma_from(const struct bm_sys *sys, int maps, uint64_t addr, uint64_t *start, uint64_t *end)
{
	struct procmap_query query = {
		.size = sizeof(query), .query_flags = OR_NEXT, .query_addr = addr};

	return ask_bounds(sys, maps, query, start, end);
}

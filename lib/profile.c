/* SPDX-License-Identifier: MIT */
/*
 * profile.c - lines of words: first the machine, then a line for each pair.
 *
 *      batchmig-profile 1
 *      kernel 6.12.0
 *      cpu AMD EPYC 9354 32-Core Processor
 *      cpus 0-63
 *      nodes 0-1
 *      pages 4096 2097152
 *      loop avx512_x4
 *      pair 0 1 chunk=11500 run=1800 ...        nanoseconds, see rates.h
 *      end
 */
#include "profile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "least.h"
#include "log.h"
#include "nodes.h"

#define HEAD     "batchmig-profile 1\n"
#define CPU_LINE "model name\t: "

static const struct {
	const char *name;
	size_t offset;
} fields[] = {
	{"chunk", offsetof(struct bm_rates, chunk_ns)},
	{"run", offsetof(struct bm_rates, run_ns)},
	{"page", offsetof(struct bm_rates, page_ns)},
	{"huge", offsetof(struct bm_rates, huge_ns)},
	{"populate", offsetof(struct bm_rates, populate_ns)},
	{"populate_huge", offsetof(struct bm_rates, populate_huge_ns)},
	{"direct", offsetof(struct bm_rates, direct_ns)},
	{"kernel", offsetof(struct bm_rates, kernel_ns)},
	{"kernel_huge", offsetof(struct bm_rates, kernel_huge_ns)},
	{"call", offsetof(struct bm_rates, call_ns)},
	{"share", offsetof(struct bm_rates, share_ns)},
	{"chunk_pages", offsetof(struct bm_rates, chunk_pages)},
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static atomic_uint_fast64_t *field_of(struct bm_rates *rates, size_t i)
{
	return (atomic_uint_fast64_t *)(void *)((char *)rates + fields[i].offset);
}

/* ---------------------------------------------------------------- the machine */

/* What is not there, or never to be seen here, is as little there another time. */
static int is_lasting(ssize_t rc)
{
	return rc >= 0 || rc == -ENOENT || rc == -EACCES;
}

static int cpu_model(const struct bm_sys *sys, char *model, size_t size)
{
	char *text = NULL, *line;
	ssize_t got = bm_sys_file(sys, "/proc/cpuinfo", &text);

	snprintf(model, size, "unknown");
	if (got > 0) {
		line = strstr(text, CPU_LINE);
		if (line)
			snprintf(model, size, "%.*s", (int)strcspn(line + strlen(CPU_LINE), "\n"),
				 line + strlen(CPU_LINE));
	}
	free(text);
	return is_lasting(got) ? 0 : (int)got;
}

static int text_of(const struct bm_sys *sys, const char *path, const char *otherwise, char *text,
		   size_t size)
{
	ssize_t got = bm_sys_text(sys, path, text, size);

	if (got <= 0)
		snprintf(text, size, "%s", otherwise);
	return is_lasting(got) ? 0 : (int)got;
}

/* The lines that tell one machine from another; their length, or -errno. */
static ssize_t machine(const struct bm_sys *sys, char *text, size_t size)
{
	char release[128], model[160], cpus[256], nodes[256], huge[32];
	int rc, length;

	rc = text_of(sys, BM_RELEASE_FILE, "unknown", release, sizeof(release));
	if (rc == 0)
		rc = cpu_model(sys, model, sizeof(model));
	if (rc == 0)
		rc = text_of(sys, "/sys/devices/system/cpu/online", "unknown", cpus, sizeof(cpus));
	if (rc == 0)
		rc = text_of(sys, BM_MEMORY_NODES_FILE, "unknown", nodes, sizeof(nodes));
	if (rc == 0)
		rc = text_of(sys, BM_HUGE_SIZE_FILE, "0", huge, sizeof(huge));
	if (rc < 0)
		return rc;
	length = snprintf(text, size, "kernel %s\ncpu %s\ncpus %s\nnodes %s\npages %ld %s\n",
			  release, model, cpus, nodes, sys->page_size(), huge);
	return length > 0 && (size_t)length < size ? length : -E2BIG;
}

/* ---------------------------------------------------------------- reading */

/* "name=number" up to the end of the line: 0, or -EINVAL. */
static int read_fields(char *line, struct bm_rates *rates)
{
	char *state, *word = strtok_r(line, " ", &state);
	size_t seen = 0;

	for (; word; word = strtok_r(NULL, " ", &state)) {
		char *value = strchr(word, '='), *end;
		size_t i = 0;
		uint64_t number;

		if (!value)
			return -EINVAL;
		*value++ = '\0';
		while (i < FIELDS && strcmp(fields[i].name, word) != 0)
			i++;
		number = strtoull(value, &end, 10);
		/* What costs nothing is not measured, but sharing, and the size of a chunk. */
		if (i == FIELDS || *end || end == value || number > UINT64_C(1000000000000))
			return -EINVAL;
		atomic_store(field_of(rates, i), number);
		seen++;
	}
	return seen == FIELDS ? 0 : -EINVAL;
}

static int read_line(char *line, struct bm_profile *profile)
{
	int from, to, length = 0;

	if (sscanf(line, "loop %31s", profile->loop) == 1)
		return 0;
	if (sscanf(line, "pair %d %d %n", &from, &to, &length) < 2 || length == 0 ||
	    !bm_node_possible(from) || !bm_node_possible(to))
		return -EINVAL;
	return read_fields(line + length, bm_pairs_rates(profile->pairs, from, to));
}

static int read_lines(char *text, struct bm_profile *profile)
{
	char *state, *line = strtok_r(text, "\n", &state);

	for (; line && strcmp(line, "end") != 0; line = strtok_r(NULL, "\n", &state)) {
		if (read_line(line, profile) < 0)
			return -EINVAL;
	}
	/* Without its end something is missing. */
	return line ? 0 : -EINVAL;
}

static int refuse(char *why, const char *path, const char *what)
{
	snprintf(why, BM_WHY_MAX, "the profile %.200s %s", path, what);
	return -EINVAL;
}

/* The first line that is not that of this machine. */
static int is_other(char *why, const char *path, const char *told, const char *here)
{
	size_t line = strcspn(told, "\n");

	while (told[line] && strcspn(here, "\n") == line && strncmp(told, here, line) == 0) {
		told += line + 1;
		here += line + 1;
		line = strcspn(told, "\n");
	}
	snprintf(why, BM_WHY_MAX,
		 "the profile %.160s is not used: it is of \"%.*s\", this machine is \"%.*s\"",
		 path, line < 120 ? (int)line : 120, told, (int)bm_least(strcspn(here, "\n"), 120),
		 here);
	return 0;
}

/* Not the fault of the file. */
static int is_unknown(char *why, const char *path, int error)
{
	snprintf(why, BM_WHY_MAX,
		 "the profile %.160s is not used: what machine this is cannot be read (errno %d)",
		 path, -error);
	return 0;
}

int bm_profile_read(const struct bm_sys *sys, const char *path, struct bm_profile *profile,
		    char *why)
{
	char here[1024], *text = NULL;
	size_t head = strlen(HEAD);
	ssize_t length = machine(sys, here, sizeof(here));
	int rc;

	if (bm_sys_file(sys, path, &text) < 0)
		return refuse(why, path, "cannot be read");
	if (strncmp(text, HEAD, head) != 0)
		rc = refuse(why, path, "is no file of batchmig tune");
	else if (length < 0)
		rc = is_unknown(why, path, (int)length);
	else if (strncmp(text + head, here, (size_t)length) != 0)
		rc = is_other(why, path, text + head, here);
	else
		rc = read_lines(text + head + length, profile) ? refuse(why, path, "is damaged")
							       : 1;
	free(text);
	return rc;
}

/* ---------------------------------------------------------------- writing */

static size_t write_pair(char *text, size_t size, struct bm_pair *pair)
{
	size_t used = (size_t)snprintf(text, size, "pair %d %d", pair->from, pair->to);

	for (size_t i = 0; i < FIELDS && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, " %s=%" PRIu64, fields[i].name,
					 (uint64_t)atomic_load(field_of(&pair->rates, i)));
	if (used < size)
		used += (size_t)snprintf(text + used, size - used, "\n");
	return used;
}

static int write_all(const struct bm_sys *sys, int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t done = sys->write(fd, text, length);

		if (done <= 0)
			return done < 0 ? (int)done : -EIO;
		text += done;
		length -= (size_t)done;
	}
	return 0;
}

/* Beside the old one, then in its place. */
static int store(const struct bm_sys *sys, const char *path, const char *text, size_t length)
{
	char beside[1024];
	int fd, rc, closed;

	if ((size_t)snprintf(beside, sizeof(beside), "%s.new", path) >= sizeof(beside))
		return -ENAMETOOLONG;
	fd = sys->open(beside, O_WRONLY | O_CREAT | O_TRUNC);
	if (fd < 0)
		return fd;
	rc = write_all(sys, fd, text, length);
	closed = sys->close(fd);
	rc = rc == 0 ? closed : rc;
	rc = rc == 0 ? sys->rename(beside, path) : rc;
	if (rc < 0)
		sys->unlink(beside);
	return rc;
}

int bm_profile_write(const struct bm_sys *sys, const char *path, const struct bm_profile *profile)
{
	unsigned int count = atomic_load(&profile->pairs->count);
	size_t size = 2048 + count * 512, used;
	char *text = sys->alloc(1, size);
	ssize_t length;
	int rc;

	if (!text)
		return -ENOMEM;
	used = (size_t)snprintf(text, size, "%s", HEAD);
	length = machine(sys, text + used, size - used);
	if (length < 0) {
		free(text);
		return (int)length;
	}
	used += (size_t)length;
	used += (size_t)snprintf(text + used, size - used, "loop %s\n", profile->loop);
	for (unsigned int i = 0; i < count && used < size; i++)
		used += write_pair(text + used, size - used, &profile->pairs->list[i]);
	if (used < size)
		used += (size_t)snprintf(text + used, size - used, "end\n");
	rc = used < size ? store(sys, path, text, used) : -E2BIG;
	free(text);
	return rc;
}

/* SPDX-License-Identifier: MIT */
/* sys_text.c - small text files of the kernel, as texts and numbers. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys.h"

#define STATUS_FILE "/proc/self/status"
#define TEXT_MAX    (64u << 20) /* bytes */

ssize_t bm_sys_text(const struct bm_sys *sys, const char *path, char *buffer, size_t size)
{
	int fd = sys->open(path, O_RDONLY);
	ssize_t got;

	if (fd < 0)
		return fd;
	got = sys->read(fd, buffer, size - 1);
	sys->close(fd);
	if (got < 0)
		return got;
	if (got > 0 && buffer[got - 1] == '\n')
		got--;
	buffer[got] = '\0';
	return got;
}

int bm_sys_version(const struct bm_sys *sys)
{
	unsigned int major, minor;
	char text[128];

	if (bm_sys_text(sys, BM_RELEASE_FILE, text, sizeof(text)) <= 0 ||
	    sscanf(text, "%4u.%3u", &major, &minor) != 2)
		return 0;
	return (int)(major * 1000 + minor);
}

long long bm_sys_number(const struct bm_sys *sys, const char *path, long long fallback)
{
	char text[32], *end;
	long long value;

	if (bm_sys_text(sys, path, text, sizeof(text)) <= 0)
		return fallback;
	value = strtoll(text, &end, 10);
	return end == text ? fallback : value;
}

static ssize_t read_all(const struct bm_sys *sys, int fd, char **text)
{
	size_t room = 16384, used = 0;
	char *buffer = sys->alloc(1, room);

	while (buffer) {
		ssize_t got = sys->read(fd, buffer + used, room - 1 - used);
		char *more;

		if (got <= 0 || used + (size_t)got >= TEXT_MAX) {
			if (got < 0)
				free(buffer);
			else
				*text = buffer;
			return got < 0 ? got : (ssize_t)used;
		}
		used += (size_t)got;
		if (used < room - 1)
			continue;
		more = sys->alloc(2, room);
		if (more)
			memcpy(more, buffer, used);
		free(buffer);
		buffer = more;
		room *= 2;
	}
	return -ENOMEM;
}

ssize_t bm_sys_file(const struct bm_sys *sys, const char *path, char **text)
{
	int fd = sys->open(path, O_RDONLY);
	ssize_t got;

	if (fd < 0)
		return fd;
	got = read_all(sys, fd, text);
	sys->close(fd);
	return got;
}

int bm_sys_status(const struct bm_sys *sys, const char *name, char *value, size_t size)
{
	char *text = NULL, *at;
	int found = 0;

	if (bm_sys_file(sys, STATUS_FILE, &text) < 0)
		return 0;
	for (at = text; at && !found; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, name, strlen(name)) == 0 && at[strlen(name)] == ':') {
			at += strlen(name) + 1;
			at += strspn(at, " \t");
			snprintf(value, size, "%.*s", (int)strcspn(at, "\n"), at);
			found = 1;
		}
	}
	free(text);
	return found;
}

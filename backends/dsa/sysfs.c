/* SPDX-License-Identifier: MIT */
/* sysfs.c - reads the files of a work queue and of its device. */
#include "sysfs.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_BYTES 4096 /* of the files in the folder of a device */
#define PATH_BYTES  128

int bm_dsa_parse(const char *name, const char *prefix, unsigned int *number, const char **end)
{
	size_t length = strlen(prefix), digits;

	if (strncmp(name, prefix, length) != 0)
		return 0;
	digits = strspn(name + length, "0123456789");
	/* As the kernel prints it: another spelling would be another name. */
	if (digits == 0 || digits > 5 || (name[length] == '0' && digits > 1))
		return 0;
	*number = (unsigned int)strtoul(name + length, NULL, 10);
	*end = name + length + digits;
	return 1;
}

int bm_dsa_parse_queue(const char *name, unsigned int *device, unsigned int *number,
		       const char **end)
{
	return bm_dsa_parse(name, "wq", device, end) && bm_dsa_parse(*end, ".", number, end);
}

uint64_t bm_dsa_limit(uint64_t queue, uint64_t device, uint64_t most)
{
	queue = queue <= most ? queue : 0;
	device = device <= most ? device : 0;
	if (queue == 0 || device == 0)
		return queue | device;
	return queue < device ? queue : device;
}

static void read_text(const struct bm_sys *sys, const char *folder, const char *file, char *text,
		      size_t size)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), BM_DSA_SYSFS "/%s/%s", folder, file);
	if (bm_sys_text(sys, path, text, size) < 0)
		text[0] = '\0';
	/* Whatever is in it goes into messages and JSON. */
	for (char *at = text; *at; at++) {
		if (*at <= ' ' || *at > '~')
			*at = '\0';
	}
}

/* Decimal, or hexadecimal with 0x; 0 where there is none, or more than `most`. */
static uint64_t number_of(const struct bm_sys *sys, const char *folder, const char *file,
			  uint64_t most)
{
	char text[32];
	uint64_t value;

	read_text(sys, folder, file, text, sizeof(text));
	if (!isdigit((unsigned char)text[0]))
		return 0;
	value = strtoull(text, NULL, 0);
	return value <= most ? value : 0;
}

void bm_dsa_facts_begin(struct bm_dsa_facts *facts, unsigned int device)
{
	struct bm_dsa_queue *queue = &facts->queue;

	memset(facts, 0, sizeof(*facts));
	facts->device = device;
	facts->pasid = -1;
	queue->node = -1;
	snprintf(queue->device, sizeof(queue->device), "dsa%u", device);
}

void bm_dsa_facts_queue(struct bm_dsa_facts *facts, unsigned int number)
{
	struct bm_dsa_queue *queue = &facts->queue;

	snprintf(queue->name, sizeof(queue->name), "wq%u.%u", facts->device, number);
	snprintf(queue->path, sizeof(queue->path), BM_DSA_NODES "/%s", queue->name);
}

void bm_dsa_sysfs_device(const struct bm_sys *sys, struct bm_dsa_facts *facts)
{
	struct bm_dsa_queue *queue = &facts->queue;
	unsigned int node;
	const char *end;
	char text[16];

	read_text(sys, queue->device, "state", facts->device_state, sizeof(facts->device_state));
	read_text(sys, queue->device, "numa_node", text, sizeof(text));
	queue->node = bm_dsa_parse(text, "", &node, &end) ? (int)node : -1;
	read_text(sys, queue->device, "pasid_enabled", text, sizeof(text));
	facts->pasid = isdigit((unsigned char)text[0]) ? text[0] != '0' : -1;
	queue->version = (uint32_t)number_of(sys, queue->device, "version", UINT16_MAX);
	queue->max_transfer =
		number_of(sys, queue->device, "max_transfer_size", BM_DSA_MOST_TRANSFER);
	queue->max_batch =
		(uint32_t)number_of(sys, queue->device, "max_batch_size", BM_DSA_MOST_SIZE);
}

static enum bm_dsa_mode mode_of(const char *text)
{
	if (strcmp(text, "shared") == 0)
		return BM_DSA_SHARED;
	return strcmp(text, "dedicated") == 0 ? BM_DSA_DEDICATED : BM_DSA_UNKNOWN;
}

void bm_dsa_sysfs_queue(const struct bm_sys *sys, struct bm_dsa_facts *facts)
{
	struct bm_dsa_queue *queue = &facts->queue;
	char folder[64], text[16];

	snprintf(folder, sizeof(folder), "%s/%s", queue->device, queue->name);
	read_text(sys, folder, "state", facts->state, sizeof(facts->state));
	read_text(sys, folder, "type", facts->type, sizeof(facts->type));
	read_text(sys, folder, "driver_name", facts->driver, sizeof(facts->driver));
	read_text(sys, folder, "mode", text, sizeof(text));
	queue->mode = mode_of(text);
	queue->size = (uint32_t)number_of(sys, folder, "size", BM_DSA_MOST_SIZE);
	queue->threshold = (uint32_t)number_of(sys, folder, "threshold", BM_DSA_MOST_SIZE);
	queue->max_transfer =
		bm_dsa_limit(number_of(sys, folder, "max_transfer_size", BM_DSA_MOST_TRANSFER),
			     queue->max_transfer, BM_DSA_MOST_TRANSFER);
	queue->max_batch =
		(uint32_t)bm_dsa_limit(number_of(sys, folder, "max_batch_size", BM_DSA_MOST_SIZE),
				       queue->max_batch, BM_DSA_MOST_SIZE);
}

int bm_dsa_sysfs_list(const struct bm_sys *sys, const char *device, unsigned int *numbers)
{
	char names[NAMES_BYTES], folder[PATH_BYTES];
	ssize_t length;
	int count = 0;

	snprintf(folder, sizeof(folder), BM_DSA_SYSFS "/%s", device);
	length = sys->list(folder, names, sizeof(names));
	if (length < 0)
		return (int)length;
	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1) {
		unsigned int of;
		const char *end;

		if (count < (int)BM_DSA_PER_DEVICE &&
		    bm_dsa_parse_queue(names + at, &of, &numbers[count], &end) && *end == '\0')
			count++;
	}
	return count;
}

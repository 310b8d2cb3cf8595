/* SPDX-License-Identifier: MIT */
/* dsa_files.c - what sysfs tells of the device and its queues. */
#include "dsa_files.h"

#include <stdio.h>
#include <string.h>

/* As a Sapphire Rapids has it: overlapping copies, control of the cache, 2 GiB, 1024 descriptors. */
#define GEN_CAP 0x40915f0107ull
#define ROOT    "/sys/bus/dsa/devices"
#define DEVICE  ROOT "/dsa0"

struct about {
	const struct dsa *dsa;
	const struct dsa_queue *queue; /* NULL: the device */
	size_t index;
};

typedef int write_text(const struct about *about, char *text, size_t size);

struct file {
	const char *name;
	const char *constant; /* NULL: as written */
	write_text *write;
};

static int put_zeros(char *text, size_t size)
{
	return snprintf(text, size, "%s",
			"00000000,00000000,00000000,00000000,00000000,00000000,"
			"00000000,00000000\n");
}

static int write_state(const struct about *about, char *text, size_t size)
{
	return snprintf(text, size, "%s\n", about->dsa->halted ? "halted" : "enabled");
}

static int write_gen_cap(const struct about *about, char *text, size_t size)
{
	(void)about;
	return snprintf(text, size, "%#llx\n", GEN_CAP);
}

static int write_queues_most(const struct about *about, char *text, size_t size)
{
	(void)about;
	return snprintf(text, size, "%u\n", DSA_QUEUES_MOST);
}

static int write_entries(const struct about *about, char *text, size_t size)
{
	unsigned int entries = 0;

	for (size_t i = 0; i < about->dsa->queues_count; i++)
		entries += about->dsa->queues[i].config.size;
	return snprintf(text, size, "%u\n", entries > 128 ? entries : 128);
}

static int write_node(const struct about *about, char *text, size_t size)
{
	return snprintf(text, size, "%d\n", about->dsa->queues[0].config.node);
}

/* The bit of batches is clear where write(2) refuses them. */
static int write_op_cap(const struct about *about, char *text, size_t size)
{
	unsigned int low = about->dsa->queues[0].config.batch_by_write ? 0x3f03ff : 0x3f03fd;

	return snprintf(text, size,
			"00000000,00000000,00000000,00000000,00000000,00000000,00000001,%08x\n",
			low);
}

static int write_errors(const struct about *about, char *text, size_t size)
{
	(void)about;
	return put_zeros(text, size);
}

static int write_clients(const struct about *about, char *text, size_t size)
{
	return snprintf(text, size, "%d\n", about->dsa->halted ? 0 : 1);
}

static const struct file device_files[] = {
	{"version", "0x100\n", NULL},
	{"state", NULL, write_state},
	{"gen_cap", NULL, write_gen_cap},
	{"max_groups", "4\n", NULL},
	{"max_work_queues", NULL, write_queues_most},
	{"max_engines", "4\n", NULL},
	{"max_work_queues_size", NULL, write_entries},
	{"max_batch_size", "1024\n", NULL},
	{"max_transfer_size", "2147483648\n", NULL},
	{"numa_node", NULL, write_node},
	{"pasid_enabled", "1\n", NULL},
	{"configurable", "1\n", NULL},
	{"cdev_major", "234\n", NULL},
	{"max_read_buffers", "96\n", NULL},
	{"read_buffer_limit", "0\n", NULL},
	{"op_cap", NULL, write_op_cap},
	{"errors", NULL, write_errors},
	{"cmd_status", "0x0\n", NULL},
	{"clients", NULL, write_clients},
};

static int write_mode(const struct about *about, char *text, size_t size)
{
	return snprintf(text, size, "%s\n", about->queue->config.shared ? "shared" : "dedicated");
}

static int write_queue_state(const struct about *about, char *text, size_t size)
{
	return snprintf(text, size, "%s\n", about->dsa->halted ? "disabled" : "enabled");
}

static int write_size(const struct about *about, char *text, size_t size)
{
	return snprintf(text, size, "%u\n", about->queue->config.size);
}

/* Dedicated queues have none. */
static int write_threshold(const struct about *about, char *text, size_t size)
{
	const struct dsa_queue_config *config = &about->queue->config;

	return snprintf(text, size, "%u\n", config->shared ? config->threshold : 0);
}

static int write_blocking(const struct about *about, char *text, size_t size)
{
	return snprintf(text, size, "%d\n", about->queue->config.block_on_fault != 0);
}

static int write_transfer(const struct about *about, char *text, size_t size)
{
	return snprintf(text, size, "%llu\n",
			(unsigned long long)about->queue->config.max_transfer);
}

static int write_batch(const struct about *about, char *text, size_t size)
{
	return snprintf(text, size, "%u\n", about->queue->config.max_batch);
}

static int write_minor(const struct about *about, char *text, size_t size)
{
	return snprintf(text, size, "%zu\n", about->index);
}

static const struct file queue_files[] = {
	{"type", "user\n", NULL},
	{"mode", NULL, write_mode},
	{"state", NULL, write_queue_state},
	{"size", NULL, write_size},
	{"threshold", NULL, write_threshold},
	{"priority", "10\n", NULL},
	{"block_on_fault", NULL, write_blocking},
	{"max_transfer_size", NULL, write_transfer},
	{"max_batch_size", NULL, write_batch},
	{"ats_disable", "0\n", NULL},
	{"cdev_minor", NULL, write_minor},
	{"name", "model\n", NULL},
	{"driver_name", "user\n", NULL},
	{"clients", NULL, write_clients},
	{"enqcmds_retries", "32\n", NULL},
	{"group_id", "0\n", NULL},
};

static int write_members(const struct about *about, char *text, size_t size)
{
	int length = 0;

	for (size_t i = 0; i < about->dsa->queues_count; i++)
		length += snprintf(text + length, size - (size_t)length, "%swq0.%zu", i ? " " : "",
				   i);
	return length + snprintf(text + length, size - (size_t)length, "\n");
}

static const struct file group_files[] = {
	{"engines", "engine0.0 engine0.1 engine0.2 engine0.3\n", NULL},
	{"work_queues", NULL, write_members},
	{"read_buffers_reserved", "0\n", NULL},
	{"read_buffers_allowed", "96\n", NULL},
	{"use_read_buffer_limit", "0\n", NULL},
	{"traffic_class_a", "1\n", NULL},
	{"traffic_class_b", "1\n", NULL},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct folder {
	const struct file *files;
	size_t count;
	struct about about;
};

/* The part of the path in the device's folder, "" for itself; NULL: elsewhere. */
static const char *in_device(const char *path)
{
	size_t length = strlen(DEVICE);

	if (strncmp(path, DEVICE, length) != 0)
		return NULL;
	if (!path[length])
		return path + length;
	return path[length] == '/' ? path + length + 1 : NULL;
}

/* Which folder this begins with, and where its name ends; 0: none. */
static int find_folder(const struct dsa *dsa, const char *rest, struct folder *folder, size_t *end)
{
	size_t length = strcspn(rest, "/");
	char name[32];

	*folder = (struct folder){device_files, COUNT(device_files), {dsa, NULL, 0}};
	*end = 0;
	for (size_t i = 0; i < dsa->queues_count; i++) {
		snprintf(name, sizeof(name), "wq0.%zu", i);
		if (strlen(name) != length || strncmp(rest, name, length) != 0)
			continue;
		*folder =
			(struct folder){queue_files, COUNT(queue_files), {dsa, &dsa->queues[i], i}};
		*end = length;
	}
	if (length == strlen("group0.0") && strncmp(rest, "group0.0", length) == 0) {
		*folder = (struct folder){group_files, COUNT(group_files), {dsa, NULL, 0}};
		*end = length;
	}
	return rest[*end] == '/' || !rest[*end] || !*end;
}

int dsa_file(const struct dsa *dsa, const char *path, char *text, size_t size)
{
	const char *rest = in_device(path);
	struct folder folder;
	size_t end;

	if (!rest || !find_folder(dsa, rest, &folder, &end))
		return -1;
	rest += end + (rest[end] == '/');
	for (size_t i = 0; i < folder.count; i++) {
		const struct file *file = &folder.files[i];

		if (strcmp(file->name, rest) != 0)
			continue;
		return file->constant ? snprintf(text, size, "%s", file->constant)
				      : file->write(&folder.about, text, size);
	}
	return -1;
}

/* A name more, if there is room; NULL once there was none. */
static char *add(char *at, const char *end, const char *name)
{
	size_t length = strlen(name) + 1;

	if (!at || length > (size_t)(end - at))
		return NULL;
	memcpy(at, name, length);
	return at + length;
}

static char *add_queues(char *at, const char *end, const struct dsa *dsa)
{
	char name[32];

	for (size_t i = 0; i < dsa->queues_count; i++) {
		snprintf(name, sizeof(name), "wq0.%zu", i);
		at = add(at, end, name);
	}
	return at;
}

static char *add_device(char *at, const char *end, const struct dsa *dsa, const char *rest)
{
	struct folder folder;
	size_t length;

	if (!find_folder(dsa, rest, &folder, &length) || rest[length])
		return NULL;
	for (size_t i = 0; i < folder.count; i++)
		at = add(at, end, folder.files[i].name);
	if (length)
		return at;
	return add_queues(add(at, end, "group0.0"), end, dsa);
}

int dsa_is_folder(const struct dsa *dsa, const char *path)
{
	const char *rest = in_device(path);
	struct folder folder;
	size_t length;

	if (!strcmp(path, ROOT) || !strcmp(path, "/dev/dsa"))
		return 1;
	return rest && find_folder(dsa, rest, &folder, &length) && !rest[length];
}

ssize_t dsa_list(const struct dsa *dsa, const char *path, char *names, size_t size)
{
	const char *end = names + size;
	char *at;

	if (!strcmp(path, ROOT))
		at = add(names, end, "dsa0");
	else if (!strcmp(path, "/dev/dsa"))
		at = add_queues(names, end, dsa);
	else
		at = add_device(names, end, dsa, in_device(path));
	return at ? at - names : -1;
}

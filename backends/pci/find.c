/* SPDX-License-Identifier: MIT */
/* find.c - the functions on the PCI bus, as sysfs tells of them. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "space.h"

#define NAMES_FIRST 16384u /* bytes: of a machine with a thousand functions */
#define NAMES_MOST  (4u << 20)

static int text_of(const struct bm_sys *sys, const char *address, const char *file, char *text,
		   size_t size)
{
	char path[BM_PCI_PATH];

	snprintf(path, sizeof(path), BM_PCI_DEVICES "/%s/%s", address, file);
	return (int)bm_sys_text(sys, path, text, size);
}

/* The last name in where a link of the function leads; "" without the link. */
static void linked(const struct bm_sys *sys, const char *address, const char *link, char *name,
		   size_t size)
{
	char path[BM_PCI_PATH], to[PATH_MAX];
	const char *last;
	ssize_t length;

	name[0] = '\0';
	snprintf(path, sizeof(path), BM_PCI_DEVICES "/%s/%s", address, link);
	length = sys->readlink(path, to, sizeof(to) - 1);
	if (length <= 0)
		return;
	to[length] = '\0';
	last = strrchr(to, '/');
	snprintf(name, size, "%.*s", (int)size - 1, last ? last + 1 : to);
}

/* The number at the end of a name, -1: it does not begin with `prefix`, or has none. */
static int number_behind(const char *name, const char *prefix)
{
	size_t length = strlen(prefix), digits;

	if (strncmp(name, prefix, length) != 0)
		return -1;
	digits = strspn(name + length, "0123456789");
	if (digits == 0 || digits > 9 || name[length + digits])
		return -1;
	return atoi(name + length);
}

static int uio_of(const struct bm_sys *sys, const char *address)
{
	char path[BM_PCI_PATH], names[256];
	ssize_t length;
	int number = -1;

	snprintf(path, sizeof(path), BM_PCI_DEVICES "/%s/uio", address);
	length = sys->list(path, names, sizeof(names));
	for (ssize_t at = 0; at < length && number < 0; at += (ssize_t)strlen(names + at) + 1)
		number = number_behind(names + at, "uio");
	return number;
}

static int hexadecimal(const struct bm_sys *sys, const char *address, const char *file,
		       uint16_t *value)
{
	char text[16], *end;
	unsigned long number;
	int rc = text_of(sys, address, file, text, sizeof(text));

	if (rc < 0)
		return rc;
	number = strtoul(text, &end, 16);
	if (end == text || *end || number > UINT16_MAX)
		return -EPROTO;
	*value = (uint16_t)number;
	return 0;
}

static int id_of(const struct bm_sys *sys, const char *address, struct bm_pci_id *id)
{
	int rc = hexadecimal(sys, address, "vendor", &id->vendor);

	return rc < 0 ? rc : hexadecimal(sys, address, "device", &id->device);
}

static void group_of(const struct bm_sys *sys, struct bm_pci_found *found)
{
	char path[BM_PCI_PATH], name[32];

	linked(sys, found->address, "iommu_group", name, sizeof(name));
	found->group = number_behind(name, "");
	if (found->group < 0)
		return;
	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%d/type", found->group);
	if (bm_sys_text(sys, path, found->group_type, sizeof(found->group_type)) < 0)
		found->group_type[0] = '\0';
}

static void describe(const struct bm_sys *sys, const char *address, const struct bm_pci_id *id,
		     struct bm_pci_found *found)
{
	char text[16];

	memset(found, 0, sizeof(*found));
	snprintf(found->address, sizeof(found->address), "%s", address);
	found->id = *id;
	found->node = -1;
	if (text_of(sys, address, "numa_node", text, sizeof(text)) > 0)
		found->node = number_behind(text, "");
	group_of(sys, found);
	linked(sys, address, "driver", found->driver, sizeof(found->driver));
	found->uio = uio_of(sys, address);
}

static size_t digits(const char *text, size_t most)
{
	size_t count = 0;

	while (count < most && isxdigit((unsigned char)text[count]))
		count++;
	return count;
}

/* "0000:02:00.2"; a domain may have more digits. */
static int is_address(const char *text)
{
	size_t domain = digits(text, 8);

	if (domain < 4 || text[domain] != ':')
		return 0;
	text += domain + 1;
	return digits(text, 2) == 2 && text[2] == ':' && digits(text + 3, 2) == 2 &&
	       text[5] == '.' && text[6] >= '0' && text[6] <= '7' && text[7] == '\0';
}

int bm_pci_look(const struct bm_sys *sys, const char *address, struct bm_pci_found *found)
{
	char name[sizeof(found->address)];
	struct bm_pci_id id;
	size_t length = strlen(address);
	int rc;

	if (!is_address(address) || length >= sizeof(name))
		return -EINVAL;
	for (size_t i = 0; i <= length; i++)
		name[i] = (char)tolower((unsigned char)address[i]);
	rc = id_of(sys, name, &id);
	if (rc < 0)
		return rc == -ENOENT ? -ENODEV : rc;
	describe(sys, name, &id, found);
	return 0;
}

/* ---------------------------------------------------------------- all of them */

static int is_one_of(const struct bm_pci_id *id, const struct bm_pci_id *ids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (ids[i].vendor == id->vendor && ids[i].device == id->device)
			return 1;
	return 0;
}

/* A longer domain is a higher one. */
static int is_before(const char *a, const char *b)
{
	size_t lengths[] = {strlen(a), strlen(b)};

	return lengths[0] != lengths[1] ? lengths[0] < lengths[1] : strcmp(a, b) < 0;
}

/* Where there is no room the last ones are dropped. */
static size_t insert(struct bm_pci_found *found, size_t count, size_t most,
		     const struct bm_pci_found *one)
{
	size_t at = count;

	while (at > 0 && is_before(one->address, found[at - 1].address))
		at--;
	if (at == most)
		return count;
	count = count < most ? count + 1 : most;
	memmove(&found[at + 1], &found[at], (count - at - 1) * sizeof(*found));
	found[at] = *one;
	return count;
}

/* Names in the folder of devices; *names is to be freed. */
static ssize_t list_all(const struct bm_sys *sys, char **names)
{
	for (size_t size = NAMES_FIRST; size <= NAMES_MOST; size *= 2) {
		ssize_t length;

		*names = sys->alloc(1, size);
		if (!*names)
			return -ENOMEM;
		length = sys->list(BM_PCI_DEVICES, *names, size);
		if (length >= 0)
			return length;
		free(*names);
		if (length != -ENOBUFS)
			return length;
	}
	return -ENOBUFS;
}

int bm_pci_find(const struct bm_sys *sys, const struct bm_pci_id *ids, size_t id_count,
		struct bm_pci_found *found, size_t most)
{
	char *names = NULL;
	ssize_t length = list_all(sys, &names);
	size_t count = 0;

	if (length < 0) /* a machine without PCI has no such folder */
		return length == -ENOENT ? 0 : (int)length;
	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1) {
		struct bm_pci_found one;
		struct bm_pci_id id;

		/* One that was removed meanwhile has no files. */
		if (!is_address(names + at) || strlen(names + at) >= sizeof(one.address) ||
		    id_of(sys, names + at, &id) < 0 || !is_one_of(&id, ids, id_count))
			continue;
		describe(sys, names + at, &id, &one);
		count = insert(found, count, most, &one);
	}
	free(names);
	return (int)count;
}

/* SPDX-License-Identifier: MIT */
/* ptdma_folders.c - the folders of /sys and /dev in which the functions are. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ptdma_table.h"

struct names {
	char *at;
	size_t size, used;
	int full;
};

static void add(struct names *names, const char *name)
{
	size_t length = strlen(name) + 1;

	if (length > names->size - names->used) {
		names->full = 1;
		return;
	}
	memcpy(names->at + names->used, name, length);
	names->used += length;
}

static void add_numbered(struct names *names, const char *prefix, unsigned int number)
{
	char name[32];

	snprintf(name, sizeof(name), "%s%u", prefix, number);
	add(names, name);
}

static int has_groups(const struct table *table)
{
	return !table->how.group_type || table->how.group_type[0];
}

static void add_addresses(const struct table *table, struct names *names)
{
	char address[16];

	for (size_t i = 0; i < ptdma_functions(table->ptdma); i++) {
		table_address((unsigned int)i, address);
		add(names, address);
	}
}

static void add_all(const struct table *table, struct names *names, const char *prefix,
		    unsigned int first)
{
	for (size_t i = 0; i < ptdma_functions(table->ptdma); i++)
		add_numbered(names, prefix, first + (unsigned int)i);
}

/* What could be there; what is not has neither text nor link. */
static void add_files(const struct table *table, const char *path, struct names *names)
{
	static const char *const files[] = {
		"vendor",          "device",    "class",    "revision",  "subsystem_vendor",
		"driver_override", "numa_node", "resource", "resource0", "resource2",
		"uevent",          "enable",    "config",   "reset",     "driver",
		"iommu_group",     "subsystem", "type",     "name",      "reserved_regions",
		"version",         "event",     "addr",     "size",      "offset"};
	char file[256], text[TABLE_TEXT_MOST];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(file, sizeof(file), "%s/%s", path, files[i]);
		if (table_text(table, file, text, sizeof(text)) >= 0 ||
		    table_link(table, file, text, sizeof(text)) >= 0)
			add(names, files[i]);
	}
}

static int add_in_function(const struct table *table, const char *path, struct names *names)
{
	const char *rest;
	int function = table_function_of(table, path, &rest);
	unsigned int number = TABLE_UIO_FIRST + (unsigned int)function;
	int uio = table->how.driver == PTDMA_UIO_PCI;

	if (function < 0)
		return 0;
	if (!*rest) {
		add_files(table, path, names);
		if (uio)
			add(names, "uio");
		return 1;
	}
	if (!strcmp(rest, "uio") && uio)
		add_numbered(names, "uio", number);
	return names->used || names->full;
}

/* Groups, and uio devices. */
static int add_in_others(const struct table *table, const char *path, struct names *names)
{
	char folder[64], address[16];

	for (unsigned int i = 0; i < ptdma_functions(table->ptdma); i++) {
		table_address(i, address);
		snprintf(folder, sizeof(folder), "/sys/kernel/iommu_groups/%u/devices",
			 TABLE_GROUP_FIRST + 1 + i);
		if (!strcmp(path, folder) && has_groups(table))
			add(names, address);
		snprintf(folder, sizeof(folder), "/sys/class/uio/uio%u/maps", TABLE_UIO_FIRST + i);
		if (!strcmp(path, folder) && table->how.driver == PTDMA_UIO_PCI)
			add(names, "map0");
	}
	add_files(table, path, names);
	return names->used || names->full;
}

static int add_in_roots(const struct table *table, const char *path, struct names *names)
{
	int uio = table->how.driver == PTDMA_UIO_PCI, vfio = table->how.driver == PTDMA_VFIO_PCI;

	if (!strcmp(path, "/sys/bus/pci/devices"))
		add_addresses(table, names);
	else if (!strcmp(path, "/sys/kernel/iommu_groups") && has_groups(table))
		add_all(table, names, "", TABLE_GROUP_FIRST + 1);
	else if (!strcmp(path, "/sys/class/uio") && uio)
		add_all(table, names, "uio", TABLE_UIO_FIRST);
	else if (!strcmp(path, "/sys/bus/pci/drivers"))
		add(names, vfio ? "vfio-pci" : "uio_pci_generic");
	else if (!strcmp(path, "/sys/bus/pci/drivers/vfio-pci") && vfio)
		add_addresses(table, names);
	else if (!strcmp(path, "/sys/bus/pci/drivers/uio_pci_generic") && uio)
		add_addresses(table, names);
	else if (!strcmp(path, "/sys/module/vfio_pci") && vfio)
		add(names, "parameters");
	else if (!strcmp(path, "/sys/module/vfio_iommu_type1") && vfio)
		add(names, "parameters");
	else if (!strcmp(path, "/sys/module/uio_pci_generic") && uio)
		add(names, "drivers");
	else if (!strcmp(path, "/dev/vfio") && vfio) {
		add(names, "vfio");
		if (has_groups(table))
			add_all(table, names, "", TABLE_GROUP_FIRST + 1);
	}
	return names->used || names->full;
}

ssize_t table_list(const struct table *table, const char *path, char *names, size_t size)
{
	struct names list = {names, size, 0, 0};

	if (!add_in_roots(table, path, &list) && !add_in_function(table, path, &list) &&
	    !add_in_others(table, path, &list))
		return -ENOENT;
	return list.full ? -ENOBUFS : (ssize_t)list.used;
}

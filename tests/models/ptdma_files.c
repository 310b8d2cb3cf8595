/* SPDX-License-Identifier: MIT */
/* ptdma_files.c - what /sys and /dev tell of the functions, as text. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ptdma_table.h"

#define DEVICES "/sys/bus/pci/devices"
#define GROUPS  "/sys/kernel/iommu_groups"
#define CLASS   "/sys/class/uio"
/* Of memory, as wide as it is long: IORESOURCE_MEM, IORESOURCE_SIZEALIGN. */
#define MEMORY_FLAGS 0x40200ull

struct about {
	const struct table *table;
	unsigned int function;
};

typedef int write_text(const struct about *about, char *text, size_t size);

struct file {
	const char *name;
	const char *constant; /* NULL: as written */
	write_text *write;    /* -ENOENT: not here */
};

/* ---------------------------------------------------------------- which function */

void table_address(unsigned int function, char *address)
{
	snprintf(address, 16, "0000:%02x:00.2", function + 1);
}

/* The part of a path that is behind a folder, "" for itself; NULL: elsewhere. */
static const char *behind(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	if (strncmp(path, folder, length) != 0)
		return NULL;
	if (!path[length])
		return path + length;
	return path[length] == '/' ? path + length + 1 : NULL;
}

int table_function_of(const struct table *table, const char *path, const char **rest)
{
	char folder[64], address[16];

	for (size_t i = 0; i < ptdma_functions(table->ptdma); i++) {
		table_address((unsigned int)i, address);
		snprintf(folder, sizeof(folder), DEVICES "/%s", address);
		*rest = behind(path, folder);
		if (*rest)
			return (int)i;
	}
	return -1;
}

/* By its number: /base/PREFIXn/... */
static int numbered(const struct table *table, const char *path, const char *prefix, long first)
{
	size_t length = strlen(prefix);
	char *end;
	long number;

	if (strncmp(path, prefix, length) != 0 || path[length] < '0' || path[length] > '9')
		return -1;
	number = strtol(path + length, &end, 10) - first;
	if ((*end && *end != '/') || number < 0 || (size_t)number >= ptdma_functions(table->ptdma))
		return -1;
	return (int)number;
}

static int has_groups(const struct table *table)
{
	return !table->how.group_type || table->how.group_type[0];
}

static int group_of_path(const struct table *table, const char *path, const char **rest)
{
	int function = numbered(table, path, GROUPS "/", TABLE_GROUP_FIRST + 1);

	if (function < 0 || !has_groups(table))
		return -1;
	*rest = path + strlen(GROUPS "/");
	*rest += strcspn(*rest, "/");
	*rest += **rest == '/';
	return function;
}

static int uio_of_path(const struct table *table, const char *path, const char **rest)
{
	int function = numbered(table, path, CLASS "/uio", TABLE_UIO_FIRST);

	if (function < 0 || table->how.driver != PTDMA_UIO_PCI)
		return -1;
	*rest = path + strlen(CLASS "/uio");
	*rest += strcspn(*rest, "/");
	*rest += **rest == '/';
	return function;
}

int table_node(const struct table *table, const char *path)
{
	if (table->how.driver == PTDMA_VFIO_PCI && has_groups(table))
		return numbered(table, path, "/dev/vfio/", TABLE_GROUP_FIRST + 1);
	if (table->how.driver == PTDMA_UIO_PCI)
		return numbered(table, path, "/dev/uio", TABLE_UIO_FIRST);
	return -1;
}

int table_is_ours(const struct table *table, const char *path)
{
	static const char *const ours[] = {DEVICES,
					   GROUPS,
					   CLASS,
					   "/sys/bus/pci/drivers",
					   "/sys/module/vfio_pci",
					   "/sys/module/vfio_iommu_type1",
					   "/sys/module/uio_pci_generic",
					   "/dev/vfio"};

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (behind(path, ours[i]))
			return 1;
	if (table->how.encrypted &&
	    (!strcmp(path, "/proc/cpuinfo") || !strcmp(path, "/proc/cmdline")))
		return 1;
	return !strncmp(path, "/dev/uio", 8);
}

/* ---------------------------------------------------------------- files */

static int write_device(const struct about *about, char *text, size_t size)
{
	return snprintf(text, size, "0x%04x\n", table_device_id(about->table, about->function));
}

static int write_node(const struct about *about, char *text, size_t size)
{
	return snprintf(text, size, "%d\n",
			ptdma_config_of(about->table->ptdma, about->function)->node);
}

/* Six BARs, the ROM, and six of virtual functions. */
static int write_resource(const struct about *about, char *text, size_t size)
{
	int length = 0;

	for (unsigned int bar = 0; bar < 13; bar++) {
		uint64_t bytes = bar < 6 ? table_bar_size(about->table, about->function, bar) : 0;
		uint64_t start = bytes ? table_bar_address(about->table, about->function, bar) : 0;

		length += snprintf(text + length, size - (size_t)length,
				   "0x%016llx 0x%016llx 0x%016llx\n", (unsigned long long)start,
				   (unsigned long long)(bytes ? start + bytes - 1 : 0),
				   bytes ? MEMORY_FLAGS : 0);
	}
	return length;
}

static const char *driver_name(const struct table *table)
{
	static const char *const names[] = {[PTDMA_NO_DRIVER] = NULL,
					    [PTDMA_VFIO_PCI] = "vfio-pci",
					    [PTDMA_UIO_PCI] = "uio_pci_generic"};

	return names[table->how.driver];
}

static int write_override(const struct about *about, char *text, size_t size)
{
	const char *name = driver_name(about->table);

	return snprintf(text, size, "%s\n", name ? name : "(null)");
}

static int write_uevent(const struct about *about, char *text, size_t size)
{
	const char *name = driver_name(about->table);
	char address[16];

	table_address(about->function, address);
	return snprintf(text, size, "%s%s%sPCI_CLASS=108000\nPCI_ID=1022:%04X\nPCI_SLOT_NAME=%s\n",
			name ? "DRIVER=" : "", name ? name : "", name ? "\n" : "",
			table_device_id(about->table, about->function), address);
}

static int write_enable(const struct about *about, char *text, size_t size)
{
	return snprintf(text, size, "%d\n", about->table->how.driver != PTDMA_NO_DRIVER);
}

/* What is opened by itself, see ptdma_open.c. */
static int write_nothing(const struct about *about, char *text, size_t size)
{
	(void)about;
	(void)text;
	(void)size;
	return 0;
}

static int write_reset(const struct about *about, char *text, size_t size)
{
	(void)text;
	(void)size;
	return about->table->how.reset_error == -ENOTTY ? -ENOENT : 0;
}

static const struct file device_files[] = {
	{"vendor", "0x1022\n", NULL},        {"device", NULL, write_device},
	{"class", "0x108000\n", NULL},       {"revision", "0x00\n", NULL},
	{"subsystem_vendor", "0x0\n", NULL}, {"numa_node", NULL, write_node},
	{"resource", NULL, write_resource},  {"driver_override", NULL, write_override},
	{"uevent", NULL, write_uevent},      {"enable", NULL, write_enable},
	{"config", NULL, write_nothing},     {"reset", NULL, write_reset},
};

static int write_map_address(const struct about *about, char *text, size_t size)
{
	unsigned int bar = table_bar(about->table, about->function);

	return snprintf(text, size, "0x%016llx\n",
			(unsigned long long)table_bar_address(about->table, about->function, bar));
}

static int write_map_size(const struct about *about, char *text, size_t size)
{
	unsigned int bar = table_bar(about->table, about->function);

	return snprintf(text, size, "0x%016llx\n",
			(unsigned long long)table_bar_size(about->table, about->function, bar));
}

static const struct file uio_files[] = {
	{"name", "uio_pci_generic\n", NULL},
	{"version", "0.01.0\n", NULL},
	{"event", "0\n", NULL},
	{"maps/map0/addr", NULL, write_map_address},
	{"maps/map0/size", NULL, write_map_size},
	{"maps/map0/offset", "0x0\n", NULL},
};

static int write_type(const struct about *about, char *text, size_t size)
{
	const char *type = about->table->how.group_type;

	if (!type)
		type = about->table->how.driver == PTDMA_VFIO_PCI ? "DMA" : "identity";
	return snprintf(text, size, "%s\n", type);
}

static const struct file group_files[] = {
	{"type", NULL, write_type},
	{"reserved_regions",
	 "0x00000000fee00000 0x00000000feefffff msi\n"
	 "0x000000fd00000000 0x000000ffffffffff reserved\n",
	 NULL},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct folder {
	const struct file *files;
	size_t count;
	struct about about;
	const char *rest;
};

/* The resource files are as many as there are BARs: only that of the registers is here. */
static int is_resource(const struct table *table, unsigned int function, const char *name)
{
	char own[16];

	snprintf(own, sizeof(own), "resource%u", table_bar(table, function));
	return !strcmp(name, own);
}

static int find_folder(const struct table *table, const char *path, struct folder *folder)
{
	int function = table_function_of(table, path, &folder->rest);

	folder->files = device_files;
	folder->count = COUNT(device_files);
	if (function < 0 && (function = group_of_path(table, path, &folder->rest)) >= 0) {
		folder->files = group_files;
		folder->count = COUNT(group_files);
	}
	if (function < 0 && (function = uio_of_path(table, path, &folder->rest)) >= 0) {
		folder->files = uio_files;
		folder->count = COUNT(uio_files);
	}
	folder->about = (struct about){table, (unsigned int)function};
	return function >= 0;
}

static int text_of_proc(const struct table *table, const char *path, char *text, size_t size)
{
	if (!table->how.encrypted)
		return -ENOENT;
	if (!strcmp(path, "/proc/cpuinfo"))
		return snprintf(text, size,
				"processor\t: 0\nvendor_id\t: AuthenticAMD\n"
				"flags\t\t: fpu sse2 sme lm nx\n\n");
	if (!strcmp(path, "/proc/cmdline"))
		return snprintf(text, size,
				"BOOT_IMAGE=/vmlinuz root=/dev/sda1 mem_encrypt=on quiet\n");
	return -ENOENT;
}

int table_text(const struct table *table, const char *path, char *text, size_t size)
{
	struct folder folder;

	if (!find_folder(table, path, &folder))
		return text_of_proc(table, path, text, size);
	if (folder.files == device_files && is_resource(table, folder.about.function, folder.rest))
		return 0;
	for (size_t i = 0; i < folder.count; i++) {
		const struct file *file = &folder.files[i];

		if (strcmp(file->name, folder.rest) != 0)
			continue;
		return file->constant ? snprintf(text, size, "%s", file->constant)
				      : file->write(&folder.about, text, size);
	}
	return -ENOENT;
}

/* ---------------------------------------------------------------- links */

static int device_link(const struct table *table, unsigned int function, const char *name,
		       char *text, size_t size)
{
	char address[16];

	table_address(function, address);
	if (!*name)
		return snprintf(text, size, "../../../devices/pci0000:00/%s", address);
	if (!strcmp(name, "subsystem"))
		return snprintf(text, size, "../../../bus/pci");
	if (!strcmp(name, "driver") && driver_name(table))
		return snprintf(text, size, "../../../bus/pci/drivers/%s", driver_name(table));
	if (!strcmp(name, "iommu_group") && has_groups(table))
		return snprintf(text, size, "../../../kernel/iommu_groups/%u",
				TABLE_GROUP_FIRST + 1 + function);
	return -ENOENT;
}

static int uio_link(unsigned int function, const char *name, char *text, size_t size)
{
	char address[16];

	table_address(function, address);
	if (!*name)
		return snprintf(text, size, "../../devices/pci0000:00/%s/uio/uio%u", address,
				TABLE_UIO_FIRST + function);
	if (!strcmp(name, "device"))
		return snprintf(text, size, "../../../%s", address);
	return -ENOENT;
}

int table_link(const struct table *table, const char *path, char *text, size_t size)
{
	struct folder folder;
	int length = -ENOENT;

	if (!find_folder(table, path, &folder))
		return -ENOENT;
	if (folder.files == device_files)
		length = device_link(table, folder.about.function, folder.rest, text, size);
	else if (folder.files == uio_files)
		length = uio_link(folder.about.function, folder.rest, text, size);
	if (length >= 0)
		return length;
	/* A file is none. */
	return table_text(table, path, text, size) >= 0 ? -EINVAL : -ENOENT;
}

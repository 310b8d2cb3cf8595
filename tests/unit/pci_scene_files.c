/* SPDX-License-Identifier: MIT */
/* pci_scene_files.c - files, folders and links of the machine. */
#include <unistd.h>

#include "pci_scene.h"

#define FILES 160

static struct {
	char *path, *text;
	int is_link;
} files[FILES];

static void put(const char *path, const char *text, int is_link)
{
	size_t free_one = FILES;

	for (size_t i = FILES; i-- > 0;) {
		if (files[i].path && strcmp(files[i].path, path) == 0) {
			free(files[i].path);
			free(files[i].text);
			files[i].path = files[i].text = NULL;
		}
		if (!files[i].path)
			free_one = i;
	}
	if (!text)
		return;
	ck_assert_uint_lt(free_one, FILES);
	files[free_one].path = strdup(path);
	files[free_one].text = strdup(text);
	files[free_one].is_link = is_link;
}

void pci_file(const char *path, const char *text)
{
	put(path, text, 0);
}

void pci_link(const char *path, const char *to)
{
	put(path, to, 1);
}

static int find(const char *path, int is_link)
{
	for (int i = 0; i < FILES; i++)
		if (files[i].path && files[i].is_link == is_link &&
		    strcmp(files[i].path, path) == 0)
			return i;
	return -1;
}

ssize_t pci_text_of(const char *path, const char **text)
{
	int at = find(path, 0);

	if (at < 0)
		return -ENOENT;
	*text = files[at].text;
	return (ssize_t)strlen(files[at].text);
}

static int is_in(const char *buffer, size_t used, const char *name, size_t length)
{
	for (size_t at = 0; at < used; at += strlen(buffer + at) + 1)
		if (strncmp(buffer + at, name, length) == 0 && !buffer[at + length])
			return 1;
	return 0;
}

/* What is in a folder, of which there is no list: the part of paths behind it. */
ssize_t pci_list(const char *path, char *buffer, size_t size)
{
	size_t used = 0, behind = strlen(path);
	int rc;

	if (pci_fails(&rc))
		return rc;
	for (int i = 0; i < FILES; i++) {
		const char *name = files[i].path;
		size_t length;

		if (!name || strncmp(name, path, behind) != 0 || name[behind] != '/')
			continue;
		name += behind + 1;
		length = strcspn(name, "/");
		if (is_in(buffer, used, name, length))
			continue;
		if (used + length + 1 > size)
			return -ENOBUFS;
		memcpy(buffer + used, name, length);
		buffer[used + length] = '\0';
		used += length + 1;
	}
	return used ? (ssize_t)used : -ENOENT;
}

ssize_t pci_readlink(const char *path, char *buffer, size_t size)
{
	int at = find(path, 1), rc;
	size_t length;

	if (pci_fails(&rc))
		return rc;
	if (at < 0)
		return -ENOENT;
	length = strlen(files[at].text);
	length = length < size ? length : size;
	memcpy(buffer, files[at].text, length);
	return (ssize_t)length;
}

/* A file whose text is "-" may not be used by this user. */
int pci_access(const char *path, int mode)
{
	char names[64];
	const char *text;

	if (pci_text_of(path, &text) >= 0)
		return mode != F_OK && strcmp(text, "-") == 0 ? -EACCES : 0;
	return pci_list(path, names, sizeof(names)) == -ENOENT ? -ENOENT : 0;
}

/* ---------------------------------------------------------------- what there is */

static void add(const char *address, const char *file, const char *text)
{
	char path[192];

	snprintf(path, sizeof(path), PCI_DIR "%s/%s", address, file);
	pci_file(path, text);
}

static void add_link(const char *address, const char *file, const char *to)
{
	char path[192];

	snprintf(path, sizeof(path), PCI_DIR "%s/%s", address, file);
	pci_link(path, to);
}

/* BAR0 has no place, BAR2 the registers, BAR5 a table; BAR4 is one of 64 bits. */
static void add_function(const char *address, const char *device, const char *group, int uio)
{
	char text[128];

	add(address, "vendor", "0x1022\n");
	add(address, "device", device);
	add(address, "numa_node", "1\n");
	add(address, "config", "");
	add(address, "reset", "");
	add(address, "resource2", "");
	add(address, "resource4", "");
	add(address, "resource",
	    "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
	    "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
	    "0x00000000f7a00000 0x00000000f7a00fff 0x0000000000040200\n"
	    "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
	    "0x0000004000000000 0x0000004000000fff 0x000000000014220c\n"
	    "0x00000000f7a80000 0x00000000f7a81fff 0x0000000000040200\n"
	    "0x0000000000000000 0x0000000000000000 0x0000000000000000\n");
	snprintf(text, sizeof(text), "../../../../kernel/iommu_groups/%s", group);
	add_link(address, "iommu_group", text);
	snprintf(text, sizeof(text), "/sys/kernel/iommu_groups/%s/devices/%s", group, address);
	pci_file(text, "");
	if (uio >= 0) {
		snprintf(text, sizeof(text), "uio/uio%d/name", uio);
		add(address, text, "uio_pci_generic\n");
	}
}

static void add_drivers(const char *driver)
{
	char to[64];

	snprintf(to, sizeof(to), "../../../bus/pci/drivers/%s", driver);
	add_link(PCI_A, "driver", to);
	add_link(PCI_B, "driver", to);
	pci_file("/sys/class/uio/uio7/maps/map0/addr", "0x00000000f7a80000\n");
	pci_file("/sys/class/uio/uio7/maps/map0/size", "0x0000000000002000\n");
	pci_file("/sys/class/uio/uio7/maps/map1/addr", "0x00000000f7a00000\n");
	pci_file("/sys/class/uio/uio7/maps/map1/size", "0x0000000000001000\n");
}

void pci_files_begin(const char *driver)
{
	int is_uio = strcmp(driver, "uio_pci_generic") == 0;

	pci_files_end();
	add_function(PCI_C, "0x1498\n", "31", -1);
	add_function(PCI_B, "0x149b\n", "31", is_uio ? 8 : -1);
	add_function(PCI_A, "0x1498\n", "14", is_uio ? 7 : -1);
	add("0000:00:1f.0", "vendor", "0x8086\n");
	add("0000:00:1f.0", "device", "0x1498\n");
	pci_file("/sys/kernel/iommu_groups/14/type", is_uio ? "identity\n" : "DMA-FQ\n");
	pci_file("/sys/kernel/iommu_groups/31/type", "DMA\n");
	if (*driver)
		add_drivers(driver);
	pci_file("/sys/bus/pci/drivers/vfio-pci/bind", "");
	pci_file("/sys/bus/pci/drivers/uio_pci_generic/bind", "");
	pci_file("/dev/vfio/vfio", "");
	pci_file("/dev/vfio/14", "");
	pci_file("/dev/vfio/31", "");
	pci_file("/dev/uio7", "");
	pci_file("/dev/uio8", "");
	pci_file("/proc/self/pagemap", "");
	pci_file("/proc/self/status", "Name:\tx\nUid:\t1000\t0\t0\t0\n");
	pci_file("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu sme sev sse2\nbugs\t: none\n");
	pci_file("/proc/cmdline", "root=/dev/sda1 quiet\n");
}

void pci_files_end(void)
{
	for (int i = 0; i < FILES; i++) {
		free(files[i].path);
		free(files[i].text);
		files[i].path = files[i].text = NULL;
	}
}

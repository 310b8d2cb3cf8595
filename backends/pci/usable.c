/* SPDX-License-Identifier: MIT */
/*
 * usable.c - the reasons not to use a function, in the order in which they are to be
 * mended. A remedy is for root; USER stands for who is to use the function.
 */
#include "usable.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DRIVERS "/sys/bus/pci/drivers"

void bm_pci_why(const struct bm_pci_verdict *verdict, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(verdict->why, BM_WHY_MAX, format, args);
	va_end(args);
}

void bm_pci_remedy(const struct bm_pci_verdict *verdict, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(verdict->remedy, BM_WHY_MAX, format, args);
	va_end(args);
}

/* ---------------------------------------------------------------- driver */

static int is_loaded(const struct bm_sys *sys, const char *driver)
{
	char path[BM_PCI_PATH];

	snprintf(path, sizeof(path), DRIVERS "/%s", driver);
	return sys->access(path, F_OK) == 0;
}

/* "Uid: real effective saved file". */
static int is_root(const struct bm_sys *sys)
{
	char ids[64], *effective;

	if (!bm_sys_status(sys, "Uid", ids, sizeof(ids)))
		return 0;
	strtoul(ids, &effective, 10);
	return *effective && strtoul(effective, NULL, 10) == 0;
}

/*
 * The override keeps other functions of that kind out of it. A driver that is loaded
 * takes what it finds then; one that is there already has to be told to look.
 */
static void bind(const struct bm_pci_verdict *verdict, const char *driver)
{
	const char *address = verdict->found->address;

	if (is_loaded(verdict->sys, driver))
		bm_pci_remedy(verdict,
			      "echo %s > " BM_PCI_DEVICES "/%s/driver_override && "
			      "echo %s > /sys/bus/pci/drivers_probe",
			      driver, address, address);
	else
		bm_pci_remedy(verdict,
			      "echo %s > " BM_PCI_DEVICES "/%s/driver_override && modprobe %s",
			      driver, address, driver);
}

/* driverctl(8) also unbinds, loads the module, and does all again at the next start. */
static void bind_for_user(const struct bm_pci_verdict *verdict, const char *driver)
{
	int wants_node = strcmp(driver, "vfio-pci") == 0 && !is_root(verdict->sys);
	char then[64] = "";

	if (wants_node)
		snprintf(then, sizeof(then), " && chown USER /dev/vfio/%d", verdict->found->group);
	bm_pci_remedy(verdict, "driverctl set-override %s %s%s", verdict->found->address, driver,
		      then);
}

int bm_pci_has_driver(const struct bm_pci_verdict *verdict, const char *driver)
{
	const char *has = verdict->found->driver;

	if (strcmp(has, driver) == 0)
		return 0;
	if (*has)
		bm_pci_why(verdict, "it has the driver %s, not %s", has, driver);
	else
		bm_pci_why(verdict, "it has no driver; this takes %s", driver);
	if (*has || !is_root(verdict->sys))
		bind_for_user(verdict, driver);
	else
		bind(verdict, driver);
	return *has ? -EBUSY : -ENXIO;
}

int bm_pci_has_node(const struct bm_pci_verdict *verdict, const char *path)
{
	int rc = verdict->sys->access(path, R_OK | W_OK);

	if (rc == 0)
		return 0;
	if (rc == -ENOENT || rc == -ENOTDIR) {
		bm_pci_why(verdict, "there is no %s", path);
		bm_pci_remedy(verdict, "in a container: --device %s", path);
	} else {
		bm_pci_why(verdict, "%s may not be read and written by this user", path);
		bm_pci_remedy(verdict, "chown USER %s", path);
	}
	return rc;
}

/* ---------------------------------------------------------------- vfio */

/*
 * Drivers of the kernel that leave the group to programs, or only pass on what is behind
 * them: those with driver_managed_dma; by Linux 5.18 and before by a list in vfio.c.
 */
static int is_harmless(const char *driver)
{
	static const char *const harmless[] = {"", "vfio-pci", "pci-stub", "pcieport"};

	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		if (strcmp(driver, harmless[i]) == 0)
			return 1;
	return 0;
}

/* vfio gives out a group only as a whole. */
static int is_viable(const struct bm_pci_verdict *verdict)
{
	char path[BM_PCI_PATH], names[4096];
	struct bm_pci_found other;
	ssize_t length;

	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%d/devices", verdict->found->group);
	length = verdict->sys->list(path, names, sizeof(names));
	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1) {
		if (bm_pci_look(verdict->sys, names + at, &other) < 0 || is_harmless(other.driver))
			continue;
		bm_pci_why(verdict, "%s is in the same IOMMU group %d and has the driver %s",
			   other.address, verdict->found->group, other.driver);
		bm_pci_remedy(verdict, "driverctl set-override %s vfio-pci", other.address);
		return -EPERM;
	}
	return 0;
}

static int by_vfio(const struct bm_pci_verdict *verdict)
{
	char path[32];
	int rc;

	if (verdict->found->group < 0) {
		bm_pci_why(verdict, "it is in no IOMMU group: there is no IOMMU, or it is off");
		bm_pci_remedy(verdict, "turn the IOMMU (AMD-Vi, VT-d) on in the firmware; with "
				       "VT-d also boot Linux with intel_iommu=on");
		return -ENODEV;
	}
	rc = bm_pci_has_driver(verdict, "vfio-pci");
	if (rc == 0)
		rc = is_viable(verdict);
	if (rc == 0)
		rc = bm_pci_has_node(verdict, "/dev/vfio/vfio");
	snprintf(path, sizeof(path), "/dev/vfio/%d", verdict->found->group);
	return rc < 0 ? rc : bm_pci_has_node(verdict, path);
}

static int by_uio(const struct bm_pci_verdict *verdict)
{
	char path[32];
	int rc = bm_pci_uio_is_safe(verdict);

	if (rc == 0)
		rc = bm_pci_has_driver(verdict, "uio_pci_generic");
	if (rc == 0 && verdict->found->uio < 0) {
		bm_pci_why(verdict, "uio has no number for it");
		rc = -ENODEV;
	}
	if (rc == 0)
		rc = bm_pci_uio_can(verdict);
	snprintf(path, sizeof(path), "/dev/uio%d", verdict->found->uio);
	return rc < 0 ? rc : bm_pci_has_node(verdict, path);
}

int bm_pci_usable(const struct bm_sys *sys, const struct bm_pci_found *found,
		  enum bm_pci_access access, char *why, char *remedy)
{
	const struct bm_pci_verdict verdict = {sys, found, why, remedy};

	why[0] = remedy[0] = '\0';
	return access == BM_PCI_VFIO ? by_vfio(&verdict) : by_uio(&verdict);
}

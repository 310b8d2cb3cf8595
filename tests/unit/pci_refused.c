/* SPDX-License-Identifier: MIT */
/* pci_refused.c - functions that cannot be opened: why, and nothing is held. */
#include "pci_scene.h"
#include "unit.h"

static int open_it(const char *address, struct bm_pci *opened)
{
	struct bm_pci_found found = pci_found(address);

	pci.why[0] = '\0';
	return bm_pci_open(pci.space, &found, 2, opened, pci.why);
}

static void check_refused(const char *address, int error, const char *why)
{
	struct bm_pci opened;
	int rc = open_it(address, &opened), fds = pci.fds;

	ck_assert_msg(rc == error, "error %d (%s)", -rc, pci.why);
	ck_assert_msg(strstr(pci.why, why) != NULL, "'%s' is not in '%s'", why, pci.why);
	ck_assert_int_eq(fds, 1); /* of the space */
	ck_assert_int_eq(pci.registers + pci.locks + pci.containers_set, 0);
}

START_TEST(refused_by_vfio)
{
	pci_begin("vfio-pci");
	pci_space(BM_PCI_VFIO);
	pci.viable = 0;
	check_refused(PCI_A, -EPERM, "group 14 is not viable");
	pci.viable = VFIO_GROUP_FLAGS_VIABLE;
	pci.iommu_error = -EPERM;
	check_refused(PCI_A, -EPERM, "allow_unsafe_interrupts");
	pci.iommu_error = 0;
	pci.device_error = -EINVAL;
	check_refused(PCI_A, -EINVAL, "vfio does not give it out");
	pci.device_error = 0;
	pci.bar_flags = 3;
	check_refused(PCI_A, -ENXIO, "BAR2");
	pci.bar_flags = 7;
	pci.device_flags = VFIO_DEVICE_FLAGS_PLATFORM;
	check_refused(PCI_A, -ENOTSUP, "BAR2");
	pci.device_flags = VFIO_DEVICE_FLAGS_PCI;
	pci.command = 0xffff;
	check_refused(PCI_A, -ENODEV, "configuration space");
	pci_file("/dev/vfio/14", "-");
	check_refused(PCI_A, -EACCES, "/dev/vfio/14 may not be read");
	pci_link(PCI_DIR PCI_A "/driver", "../../drivers/ccp");
	check_refused(PCI_A, -EACCES, "it has the driver ccp");
	pci_end();
}
END_TEST

START_TEST(refused_by_vfio_what_another_has)
{
	struct bm_pci_space *other;
	struct bm_pci opened, again;
	struct bm_pci_found found;

	pci_begin("vfio-pci");
	pci_space(BM_PCI_VFIO);
	opened = pci_opened(PCI_A);
	ck_assert_int_eq(bm_pci_space_new(&pci.env, BM_PCI_VFIO, &other, pci.why), 0);
	found = pci_found(PCI_A);
	ck_assert_int_eq(bm_pci_open(other, &found, 2, &again, pci.why), -EBUSY);
	ck_assert_ptr_nonnull(strstr(pci.why, "another process has it"));
	bm_pci_space_free(other);
	bm_pci_close(&opened);
	pci_end();
}
END_TEST

START_TEST(refused_without_a_container)
{
	struct bm_pci_space *space;

	pci_begin("vfio-pci");
	pci.extension = 0;
	ck_assert_int_eq(bm_pci_space_new(&pci.env, BM_PCI_VFIO, &space, pci.why), -ENODEV);
	ck_assert_ptr_nonnull(strstr(pci.why, "vfio_iommu_type1"));
	pci.extension = 1;
	pci.version = 1;
	ck_assert_int_eq(bm_pci_space_new(&pci.env, BM_PCI_VFIO, &space, pci.why), -ENODEV);
	pci_file("/dev/vfio/vfio", NULL);
	ck_assert_int_eq(bm_pci_space_new(&pci.env, BM_PCI_VFIO, &space, pci.why), -ENOENT);
	ck_assert_ptr_nonnull(strstr(pci.why, "/dev/vfio/vfio cannot be opened"));
	pci_end();
}
END_TEST

START_TEST(refused_by_uio)
{
	pci_begin("uio_pci_generic");
	pci_space(BM_PCI_UIO);
	pci.lock_error = -EWOULDBLOCK;
	check_refused(PCI_A, -EBUSY, "another process has it");
	/* Closing the node would turn off its bus mastering. */
	ck_assert_ptr_null(strchr(pci.order, 'U'));
	ck_assert_uint_eq(pci.config_writes, 0);
	pci.lock_error = 0;
	pci.command_fixed = 0xffff; /* written in vain */
	pci.command = 0x0400;
	check_refused(PCI_A, -EIO, "configuration space");
	pci.command = 0xffff;
	check_refused(PCI_A, -ENODEV, "configuration space");
	pci.command = 0x0400;
	pci_file(PCI_DIR PCI_A "/resource", NULL);
	check_refused(PCI_A, -ENOENT, "BAR2");
	pci_file(PCI_DIR PCI_A "/resource", "0x0 0x0 0x0\n0x0 0x0 0x0\n0x0 0x0 0x0\n");
	check_refused(PCI_A, -ENXIO, "BAR2");
	pci_file(PCI_DIR PCI_A "/resource", "0x0 0x0 0x0\n0x0 0x0 0x0\n0xe000 0xe0ff 0x40101\n");
	check_refused(PCI_A, -ENXIO, "BAR2"); /* ports */
	pci_end();
}
END_TEST

/* What was true when it was found is asked again: now it would see all of the memory. */
START_TEST(refused_by_uio_what_has_become_unsafe)
{
	struct bm_pci_found found;
	struct bm_pci opened;

	pci_begin("uio_pci_generic");
	pci_space(BM_PCI_UIO);
	found = pci_found(PCI_A);
	pci_file("/sys/kernel/iommu_groups/14/type", "DMA\n");
	ck_assert_int_eq(bm_pci_open(pci.space, &found, 2, &opened, pci.why), -EPERM);
	ck_assert_ptr_nonnull(strstr(pci.why, "not identity"));
	ck_assert_str_eq(pci.order, "");
	pci_file(PCI_DIR PCI_A "/vendor", NULL);
	ck_assert_int_eq(bm_pci_open(pci.space, &found, 2, &opened, pci.why), -ENODEV);
	pci_end();
}
END_TEST

static const TTest *const *const tests[] = {
	&refused_by_vfio, &refused_by_vfio_what_another_has,      &refused_without_a_container,
	&refused_by_uio,  &refused_by_uio_what_has_become_unsafe, NULL};

const struct report_group pci_refused_group = {"pci_refused", tests};

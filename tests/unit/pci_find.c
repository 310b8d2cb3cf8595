/* SPDX-License-Identifier: MIT */
/* pci_find.c - finding functions, and saying why one cannot be used. */
#include "pci_scene.h"
#include "unit.h"

static const struct bm_pci_id ids[] = {{0x1022, 0x1498}, {0x1022, 0x149b}};
static struct bm_pci_found found[BM_PCI_FUNCTIONS_MOST];

static int find_all(size_t most)
{
	return bm_pci_find(&pci.sys, ids, 2, found, most);
}

START_TEST(found_by_their_ids_in_order)
{
	pci_begin("vfio-pci");
	ck_assert_int_eq(find_all(BM_PCI_FUNCTIONS_MOST), 3);
	ck_assert_str_eq(found[0].address, PCI_A);
	ck_assert_str_eq(found[1].address, PCI_B);
	ck_assert_str_eq(found[2].address, PCI_C);
	ck_assert_uint_eq(found[1].id.device, 0x149b);
	ck_assert_int_eq(found[0].node, 1);
	ck_assert_int_eq(found[0].group, 14);
	ck_assert_str_eq(found[0].group_type, "DMA-FQ");
	ck_assert_str_eq(found[0].driver, "vfio-pci");
	ck_assert_int_eq(found[0].uio, -1);
	ck_assert_str_eq(found[2].driver, "");
	ck_assert_int_eq(bm_pci_find(&pci.sys, ids, 1, found, 8), 2);
	pci_end();
}
END_TEST

/* The lowest ones stay, whatever order the folder has; a longer domain is a higher one. */
START_TEST(found_more_than_there_is_room_for)
{
	pci_begin("vfio-pci");
	pci_file(PCI_DIR "10000:01:00.0/vendor", "0x1022\n");
	pci_file(PCI_DIR "10000:01:00.0/device", "0x1498\n");
	ck_assert_int_eq(find_all(2), 2);
	ck_assert_str_eq(found[0].address, PCI_A);
	ck_assert_str_eq(found[1].address, PCI_B);
	ck_assert_int_eq(find_all(0), 0);
	ck_assert_int_eq(find_all(4), 4);
	ck_assert_str_eq(found[3].address, "10000:01:00.0");
	ck_assert_int_eq(found[3].group, -1);
	ck_assert_int_eq(found[3].node, -1);
	pci_end();
}
END_TEST

START_TEST(found_with_files_that_lack_or_are_odd)
{
	pci_begin("uio_pci_generic");
	pci_file(PCI_DIR PCI_B "/vendor", NULL); /* it is being removed */
	pci_file(PCI_DIR PCI_C "/device", "0x1498 and more\n");
	pci_file(PCI_DIR PCI_A "/numa_node", "-1\n");
	pci_file(PCI_DIR "bus/vendor", "0x1022\n");
	pci_file(PCI_DIR "bus/device", "0x1498\n");
	pci_file("/sys/kernel/iommu_groups/14/type", NULL);
	ck_assert_int_eq(find_all(8), 1);
	ck_assert_int_eq(found[0].node, -1);
	ck_assert_int_eq(found[0].uio, 7);
	ck_assert_str_eq(found[0].group_type, "");
	pci_end();
}
END_TEST

START_TEST(found_on_a_machine_with_many)
{
	char path[256];

	pci_begin("");
	for (unsigned int i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), PCI_DIR "%0200u/vendor", i);
		pci_file(path, "0x8086\n");
	}
	ck_assert_int_eq(find_all(8), 3);
	pci_files_end();
	ck_assert_int_eq(find_all(8), 0); /* no PCI at all */
	pci_end();
}
END_TEST

START_TEST(looked_at_by_address)
{
	static const char *const wrong[] = {"",
					    "02:00.2",
					    "0000:02:00",
					    "0000:02:00.8",
					    "0000:02:00.2 ",
					    "000:02:00.2",
					    "0000:0g:00.2",
					    "0000-02:00.2",
					    "../00:02:00.2",
					    "123456789:02:00.2"};

	pci_begin("vfio-pci");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_int_eq(bm_pci_look(&pci.sys, wrong[i], found), -EINVAL);
	ck_assert_int_eq(bm_pci_look(&pci.sys, "0000:03:00.2", found), -ENODEV);
	ck_assert_int_eq(bm_pci_look(&pci.sys, PCI_A, found), 0);
	pci_file(PCI_DIR "0000:0a:00.2/vendor", "0x1022\n");
	pci_file(PCI_DIR "0000:0a:00.2/device", "0x1498\n");
	ck_assert_int_eq(bm_pci_look(&pci.sys, "0000:0A:00.2", found), 0);
	ck_assert_str_eq(found[0].address, "0000:0a:00.2");
	pci_end();
}
END_TEST

/* Nothing leaks, and what cannot be read is not made up. */
static void look_round(void)
{
	struct bm_pci_found one;

	if (bm_pci_look(&pci.sys, PCI_A, &one) == 0)
		ck_assert_uint_eq(one.id.vendor, 0x1022);
	if (find_all(8) > 0)
		ck_assert_uint_eq(found[0].id.vendor, 0x1022);
	bm_pci_usable(&pci.sys, &found[0], BM_PCI_UIO, pci.why, pci.remedy);
	bm_pci_usable(&pci.sys, &found[0], BM_PCI_VFIO, pci.why, pci.remedy);
}

START_TEST(found_when_a_call_fails)
{
	pci_begin("uio_pci_generic");
	ck_assert_uint_gt(pci_try_each(look_round), 30);
	pci_end();
}
END_TEST

/* ---------------------------------------------------------------- usable */

struct situation {
	const char *driver;      /* of the machine */
	const char *file, *text; /* that is otherwise */
	int rc;
	const char *why, *remedy; /* a part; all of it */
};

static void check(const struct situation *is, enum bm_pci_access access)
{
	struct bm_pci_found one;
	int rc;

	pci_begin(is->driver);
	if (is->file)
		pci_file(is->file, is->text);
	one = pci_found(PCI_A);
	memset(pci.why, 'x', sizeof(pci.why));
	memset(pci.remedy, 'x', sizeof(pci.remedy));
	rc = bm_pci_usable(&pci.sys, &one, access, pci.why, pci.remedy);
	ck_assert_msg(rc == is->rc, "%s %s: %d, %s", is->driver, is->file, rc, pci.why);
	ck_assert_msg(strstr(pci.why, is->why) != NULL, "'%s' is not in '%s'", is->why, pci.why);
	ck_assert_str_eq(pci.remedy, is->remedy);
	ck_assert(rc < 0 || !pci.why[0]);
	pci_end();
}

#define OVERRIDE(driver) "echo " driver " > " PCI_DIR PCI_A "/driver_override && "
#define STATUS           "/proc/self/status"
#define USER             "Uid:\t1000\t1000\t0\t0\n"

START_TEST(usable_by_vfio_and_not)
{
	static const struct situation all[] = {
		{"vfio-pci", NULL, NULL, 0, "", ""},
		{"", NULL, NULL, -ENXIO, "no driver; this takes vfio-pci",
		 OVERRIDE("vfio-pci") "echo " PCI_A " > /sys/bus/pci/drivers_probe"},
		{"", STATUS, USER, -ENXIO, "no driver",
		 "driverctl set-override " PCI_A " vfio-pci && chown USER /dev/vfio/14"},
		{"ccp", NULL, NULL, -EBUSY, "driver ccp, not vfio-pci",
		 "driverctl set-override " PCI_A " vfio-pci"},
		{"ccp", STATUS, USER, -EBUSY, "driver ccp, not vfio-pci",
		 "driverctl set-override " PCI_A " vfio-pci && chown USER /dev/vfio/14"},
		{"vfio-pci", "/dev/vfio/vfio", NULL, -ENOENT, "no /dev/vfio/vfio",
		 "in a container: --device /dev/vfio/vfio"},
		{"vfio-pci", "/dev/vfio/14", NULL, -ENOENT, "no /dev/vfio/14",
		 "in a container: --device /dev/vfio/14"},
		{"vfio-pci", "/dev/vfio/14", "-", -EACCES, "/dev/vfio/14 may not be read",
		 "chown USER /dev/vfio/14"},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		check(&all[i], BM_PCI_VFIO);
}
END_TEST

START_TEST(usable_by_vfio_only_with_its_group)
{
	struct bm_pci_found one;

	pci_begin("vfio-pci");
	one = pci_found(PCI_B);
	ck_assert_int_eq(bm_pci_usable(&pci.sys, &one, BM_PCI_VFIO, pci.why, pci.remedy), 0);
	pci_link(PCI_DIR PCI_C "/driver", "../../drivers/pcieport");
	ck_assert_int_eq(bm_pci_usable(&pci.sys, &one, BM_PCI_VFIO, pci.why, pci.remedy), 0);
	pci_link(PCI_DIR PCI_C "/driver", "../../drivers/xhci_hcd");
	ck_assert_int_eq(bm_pci_usable(&pci.sys, &one, BM_PCI_VFIO, pci.why, pci.remedy), -EPERM);
	ck_assert_ptr_nonnull(strstr(pci.why, PCI_C " is in the same IOMMU group 31 and has the "
						    "driver xhci_hcd"));
	ck_assert_str_eq(pci.remedy, "driverctl set-override " PCI_C " vfio-pci");
	one.group = -1;
	ck_assert_int_eq(bm_pci_usable(&pci.sys, &one, BM_PCI_VFIO, pci.why, pci.remedy), -ENODEV);
	ck_assert_ptr_nonnull(strstr(pci.why, "no IOMMU"));
	pci_end();
}
END_TEST

/* A module that is loaded takes what it finds; one that is there has to be told. */
START_TEST(usable_once_the_module_is_there)
{
	static const struct situation vfio = {
		"",          "/sys/bus/pci/drivers/vfio-pci/bind",    NULL, -ENXIO,
		"no driver", OVERRIDE("vfio-pci") "modprobe vfio-pci"};
	static const struct situation uio = {"",
					     "/sys/bus/pci/drivers/uio_pci_generic/bind",
					     NULL,
					     -EPERM,
					     "type DMA-FQ",
					     "echo identity > /sys/kernel/iommu_groups/14/type"};

	check(&vfio, BM_PCI_VFIO);
	check(&uio, BM_PCI_UIO);
}
END_TEST

#define LOCKED  "use it by vfio, or boot without lockdown (Secure Boot off)"
#define CLEAR   "use it by vfio, or boot Linux with mem_encrypt=off"
#define GROUP   "/sys/kernel/iommu_groups/14/type"
#define CPUINFO "/proc/cpuinfo"

START_TEST(usable_by_uio_and_not)
{
	static const struct situation all[] = {
		{"uio_pci_generic", NULL, NULL, 0, "", ""},
		{"uio_pci_generic", GROUP, "DMA\n", -EPERM,
		 "group 14 has the type DMA, not identity",
		 "echo " PCI_A " > " PCI_DIR PCI_A "/driver/unbind && "
		 "echo identity > /sys/kernel/iommu_groups/14/type"},
		{"uio_pci_generic", GROUP, NULL, -ENOTSUP, "cannot be told",
		 "boot Linux 5.11 or later with iommu=pt"},
		{"vfio-pci", GROUP, "identity\n", -EBUSY, "driver vfio-pci, not uio_pci_generic",
		 "driverctl set-override " PCI_A " uio_pci_generic"},
		{"", GROUP, "identity\n", -ENXIO, "no driver; this takes uio_pci_generic",
		 OVERRIDE("uio_pci_generic") "echo " PCI_A " > /sys/bus/pci/drivers_probe"},
		{"uio_pci_generic", PCI_DIR PCI_A "/uio/uio7/name", NULL, -ENODEV, "no number", ""},
		{"uio_pci_generic", "/sys/kernel/security/lockdown",
		 "none [integrity] confidentiality\n", -EPERM, "locked down", LOCKED},
		{"uio_pci_generic", "/sys/kernel/security/lockdown",
		 "[none] integrity confidentiality\n", 0, "", ""},
		{"uio_pci_generic", "/proc/self/pagemap", "-", -EPERM, "CAP_SYS_ADMIN",
		 "run as root, or use it by vfio"},
		{"uio_pci_generic", "/dev/uio7", "-", -EACCES, "/dev/uio7 may not be read",
		 "chown USER /dev/uio7"},
		{"uio_pci_generic", "/proc/cmdline", "quiet mem_encrypt=on", -ENOTSUP, "encrypted",
		 CLEAR},
		{"uio_pci_generic", "/proc/cmdline", "mem_encrypt=on mem_encrypt=off\n", 0, "", ""},
		{"uio_pci_generic", "/proc/cmdline", "not_mem_encrypt=on\n", 0, "", ""},
		{"uio_pci_generic", CPUINFO, "x\nflags\t: hypervisor sev\n", -ENOTSUP, "encrypted",
		 CLEAR},
		{"uio_pci_generic", CPUINFO, "x\nflags\t: hypervisor sev_es\n\nflags\t: sev\n", 0,
		 "", ""},
		{"uio_pci_generic", CPUINFO, "x\nflags\t: tdx_guest\n", -ENOTSUP, "encrypted",
		 CLEAR},
		{"uio_pci_generic", CPUINFO, NULL, 0, "", ""},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		check(&all[i], BM_PCI_UIO);
}
END_TEST

static int no_pinner(void)
{
	return -EPERM;
}

START_TEST(usable_by_uio_only_with_frames_and_pins)
{
	struct bm_pci_found one;

	pci_begin("uio_pci_generic");
	one = pci_found(PCI_A);
	pci.frames_error = -EPERM;
	ck_assert_int_eq(bm_pci_usable(&pci.sys, &one, BM_PCI_UIO, pci.why, pci.remedy), -EPERM);
	ck_assert_ptr_nonnull(strstr(pci.why, "CAP_SYS_ADMIN"));
	pci.frames_error = 0;
	pci.sys.pinner = no_pinner;
	ck_assert_int_eq(bm_pci_usable(&pci.sys, &one, BM_PCI_UIO, pci.why, pci.remedy), -EPERM);
	ck_assert_str_eq(pci.remedy, "sysctl kernel.io_uring_disabled=0");
	one.group = -1; /* without an IOMMU frames are addresses, too */
	ck_assert_int_eq(bm_pci_usable(&pci.sys, &one, BM_PCI_UIO, pci.why, pci.remedy), -EPERM);
	ck_assert_ptr_nonnull(strstr(pci.why, "io_uring"));
	pci_end();
}
END_TEST

static const TTest *const *const tests[] = {&found_by_their_ids_in_order,
					    &found_more_than_there_is_room_for,
					    &found_with_files_that_lack_or_are_odd,
					    &found_on_a_machine_with_many,
					    &looked_at_by_address,
					    &found_when_a_call_fails,
					    &usable_by_vfio_and_not,
					    &usable_by_vfio_only_with_its_group,
					    &usable_once_the_module_is_there,
					    &usable_by_uio_and_not,
					    &usable_by_uio_only_with_frames_and_pins,
					    NULL};

const struct report_group pci_find_group = {"pci_find", tests};

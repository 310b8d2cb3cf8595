/* SPDX-License-Identifier: MIT */
/* model_ptdma_files.c - /sys and /dev as the machine of the software PTDMA has them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "models/ptdma_sys.h"
#include "unit.h"

#define DEVICES "/sys/bus/pci/devices"
#define FOLDER  DEVICES "/0000:01:00.2"
#define NONE    "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"

static const struct ptdma_config two_functions[2] = {{.node = 1}, {.ae4 = 1, .node = -1}};

static struct bm_sys use(struct ptdma_sys_how how)
{
	struct bm_sys sys = bm_sys_linux;

	ptdma_sys_use(&sys, two_functions, 2, &how, 1);
	return sys;
}

static void check_text(const struct bm_sys *sys, const char *path, const char *expected)
{
	char text[1024] = "";
	int fd = sys->open(path, O_RDONLY);

	ck_assert_int_eq(sys->access(path, R_OK), 0);
	ck_assert_msg(fd >= 1 << 21, "%s", path);
	/* In two parts, and then the end. */
	ck_assert_int_eq(sys->read(fd, text, 1), 1);
	ck_assert_int_eq(sys->read_raw(fd, text + 1, 1000), (ssize_t)strlen(expected) - 1);
	ck_assert_int_eq(sys->read(fd, text, 1), 0);
	ck_assert_str_eq(text, expected);
	ck_assert_int_eq(sys->write(fd, text, 1), -EINVAL);
	ck_assert_int_eq(sys->close(fd), 0);
	ck_assert_int_eq(sys->close(fd), -EBADF);
}

static void check_link(const struct bm_sys *sys, const char *path, const char *expected)
{
	char text[256] = "";
	ssize_t length = sys->readlink(path, text, sizeof(text) - 1);

	ck_assert_int_eq(length, (ssize_t)strlen(expected));
	ck_assert_str_eq(text, expected);
	ck_assert_int_eq(sys->readlink(path, text, 3), 3);
}

static int lists(const struct bm_sys *sys, const char *path, const char *name)
{
	char names[1024];
	ssize_t length = sys->list(path, names, sizeof(names));

	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1)
		if (!strcmp(names + at, name))
			return 1;
	return 0;
}

START_TEST(files_texts)
{
	static const char *const rows[][2] = {
		{FOLDER "/vendor", "0x1022\n"},
		{FOLDER "/device", "0x1498\n"},
		{FOLDER "/class", "0x108000\n"},
		{FOLDER "/numa_node", "1\n"},
		{FOLDER "/driver_override", "vfio-pci\n"},
		{FOLDER "/enable", "1\n"},
		{FOLDER "/uevent", "DRIVER=vfio-pci\nPCI_CLASS=108000\nPCI_ID=1022:1498\nPCI_SLOT_"
				   "NAME=0000:01:00.2\n"},
		{FOLDER "/resource",
		 NONE NONE "0x00000000f7800000 0x00000000f787ffff 0x0000000000040200\n" NONE NONE
			   "0x00000000f7880000 0x00000000f7881fff 0x0000000000040200\n" NONE NONE
				   NONE NONE NONE NONE NONE},
		{DEVICES "/0000:02:00.2/device", "0x149b\n"},
		{DEVICES "/0000:02:00.2/numa_node", "-1\n"},
		{"/sys/kernel/iommu_groups/21/type", "DMA\n"}};
	struct bm_sys sys = use((struct ptdma_sys_how){.driver = PTDMA_VFIO_PCI});

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_text(&sys, rows[i][0], rows[i][1]);
	ck_assert_str_eq(ptdma_sys_names(), "0000:01:00.2,0000:02:00.2");
	ptdma_sys_end();
}
END_TEST

START_TEST(files_of_uio)
{
	struct bm_sys sys = use((struct ptdma_sys_how){.driver = PTDMA_UIO_PCI});

	check_text(&sys, "/sys/class/uio/uio3/maps/map0/addr", "0x00000000f7800000\n");
	check_text(&sys, "/sys/class/uio/uio3/maps/map0/size", "0x0000000000080000\n");
	check_text(&sys, "/sys/class/uio/uio4/maps/map0/size", "0x0000000000001000\n");
	check_text(&sys, "/sys/kernel/iommu_groups/22/type", "identity\n");
	check_link(&sys, "/sys/class/uio/uio4/device", "../../../0000:02:00.2");
	check_link(&sys, FOLDER "/driver", "../../../bus/pci/drivers/uio_pci_generic");
	ck_assert(lists(&sys, FOLDER, "uio") && lists(&sys, FOLDER "/uio", "uio3"));
	ck_assert(lists(&sys, "/sys/class/uio", "uio4"));
	ck_assert(lists(&sys, "/sys/class/uio/uio3/maps", "map0"));
	ck_assert_int_eq(sys.access("/dev/vfio/vfio", R_OK), -ENOENT);
	ck_assert_int_eq(sys.open("/dev/vfio/vfio", O_RDWR), -ENOENT);
	ck_assert_int_eq(sys.open("/dev/vfio/21", O_RDWR), -ENOENT);
	ptdma_sys_end();
}
END_TEST

START_TEST(files_links)
{
	struct bm_sys sys = use((struct ptdma_sys_how){.driver = PTDMA_VFIO_PCI});
	char text[8];

	check_link(&sys, FOLDER, "../../../devices/pci0000:00/0000:01:00.2");
	check_link(&sys, FOLDER "/driver", "../../../bus/pci/drivers/vfio-pci");
	check_link(&sys, FOLDER "/iommu_group", "../../../kernel/iommu_groups/21");
	check_link(&sys, DEVICES "/0000:02:00.2/iommu_group", "../../../kernel/iommu_groups/22");
	ck_assert_int_eq(sys.readlink(FOLDER "/vendor", text, 8), -EINVAL);
	ck_assert_int_eq(sys.readlink(FOLDER "/none", text, 8), -ENOENT);
	ptdma_sys_end();
	sys = use((struct ptdma_sys_how){.driver = PTDMA_NO_DRIVER, .group_type = ""});
	ck_assert_int_eq(sys.readlink(FOLDER "/driver", text, 8), -ENOENT);
	ck_assert_int_eq(sys.readlink(FOLDER "/iommu_group", text, 8), -ENOENT);
	ck_assert_int_eq(sys.open("/sys/kernel/iommu_groups/21/type", O_RDONLY), -ENOENT);
	ck_assert_int_eq(sys.open("/dev/vfio/21", O_RDWR), -ENOENT);
	check_text(&sys, FOLDER "/driver_override", "(null)\n");
	ptdma_sys_end();
	sys = use((struct ptdma_sys_how){.driver = PTDMA_UIO_PCI, .group_type = "DMA-FQ"});
	check_text(&sys, "/sys/kernel/iommu_groups/21/type", "DMA-FQ\n");
	ptdma_sys_end();
}
END_TEST

START_TEST(files_folders)
{
	static const char *const missing[] = {DEVICES "/0000:03:00.2",
					      DEVICES "/0000:01:00.2x",
					      FOLDER "/none",
					      FOLDER "/uio",
					      "/dev/vfio/23",
					      "/dev/vfio/20",
					      "/sys/kernel/iommu_groups/5",
					      "/dev/uio3",
					      "/sys/class/uio/uio3"};
	struct bm_sys sys = use((struct ptdma_sys_how){.driver = PTDMA_VFIO_PCI});
	char names[64];

	ck_assert_int_eq(sys.list(DEVICES, names, 26), 26);
	ck_assert_int_eq(memcmp(names, "0000:01:00.2\0000000:02:00.2", 26), 0);
	ck_assert_int_eq(sys.list(DEVICES, names, 25), -ENOBUFS);
	ck_assert(lists(&sys, FOLDER, "vendor") && lists(&sys, FOLDER, "resource2"));
	ck_assert(lists(&sys, FOLDER, "driver") && lists(&sys, FOLDER, "iommu_group"));
	ck_assert(!lists(&sys, FOLDER, "uio") && !lists(&sys, FOLDER, "resource0"));
	ck_assert(lists(&sys, "/sys/kernel/iommu_groups/21/devices", "0000:01:00.2"));
	ck_assert(lists(&sys, "/dev/vfio", "vfio") && lists(&sys, "/dev/vfio", "22"));
	ck_assert_int_eq(sys.access("/dev/vfio/22", R_OK | W_OK), 0);
	ck_assert_int_eq(sys.access("/dev/vfio/vfio", R_OK | W_OK), 0);
	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
		ck_assert_msg(sys.open(missing[i], O_RDONLY) == -ENOENT, "%s", missing[i]);
		ck_assert_int_eq(sys.access(missing[i], R_OK), -ENOENT);
		ck_assert_int_eq(sys.list(missing[i], names, 64), -ENOENT);
	}
	ptdma_sys_end();
}
END_TEST

START_TEST(files_pass_on_all_else)
{
	struct bm_sys sys = use((struct ptdma_sys_how){.driver = PTDMA_VFIO_PCI});
	struct ptdma_sys_held held;
	char bytes[4];
	int fd = sys.open("/dev/zero", O_RDWR);

	ck_assert(fd >= 0 && fd < 1 << 20);
	ck_assert_int_eq(sys.read(fd, bytes, 4), 4);
	ck_assert_int_eq(sys.pread_raw(fd, bytes, 4, 0), 4);
	ck_assert_int_eq(sys.write(fd, bytes, 4), 4);
	ck_assert_int_eq(sys.pwrite_raw(fd, bytes, 4, 0), 4);
	ck_assert_int_lt(sys.ioctl(fd, 1, NULL), 0);
	ck_assert_int_eq(sys.close(fd), 0);
	ck_assert_int_eq(sys.close_raw(fd), -EBADF);
	ck_assert_int_eq(sys.access("/dev/none", R_OK), -ENOENT);
	ck_assert(lists(&sys, "/proc/self", "maps"));
	fd = sys.open("/proc/cmdline", O_RDONLY);
	ck_assert(fd >= 0 && fd < 1 << 20 && !sys.close(fd));
	ptdma_sys_count(&held);
	ck_assert_uint_eq(held.files, 0);
	ptdma_sys_end();
}
END_TEST

/* As many as there are, and no more; each is free again once closed. */
START_TEST(files_are_many)
{
	struct bm_sys sys = use((struct ptdma_sys_how){.driver = PTDMA_VFIO_PCI});
	int fds[256];

	for (size_t i = 0; i < 256; i++)
		ck_assert_int_ge(fds[i] = sys.open(FOLDER "/vendor", O_RDONLY), 1 << 21);
	ck_assert_int_eq(sys.open(FOLDER "/vendor", O_RDONLY), -EMFILE);
	ck_assert_int_eq(sys.close(fds[77]), 0);
	ck_assert_int_eq(sys.open(FOLDER "/class", O_RDONLY), fds[77]);
	ptdma_sys_end();
}
END_TEST

static const TTest *const *const tests[] = {
	&files_texts,    &files_of_uio, &files_links, &files_folders, &files_pass_on_all_else,
	&files_are_many, NULL};
const struct report_group model_ptdma_files_group = {"model_ptdma_files", tests};

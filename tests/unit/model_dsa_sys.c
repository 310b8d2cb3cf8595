/* SPDX-License-Identifier: MIT */
/* model_dsa_sys.c - the software DSA as /dev/dsa/wq0.Q and in sysfs. */
#include "models/dsa_sys.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "desk.h"
#include "unit.h"

#define DEVICE "/sys/bus/dsa/devices/dsa0"

static struct bm_sys use(const struct desk *desk, struct dsa_sys_how how)
{
	struct bm_sys sys = bm_sys_linux;

	dsa_sys_use(&sys, desk->dsa, &how);
	return sys;
}

START_TEST(sys_texts)
{
	static const char *const rows[][2] = {{"version", "0x100\n"},
					      {"state", "enabled\n"},
					      {"gen_cap", "0x40915f0107\n"},
					      {"numa_node", "3\n"},
					      {"max_transfer_size", "2147483648\n"},
					      {"pasid_enabled", "1\n"},
					      {"wq0.0/mode", "shared\n"},
					      {"wq0.0/size", "64\n"},
					      {"wq0.0/threshold", "6\n"},
					      {"wq0.1/mode", "dedicated\n"},
					      {"wq0.1/max_batch_size", "32\n"},
					      {"wq0.1/max_transfer_size", "1048576\n"},
					      {"wq0.1/type", "user\n"},
					      {"wq0.1/state", "enabled\n"},
					      {"wq0.1/block_on_fault", "0\n"},
					      {"wq0.1/driver_name", "user\n"},
					      {"group0.0/work_queues", "wq0.0 wq0.1\n"}};
	struct dsa_queue_config queues[2] = {desk_queues[0], desk_queues[1]};
	char text[16];
	struct desk desk;
	struct bm_sys sys;

	queues[0].threshold = 6;
	queues[0].node = 3;
	desk_open_with(&desk, queues, DSA_AT_ONCE, 1);
	sys = use(&desk, (struct dsa_sys_how){0});
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char path[128], bytes[128] = "";
		int fd;

		snprintf(path, sizeof(path), DEVICE "/%s", rows[i][0]);
		ck_assert_int_eq(sys.access(path, R_OK), 0);
		fd = sys.open(path, O_RDONLY);
		ck_assert_int_ge(fd, 1 << 20);
		/* In two parts, and then the end. */
		ck_assert_int_eq(sys.read(fd, bytes, 1), 1);
		ck_assert_int_eq(sys.read_raw(fd, bytes + 1, 100), (ssize_t)strlen(rows[i][1]) - 1);
		ck_assert_int_eq(sys.read(fd, bytes, 1), 0);
		ck_assert_str_eq(bytes, rows[i][1]);
		ck_assert_int_eq(sys.pread(fd, bytes, 1, 1), 1);
		ck_assert_int_eq(bytes[0], rows[i][1][1]);
		ck_assert_int_eq(sys.write(fd, bytes, 64), -EBADF);
		ck_assert_int_eq(sys.close(fd), 0);
		ck_assert_int_eq(sys.close(fd), -EBADF);
	}
	dsa_halt(desk.dsa);
	ck_assert_int_gt(bm_sys_text(&sys, DEVICE "/state", text, sizeof(text)), 0);
	ck_assert_str_eq(text, "halted");
	desk_close(&desk);
}
END_TEST

static int lists(const struct bm_sys *sys, const char *path, const char *name)
{
	char names[1024];
	ssize_t length = sys->list(path, names, sizeof(names));

	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1)
		if (!strcmp(names + at, name))
			return 1;
	return 0;
}

START_TEST(sys_folders)
{
	static const char *const missing[] = {
		DEVICE "/wq0.2",  DEVICE "/wq0.2/mode", DEVICE "/wq0.1/none", DEVICE "1",
		"/dev/dsa/wq0.2", "/dev/dsa/wq0.",      "/dev/dsa/wq0.0x",    "/sys/bus/dsa/none"};
	char names[12];
	struct desk desk;
	struct bm_sys sys;

	desk_open(&desk, DSA_AT_ONCE, 1);
	sys = use(&desk, (struct dsa_sys_how){0});
	ck_assert(lists(&sys, "/sys/bus/dsa/devices", "dsa0"));
	ck_assert(lists(&sys, DEVICE, "wq0.1") && lists(&sys, DEVICE, "version"));
	ck_assert(!lists(&sys, DEVICE, "wq0.2"));
	ck_assert(lists(&sys, DEVICE "/wq0.1", "mode"));
	ck_assert(lists(&sys, "/dev/dsa", "wq0.0") && lists(&sys, "/dev/dsa", "wq0.1"));
	ck_assert_int_eq(sys.list("/dev/dsa", names, 11), -ENOBUFS);
	ck_assert_int_eq(sys.list("/dev/dsa", names, 12), 12);
	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
		ck_assert_int_eq(sys.open(missing[i], O_RDONLY), -ENOENT);
		ck_assert_int_eq(sys.access(missing[i], R_OK), -ENOENT);
		ck_assert_int_eq(sys.list(missing[i], names, 12), -ENOENT);
	}
	ck_assert_str_eq(dsa_sys_names(), "wq0.0,wq0.1");
	sys = use(&desk, (struct dsa_sys_how){.hides_files = 1});
	ck_assert_int_eq(sys.open(DEVICE "/state", O_RDONLY), -ENOENT);
	ck_assert_int_eq(sys.list(DEVICE, names, 12), -ENOENT);
	ck_assert_int_eq(sys.access(DEVICE, R_OK), -ENOENT);
	ck_assert(lists(&sys, "/dev/dsa", "wq0.0"));
	desk_close(&desk);
}
END_TEST

START_TEST(sys_open_and_close)
{
	struct dsa_rule late = {.knob = DSA_LATE, .every = 1};
	struct desk desk;
	struct bm_sys sys;
	uint64_t portal;
	int first, second;

	desk_open(&desk, DSA_WHEN_RUN, 1);
	dsa_set_rules(desk.dsa, &late, 1);
	sys = use(&desk, (struct dsa_sys_how){0});
	first = sys.open("/dev/dsa/wq0.1", O_RDWR);
	ck_assert_int_ge(first, 1 << 20);
	ck_assert_int_eq(sys.open("/dev/dsa/wq0.1", O_RDWR), -EBUSY);
	ck_assert_int_eq(sys.map_portal(first, &portal), 0);
	ck_assert_int_eq(sys.close(first), 0);
	/* The mapping holds it still. */
	ck_assert_int_eq(sys.open("/dev/dsa/wq0.1", O_RDWR), -EBUSY);
	ck_assert_int_eq(sys.unmap(portal, 4096), 0);
	ck_assert_int_eq(sys.unmap(portal, 4096), -EINVAL);
	first = sys.open("/dev/dsa/wq0.1", O_RDWR);
	ck_assert_int_ge(first, 1 << 20);
	ck_assert_int_eq(sys.close_raw(first), 0);
	first = sys.open("/dev/dsa/wq0.0", O_RDWR);
	second = sys.open("/dev/dsa/wq0.0", O_RDWR);
	ck_assert_int_ne(first, second);
	desk_submit(&desk, 0);
	sys.close(first);
	ck_assert_int_eq(desk_status(&desk, 0), 0);
	sys.close(second);
	ck_assert_int_eq(desk_status(&desk, 0), 1);
	desk_close(&desk);
}
END_TEST

START_TEST(sys_portals)
{
	struct desk desk;
	struct bm_sys sys;
	uint64_t portals[2];
	int fds[2];

	desk_open(&desk, DSA_AT_ONCE, 1);
	sys = use(&desk, (struct dsa_sys_how){.cpu_facts = BM_CPU_ENQCMD});
	ck_assert_uint_eq(sys.cpu_facts(), BM_CPU_ENQCMD);
	for (int queue = 0; queue < 2; queue++) {
		fds[queue] = sys.open(queue ? "/dev/dsa/wq0.1" : "/dev/dsa/wq0.0", O_RDWR);
		ck_assert_int_eq(sys.map_portal(fds[queue], &portals[queue]), 0);
	}
	ck_assert_uint_ne(portals[0] / 4096, portals[1] / 4096);
	for (size_t slot = 0; slot < 64; slot++) {
		desk_descriptor descriptor = desk_copy(&desk, slot);

		if (slot % 2)
			sys.movdir64b(portals[1] + 64 * slot, &descriptor);
		else
			ck_assert_int_eq(sys.enqcmd(portals[0] + 64 * slot, &descriptor), 0);
		ck_assert(desk_status(&desk, slot) == 1 && desk_is_copied(&desk, slot));
	}
	desk_batch(&desk, 2);
	memset(desk.records, 0, 64);
	/* The wrong instruction for the queue. */
	ck_assert_int_eq(sys.enqcmd(portals[1], desk.list), -EAGAIN);
	sys.movdir64b(portals[0], desk.list);
	ck_assert_int_eq(desk_status(&desk, 0), 0);
	ck_assert_uint_eq(desk_counts(&desk).refused, 2);
	ck_assert_int_eq(sys.write(fds[0], desk.list, 64), 64);
	ck_assert_int_eq(sys.write_raw(fds[1], desk.list + 1, 64), 64);
	ck_assert(desk_status(&desk, 0) == 1 && desk_status(&desk, 1) == 1);
	ck_assert_int_eq(sys.read(fds[0], portals, 8), -EINVAL);
	sys.umwait(desk.records[2], 1000);
	desk_close(&desk);
}
END_TEST

static jmp_buf aborted;

static void leave(const char *message)
{
	(void)message;
	longjmp(aborted, 1);
}

/* Not aligned, of no queue, and no longer mapped. */
START_TEST(sys_portals_that_are_none)
{
	struct bm_sys sys = bm_sys_linux;
	struct dsa_sys_how how = {0};
	volatile size_t aborts = 0;
	uint64_t portal;
	struct desk desk;
	desk_descriptor descriptor;

	desk_open(&desk, DSA_AT_ONCE, 1);
	sys.abort = leave;
	dsa_sys_use(&sys, desk.dsa, &how);
	ck_assert_int_eq(sys.map_portal(sys.open("/dev/dsa/wq0.0", O_RDWR), &portal), 0);
	descriptor = desk_copy(&desk, 0);
	for (volatile size_t i = 0; i < 4; i++) {
		const uint64_t wrong[] = {portal + 32, portal + 4096, portal - 64, portal};

		if (i == 3)
			ck_assert_int_eq(sys.unmap(portal, 4096), 0);
		if (setjmp(aborted))
			aborts++;
		else
			sys.enqcmd(wrong[i], &descriptor);
	}
	ck_assert_uint_eq(aborts, 4);
	ck_assert_int_eq(desk_status(&desk, 0), 0);
	desk_close(&desk);
}
END_TEST

START_TEST(sys_errors_as_told)
{
	struct dsa_sys_how how = {
		.map_error = -EPERM, .pin_error = -ENOMEM, .cpu_facts = BM_CPU_WAITPKG};
	struct desk desk;
	struct bm_sys sys;
	uint64_t portal = 5;

	desk_open(&desk, DSA_AT_ONCE, 1);
	sys = use(&desk, how);
	ck_assert_int_eq(sys.map_portal(sys.open("/dev/dsa/wq0.0", O_RDWR), &portal), -EPERM);
	ck_assert_uint_eq(portal, 5);
	ck_assert_int_eq(sys.pin(desk_address(desk.records), 4096), -ENOMEM);
	ck_assert_int_eq(sys.open("/dev/dsa/wq0.0", O_RDWR) >= 1 << 20, 1);
	how.open_error = -EACCES;
	sys = use(&desk, how);
	ck_assert_int_eq(sys.open("/dev/dsa/wq0.0", O_RDWR), -EACCES);
	ck_assert_int_ge(sys.open(DEVICE "/state", O_RDONLY), 1 << 20);
	desk_close(&desk);
}
END_TEST

START_TEST(sys_passes_on_all_else)
{
	struct desk desk;
	struct bm_sys sys;
	char bytes[4];
	int fd;

	desk_open(&desk, DSA_AT_ONCE, 1);
	sys = use(&desk, (struct dsa_sys_how){0});
	fd = sys.open("/dev/zero", O_RDWR);
	ck_assert(fd >= 0 && fd < 1 << 20);
	ck_assert_int_eq(sys.read(fd, bytes, 4), 4);
	ck_assert_int_eq(sys.write(fd, bytes, 4), 4);
	ck_assert_int_eq(sys.write_raw(fd, bytes, 4), 4);
	ck_assert_int_eq(sys.close(fd), 0);
	ck_assert_int_eq(sys.close_raw(fd), -EBADF);
	ck_assert_int_eq(sys.access("/dev/none", R_OK), -ENOENT);
	ck_assert(lists(&sys, "/proc/self", "maps"));
	ck_assert_int_eq(sys.map_portal(-1, NULL), -EBADF);
	desk_close(&desk);
}
END_TEST

static const TTest *const *const tests[] = {&sys_texts,
					    &sys_folders,
					    &sys_open_and_close,
					    &sys_portals,
					    &sys_portals_that_are_none,
					    &sys_errors_as_told,
					    &sys_passes_on_all_else,
					    NULL};
const struct report_group model_dsa_sys_group = {"model_dsa_sys", tests};

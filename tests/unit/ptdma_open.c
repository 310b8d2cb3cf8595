/* SPDX-License-Identifier: MIT */
/*
 * ptdma_open.c - opening the backend ptdma where something is in its way: an error,
 * a reason that names what it is about, and nothing that is left.
 *
 * And channels that cannot have what they need, which tell of that in pin().
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ptdma_scene.h"
#include "unit.h"

#define FIRST  "0000:01:00.2"
#define SECOND "0000:02:00.2"

static const struct ptdma_config two[2];
static char why[BM_WHY_MAX], remedy[BM_WHY_MAX];

static int has(const char *text, const char *part)
{
	size_t length = strlen(part);

	for (; *text; text++)
		if (strncasecmp(text, part, length) == 0)
			return 1;
	return 0;
}

/* probe() does not say more or less than open(), and neither leaves anything. */
static int try_open(const char *what, const struct ptdma_sys_how *how, size_t count)
{
	int probed, opened;

	snprintf(pt.what, sizeof(pt.what), "%s", what);
	pt_begin(two, count, how, 0);
	why[0] = remedy[0] = '\0';
	probed = bm_backend_ptdma.probe(&pt.env, why, remedy);
	pt_assert(probed <= 0 && probed > -4096, "probe() gave %d", probed);
	pt_assert(pt_held().files == 0 && pt_held().locks == 0, "probe() leaves files open");
	opened = bm_backend_ptdma.open(&pt.env, &pt.engine);
	if (opened == 0)
		return probed;
	pt_assert(opened < 0 && opened > -4096, "open() gave %d", opened);
	pt.engine = NULL;
	return opened;
}

/* It is refused, with these words in the reason or the lines, and the remedy. */
static void expect_refused(const char *what, const struct ptdma_sys_how *how, const char *word,
			   const char *helps)
{
	int rc = try_open(what, how, 1);

	pt_assert(rc < 0 && !pt.engine, "open() gave %d", rc);
	pt_assert(pt.errors > 0 || has(pt.lines, "not used"), "open() gave %d and logged nothing",
		  rc);
	pt_assert(has(pt.lines, word) || has(why, word), "\"%s\" is not in \"%s\"", word, why);
	pt_assert(has(pt.lines, FIRST) || has(why, FIRST), "no function is named: \"%s\"", why);
	pt_assert(!helps || has(remedy, helps) || has(pt.lines, helps), "\"%s\" is not in \"%s\"",
		  helps, remedy);
	pt_close();
}

/* What probe() can see without disturbing anybody it says itself. */
static void expect_probed(const char *what, const struct ptdma_sys_how *how, const char *word,
			  const char *helps)
{
	expect_refused(what, how, word, helps);
	pt_assert(why[0], "probe() gives no reason");
	pt_assert(has(why, word) || has(remedy, word), "\"%s\" is not in \"%s\"", word, why);
	pt_assert(!helps || has(remedy, helps), "\"%s\" is not in \"%s\"", helps, remedy);
}

/* ---------------------------------------------------------------- vfio */

static ssize_t no_names(const char *path, char *buffer, size_t size)
{
	(void)path;
	(void)buffer;
	(void)size;
	return 0;
}

START_TEST(no_functions_here)
{
	struct ptdma_sys_how how = {.driver = PTDMA_VFIO_PCI};

	snprintf(pt.what, sizeof(pt.what), "no function");
	pt_begin(two, 1, &how, 0);
	pt.sys.list = no_names;
	ck_assert_int_eq(bm_backend_ptdma.open(&pt.env, &pt.engine), -ENODEV);
	pt_assert(pt.errors == 0, "it is not skipped in silence");
	pt.engine = NULL;
	pt_close();
}
END_TEST

START_TEST(without_the_driver)
{
	struct ptdma_sys_how how = {.driver = PTDMA_NO_DRIVER};

	expect_probed("no driver", &how, "driver", "vfio-pci");
	how.driver = PTDMA_UIO_PCI;
	pt_begin(two, 1, &how, 0);
	pt.env.ptdma_access = "vfio";
	ck_assert_int_lt(bm_backend_ptdma.probe(&pt.env, why, remedy), 0);
	pt_assert(has(why, "uio_pci_generic"), "\"%s\" does not say which driver has it", why);
	pt_assert(has(remedy, "vfio-pci"), "\"%s\" does not name the driver", remedy);
	pt_close();
}
END_TEST

START_TEST(without_a_group)
{
	struct ptdma_sys_how how = {.driver = PTDMA_VFIO_PCI, .group_type = ""};

	expect_probed("no IOMMU", &how, "IOMMU", "iommu");
}
END_TEST

/* /dev/vfio/21 is of the group of the first one. */
START_TEST(not_allowed)
{
	struct ptdma_sys_how how = {.driver = PTDMA_VFIO_PCI, .open_error = -EACCES};

	expect_refused("not root", &how, "/dev/vfio/21", NULL);
	how.open_error = -EBUSY;
	expect_refused("in use", &how, "/dev/vfio/21", NULL);
	how.open_error = -ENOENT;
	expect_refused("no such file", &how, "/dev/vfio/21", NULL);
}
END_TEST

START_TEST(no_mappings)
{
	static const int errors[] = {-ENOMEM, -EPERM, -EINVAL, -ENOSPC};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct ptdma_sys_how how = {.driver = PTDMA_VFIO_PCI, .map_error = errors[i]};
		int rc = try_open("VFIO_IOMMU_MAP_DMA", &how, 2);

		pt_assert(rc < 0 && !pt.engine, "open() gave %d", rc);
		pt_assert(pt.lines[0], "open() gave %d and logged nothing", rc);
		pt_close();
	}
}
END_TEST

/* RLIMIT_MEMLOCK is not for the rings alone, and says so where it is too low even for them. */
START_TEST(little_may_be_locked)
{
	static const enum ptdma_driver drivers[] = {PTDMA_VFIO_PCI, PTDMA_UIO_PCI};

	for (size_t i = 0; i < 2; i++) {
		struct ptdma_sys_how how = {.driver = drivers[i], .memlock = PT_PAGE};
		int rc = try_open("RLIMIT_MEMLOCK of a page", &how, 1);

		if (rc == 0 && pt.engine) {
			pt_open_channel();
			pt_add_apart(60, 4);
			pt_assert(pt_pin() == -ENOMEM, "pin() has more than may be locked");
		} else {
			pt_assert(pt.lines[0], "open() gave %d and logged nothing", rc);
			pt_assert(has(pt.lines, "memlock"), "RLIMIT_MEMLOCK is not named");
		}
		pt_close();
	}
}
END_TEST

/* As much as for the rings, and for some pages: what is too much is refused, the rest goes on. */
START_TEST(pins_up_to_the_limit)
{
	static const enum ptdma_driver drivers[] = {PTDMA_VFIO_PCI, PTDMA_UIO_PCI};

	for (size_t i = 0; i < 2; i++) {
		struct ptdma_sys_how how = {.driver = drivers[i], .memlock = 1u << 20};

		snprintf(pt.what, sizeof(pt.what), "RLIMIT_MEMLOCK of 1 MiB, driver %d",
			 (int)drivers[i]);
		pt_begin(two, 1, &how, 32);
		pt_open();
		for (int round = 0; round < 3; round++) {
			pt_clear();
			for (size_t k = 0; k < 200; k++)
				pt_add(2 * k, 2 * k, 1);
			pt_assert(pt_pin() == -ENOMEM, "200 pages and 200 pages are pinned");
			pt_clear();
			for (size_t k = 0; k < 50; k++)
				pt_add(2 * k, 2 * k, 1);
			ck_assert_int_eq(pt_pin(), 0);
			ck_assert_uint_eq(pt_drive(PT_EVER), 0);
			pt_assert(pt.failed == 0, "%zu have failed", pt.failed);
			pt_unpin();
			pt_compare("after the limit");
		}
		pt_close();
	}
}
END_TEST

/* Not all functions can be reset, and these are used; nor is the rest of them, when one cannot. */
START_TEST(without_resets)
{
	static const int errors[] = {-ENOTTY, -EIO};

	for (size_t i = 0; i < 2; i++) {
		struct ptdma_sys_how how = {.driver = PTDMA_VFIO_PCI, .reset_error = errors[i]};
		int rc = try_open("reset", &how, 2);

		pt_assert(errors[i] != -ENOTTY || rc == 0, "open() gave %d", rc);
		pt_assert(rc == 0 || pt.lines[0], "open() gave %d and logged nothing", rc);
		if (pt.engine) {
			pt_open_channel();
			pt_add_apart(60, 4);
			ck_assert_int_eq(pt_pin(), 0);
			ck_assert_uint_eq(pt_drive(PT_EVER), 0);
			pt_assert(pt.failed == 0, "%zu have failed", pt.failed);
			pt_unpin();
			pt_compare("without resets");
		}
		pt_close();
	}
}
END_TEST

/* With lockdown configuration space is read-only. */
START_TEST(no_bus_mastering)
{
	static const enum ptdma_driver drivers[] = {PTDMA_VFIO_PCI, PTDMA_UIO_PCI};

	for (size_t i = 0; i < 2; i++) {
		struct ptdma_sys_how how = {.driver = drivers[i], .master_lost_config = 1};

		expect_refused("no bus mastering", &how, "master", NULL);
	}
}
END_TEST

/* ---------------------------------------------------------------- uio */

START_TEST(an_iommu_that_translates)
{
	static const char *const types[] = {"DMA", "DMA-FQ", "blocked"};

	for (size_t i = 0; i < 3; i++) {
		struct ptdma_sys_how how = {.driver = PTDMA_UIO_PCI, .group_type = types[i]};

		expect_probed("an IOMMU that translates", &how, types[i], "identity");
	}
}
END_TEST

START_TEST(frames_are_not_told)
{
	struct ptdma_sys_how how = {.driver = PTDMA_UIO_PCI, .no_pfn = 1};

	expect_refused("pagemap", &how, "pagemap", NULL);
}
END_TEST

START_TEST(no_pins)
{
	struct ptdma_sys_how how = {.driver = PTDMA_UIO_PCI, .map_error = -ENOMEM};
	int rc = try_open("pin_buffers()", &how, 1);

	pt_assert(rc < 0 && !pt.engine && pt.lines[0], "open() gave %d", rc);
	pt_close();
	how = (struct ptdma_sys_how){.driver = PTDMA_UIO_PCI, .open_error = -EACCES};
	expect_refused("not root", &how, "/dev/uio", NULL);
}
END_TEST

/* What lies at a frame is not what the process reads there. Through an IOMMU it is. */
START_TEST(encrypted_memory)
{
	struct ptdma_sys_how how = {.driver = PTDMA_UIO_PCI, .encrypted = 1};

	expect_refused("encrypted memory", &how, "encrypt", "vfio");
	how.driver = PTDMA_VFIO_PCI;
	ck_assert_int_eq(try_open("encrypted memory by vfio", &how, 1), 0);
	ck_assert_ptr_nonnull(pt.engine);
	pt_close();
}
END_TEST

/* The option has to say it: nobody gets there by chance. */
START_TEST(never_without_an_iommu_by_itself)
{
	struct ptdma_sys_how how = {.driver = PTDMA_UIO_PCI};

	snprintf(pt.what, sizeof(pt.what), "uio, without the option");
	pt_begin(two, 1, &how, 0);
	pt.env.ptdma_access = NULL;
	ck_assert_int_lt(bm_backend_ptdma.open(&pt.env, &pt.engine), 0);
	pt.engine = NULL;
	pt_close();
}
END_TEST

/* ---------------------------------------------------------------- names */

static void expect_functions(const char *names, int rc, const char *says)
{
	struct ptdma_sys_how how = {.driver = PTDMA_VFIO_PCI};
	int got;

	snprintf(pt.what, sizeof(pt.what), "functions \"%s\"", names);
	pt_begin(two, 2, &how, 0);
	pt.env.ptdma_functions = names;
	got = bm_backend_ptdma.open(&pt.env, &pt.engine);
	pt_assert((got == 0) == (rc == 0), "open() gave %d", got);
	pt_assert(!says || has(pt.lines, says), "\"%s\" is not told of", says);
	if (got < 0)
		pt.engine = NULL;
	else
		pt_assert(pt_held().bus_masters == 1 + (strchr(names, ',') != NULL),
			  "%u functions are bus masters", pt_held().bus_masters);
	pt_close();
}

START_TEST(functions_by_name)
{
	expect_functions(FIRST, 0, NULL);
	expect_functions(SECOND, 0, NULL);
	expect_functions(FIRST "," SECOND, 0, NULL);
	expect_functions("0000:77:00.2", -ENODEV, "0000:77:00.2");
	expect_functions("nonsense", -EINVAL, "nonsense");
}
END_TEST

static void add_queue(void *arg, const struct bm_queue_facts *queue)
{
	int *count = arg;

	++*count;
	pt_assert(has(queue->device, "0000:0"), "device \"%s\"", queue->device);
	pt_assert(queue->why[0], "%d: it can be used without a driver", *count);
	pt_assert(has(queue->remedy, "vfio-pci"), "remedy \"%s\"", queue->remedy);
}

/* Those that cannot be used are listed with the reason. */
START_TEST(unusable_functions_are_listed)
{
	struct ptdma_sys_how how = {.driver = PTDMA_NO_DRIVER};
	int count = 0;

	snprintf(pt.what, sizeof(pt.what), "list()");
	pt_begin(two, 2, &how, 0);
	bm_backend_ptdma.list(&pt.env, add_queue, &count);
	ck_assert_int_eq(count, 2);
	pt_close();
}
END_TEST

/* Another engine of this process, or another process. */
START_TEST(functions_in_use)
{
	static const enum ptdma_driver drivers[] = {PTDMA_VFIO_PCI, PTDMA_UIO_PCI};

	for (size_t i = 0; i < 2; i++) {
		struct ptdma_sys_how how = {.driver = drivers[i]};
		struct bm_engine *second;
		int rc;

		snprintf(pt.what, sizeof(pt.what), "in use, driver %d", (int)drivers[i]);
		pt_begin(two, 1, &how, 0);
		pt_open();
		rc = bm_backend_ptdma.open(&pt.env, &second);
		pt_assert(rc < 0, "two engines have one function");
		pt_assert(has(pt.lines, FIRST), "it does not say which one");
		/* That has not harmed the first one. */
		pt_add_apart(60, 4);
		ck_assert_int_eq(pt_pin(), 0);
		ck_assert_uint_eq(pt_drive(PT_EVER), 0);
		pt_assert(pt.failed == 0, "%zu have failed", pt.failed);
		pt_unpin();
		pt_compare("beside another open()");
		pt_close();
	}
}
END_TEST

static const TTest *const *const tests[] = {
	&no_functions_here,    &without_the_driver,
	&without_a_group,      &not_allowed,
	&no_mappings,          &little_may_be_locked,
	&pins_up_to_the_limit, &without_resets,
	&no_bus_mastering,     &an_iommu_that_translates,
	&frames_are_not_told,  &no_pins,
	&encrypted_memory,     &never_without_an_iommu_by_itself,
	&functions_by_name,    &unusable_functions_are_listed,
	&functions_in_use,     NULL};
const struct report_group ptdma_open_group = {"ptdma_open", tests};

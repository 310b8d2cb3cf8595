/* SPDX-License-Identifier: MIT */
/* info.c - snapshots: every row, and memory that runs out at each step. */
#include <numa.h>
#include <stdio.h>

#include "fake.h"
#include "unit.h"

#define TIERS     "/sys/devices/virtual/memory_tiering"
#define FUNCTIONS "/sys/bus/pci/devices"

static void make_world(void)
{
	static const char sizes[] = "hugepages-1048576kB\0hugepages-2048kB\0rubbish";
	static const char tiers[] = "memory_tier4\0power\0memory_tier22";

	fake_reset();
	fake_dir("/sys/kernel/mm/hugepages", sizes, sizeof(sizes));
	fake_dir(TIERS, tiers, sizeof(tiers));
	fake_file(TIERS "/memory_tier4/nodelist", "0-3,8\n");
	fake_file("/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
	fake_file("/proc/sys/kernel/numa_balancing", "1\n");
	fake_file("/proc/sys/vm/max_map_count", "65530\n");
	fake_file("/proc/cmdline", "BOOT_IMAGE=/vmlinuz init_on_alloc=0 quiet\n");
	fake_file("/proc/self/status", "Name:\tx\nCapEff:\t0000000000880000\nNoNewPrivs:\t0\n"
				       "Seccomp:\t2\nSeccomp_filters:\t1\n"
				       "Mems_allowed_list:\t0-3,8\n");
}

static const char *fact(const struct bm_info *info, const char *name)
{
	const struct bm_fact *row;

	for (size_t i = 0; (row = bm_info_kernel(info, i)); i++) {
		if (strcmp(row->name, name) == 0)
			return row->value;
	}
	ck_abort_msg("there is no fact %s", name);
	return NULL;
}

/* Nodes are those of libnuma, not of the fake. */
#define NO_NODES "libnuma finds no nodes here: get_mempolicy(2) is not there"

START_TEST(facts)
{
	struct bm_context *context;
	struct bm_info *info;

	if (numa_available() < 0)
		skip_test(NO_NODES);
	make_world();
	context = fake_context();
	ck_assert_int_eq(bm_info_new(context, &info), 0);
	ck_assert_str_eq(fact(info, "page_size"), "4096");
	ck_assert_str_eq(fact(info, "huge_page_size"), "2097152");
	ck_assert_str_eq(fact(info, "transparent_hugepage"), "always [madvise] never");
	ck_assert_str_eq(fact(info, "hugetlb_sizes"), "2048 kB, 1048576 kB");
	ck_assert_str_eq(fact(info, "PAGEMAP_SCAN"), "yes");
	ck_assert_str_eq(fact(info, "init_on_alloc"), "no");
	ck_assert_str_eq(fact(info, "numa_balancing"), "1");
	ck_assert_str_eq(fact(info, "demotion"), "unknown");
	ck_assert_str_eq(fact(info, "seccomp"), "filter");
	ck_assert_str_eq(fact(info, "CAP_SYS_NICE"), "yes");
	ck_assert_str_eq(fact(info, "CAP_SYS_PTRACE"), "yes");
	ck_assert_str_eq(fact(info, "userfaultfd"), "user mode only");
	ck_assert_int_eq(bm_info_node(info, 0)->allowed, 1);
	ck_assert_uint_eq(bm_info_page_size(info), 4096);
	ck_assert_uint_eq(bm_info_huge_size(info), 2 << 20);
	bm_info_free(info);
	fake.old = 1;
	ck_assert_int_eq(bm_info_new(context, &info), 0);
	ck_assert_str_eq(fact(info, "PAGEMAP_SCAN"), "no");
	bm_info_free(info);
	bm_context_free(context);
	fake_end();
}
END_TEST

START_TEST(rows_are_complete)
{
	const struct bm_option_info *option;
	const struct bm_facility *row;
	const struct bm_node_info *node;
	const struct bm_fact *one;
	struct bm_context *context;
	struct bm_info *info;
	size_t i;

	make_world();
	fake_env("BATCHMIG_RETRIES", "7");
	context = fake_context();
	ck_assert_int_eq(bm_info_new(context, &info), 0);
	for (i = 0; (option = bm_info_option(info, i)); i++) {
		ck_assert(*option->name && *option->env && *option->type && *option->allowed);
		ck_assert(*option->doc && *option->source);
		ck_assert((*option->standard && *option->value) || option->type[0] == 't');
		if (strcmp(option->name, "retries") == 0) {
			ck_assert_str_eq(option->value, "7");
			ck_assert_str_eq(option->source, "environment");
		}
	}
	ck_assert_uint_eq(i, BM_OPTION_COUNT);
	for (i = 0; (row = bm_info_mover(info, i)); i++) {
		ck_assert(*row->name && *row->why && row->remedy);
		ck_assert_int_eq(row->usable, strcmp(row->name, "swap") != 0);
	}
	ck_assert_uint_eq(i, 3);
	for (i = 0; (row = bm_info_backend(info, i)); i++)
		ck_assert_int_eq(row->usable, i <= 1);
	ck_assert_ptr_null(bm_info_queue(info, 0)); /* the fake has no devices */
	for (i = 0; (one = bm_info_kernel(info, i)); i++)
		ck_assert(*one->name && *one->value && one->note);
	for (i = 0; (node = bm_info_node(info, i)); i++) {
		ck_assert_uint_gt(node->distances, i);
		ck_assert_ptr_nonnull(node->cpu_list);
	}
	ck_assert_ptr_null(bm_info_node(info, SIZE_MAX));
	bm_info_free(info);
	bm_context_free(context);
	fake_end();
}
END_TEST

static void make_function(const char *address, const char *device, const char *driver, int group)
{
	char path[128], text[64];

	snprintf(path, sizeof(path), FUNCTIONS "/%s/vendor", address);
	fake_file(path, "0x1022\n");
	snprintf(path, sizeof(path), FUNCTIONS "/%s/device", address);
	fake_file(path, device);
	snprintf(path, sizeof(path), FUNCTIONS "/%s/numa_node", address);
	fake_file(path, "1\n");
	snprintf(path, sizeof(path), FUNCTIONS "/%s/driver", address);
	snprintf(text, sizeof(text), "../../../bus/pci/drivers/%s", driver);
	fake_file(path, *driver ? text : NULL);
	snprintf(path, sizeof(path), FUNCTIONS "/%s/iommu_group", address);
	snprintf(text, sizeof(text), "../../../kernel/iommu_groups/%d", group);
	fake_file(path, text);
	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%d/type", group);
	fake_file(path, "DMA-FQ\n");
}

static void is_function(const struct bm_queue_info *row, const char *device, const char *name,
			const char *what)
{
	ck_assert_ptr_nonnull(row);
	ck_assert_str_eq(row->backend, "ptdma");
	ck_assert_str_eq(row->device, device);
	ck_assert_str_eq(row->name, name);
	ck_assert_str_eq(row->what, what);
	ck_assert_int_eq(row->node, 1);
	ck_assert_int_eq(row->usable, 0);
	ck_assert(*row->why && *row->remedy);
}

/* What is told of a function is its driver, its group, what is wrong, and the commands. */
START_TEST(functions)
{
	static const char names[] = "0000:02:00.2\0"
				    "0000:01:00.0\0"
				    "0000:41:00.1";
	const struct bm_queue_info *row;
	struct bm_context *context;
	struct bm_info *info;

	make_world();
	fake_dir(FUNCTIONS, names, sizeof(names));
	make_function("0000:01:00.0", "0x1480\n", "", 3);
	make_function("0000:02:00.2", "0x1498\n", "", 14);
	make_function("0000:41:00.1", "0x149b\n", "vfio-pci", 31);
	context = fake_context();
	ck_assert_int_eq(bm_info_new(context, &info), 0);
	row = bm_info_queue(info, 0);
	is_function(row, "0000:02:00.2", "ptdma",
		    "no driver, IOMMU group 14 of type DMA-FQ, 1 ring");
	ck_assert_str_eq(row->why, "it has no driver; this takes vfio-pci");
	ck_assert_str_eq(row->remedy,
			 "driverctl set-override 0000:02:00.2 vfio-pci && chown USER /dev/vfio/14");
	row = bm_info_queue(info, 1);
	is_function(row, "0000:41:00.1", "ae4dma",
		    "driver vfio-pci, IOMMU group 31 of type DMA-FQ, up to 16 rings");
	ck_assert_str_eq(row->why, "/dev/vfio/vfio may not be read and written by this user");
	ck_assert_ptr_null(bm_info_queue(info, 2));
	ck_assert_int_eq(bm_info_backend(info, 3)->usable, 0);
	ck_assert_ptr_nonnull(strstr(bm_info_backend(info, 3)->why, "0000:02:00.2"));
	bm_info_free(info);
	bm_context_free(context);
	fake_end();
}
END_TEST

START_TEST(null_snapshots)
{
	ck_assert_ptr_null(bm_info_node(NULL, 0));
	ck_assert_ptr_null(bm_info_kernel(NULL, 0));
	ck_assert_ptr_null(bm_info_mover(NULL, 0));
	ck_assert_ptr_null(bm_info_backend(NULL, 0));
	ck_assert_ptr_null(bm_info_queue(NULL, 0));
	ck_assert_ptr_null(bm_info_option(NULL, 0));
	ck_assert_uint_eq(bm_info_page_size(NULL), 0);
	ck_assert_uint_eq(bm_info_huge_size(NULL), 0);
}
END_TEST

START_TEST(a_forbidden_mover_is_explained)
{
	struct bm_context *context;
	struct bm_info *info;

	make_world();
	context = fake_context();
	fake.refuse = -EPERM;
	ck_assert_int_eq(bm_info_new(context, &info), 0);
	ck_assert_int_eq(bm_info_mover(info, 0)->usable, 0);
	ck_assert_ptr_nonnull(strstr(bm_info_mover(info, 0)->why, "move_pages"));
	ck_assert_ptr_nonnull(strstr(bm_info_mover(info, 0)->remedy, "seccomp"));
	bm_info_free(info);
	fake.refuse = -ENOSYS;
	ck_assert_int_eq(bm_info_new(context, &info), 0);
	ck_assert_ptr_nonnull(strstr(bm_info_mover(info, 0)->remedy, "CONFIG_MIGRATION"));
	bm_info_free(info);
	bm_context_free(context);
	fake_end();
}
END_TEST

/* As kstrtobool() of the kernel reads it. */
START_TEST(init_on_alloc_as_the_kernel_reads_it)
{
	static const char *const words[] = {"0", "no",  "n", "N", "off", "Off", "oF",
					    "1", "yes", "y", "Y", "on",  "On",  "oN"};
	struct bm_context *context;

	make_world();
	context = fake_context();
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char line[64];
		struct bm_info *info;

		snprintf(line, sizeof(line), "quiet init_on_alloc=%s ro\n", words[i]);
		fake_file("/proc/cmdline", line);
		ck_assert_int_eq(bm_info_new(context, &info), 0);
		ck_assert_str_eq(fact(info, "init_on_alloc"), i < 7 ? "no" : "yes");
		bm_info_free(info);
	}
	bm_context_free(context);
	fake_end();
}
END_TEST

/* Outside the cpuset; and where nobody tells, it is not said to be. */
START_TEST(nodes_of_the_cpuset)
{
	static const char *const lists[] = {"Mems_allowed_list:\t1-3\n", "Name:\tx\n", NULL};
	struct bm_context *context;

	if (numa_available() < 0)
		skip_test(NO_NODES);
	make_world();
	context = fake_context();
	for (size_t i = 0; i < 3; i++) {
		struct bm_info *info;

		fake_file("/proc/self/status", lists[i]);
		ck_assert_int_eq(bm_info_new(context, &info), 0);
		ck_assert_int_eq(bm_info_node(info, 0)->allowed, i > 0);
		bm_info_free(info);
	}
	bm_context_free(context);
	fake_end();
}
END_TEST

START_TEST(every_acquisition_fails_once)
{
	static const int errors[] = {-EIO, -EMFILE, -EPERM, -ENOSYS};

	make_world();
	for (uint64_t n = 1; n < 5000; n++) {
		struct bm_context *context = fake_context();
		struct bm_info *info = NULL;
		int rc;

		fake_fail(FAKE_ALL, n, errors[n % 4]);
		rc = bm_info_new(context, &info);
		ck_assert_int_eq(fake.open_fds, 0);
		ck_assert(rc == 0 || rc == -ENOMEM);
		ck_assert_int_eq(rc == 0, info != NULL);
		if (rc == 0)
			ck_assert_ptr_nonnull(fact(info, "PAGEMAP_SCAN"));
		bm_info_free(info);
		bm_context_free(context);
		if (!fake.fired)
			break;
		fake_fail(0, 0, 0);
	}
	ck_assert_int_eq(fake.fired, 0);
	fake_end();
}
END_TEST

/* Files that are not as expected: cut off, empty, binary. */
START_TEST(odd_files)
{
	static const char *const paths[] = {
		"/proc/self/status", "/proc/cmdline", TIERS "/memory_tier4/nodelist",
		"/sys/kernel/mm/transparent_hugepage/enabled", "/proc/sys/vm/max_map_count"};
	static const char *const odd[] = {
		"",  "\n", "CapEff", "CapEff:",     "Seccomp:\t99\n", "init_on_alloc=",
		"-", "0-", ",,,",    "\x80\xff\x01"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		for (size_t k = 0; k < sizeof(odd) / sizeof(odd[0]); k++) {
			struct bm_context *context;
			struct bm_info *info;

			make_world();
			fake_file(paths[i], odd[k]);
			context = fake_context();
			ck_assert_int_eq(bm_info_new(context, &info), 0);
			bm_info_free(info);
			bm_context_free(context);
		}
	}
	fake_end();
}
END_TEST

static const TTest *const *const tests[] = {&facts,
					    &rows_are_complete,
					    &functions,
					    &null_snapshots,
					    &a_forbidden_mover_is_explained,
					    &init_on_alloc_as_the_kernel_reads_it,
					    &nodes_of_the_cpuset,
					    &every_acquisition_fails_once,
					    &odd_files,
					    NULL};
const struct report_group info_group = {"info", tests};

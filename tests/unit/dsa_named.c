/* SPDX-License-Identifier: MIT */
/* dsa_named.c - work queues of DSA by their names, and sysfs that is not as expected. */
#include <stdio.h>

#include "dsa/found.h"
#include "dsa/list.h"
#include "fake.h"
#include "unit.h"

#define DEVICE "/sys/bus/dsa/devices/dsa2/"
#define QUEUE  DEVICE "wq2.1/"

static const struct file {
	const char *path, *text;
} files[] = {
	{DEVICE "state", "enabled\n"},
	{DEVICE "numa_node", "1\n"},
	{DEVICE "version", "0x200\n"},
	{DEVICE "pasid_enabled", "1\n"},
	{DEVICE "max_transfer_size", "2147483648\n"},
	{DEVICE "max_batch_size", "1024\n"},
	{QUEUE "state", "enabled\n"},
	{QUEUE "type", "user\n"},
	{QUEUE "driver_name", "user\n"},
	{QUEUE "mode", "shared\n"},
	{QUEUE "size", "16\n"},
	{QUEUE "threshold", "15\n"},
	{QUEUE "max_transfer_size", "2097152\n"},
	{QUEUE "max_batch_size", "32\n"},
};
#define FILES (sizeof(files) / sizeof(files[0]))

static char why[BM_WHY_MAX], remedy[BM_WHY_MAX];
static struct bm_dsa_queue queues[BM_DSA_QUEUES_MOST];
static struct bm_sys sys;
static int access_error;

static int node_access(const char *path, int mode)
{
	(void)mode;
	ck_assert_int_eq(strncmp(path, "/dev/dsa", 8), 0);
	return access_error;
}

static void make_world(void)
{
	fake_reset();
	for (size_t i = 0; i < FILES; i++)
		fake_file(files[i].path, files[i].text);
	sys = fake_sys;
	sys.access = node_access;
	access_error = 0;
}

static struct bm_backend_env env_of(const char *wqs)
{
	return (struct bm_backend_env){.sys = &sys, .dsa_wqs = wqs, .page_size = 4096};
}

static int look(const char *wqs)
{
	struct bm_backend_env env = env_of(wqs);

	memset(queues, 0x55, sizeof(queues));
	return bm_dsa_queues_look(&env, queues, BM_DSA_QUEUES_MOST, why, remedy);
}

START_TEST(facts_of_a_queue)
{
	make_world();
	ck_assert_int_eq(look("wq2.1"), 1);
	ck_assert_str_eq(queues->device, "dsa2");
	ck_assert_str_eq(queues->name, "wq2.1");
	ck_assert_str_eq(queues->path, "/dev/dsa/wq2.1");
	ck_assert_int_eq(queues->node, 1);
	ck_assert_int_eq(queues->mode, BM_DSA_SHARED);
	ck_assert_uint_eq(queues->size, 16);
	ck_assert_uint_eq(queues->threshold, 15);
	ck_assert_uint_eq(queues->max_transfer, 2097152);
	ck_assert_uint_eq(queues->max_batch, 32);
	ck_assert_uint_eq(queues->version, 0x200);
	ck_assert_str_eq(queues->why, "");
	ck_assert_str_eq(queues->remedy, "");
	fake_file(DEVICE "max_transfer_size", "65536\n");
	fake_file(DEVICE "max_batch_size", "8\n");
	ck_assert_int_eq(look("wq2.1"), 1);
	ck_assert_uint_eq(queues->max_transfer, 65536);
	ck_assert_uint_eq(queues->max_batch, 8);
	fake_end();
}
END_TEST

START_TEST(order_is_that_of_the_list)
{
	make_world();
	ck_assert_int_eq(look("/dev/dsa/wq10.7,wq2.1,wq0.0"), 3);
	ck_assert_str_eq(queues[0].path, "/dev/dsa/wq10.7");
	ck_assert_str_eq(queues[1].name, "wq2.1");
	ck_assert_str_eq(queues[2].device, "dsa0");
	fake_end();
}
END_TEST

START_TEST(nothing_to_be_read)
{
	make_world();
	ck_assert_int_eq(look("wq0.3"), 1);
	ck_assert_int_eq(queues->node, -1);
	ck_assert_int_eq(queues->mode, BM_DSA_UNKNOWN);
	ck_assert_uint_eq(queues->size + queues->threshold + queues->max_batch + queues->version,
			  0);
	ck_assert_uint_eq(queues->max_transfer, 0);
	ck_assert_str_eq(queues->why, "");
	fake_end();
}
END_TEST

/* The message says which name, where it was given, and what would be one. */
static void refused(const char *list, const char *what)
{
	struct bm_backend_env env = env_of(list);

	ck_assert_msg(look(list) == -EINVAL, "\"%.40s\" is allowed", list);
	ck_assert_ptr_nonnull(strstr(why, "BATCHMIG_DSA_WQS"));
	ck_assert_msg(strstr(why, what) != NULL, "%s: no %s", why, what);
	ck_assert_ptr_nonnull(strstr(remedy, "/dev/dsa/wqD.N"));
	ck_assert_int_eq(bm_dsa_queues_find(&env, queues, BM_DSA_QUEUES_MOST, why), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, remedy));
	ck_assert_int_eq(bm_dsa_probe(&env, why, remedy), -EINVAL);
}

START_TEST(names_that_are_none)
{
	static const char *const bad[] = {
		",",           "wq0.0,",       ",wq0.0",    "wq0.0,,wq0.1", "wq0",
		"wq0.",        "wq.0",         "wq",        "wq0.0 ",       " wq0.0",
		"WQ0.0",       "wq00.0",       "wq0.01",    "wq-1.0",       "wq0.+1",
		"wq0.0x",      "dsa0",         "/dev/dsa/", "wq123456.0",   "/dev/iax/wq0.0",
		"/dev/wq0.0",  "wq0.0;wq0.1",  "wq0.0.0",   "dsa0/wq0.0",   "/dev/dsa//wq0.0",
		"wq0.1,wq0x1", "/dev/dsawq0.0"};
	char text[4096];

	make_world();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(bad[i], "is no name");
	memset(text, 'w', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	refused(text, "...");
	refused("wq0.0,wq0.1,/dev/dsa/wq0.0", "\"/dev/dsa/wq0.0\" is named twice");
	fake_end();
}
END_TEST

START_TEST(as_many_as_there_is_room_for)
{
	char list[2048] = "";
	size_t used = 0;

	make_world();
	for (unsigned int i = 0; i < BM_DSA_QUEUES_MOST; i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%swq%u.0", i ? "," : "",
					 i);
	ck_assert_int_eq(look(list), BM_DSA_QUEUES_MOST);
	ck_assert_str_eq(queues[63].name, "wq63.0");
	snprintf(list + used, sizeof(list) - used, ",wq7.7");
	refused(list, "\"wq7.7\" is one too many");
	fake_end();
}
END_TEST

/* What is wrong with a file, and what is told of it. */
START_TEST(reasons)
{
	static const struct {
		const char *path, *text, *why, *remedy;
	} wrong[] = {
		{DEVICE "state", "halted\n", "(state halted)", "dsa2/../reset"},
		{DEVICE "state", "disabled\n", "device is disabled", "enable-device dsa2; "},
		{DEVICE "pasid_enabled", "0\n", "PASID", "intel_iommu=on,sm_on"},
		{QUEUE "type", "kernel\n", "(type kernel)", "config-wq dsa2/wq2.1 -y user -d user"},
		{QUEUE "driver_name", "crypto\n", "driver crypto", "config-wq dsa2/wq2.1 -d user"},
		{QUEUE "state", "disabled\n", "queue is disabled", "enable-wq dsa2/wq2.1"},
		{QUEUE "max_transfer_size", "2048\n", "2048 is less than a page (4096)",
		 "-x 2097152"},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		make_world();
		fake_file(wrong[i].path, wrong[i].text);
		ck_assert_int_eq(look("wq2.1"), 1);
		ck_assert_msg(strstr(queues->why, wrong[i].why) != NULL, "%s", queues->why);
		ck_assert_msg(strstr(queues->remedy, wrong[i].remedy) != NULL, "%s",
			      queues->remedy);
	}
	make_world();
	fake_file(QUEUE "mode", "dedicated\n");
	ck_assert_int_eq(look("wq2.1"), 1);
	ck_assert_str_eq(queues->why, "");
	fake_file(QUEUE "size", "");
	ck_assert_int_eq(look("wq2.1"), 1);
	ck_assert_ptr_nonnull(strstr(queues->why, "size that cannot be read"));
	fake_end();
}
END_TEST

START_TEST(device_files)
{
	static const struct {
		int error;
		const char *why;
	} cases[] = {{-ENOENT, "there is no /dev/dsa/wq2.1"},
		     {-ENOTDIR, "there is no /dev/dsa/wq2.1"},
		     {-EACCES, "may not be read and written"},
		     {-EPERM, "may not be read and written"}};

	make_world();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bm_backend_env env = env_of("wq2.1");

		access_error = cases[i].error;
		ck_assert_int_eq(look("wq2.1"), 1);
		ck_assert_ptr_nonnull(strstr(queues->why, cases[i].why));
		ck_assert_int_eq(bm_dsa_probe(&env, why, remedy), -ENODEV);
		ck_assert_ptr_nonnull(strstr(why, "dsa2/wq2.1: "));
		ck_assert_ptr_nonnull(strstr(why, cases[i].why));
		ck_assert_str_eq(remedy, queues->remedy);
	}
	fake_end();
}
END_TEST

/* Texts of any length and contents: what is kept is a word, a number is one or not known. */
START_TEST(odd_files)
{
	static const char *const odd[] = {
		"",   "\n",   "-1",           "-77777777777777777777", "99999999999999999999999",
		"0x", "x",    "enabled user", "\x80\xff\x01",          "{device}",
		"0",  "%s%n", "4294967295"};
	char text[4096];

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (size_t i = 0; i < FILES; i++) {
		for (size_t k = 0; k <= sizeof(odd) / sizeof(odd[0]); k++) {
			make_world();
			fake_file(files[i].path, k ? odd[k - 1] : text);
			ck_assert_int_eq(look("wq2.1"), 1);
			ck_assert_int_ge(queues->node, -1);
			ck_assert_uint_le(queues->size, 65536);
			ck_assert_uint_le(queues->max_transfer, UINT64_C(1) << 40);
			ck_assert_uint_le(queues->max_batch, 65536);
			ck_assert_uint_le(strlen(queues->why), sizeof(queues->why) - 1);
			for (const char *c = queues->why; *c; c++)
				ck_assert(*c >= ' ' && *c <= '~');
		}
	}
	fake_end();
}
END_TEST

/* Whatever cannot be read is not known, and never wrong. */
START_TEST(every_read_fails_once)
{
	static const int errors[] = {-EIO, -EMFILE, -EACCES, -ENODEV};
	uint64_t n;

	for (n = 1; n < 200; n++) {
		make_world();
		fake_fail(FAKE_ALL, n, errors[n % 4]);
		ck_assert_int_eq(look("wq2.1"), 1);
		ck_assert_int_eq(fake.open_fds, 0);
		ck_assert(queues->node == 1 || queues->node == -1);
		ck_assert(queues->mode == BM_DSA_SHARED || queues->mode == BM_DSA_UNKNOWN);
		ck_assert(queues->size == 16 || queues->size == 0);
		ck_assert(queues->threshold == 15 || queues->threshold == 0);
		/* Then the limit of the device is what is known. */
		ck_assert(queues->max_batch == 32 || queues->max_batch == 1024);
		ck_assert(queues->max_transfer == 2097152 || queues->max_transfer == 2147483648);
		ck_assert(queues->version == 0x200 || queues->version == 0);
		ck_assert_str_eq(queues->why, "");
		if (!fake.fired)
			break;
	}
	ck_assert_uint_gt(n, 2 * FILES);
	fake_end();
}
END_TEST

static void count(void *arg, const struct bm_queue_facts *queue)
{
	int *rows = arg;

	++*rows;
	snprintf(why, sizeof(why), "%s", queue->why);
	snprintf(remedy, sizeof(remedy), "%s|%s", queue->device, queue->what);
}

START_TEST(rows_for_people)
{
	struct bm_backend_env env;
	int rows = 0;

	make_world();
	env = env_of("wq2.1");
	bm_dsa_list(&env, count, &rows);
	ck_assert_int_eq(rows, 1);
	ck_assert_str_eq(why, "");
	ck_assert_str_eq(remedy, "dsa2|shared, 16 entries, threshold 15, at most 2097152 bytes, "
				 "batches of 32, DSA 2.0");
	ck_assert_int_eq(bm_dsa_probe(&env, why, remedy), 0);
	fake_fail(1u << FAKE_ALLOC, 1, -ENOMEM);
	bm_dsa_list(&env, count, &rows);
	ck_assert_int_eq(rows, 2);
	ck_assert_str_eq(why, "no memory");
	fake_fail(1u << FAKE_ALLOC, 1, -ENOMEM);
	ck_assert_int_eq(bm_dsa_probe(&env, why, remedy), -ENOMEM);
	fake_end();
}
END_TEST

/* Without devices in sysfs libaccel-config is not even loaded. */
START_TEST(no_devices)
{
	static const char other[] = "iax1\0wq1.0\0dsa\0dsax";
	struct bm_backend_env env;
	int rows = 0;

	make_world();
	env = env_of("");
	access_error = -ENOENT;
	ck_assert_int_eq(look(NULL), -ENODEV);
	fake_dir("/sys/bus/dsa/devices", other, sizeof(other));
	ck_assert_int_eq(look(""), -ENODEV);
	bm_dsa_list(&env, count, &rows);
	ck_assert_int_eq(rows, 0);
	access_error = 0;
	ck_assert_int_eq(look(NULL), -ENXIO);
	ck_assert_ptr_nonnull(strstr(remedy, "BATCHMIG_DSA_WQS"));
	bm_dsa_list(&env, count, &rows);
	ck_assert_int_eq(rows, 1);
	fake_end();
}
END_TEST

static const TTest *const *const tests[] = {&facts_of_a_queue,
					    &order_is_that_of_the_list,
					    &nothing_to_be_read,
					    &names_that_are_none,
					    &as_many_as_there_is_room_for,
					    &reasons,
					    &device_files,
					    &odd_files,
					    &every_read_fails_once,
					    &rows_for_people,
					    &no_devices,
					    NULL};
const struct report_group dsa_named_group = {"dsa_named", tests};

/* SPDX-License-Identifier: MIT */
/* options.c - where a value comes from, and what is said of a bad one. */
#include "options.h"

#include <stdio.h>

#include "fake.h"
#include "registry.h"
#include "unit.h"

static char why[BM_WHY_MAX];
static struct bm_config config;

static int resolve(const struct bm_options *options)
{
	memset(why, 'x', sizeof(why));
	return bm_config_resolve(&fake_sys, options, &config, why);
}

static void value_is(size_t id, const char *text, const char *source)
{
	char buffer[BM_LIST_MAX];

	bm_option_text(&config, id, buffer, sizeof(buffer));
	ck_assert_str_eq(buffer, text);
	ck_assert_str_eq(config.source[id], source);
}

START_TEST(defaults_are_those_of_the_table)
{
	fake_reset();
	ck_assert_int_eq(resolve(NULL), 0);
	ck_assert_str_eq(why, "");
	for (size_t i = 0; i < BM_OPTION_COUNT; i++) {
		const struct bm_option_info *row = bm_option_row(i);

		value_is(i, row->standard, "default");
		ck_assert_ptr_nonnull(strstr(row->env, "BATCHMIG_"));
		ck_assert(*row->name && *row->type && *row->allowed && *row->doc);
		ck_assert(*row->standard || strcmp(row->type, "text") == 0);
	}
	ck_assert_ptr_null(bm_option_row(BM_OPTION_COUNT));
	fake_end();
}
END_TEST

START_TEST(environment_beats_default)
{
	/* clang-format off */
	static const char *const values[BM_OPTION_COUNT] = {
		"kernel,auto", "mbind", "strict", "warn", "3", "17", "0", "1000000", "rep_movsb",
		"2048", "1", "4", "60000", "off", "on", "500", "wish", "1000000", "1", "/tmp/%p",
		"/etc/batchmig.profile", "wq0.0,wq2.1", "64", "umwait", "1", "16", "on",
		"0000:02:00.2", "uio-unsafe", "64"};
	/* clang-format on */

	fake_reset();
	for (size_t i = 0; i < BM_OPTION_COUNT; i++)
		fake_env(bm_option_row(i)->env, values[i]);
	ck_assert_int_eq(resolve(NULL), 0);
	for (size_t i = 0; i < BM_OPTION_COUNT; i++)
		value_is(i, values[i], "environment");
	ck_assert_int_eq(config.log.level, BM_LOG_WARN);
	fake_end();
}
END_TEST

START_TEST(option_beats_environment)
{
	/* clang-format off */
	static const char *const values[BM_OPTION_COUNT] = {
		"kernel", "move_pages", "yes", "debug", "64", "1", "100", "0", "memcpy", "64", "0",
		"65536", "86400000", "off", "on", "60000000", "wish", "1000000000000000", "1", "",
		"p", "wq1.0", "1024", "yield", "60000", "1048576", "off", "0000:02:00.2", "vfio",
		"8192"};
	/* clang-format on */
	struct bm_options options;

	fake_reset();
	bm_options_init(&options, sizeof(options));
	options.backend = "kernel";
	options.mover = "move_pages";
	options.quiet = "yes";
	options.log_level = "debug";
	options.threads = 64;
	options.call_pages = 1;
	options.retries = 100;
	options.retry_us = 0;
	options.copy_loop = "memcpy";
	options.chunk_kb = 64;
	options.pool_mb = 0;
	options.local_ranks = 65536;
	options.pool_idle_ms = 86400000;
	options.spread = "off";
	options.pool_refill = "on";
	options.max_stall_us = 60000000;
	options.bound = "wish";
	options.max_bytes_per_s = 1000000000000000;
	options.stats = "1";
	options.stats_file = "";
	options.profile = "p";
	options.dsa_wqs = "wq1.0";
	options.dsa_batch = 1024;
	options.engine_wait = "yield";
	options.engine_timeout_ms = 60000;
	options.engine_least_kb = 1048576;
	options.engine_share = "off";
	options.ptdma_functions = "0000:02:00.2";
	options.ptdma_access = "vfio";
	options.ptdma_ring = 8192;
	/* Also a bad value of the environment is not looked at. */
	for (size_t i = 0; i < BM_OPTION_COUNT; i++)
		fake_env(bm_option_row(i)->env, "rubbish");
	ck_assert_int_eq(resolve(&options), 0);
	for (size_t i = 0; i < BM_OPTION_COUNT; i++)
		value_is(i, values[i], "option");
	fake_end();
}
END_TEST

static void env_is_refused(size_t id, const char *value)
{
	const struct bm_option_info *row = bm_option_row(id);

	fake_env(row->env, value);
	ck_assert_msg(resolve(NULL) == -EINVAL, "%s=%s", row->env, value);
	ck_assert_msg(strstr(why, row->env) != NULL, "no variable: %s", why);
	ck_assert_msg(strlen(value) > 60 || strstr(why, value) != NULL, "no value: %s", why);
	if (id != BM_OPTION_BACKEND)
		ck_assert_msg(strstr(why, row->allowed) != NULL, "not what is allowed: %s", why);
	fake_env(row->env, NULL);
}

START_TEST(bad_numbers)
{
	static const char *const bad[] = {"",
					  "-1",
					  " 3",
					  "3 ",
					  "+3",
					  "0x10",
					  "3.5",
					  "1e2",
					  "many",
					  "3,4",
					  "-0",
					  "\t1",
					  "1\n",
					  "9999999999999999",
					  "9223372036854775808",
					  "18446744073709551617",
					  "99999999999999999999999999999999"};

	fake_reset();
	for (size_t id = BM_OPTION_THREADS; id < BM_OPTION_STATS; id++) {
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
			env_is_refused(id, bad[i]);
	}
	env_is_refused(BM_OPTION_THREADS, "1025");
	env_is_refused(BM_OPTION_CALL_PAGES, "0");
	env_is_refused(BM_OPTION_CALL_PAGES, "1048577");
	env_is_refused(BM_OPTION_RETRIES, "101");
	env_is_refused(BM_OPTION_RETRY_US, "1000001");
	fake_end();
}
END_TEST

START_TEST(bad_choices)
{
	static const char *const bad[] = {"",           "Auto", "mbind ", "move_page",
					  "auto|mbind", "|",    "1"};

	fake_reset();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		env_is_refused(BM_OPTION_MOVER, bad[i]);
		env_is_refused(BM_OPTION_QUIET, bad[i]);
		env_is_refused(BM_OPTION_LOG, bad[i]);
		env_is_refused(BM_OPTION_SPREAD, bad[i]);
		env_is_refused(BM_OPTION_POOL_REFILL, bad[i]);
		env_is_refused(BM_OPTION_PTDMA_ACCESS, bad[i]);
	}
	env_is_refused(BM_OPTION_PTDMA_ACCESS, "uio");
	env_is_refused(BM_OPTION_PTDMA_ACCESS, "auto");
	env_is_refused(BM_OPTION_STATS, "on");
	env_is_refused(BM_OPTION_STATS, "");
	env_is_refused(BM_OPTION_STATS, "01");
	fake_end();
}
END_TEST

/* Whatever it is; only its length has a limit. */
START_TEST(texts)
{
	static const char *const good[] = {"", " ", "a|b", "%p%p%%", "-1", "\xff\n"};
	char text[BM_LIST_MAX + 1];

	fake_reset();
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		fake_env("BATCHMIG_STATS_FILE", good[i]);
		ck_assert_int_eq(resolve(NULL), 0);
		value_is(BM_OPTION_STATS_FILE, good[i], "environment");
	}
	memset(text, 'z', sizeof(text));
	text[BM_LIST_MAX] = '\0';
	fake_env("BATCHMIG_STATS_FILE", text);
	ck_assert_int_eq(resolve(NULL), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "BATCHMIG_STATS_FILE"));
	ck_assert_ptr_nonnull(strstr(why, "256"));
	ck_assert_ptr_nonnull(strstr(why, "255"));
	text[BM_LIST_MAX - 1] = '\0';
	fake_env("BATCHMIG_STATS_FILE", text);
	ck_assert_int_eq(resolve(NULL), 0);
	value_is(BM_OPTION_STATS_FILE, text, "environment");
	fake_end();
}
END_TEST

START_TEST(limits_of_options)
{
	struct bm_options options;

	fake_reset();
	bm_options_init(&options, sizeof(options));
	options.threads = -1;
	ck_assert_int_eq(resolve(&options), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "threads=-1"));
	ck_assert_ptr_nonnull(strstr(why, "0..64"));
	options.threads = INT64_MAX;
	ck_assert_int_eq(resolve(&options), -EINVAL);
	options.threads = BM_OPTION_UNSET;
	options.retries = INT64_MIN + 1;
	ck_assert_int_eq(resolve(&options), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "retries="));
	options.retries = BM_OPTION_UNSET;
	options.mover = "";
	ck_assert_int_eq(resolve(&options), -EINVAL);
	fake_end();
}
END_TEST

START_TEST(a_long_value_is_cut_in_the_message)
{
	char text[4000];

	fake_reset();
	memset(text, 'z', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	env_is_refused(BM_OPTION_MOVER, text);
	env_is_refused(BM_OPTION_THREADS, text);
	fake_env("BATCHMIG_BACKEND", text);
	ck_assert_int_eq(resolve(NULL), -EINVAL);
	for (size_t i = 0; i + 7 < sizeof(text); i += 7)
		memcpy(text + i, "kernel,", 7);
	fake_env("BATCHMIG_BACKEND", text);
	ck_assert_int_eq(resolve(NULL), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "BATCHMIG_BACKEND"));
	ck_assert_ptr_nonnull(strstr(why, "255"));
	/* What is too short for that is told with what is allowed. */
	fake_env("BATCHMIG_BACKEND", "dsa,ptdma");
	ck_assert_int_eq(resolve(NULL), -ENODEV);
	ck_assert_ptr_nonnull(strstr(why, "allowed: auto, kernel"));
	fake_end();
}
END_TEST

/* The level holds although another row is bad: the reason can then be logged. */
START_TEST(log_level_survives_a_bad_row)
{
	fake_reset();
	fake_env("BATCHMIG_BACKEND", "rubbish");
	fake_env("BATCHMIG_LOG", "error");
	ck_assert_int_eq(resolve(NULL), -EINVAL);
	ck_assert_int_eq(config.log.level, BM_LOG_ERROR);
	ck_assert_ptr_nonnull(strstr(why, "BATCHMIG_BACKEND"));
	fake_end();
}
END_TEST

struct newer {
	struct bm_options options;
	uint64_t more[4];
};

START_TEST(structs_of_other_versions)
{
	struct newer newer;
	struct bm_options options;

	fake_reset();
	memset(&newer, 0, sizeof(newer));
	ck_assert_int_eq(bm_options_init(&newer.options, sizeof(newer)), 0);
	ck_assert_uint_eq(newer.options.size, sizeof(newer));
	ck_assert_int_eq(resolve(&newer.options), 0);
	newer.more[3] = 1;
	ck_assert_int_eq(resolve(&newer.options), -E2BIG);
	ck_assert_ptr_nonnull(strstr(why, bm_version()));
	/* There is no older one: what is shorter is sizeof of a pointer. */
	bm_options_init(&options, sizeof(options));
	options.threads = 9999;
	for (size_t size = 0; size < sizeof(options); size++) {
		struct bm_options untouched = options;

		ck_assert_int_eq(bm_options_init(&options, size), -EINVAL);
		ck_assert_mem_eq(&options, &untouched, sizeof(options));
		options.size = size;
		ck_assert_int_eq(resolve(&options), -EINVAL);
		ck_assert_ptr_nonnull(strstr(why, "bm_options_init"));
		options.size = sizeof(options);
	}
	ck_assert_int_eq(bm_options_init(&newer.options, sizeof(options) + 1), -EINVAL);
	fake_end();
}
END_TEST

START_TEST(impossible_sizes)
{
	struct bm_options options;

	fake_reset();
	ck_assert_int_eq(bm_options_init(NULL, sizeof(options)), -EINVAL);
	ck_assert_int_eq(bm_options_init(&options, 0), -EINVAL);
	ck_assert_int_eq(bm_options_init(&options, sizeof(size_t) - 1), -EINVAL);
	ck_assert_int_eq(bm_options_init(&options, SIZE_MAX), -EINVAL);
	memset(&options, 0, sizeof(options));
	ck_assert_int_eq(resolve(&options), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "bm_options_init"));
	options.size = SIZE_MAX;
	ck_assert_int_eq(resolve(&options), -EINVAL);
	fake_end();
}
END_TEST

START_TEST(check_cuts_its_message_to_fit)
{
	struct bm_options options;
	char text[16] = "untouched";

	bm_options_init(&options, sizeof(options));
	options.mover = "rubbish";
	ck_assert_int_eq(bm_options_check(&options, text, sizeof(text)), -EINVAL);
	ck_assert_uint_eq(strlen(text), sizeof(text) - 1);
	ck_assert_int_eq(bm_options_check(&options, NULL, 0), -EINVAL);
	ck_assert_int_eq(bm_options_check(&options, NULL, 10), -EINVAL);
	strcpy(text, "kept");
	ck_assert_int_eq(bm_options_check(&options, text, 0), -EINVAL);
	ck_assert_str_eq(text, "kept");
	options.mover = "mbind";
	ck_assert_int_eq(bm_options_check(&options, text, sizeof(text)), 0);
	ck_assert_str_eq(text, "");
}
END_TEST

static const TTest *const *const tests[] = {&defaults_are_those_of_the_table,
					    &environment_beats_default,
					    &option_beats_environment,
					    &bad_numbers,
					    &bad_choices,
					    &texts,
					    &limits_of_options,
					    &a_long_value_is_cut_in_the_message,
					    &log_level_survives_a_bad_row,
					    &structs_of_other_versions,
					    &impossible_sizes,
					    &check_cuts_its_message_to_fit,
					    NULL};
const struct report_group options_group = {"options", tests};

/* SPDX-License-Identifier: MIT */
/* options_devices.c - options of backends that are devices: which, by what way, how much. */
#include <stdio.h>

#include "fake.h"
#include "options.h"
#include "unit.h"

static char why[BM_WHY_MAX];
static struct bm_config config;

static int resolve(const struct bm_options *options)
{
	memset(why, 'x', sizeof(why));
	return bm_config_resolve(&fake_sys, options, &config, why);
}

static void env_is_refused(const char *variable, const char *value)
{
	fake_env(variable, value);
	ck_assert_msg(resolve(NULL) == -EINVAL, "%s=%s", variable, value);
	ck_assert_ptr_nonnull(strstr(why, variable));
	ck_assert_ptr_nonnull(strstr(why, value));
	fake_env(variable, NULL);
}

static void given(struct bm_backend_env *env)
{
	ck_assert_msg(resolve(NULL) == 0, "%s", why);
	bm_config_backend_env(&fake_sys, &config, env);
}

START_TEST(rings_of_ptdma)
{
	static const char *const bad[] = {"",   "-1",   "many", "1",     "3",
					  "31", "8191", "8193", "16384", "18446744073709551617"};
	struct bm_backend_env env;
	struct bm_options options;
	char text[16];

	fake_reset();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		env_is_refused("BATCHMIG_PTDMA_RING", bad[i]);
		ck_assert_ptr_nonnull(
			strstr(why, "0..8192, 0 or a power of two above 1, in descriptors"));
	}
	given(&env);
	ck_assert_uint_eq(env.ptdma_ring, 0);
	for (uint32_t ring = 2; ring <= 8192; ring *= 2) {
		snprintf(text, sizeof(text), "%u", ring);
		fake_env("BATCHMIG_PTDMA_RING", text);
		given(&env);
		ck_assert_uint_eq(env.ptdma_ring, ring);
	}
	bm_options_init(&options, sizeof(options));
	options.ptdma_ring = 0;
	ck_assert_int_eq(resolve(&options), 0);
	ck_assert_int_eq(config.value[BM_OPTION_PTDMA_RING], 0);
	for (options.ptdma_ring = -2; options.ptdma_ring < 2; options.ptdma_ring++)
		ck_assert_int_eq(resolve(&options), options.ptdma_ring ? -EINVAL : 0);
	options.ptdma_ring = 48;
	ck_assert_int_eq(resolve(&options), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "ptdma_ring=48"));
	fake_end();
}
END_TEST

START_TEST(numbers_need_not_be_powers)
{
	fake_reset();
	env_is_refused("BATCHMIG_RETRIES", "101");
	ck_assert_ptr_null(strstr(why, "power"));
	fake_env("BATCHMIG_RETRIES", "3");
	ck_assert_int_eq(resolve(NULL), 0);
	fake_end();
}
END_TEST

/* Without a word of the user the way is the one that is safe. */
START_TEST(ways_to_ptdma)
{
	static const char *const bad[] = {"", "uio", "auto", "VFIO", "vfio|uio-unsafe"};
	struct bm_backend_env env;

	fake_reset();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		env_is_refused("BATCHMIG_PTDMA_ACCESS", bad[i]);
	given(&env);
	ck_assert_str_eq(env.ptdma_functions, "");
	ck_assert_str_eq(env.ptdma_access, "vfio");
	fake_env("BATCHMIG_PTDMA_ACCESS", "uio-unsafe");
	given(&env);
	ck_assert_str_eq(env.ptdma_access, "uio-unsafe");
	fake_end();
}
END_TEST

START_TEST(queues_that_are_none)
{
	static const char *const bad[] = {"foo", "wq0.0,wq0.0", "wq0.0,", "/dev/null"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fake_reset();
		fake_env("BATCHMIG_DSA_WQS", bad[i]);
		ck_assert_msg(resolve(NULL) == -EINVAL, "\"%s\"", bad[i]);
		ck_assert_ptr_nonnull(strstr(why, "BATCHMIG_DSA_WQS"));
		fake_end();
	}
}
END_TEST

START_TEST(functions_that_are_none)
{
	static const char *const bad[] = {"foo", "0000:02:00.2,", "02:00.2", "0000:02:00.2;", ","};
	struct bm_backend_env env;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fake_reset();
		fake_file("/sys/bus/pci/devices/0000:02:00.2/vendor", "0x1022\n");
		fake_file("/sys/bus/pci/devices/0000:02:00.2/device", "0x1498\n");
		fake_env("BATCHMIG_PTDMA_FUNCTIONS", bad[i]);
		ck_assert_msg(resolve(NULL) == -EINVAL, "\"%s\"", bad[i]);
		ck_assert_ptr_nonnull(strstr(why, "BATCHMIG_PTDMA_FUNCTIONS"));
		fake_end();
	}
	/* One that another machine of the cluster has: backends that are not here are passed over. */
	fake_reset();
	fake_env("BATCHMIG_PTDMA_FUNCTIONS", "0000:41:00.2");
	given(&env);
	ck_assert_str_eq(env.ptdma_functions, "0000:41:00.2");
	fake_env("BATCHMIG_BACKEND", "ptdma,cpu");
	ck_assert_int_eq(resolve(NULL), 0);
	fake_env("BATCHMIG_BACKEND", "ptdma");
	ck_assert_int_eq(resolve(NULL), -ENODEV);
	ck_assert_ptr_nonnull(strstr(why, "0000:41:00.2"));
	fake_end();
}
END_TEST

static const TTest *const *const tests[] = {&rings_of_ptdma,          &numbers_need_not_be_powers,
					    &ways_to_ptdma,           &queues_that_are_none,
					    &functions_that_are_none, NULL};
const struct report_group options_devices_group = {"options_devices", tests};

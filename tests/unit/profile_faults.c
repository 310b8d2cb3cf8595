/* SPDX-License-Identifier: MIT */
/*
 * profile_faults.c - profiles on real files, where each call fails once.
 *
 * A profile is written wholly, or the old one stays as it was and nothing lies
 * beside it. One that cannot be read is not used, and not half.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "failing.h"
#include "profile.h"
#include "unit.h"

#define PAIRS 12
#define MOST  200

static char path[64], beside[80];
static struct bm_pairs pairs, read_pairs;

static const struct {
	enum failing_call call;
	int error;
} faults[] = {{FAILING_ALLOC, -ENOMEM}, {FAILING_OPEN, -EMFILE},  {FAILING_OPEN, -EROFS},
	      {FAILING_READ, -EIO},     {FAILING_WRITE, -ENOSPC}, {FAILING_WRITE, 0},
	      {FAILING_CLOSE, -EIO},    {FAILING_CLOSE, -EDQUOT}, {FAILING_RENAME, -EACCES}};
#define FAULTS (sizeof(faults) / sizeof(faults[0]))

/* Another number in each field of each pair. */
static void fill(uint64_t seed)
{
	for (int to = 0; to < PAIRS; to++) {
		struct bm_rates *rates = bm_pairs_rates(&pairs, 0, to);

		atomic_store(&rates->chunk_ns, seed + (uint64_t)to);
		atomic_store(&rates->call_ns, 2 * seed + (uint64_t)to);
	}
}

static void begin(void)
{
	snprintf(path, sizeof(path), "/tmp/batchmig-profile-faults-%d", (int)getpid());
	snprintf(beside, sizeof(beside), "%s.new", path);
	memset(&pairs, 0, sizeof(pairs));
	bm_pairs_init(&pairs);
	failing_arm(FAILING_NONE, 0, 0);
}

static void end(void)
{
	bm_pairs_end(&pairs);
	unlink(path);
}

static int write_with(const struct bm_sys *sys)
{
	struct bm_profile profile = {.loop = "avx2", .pairs = &pairs};

	return bm_profile_write(sys, path, &profile);
}

/* What bm_profile_read() gives; a profile that is used is that of `seed`, wholly. */
static int read_with(const struct bm_sys *sys, uint64_t seed)
{
	struct bm_profile profile = {.pairs = &read_pairs};
	char why[BM_WHY_MAX] = "";
	int rc;

	memset(&read_pairs, 0, sizeof(read_pairs));
	bm_pairs_init(&read_pairs);
	rc = bm_profile_read(sys, path, &profile, why);
	if (rc == 1) {
		ck_assert_str_eq(profile.loop, "avx2");
		ck_assert_uint_eq(read_pairs.count, PAIRS);
		for (int to = 0; to < PAIRS; to++)
			ck_assert_uint_eq(bm_pairs_rates(&read_pairs, 0, to)->call_ns,
					  2 * seed + (uint64_t)to);
	} else {
		ck_assert_msg(strstr(why, path) != NULL, "%s: %s", failing_text(), why);
		ck_assert_uint_eq(read_pairs.count, 0);
	}
	bm_pairs_end(&read_pairs);
	return rc;
}

static int may_be_error(int rc, int error)
{
	/* A write that takes nothing. */
	return rc == (error ? error : -EIO);
}

/* 0 when the call did not come so often. */
static int write_at(size_t fault, unsigned long at)
{
	struct failing_held before = failing_held();
	int rc, hit;

	fill(1000);
	ck_assert_int_eq(write_with(&bm_sys_linux), 0);
	fill(5000);
	failing_arm(faults[fault].call, at, faults[fault].error);
	rc = write_with(&failing_sys);
	hit = failing_disarm();
	ck_assert_msg(rc == 0 || (hit && may_be_error(rc, faults[fault].error)), "%s: %d",
		      failing_text(), rc);
	/* What was written is for this machine, too. */
	ck_assert_msg(read_with(&bm_sys_linux, rc == 0 ? 5000 : 1000) == 1,
		      "%s: %d, and the profile is not used", failing_text(), rc);
	ck_assert_msg(access(beside, F_OK) < 0, "%s: %d, and a file lies beside it", failing_text(),
		      rc);
	failing_check(&before);
	return hit;
}

START_TEST(each_call_of_writing)
{
	begin();
	for (size_t fault = 0; fault < FAULTS; fault++) {
		unsigned long at = 1;

		while (write_at(fault, at))
			ck_assert_uint_lt(++at, MOST);
		ck_assert_msg(at > 1, "%s: it is never called", failing_text());
	}
	end();
}
END_TEST

/* 0 when the call did not come so often. */
static int read_at(size_t fault, unsigned long at)
{
	struct failing_held before = failing_held();
	int hit;

	failing_arm(faults[fault].call, at, faults[fault].error);
	read_with(&failing_sys, 1000);
	hit = failing_disarm();
	failing_check(&before);
	/* What failed is over. */
	ck_assert_int_eq(read_with(&failing_sys, 1000), 1);
	return hit;
}

START_TEST(each_call_of_reading)
{
	begin();
	fill(1000);
	ck_assert_int_eq(write_with(&bm_sys_linux), 0);
	for (size_t fault = 0; fault < FAULTS; fault++) {
		for (unsigned long at = 1; read_at(fault, at); at++)
			ck_assert_uint_lt(at, MOST);
	}
	end();
}
END_TEST

/* A context that is asked for a profile is made with it, without it, or not at all. */
START_TEST(each_call_of_a_context_with_a_profile)
{
	struct bm_options options;
	struct bm_context *context;

	begin();
	fill(1000);
	ck_assert_int_eq(write_with(&bm_sys_linux), 0);
	bm_options_init(&options, sizeof(options));
	options.profile = path;
	options.log_level = "none";
	for (size_t fault = 0; fault < FAULTS; fault++) {
		for (unsigned long at = 1; at < MOST; at++) {
			struct failing_held before = failing_held();
			int rc;

			failing_arm(faults[fault].call, at, faults[fault].error);
			rc = bm_context_create(&failing_sys, &options, &context);
			ck_assert_msg(rc == 0 || rc == -ENOMEM || rc == -EINVAL, "%s: %d",
				      failing_text(), rc);
			if (rc == 0) {
				ck_assert_uint_eq(context->pairs.count,
						  context->has_profile ? PAIRS : 0);
				bm_context_free(context);
			}
			failing_check(&before);
			if (!failing_disarm())
				break;
		}
	}
	end();
}
END_TEST

static const TTest *const *const tests[] = {&each_call_of_writing, &each_call_of_reading,
					    &each_call_of_a_context_with_a_profile, NULL};
const struct report_group profile_faults_group = {"profile_faults", tests};

/* SPDX-License-Identifier: MIT */
/* profile.c - files of batchmig tune: written, read, of another machine, damaged; and threads. */
#include "profile.h"

#include <stdio.h>
#include <unistd.h>

#include "fake.h"
#include "unit.h"

static char path[64], why[BM_WHY_MAX];
static struct bm_pairs *pairs;
static struct bm_profile profile;
static struct bm_sys sys;
static const char *release;

/* The real machine, but for its kernel. */
static int open_file(const char *name, int flags)
{
	char other[96];
	FILE *file;

	if (!release || strcmp(name, BM_RELEASE_FILE) != 0)
		return bm_sys_linux.open(name, flags);
	snprintf(other, sizeof(other), "%s.release", path);
	file = fopen(other, "w");
	ck_assert_ptr_nonnull(file);
	fputs(release, file);
	fclose(file);
	return bm_sys_linux.open(other, flags);
}

static void begin(void)
{
	snprintf(path, sizeof(path), "/tmp/batchmig-profile-%d", (int)getpid());
	sys = bm_sys_linux;
	sys.open = open_file;
	release = NULL;
	pairs = calloc(1, sizeof(*pairs));
	ck_assert_ptr_nonnull(pairs);
	bm_pairs_init(pairs);
	profile = (struct bm_profile){.loop = "avx2", .pairs = pairs};
}

static void end(void)
{
	char other[96];

	snprintf(other, sizeof(other), "%s.release", path);
	unlink(other);
	unlink(path);
	bm_pairs_end(pairs);
	free(pairs);
}

static void forget(void)
{
	bm_pairs_end(pairs);
	memset(pairs, 0, sizeof(*pairs));
	bm_pairs_init(pairs);
	profile.loop[0] = '\0';
}

START_TEST(what_is_written_is_read)
{
	begin();
	bm_pairs_rates(pairs, 0, 1)->page_ns = 4711;
	bm_pairs_rates(pairs, 1, 0)->share_ns = 0;
	bm_pairs_rates(pairs, 1, 0)->kernel_huge_ns = 123456789;
	ck_assert_int_eq(bm_profile_write(&sys, path, &profile), 0);
	forget();
	ck_assert_msg(bm_profile_read(&sys, path, &profile, why) == 1, "%s", why);
	ck_assert_str_eq(profile.loop, "avx2");
	ck_assert_uint_eq(pairs->count, 2);
	ck_assert_uint_eq(bm_pairs_rates(pairs, 0, 1)->page_ns, 4711);
	ck_assert_uint_eq(bm_pairs_rates(pairs, 1, 0)->kernel_huge_ns, 123456789);
	/* A pair that is not in it has the general rates. */
	ck_assert_uint_eq(bm_pairs_rates(pairs, 0, 7)->page_ns, pairs->general.page_ns);
	end();
}
END_TEST

static ssize_t no_space(int fd, const void *buffer, size_t size)
{
	(void)fd;
	(void)buffer;
	(void)size;
	return -ENOSPC;
}

/* The old one stays, and nothing lies beside it. */
START_TEST(a_disk_that_is_full)
{
	char beside[96];

	begin();
	bm_pairs_rates(pairs, 0, 1);
	ck_assert_int_eq(bm_profile_write(&sys, path, &profile), 0);
	sys.write = no_space;
	ck_assert_int_eq(bm_profile_write(&sys, path, &profile), -ENOSPC);
	snprintf(beside, sizeof(beside), "%s.new", path);
	ck_assert_int_eq(access(beside, F_OK), -1);
	ck_assert_int_eq(bm_profile_read(&sys, path, &profile, why), 1);
	ck_assert_int_eq(bm_profile_write(&sys, "/no/such/folder/profile", &profile), -ENOENT);
	end();
}
END_TEST

START_TEST(another_kernel_is_noticed)
{
	begin();
	bm_pairs_rates(pairs, 0, 1);
	ck_assert_int_eq(bm_profile_write(&sys, path, &profile), 0);
	forget();
	release = "5.4.3-other\n";
	ck_assert_int_eq(bm_profile_read(&sys, path, &profile, why), 0);
	ck_assert_ptr_nonnull(strstr(why, "5.4.3-other"));
	ck_assert_ptr_nonnull(strstr(why, path));
	ck_assert_uint_eq(pairs->count, 0);
	end();
}
END_TEST

static char whole[8192];

static size_t read_whole(void)
{
	FILE *file = fopen(path, "r");
	size_t length;

	ck_assert_ptr_nonnull(file);
	length = fread(whole, 1, sizeof(whole) - 1, file);
	fclose(file);
	whole[length] = '\0';
	return length;
}

static int read_as(const char *text, size_t length)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, length, file), length);
	fclose(file);
	forget();
	return bm_profile_read(&sys, path, &profile, why);
}

/* Cut anywhere, or with any byte changed: refused, or another machine, but never half used. */
START_TEST(damaged_files)
{
	size_t length;
	int used = 0;

	begin();
	bm_pairs_rates(pairs, 0, 1);
	ck_assert_int_eq(bm_profile_write(&sys, path, &profile), 0);
	length = read_whole();
	ck_assert_int_eq(read_as(whole, length), 1);
	for (size_t cut = 0; cut < length; cut++)
		used += read_as(whole, cut) == 1;
	/* Without its last newline. */
	ck_assert_int_eq(used, 1);
	for (size_t i = 0; i < length; i++) {
		char kept = whole[i];

		whole[i] = '#';
		ck_assert_msg(read_as(whole, length) < 1 || strstr(whole, "loop #") ||
				      profile.loop[0],
			      "byte %zu", i);
		whole[i] = kept;
	}
	ck_assert_int_eq(read_as("", 0), -EINVAL);
	unlink(path);
	ck_assert_int_eq(bm_profile_read(&sys, path, &profile, why), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "cannot be read"));
	end();
}
END_TEST

START_TEST(a_context_with_a_profile)
{
	struct bm_options options;
	struct bm_context *context;

	begin();
	bm_pairs_rates(pairs, 0, 0)->page_ns = 4711;
	ck_assert_int_eq(bm_profile_write(&sys, path, &profile), 0);
	bm_options_init(&options, sizeof(options));
	options.profile = path;
	ck_assert_int_eq(bm_options_check(&options, why, sizeof(why)), 0);
	ck_assert_int_eq(bm_context_new(&options, &context), 0);
	ck_assert(context->has_profile);
	ck_assert_str_eq(context->config.copy_loop, "avx2");
	ck_assert_uint_eq(context->pairs.general.page_ns, 4711);
	bm_context_free(context);
	/* One that is asked for by name stays. */
	options.copy_loop = "memcpy";
	ck_assert_int_eq(bm_context_new(&options, &context), 0);
	ck_assert_str_eq(context->config.copy_loop, "memcpy");
	bm_context_free(context);
	unlink(path);
	ck_assert_int_eq(bm_options_check(&options, why, sizeof(why)), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, path));
	ck_assert_int_eq(bm_context_new(&options, &context), -EINVAL);
	end();
}
END_TEST

static const TTest *const *const tests[] = {&what_is_written_is_read,   &a_disk_that_is_full,
					    &another_kernel_is_noticed, &damaged_files,
					    &a_context_with_a_profile,  NULL};
const struct report_group profile_group = {"profile", tests};

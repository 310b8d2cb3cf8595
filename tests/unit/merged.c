/* SPDX-License-Identifier: MIT */
/* merged.c - whether a page is said to be merged by KSM, and when nothing is said. */
#include "merged.h"

#include <errno.h>
#include <string.h>

#include "pagemap.h"
#include "unit.h"

#define PAGE    4096ul
#define PAGEMAP 3
#define FLAGS   4
#define ANON    (1ull << 12)
#define KSM     (1ull << 21)

enum { MINE = 100, MERGED, PLAIN };

/* The files: the page that the library itself writes to is in frame MINE. */
static struct {
	int error; /* of opening the flags */
	int opened, closed, read;
	uint64_t flags[200];
} files;

static int f_open(const char *path, int flags)
{
	(void)flags;
	ck_assert_str_eq(path, "/proc/kpageflags");
	files.opened++;
	return files.error ? files.error : FLAGS;
}

static int f_close(int fd)
{
	ck_assert_int_eq(fd, FLAGS);
	files.closed++;
	return 0;
}

static ssize_t f_pread(int fd, void *buffer, size_t size, off_t offset)
{
	uint64_t entry = BM_PAGEMAP_PRESENT | MINE;

	ck_assert_uint_eq(size, 8);
	if (fd == FLAGS) {
		ck_assert_int_eq(offset % 8, 0);
		ck_assert_int_lt(offset / 8, 200);
		files.read++;
		entry = files.flags[offset / 8];
	}
	memcpy(buffer, &entry, size);
	return (ssize_t)size;
}

static const struct bm_sys sys = {.open = f_open, .close = f_close, .pread = f_pread};
static struct bm_merged merged;

static void begin(int error, uint64_t mine)
{
	memset(&files, 0, sizeof(files));
	files.error = error;
	files.flags[MINE] = mine;
	files.flags[MERGED] = ANON | KSM;
	files.flags[PLAIN] = mine;
	bm_merged_init(&merged, &sys, PAGEMAP, PAGE);
}

static void end(int opened)
{
	bm_merged_end(&merged);
	ck_assert_int_eq(files.opened, opened);
	ck_assert_int_eq(files.closed, files.error ? 0 : opened);
}

static int is(uint64_t frame)
{
	return bm_merged_is(&merged, BM_PAGEMAP_PRESENT | frame);
}

START_TEST(what_the_flags_say)
{
	begin(0, ANON);
	for (int round = 0; round < 3; round++) {
		ck_assert_int_eq(is(MERGED), 1);
		ck_assert_int_eq(is(PLAIN), 0);
	}
	ck_assert_int_eq(bm_merged_is(&merged, MERGED), 0);
	end(1);
}
END_TEST

START_TEST(no_question_no_file)
{
	begin(0, ANON);
	end(0);
}
END_TEST

/* Frames are all 0 then. */
START_TEST(no_privilege_for_frames)
{
	begin(0, ANON);
	ck_assert_int_eq(is(0), 0);
	ck_assert_int_eq(files.read, 0);
	end(0);
}
END_TEST

START_TEST(no_privilege_for_flags)
{
	begin(-EACCES, ANON);
	for (int round = 0; round < 3; round++)
		ck_assert_int_eq(is(MERGED), 0);
	ck_assert_int_eq(files.read, 0);
	end(1);
}
END_TEST

/* As on Linux 6.12, and one that says nothing of what is certainly anonymous. */
START_TEST(not_to_be_believed)
{
	static const uint64_t mine[] = {ANON | KSM, 0, KSM};

	for (size_t i = 0; i < sizeof(mine) / sizeof(mine[0]); i++) {
		begin(0, mine[i]);
		for (int round = 0; round < 3; round++)
			ck_assert_int_eq(is(MERGED), 0);
		ck_assert_int_eq(files.read, 1);
		end(1);
	}
}
END_TEST

static const TTest *const *const tests[] = {&what_the_flags_say,      &no_question_no_file,
					    &no_privilege_for_frames, &no_privilege_for_flags,
					    &not_to_be_believed,      NULL};
const struct report_group merged_group = {"merged", tests};

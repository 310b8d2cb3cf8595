/* SPDX-License-Identifier: MIT */
/* registry.c - backend lists, and the texts of errors and reasons. */
#include "cpu/cpu.h"
#include "dsa/dsa.h"
#include "ptdma/ptdma.h"
#include "registry.h"

#include "error.h"
#include "fake.h"
#include "options.h"
#include "unit.h"

static char why[BM_WHY_MAX];

static int no_file(const char *path, int mode)
{
	(void)path;
	(void)mode;
	return -ENOENT;
}

static ssize_t no_folder(const char *path, char *buffer, size_t size)
{
	(void)path;
	(void)buffer;
	(void)size;
	return -ENOENT;
}

/* On a machine without any device. */
static int list(const char *text)
{
	static struct bm_sys sys;
	struct bm_backend_env env = {.sys = &sys, .page_size = 4096};

	sys = bm_sys_linux;
	sys.open = sys.access = no_file;
	sys.list = no_folder;
	why[0] = '\0';
	return bm_registry_check(text, "BATCHMIG_BACKEND", &env, why);
}

START_TEST(lists_that_work)
{
	ck_assert_int_eq(list("auto"), 0);
	ck_assert_int_eq(list("kernel"), 0);
	ck_assert_int_eq(list("dsa,kernel"), 0);
	ck_assert_int_eq(list("ptdma,dsa,cpu,auto"), 0);
	ck_assert_int_eq(list("kernel,kernel"), 0);
}
END_TEST

START_TEST(nothing_left_gives_each_reason)
{
	ck_assert_int_eq(list("dsa"), -ENODEV);
	ck_assert_ptr_nonnull(strstr(why, "dsa"));
	ck_assert_int_eq(list("dsa,ptdma"), -ENODEV);
	ck_assert_ptr_nonnull(strstr(why, "BATCHMIG_BACKEND"));
	ck_assert_ptr_nonnull(strstr(why, "dsa:"));
	ck_assert_ptr_nonnull(strstr(why, "ptdma:"));
}
END_TEST

START_TEST(near_misses_get_a_suggestion)
{
	ck_assert_int_eq(list("kernal"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "did you mean \"kernel\""));
	ck_assert_int_eq(list("auto,das"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "\"das\""));
	ck_assert_int_eq(list("ptdna"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "did you mean \"ptdma\""));
	ck_assert_int_eq(list("accelerator"), -EINVAL);
	ck_assert_ptr_null(strstr(why, "did you mean"));
	ck_assert_ptr_nonnull(strstr(why, "auto"));
	ck_assert_ptr_nonnull(strstr(why, "kernel"));
}
END_TEST

START_TEST(empty_and_odd_names)
{
	static const char *const bad[] = {
		"",        ",",       "kernel,", ",kernel",    "auto,,kernel",
		" kernel", "kernel ", "KERNEL",  "kernel;cpu", "dsa, kernel"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(list(bad[i]) == -EINVAL, "\"%s\"", bad[i]);
}
END_TEST

START_TEST(long_names_and_lists)
{
	char text[4096];

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(list(text), -EINVAL);
	for (size_t length = 28; length < 40; length++) {
		memset(text, 'k', length);
		text[length] = '\0';
		ck_assert_int_eq(list(text), -EINVAL);
	}
	text[0] = '\0';
	for (size_t i = 0; i < 600; i++)
		memcpy(text + i * 4, "dsa,", 5);
	memcpy(text + 2400, "dsa", 4);
	ck_assert_int_eq(list(text), -ENODEV);
	ck_assert_uint_lt(strlen(why), BM_WHY_MAX);
}
END_TEST

static struct bm_picks picks_of(const char *text)
{
	struct bm_backend_env env = {.ptdma_access = "vfio"};
	struct bm_picks picks = {.count = 0};

	bm_registry_picks(text, &env, &picks);
	return picks;
}

START_TEST(copying_backends)
{
	struct bm_picks picks = picks_of("cpu");

	ck_assert_uint_eq(picks.count, 1);
	ck_assert_ptr_eq(picks.list[0], &bm_backend_cpu);
	ck_assert_int_eq(picks.named, 1);
	picks = picks_of("cpu,cpu,auto,cpu");
	ck_assert_ptr_eq(picks.list[0], &bm_backend_cpu);
	for (size_t i = 1; i < picks.count; i++)
		ck_assert_ptr_ne(picks.list[i], &bm_backend_cpu);
	/* No promise is in what the library chooses. */
	picks = picks_of("auto");
	ck_assert_uint_eq(picks.count, 3);
	ck_assert_ptr_eq(picks.list[0], &bm_backend_dsa);
	ck_assert_ptr_eq(picks.list[1], &bm_backend_ptdma);
	ck_assert_ptr_eq(picks.list[2], &bm_backend_cpu);
	ck_assert_int_eq(picks.named, 0);
	picks = picks_of("ptdma,kernel,dsa");
	ck_assert_uint_eq(picks.count, 1);
	ck_assert_ptr_eq(picks.list[0], &bm_backend_ptdma);
	ck_assert_int_eq(picks.named, 1);
	picks = picks_of("kernel,cpu");
	ck_assert_uint_eq(picks.count, 0);
	ck_assert_int_eq(picks.named, 0);
}
END_TEST

/* A device that can write to all of the memory is used by who names it. */
START_TEST(auto_takes_no_risk)
{
	struct bm_backend_env env = {.ptdma_access = "uio-unsafe"};
	struct bm_picks picks = {.count = 0};

	bm_registry_picks("auto", &env, &picks);
	ck_assert_uint_eq(picks.count, 2);
	ck_assert_ptr_eq(picks.list[0], &bm_backend_dsa);
	ck_assert_ptr_eq(picks.list[1], &bm_backend_cpu);
	picks = (struct bm_picks){.count = 0};
	bm_registry_picks("cpu,ptdma,auto", &env, &picks);
	ck_assert_uint_eq(picks.count, 3);
	ck_assert_ptr_eq(picks.list[1], &bm_backend_ptdma);
	/* Nothing said is what is safe. */
	env.ptdma_access = NULL;
	picks = (struct bm_picks){.count = 0};
	bm_registry_picks("auto", &env, &picks);
	ck_assert_uint_eq(picks.count, 3);
}
END_TEST

START_TEST(rows_for_info)
{
	struct bm_facility row;
	char remedy[BM_WHY_MAX];
	size_t count = 0;

	for (; bm_registry_row(count, NULL, &row, why, remedy); count++) {
		ck_assert(*row.name && *row.why);
		ck_assert(row.usable && !*row.remedy);
	}
	ck_assert_uint_eq(count, 4);
	ck_assert_int_eq(bm_registry_row(SIZE_MAX, NULL, &row, why, remedy), 0);
	ck_assert_str_eq(bm_registry_kernel(), "kernel");
}
END_TEST

START_TEST(movers)
{
	ck_assert_int_eq(bm_mover_parse("auto", "BATCHMIG_MOVER", why), BM_MOVER_AUTO);
	ck_assert_int_eq(bm_mover_parse("move_pages", "BATCHMIG_MOVER", why), BM_MOVER_MOVE_PAGES);
	ck_assert_int_eq(bm_mover_parse("mbind", "BATCHMIG_MOVER", why), BM_MOVER_MBIND);
	ck_assert_int_eq(bm_mover_parse("swap", "BATCHMIG_MOVER", why), BM_MOVER_SWAP);
	ck_assert_int_eq(bm_mover_parse("", "BATCHMIG_MOVER", why), -EINVAL);
	ck_assert_int_eq(bm_mover_parse("mbin", "BATCHMIG_MOVER", why), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "auto|move_pages|mbind|swap"));
}
END_TEST

START_TEST(reasons_have_words)
{
	for (int i = 0; i < BM_REASON_COUNT; i++) {
		ck_assert(*bm_reason_name(i) && *bm_reason_text(i));
		ck_assert_ptr_null(strchr(bm_reason_name(i), ' '));
		for (int k = 0; k < i; k++) {
			ck_assert_str_ne(bm_reason_name(i), bm_reason_name(k));
			ck_assert_str_ne(bm_reason_text(i), bm_reason_text(k));
		}
	}
	ck_assert_str_eq(bm_reason_name(BM_REASON_BUSY), "busy");
	ck_assert_str_eq(bm_reason_name(-1), "unknown");
	ck_assert_str_eq(bm_reason_name(BM_REASON_COUNT), "unknown");
	ck_assert_str_eq(bm_reason_text(INT32_MAX), "unknown");
	ck_assert_str_eq(bm_reason_text(INT32_MIN), "unknown");
}
END_TEST

START_TEST(errors_have_words)
{
	static const int known[] = {ENOENT,    EFAULT, EACCES, EBUSY, ENOMEM, ENODEV, EPERM,    EIO,
				    EHWPOISON, ESRCH,  EINVAL, E2BIG, ENOSYS, ESTALE, ETIMEDOUT};
	const char *other = bm_error_text(ENOTBLK);

	ck_assert(*other != '\0');
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		ck_assert_str_ne(bm_error_text(known[i]), other);
		ck_assert_ptr_eq(bm_error_text(known[i]), bm_error_text(-known[i]));
		for (size_t k = 0; k < i; k++)
			ck_assert_str_ne(bm_error_text(known[i]), bm_error_text(known[k]));
	}
	ck_assert_ptr_nonnull(bm_error_text(INT32_MIN));
	ck_assert_ptr_nonnull(bm_error_text(0));
}
END_TEST

START_TEST(reasons_of_errors)
{
	ck_assert_int_eq(bm_reason_of(-ENOENT), BM_REASON_ABSENT);
	ck_assert_int_eq(bm_reason_of(-EFAULT), BM_REASON_UNMAPPED);
	ck_assert_int_eq(bm_reason_of(-EACCES), BM_REASON_SHARED);
	ck_assert_int_eq(bm_reason_of(-EBUSY), BM_REASON_BUSY);
	ck_assert_int_eq(bm_reason_of(-ENOMEM), BM_REASON_TARGET_FULL);
	ck_assert_int_eq(bm_reason_of(-ENODEV), BM_REASON_NO_NODE);
	ck_assert_int_eq(bm_reason_of(-EPERM), BM_REASON_REFUSED);
	ck_assert_int_eq(bm_reason_of(-EHWPOISON), BM_REASON_POISONED);
	ck_assert_int_eq(bm_reason_of(-ESRCH), BM_REASON_GONE);
	ck_assert_int_eq(bm_reason_of(-EIO), BM_REASON_OTHER);
	ck_assert_int_eq(bm_reason_of(-ENOTBLK), BM_REASON_OTHER);
}
END_TEST

static const TTest *const *const tests[] = {&lists_that_work,
					    &nothing_left_gives_each_reason,
					    &near_misses_get_a_suggestion,
					    &empty_and_odd_names,
					    &long_names_and_lists,
					    &copying_backends,
					    &auto_takes_no_risk,
					    &rows_for_info,
					    &movers,
					    &reasons_have_words,
					    &errors_have_words,
					    &reasons_of_errors,
					    NULL};
const struct report_group registry_group = {"registry", tests};

/* SPDX-License-Identifier: MIT */
/* copy_ends.c - all bytes arrive, whatever one backend does; or it is said that they may not. */
#include "copy.h"

#include <errno.h>

#include "faulty.h"
#include "scene.h"
#include "unit.h"

#define COPIES 40
#define LENGTH 4096u

static unsigned char from[COPIES][LENGTH], to[COPIES][LENGTH];
static unsigned char ends[COPIES];

static size_t run(const struct faulty *how)
{
	struct bm_copy copies[COPIES];
	struct bm_copier copier = {
		.sys = &bm_sys_linux, .backend = &faulty_backend, .patience_ns = 20000000};
	size_t lost;

	faulty = *how;
	ck_assert_int_eq(copier.backend->chan_open(NULL, -1, &copier.channel), 0);
	for (size_t i = 0; i < COPIES; i++) {
		memset(from[i], (int)(rnd() | 1), LENGTH);
		memset(to[i], 0, LENGTH);
		copies[i] = (struct bm_copy){.to = to[i], .from = from[i], .length = LENGTH};
	}
	lost = bm_copy_all(&copier, copies, COPIES, ends);
	for (size_t i = 0; i < COPIES; i++) {
		ck_assert(ends[i] == BM_COPY_DONE || ends[i] == BM_COPY_LOST);
		ck_assert_msg(ends[i] == BM_COPY_LOST || memcmp(from[i], to[i], LENGTH) == 0,
			      "copy %zu is said to be done and is not", i);
	}
	ck_assert_int_eq(copier.silent, lost > 0);
	copier.backend->chan_close(copier.channel);
	return lost;
}

START_TEST(usual)
{
	struct faulty how = {0};

	ck_assert_uint_eq(run(&how), 0);
	ck_assert_uint_eq(faulty.seen, COPIES);
	how.depth = 1;
	ck_assert_uint_eq(run(&how), 0);
	how.shuffle = 1;
	how.depth = 7;
	ck_assert_uint_eq(run(&how), 0);
}
END_TEST

START_TEST(each_kind_at_each_copy)
{
	static const enum faulty_kind kinds[] = {FAULTY_ERROR, FAULTY_SHORT, FAULTY_LATE,
						 FAULTY_REFUSED, FAULTY_TWICE};

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		for (size_t at = 1; at <= COPIES; at++) {
			struct faulty how = {.kind = kinds[k], .at = at, .depth = at % 3 * 5};

			ck_assert_uint_eq(run(&how), 0);
			ck_assert_msg(faulty.hit, "kind %d at %zu was not tried", (int)kinds[k],
				      at);
		}
	}
}
END_TEST

/* What never comes back may still be written to: it must not be called done. */
START_TEST(never_answered)
{
	for (size_t at = 1; at <= COPIES; at += 13) {
		struct faulty how = {.kind = FAULTY_SILENT, .at = at};

		ck_assert_uint_eq(run(&how), 1);
		ck_assert_int_eq(ends[at - 1], BM_COPY_LOST);
	}
}
END_TEST

START_TEST(every_copy_wrong)
{
	struct faulty how = {.kind = FAULTY_ERROR, .every = 1};

	ck_assert_uint_eq(run(&how), 0);
	how.kind = FAULTY_SHORT;
	ck_assert_uint_eq(run(&how), 0);
	how.kind = FAULTY_SILENT;
	ck_assert_uint_eq(run(&how), COPIES);
}
END_TEST

static const TTest *const *const tests[] = {&usual, &each_kind_at_each_copy, &never_answered,
					    &every_copy_wrong, NULL};
const struct report_group copy_ends_group = {"copy_ends", tests};

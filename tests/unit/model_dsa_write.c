/* SPDX-License-Identifier: MIT */
/* model_dsa_write.c - descriptors by write(2) to the software DSA, case by case as the driver. */
#include "desk.h"

#include <errno.h>

#include "unit.h"

static const struct dsa_queue_config strict[2] = {
	{.shared = 1, .size = 4, .threshold = 3, .max_transfer = 1 << 20, .max_batch = 32},
	{.shared = 0, .size = 2, .max_transfer = 1 << 20, .max_batch = 32},
};

START_TEST(write_takes_whole_descriptors)
{
	static const struct {
		size_t size;
		ssize_t taken;
	} rows[] = {{0, 0},    {1, 0},     {63, 0},    {64, 64},  {65, 64},
		    {127, 64}, {128, 128}, {200, 192}, {640, 640}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct desk desk;

		desk_open(&desk, DSA_AT_ONCE, 1);
		desk_batch(&desk, 12);
		ck_assert_int_eq(dsa_write(desk.dsa, 0, desk.list, rows[i].size), rows[i].taken);
		for (size_t k = 0; k < 12; k++)
			ck_assert_int_eq(desk_status(&desk, k), (ssize_t)k < rows[i].taken / 64);
		desk_close(&desk);
	}
}
END_TEST

/* The first that cannot be taken ends it: an error only where it is the first of all. */
static void check_bad(const struct desk *desk, size_t bad, int error)
{
	ck_assert_int_eq(dsa_write(desk->dsa, 0, desk->list, 128), bad ? 64 * (ssize_t)bad : error);
	ck_assert_int_eq(dsa_write(desk->dsa, 0, desk->list + bad, 64), error);
	for (size_t k = 0; k < 4; k++)
		ck_assert_int_eq(desk_status(desk, k), k < bad);
}

START_TEST(write_refuses)
{
	for (size_t bad = 0; bad < 2; bad++) {
		struct desk desk;

		desk_open_with(&desk, strict, DSA_AT_ONCE, 1);
		desk_batch(&desk, 4);
		desk_put(&desk.list[bad], 7, 1, 1);
		check_bad(&desk, bad, -EINVAL);
		desk_batch(&desk, 4);
		/* Looked at even where the flags say that there is no address. */
		desk_put(&desk.list[bad], 4, 0, 3);
		desk_put(&desk.list[bad], 8, 16, 8);
		desk.records[0][0] = 0;
		check_bad(&desk, bad, -EINVAL);
		ck_assert_int_eq(dsa_write(desk.dsa, 0, NULL, 64), -EFAULT);
		ck_assert_uint_eq(desk_counts(&desk).refused, 0);
		desk_close(&desk);
	}
}
END_TEST

START_TEST(write_of_batches_where_they_are_taken)
{
	desk_descriptor batch;
	struct desk desk;

	desk_open(&desk, DSA_AT_ONCE, 1);
	batch = desk_batch(&desk, 4);
	ck_assert_int_eq(dsa_write(desk.dsa, 0, &batch, 64), 64);
	ck_assert_int_eq(desk_status(&desk, DESK_BATCH_RECORD), 1);
	desk_close(&desk);
}
END_TEST

START_TEST(write_to_a_full_queue)
{
	struct desk desk;

	desk_open_with(&desk, strict, DSA_WHEN_RUN, 1);
	desk_batch(&desk, 5);
	ck_assert_int_eq(dsa_write(desk.dsa, 0, desk.list, 320), 192);
	ck_assert_int_eq(dsa_write(desk.dsa, 0, desk.list + 3, 128), -EAGAIN);
	dsa_run(desk.dsa, 1);
	ck_assert_int_eq(dsa_write(desk.dsa, 0, desk.list + 3, 128), 64);
	/* A dedicated one says nothing. */
	ck_assert_int_eq(dsa_write(desk.dsa, 1, desk.list, 320), 320);
	ck_assert_uint_eq(desk_counts(&desk).dropped, 3);
	ck_assert_uint_eq(desk_counts(&desk).writes, 4);
	ck_assert_uint_eq(desk_counts(&desk).portal, 0);
	desk_close(&desk);
}
END_TEST

/* The driver puts in who it is; to dedicated queues it passes what was written. */
START_TEST(write_of_rights)
{
	struct desk desk;

	desk_open_with(&desk, strict, DSA_AT_ONCE, 1);
	desk_batch(&desk, 2);
	desk_put(&desk.list[0], 0, 1u << 31 | 5, 4);
	desk_put(&desk.list[1], 0, 1u << 31 | 5, 4);
	ck_assert_int_eq(dsa_write(desk.dsa, 0, &desk.list[0], 64), 64);
	ck_assert_int_eq(dsa_write(desk.dsa, 1, &desk.list[1], 64), 64);
	ck_assert_int_eq(desk_status(&desk, 0), 1);
	ck_assert_int_eq(desk_status(&desk, 1), 0x1d);
	desk_close(&desk);
}
END_TEST

static const TTest *const *const tests[] = {
	&write_takes_whole_descriptors, &write_refuses,   &write_of_batches_where_they_are_taken,
	&write_to_a_full_queue,         &write_of_rights, NULL};
const struct report_group model_dsa_write_group = {"model_dsa_write", tests};

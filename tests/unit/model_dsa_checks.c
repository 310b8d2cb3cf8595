/* SPDX-License-Identifier: MIT */
/* model_dsa_checks.c - what the software DSA refuses, with which status, and what it sees first. */
#include "desk.h"

#include <string.h>

#include "unit.h"

/* A mistake: bytes that are written into a descriptor that is right. */
struct mistake {
	size_t offset;
	uint64_t value;
	size_t bytes;
	uint8_t status;
};

static const struct dsa_queue_config small[2] = {
	{.shared = 1, .size = 8, .max_transfer = 65536, .max_batch = 4},
	{.shared = 0, .size = 8, .max_transfer = 65536, .max_batch = 4},
};

static void make(desk_descriptor *descriptor, const struct mistake *mistake)
{
	uint64_t value = mistake->value;

	/* Flags come beside those that are there. */
	if (mistake->offset == 4)
		value |= desk_get(descriptor, 4, 3);
	desk_put(descriptor, mistake->offset, value, mistake->bytes);
}

/* By the dedicated queue: ENQCMD puts in a word of its own. */
static uint8_t status_of(const struct desk *desk, const desk_descriptor *descriptor, size_t record)
{
	memset(desk->records[record], 0, 32);
	dsa_movdir64b(desk->dsa, 1, descriptor);
	return desk_status(desk, record);
}

/* In the order in which they are looked for. */
static const struct mistake copy_mistakes[] = {
	{7, 0x04, 1, 0x10},     {7, 0x20, 1, 0x10},     {7, 0xff, 1, 0x10},
	{38, 0x0100, 2, 0x12},  {40, 1, 1, 0x12},       {63, 1, 1, 0x12},
	{0, 1 << 20, 4, 0x12},  {0, 1 << 30, 4, 0x12},  {0, 1u << 31, 4, 0x1d},
	{4, 0x000002, 3, 0x11}, {4, 0x000040, 3, 0x11}, {4, 0x800000, 3, 0x11},
	{4, 0x000001, 3, 0x11}, {4, 0x000010, 3, 0x19}, {32, 0, 4, 0x13},
	{32, 65537, 4, 0x13},
};
#define COPY_MISTAKES (sizeof(copy_mistakes) / sizeof(copy_mistakes[0]))

START_TEST(checks_of_a_copy)
{
	struct desk desk;

	desk_open_with(&desk, small, DSA_AT_ONCE, 1);
	for (size_t i = 0; i < COPY_MISTAKES; i++) {
		desk_descriptor descriptor = desk_copy(&desk, 0);
		uint8_t status;

		make(&descriptor, &copy_mistakes[i]);
		status = status_of(&desk, &descriptor, 0);
		ck_assert_msg(status == copy_mistakes[i].status, "%zu: %#x", i, status);
		ck_assert_uint_eq(desk_get(desk.records[0], 16, 4),
				  status == 0x11 ? copy_mistakes[i].value : 0);
		ck_assert(desk_is_untouched(&desk, 0));
		ck_assert_uint_eq(desk_counts(&desk).refused, i + 1);
	}
	ck_assert_uint_eq(desk_counts(&desk).software_errors, 0);
	desk_close(&desk);
}
END_TEST

/* Of two mistakes the first one decides. */
START_TEST(checks_of_a_copy_in_order)
{
	struct desk desk;

	desk_open_with(&desk, small, DSA_AT_ONCE, 1);
	for (size_t i = 0; i < COPY_MISTAKES; i++) {
		for (size_t k = i + 1; k < COPY_MISTAKES; k++) {
			desk_descriptor descriptor = desk_copy(&desk, 0);
			uint8_t status;

			if (copy_mistakes[k].offset == copy_mistakes[i].offset &&
			    copy_mistakes[i].offset != 4)
				continue;
			make(&descriptor, &copy_mistakes[k]);
			make(&descriptor, &copy_mistakes[i]);
			status = status_of(&desk, &descriptor, 0);
			ck_assert_msg(status == copy_mistakes[i].status, "%zu, %zu: %#x", i, k,
				      status);
		}
	}
	desk_close(&desk);
}
END_TEST

START_TEST(checks_let_through)
{
	static const struct mistake none[] = {{32, 65536, 4, 1}, {4, 0x0080, 3, 1},
					      {4, 0x0100, 3, 1}, {4, 0x4000, 3, 1},
					      {4, 0x9600, 3, 1}, {0, 0xfffff, 4, 1}};
	struct desk desk;

	desk_open_with(&desk, small, DSA_AT_ONCE, 1);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		desk_descriptor descriptor = desk_copy(&desk, 0);

		make(&descriptor, &none[i]);
		ck_assert_int_eq(status_of(&desk, &descriptor, 0), 1);
	}
	ck_assert_uint_eq(desk_counts(&desk).refused, 0);
	desk_close(&desk);
}
END_TEST

START_TEST(checks_blocking_where_it_is_on)
{
	struct dsa_queue_config queues[2] = {small[0], small[1]};
	desk_descriptor descriptor;
	struct desk desk;

	queues[1].block_on_fault = 1;
	desk_open_with(&desk, queues, DSA_AT_ONCE, 1);
	descriptor = desk_copy(&desk, 0);
	desk_put(&descriptor, 4, DESK_WANTED | 2, 3);
	ck_assert_int_eq(status_of(&desk, &descriptor, 0), 1);
	desk_close(&desk);
}
END_TEST

/* Where the record would be nothing is written; before other mistakes of the operation. */
START_TEST(checks_the_address_of_the_record)
{
	struct desk desk;

	desk_open_with(&desk, small, DSA_AT_ONCE, 1);
	for (size_t off = 1; off < 32; off++) {
		desk_descriptor descriptor = desk_copy(&desk, 0);

		desk_put(&descriptor, 8, desk_address(desk.records[0]) + off, 8);
		ck_assert_int_eq(status_of(&desk, &descriptor, 0), 0);
		for (size_t i = 0; i < 64; i++)
			ck_assert_uint_eq(desk.records[i / 32][i % 32], 0);
		ck_assert(desk_is_untouched(&desk, 0));
		ck_assert_uint_eq(desk_counts(&desk).software_errors, off);
		ck_assert_uint_eq(desk_counts(&desk).refused, off);
	}
	desk_close(&desk);
}
END_TEST

/* Without RCR and CRAV the address means nothing; asking without an address is refused. */
START_TEST(checks_the_request_for_a_record)
{
	desk_descriptor descriptor;
	struct desk desk;

	desk_open_with(&desk, small, DSA_AT_ONCE, 1);
	descriptor = desk_copy(&desk, 0);
	desk_put(&descriptor, 4, 0, 3);
	desk_put(&descriptor, 8, 3, 8);
	status_of(&desk, &descriptor, 0);
	ck_assert(desk_is_copied(&desk, 0));
	descriptor = desk_copy(&desk, 1);
	desk_put(&descriptor, 4, 8, 3);
	ck_assert_int_eq(status_of(&desk, &descriptor, 1), 0);
	ck_assert(desk_is_untouched(&desk, 1));
	ck_assert_uint_eq(desk_counts(&desk).refused, 1);
	desk_close(&desk);
}
END_TEST

static const struct mistake batch_mistakes[] = {
	{38, 1, 2, 0x12}, {24, 64, 8, 0x12}, {4, 0x000100, 3, 0x11}, {32, 0, 4, 0x14},
	{32, 1, 4, 0x14}, {32, 5, 4, 0x14},  {16, 0x1020, 8, 0x18},
};
#define BATCH_MISTAKES (sizeof(batch_mistakes) / sizeof(batch_mistakes[0]))

START_TEST(checks_of_a_batch)
{
	struct desk desk;

	desk_open_with(&desk, small, DSA_AT_ONCE, 1);
	for (size_t i = 0; i < BATCH_MISTAKES; i++) {
		for (size_t k = i; k < BATCH_MISTAKES; k++) {
			desk_descriptor batch = desk_batch(&desk, 4);
			uint8_t status;

			if (k != i && batch_mistakes[k].offset == batch_mistakes[i].offset)
				continue;
			make(&batch, &batch_mistakes[k]);
			make(&batch, &batch_mistakes[i]);
			status = status_of(&desk, &batch, DESK_BATCH_RECORD);
			ck_assert_msg(status == batch_mistakes[i].status, "%zu, %zu: %#x", i, k,
				      status);
			ck_assert(desk_is_untouched(&desk, 0));
		}
	}
	desk_close(&desk);
}
END_TEST

/* What must not be in a batch: another one, which is seen last, and a drain. */
START_TEST(checks_of_children)
{
	static const struct {
		unsigned int opcode, count;
		uint8_t status;
	} rows[] = {{1, 4, 0x10}, {1, 1, 0x14}, {2, 0, 0x10}, {0, 0, 1}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct desk desk;
		desk_descriptor batch;

		desk_open_with(&desk, small, DSA_AT_ONCE, 1);
		batch = desk_batch(&desk, 4);
		desk.list[1] = desk_operation(&desk, rows[i].opcode, DESK_WANTED, 1);
		desk_put(&desk.list[1], 32, rows[i].count, 4);
		ck_assert_int_eq(status_of(&desk, &batch, DESK_BATCH_RECORD),
				 rows[i].status == 1 ? 1 : 5);
		ck_assert_int_eq(desk_status(&desk, 1), rows[i].status);
		ck_assert(desk_is_copied(&desk, 0) && desk_is_copied(&desk, 3));
		desk_close(&desk);
	}
}
END_TEST

static const TTest *const *const tests[] = {&checks_of_a_copy,
					    &checks_of_a_copy_in_order,
					    &checks_let_through,
					    &checks_blocking_where_it_is_on,
					    &checks_the_address_of_the_record,
					    &checks_the_request_for_a_record,
					    &checks_of_a_batch,
					    &checks_of_children,
					    NULL};
const struct report_group model_dsa_checks_group = {"model_dsa_checks", tests};

/* SPDX-License-Identifier: MIT */
/* model_dsa.c - the software DSA itself: entries, copies, records. */
#include "desk.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "unit.h"

START_TEST(dsa_copies_at_every_pace)
{
	for (unsigned int pace = DSA_AT_ONCE; pace <= DSA_BY_THREAD; pace++) {
		struct desk desk;
		desk_descriptor descriptor;

		desk_open(&desk, pace, 1);
		desk_submit(&desk, 0);
		descriptor = desk_copy(&desk, 1);
		dsa_movdir64b(desk.dsa, 1, &descriptor);
		ck_assert(pace != DSA_AT_ONCE || (desk_status(&desk, 0) && desk_status(&desk, 1)));
		if (pace == DSA_WHEN_RUN) {
			ck_assert(!desk_status(&desk, 0) && !desk_status(&desk, 1));
			ck_assert_uint_eq(dsa_run(desk.dsa, 9), 2);
		}
		for (size_t i = 0; i < 2; i++) {
			ck_assert_int_eq(desk_wait(&desk, i), 1);
			ck_assert(desk_is_copied(&desk, i));
			ck_assert_uint_eq(desk_get(desk.records[i], 1, 1), 0);
		}
		ck_assert_uint_eq(desk_counts(&desk).bytes, 2 * DESK_PIECE);
		ck_assert(desk_is_untouched(&desk, 2) && !desk_status(&desk, 2));
		desk_close(&desk);
	}
}
END_TEST

START_TEST(dsa_shared_takes_up_to_the_threshold)
{
	struct dsa_queue_config queues[2] = {desk_queues[0], desk_queues[1]};
	desk_descriptor descriptor;
	struct desk desk;

	queues[0].threshold = 3;
	desk_open_with(&desk, queues, DSA_WHEN_RUN, 1);
	for (size_t i = 0; i < 3; i++)
		desk_submit(&desk, i);
	descriptor = desk_copy(&desk, 3);
	ck_assert_int_eq(dsa_enqcmd(desk.dsa, 0, &descriptor), 1);
	ck_assert_uint_eq(desk_counts(&desk).in_flight, 3);
	dsa_run(desk.dsa, 1);
	ck_assert_int_eq(dsa_enqcmd(desk.dsa, 0, &descriptor), 0);
	ck_assert_int_eq(dsa_enqcmd(desk.dsa, 0, &descriptor), 1);
	ck_assert_uint_eq(desk_counts(&desk).dropped, 0);
	ck_assert_uint_eq(desk_counts(&desk).most_in_flight, 3);
	desk_close(&desk);
}
END_TEST

START_TEST(dsa_dedicated_drops_what_is_too_much)
{
	struct dsa_queue_config queues[2] = {desk_queues[0], desk_queues[1]};
	struct desk desk;

	queues[1].size = 2;
	queues[1].threshold = 1;
	desk_open_with(&desk, queues, DSA_WHEN_RUN, 1);
	for (size_t i = 0; i < 3; i++) {
		desk_descriptor descriptor = desk_copy(&desk, i);

		dsa_movdir64b(desk.dsa, 1, &descriptor);
	}
	dsa_run(desk.dsa, 100);
	ck_assert(desk_status(&desk, 0) == 1 && desk_status(&desk, 1) == 1);
	ck_assert(!desk_status(&desk, 2) && desk_is_untouched(&desk, 2));
	ck_assert_uint_eq(desk_counts(&desk).dropped, 1);
	ck_assert_uint_eq(desk_counts(&desk).software_errors, 1);
	desk_close(&desk);
}
END_TEST

/* Else who keeps count of entries would lose descriptors. */
START_TEST(dsa_entry_is_free_with_the_status)
{
	struct dsa_queue_config queues[2] = {desk_queues[0], desk_queues[1]};
	struct desk desk;

	queues[1].size = 1;
	desk_open_with(&desk, queues, DSA_BY_THREAD, 1);
	for (size_t i = 0; i < 2000; i++) {
		desk_descriptor descriptor = desk_copy(&desk, i % 8);

		memset(desk.records[i % 8], 0, 32);
		dsa_movdir64b(desk.dsa, 1, &descriptor);
		ck_assert_int_eq(desk_wait(&desk, i % 8), 1);
	}
	ck_assert_uint_eq(desk_counts(&desk).dropped, 0);
	desk_close(&desk);
}
END_TEST

/* Flags, whether it is made to fail, whether there is a record, errors of software. */
START_TEST(dsa_records_that_are_wanted)
{
	static const struct {
		unsigned int flags, fails, recorded, errors;
	} rows[] = {{0x0c, 0, 1, 0}, {0x04, 0, 0, 0}, {0x00, 0, 0, 0},
		    {0x0c, 1, 1, 0}, {0x04, 1, 1, 0}, {0x00, 1, 0, 1}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct desk desk;
		desk_descriptor descriptor;

		desk_open(&desk, DSA_AT_ONCE, 1);
		descriptor = desk_copy(&desk, 0);
		desk_put(&descriptor, 4, rows[i].flags | DESK_MEMMOVE << 24, 4);
		if (rows[i].fails)
			desk_put(&descriptor, 32, 0, 4);
		dsa_enqcmd(desk.dsa, 0, &descriptor);
		ck_assert_int_eq(desk_status(&desk, 0) != 0, rows[i].recorded);
		ck_assert_int_eq(desk_is_copied(&desk, 0), !rows[i].fails);
		ck_assert_uint_eq(desk_counts(&desk).software_errors, rows[i].errors);
		ck_assert_uint_eq(desk_counts(&desk).in_flight, 0);
		desk_close(&desk);
	}
}
END_TEST

static struct {
	struct desk desk;
	volatile size_t offset;
	volatile int copied;
} first_store;

static void on_first_store(int signal, siginfo_t *info, void *context)
{
	unsigned char *page = (unsigned char *)first_store.desk.records;

	(void)signal;
	(void)context;
	first_store.offset = (size_t)((unsigned char *)info->si_addr - page);
	first_store.copied = desk_is_copied(&first_store.desk, 0);
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

/* The page of the record tells of the first store to it: the data is there, the status is not. */
START_TEST(dsa_status_is_written_last)
{
	struct sigaction action = {.sa_sigaction = on_first_store, .sa_flags = SA_SIGINFO}, before;
	struct desk *desk = &first_store.desk;

	desk_open(desk, DSA_AT_ONCE, 1);
	sigaction(SIGSEGV, &action, &before);
	ck_assert_int_eq(mprotect(desk->records, 4096, PROT_READ), 0);
	desk_submit(desk, 0);
	sigaction(SIGSEGV, &before, NULL);
	ck_assert(first_store.offset > 0 && first_store.offset < 32);
	ck_assert(first_store.copied);
	ck_assert_int_eq(desk_status(desk, 0), 1);
	desk_close(desk);
}
END_TEST

/* What is in the word of rights is not the program's to say. */
START_TEST(dsa_enqcmd_puts_in_the_rights)
{
	desk_descriptor descriptor;
	struct desk desk;

	desk_open(&desk, DSA_AT_ONCE, 1);
	descriptor = desk_copy(&desk, 0);
	desk_put(&descriptor, 0, UINT32_MAX, 4);
	ck_assert_int_eq(dsa_enqcmd(desk.dsa, 0, &descriptor), 0);
	ck_assert_int_eq(desk_status(&desk, 0), 1);
	desk_close(&desk);
}
END_TEST

/* By 100 bytes up, down, and next to each other; the last says whether it goes backwards. */
START_TEST(dsa_copies_what_overlaps)
{
	static const struct {
		size_t from, to, length;
		unsigned int backwards;
	} rows[] = {{100, 200, 20000, 1}, {200, 100, 20000, 0}, {0, 20000, 20000, 0},
		    {0, 19999, 20000, 1}, {20000, 0, 20000, 0}, {7, 7, 20000, 0},
		    {0, 8192, 30000, 1},  {8192, 0, 30000, 0},  {5, 4, 2, 0}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static unsigned char expected[DESK_PIECE * DESK_PIECES];
		struct desk desk;
		desk_descriptor descriptor;

		desk_open(&desk, DSA_AT_ONCE, 1);
		memcpy(expected, desk.source, sizeof(expected));
		memmove(expected + rows[i].to, expected + rows[i].from, rows[i].length);
		descriptor = desk_copy(&desk, 0);
		desk_put(&descriptor, 16, desk_address(desk.source + rows[i].from), 8);
		desk_put(&descriptor, 24, desk_address(desk.source + rows[i].to), 8);
		desk_put(&descriptor, 32, rows[i].length, 4);
		dsa_enqcmd(desk.dsa, 0, &descriptor);
		ck_assert_int_eq(desk_status(&desk, 0), 1);
		ck_assert_uint_eq(desk_get(desk.records[0], 1, 1), rows[i].backwards);
		ck_assert(!memcmp(expected, desk.source, sizeof(expected)));
		desk_close(&desk);
	}
}
END_TEST

static const TTest *const *const tests[] = {&dsa_copies_at_every_pace,
					    &dsa_shared_takes_up_to_the_threshold,
					    &dsa_dedicated_drops_what_is_too_much,
					    &dsa_entry_is_free_with_the_status,
					    &dsa_records_that_are_wanted,
					    &dsa_status_is_written_last,
					    &dsa_enqcmd_puts_in_the_rights,
					    &dsa_copies_what_overlaps,
					    NULL};
const struct report_group model_dsa_group = {"model_dsa", tests};

/* SPDX-License-Identifier: MIT */
/* model_dsa_memory.c - addresses that the software DSA must not use, or cannot; other processes. */
#include "desk.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

static void submit(const struct desk *desk, const desk_descriptor *descriptor)
{
	ck_assert_int_eq(dsa_enqcmd(desk->dsa, 0, descriptor), 0);
}

/* Source and destination end at the same byte of the piece: reading comes first. */
START_TEST(memory_that_was_not_named)
{
	static const size_t known[] = {0, 1, 4096, 5000, 8191};

	for (size_t i = 0; i < 2 * sizeof(known) / sizeof(known[0]); i++) {
		size_t length = known[i / 2], write = i % 2;
		struct desk desk;

		desk_open(&desk, DSA_AT_ONCE, 1);
		dsa_allow(desk.dsa, desk.records, 4096);
		dsa_allow(desk.dsa, desk.source, write ? DESK_PIECE : length);
		/* In two parts that meet. */
		dsa_allow(desk.dsa, desk.destination, length / 2);
		dsa_allow(desk.dsa, desk.destination + length / 2, length - length / 2);
		desk_submit(&desk, 0);
		ck_assert_int_eq(desk_status(&desk, 0), write ? 0x83 : 0x03);
		ck_assert_uint_eq(desk_get(desk.records[0], 4, 4), length);
		ck_assert_uint_eq(desk_get(desk.records[0], 8, 8),
				  desk_address((write ? desk.destination : desk.source) +
					       length / 4096 * 4096));
		for (size_t at = length; at < DESK_PIECE; at++)
			ck_assert_uint_eq(desk.destination[at], 0);
		ck_assert_uint_eq(desk_counts(&desk).foreign, 1);
		desk_close(&desk);
	}
}
END_TEST

START_TEST(memory_of_records_and_lists_that_was_not_named)
{
	desk_descriptor batch;
	struct desk desk;

	desk_open(&desk, DSA_AT_ONCE, 1);
	dsa_allow(desk.dsa, desk.source, 2ul * DESK_PIECE * DESK_PIECES);
	desk_submit(&desk, 0);
	ck_assert(desk_is_copied(&desk, 0) && !desk_status(&desk, 0));
	ck_assert_uint_eq(desk_counts(&desk).software_errors, 1);
	ck_assert_uint_eq(desk_counts(&desk).foreign, 1);
	dsa_allow(desk.dsa, desk.records, 4096);
	dsa_allow(desk.dsa, desk.list, 128);
	batch = desk_batch(&desk, 4);
	submit(&desk, &batch);
	ck_assert_int_eq(desk_status(&desk, DESK_BATCH_RECORD), 6);
	ck_assert_uint_eq(desk_get(desk.records[DESK_BATCH_RECORD], 4, 4), 2);
	ck_assert(desk_is_copied(&desk, 1) && !desk_is_copied(&desk, 2));
	desk_close(&desk);
}
END_TEST

/* What the software DSA needs to work in the memory of a process, and what these tests assume. */
static int has_process_memory(void)
{
	char from = 1, to = 0;
	struct iovec local = {&to, 1}, remote = {&from, 1};

	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == 1 &&
	       sysconf(_SC_PAGESIZE) == 4096;
}

#define NEED_PROCESS_MEMORY()                                                           \
	do {                                                                            \
		if (!has_process_memory())                                              \
			skip_test("no process_vm_readv(2) here, or no pages of 4 KiB"); \
	} while (0)

static void protect(const void *page, int protection)
{
	ck_assert_int_eq(mprotect((void *)(uintptr_t)page, 4096, protection), 0);
}

/* Pages that are really missing: this process must not notice. */
START_TEST(memory_that_is_not_there)
{
	struct desk desk;

	NEED_PROCESS_MEMORY();
	desk_open(&desk, DSA_AT_ONCE, 1);
	dsa_set_process(desk.dsa, getpid());
	protect(desk.source + 4096, PROT_NONE);
	protect(desk.destination + DESK_PIECE, PROT_READ);
	for (size_t i = 0; i < 3; i++)
		desk_submit(&desk, i);
	ck_assert_int_eq(desk_status(&desk, 0), 0x03);
	ck_assert_uint_eq(desk_get(desk.records[0], 4, 4), 4096);
	ck_assert_uint_eq(desk_get(desk.records[0], 8, 8), desk_address(desk.source + 4096));
	ck_assert_int_eq(desk_status(&desk, 1), 0x83);
	ck_assert_uint_eq(desk_get(desk.records[1], 4, 4), 0);
	ck_assert_uint_eq(desk_get(desk.records[1], 8, 8),
			  desk_address(desk.destination + DESK_PIECE));
	ck_assert(desk_status(&desk, 2) == 1 && desk_is_copied(&desk, 2));
	desk_close(&desk);
}
END_TEST

/* With the flag the kernel is asked for the page, and cannot give it. */
START_TEST(memory_that_cannot_be_waited_for)
{
	struct dsa_queue_config queues[2] = {desk_queues[0], desk_queues[1]};
	struct dsa_rule rule = {.knob = DSA_FAULT_READ, .at = 2, .amount = 100};
	desk_descriptor descriptor;
	struct desk desk;

	NEED_PROCESS_MEMORY();
	queues[0].block_on_fault = 1;
	desk_open_with(&desk, queues, DSA_AT_ONCE, 1);
	dsa_set_rules(desk.dsa, &rule, 1);
	dsa_set_process(desk.dsa, getpid());
	protect(desk.source + 4096, PROT_NONE);
	for (size_t i = 0; i < 2; i++) {
		descriptor = desk_copy(&desk, i);
		desk_put(&descriptor, 4, DESK_WANTED | 2, 3);
		submit(&desk, &descriptor);
	}
	ck_assert_int_eq(desk_status(&desk, 0), 0x04);
	ck_assert_uint_eq(desk_get(desk.records[0], 4, 4), 4096);
	/* The other fault is one that ends by itself. */
	ck_assert(desk_status(&desk, 1) == 1 && desk_is_copied(&desk, 1));
	desk_close(&desk);
}
END_TEST

START_TEST(memory_of_records_and_lists_that_is_not_there)
{
	desk_descriptor descriptor;
	struct desk desk;

	NEED_PROCESS_MEMORY();
	desk_open(&desk, DSA_AT_ONCE, 1);
	dsa_set_process(desk.dsa, getpid());
	descriptor = desk_copy(&desk, 0);
	desk_put(&descriptor, 8, 4096, 8);
	submit(&desk, &descriptor);
	ck_assert(desk_is_copied(&desk, 0));
	ck_assert_uint_eq(desk_counts(&desk).software_errors, 1);
	descriptor = desk_batch(&desk, 4);
	protect(desk.list, PROT_NONE);
	submit(&desk, &descriptor);
	ck_assert_int_eq(desk_status(&desk, DESK_BATCH_RECORD), 6);
	ck_assert_uint_eq(desk_get(desk.records[DESK_BATCH_RECORD], 4, 4), 0);
	ck_assert_int_eq(dsa_write(desk.dsa, 0, desk.list, 64), -EFAULT);
	desk_close(&desk);
}
END_TEST

/* Ends with what it found in its own copy of the memory. */
static void look_in_child(const struct desk *desk, int wait_for)
{
	char byte;

	if (read(wait_for, &byte, 1) != 1)
		_exit(3);
	_exit(desk_status(desk, 0) == 1 && desk_is_copied(desk, 0) ? 0 : 1);
}

START_TEST(memory_of_another_process)
{
	int pipes[2], status;
	struct desk desk;
	pid_t child;

	NEED_PROCESS_MEMORY();
	desk_open(&desk, DSA_AT_ONCE, 1);
	ck_assert_int_eq(pipe(pipes), 0);
	child = fork();
	if (child == 0)
		look_in_child(&desk, pipes[0]);
	dsa_set_process(desk.dsa, child);
	desk_submit(&desk, 0);
	ck_assert(!desk_status(&desk, 0) && desk_is_untouched(&desk, 0));
	ck_assert_int_eq(write(pipes[1], "", 1), 1);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	close(pipes[0]);
	close(pipes[1]);
	desk_close(&desk);
}
END_TEST

static const TTest *const *const tests[] = {&memory_that_was_not_named,
					    &memory_of_records_and_lists_that_was_not_named,
					    &memory_that_is_not_there,
					    &memory_that_cannot_be_waited_for,
					    &memory_of_records_and_lists_that_is_not_there,
					    &memory_of_another_process,
					    NULL};
const struct report_group model_dsa_memory_group = {"model_dsa_memory", tests};

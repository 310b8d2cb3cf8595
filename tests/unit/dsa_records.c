/* SPDX-License-Identifier: MIT */
/*
 * dsa_records.c - records as a device might write them, by hand: nothing is
 * copied here, and what the backend makes of each record is looked at.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dsa/resume.h"
#include "dsa_scene.h"
#include "unit.h"

#define MOST 256

/* Stored to the portal. */
static struct bm_dsa_desc sent[MOST];
static size_t sent_count;
static struct bm_copied copied[COPIES];

static void keep(uint64_t portal, const void *descriptor)
{
	(void)portal;
	ck_assert_uint_lt(sent_count, MOST);
	memcpy(&sent[sent_count++], descriptor, sizeof(sent[0]));
}

static void begin(size_t count, size_t pages)
{
	dsa_begin(PORTAL_DEDICATED, 1, 32, DSA_WHEN_RUN);
	dsa.sys.movdir64b = keep;
	sent_count = 0;
	dsa_open_all(1);
	for (size_t i = 0; i < count; i++)
		dsa_add_copy(i * pages, i * pages + 3, pages);
	ck_assert_int_eq(bm_backend_dsa.submit(dsa.channels[0], dsa.work.copies, count),
			 (int)count);
	ck_assert_uint_eq(sent_count, 1);
}

static struct bm_dsa_fields *record_of(const struct bm_dsa_desc *desc)
{
	return (struct bm_dsa_fields *)(uintptr_t)desc->record;
}

static const struct bm_dsa_desc *child(const struct bm_dsa_desc *batch, size_t i)
{
	return (const struct bm_dsa_desc *)(uintptr_t)batch->from + i;
}

static void fault(const struct bm_dsa_desc *desc, unsigned int status, uint32_t bytes,
		  const void *page)
{
	struct bm_dsa_fields *fields = record_of(desc);

	fields->completed = bytes;
	fields->fault = (uint64_t)(uintptr_t)page;
	atomic_store(&fields->status, (uint8_t)status);
}

static int reap(void)
{
	return bm_backend_dsa.reap(dsa.channels[0], copied, COPIES);
}

START_TEST(descriptors_are_as_the_device_wants_them)
{
	begin(3, 2);
	ck_assert_uint_eq(sent[0].command, 1u << 24 | 0xc);
	ck_assert_uint_eq(sent[0].size, 3);
	ck_assert_uint_eq(sent[0].from % 64, 0);
	ck_assert_uint_eq(sent[0].record % 32, 0);
	for (size_t i = 0; i < 3; i++) {
		const struct bm_dsa_desc *one = child(&sent[0], i);
		const unsigned char *record = (const unsigned char *)(uintptr_t)one->record;

		ck_assert_uint_eq(one->command, 3u << 24 | 0xc);
		ck_assert_uint_eq(one->pasid, 0);
		ck_assert_uint_eq(one->record % 32, 0);
		ck_assert_ptr_eq((void *)(uintptr_t)one->from, dsa.work.copies[i].from);
		ck_assert_ptr_eq((void *)(uintptr_t)one->to, dsa.work.copies[i].to);
		ck_assert_uint_eq(one->size, 2 * PAGE);
		ck_assert_uint_eq(one->handle, 0);
		for (size_t k = 0; k < 32; k++)
			ck_assert_uint_eq(record[k], 0);
	}
	fault(&sent[0], BM_DSA_SUCCESS, 0, NULL);
	ck_assert_int_eq(reap(), 3);
	dsa_end();
}
END_TEST

START_TEST(resumes_in_both_directions)
{
	const unsigned char *from, *to;

	begin(1, 8);
	from = dsa.work.copies[0].from;
	to = dsa.work.copies[0].to;
	fault(&sent[0], BM_DSA_PAGE_FAULT, 3 * PAGE, from + 3 * PAGE);
	ck_assert_int_eq(reap(), 0);
	ck_assert_uint_eq(sent_count, 2);
	ck_assert_uint_eq(sent[1].from, (uint64_t)(uintptr_t)from + 3 * PAGE);
	ck_assert_uint_eq(sent[1].to, (uint64_t)(uintptr_t)to + 3 * PAGE);
	ck_assert_uint_eq(sent[1].size, 5 * PAGE);
	ck_assert_uint_eq(atomic_load(&record_of(&sent[1])->status), 0);

	record_of(&sent[1])->result = 1;
	fault(&sent[1], BM_DSA_PAGE_FAULT | 0x80, 2 * PAGE, to + 5 * PAGE);
	ck_assert_int_eq(reap(), 0);
	ck_assert_uint_eq(sent[2].from, (uint64_t)(uintptr_t)from + 3 * PAGE);
	ck_assert_uint_eq(sent[2].to, (uint64_t)(uintptr_t)to + 3 * PAGE);
	ck_assert_uint_eq(sent[2].size, 3 * PAGE);

	fault(&sent[2], BM_DSA_SUCCESS, 77, NULL);
	ck_assert_int_eq(reap(), 1);
	ck_assert_uint_eq(copied[0].done, 8 * PAGE);
	ck_assert_int_eq(copied[0].error, 0);
	dsa_end();
}
END_TEST

static int is_there(const void *page)
{
	unsigned char is = 0;

	return bm_sys_linux.residency((uint64_t)(uintptr_t)page, 1, &is) == 0 && (is & 1);
}

/* Before it is submitted again: the device does not wait for pages. */
START_TEST(missing_pages_are_touched)
{
	if (sysconf(_SC_PAGESIZE) != PAGE)
		skip_test("written for pages of 4 KiB");
	for (unsigned int write = 0; write <= 0x80; write += 0x80) {
		unsigned char *side, kept;

		begin(1, 8);
		side = write ? dsa.work.copies[0].to
			     : (unsigned char *)(uintptr_t)dsa.work.copies[0].from;
		kept = side[3 * PAGE];
		ck_assert_int_eq(madvise(side + 2 * PAGE, PAGE, MADV_DONTNEED), 0);
		ck_assert(!is_there(side + 2 * PAGE));
		fault(&sent[0], BM_DSA_PAGE_FAULT | write, 2 * PAGE, side + 2 * PAGE);
		ck_assert_int_eq(reap(), 0);
		ck_assert(is_there(side + 2 * PAGE));
		ck_assert_uint_eq(side[3 * PAGE], kept);
		fault(&sent[1], BM_DSA_SUCCESS, 0, NULL);
		ck_assert_int_eq(reap(), 1);
		dsa_end();
	}
}
END_TEST

/* What is left of it is told as far as it has come, and in no other way. */
START_TEST(the_same_page_twice_is_left_to_the_caller)
{
	const unsigned char *to;

	begin(1, 8);
	to = dsa.work.copies[0].to;
	fault(&sent[0], BM_DSA_PAGE_FAULT | 0x80, 2 * PAGE, to + 2 * PAGE);
	ck_assert_int_eq(reap(), 0);
	fault(&sent[1], BM_DSA_PAGE_FAULT | 0x80, 0, to + 2 * PAGE);
	ck_assert_int_eq(reap(), 1);
	ck_assert_uint_eq(copied[0].done, 2 * PAGE);
	ck_assert_int_eq(copied[0].error, 0);
	dsa_end();
}
END_TEST

/* A slot of the ring begins anew with each copy. */
START_TEST(slots_forget_the_last_copy)
{
	size_t before;

	begin(1, 1);
	for (int turn = 0; turn < 3; turn++) {
		const unsigned char *from = dsa.work.copies[0].from;

		before = sent_count - 1;
		fault(&sent[before], BM_DSA_PAGE_FAULT, 64, from);
		ck_assert_int_eq(reap(), 0);
		fault(&sent[before + 1], BM_DSA_PAGE_FAULT, 0, from);
		ck_assert_int_eq(reap(), 1);
		ck_assert_uint_eq(copied[0].done, 64);
		dsa.work.count = 0;
		for (size_t i = 0; i < BM_DSA_SLOTS - 1; i++)
			dsa_add_copy(i, i, 1);
		before = sent_count;
		ck_assert_int_eq(bm_backend_dsa.submit(dsa.channels[0], dsa.work.copies, 511), 511);
		while (before < sent_count)
			fault(&sent[before++], BM_DSA_SUCCESS, 0, NULL);
		ck_assert_int_eq(reap(), BM_DSA_SLOTS - 1);
		ck_assert_int_eq(bm_backend_dsa.submit(dsa.channels[0], dsa.work.copies, 1), 1);
	}
	fault(&sent[sent_count - 1], BM_DSA_SUCCESS, 0, NULL);
	ck_assert_int_eq(reap(), 1);
	dsa_end();
}
END_TEST

/* Each would crash, or give bytes that were not copied, if it were believed. */
START_TEST(records_that_cannot_be_true)
{
	static const uint32_t bytes[] = {0,        1,        PAGE,       4 * PAGE,
					 8 * PAGE, 9 * PAGE, UINT32_MAX, 0x80000000};

	for (size_t i = 0; i < 8; i++) {
		for (int place = 0; place < 15; place++) {
			for (unsigned int write = 0; write <= 0x80; write += 0x80) {
				const unsigned char *side, *pages[5];
				int got = 0;

				begin(1, 8);
				side = write ? dsa.work.copies[0].to : dsa.work.copies[0].from;
				pages[0] = NULL;
				pages[1] = (void *)(uintptr_t)(UINT64_MAX - 5);
				pages[2] = (void *)(uintptr_t)0x1000;
				pages[3] = side + 8 * PAGE;
				pages[4] = side; /* the first page is missing: nothing is copied */
				for (size_t k = 0; k < 200 && !got; k++) {
					record_of(&sent[k])->result = (uint8_t)(place / 5);
					fault(&sent[k], BM_DSA_PAGE_FAULT | write, bytes[i],
					      pages[place % 5]);
					got = reap();
					ck_assert_uint_le(sent[sent_count - 1].size, 8 * PAGE);
					ck_assert_uint_gt(sent[sent_count - 1].size, 0);
				}
				ck_assert_int_eq(got, 1);
				ck_assert_uint_lt(copied[0].done, PAGE);
				ck_assert_int_eq(copied[0].error, 0);
				dsa_end();
			}
		}
	}
}
END_TEST

START_TEST(a_batch_that_failed_in_part)
{
	for (unsigned int status = BM_DSA_BATCH_FAILED; status <= BM_DSA_BATCH_LIST; status++) {
		begin(6, 1);
		fault(child(&sent[0], 0), BM_DSA_SUCCESS, 0, NULL);
		fault(child(&sent[0], 1), BM_DSA_BAD_ADDRESS, 0, NULL);
		fault(child(&sent[0], 3), BM_DSA_SUCCESS, 0, NULL);
		/* Two, four and five were not begun; how many were is a lie. */
		fault(&sent[0], status, 1000, &dsa);
		ck_assert_int_eq(reap(), 3);
		ck_assert_uint_eq(sent_count, 3);
		ck_assert_uint_eq(sent[1].command >> 24, BM_DSA_MEMMOVE);
		ck_assert_uint_eq(sent[1].to, (uint64_t)(uintptr_t)dsa.work.copies[2].to);
		ck_assert_uint_eq(sent[2].command >> 24, BM_DSA_BATCH);
		ck_assert_uint_eq(sent[2].size, 2);
		ck_assert_uint_eq(child(&sent[2], 0)->to,
				  (uint64_t)(uintptr_t)dsa.work.copies[4].to);
		for (int i = 0; i < 3; i++)
			ck_assert_int_eq(copied[i].error, copied[i].tag == 1 ? -EIO : 0);
		fault(&sent[1], BM_DSA_SUCCESS, 0, NULL);
		fault(&sent[2], BM_DSA_SUCCESS, 0, NULL);
		ck_assert_int_eq(reap(), 3);
		dsa_end();
	}
}
END_TEST

/* What a status means, and what is not tried again because of it. */
static void expect_status(unsigned int status, size_t copies, int rest)
{
	begin(copies, 1);
	fault(&sent[0], status, 0, NULL);
	ck_assert_int_eq(reap(), (int)copies);
	for (size_t i = 0; i < copies; i++) {
		ck_assert_int_eq(copied[i].error, -EIO);
		ck_assert_uint_eq(copied[i].done, 0);
	}
	ck_assert_int_eq(bm_backend_dsa.submit(dsa.channels[0], dsa.work.copies, copies), rest);
	if (rest > 0) {
		int batch = sent[1].command >> 24 == BM_DSA_BATCH;

		ck_assert_int_eq(batch, copies > 1 && status != BM_DSA_BAD_COUNT &&
						status != BM_DSA_BAD_OPCODE);
		for (size_t i = 1; i < sent_count; i++)
			fault(&sent[i], BM_DSA_SUCCESS, 0, NULL);
		ck_assert_int_eq(reap(), rest);
	}
	dsa_end();
}

START_TEST(statuses_of_copies)
{
	expect_status(BM_DSA_TRANSLATION, 1, 1);
	expect_status(BM_DSA_PAGE_ANSWER, 1, 1);
	expect_status(BM_DSA_OVERLAP, 1, 1);
	expect_status(BM_DSA_BATCH_FAILED, 1, 1);
	expect_status(BM_DSA_FALSE, 1, 1);
	expect_status(0x7f, 1, 1);
	expect_status(BM_DSA_BAD_OPCODE, 1, -ENODEV);
	expect_status(BM_DSA_BAD_SIZE, 1, -ENODEV);
	expect_status(BM_DSA_PRIVILEGE, 1, -ENODEV);
	expect_status(BM_DSA_HARDWARE, 1, -ENODEV);
}
END_TEST

START_TEST(statuses_of_batches)
{
	expect_status(BM_DSA_BAD_COUNT, 4, 4);
	expect_status(BM_DSA_BAD_OPCODE, 4, 4);
	expect_status(BM_DSA_TRANSLATION, 4, 4);
	expect_status(BM_DSA_TRAFFIC_CLASS, 4, -ENODEV);
}
END_TEST

/* A broken device may still copy parts of a batch: they have ended when a drain has. */
START_TEST(broken_while_it_copies_a_batch)
{
	begin(4, 1);
	fault(&sent[0], BM_DSA_HARDWARE, 0, NULL);
	ck_assert_int_eq(reap(), 0);
	ck_assert_int_eq(reap(), 0);
	ck_assert_int_eq(bm_backend_dsa.submit(dsa.channels[0], dsa.work.copies, 4), -ENODEV);
	ck_assert_int_eq(bm_backend_dsa.settle(dsa.channels[0]), 0);
	ck_assert_uint_eq(sent_count, 2);
	ck_assert_uint_eq(sent[1].command >> 24, BM_DSA_DRAIN);
	fault(&sent[1], BM_DSA_SUCCESS, 0, NULL);
	ck_assert_int_eq(bm_backend_dsa.settle(dsa.channels[0]), 1);
	dsa_end();
}
END_TEST

static const TTest *const *const tests[] = {&broken_while_it_copies_a_batch,
					    &descriptors_are_as_the_device_wants_them,
					    &resumes_in_both_directions,
					    &missing_pages_are_touched,
					    &the_same_page_twice_is_left_to_the_caller,
					    &slots_forget_the_last_copy,
					    &records_that_cannot_be_true,
					    &a_batch_that_failed_in_part,
					    &statuses_of_copies,
					    &statuses_of_batches,
					    NULL};
const struct report_group dsa_records_group = {"dsa_records", tests};

/* SPDX-License-Identifier: MIT */
/* flights.c - batches in flight over two regions of real memory, and what must hold of them. */
#include "flights.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "uffd.h"

#define PAGE   4096ul
#define REGION (2ul << 20)

struct flight flights[FLIGHTS];
struct flights_world world;

int flights_usable(void)
{
	struct bm_uffd_wish wish = {.sys = &bm_sys_linux, .page_size = PAGE, .huge_size = REGION};

	return sysconf(_SC_PAGESIZE) == (long)PAGE && bm_uffd_probe(&wish) == 0;
}

static uint64_t word_of(size_t at)
{
	return at * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

/* Each 20th page is a hole. */
static int is_hole(size_t page)
{
	return page % 20 == 19;
}

size_t flights_holes(void)
{
	size_t holes = 0;

	for (size_t i = 0; i < FLIGHT_PAGES; i++)
		holes += (size_t)is_hole(i);
	return holes;
}

static uint64_t *words_of(size_t region, size_t page)
{
	return (uint64_t *)(void *)(world.start + region * REGION + page * PAGE);
}

void flights_new(void)
{
	char *start =
		mmap(NULL, 3 * REGION, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(start, MAP_FAILED);
	world.start = (char *)(((uintptr_t)start + REGION - 1) & ~(REGION - 1));
	madvise(start, 3 * REGION, MADV_NOHUGEPAGE);
	for (size_t page = 0; page < 2 * FLIGHT_PAGES; page++) {
		if (is_hole(page))
			continue;
		for (size_t i = 0; i < PAGE / 8; i++)
			words_of(page / FLIGHT_PAGES, page % FLIGHT_PAGES)[i] =
				word_of(page * 512 + i);
	}
	for (size_t k = 0; k < FLIGHTS; k++)
		flights[k].event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void flights_check(void)
{
	size_t wrong = 0;

	for (size_t page = 0; page < 2 * FLIGHT_PAGES; page++) {
		for (size_t i = 0; i < PAGE / 8 && !is_hole(page); i++)
			wrong += words_of(page / FLIGHT_PAGES, page % FLIGHT_PAGES)[i] !=
				 word_of(page * 512 + i);
	}
	ck_assert_msg(wrong == 0, "%s: %zu words are wrong", failing_text(), wrong);
}

void flights_free(void)
{
	munmap(world.start, 2 * REGION);
	for (size_t k = 0; k < FLIGHTS; k++)
		close(flights[k].event_fd);
}

/* ---------------------------------------------------------------- batches */

static void told(void *user, struct bm_batch *batch, long result)
{
	struct flight *flight = user;

	(void)batch;
	flight->told_result = result;
	atomic_fetch_add(&flight->told, 1);
}

struct flight *flight_new(size_t number, size_t region)
{
	struct flight *flight = &flights[number];
	struct bm_request *request = &flight->request;

	bm_request_init(request, sizeof(*request));
	request->event_fd = flight->event_fd;
	request->done = told;
	request->done_user = flight;
	request->flags = FLIGHT_PROMISE;
	request->mover = "swap";
	request->count = FLIGHT_PAGES;
	request->pages = flight->pages;
	request->nodes = world.nodes;
	request->status = flight->status;
	request->reasons = flight->reasons;
	for (size_t i = 0; i < FLIGHT_PAGES; i++) {
		flight->pages[i] = words_of(region, i);
		flight->status[i] = FLIGHT_UNSET;
		flight->reasons[i] = 255;
	}
	atomic_store(&flight->told, 0);
	flight->batch = NULL;
	return flight;
}

void flight_as_range(struct flight *flight, size_t region)
{
	struct bm_request *request = &flight->request;

	flight->range = (struct bm_range){
		.addr = words_of(region, 0), .length = FLIGHT_PAGES * PAGE, .error = FLIGHT_UNSET};
	request->pages = NULL;
	request->nodes = NULL;
	request->status = NULL;
	request->reasons = NULL;
	request->count = 1;
	request->ranges = &flight->range;
	request->range_size = sizeof(flight->range);
}

/* Without a thread, memory, a descriptor, or the kernel's consent. */
static int may_be_refused(int rc)
{
	return rc == -EAGAIN || rc == -ENOMEM || rc == -EMFILE || rc == -EPERM || rc == -ESRCH;
}

int flight_may_give(const struct flight *flight, long rc)
{
	if (flight->request.ranges && (rc == -EMFILE || rc == -ENFILE || rc == -EACCES))
		return 1;
	return rc >= 0 || rc == -ENOMEM || rc == -EPERM || rc == -ESRCH || rc == -ECANCELED;
}

void flight_submit(struct flight *flight)
{
	flight->refused = bm_submit(world.context, &flight->request, &flight->batch);
	if (flight->refused == 0)
		return;
	ck_assert_msg(may_be_refused(flight->refused), "%s: submit gave %d", failing_text(),
		      flight->refused);
	ck_assert_ptr_null(flight->batch);
}

/* Ten seconds are far more than any of this takes. */
void flight_wait(struct flight *flight)
{
	long rc = -ETIMEDOUT;

	if (!flight->batch)
		return;
	for (int i = 0; rc == -ETIMEDOUT && i < 100; i++)
		rc = bm_batch_wait(flight->batch, 100000);
	ck_assert_msg(flight_may_give(flight, rc), "%s: batch %d ends with %ld", failing_text(),
		      (int)(flight - flights), rc);
	flight->result = rc;
}

static int status_fits(const struct flight *flight, size_t i, long misplaced)
{
	int status = flight->status[i];

	/* Nothing was tried. */
	if (flight->result < 0)
		return status == flight->result;
	/* A page that is not where it should be is counted. */
	if (status != 0 && status != -ENOENT)
		return misplaced > 0;
	return is_hole((size_t)((char *)flight->pages[i] - world.start) / REGION * FLIGHT_PAGES +
		       i) == (status == -ENOENT);
}

static void check_pages(const struct flight *flight)
{
	uint64_t reasons[BM_REASON_SLOTS] = {0};
	struct bm_report report;
	long misplaced = 0;

	for (size_t i = 0; i < FLIGHT_PAGES; i++) {
		misplaced += flight->status[i] != 0;
		ck_assert_msg(status_fits(flight, i, flight->result),
			      "%s: result %ld, status %zu is %d", failing_text(), flight->result, i,
			      flight->status[i]);
		ck_assert_uint_lt(flight->reasons[i], BM_REASON_COUNT);
		reasons[flight->reasons[i]]++;
	}
	ck_assert_int_eq(bm_batch_report(flight->batch, &report, sizeof(report)), 0);
	ck_assert_uint_eq(report.tally.pages, FLIGHT_PAGES);
	ck_assert_uint_eq(report.tally.moved + report.tally.already + report.tally.failed,
			  FLIGHT_PAGES);
	if (flight->result >= 0)
		ck_assert_int_eq(flight->result, misplaced);
	for (size_t i = 0; i < BM_REASON_SLOTS; i++)
		ck_assert_msg(reasons[i] == report.reasons[i],
			      "%s: reason %zu: %d told, %d in the report", failing_text(), i,
			      (int)reasons[i], (int)report.reasons[i]);
}

static void check_range(const struct flight *flight)
{
	const struct bm_range *range = &flight->range;

	if (flight->result < 0) {
		ck_assert_int_eq(range->error, flight->result);
		ck_assert_uint_eq(range->tally.pages, 0);
		return;
	}
	ck_assert_msg(range->error != FLIGHT_UNSET, "%s: no error of a range", failing_text());
	if (range->error == 0)
		ck_assert_uint_eq(range->tally.pages, FLIGHT_PAGES);
	else
		ck_assert_int_ge(flight->result, 1);
}

static void check_progress(const struct flight *flight)
{
	struct bm_progress progress;

	ck_assert_int_eq(bm_batch_progress(flight->batch, &progress, sizeof(progress)), 0);
	ck_assert_int_eq(progress.state, BM_BATCH_COMPLETE);
	ck_assert_uint_eq(progress.entries, FLIGHT_PAGES);
	ck_assert_uint_eq(progress.settled, FLIGHT_PAGES);
}

void flight_check(struct flight *flight)
{
	if (!flight->batch) {
		for (size_t i = 0; i < FLIGHT_PAGES; i++)
			ck_assert_int_eq(flight->status[i], FLIGHT_UNSET);
		ck_assert(!flight->request.ranges || flight->range.error == FLIGHT_UNSET);
		return;
	}
	check_progress(flight);
	if (flight->request.ranges)
		check_range(flight);
	else
		check_pages(flight);
	ck_assert_int_eq(bm_batch_free(flight->batch), 0);
}

void flight_check_told(struct flight *flight)
{
	int taken = flight->refused == 0;
	uint64_t counter = 0;
	ssize_t got = read(flight->event_fd, &counter, sizeof(counter));

	ck_assert_msg((got == sizeof(counter)) == taken && counter == (uint64_t)taken,
		      "%s: %d events of a batch with %d", failing_text(), (int)counter,
		      flight->refused);
	ck_assert_msg(atomic_load(&flight->told) == taken, "%s: told %d times", failing_text(),
		      atomic_load(&flight->told));
	if (taken)
		ck_assert_int_eq(flight->told_result, flight->result);
}

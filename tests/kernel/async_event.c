/* SPDX-License-Identifier: MIT */
/* async_event.c - the eventfd of batches in flight: in epoll, shared, closed early, none at all. */
#include "async_support.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define UNITS 1
#define MOST  64

static struct flight flights[MOST];

/* Waits with epoll until the counter has given so much; asserts that it gives no more. */
static void read_events(int event_fd, uint64_t expected)
{
	struct epoll_event event = {.events = EPOLLIN};
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	uint64_t sum = 0, counter;

	ck_assert_int_ge(epoll_fd, 0);
	ck_assert_int_eq(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event_fd, &event), 0);
	while (sum < expected) {
		ck_assert_int_eq(epoll_wait(epoll_fd, &event, 1, 20000), 1);
		ck_assert_int_eq(read(event_fd, &counter, sizeof(counter)), sizeof(counter));
		sum += counter;
		watchdog_beat();
	}
	ck_assert_uint_eq(sum, expected);
	close(epoll_fd);
}

static int event_new(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void expect_silence(int event_fd)
{
	uint64_t counter;

	ck_assert_int_eq(read(event_fd, &counter, sizeof(counter)), -1);
	ck_assert_int_eq(errno, EAGAIN);
}

static void many_signal(struct bm_context *context, int count)
{
	int event_fd = event_new();

	for (int i = 0; i < count; i++) {
		flight_new(&flights[i], UNITS);
		flights[i].request.event_fd = event_fd;
	}
	for (int i = 0; i < count; i++)
		flight_start(&flights[i], context);
	read_events(event_fd, (uint64_t)count);
	/* Complete are they now, all of them. */
	for (int i = 0; i < count; i++) {
		ck_assert_int_eq(bm_batch_wait(flights[i].batch, 0), 0);
		ck_assert_uint_eq(flight_check(&flights[i]), 0);
		ck_assert_uint_eq(flight_wrong(&flights[i]), 0);
	}
	for (int i = 0; i < count; i++)
		flight_free(&flights[i]);
	expect_silence(event_fd);
	close(event_fd);
}

START_TEST(counts_batches)
{
	struct bm_context *context = context_of(1);
	size_t fds;

	watchdog_start("async_event/counts_batches");
	/* The first batch of a process opens what stays open. */
	flight_new(&flights[0], UNITS);
	flight_whole(&flights[0], context);
	flight_free(&flights[0]);
	fds = count_entries("/proc/self/fd");
	many_signal(context, 1);
	many_signal(context, 8);
	many_signal(context, MOST);
	/* No duplicate is left. */
	AWAIT(count_entries("/proc/self/fd") == fds);
	ck_assert_int_eq(bm_context_free(context), 0);
	watchdog_stop();
}
END_TEST

/* Also a batch that was cancelled signals, once. */
START_TEST(counts_cancelled_batches)
{
	struct bm_context *context = context_of(1);
	int event_fd = event_new();

	watchdog_start("async_event/counts_cancelled_batches");
	for (int i = 0; i < 8; i++) {
		flight_new(&flights[i], UNITS);
		flight_holds(&flights[i]);
		flights[i].request.event_fd = event_fd;
		flight_start(&flights[i], context);
	}
	for (int i = 0; i < 8; i++)
		ck_assert_int_eq(bm_batch_cancel(flights[i].batch), 0);
	read_events(event_fd, 8);
	for (int i = 0; i < 8; i++) {
		ck_assert_int_eq(bm_batch_cancel(flights[i].batch), 0);
		flight_free(&flights[i]);
	}
	ck_assert_int_eq(bm_context_free(context), 0);
	expect_silence(event_fd);
	close(event_fd);
	watchdog_stop();
}
END_TEST

/* Its number may even be that of something else by then. */
START_TEST(closed_early)
{
	struct bm_context *context = context_of(1);
	int event_fd = event_new(), kept = dup(event_fd), other;
	struct flight *flight = &flights[0];

	watchdog_start("async_event/closed_early");
	flight_new(flight, UNITS);
	flight_lasts(flight, 200);
	flight->request.event_fd = event_fd;
	flight_start(flight, context);
	close(event_fd);
	other = event_new();
	ck_assert_int_eq(dup3(other, event_fd == other ? other + 100 : event_fd, O_CLOEXEC) >= 0,
			 1);
	read_events(kept, 1);
	expect_silence(other);
	ck_assert_int_eq(flight_wait(flight), 0);
	flight_free(flight);
	ck_assert_int_eq(bm_context_free(context), 0);
	close(event_fd == other ? other + 100 : event_fd);
	close(other);
	close(kept);
	watchdog_stop();
}
END_TEST

static int signalled_before;

static void read_inside(void *user, struct bm_batch *batch, long result)
{
	struct flight *flight = user;
	uint64_t counter = 0;

	signalled_before =
		read(flight->request.event_fd, &counter, sizeof(counter)) == sizeof(counter) &&
		counter == 1;
	flight_called(user, batch, result);
}

START_TEST(before_the_callback)
{
	struct bm_context *context = context_of(1);
	struct flight *flight = &flights[0];

	watchdog_start("async_event/before_the_callback");
	flight_new(flight, UNITS);
	flight->request.done = read_inside;
	flight->request.event_fd = event_new();
	for (int i = 0; i < 20; i++) {
		signalled_before = 0;
		flight_start(flight, context);
		AWAIT(atomic_load(&flight->calls) == i + 1);
		ck_assert_int_eq(signalled_before, 1);
		flight_drop(flight);
	}
	expect_silence(flight->request.event_fd);
	close(flight->request.event_fd);
	flight_free(flight);
	bm_context_free(context);
	watchdog_stop();
}
END_TEST

/* A descriptor of which the counter is full, or which blocks, is no reason to hang. */
START_TEST(full_counter)
{
	struct bm_context *context = context_of(1);
	struct flight *flight = &flights[0];
	uint64_t most = UINT64_MAX - 1;
	int event_fd = eventfd(0, EFD_CLOEXEC);

	watchdog_start("async_event/full_counter");
	ck_assert_int_eq(write(event_fd, &most, sizeof(most)), sizeof(most));
	flight_new(flight, UNITS);
	flight->request.event_fd = event_fd;
	flight_start(flight, context);
	if (bm_batch_wait(flight->batch, 5000000) == -ETIMEDOUT) {
		/* Lets it go on, for the tests that follow. */
		ck_assert_int_eq(read(event_fd, &most, sizeof(most)), sizeof(most));
		ck_abort_msg("a batch hangs on an eventfd whose counter is full");
	}
	ck_assert_int_eq(bm_context_free(context), 0);
	flight_free(flight);
	close(event_fd);
	watchdog_stop();
}
END_TEST

static void expect_bad(struct flight *flight, struct bm_context *context, int fd)
{
	flight->request.event_fd = fd;
	ck_assert_int_eq(flight_submit(flight, context), -EBADF);
	ck_assert_ptr_null(flight->batch);
	ck_assert_int_eq(flight->area.status[0], SENTINEL);
	ck_assert_int_eq(atomic_load(&flight->calls), 0);
}

START_TEST(no_eventfd)
{
	struct bm_context *context = context_of(1);
	int ends[2], closed = event_new(), null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct flight *flight = &flights[0];
	size_t fds;
	char byte;

	watchdog_start("async_event/no_eventfd");
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	close(closed);
	flight_new(flight, UNITS);
	ck_assert_int_eq(flight->request.event_fd, -1);
	flight->request.done = flight_called;
	fds = count_entries("/proc/self/fd");
	expect_bad(flight, context, ends[1]);
	expect_bad(flight, context, ends[0]);
	expect_bad(flight, context, null);
	expect_bad(flight, context, closed);
	expect_bad(flight, context, INT32_MAX);
	expect_bad(flight, context, -2);
	ck_assert_int_eq(read(ends[0], &byte, 1), -1);
	ck_assert_uint_eq(count_entries("/proc/self/fd"), fds);
	flight->request.event_fd = -1;
	flight_whole(flight, context);
	flight_free(flight);
	bm_context_free(context);
	close(ends[0]);
	close(ends[1]);
	close(null);
	watchdog_stop();
}
END_TEST

static const TTest *const *const tests[] = {&counts_batches,
					    &counts_cancelled_batches,
					    &closed_early,
					    &before_the_callback,
					    &full_counter,
					    &no_eventfd,
					    NULL};
const struct report_group async_event_group = {"async_event", tests};

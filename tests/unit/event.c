/* SPDX-License-Identifier: MIT */
/* event.c - duplicates of real eventfds: without room for one, of other files, full ones. */
#include "sys_event.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "failing.h"
#include "unit.h"

/* With so many descriptors allowed. */
static int dup_with_limit(int fd, rlim_t most)
{
	struct rlimit before, now;
	int rc;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	now = (struct rlimit){.rlim_cur = most, .rlim_max = before.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &now), 0);
	rc = bm_event_dup(fd);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	return rc;
}

/* Sandboxes set the limit to 0 when all is open that will be needed. */
START_TEST(no_room_for_a_duplicate)
{
	struct failing_held before = failing_held();
	int fd = eventfd(0, EFD_CLOEXEC);

	for (rlim_t most = 0; most <= (rlim_t)fd + 1; most++) {
		int rc = dup_with_limit(fd, most);

		/* Below the number of the event itself there may be room. */
		if (rc >= 0)
			close(rc);
		ck_assert_msg(rc >= 0 || rc == -EMFILE, "limit %d: %d", (int)most, rc);
		ck_assert(most > 3 || rc == -EMFILE);
	}
	close(fd);
	failing_check(&before);
}
END_TEST

START_TEST(what_is_no_event)
{
	struct failing_held before = failing_held();
	int pipes[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);

	ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
	ck_assert_int_eq(bm_event_dup(null), -EBADF);
	ck_assert_int_eq(bm_event_dup(pipes[1]), -EBADF);
	close(null);
	close(pipes[0]);
	close(pipes[1]);
	ck_assert_int_eq(bm_event_dup(null), -EBADF);
	ck_assert_int_eq(bm_event_dup(1 << 28), -EBADF);
	failing_check(&before);
}
END_TEST

/* Readable afterwards, whatever it was before, and at once. */
START_TEST(signals)
{
	static const uint64_t counters[] = {0, 1, UINT64_MAX - 2, UINT64_MAX - 1};
	int fd = eventfd(0, EFD_CLOEXEC), copy = bm_event_dup(fd);

	ck_assert_int_ge(copy, 0);
	ck_assert_int_ne(fcntl(copy, F_GETFD) & FD_CLOEXEC, 0);
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		struct pollfd event = {.fd = fd, .events = POLLIN};
		uint64_t counter = counters[i], expected = counter + (counter < UINT64_MAX - 1);

		if (counter)
			ck_assert_int_eq(write(fd, &counter, sizeof(counter)), sizeof(counter));
		bm_event_signal(copy);
		ck_assert_int_eq(poll(&event, 1, 0), 1);
		ck_assert_int_eq(read(fd, &counter, sizeof(counter)), sizeof(counter));
		ck_assert_uint_eq(counter, expected);
	}
	close(fd);
	close(copy);
	/* One that somebody else has closed. */
	bm_event_signal(copy);
}
END_TEST

static const TTest *const *const tests[] = {&no_room_for_a_duplicate, &what_is_no_event, &signals,
					    NULL};
const struct report_group event_group = {"event", tests};

/* SPDX-License-Identifier: MIT */
/* pins.c - a backend that pins pages, really: windows must have them free, and on their node. */
#include "pins.h"

#include <stdio.h>
#include <sys/uio.h>

#include "script.h"

static struct {
	struct bm_backend backend;
	int pinner;
	int pin_error;   /* of pin() */
	int unpin_error; /* of unpin(), which leaves the pages pinned */

	int elsewhere; /* the kernel says that pages are on this node; -1: as it is */
	size_t pins, unpins, runs;
	char line[256]; /* the last warning */
	int warnings;
} pinning;

static int pin_one_side(const struct bm_copy *copies, size_t count)
{
	static struct iovec runs[2 * BM_COPIES_MOST];

	for (size_t i = 0; i < count; i++) {
		runs[2 * i] = (struct iovec){copies[i].to, copies[i].length};
		runs[2 * i + 1] =
			(struct iovec){(void *)(uintptr_t)copies[i].from, copies[i].length};
	}
	return bm_sys_linux.pin_buffers(pinning.pinner, runs, 2 * count);
}

static int pin(struct bm_channel *channel, const struct bm_copy *copies, size_t count)
{
	(void)channel;
	if (pinning.pin_error)
		return pinning.pin_error;
	pinning.pins++;
	pinning.runs = bm_pins_runs(copies, count);
	return pin_one_side(copies, count);
}

static int unpin(struct bm_channel *channel)
{
	(void)channel;
	pinning.unpins++;
	if (pinning.unpin_error < 0)
		return pinning.unpin_error;
	return bm_sys_linux.unpin_buffers(pinning.pinner) < 0 ? -EIO : pinning.unpin_error;
}

static long nodes_raw(size_t count, void *const *pages, int *status)
{
	long rc = bm_sys_linux.nodes_raw(count, pages, status);

	for (size_t i = 0; i < count && pinning.elsewhere >= 0; i++)
		status[i] = pinning.elsewhere;
	return rc;
}

static void hear(void *user, int level, const char *line)
{
	(void)user;
	pinning.warnings += level == BM_LOG_WARN;
	if (level == BM_LOG_WARN)
		snprintf(pinning.line, sizeof(pinning.line), "%s", line);
}

/* 0: it cannot be had here. */
static int begin(void)
{
	if (!script_begin(NULL))
		return 0;
	memset(&pinning, 0, sizeof(pinning));
	pinning.elsewhere = -1;
	pinning.pinner = bm_sys_linux.pinner();
	if (pinning.pinner < 0) {
		script_end();
		return 0;
	}
	pinning.backend = *scripted_context->copies;
	pinning.backend.facts |= BM_BACKEND_PINS;
	pinning.backend.pin = pin;
	pinning.backend.unpin = unpin;
	scripted_context->copies = &pinning.backend;
	scripted_context->config.log.hook = hear;
	scripted_context->config.log.level = BM_LOG_WARN;
	scripted_sys.nodes_raw = nodes_raw;
	return 1;
}

static void end(void)
{
	check(area, area, PARTS * BYTES, 1);
	bm_sys_linux.close(pinning.pinner);
	script_end();
}

#define NEED_PINS()                                                                  \
	do {                                                                         \
		if (!begin())                                                        \
			skip_test("no UFFDIO_MOVE or no io_uring for this process"); \
	} while (0)

/* What would still be pinned could not be moved: it would be copied by the kernel. */
START_TEST(free_before_they_are_put_back)
{
	NEED_PINS();
	for (size_t i = 1; i <= 4; i++) {
		ck_assert_uint_eq(move_part(area, NULL), PART);
		ck_assert_uint_eq(pinning.pins, i);
		ck_assert_uint_eq(pinning.unpins, i);
	}
	ck_assert_uint_eq(pinning.runs, 2);
	ck_assert_int_eq(pinning.warnings, 0);
	end();
}
END_TEST

START_TEST(what_cannot_be_pinned_is_copied_without_it)
{
	NEED_PINS();
	pinning.pin_error = -ENOMEM;
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(move_part(area, NULL), PART);
	ck_assert_uint_eq(faulty.seen, 0);
	ck_assert_uint_eq(pinning.unpins, 0);
	ck_assert_int_eq(pinning.warnings, 1);
	ck_assert_ptr_nonnull(strstr(pinning.line, "RLIMIT_MEMLOCK"));
	pinning.pin_error = 0;
	ck_assert_uint_eq(move_part(area, NULL), PART);
	ck_assert_uint_gt(faulty.seen, 0);
	end();
}
END_TEST

/* Nobody can take the pages any more, neither the new ones nor the old ones: nothing is lost. */
START_TEST(what_stays_pinned_is_copied_back)
{
	size_t seen;

	NEED_PINS();
	pinning.unpin_error = -EIO;
	move_part(area, NULL);
	check(area, area, PARTS * BYTES, 1);
	seen = faulty.seen;
	ck_assert_uint_gt(seen, 0);
	ck_assert_int_ge(pinning.warnings, 1);
	move_part(area, NULL);
	ck_assert_uint_eq(faulty.seen, seen);
	check(area, area, PARTS * BYTES, 1);
	end();
}
END_TEST

/* The old pages go back although they were pinned, and the cpu copies them. */
START_TEST(lost_copies_leave_the_sources_free)
{
	NEED_PINS();
	faulty = (struct faulty){.kind = FAULTY_SILENT, .at = 1};
	ck_assert_uint_eq(move_part(area, NULL), PART);
	ck_assert_uint_eq(pinning.unpins, 1);
	end();
}
END_TEST

/* Something may still write to one of them: none is put anywhere before it is known to be quiet. */
START_TEST(targets_that_are_not_free)
{
	size_t seen;

	NEED_PINS();
	pinning.unpin_error = 1;
	ck_assert_uint_eq(move_part(area, NULL), PART);
	seen = faulty.seen;
	ck_assert_uint_gt(seen, 0);
	pinning.unpin_error = 0;
	ck_assert_uint_eq(move_part(area, NULL), PART);
	end();
}
END_TEST

/* A pin that takes the new pages elsewhere: they are no good, and the next ones are the cpu's. */
START_TEST(targets_that_a_pin_moved)
{
	NEED_PINS();
	ck_assert_uint_eq(move_part(area, NULL), PART);
	/* Nor where the pin failed after it had moved some. */
	scripted_context->swap->zones.may_move.bits[0] = 1;
	pinning.elsewhere = 3;
	pinning.pin_error = -ENOMEM;
	ck_assert_uint_eq(move_part(area, NULL), PART);
	ck_assert_int_eq(pinning.warnings, 2);
	ck_assert_ptr_nonnull(strstr(pinning.line, "node 0"));
	ck_assert_uint_eq(scripted_context->swap->engines.slots[0].astray[0], 1);
	scripted_context->swap->engines.slots[0].astray[0] = 0;
	scripted_context->swap->zones.may_move.bits[0] = 0;
	pinning.pin_error = pinning.warnings = 0;
	/* With one node it is not looked for. */
	ck_assert_uint_eq(move_part(area, NULL), PART);
	ck_assert_int_eq(pinning.warnings, 0);
	scripted_context->swap->zones.may_move.bits[0] = 1;
	faulty.seen = 0;
	ck_assert_uint_eq(move_part(area, NULL), PART);
	ck_assert_uint_gt(faulty.seen, 0);
	ck_assert_int_eq(pinning.warnings, 1);
	ck_assert_ptr_nonnull(strstr(pinning.line, "node 0"));
	faulty.seen = 0;
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(move_part(area, NULL), PART);
	ck_assert_uint_eq(faulty.seen, 0);
	ck_assert_int_eq(pinning.warnings, 1);
	end();
}
END_TEST

/* Pinning these would copy them: the kernel has no other memory on their node. */
START_TEST(sources_that_a_pin_would_copy)
{
	NEED_PINS();
	ck_assert_uint_eq(move_part(area, NULL), PART);
	scripted_context->swap->zones.only_movable.bits[0] = 1;
	faulty.seen = 0;
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(move_part(area, NULL), PART);
	ck_assert_uint_eq(faulty.seen, 0);
	ck_assert_int_eq(pinning.warnings, 1);
	ck_assert_ptr_nonnull(strstr(pinning.line, "movable"));
	end();
}
END_TEST

/* ---------------------------------------------------------------- runs */

static size_t runs_of(const int (*pages)[2], size_t count)
{
	struct bm_copy copies[8] = {{0}};

	for (size_t i = 0; i < count; i++)
		copies[i] = (struct bm_copy){.from = area + (size_t)pages[i][0] * PAGE,
					     .to = area + (size_t)pages[i][1] * PAGE,
					     .length = PAGE};
	return bm_pins_runs(copies, count);
}

START_TEST(runs_up_and_down)
{
	static const int up[][2] = {{0, 10}, {1, 11}, {2, 12}};
	static const int down[][2] = {{2, 12}, {1, 11}, {0, 10}};
	static const int gap[][2] = {{0, 10}, {2, 11}, {3, 13}, {9, 14}};

	area = (char *)0x7e9000000000;
	ck_assert_uint_eq(runs_of(up, 0), 0);
	ck_assert_uint_eq(runs_of(up, 1), 2);
	ck_assert_uint_eq(runs_of(up, 3), 2);
	ck_assert_uint_eq(runs_of(down, 3), 2);
	ck_assert_uint_eq(runs_of(gap, 4), 5);
}
END_TEST

/* What more runs cost is copied by the cpu meanwhile. */
START_TEST(many_runs_are_left_to_the_cpu)
{
	static char from[8 * PAGE] __attribute__((aligned(4096)));
	static char to[8 * PAGE] __attribute__((aligned(4096)));
	struct bm_copy copies[4];
	unsigned char ends[4];
	struct bm_copier copier = {.sys = &bm_sys_linux,
				   .backend = &faulty_backend,
				   .cpu = &faulty_backend,
				   .least = 4 * PAGE,
				   .run_bytes = 1,
				   .patience_ns = 1000000000};

	ck_assert_int_eq(faulty_backend.chan_open(NULL, -1, &copier.channel), 0);
	ck_assert_int_eq(faulty_backend.chan_open(NULL, -1, &copier.cpu_channel), 0);
	for (size_t step = 1; step <= 2; step++) {
		for (size_t i = 0; i < 4; i++)
			copies[i] = (struct bm_copy){to + i * step * PAGE, from + i * step * PAGE,
						     PAGE, 0};
		copier.offloaded = 0;
		ck_assert_uint_eq(bm_copy_all(&copier, copies, 4, ends), 0);
		ck_assert_uint_eq(copier.offloaded, step == 1 ? 4 * PAGE : 0);
	}
	faulty_backend.chan_close(copier.channel);
	faulty_backend.chan_close(copier.cpu_channel);
}
END_TEST

static int pin_nothing(struct bm_channel *channel, const struct bm_copy *copies, size_t count)
{
	(void)channel;
	(void)copies;
	(void)count;
	pinning.pins++;
	return 0;
}

static int unpin_nothing(struct bm_channel *channel)
{
	(void)channel;
	return 0;
}

/* One that takes nothing any more is asked again by the next batch, not by the next window. */
START_TEST(nothing_is_pinned_for_one_that_refuses)
{
	static char from[PAGE] __attribute__((aligned(4096)));
	static char to[PAGE] __attribute__((aligned(4096)));
	struct bm_copy copy = {to, from, PAGE, 0};
	struct bm_backend backend = faulty_backend;
	struct bm_copier copier = {
		.sys = &bm_sys_linux, .backend = &backend, .patience_ns = 1000000000};
	unsigned char ends;

	backend.facts |= BM_BACKEND_PINS;
	backend.pin = pin_nothing;
	backend.unpin = unpin_nothing;
	pinning.pins = 0;
	faulty = (struct faulty){.kind = FAULTY_REFUSED, .at = 1};
	ck_assert_int_eq(backend.chan_open(NULL, -1, &copier.channel), 0);
	for (int i = 1; i <= 3; i++) {
		memset(from, i, PAGE);
		ck_assert_uint_eq(bm_copy_all(&copier, &copy, 1, &ends), 0);
		ck_assert_int_eq(memcmp(to, from, PAGE), 0);
		ck_assert_uint_eq(pinning.pins, 1);
	}
	ck_assert(copier.has_failed);
	backend.chan_close(copier.channel);
}
END_TEST

static const TTest *const *const tests[] = {&free_before_they_are_put_back,
					    &what_cannot_be_pinned_is_copied_without_it,
					    &what_stays_pinned_is_copied_back,
					    &lost_copies_leave_the_sources_free,
					    &targets_that_are_not_free,
					    &targets_that_a_pin_moved,
					    &sources_that_a_pin_would_copy,
					    &runs_up_and_down,
					    &many_runs_are_left_to_the_cpu,
					    &nothing_is_pinned_for_one_that_refuses,
					    NULL};
const struct report_group pins_group = {"pins", tests};

/* SPDX-License-Identifier: MIT */
/*
 * swap_measured.c - what is measured on the real kernel, where calls fail once:
 * at first use, and for a profile. No byte is lost, nothing stays mapped, what
 * is known is something that can be, and an old profile stays where there is
 * no new one.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "flights.h"
#include "profile.h"
#include "uffd.h"
#include "unit.h"

#define MOST 100000

static char path[64], beside[80];

/* From one number of a call to the next: a measurement makes thousands that are alike. */
static unsigned long after(unsigned long at)
{
	return at < 6 ? at + 1 : 2 * at;
}

/* The same where each takes a fifth of a second. */
static unsigned long far_after(unsigned long at)
{
	return 5 * at + 1;
}

static struct bm_context *new_context(void)
{
	struct bm_options options;
	struct bm_context *context;

	failing_arm(FAILING_NONE, 0, 0);
	bm_options_init(&options, sizeof(options));
	options.log_level = "none";
	ck_assert_int_eq(bm_context_create(&failing_sys, &options, &context), 0);
	return context;
}

/* Nothing costs nothing, or more than a second. */
static void check_rates(const struct bm_rates *rates)
{
	const uint64_t known[] = {rates->chunk_ns,  rates->page_ns,   rates->huge_ns,
				  rates->direct_ns, rates->kernel_ns, rates->kernel_huge_ns,
				  rates->call_ns};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		ck_assert_msg(known[i] > 0 && known[i] < 1000000000, "%s: rate %zu is %llu",
			      failing_text(), i, (unsigned long long)known[i]);
	ck_assert_msg(rates->run_ns < 1000000000 && rates->populate_ns < 1000000000 &&
			      rates->share_ns < 1000000000,
		      "%s: a rate", failing_text());
}

/* ---------------------------------------------------------------- at first use */

static void estimate(void)
{
	struct flight *flight = flight_new(0, 0);
	struct bm_estimate seen;
	int rc;

	flight->request.mover = NULL;
	rc = bm_estimate(world.context, &flight->request, &seen, sizeof(seen));
	ck_assert_msg(rc == 0 || rc == -ENOMEM, "%s: estimate gave %d", failing_text(), rc);
	ck_assert(rc < 0 || seen.pages == FLIGHT_PAGES);
	for (size_t i = 0; i < FLIGHT_PAGES; i++)
		ck_assert_int_eq(flight->status[i], FLIGHT_UNSET);
}

static void fly(void)
{
	struct flight *flight = flight_new(0, 0);

	flight->request.mover = NULL;
	flight_submit(flight);
	flight_wait(flight);
	ck_assert_int_eq(flight->refused, 0);
	ck_assert_int_eq(flight->result, (long)flights_holes());
	flight_check(flight);
}

/* 0 when the call did not come so often. */
static int calibrate_with(enum failing_call call, unsigned long at, int error)
{
	struct failing_held before = failing_held();
	int hit;

	world.context = new_context();
	failing_arm(call, at, error);
	estimate();
	hit = failing_disarm();
	fly();
	flights_check();
	check_rates(&world.context->pairs.general);
	ck_assert_int_eq(bm_context_free(world.context), 0);
	flight_check_told(&flights[0]);
	bm_uffd_quiesce(&failing_sys);
	failing_check(&before);
	return hit;
}

static const struct {
	enum failing_call call;
	int error;
} faults[] = {{FAILING_ALLOC, -ENOMEM},  {FAILING_MAP, -ENOMEM},   {FAILING_MADVISE, -EAGAIN},
	      {FAILING_THREAD, -EAGAIN}, {FAILING_QUERY, -ENOMEM}, {FAILING_PREAD, -ENOMEM},
	      {FAILING_OPEN, -EMFILE},   {FAILING_UFFD, -EMFILE},  {FAILING_READ, -EIO},
	      {FAILING_IOCTL, -ENOMEM}};
#define FAULTS (sizeof(faults) / sizeof(faults[0]))

START_TEST(calls_of_the_first_look)
{
	if (!flights_usable())
		skip_test("no userfaultfd with UFFDIO_MOVE for this process");
	flights_new();
	for (size_t i = 0; i < FAULTS; i++) {
		unsigned long at = 1;

		while (calibrate_with(faults[i].call, at, faults[i].error)) {
			ck_assert_uint_lt(at, MOST);
			at = after(at);
		}
	}
	flights_free();
}
END_TEST

/* ---------------------------------------------------------------- for a profile */

static struct bm_pairs pairs;

/* Reads the profile: the first pair. */
static struct bm_rates *read_profile(void)
{
	struct bm_profile profile = {.pairs = &pairs};
	char why[BM_WHY_MAX] = "";
	int rc;

	memset(&pairs, 0, sizeof(pairs));
	bm_pairs_init(&pairs);
	rc = bm_profile_read(&bm_sys_linux, path, &profile, why);
	ck_assert_msg(rc == 1, "%s: the profile is not used: %s", failing_text(), why);
	ck_assert_uint_ge(pairs.count, 1);
	return &pairs.list[0].rates;
}

static void write_old(void)
{
	struct bm_profile profile = {.loop = "old", .pairs = &pairs};

	memset(&pairs, 0, sizeof(pairs));
	bm_pairs_init(&pairs);
	atomic_store(&bm_pairs_rates(&pairs, 0, 0)->page_ns, 4711);
	ck_assert_int_eq(bm_profile_write(&bm_sys_linux, path, &profile), 0);
}

static void check_profile(int rc)
{
	struct bm_rates *rates = read_profile(), guessed;

	bm_rates_init(&guessed);
	if (rc < 0) {
		ck_assert_uint_eq(rates->page_ns, 4711);
	} else {
		check_rates(rates);
		/* Three numbers that are all what they would be without a measurement. */
		ck_assert_msg(rates->page_ns != 4711 && (rates->chunk_ns != guessed.chunk_ns ||
							 rates->page_ns != guessed.page_ns ||
							 rates->run_ns != guessed.run_ns),
			      "%s: %d, but it was not measured", failing_text(), rc);
	}
	ck_assert_msg(access(beside, F_OK) < 0, "%s: %d, and a file lies beside it", failing_text(),
		      rc);
}

/* 0 when the call did not come so often. */
static int tune_with(enum failing_call call, unsigned long at, int error, int ever)
{
	struct failing_held before = failing_held();
	struct bm_context *context = new_context();
	struct bm_rates known;
	int rc, hit;

	bm_rates_copy(&known, &context->pairs.general);
	write_old();
	if (ever)
		failing_arm_ever(call, at, error);
	else
		failing_arm(call, at, error);
	rc = bm_tune(context, path);
	hit = failing_disarm();
	ck_assert_msg(rc == 0 || rc == error || rc == -ENOMEM, "%s: %d", failing_text(), rc);
	check_profile(rc);
	/* It goes on with what it knew. */
	ck_assert_int_eq(memcmp(&known, &context->pairs.general, sizeof(known)), 0);
	ck_assert_uint_eq(context->pairs.count, 0);
	bm_context_free(context);
	bm_uffd_quiesce(&failing_sys);
	failing_check(&before);
	return hit;
}

static void tune_each(enum failing_call call, int error, int ever)
{
	unsigned long at = 1;

	while (tune_with(call, at, error, ever)) {
		ck_assert_uint_lt(at, MOST);
		at = far_after(at);
	}
	ck_assert_msg(at > 1, "%s: it is never called", failing_text());
}

static void tune_all(int ever)
{
	if (!flights_usable())
		skip_test("no userfaultfd with UFFDIO_MOVE for this process");
	snprintf(path, sizeof(path), "/tmp/batchmig-measured-%d", (int)getpid());
	snprintf(beside, sizeof(beside), "%s.new", path);
	tune_each(FAILING_ALLOC, -ENOMEM, ever);
	tune_each(FAILING_MAP, -ENOMEM, ever);
	if (ever)
		tune_each(FAILING_OPEN, -EMFILE, ever);
	/* Pages that cannot be put back end the process. */
	tune_each(ever ? FAILING_QUERY : FAILING_IOCTL, -ENOMEM, ever);
	unlink(path);
}

START_TEST(calls_of_a_profile)
{
	tune_all(0);
}
END_TEST

/* Memory, or descriptors, that run out on the way and do not come back. */
START_TEST(a_profile_that_ends_on_the_way)
{
	tune_all(1);
}
END_TEST

static const TTest *const *const tests[] = {&calls_of_the_first_look, &calls_of_a_profile,
					    &a_profile_that_ends_on_the_way, NULL};
const struct report_group swap_measured_group = {"swap_measured", tests};

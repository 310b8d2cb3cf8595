/* SPDX-License-Identifier: MIT */
/*
 * swap_copying.c - what reports tell of the copying in windows. On the real
 * kernel, by a clock that stands still but for what is to be told apart.
 */
#include "script.h"

/* No sum of a few of one kind is one of another. */
#define COPY_NS  UINT64_C(7)
#define IOCTL_NS UINT64_C(100000)
#define REAP_NS  UINT64_C(1000000) /* of a question that nothing is told to */

static atomic_uint_fast64_t stands_at; /* 0: it runs as usual */
static atomic_int kernel_copies;       /* to the area */
static struct bm_sys before;
static const struct bm_backend *copying;
static struct bm_backend slow;

static uint64_t c_now_ns(void)
{
	uint64_t now = atomic_load(&stands_at);

	return now ? now : bm_sys_linux.now_ns();
}

static void pass(uint64_t ns)
{
	if (atomic_load(&stands_at))
		atomic_fetch_add(&stands_at, ns);
}

static int c_ioctl(int fd, unsigned long request, void *arg)
{
	const struct bm_uffd_transfer *transfer = arg;

	if (request == BM_UFFDIO_MOVE || request == BM_UFFDIO_COPY)
		pass(IOCTL_NS);
	if (request == BM_UFFDIO_COPY && transfer->to - (uintptr_t)area < HUGE)
		atomic_fetch_add(&kernel_copies, 1);
	return before.ioctl(fd, request, arg);
}

static int c_submit(struct bm_channel *channel, const struct bm_copy *copies, size_t count)
{
	pass(COPY_NS);
	return copying->submit(channel, copies, count);
}

static int c_reap(struct bm_channel *channel, struct bm_copied *copied, size_t most)
{
	int got = copying->reap(channel, copied, most);

	if (got == 0)
		pass(REAP_NS);
	return got;
}

/* Moves once, so that all is measured that is; from then on the clock stands. */
static void begin(void)
{
	before = scripted_sys;
	scripted_sys.now_ns = c_now_ns;
	scripted_sys.ioctl = c_ioctl;
	copying = scripted_context->copies;
	slow = *copying;
	slow.submit = c_submit;
	slow.reap = c_reap;
	scripted_context->copies = &slow;
	ck_assert_uint_eq(move_part(area, NULL), PART);
	ck_assert_int_eq(bm_stats_reset(scripted_context), 0);
	atomic_store(&kernel_copies, 0);
	atomic_store(&stands_at, bm_sys_linux.now_ns());
}

static void end(void)
{
	atomic_store(&stands_at, 0);
	check(area, area, PARTS * BYTES, 1);
	script_end();
}

static struct bm_stats told(void)
{
	struct bm_stats stats;

	ck_assert_int_eq(bm_stats_get(scripted_context, &stats, sizeof(stats)), 0);
	return stats;
}

START_TEST(copying_is_told_of)
{
	struct bm_stats stats;

	NEED_SWAP();
	begin();
	for (uint64_t i = 1; i <= 3; i++) {
		ck_assert_uint_eq(move_part(area, NULL), PART);
		stats = told();
		ck_assert_uint_eq(stats.windows, i);
		ck_assert_uint_eq(stats.ns_copy, i * COPY_NS);
		ck_assert_uint_eq((stats.ns_window - stats.ns_copy) % IOCTL_NS, 0);
		ck_assert_uint_ge(stats.ns_window - stats.ns_copy, 2 * IOCTL_NS * i);
	}
	end();
}
END_TEST

/* Of two windows the longer one is told of, with its own copying: the other has none on this clock. */
START_TEST(copying_of_the_window_that_is_told)
{
	struct bm_stats stats;

	NEED_SWAP();
	begin();
	faulty = (struct faulty){.kind = FAULTY_SILENT, .at = 1};
	ck_assert_uint_eq(move_part(area, NULL), PART);
	stats = told();
	ck_assert_uint_eq(stats.windows, 1);
	ck_assert_uint_gt(stats.ns_copy, 100 * REAP_NS);
	ck_assert_uint_eq(stats.ns_copy % REAP_NS, COPY_NS);
	ck_assert_uint_eq((stats.ns_window - stats.ns_copy) % IOCTL_NS, 0);
	ck_assert_uint_gt(stats.ns_window, stats.ns_copy);
	end();
}
END_TEST

/* With these the kernel copies what the pool lacks. */
static void prefer_the_kernel(struct bm_rates *rates)
{
	atomic_store(&rates->populate_ns, 1000000);
	atomic_store(&rates->direct_ns, 1);
}

START_TEST(copying_of_the_kernel_is_not)
{
	struct bm_pairs *pairs;
	struct bm_stats stats;

	NEED_SWAP();
	begin();
	scripted_context->copies = NULL;
	pairs = &scripted_context->pairs;
	prefer_the_kernel(&pairs->general);
	for (unsigned int i = 0; i < pairs->count; i++)
		prefer_the_kernel(&pairs->list[i].rates);
	ck_assert_int_eq(bm_quiesce(), 0);
	ck_assert_uint_eq(move_part(area, NULL), PART);
	stats = told();
	ck_assert_int_gt(kernel_copies, 0);
	ck_assert_uint_eq(stats.windows, 1);
	ck_assert_uint_eq(stats.ns_copy, 0);
	ck_assert_uint_ge(stats.ns_window, 2 * IOCTL_NS);
	end();
}
END_TEST

static const TTest *const *const tests[] = {&copying_is_told_of,
					    &copying_of_the_window_that_is_told,
					    &copying_of_the_kernel_is_not, NULL};
const struct report_group swap_copying_group = {"swap_copying", tests};

/* SPDX-License-Identifier: MIT */
/*
 * swap_script.c - what the application does at a chosen moment of a window:
 * the owner stops there until it is done. On the real kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "context.h"
#include "faulty.h"
#include "scene.h"
#include "uffd_abi.h"
#include "unit.h"

#define PAGE  4096ul
#define HUGE  (2ul << 20)
#define PART  64u /* pages that are moved at a time; the area has three such parts */
#define PARTS 3u
#define BYTES (PART * PAGE)
/* mmap(2) puts nothing there by itself. */
#define PLACE ((char *)0x300000000000)

/*
 * The first batch stops once: at its first copy, at an ioctl, or where it
 * waits for an event that a MOVE was told of.
 */
enum stop { AT_COPY, AT_IOCTL, AT_EVENT };
enum stage { COMING, HERE, GONE_ON };

static struct {
	enum stop stop;
	unsigned long request;
	atomic_int stage;
	atomic_int told; /* of an event that there is none of */
} script;

static struct bm_sys scripted_sys;
static struct bm_backend scripted_backend;
static struct bm_context *context;
static char *area, *elsewhere;

/* Nothing here may be in the area: pages of it are out of reach. */
static void stop_here(enum stop stop)
{
	int coming = COMING;

	if (script.stop != stop ||
	    !atomic_compare_exchange_strong(&script.stage, &coming, (int)HERE))
		return;
	while (atomic_load(&script.stage) != GONE_ON)
		bm_sys_linux.yield();
}

static int s_ioctl(int fd, unsigned long request, void *arg)
{
	/* The look whether the place is registered comes before each MOVE. */
	if (script.stop == AT_EVENT && request == BM_UFFDIO_COPY &&
	    !atomic_exchange(&script.told, 1))
		return -EAGAIN;
	if (request == script.request)
		stop_here(AT_IOCTL);
	return bm_sys_linux.ioctl(fd, request, arg);
}

static int s_futex_wait(const bm_futex *word, uint32_t value, int64_t timeout_us)
{
	if (timeout_us > 0 && atomic_load(&script.told))
		stop_here(AT_EVENT);
	return bm_sys_linux.futex_wait(word, value, timeout_us);
}

static int s_submit(struct bm_channel *channel, const struct bm_copy *copies, size_t count)
{
	stop_here(AT_COPY);
	return faulty_backend.submit(channel, copies, count);
}

/* ---------------------------------------------------------------- the memory */

static uint64_t word_of(const uint64_t *place, uint64_t seed)
{
	return (uint64_t)(uintptr_t)place * UINT64_C(0x9e3779b97f4a7c15) + seed;
}

static void fill(char *start, size_t length, uint64_t seed)
{
	uint64_t *words = (uint64_t *)(void *)start;

	for (size_t i = 0; i < length / 8; i++)
		words[i] = word_of(&words[i], seed);
}

/* That what lies at `now` is what was filled in at `then`. */
static void check(const char *now, const char *then, size_t length, uint64_t seed)
{
	const uint64_t *words = (const uint64_t *)(const void *)now;
	const uint64_t *were = (const uint64_t *)(const void *)then;
	size_t wrong = 0;

	for (size_t i = 0; i < length / 8; i++)
		wrong += words[i] != word_of(&were[i], seed);
	ck_assert_msg(wrong == 0, "%zu of %zu words are wrong", wrong, length / 8);
}

static void check_zeros(const char *start, size_t length)
{
	size_t wrong = 0;

	for (size_t i = 0; i < length; i++)
		wrong += start[i] != 0;
	ck_assert_msg(wrong == 0, "%zu of %zu bytes are not zero", wrong, length);
}

static void map_at(char *place, size_t length)
{
	char *start = mmap(place, length, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);

	ck_assert_ptr_eq(start, place);
	madvise(start, length, MADV_NOHUGEPAGE);
}

/* 1: a userfaultfd has it, and it can be but ours. */
static int is_registered(const char *start, size_t length)
{
	struct bm_uffd_api api = {.api = BM_UFFD_API};
	struct bm_uffd_register arg = {{(uintptr_t)start, length}, BM_UFFD_MODE_MISSING, 0};
	int fd = (int)bm_sys_linux.userfaultfd(O_CLOEXEC | O_NONBLOCK), rc;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bm_sys_linux.ioctl(fd, BM_UFFDIO_API, &api), 0);
	rc = bm_sys_linux.ioctl(fd, BM_UFFDIO_REGISTER, &arg);
	close(fd);
	ck_assert(rc == 0 || rc == -EBUSY);
	return rc == -EBUSY;
}

/* ---------------------------------------------------------------- batches */

/* Moves one part that starts there; how many pages of it were swapped. */
static size_t move_part(char *start, enum bm_reason *reason)
{
	static const int nodes[PART];
	unsigned char reasons[PART];
	struct bm_request request;
	struct bm_report report;
	struct bm_batch *batch;
	void *pages[PART];
	int status[PART];

	for (size_t i = 0; i < PART; i++)
		pages[i] = start + i * PAGE;
	bm_request_init(&request, sizeof(request));
	request.flags = BM_QUIET | BM_REPLACE;
	request.mover = "swap";
	request.count = PART;
	request.pages = pages;
	request.nodes = nodes;
	request.status = status;
	request.reasons = reasons;
	ck_assert_int_eq(bm_submit(context, &request, &batch), 0);
	bm_batch_wait(batch, BM_FOREVER);
	ck_assert_int_eq(bm_batch_report(batch, &report, sizeof(report)), 0);
	bm_batch_free(batch);
	if (reason)
		*reason = reasons[0];
	return report.bytes_swapped / PAGE;
}

static void *move_first_part(void *arg)
{
	*(size_t *)arg = move_part(area, NULL);
	return NULL;
}

/* Moves the first part, with this done in the middle; how many pages were swapped. */
static size_t move_meanwhile(enum stop stop, unsigned long request, void (*act)(void))
{
	size_t swapped = 0;
	pthread_t thread;

	script.stop = stop;
	script.request = request;
	atomic_store(&script.told, 0);
	atomic_store(&script.stage, COMING);
	ck_assert_int_eq(pthread_create(&thread, NULL, move_first_part, &swapped), 0);
	for (int ms = 0; atomic_load(&script.stage) != HERE; ms++) {
		ck_assert_msg(ms < 10000, "the window does not come to this point");
		usleep(1000);
	}
	act();
	atomic_store(&script.stage, GONE_ON);
	pthread_join(thread, NULL);
	return swapped;
}

/* 0: swap cannot be had here. */
static int begin(void)
{
	struct bm_uffd_wish wish = {.sys = &bm_sys_linux, .page_size = PAGE, .huge_size = HUGE};
	struct bm_options options;

	if (sysconf(_SC_PAGESIZE) != (long)PAGE || bm_uffd_probe(&wish) != 0)
		return 0;
	scripted_sys = bm_sys_linux;
	scripted_sys.ioctl = s_ioctl;
	scripted_sys.futex_wait = s_futex_wait;
	scripted_backend = faulty_backend;
	scripted_backend.submit = s_submit;
	faulty = (struct faulty){0};
	bm_options_init(&options, sizeof(options));
	options.threads = 1;
	ck_assert_int_eq(bm_context_create(&scripted_sys, &options, &context), 0);
	context->copies = &scripted_backend;
	area = PLACE;
	elsewhere = area + HUGE;
	map_at(area, PARTS * BYTES);
	fill(area, PARTS * BYTES, 1);
	return 1;
}

static void end(void)
{
	munmap(area, PARTS * BYTES);
	munmap(elsewhere, PARTS * BYTES);
	bm_context_free(context);
	bm_uffd_quiesce(&scripted_sys);
}

#define NEED_SWAP()                                                                    \
	do {                                                                           \
		if (!begin())                                                          \
			skip_test("no userfaultfd with UFFDIO_MOVE for this process"); \
	} while (0)

/* ---------------------------------------------------------------- the tests */

/* With the new mapping registered by a window of its own nothing but the event tells. */
static void map_anew(void)
{
	munmap(area, 2 * BYTES);
	map_at(area, 2 * BYTES);
	fill(area + BYTES, BYTES, 2);
	ck_assert_uint_eq(move_part(area + BYTES, NULL), PART);
}

START_TEST(unmapped_and_mapped_anew)
{
	NEED_SWAP();
	move_meanwhile(AT_COPY, 0, map_anew);
	check_zeros(area, BYTES);
	check(area + BYTES, area + BYTES, BYTES, 2);
	check(area + 2 * BYTES, area + 2 * BYTES, BYTES, 1);
	end();
}
END_TEST

static void map_anew_and_fill(void)
{
	munmap(area, 2 * BYTES);
	map_at(area, 2 * BYTES);
	fill(area, 2 * BYTES, 2);
	ck_assert_uint_eq(move_part(area + BYTES, NULL), PART);
}

/* What is there now does not belong to the window, though it is registered. */
START_TEST(mapped_anew_before_taken_out)
{
	NEED_SWAP();
	ck_assert_uint_eq(move_meanwhile(AT_EVENT, 0, map_anew_and_fill), 0);
	check(area, area, 2 * BYTES, 2);
	check(area + 2 * BYTES, area + 2 * BYTES, BYTES, 1);
	end();
}
END_TEST

static void remove_a_half(void)
{
	ck_assert_int_eq(madvise(area, BYTES / 2, MADV_DONTNEED), 0);
}

START_TEST(removed)
{
	NEED_SWAP();
	ck_assert_uint_eq(move_meanwhile(AT_COPY, 0, remove_a_half), PART / 2);
	check_zeros(area, BYTES / 2);
	check(area + BYTES / 2, area + BYTES / 2, PARTS * BYTES - BYTES / 2, 1);
	end();
}
END_TEST

static void remove_next_part(void)
{
	uint64_t start = bm_sys_linux.now_ns(), end;
	enum bm_reason reason;
	size_t swapped;

	ck_assert_int_eq(madvise(area + BYTES, BYTES, MADV_DONTNEED), 0);
	check_zeros(area + BYTES, BYTES);
	fill(area + BYTES, BYTES, 2);
	swapped = move_part(area + BYTES, &reason);
	end = bm_sys_linux.now_ns();
	/* Where that took longer nothing was asked. */
	if (end - start < BM_REMOVAL_NS) {
		ck_assert_uint_eq(swapped, 0);
		ck_assert_int_eq(reason, BM_REASON_CHANGED);
	}
	usleep(BM_REMOVAL_NS / 1000 + 20000);
	ck_assert_uint_eq(move_part(area + BYTES, NULL), PART);
}

/* The kernel may not have removed it yet: no window is opened there for a while. */
START_TEST(removed_a_moment_ago)
{
	NEED_SWAP();
	ck_assert_uint_eq(move_meanwhile(AT_COPY, 0, remove_next_part), PART);
	check(area, area, BYTES, 1);
	check(area + BYTES, area + BYTES, BYTES, 2);
	end();
}
END_TEST

static void move_next_part(void)
{
	ck_assert_uint_eq(move_part(area + BYTES, NULL), PART);
}

/* The end of a window leaves the mapping registered for another one. */
START_TEST(another_window_ends)
{
	NEED_SWAP();
	ck_assert_uint_eq(move_meanwhile(AT_COPY, 0, move_next_part), PART);
	check(area, area, PARTS * BYTES, 1);
	end();
}
END_TEST

static void remap_all(void)
{
	ck_assert_ptr_eq(mremap(area, PARTS * BYTES, PARTS * BYTES, MREMAP_MAYMOVE | MREMAP_FIXED,
				elsewhere),
			 elsewhere);
}

static void remap_and_move_next_part(void)
{
	remap_all();
	ck_assert_uint_eq(move_part(elsewhere + BYTES, NULL), PART);
}

/* The same where the pages will go to a place that the window did not register. */
START_TEST(another_window_ends_where_it_was_remapped)
{
	NEED_SWAP();
	move_meanwhile(AT_COPY, 0, remap_and_move_next_part);
	check(elsewhere, area, PARTS * BYTES, 1);
	end();
}
END_TEST

static pthread_t remapping;

static void *remap_main(void *arg)
{
	remap_all();
	return arg;
}

/* Its events are read when the window goes on: the reader may wait for the latch of leases. */
static void begin_to_remap(void)
{
	ck_assert_int_eq(pthread_create(&remapping, NULL, remap_main, NULL), 0);
	usleep(50000);
}

/* The window is closed already: nobody but the reader can see to the new place. */
START_TEST(remapped_at_the_end)
{
	NEED_SWAP();
	ck_assert_uint_eq(move_meanwhile(AT_IOCTL, BM_UFFDIO_UNREGISTER, begin_to_remap), PART);
	pthread_join(remapping, NULL);
	check(elsewhere, area, PARTS * BYTES, 1);
	for (int ms = 0; ms < 2000 && is_registered(elsewhere, PARTS * BYTES); ms++)
		usleep(1000);
	ck_assert(!is_registered(elsewhere, PARTS * BYTES));
	end();
}
END_TEST

static const TTest *const *const tests[] = {&unmapped_and_mapped_anew,
					    &mapped_anew_before_taken_out,
					    &removed,
					    &removed_a_moment_ago,
					    &another_window_ends,
					    &another_window_ends_where_it_was_remapped,
					    &remapped_at_the_end,
					    NULL};
const struct report_group swap_script_group = {"swap_script", tests};

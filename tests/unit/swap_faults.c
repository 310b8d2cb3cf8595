/* SPDX-License-Identifier: MIT */
/*
 * swap_faults.c - the mover swap on the real kernel, where each call in turn
 * fails, and with a backend that does things wrong. No byte may be lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "context.h"
#include "faulty.h"
#include "scene.h"
#include "uffd_abi.h"
#include "unit.h"

#define PAGE  4096ul
#define HUGE  (2ul << 20)
#define BYTES (3 * HUGE)
#define COUNT (BYTES / PAGE)

/* MOVED: a MOVE that is made, but denied, see uffd_move.c. */
enum call { IOCTL, MADVISE, MAP, MLOCK, THREAD, ALLOC, OPEN, UFFD, MARKER, KEEP, QUERY, MOVED };

/* Call number `at` of this kind gives `error`, without having been made. */
static struct {
	enum call call;
	atomic_ulong seen;
	unsigned long at;
	int error;
	atomic_int hit, aborted;
} fault;

static struct bm_sys faulty_sys;

static int fails(enum call call)
{
	if (call != fault.call || atomic_fetch_add(&fault.seen, 1) + 1 != fault.at)
		return 0;
	atomic_store(&fault.hit, 1);
	return 1;
}

/* What Linux 6.18 does when a page changed while it was moved: not all of a long run. */
static int move_and_deny(int fd, struct bm_uffd_transfer *move)
{
	uint64_t most = 5 * PAGE, length = move->length;

	if (length < HUGE && length > most)
		move->length = most;
	bm_sys_linux.ioctl(fd, BM_UFFDIO_MOVE, move);
	move->length = length;
	move->done = -EEXIST;
	return -EEXIST;
}

static int f_ioctl(int fd, unsigned long request, void *arg)
{
	if (request == BM_UFFDIO_MOVE && fails(MOVED))
		return move_and_deny(fd, arg);
	return fails(IOCTL) ? fault.error : bm_sys_linux.ioctl(fd, request, arg);
}

static int f_madvise(uint64_t addr, size_t length, int advice)
{
	return fails(MADVISE) ? fault.error : bm_sys_linux.madvise(addr, length, advice);
}

static int f_map(size_t length, int shared, uint64_t *addr)
{
	return fails(MAP) ? fault.error : bm_sys_linux.map(length, shared, addr);
}

static int f_mlock(uint64_t addr, size_t length, int lock)
{
	return fails(MLOCK) ? fault.error : bm_sys_linux.mlock(addr, length, lock);
}

static int f_thread(pthread_t *thread, void *(*run)(void *), void *arg)
{
	return fails(THREAD) ? fault.error : bm_sys_linux.thread_start(thread, run, arg);
}

static void *f_alloc(size_t count, size_t size)
{
	return fails(ALLOC) ? NULL : bm_sys_linux.alloc(count, size);
}

static int f_open(const char *path, int flags)
{
	return fails(OPEN) ? fault.error : bm_sys_linux.open(path, flags);
}

static long f_uffd(int flags)
{
	return fails(UFFD) ? fault.error : bm_sys_linux.userfaultfd(flags);
}

static volatile unsigned char *f_marker(void)
{
	return fails(MARKER) ? NULL : bm_sys_linux.fork_marker();
}

static int f_keep(const int *fds, int count)
{
	return fails(KEEP) ? fault.error : bm_sys_linux.keep_only(fds, count);
}

static long f_query(pid_t pid, size_t count, void *const *pages, const int *nodes, int *status,
		    int flags)
{
	return fails(QUERY) ? fault.error
			    : bm_sys_linux.move_pages(pid, count, pages, nodes, status, flags);
}

static void f_abort(const char *message)
{
	(void)message;
	atomic_store(&fault.aborted, 1);
	bm_sys_linux.abort(message);
}

static void set_up_sys(void)
{
	faulty_sys = bm_sys_linux;
	faulty_sys.ioctl = f_ioctl;
	faulty_sys.madvise = f_madvise;
	faulty_sys.map = f_map;
	faulty_sys.mlock = f_mlock;
	faulty_sys.thread_start = f_thread;
	faulty_sys.alloc = f_alloc;
	faulty_sys.open = f_open;
	faulty_sys.userfaultfd = f_uffd;
	faulty_sys.fork_marker = f_marker;
	faulty_sys.keep_only = f_keep;
	faulty_sys.move_pages = f_query;
	faulty_sys.abort = f_abort;
}

/* ---------------------------------------------------------------- the memory */

static struct {
	char *start;
	void *pages[COUNT];
	int nodes[COUNT], status[COUNT];
	unsigned char reasons[COUNT];
	uint64_t swapped;
	int64_t pool_mb;
} area;

static uint64_t word_of(size_t at)
{
	return at * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

/* Base pages with holes, and a huge page. */
static void area_new(void)
{
	char *start = mmap(NULL, BYTES + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
	uint64_t *words;

	ck_assert_ptr_ne(start, MAP_FAILED);
	start = (char *)(((uintptr_t)start + HUGE - 1) & ~(HUGE - 1));
	madvise(start, 2 * HUGE, MADV_NOHUGEPAGE);
	madvise(start + 2 * HUGE, HUGE, MADV_HUGEPAGE);
	area.start = start;
	words = (uint64_t *)(void *)start;
	for (size_t i = 0; i < BYTES / 8; i++) {
		/* Each 100th page stays a hole. */
		if (i / 512 % 100 != 99 || i / 512 >= 1024)
			words[i] = word_of(i);
	}
	for (size_t i = 0; i < COUNT; i++)
		area.pages[i] = start + i * PAGE;
}

static void area_check(void)
{
	const uint64_t *words = (const uint64_t *)(const void *)area.start;
	size_t wrong = 0;

	for (size_t i = 0; i < BYTES / 8; i++) {
		if (i / 512 % 100 != 99 || i / 512 >= 1024)
			wrong += words[i] != word_of(i);
	}
	ck_assert_msg(wrong == 0, "%zu words are wrong after call %d number %lu gave %d", wrong,
		      (int)fault.call, fault.at, fault.error);
	ck_assert_int_eq(atomic_load(&fault.aborted), 0);
}

static void area_free(void)
{
	munmap(area.start, BYTES);
}

/* One batch with a context of its own; its result, or why there was none. */
static long migrate(const struct bm_backend *backend)
{
	struct bm_options options;
	struct bm_request request;
	struct bm_context *context;
	struct bm_report report = {0};
	struct bm_batch *batch;
	long rc;

	bm_options_init(&options, sizeof(options));
	options.threads = 2;
	if (area.pool_mb >= 0)
		options.pool_mb = area.pool_mb;
	rc = bm_context_create(&faulty_sys, &options, &context);
	if (rc < 0)
		return rc;
	context->copies = backend;
	bm_request_init(&request, sizeof(request));
	request.flags = BM_QUIET | BM_REPLACE;
	request.mover = "swap";
	request.count = COUNT;
	request.pages = area.pages;
	request.nodes = area.nodes;
	request.status = area.status;
	request.reasons = area.reasons;
	memset(area.status, 0x77, sizeof(area.status));
	rc = bm_submit(context, &request, &batch);
	if (rc == 0) {
		rc = (int)bm_batch_wait(batch, BM_FOREVER);
		bm_batch_report(batch, &report, sizeof(report));
		bm_batch_free(batch);
		for (size_t i = 0; i < COUNT; i++)
			ck_assert(rc < 0 ? area.status[i] == rc
					 : area.status[i] == 0 || area.status[i] == -ENOENT);
	}
	area.swapped = report.bytes_swapped;
	faulty_keep_held(context);
	bm_context_free(context);
	bm_uffd_quiesce(&faulty_sys);
	return rc;
}

static int usable(void)
{
	struct bm_uffd_wish wish = {.sys = &bm_sys_linux, .page_size = PAGE, .huge_size = HUGE};

	return sysconf(_SC_PAGESIZE) == (long)PAGE && bm_uffd_probe(&wish) == 0;
}

/* ---------------------------------------------------------------- the tests */

static const char *first_reason(void)
{
	for (size_t i = 0; i < COUNT; i++) {
		if (area.reasons[i] != BM_REASON_NONE)
			return bm_reason_name(area.reasons[i]);
	}
	return "none";
}

static void fail_each(enum call call, int error)
{
	fault.call = call;
	fault.error = error;
	fault.at = 0;
	do {
		fault.at++;
		atomic_store(&fault.seen, 0);
		atomic_store(&fault.hit, 0);
		migrate(NULL);
		area_check();
	} while (atomic_load(&fault.hit));
	/* khugepaged may make a page huge again that a fault has split, in the middle of a batch. */
	for (int i = 0; i < 10 && area.swapped <= HUGE; i++)
		migrate(NULL);
	ck_assert_msg(area.swapped > HUGE,
		      "without a fault %llu bytes were swapped; first page left: %s",
		      (unsigned long long)area.swapped, first_reason());
}

static void each_call_on(enum call call, const int *errors, size_t count, int64_t pool_mb)
{
	if (!usable())
		skip_test("no userfaultfd with UFFDIO_MOVE for this process");
	set_up_sys();
	area_new();
	area.pool_mb = pool_mb;
	for (size_t i = 0; i < count; i++)
		fail_each(call, errors[i]);
	area_free();
}

static void each_call(enum call call, const int *errors, size_t count)
{
	each_call_on(call, errors, count, -1);
}

START_TEST(each_ioctl)
{
	static const int errors[] = {-EINVAL, -ENOMEM, -EAGAIN, -EFAULT,
				     -EBUSY,  -ENOENT, -EEXIST, -EBADF};

	each_call(IOCTL, errors, sizeof(errors) / sizeof(errors[0]));
}
END_TEST

/* Where the kernel copies the pages into place. */
START_TEST(each_ioctl_without_a_pool)
{
	static const int errors[] = {-ENOMEM, -EAGAIN, -EEXIST, -EFAULT, -ENOENT};

	each_call_on(IOCTL, errors, sizeof(errors) / sizeof(errors[0]), 0);
}
END_TEST

START_TEST(each_move_denied)
{
	static const int errors[] = {-EEXIST};

	each_call(MOVED, errors, 1);
}
END_TEST

START_TEST(each_acquisition)
{
	static const int errors[] = {-ENOMEM};
	static const enum call calls[] = {MADVISE, MAP, MLOCK, THREAD, ALLOC, MARKER, KEEP};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		each_call(calls[i], errors, 1);
}
END_TEST

START_TEST(each_descriptor)
{
	static const int errors[] = {-EMFILE};

	each_call(OPEN, errors, 1);
	each_call(UFFD, errors, 1);
}
END_TEST

START_TEST(each_question)
{
	static const int errors[] = {-EPERM, -ENOMEM};

	each_call(QUERY, errors, 2);
}
END_TEST

START_TEST(backend_at_each_copy)
{
	static const enum faulty_kind kinds[] = {FAULTY_ERROR, FAULTY_SHORT, FAULTY_LATE,
						 FAULTY_REFUSED, FAULTY_TWICE};

	if (!usable())
		skip_test("no userfaultfd with UFFDIO_MOVE for this process");
	set_up_sys();
	fault.at = 0;
	area_new();
	area.pool_mb = -1;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		for (size_t at = 1; at <= 10; at += 3) {
			faulty = (struct faulty){.kind = kinds[k], .at = at, .depth = 3};
			migrate(&faulty_backend);
			area_check();
			ck_assert_int_eq(faulty.hit, 1);
			ck_assert_uint_gt(area.swapped, HUGE);
		}
	}
	area_free();
}
END_TEST

/* What it may still be writing to is not used; the pages go back, and are copied without it. */
START_TEST(backend_is_silent)
{
	if (!usable())
		skip_test("no userfaultfd with UFFDIO_MOVE for this process");
	set_up_sys();
	fault.at = 0;
	area_new();
	area.pool_mb = -1;
	faulty = (struct faulty){.kind = FAULTY_SILENT, .at = 2};
	migrate(&faulty_backend);
	area_check();
	for (size_t i = 0; i < COUNT; i++)
		ck_assert_uint_ne(area.reasons[i], BM_REASON_BACKEND);
	ck_assert_uint_gt(area.swapped, COUNT * PAGE / 2);
	area_free();
}
END_TEST

static const TTest *const *const tests[] = {
	&each_ioctl,           &each_ioctl_without_a_pool, &each_move_denied,
	&each_acquisition,     &each_descriptor,           &each_question,
	&backend_at_each_copy, &backend_is_silent,         NULL};
const struct report_group swap_faults_group = {"swap_faults", tests};

/* SPDX-License-Identifier: MIT */
/* script.c - a table of system calls and a backend that stop, or fail, when they should. */
#include "script.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>

/* mmap(2) puts nothing there by itself, and sanitizers leave it to the program. */
#define PLACE ((char *)0x7e9000000000)

enum stage { COMING, STOPPED, HERE, GONE_ON };

#define LIMIT_NS UINT64_C(20000000000)

struct script script;
struct bm_sys scripted_sys;
static struct bm_backend scripted_backend;
struct bm_context *scripted_context;
/* For what moves while that one is stopped: it would keep the order of its batches. */
static struct bm_context *other_context;
char *area, *elsewhere;

/* Nothing here may be in the area: pages of it are out of reach. */
static void stop_here(enum stop stop)
{
	int coming = COMING;

	if (script.stop != stop ||
	    !atomic_compare_exchange_strong(&script.stage, &coming, (int)STOPPED))
		return;
	script.frame = (uintptr_t)__builtin_frame_address(0);
	/* All of them, also those that the C library does not tell of. */
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &script.blocked, sizeof(script.blocked));
	atomic_store(&script.stage, HERE);
	/* A test that has failed does not come back for it. */
	for (uint64_t begin = bm_sys_linux.now_ns();
	     atomic_load(&script.stage) != GONE_ON && bm_sys_linux.now_ns() - begin < LIMIT_NS;)
		bm_sys_linux.yield();
}

static int is_denied(const struct bm_uffd_transfer *transfer)
{
	uint64_t at = transfer->to - (uintptr_t)area;
	int left = atomic_load(&script.times);

	if (!script.error || at >= script.denied || !script.staging ||
	    (transfer->from - script.staging >= HUGE &&
	     (!script.also_old || transfer->from - script.grave >= HUGE)))
		return 0;
	while (left > 0 && !atomic_compare_exchange_weak(&script.times, &left, left - 1))
		;
	return left != 0;
}

static int is_from_area(const struct bm_uffd_transfer *transfer)
{
	return transfer->from - (uintptr_t)area < HUGE;
}

/* As Linux 6.18 does where a page changes under it: what it tells comes of a second attempt. */
static int move_uncounted(int fd, struct bm_uffd_transfer *transfer)
{
	uint64_t length = transfer->length;
	int rc;

	transfer->length = script.moved * PAGE;
	script.moved = 0;
	rc = bm_sys_linux.ioctl(fd, BM_UFFDIO_MOVE, transfer);
	if (rc < 0)
		return rc;
	transfer->length = length;
	transfer->done = script.counted ? (int64_t)(script.counted * PAGE) : -EEXIST;
	return script.counted ? -EAGAIN : -EEXIST;
}

/* It was this thread that was told; others that have nothing to do wait as long. */
static _Thread_local int told_here;

/* Who has asked for the bounds of what lies there does not know yet what comes now. */
static int unregister(int fd, struct bm_uffd_range *range)
{
	void (*act)(void) = script.unregistering;
	int rc;

	if (!act || range->start != (uintptr_t)elsewhere)
		return bm_sys_linux.ioctl(fd, BM_UFFDIO_UNREGISTER, range);
	script.unregistering = NULL;
	act();
	rc = bm_sys_linux.ioctl(fd, BM_UFFDIO_UNREGISTER, range);
	/* Who has waited there for a page goes on to the next one that is registered. */
	usleep(20000);
	return rc;
}

static int registering(const struct bm_uffd_register *arg)
{
	int (*act)(void) = script.registering;

	if (!act || arg->range.start - (uintptr_t)area >= HUGE)
		return 0;
	script.registering = NULL;
	return act();
}

static int s_ioctl(int fd, unsigned long request, void *arg)
{
	int uncounted, rc;

	/* The look whether the place is registered comes before each MOVE. */
	if (script.stop == AT_EVENT && request == BM_UFFDIO_CONTINUE &&
	    !atomic_exchange(&script.told, 1)) {
		told_here = 1;
		return -EAGAIN;
	}
	if (request == script.request && *(uint64_t *)arg - (uintptr_t)area < HUGE)
		stop_here(AT_IOCTL);
	/* Here only children get copies. */
	if (request == BM_UFFDIO_COPY && script.late_us)
		usleep(script.late_us);
	if (request == BM_UFFDIO_MOVE && script.move_late_us)
		usleep(script.move_late_us);
	if ((request == BM_UFFDIO_MOVE || request == BM_UFFDIO_COPY) && is_denied(arg))
		return script.error;
	/* Only the reader gives zero pages. */
	if (request == BM_UFFDIO_ZEROPAGE && script.again > 0 &&
	    atomic_fetch_sub(&script.again, 1) > 0)
		return -EAGAIN;
	if (request == BM_UFFDIO_UNREGISTER)
		return unregister(fd, arg);
	if (request == BM_UFFDIO_REGISTER && (rc = registering(arg)) < 0)
		return rc;
	uncounted = request == BM_UFFDIO_MOVE && is_from_area(arg) && script.moved > 0;
	rc = uncounted ? move_uncounted(fd, arg) : bm_sys_linux.ioctl(fd, request, arg);
	if (request == BM_UFFDIO_MOVE && (uncounted || rc == 0) && is_from_area(arg))
		stop_here(AT_AWAY);
	return rc;
}

static ssize_t s_read_raw(int fd, void *buffer, size_t size)
{
	static struct bm_uffd_message late;
	struct bm_uffd_message *messages = buffer;
	ssize_t got = bm_sys_linux.read_raw(fd, buffer, size - sizeof(late));
	size_t count = got > 0 ? (size_t)got / sizeof(late) : 0, kept = 0;
	int remapped = 0;

	for (size_t i = 0; i < count; i++) {
		if (messages[i].event == BM_UFFD_EVENT_UNMAP && script.unmapped &&
		    messages[i].arg.remove.start == script.unmapped &&
		    messages[i].arg.remove.end == script.unmapped_end) {
			late = messages[i];
			script.unmapped = 0;
			continue;
		}
		remapped |= messages[i].event == BM_UFFD_EVENT_REMAP;
		messages[kept++] = messages[i];
	}
	if (remapped && late.event) {
		messages[kept++] = late;
		late.event = 0;
	}
	return got > 0 ? (ssize_t)(kept * sizeof(late)) : got;
}

static int s_futex_wait(const bm_futex *word, uint32_t value, int64_t timeout_us)
{
	if (told_here) {
		told_here = 0;
		stop_here(AT_EVENT);
	}
	return bm_sys_linux.futex_wait(word, value, timeout_us);
}

static void s_close(struct bm_channel *channel)
{
	atomic_fetch_add(&script.closed, 1);
	faulty_backend.chan_close(channel);
}

static int s_submit(struct bm_channel *channel, const struct bm_copy *copies, size_t count)
{
	if (!script.staging) {
		script.staging = (uintptr_t)copies[0].to & ~(HUGE - 1);
		script.grave = (uintptr_t)copies[0].from & ~(HUGE - 1);
	}
	stop_here(AT_COPY);
	return faulty_backend.submit(channel, copies, count);
}

/* ---------------------------------------------------------------- the memory */

static uint64_t word_of(const uint64_t *place, uint64_t seed)
{
	return (uint64_t)(uintptr_t)place * UINT64_C(0x9e3779b97f4a7c15) + seed;
}

void fill(char *start, size_t length, uint64_t seed)
{
	uint64_t *words = (uint64_t *)(void *)start;

	for (size_t i = 0; i < length / 8; i++)
		words[i] = word_of(&words[i], seed);
}

size_t wrong_words(const char *now, const char *then, size_t length, uint64_t seed)
{
	const uint64_t *words = (const uint64_t *)(const void *)now;
	const uint64_t *were = (const uint64_t *)(const void *)then;
	size_t wrong = 0;

	for (size_t i = 0; i < length / 8; i++)
		wrong += words[i] != word_of(&were[i], seed);
	return wrong;
}

void check(const char *now, const char *then, size_t length, uint64_t seed)
{
	size_t wrong = wrong_words(now, then, length, seed);

	ck_assert_msg(wrong == 0, "%zu of %zu words are wrong", wrong, length / 8);
}

void check_zeros(const char *start, size_t length)
{
	size_t wrong = 0;

	for (size_t i = 0; i < length; i++)
		wrong += start[i] != 0;
	ck_assert_msg(wrong == 0, "%zu of %zu bytes are not zero", wrong, length);
}

void map_at(char *place, size_t length)
{
	char *start = mmap(place, length, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);

	ck_assert_ptr_eq(start, place);
	madvise(start, length, MADV_NOHUGEPAGE);
}

int is_registered(const char *start, size_t length)
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

int find_userfaultfd(int not_this)
{
	for (int fd = 3; fd < 256; fd++) {
		char path[64], target[64] = "";

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (fd != not_this && readlink(path, target, sizeof(target) - 1) > 0 &&
		    strstr(target, "userfaultfd"))
			return fd;
	}
	return -1;
}

/* ---------------------------------------------------------------- batches */

size_t move_part(char *start, unsigned char *told)
{
	static const int nodes[PART];
	unsigned char reasons[PART];
	struct bm_context *context;
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
	context = atomic_load(&script.stage) == HERE ? other_context : scripted_context;
	ck_assert_int_eq(bm_submit(context, &request, &batch), 0);
	bm_batch_wait(batch, BM_FOREVER);
	ck_assert_int_eq(bm_batch_report(batch, &report, sizeof(report)), 0);
	bm_batch_free(batch);
	if (told)
		memcpy(told, reasons, sizeof(reasons));
	return report.bytes_swapped / PAGE;
}

static void *move_first_part(void *arg)
{
	*(size_t *)arg = move_part(area, NULL);
	return NULL;
}

size_t move_meanwhile(enum stop stop, unsigned long request, void (*act)(void))
{
	size_t swapped = 0;
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	if (script.stack)
		ck_assert_int_eq(pthread_attr_setstack(&attr, script.stack, HUGE), 0);
	script.stop = stop;
	script.request = request;
	atomic_store(&script.told, 0);
	atomic_store(&script.stage, COMING);
	ck_assert_int_eq(pthread_create(&thread, &attr, move_first_part, &swapped), 0);
	pthread_attr_destroy(&attr);
	for (int ms = 0; atomic_load(&script.stage) != HERE; ms++) {
		ck_assert_msg(ms < 10000, "the window does not come to this point");
		usleep(1000);
	}
	act();
	atomic_store(&script.stage, GONE_ON);
	pthread_join(thread, NULL);
	return swapped;
}

/* A sanitizer may have it. */
static int place_is_free(void)
{
	char *start =
		mmap(PLACE, 2 * HUGE, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	if (start != MAP_FAILED)
		munmap(start, 2 * HUGE);
	return start == PLACE;
}

int script_begin(const char *quiet)
{
	struct bm_uffd_wish wish = {.sys = &bm_sys_linux, .page_size = PAGE, .huge_size = HUGE};
	struct bm_options options;

	if (sysconf(_SC_PAGESIZE) != (long)PAGE || bm_uffd_probe(&wish) != 0 || !place_is_free())
		return 0;
	scripted_sys = bm_sys_linux;
	scripted_sys.ioctl = s_ioctl;
	scripted_sys.futex_wait = s_futex_wait;
	scripted_sys.read_raw = s_read_raw;
	scripted_backend = faulty_backend;
	scripted_backend.submit = s_submit;
	scripted_backend.chan_close = s_close;
	faulty = (struct faulty){0};
	memset(&script, 0, sizeof(script));
	script.stage = GONE_ON;
	bm_options_init(&options, sizeof(options));
	options.threads = 1;
	options.chunk_kb = 2048; /* a part is a chunk */
	if (quiet)
		options.quiet = quiet;
	ck_assert_int_eq(bm_context_create(&scripted_sys, &options, &scripted_context), 0);
	scripted_context->copies = &scripted_backend;
	ck_assert_int_eq(bm_context_create(&scripted_sys, &options, &other_context), 0);
	other_context->copies = &scripted_backend;
	area = PLACE;
	elsewhere = area + HUGE;
	map_at(area, PARTS * BYTES);
	fill(area, PARTS * BYTES, 1);
	return 1;
}

void script_end(void)
{
	munmap(area, PARTS * BYTES);
	munmap(elsewhere, PARTS * BYTES);
	faulty_keep_held(scripted_context);
	bm_context_free(scripted_context);
	bm_context_free(other_context);
	bm_uffd_quiesce(&scripted_sys);
}

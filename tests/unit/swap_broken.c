/* SPDX-License-Identifier: MIT */
/*
 * swap_broken.c - memory that breaks while the mover swap has it. No byte may
 * be wrong in silence: the process ends by SIGBUS, or the page is broken at its
 * own address, and all others are as they were.
 */
#include <errno.h>
#include <numa.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "context.h"
#include "faulty.h"
#include "uffd_abi.h"
#include "unit.h"

#define PAGE  4096ul
#define HUGE  (2ul << 20)
#define BYTES (2 * HUGE)
#define COUNT (BYTES / PAGE)
/* Copies of the base pages, which come first; the next one is of the huge page. */
#define CHUNK_KB 16
#define COPIES   (HUGE / (CHUNK_KB * 1024))

#ifndef MADV_HWPOISON
#define MADV_HWPOISON 100
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

/* How a child of the test ends. */
enum ending { RIGHT, SOME_BROKEN, WRONG = 50 };

/* ---------------------------------------------------------------- breaking */

static struct bm_sys watching_sys;
static int uffd;
static uint64_t start_of_area;
static int refuses; /* moves into the area, as from memory that is locked otherwise */

static int w_ioctl(int fd, unsigned long request, void *arg)
{
	const struct bm_uffd_transfer *move = arg;

	if (refuses && request == BM_UFFDIO_MOVE && move->to - start_of_area < BYTES)
		return -EINVAL;
	if (request == BM_UFFDIO_REGISTER)
		uffd = fd;
	return bm_sys_linux.ioctl(fd, request, arg);
}

/*
 * What the kernel leaves where a page was that is broken, without one that is:
 * it can be had on every machine, as often as one likes.
 */
static void break_by_marker(uint64_t addr)
{
	struct bm_uffd_fill poison = {{addr & ~(PAGE - 1), PAGE}, 0, 0};

	if (bm_sys_linux.madvise(addr & ~(PAGE - 1), PAGE, MADV_DONTNEED) != 0 ||
	    bm_sys_linux.ioctl(uffd, BM_UFFDIO_POISON, &poison) != 0)
		_exit(WRONG + 1);
}

static void break_and_refuse(uint64_t addr)
{
	break_by_marker(addr);
	refuses = 1;
}

static void go_on(int signal)
{
	(void)signal;
}

/* The thread that does it gets a SIGBUS of its own. */
static int break_for_good(uint64_t addr)
{
	struct sigaction none = {.sa_handler = go_on}, before;
	int rc;

	sigaction(SIGBUS, &none, &before);
	rc = bm_sys_linux.madvise(addr & ~(PAGE - 1), PAGE, MADV_HWPOISON);
	sigaction(SIGBUS, &before, NULL);
	return rc;
}

static void break_memory(uint64_t addr)
{
	if (break_for_good(addr) != 0)
		_exit(WRONG + 2);
}

/* Memory that is broken is lost until the machine is started again: on a hole nothing is. */
static int memory_can_break(void)
{
	/* Of what is not mapped it says something else where it can be had at all. */
	int rc = bm_sys_linux.madvise(PAGE, PAGE, MADV_HWPOISON);

	return rc != -EINVAL && rc != -EPERM;
}

/* ---------------------------------------------------------------- the memory */

static struct {
	char *start;
	void *pages[COUNT];
	int nodes[COUNT], status[COUNT];
	unsigned char reasons[COUNT];
} area;

static uint64_t word_of(size_t at)
{
	return at * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

/* Base pages, and a huge page; pages close to what belongs to a thread are not swapped. */
static void area_new(void)
{
	char *start = mmap(NULL, BYTES + 2 * HUGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (start == MAP_FAILED)
		_exit(WRONG + 3);
	start = (char *)(((uintptr_t)start + 16 * PAGE + HUGE - 1) & ~(HUGE - 1));
	madvise(start, HUGE, MADV_NOHUGEPAGE);
	madvise(start + HUGE, HUGE, MADV_HUGEPAGE);
	area.start = start;
	start_of_area = (uint64_t)(uintptr_t)start;
	for (size_t i = 0; i < BYTES / 8; i++)
		((uint64_t *)(void *)start)[i] = word_of(i);
	for (size_t i = 0; i < COUNT; i++)
		area.pages[i] = start + i * PAGE;
}

static size_t words_wrong(size_t page)
{
	const uint64_t *words = (const uint64_t *)area.pages[page];
	size_t wrong = 0;

	for (size_t i = 0; i < PAGE / 8; i++)
		wrong += words[i] != word_of(page * PAGE / 8 + i);
	return wrong;
}

static int is_broken(void *page)
{
	return bm_sys_linux.madvise((uint64_t)(uintptr_t)page, PAGE, MADV_POPULATE_READ) ==
	       -EHWPOISON;
}

static enum ending ending_of(void)
{
	enum ending ending = RIGHT;

	for (size_t i = 0; i < COUNT; i++) {
		int broken = is_broken(area.pages[i]);

		if (broken)
			ending = SOME_BROKEN;
		else if (words_wrong(i))
			_exit(WRONG + 4);
		if (area.status[i] != (broken ? -EHWPOISON : 0))
			_exit(WRONG + 5);
		if (broken && area.reasons[i] != BM_REASON_POISONED)
			_exit(WRONG + 6);
	}
	return ending;
}

/* ---------------------------------------------------------------- the child */

static void migrate(void)
{
	struct bm_options options;
	struct bm_request request;
	struct bm_context *context;
	struct bm_batch *batch;

	bm_options_init(&options, sizeof(options));
	options.threads = 1;
	options.chunk_kb = CHUNK_KB;
	if (bm_context_create(&watching_sys, &options, &context) != 0)
		_exit(WRONG + 7);
	context->copies = &faulty_backend;
	bm_request_init(&request, sizeof(request));
	request.flags = BM_QUIET | BM_REPLACE;
	request.mover = "swap";
	request.count = COUNT;
	request.pages = area.pages;
	request.nodes = area.nodes;
	request.status = area.status;
	request.reasons = area.reasons;
	if (bm_submit(context, &request, &batch) != 0)
		_exit(WRONG + 8);
	bm_batch_wait(batch, BM_FOREVER);
	bm_batch_free(batch);
	bm_context_free(context);
	bm_uffd_quiesce(&watching_sys);
}

/* Its exit status, 128 and more: the signal that ended it. */
static int child(enum faulty_kind kind, size_t at, void (*break_page)(uint64_t addr))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		signal(SIGBUS, SIG_DFL);
		alarm(60);
		watching_sys = bm_sys_linux;
		watching_sys.ioctl = w_ioctl;
		area_new();
		faulty = (struct faulty){.kind = kind, .at = at, .break_page = break_page};
		migrate();
		_exit(faulty.hit ? (int)ending_of() : WRONG);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int usable(void)
{
	struct bm_uffd_wish wish = {.sys = &bm_sys_linux, .page_size = PAGE, .huge_size = HUGE};

	return sysconf(_SC_PAGESIZE) == (long)PAGE && bm_uffd_probe(&wish) == 0;
}

/* ---------------------------------------------------------------- the tests */

/*
 * For each kind what has to become of it, in the base pages and in the huge one.
 * Where there is one node nobody asks where the old pages are: that one of them
 * has broken is found out by who copies to it, and nobody can go on then.
 */
static void break_each(void (*break_page)(uint64_t addr))
{
	static const struct {
		enum faulty_kind kind;
		int ending;
	} kinds[] = {
		/* The library takes over, reads, and must not go on. */
		{FAULTY_BREAKS, 128 + SIGBUS},
		{FAULTY_BREAKS_SILENT, SOME_BROKEN},
		{FAULTY_BREAKS_AFTER, RIGHT},
		{FAULTY_BREAKS_TARGET, RIGHT},
	};
	static const size_t places[] = {2, COPIES + 1};

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		for (size_t i = 0; i < 2; i++) {
			int ending = child(kinds[k].kind, places[i], break_page);

			if (kinds[k].kind == FAULTY_BREAKS_AFTER && ending == 128 + SIGBUS &&
			    numa_max_node() == 0)
				continue;
			ck_assert_msg(ending == kinds[k].ending, "kind %d at %zu: %d, not %d",
				      (int)kinds[k].kind, places[i], ending, kinds[k].ending);
		}
	}
}

START_TEST(nothing_breaks)
{
	if (!usable())
		skip_test("no userfaultfd with UFFDIO_MOVE for this process");
	ck_assert_int_eq(child(FAULTY_LATE, 1, NULL), RIGHT);
	ck_assert_int_eq(child(FAULTY_LATE, COPIES + 1, NULL), RIGHT);
}
END_TEST

START_TEST(marked_as_broken)
{
	if (!usable())
		skip_test("no userfaultfd with UFFDIO_MOVE for this process");
	break_each(break_by_marker);
}
END_TEST

/* The old page is good still, though it has to be copied. */
START_TEST(marked_and_no_moves)
{
	if (!usable())
		skip_test("no userfaultfd with UFFDIO_MOVE for this process");
	ck_assert_int_eq(child(FAULTY_BREAKS_TARGET, 2, break_and_refuse), RIGHT);
	ck_assert_int_eq(child(FAULTY_BREAKS_TARGET, COPIES + 1, break_and_refuse), RIGHT);
}
END_TEST

START_TEST(memory_breaks)
{
	if (!usable())
		skip_test("no userfaultfd with UFFDIO_MOVE for this process");
	if (!memory_can_break())
		skip_test("MADV_HWPOISON needs CONFIG_MEMORY_FAILURE and CAP_SYS_ADMIN");
	break_each(break_memory);
}
END_TEST

static const TTest *const *const tests[] = {&nothing_breaks, &marked_as_broken,
					    &marked_and_no_moves, &memory_breaks, NULL};
const struct report_group swap_broken_group = {"swap_broken", tests};

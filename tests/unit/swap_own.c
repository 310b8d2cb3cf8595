/* SPDX-License-Identifier: MIT */
/* swap_own.c - what is the library's or a thread's: never moved, not for children, given back. */
#include "script.h"

#include <fcntl.h>
#include <linux/mempolicy.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "bits.h"

#define STACK HUGE

/* Moves pages around this one; the reason of its own. */
static int reason_of(uint64_t address)
{
	unsigned char reasons[PART];
	uint64_t start = (address & ~(PAGE - 1)) - PART / 2 * PAGE;

	move_part((char *)start, reasons);
	return reasons[PART / 2];
}

static void move_its_stack(void)
{
	ck_assert_int_eq(reason_of(script.frame), BM_REASON_OWN_MEMORY);
}

/* It could be inside the gate, or have the page that this one waits for. */
START_TEST(stack_of_a_window)
{
	NEED_SWAP();
	script.stack = elsewhere;
	map_at(elsewhere, STACK);
	ck_assert_uint_eq(move_meanwhile(AT_COPY, 0, move_its_stack), PART);
	check(area, area, PARTS * BYTES, 1);
	script_end();
	munmap(elsewhere, STACK);
}
END_TEST

static void do_nothing(void)
{
}

/* A handler could touch what is away; but a page that breaks must end the process. */
START_TEST(signals_in_a_window)
{
	uint64_t all = ~(UINT64_C(1) << (SIGBUS - 1) | UINT64_C(1) << (SIGKILL - 1) |
			 UINT64_C(1) << (SIGSTOP - 1));

	NEED_SWAP();
	ck_assert_uint_eq(move_meanwhile(AT_COPY, 0, do_nothing), PART);
	ck_assert_uint_eq(script.blocked, all);
	script_end();
}
END_TEST

static struct {
	pthread_t thread;
	atomic_int runs, stop;
} sleeper;

/* Far down its stack there is something, too. */
static void *sleep_on(void *arg)
{
	volatile char low[STACK / 2];

	low[0] = 1;
	atomic_store(&sleeper.runs, 1);
	while (!atomic_load(&sleeper.stop))
		usleep(1000);
	return low[0] ? arg : NULL;
}

static void sleeper_start(void)
{
	pthread_attr_t attr;

	map_at(elsewhere, STACK);
	memset(elsewhere, 1, STACK);
	atomic_store(&sleeper.runs, 0);
	atomic_store(&sleeper.stop, 0);
	pthread_attr_init(&attr);
	ck_assert_int_eq(pthread_attr_setstack(&attr, elsewhere, STACK), 0);
	ck_assert_int_eq(pthread_create(&sleeper.thread, &attr, sleep_on, NULL), 0);
	pthread_attr_destroy(&attr);
	while (!atomic_load(&sleeper.runs))
		usleep(100);
}

static void sleeper_end(void)
{
	atomic_store(&sleeper.stop, 1);
	pthread_join(sleeper.thread, NULL);
	munmap(elsewhere, STACK);
}

/* The kernel writes to it on the thread's way back to user mode. */
START_TEST(block_of_a_thread)
{
	uint64_t low;

	NEED_SWAP();
	sleeper_start();
	low = (uintptr_t)elsewhere + STACK / 2;
	/* By its last page: the pages behind it need not be anybody's. */
	ck_assert_int_eq(reason_of((uint64_t)sleeper.thread), BM_REASON_OWN_MEMORY);
	ck_assert_int_eq(reason_of(low), BM_REASON_NONE);
	sleeper_end();
	script_end();
}
END_TEST

/* System calls may be given what lies on a stack. */
START_TEST(stack_of_a_thread_with_the_strict_promise)
{
	if (!script_begin("strict"))
		skip_test("no userfaultfd with UFFDIO_MOVE for this process");
	sleeper_start();
	ck_assert_int_eq(reason_of((uintptr_t)elsewhere + STACK / 2), BM_REASON_OWN_MEMORY);
	sleeper_end();
	script_end();
}
END_TEST

/* Where the thread of that name has its stack; 0: not to be found. */
static uint64_t stack_of(const char *wanted)
{
	char names[4096], path[512], text[256];
	ssize_t length = bm_sys_linux.list("/proc/self/task", names, sizeof(names));
	unsigned long long sp = 0;

	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1) {
		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", names + at);
		if (bm_sys_text(&bm_sys_linux, path, text, sizeof(text)) <= 0 ||
		    strcmp(text, wanted) != 0)
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/syscall", names + at);
		if (bm_sys_text(&bm_sys_linux, path, text, sizeof(text)) <= 0 ||
		    sscanf(text, "%*s %*s %*s %*s %*s %*s %*s %llx", &sp) != 1)
			sp = 0;
	}
	return sp;
}

START_TEST(stack_of_the_reader)
{
	uint64_t stack = 0;

	NEED_SWAP();
	ck_assert_uint_eq(move_part(area, NULL), PART);
	/* It can be read only while the thread sleeps. */
	for (int i = 0; i < 100 && !stack; i++) {
		stack = stack_of("batchmig-events");
		usleep(1000);
	}
	if (stack)
		ck_assert_int_eq(reason_of(stack), BM_REASON_OWN_MEMORY);
	script_end();
	if (!stack)
		skip_test("this kernel does not tell where stacks are");
}
END_TEST

static int is_mapped(uint64_t address)
{
	return msync((void *)(uintptr_t)address, PAGE, MS_ASYNC) == 0;
}

/* Shared by a child the pool could not be moved from; and a child has no use for any of it. */
START_TEST(not_for_children)
{
	uint64_t own[3];
	int status;
	pid_t pid;

	NEED_SWAP();
	ck_assert_uint_eq(move_part(area, NULL), PART);
	own[0] = scripted_context->swap->pool.mappings->slabs[0].start;
	own[1] = (uintptr_t)scripted_context->swap->pool.uffd;
	own[2] = scripted_context->swap->pool.uffd->doorbell;
	pid = fork();
	if (pid == 0) {
		int wrong = find_userfaultfd(-1) >= 0;

		for (int i = 0; i < 3; i++)
			wrong |= is_mapped(own[i]) << (i + 1);
		_exit(wrong);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	for (int i = 0; i < 3; i++)
		ck_assert(is_mapped(own[i]));
	script_end();
}
END_TEST

/* ---------------------------------------------------------------- how much is kept */

static void use_context(int64_t pool_mb, int64_t idle_ms)
{
	struct bm_options options;

	bm_context_free(scripted_context);
	bm_options_init(&options, sizeof(options));
	options.threads = 1;
	options.chunk_kb = 2048; /* a part is a chunk */
	options.pool_mb = pool_mb;
	options.pool_idle_ms = idle_ms;
	ck_assert_int_eq(bm_context_create(&scripted_sys, &options, &scripted_context), 0);
}

static uint64_t kept(void)
{
	return bm_pool_ready(&scripted_context->swap->pool, 0, 0);
}

START_TEST(nothing_is_kept)
{
	NEED_SWAP();
	use_context(0, 10000);
	ck_assert_uint_eq(move_part(area, NULL), PART);
	ck_assert_uint_eq(kept(), 0);
	script_end();
}
END_TEST

START_TEST(idle_pages_are_given_back)
{
	NEED_SWAP();
	use_context(64, 200);
	ck_assert_uint_eq(move_part(area, NULL), PART);
	ck_assert_uint_eq(kept(), BYTES);
	for (int ms = 0; ms < 5000 && kept() > 0; ms += 10)
		usleep(10000);
	ck_assert_uint_eq(kept(), 0);
	script_end();
}
END_TEST

/* What a control group may have: read first when the context opens its pool. */
static int limit_reads, limit_small;

static int text_file(const char *text)
{
	int fd = memfd_create("limits", MFD_CLOEXEC);

	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static int limited_open(const char *path, int flags)
{
	if (strcmp(path, "/proc/self/cgroup") == 0)
		return text_file("0::/here\n");
	if (strcmp(path, "/sys/fs/cgroup/here/memory.current") == 0)
		return text_file("0\n");
	if (strcmp(path, "/sys/fs/cgroup/here/memory.max") == 0)
		return text_file(limit_reads++ && limit_small ? "4300000\n" : "67108864\n");
	return strncmp(path, "/sys/fs/cgroup", 14) == 0 ? -ENOENT : bm_sys_linux.open(path, flags);
}

START_TEST(control_group_is_nearly_full)
{
	unsigned char reasons[PART];

	NEED_SWAP();
	limit_reads = 0;
	limit_small = 1;
	scripted_sys.open = limited_open;
	ck_assert_uint_eq(move_part(area, reasons), 0);
	ck_assert_int_eq(reasons[0], BM_REASON_NO_POOL);
	limit_small = 0;
	usleep(100000);
	ck_assert_uint_eq(move_part(area, NULL), PART);
	check(area, area, PARTS * BYTES, 1);
	script_end();
}
END_TEST

/* ---------------------------------------------------------------- nodes */

static struct {
	int modes[8], count;
	int huge, base, not_for_children;
} asked;

static long n_mbind(uint64_t addr, size_t length, int mode, const unsigned long *mask,
		    unsigned long maxnode, unsigned int flags)
{
	(void)addr, (void)length, (void)maxnode, (void)flags;
	ck_assert_int_lt(asked.count, 8);
	ck_assert(mode != MPOL_PREFERRED || mask[0] == 2);
	asked.modes[asked.count++] = mode;
	return 0;
}

/* The first six of ten pages are on node 1. */
static long n_move_pages(pid_t pid, size_t count, void *const *pages, const int *nodes, int *status,
			 int flags)
{
	(void)pid, (void)pages, (void)nodes, (void)flags;
	for (size_t i = 0; i < count; i++)
		status[i] = i < 6;
	return 0;
}

static int n_ioctl(int fd, unsigned long request, void *arg)
{
	(void)fd, (void)request, (void)arg;
	return 0;
}

static int n_madvise(uint64_t addr, size_t length, int advice)
{
	asked.huge += advice == MADV_HUGEPAGE;
	asked.base += advice == MADV_NOHUGEPAGE;
	asked.not_for_children += advice == MADV_DONTFORK;
	return bm_sys_linux.madvise(addr, length, advice);
}

/* A strict policy would have other processes killed; so pages may come from elsewhere. */
START_TEST(pages_of_another_node)
{
	static struct bm_uffd uffd;
	struct bm_sys sys = bm_sys_linux;
	struct bm_slab_env env = {
		.sys = &sys, .page_size = PAGE, .huge_size = HUGE, .many_nodes = 1};
	struct bm_mapping *mapping;
	struct bm_slab *slab;

	if (sysconf(_SC_PAGESIZE) != (long)PAGE)
		skip_test("written for pages of 4 KiB");
	sys.mbind = n_mbind;
	sys.move_pages = n_move_pages;
	sys.ioctl = n_ioctl;
	sys.madvise = n_madvise;
	memset(&asked, 0, sizeof(asked));
	uffd = (struct bm_uffd){.sys = &sys, .page_size = PAGE, .huge_size = HUGE};
	pthread_mutex_init(&uffd.lock, NULL);
	ck_assert_int_eq(bm_mapping_map(&env, &uffd, (struct bm_lane){0}, &mapping), 0);
	ck_assert_int_eq(asked.base, 1);
	ck_assert_int_eq(asked.huge, 0);
	ck_assert_int_eq(asked.not_for_children, 1);
	slab = &mapping->slabs[0];
	ck_assert_int_eq(bm_slab_populate(&env, slab, 1, 10), -ENOMEM);
	ck_assert_uint_eq(slab->count, 6);
	for (uint32_t i = 0; i < 10; i++)
		ck_assert_int_eq(bm_bit(slab->resident, i) != 0, i < 6);
	ck_assert_int_eq(asked.count, 3);
	ck_assert_int_eq(asked.modes[0], MPOL_LOCAL);
	ck_assert_int_eq(asked.modes[1], MPOL_PREFERRED);
	ck_assert_int_eq(asked.modes[2], MPOL_LOCAL);
	bm_mapping_unmap(&env, &uffd, mapping);
}
END_TEST

static const TTest *const *const tests[] = {&stack_of_a_window,
					    &signals_in_a_window,
					    &block_of_a_thread,
					    &stack_of_a_thread_with_the_strict_promise,
					    &stack_of_the_reader,
					    &not_for_children,
					    &nothing_is_kept,
					    &idle_pages_are_given_back,
					    &control_group_is_nearly_full,
					    &pages_of_another_node,
					    NULL};
const struct report_group swap_own_group = {"swap_own", tests};

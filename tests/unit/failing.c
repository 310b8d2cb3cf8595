/* SPDX-License-Identifier: MIT */
/* failing.c - wraps the calls of the real system that the library can do without. */
#include "failing.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

struct bm_sys failing_sys;

static struct {
	_Atomic enum failing_call call;
	atomic_int on, ever; /* ever: all that follow, too */
	atomic_ulong seen, at;
	atomic_int error, hit;
	atomic_uint_fast64_t ahead_ns;
	atomic_long mapped;
} fault;

static int fails(enum failing_call call)
{
	unsigned long number;

	if (call != atomic_load(&fault.call) || !atomic_load(&fault.on))
		return 0;
	number = atomic_fetch_add(&fault.seen, 1) + 1;
	if (number < fault.at || (number > fault.at && !fault.ever))
		return 0;
	atomic_store(&fault.hit, 1);
	return 1;
}

static void *f_alloc(size_t count, size_t size)
{
	return fails(FAILING_ALLOC) ? NULL : bm_sys_linux.alloc(count, size);
}

static void *f_memory(size_t size)
{
	return fails(FAILING_ALLOC) ? NULL : bm_sys_linux.memory(size);
}

static int f_map(size_t length, int shared, uint64_t *addr)
{
	int rc = fails(FAILING_MAP) ? fault.error : bm_sys_linux.map(length, shared, addr);

	if (rc == 0)
		atomic_fetch_add(&fault.mapped, (long)length);
	return rc;
}

static int f_unmap(uint64_t addr, size_t length)
{
	atomic_fetch_sub(&fault.mapped, (long)length);
	return bm_sys_linux.unmap(addr, length);
}

static int f_madvise(uint64_t addr, size_t length, int advice)
{
	return fails(FAILING_MADVISE) ? fault.error : bm_sys_linux.madvise(addr, length, advice);
}

static int f_mlock(uint64_t addr, size_t length, int lock)
{
	return fails(FAILING_MLOCK) ? fault.error : bm_sys_linux.mlock(addr, length, lock);
}

static int f_thread(pthread_t *thread, void *(*run)(void *), void *arg)
{
	return fails(FAILING_THREAD) ? fault.error : bm_sys_linux.thread_start(thread, run, arg);
}

static int f_open(const char *path, int flags)
{
	return fails(FAILING_OPEN) ? fault.error : bm_sys_linux.open(path, flags);
}

static ssize_t f_read(int fd, void *buffer, size_t size)
{
	return fails(FAILING_READ) ? fault.error : bm_sys_linux.read(fd, buffer, size);
}

static ssize_t f_pread(int fd, void *buffer, size_t size, off_t offset)
{
	return fails(FAILING_PREAD) ? fault.error : bm_sys_linux.pread(fd, buffer, size, offset);
}

static ssize_t f_write(int fd, const void *buffer, size_t size)
{
	return fails(FAILING_WRITE) ? fault.error : bm_sys_linux.write(fd, buffer, size);
}

static int f_close(int fd)
{
	int rc = bm_sys_linux.close(fd);

	return fails(FAILING_CLOSE) ? fault.error : rc;
}

static int f_rename(const char *from, const char *to)
{
	return fails(FAILING_RENAME) ? fault.error : bm_sys_linux.rename(from, to);
}

static long f_uffd(int flags)
{
	return fails(FAILING_UFFD) ? fault.error : bm_sys_linux.userfaultfd(flags);
}

static int f_ioctl(int fd, unsigned long request, void *arg)
{
	return fails(FAILING_IOCTL) ? fault.error : bm_sys_linux.ioctl(fd, request, arg);
}

static volatile unsigned char *f_marker(void)
{
	return fails(FAILING_MARKER) ? NULL : bm_sys_linux.fork_marker();
}

static int f_keep(const int *fds, int count)
{
	return fails(FAILING_KEEP) ? fault.error : bm_sys_linux.keep_only(fds, count);
}

static long f_move(pid_t pid, size_t count, void *const *pages, const int *nodes, int *status,
		   int flags)
{
	if (fails(nodes ? FAILING_MOVE : FAILING_QUERY))
		return fault.error;
	return bm_sys_linux.move_pages(pid, count, pages, nodes, status, flags);
}

static int f_event(int fd)
{
	return fails(FAILING_EVENT) ? fault.error : bm_sys_linux.event_dup(fd);
}

static int f_futex(const bm_futex *word, uint32_t value, int64_t timeout_us)
{
	return fails(FAILING_FUTEX) ? fault.error
				    : bm_sys_linux.futex_wait(word, value, timeout_us);
}

static int f_affinity(struct bm_ids *cpus)
{
	return fails(FAILING_AFFINITY) ? fault.error : bm_sys_linux.affinity(cpus);
}

static uint64_t f_now(void)
{
	if (fails(FAILING_CLOCK))
		atomic_fetch_add(&fault.ahead_ns, (uint64_t)fault.error * 1000000);
	return bm_sys_linux.now_ns() + atomic_load(&fault.ahead_ns);
}

static void make(void)
{
	failing_sys = bm_sys_linux;
	failing_sys.alloc = f_alloc;
	failing_sys.memory = f_memory;
	failing_sys.map = f_map;
	failing_sys.unmap = f_unmap;
	failing_sys.madvise = f_madvise;
	failing_sys.mlock = f_mlock;
	failing_sys.thread_start = f_thread;
	failing_sys.open = f_open;
	failing_sys.read = f_read;
	failing_sys.pread = f_pread;
	failing_sys.write = f_write;
	failing_sys.close = f_close;
	failing_sys.rename = f_rename;
	failing_sys.userfaultfd = f_uffd;
	failing_sys.ioctl = f_ioctl;
	failing_sys.fork_marker = f_marker;
	failing_sys.keep_only = f_keep;
	failing_sys.move_pages = f_move;
	failing_sys.event_dup = f_event;
	failing_sys.futex_wait = f_futex;
	failing_sys.affinity = f_affinity;
	failing_sys.now_ns = f_now;
}

/* Of what is armed, for the handler. */
static char armed[160];

static void tell_and_end(int signal)
{
	(void)signal;
	if (write(STDOUT_FILENO, armed, strlen(armed)) > 0)
		_exit(1);
	_exit(2);
}

/* Nothing that is tried here takes a second. */
static void watch(void)
{
	struct sigaction action = {.sa_handler = tell_and_end};

	snprintf(armed, sizeof(armed), "not ok: %s: somebody waits for ever\n", failing_text());
	sigaction(SIGALRM, &action, NULL);
	alarm(60);
}

void failing_arm(enum failing_call call, unsigned long at, int error)
{
	if (!failing_sys.alloc)
		make();
	atomic_store(&fault.on, 0);
	atomic_store(&fault.seen, 0);
	atomic_store(&fault.hit, 0);
	atomic_store(&fault.ever, 0);
	atomic_store(&fault.at, at);
	atomic_store(&fault.error, error);
	atomic_store(&fault.call, call);
	watch();
	atomic_store(&fault.on, 1);
}

void failing_arm_ever(enum failing_call call, unsigned long at, int error)
{
	failing_arm(call, at, error);
	atomic_store(&fault.ever, 1);
}

int failing_disarm(void)
{
	atomic_store(&fault.on, 0);
	return atomic_load(&fault.hit);
}

const char *failing_text(void)
{
	static char text[96];

	snprintf(text, sizeof(text), "call %d number %lu gives %d", (int)fault.call,
		 atomic_load(&fault.at), atomic_load(&fault.error));
	return text;
}

/* ---------------------------------------------------------------- what is held */

static long entries_of(const char *path)
{
	DIR *dir = opendir(path);
	long count = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void *nothing(void *arg)
{
	return arg;
}

/* With the first thread ThreadSanitizer starts one of its own, which stays. */
static void start_first_thread(void)
{
	static int started;
	pthread_t thread;

	if (started++)
		return;
	ck_assert_int_eq(pthread_create(&thread, NULL, nothing, NULL), 0);
	pthread_join(thread, NULL);
}

struct failing_held failing_held(void)
{
	start_first_thread();
	return (struct failing_held){entries_of("/proc/self/fd"), entries_of("/proc/self/task"),
				     atomic_load(&fault.mapped)};
}

void failing_check(const struct failing_held *before)
{
	struct failing_held now = failing_held();

	alarm(0);
	for (int tries = 0; now.threads > before->threads && tries < 2000; tries++) {
		usleep(1000);
		now = failing_held();
	}
	/* One that had nothing to do before may have ended. */
	ck_assert_msg(now.threads <= before->threads, "%s: %ld threads are left", failing_text(),
		      now.threads - before->threads);
	ck_assert_msg(now.fds == before->fds, "%s: %ld descriptors are left", failing_text(),
		      now.fds - before->fds);
	ck_assert_msg(now.mapped == before->mapped, "%s: %ld bytes are mapped still",
		      failing_text(), now.mapped - before->mapped);
}

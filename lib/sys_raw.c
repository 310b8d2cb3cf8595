/* SPDX-License-Identifier: MIT */
/* sys_raw.c - system calls that touch nothing but their arguments. */
#include "sys_raw.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "raw.h"

#define CLOSE_RANGE_UNSHARE_FLAG 2 /* linux/close_range.h */

int bm_raw_ioctl(int fd, unsigned long request, void *arg)
{
	return (int)bm_raw(SYS_ioctl, fd, (long)request, (long)arg);
}

int bm_raw_madvise(uint64_t addr, size_t length, int advice)
{
	return (int)bm_raw(SYS_madvise, (long)addr, (long)length, advice);
}

int bm_raw_residency(uint64_t addr, size_t length, unsigned char *pages)
{
	return (int)bm_raw(SYS_mincore, (long)addr, (long)length, (long)pages);
}

int bm_raw_futex_wait(const bm_futex *word, uint32_t value, int64_t timeout_us)
{
	struct timespec limit = {timeout_us / 1000000, timeout_us % 1000000 * 1000};

	return (int)bm_raw(SYS_futex, (long)word, FUTEX_WAIT_PRIVATE, (long)value,
			   (long)(timeout_us < 0 ? NULL : &limit));
}

void bm_raw_futex_wake(const bm_futex *word)
{
	/*
	 * Private: by its address alone. Otherwise the page is looked up, which fails
	 * while it is out of reach of a userfaultfd of user mode only.
	 */
	bm_raw(SYS_futex, (long)word, FUTEX_WAKE_PRIVATE, INT32_MAX);
}

/* All of them, also those that the C library keeps for itself (cancellation). */
void bm_raw_signals_block(uint64_t *before)
{
	/* A broken page that is read must end the process, not hang it. */
	uint64_t all = ~(UINT64_C(1) << (SIGBUS - 1));

	bm_raw(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)before, sizeof(all));
}

void bm_raw_signals_restore(const uint64_t *before)
{
	bm_raw(SYS_rt_sigprocmask, SIG_SETMASK, (long)before, 0, sizeof(*before));
}

ssize_t bm_raw_read(int fd, void *buffer, size_t size)
{
	return bm_raw(SYS_read, fd, (long)buffer, (long)size);
}

ssize_t bm_raw_write(int fd, const void *buffer, size_t size)
{
	return bm_raw(SYS_write, fd, (long)buffer, (long)size);
}

ssize_t bm_raw_pread(int fd, void *buffer, size_t size, off_t offset)
{
	return bm_raw(SYS_pread64, fd, (long)buffer, (long)size, (long)offset);
}

ssize_t bm_raw_pwrite(int fd, const void *buffer, size_t size, off_t offset)
{
	return bm_raw(SYS_pwrite64, fd, (long)buffer, (long)size, (long)offset);
}

int bm_raw_pin_buffers(int pinner, const struct iovec *buffers, size_t count)
{
	return (int)bm_raw(SYS_io_uring_register, pinner, IORING_REGISTER_BUFFERS, (long)buffers,
			   (long)count);
}

/* Waits until they are free: an update of the table would leave that to a worker (Linux 6.1). */
int bm_raw_unpin_buffers(int pinner)
{
	return (int)bm_raw(SYS_io_uring_register, pinner, IORING_UNREGISTER_BUFFERS, 0, 0);
}

long bm_raw_nodes(size_t count, void *const *pages, int *status)
{
	return bm_raw(SYS_move_pages, 0, (long)count, (long)pages, 0, (long)status, 0);
}

int bm_raw_poll(int fd, int64_t timeout_us)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};
	struct timespec limit = {timeout_us / 1000000, timeout_us % 1000000 * 1000};

	return (int)bm_raw(SYS_ppoll, (long)&pollfd, 1, (long)(timeout_us < 0 ? NULL : &limit));
}

int bm_raw_close(int fd)
{
	return (int)bm_raw(SYS_close, fd);
}

static char *append(char *at, const char *text)
{
	while (*text)
		*at++ = *text++;
	return at;
}

static char *append_number(char *at, unsigned int number)
{
	char digits[16];
	unsigned int count = 0;

	do
		digits[count++] = (char)('0' + number % 10);
	while (number /= 10);
	while (count > 0)
		*at++ = digits[--count];
	return at;
}

/* The number that stands at `at`; what comes behind it, NULL where there is none. */
static const char *parse(const char *at, unsigned int base, uint64_t *number)
{
	const char *begin = at;

	for (*number = 0;; at++) {
		unsigned int digit = *at >= '0' && *at <= '9'   ? (unsigned int)(*at - '0')
				     : *at >= 'a' && *at <= 'f' ? (unsigned int)(*at - 'a') + 10
								: base;

		if (digit >= base)
			break;
		*number = *number * base + digit;
	}
	return at > begin ? at : NULL;
}

/* "25 0x7f... 0x1000 0x2000 ...": the number of the call in base ten, arguments in base 16. */
static int parse_call(const char *text, struct bm_remap_call *call)
{
	uint64_t numbers[6];

	for (int i = 0; i < 6; i++) {
		if (i > 0) {
			if (text[0] != ' ' || text[1] != '0' || text[2] != 'x')
				return 0;
			text += 3;
		}
		text = parse(text, i > 0 ? 16 : 10, &numbers[i]);
		if (!text)
			return 0;
	}
	*call = (struct bm_remap_call){numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]};
	return numbers[0] == SYS_mremap;
}

int bm_raw_remap_call(pid_t thread, struct bm_remap_call *call)
{
	char text[256];
	char *end = append_number(append(text, "/proc/self/task/"), (unsigned int)thread);
	long fd, got;

	*append(end, "/syscall") = '\0';
	fd = bm_raw(SYS_openat, AT_FDCWD, (long)text, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	got = bm_raw(SYS_read, fd, (long)text, sizeof(text) - 1);
	bm_raw(SYS_close, fd);
	text[got > 0 ? got : 0] = '\0';
	return parse_call(text, call);
}

/* The lowest of them from `low` on; -1: none. */
static long lowest_from(const int *fds, int count, long low)
{
	long lowest = -1;

	for (int i = 0; i < count; i++) {
		if (fds[i] >= low && (lowest < 0 || fds[i] < lowest))
			lowest = fds[i];
	}
	return lowest;
}

/*
 * Linux 5.9. Closing a copy in a table of our own releases nothing that the
 * application holds: record locks belong to its table, others to the file.
 */
int bm_raw_keep_only(const int *fds, int count)
{
	long low = 0, next, last = -1, rc;

	for (int i = 0; i < count; i++)
		last = fds[i] > last ? fds[i] : last;
	rc = bm_raw(SYS_close_range, last + 1, UINT32_MAX, CLOSE_RANGE_UNSHARE_FLAG);
	while (rc == 0 && (next = lowest_from(fds, count, low)) >= 0) {
		if (low < next)
			rc = bm_raw(SYS_close_range, low, next - 1, 0);
		low = next + 1;
	}
	return (int)rc;
}

/* The kernel writes as many bytes as it has CPUs. */
int bm_raw_affinity(struct bm_ids *cpus)
{
	long rc;

	for (size_t i = 0; i < sizeof(cpus->bits) / sizeof(cpus->bits[0]); i++)
		cpus->bits[i] = 0;
	rc = bm_raw(SYS_sched_getaffinity, 0, sizeof(*cpus), (long)cpus);
	return rc < 0 ? (int)rc : 0;
}

int bm_raw_set_affinity(const struct bm_ids *cpus)
{
	return (int)bm_raw(SYS_sched_setaffinity, 0, sizeof(*cpus), (long)cpus);
}

int bm_raw_cpu(void)
{
	unsigned int cpu = 0;
	long rc = bm_raw(SYS_getcpu, (long)&cpu);

	return rc < 0 ? (int)rc : (int)cpu;
}

void bm_raw_yield(void)
{
	bm_raw(SYS_sched_yield, 0);
}

_Noreturn void bm_raw_abort(const char *message)
{
	static const char name[] = "libbatchmig: ";
	uint64_t none = 0;

	bm_raw(SYS_write, 2, (long)name, sizeof(name) - 1);
	bm_raw(SYS_write, 2, (long)message, (long)strlen(message));
	bm_raw(SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, 0, sizeof(none));
	bm_raw(SYS_tgkill, bm_raw(SYS_getpid, 0), bm_raw(SYS_gettid, 0), SIGABRT);
	for (;;)
		bm_raw(SYS_exit_group, 134);
}

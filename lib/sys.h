/* SPDX-License-Identifier: MIT */
/*
 * sys.h - every system call, sysfs read and environment read of the library.
 *
 * All calls return -errno on failure. Tests put a table of their own into a
 * context; everything above takes the table from there.
 */
#ifndef BM_SYS_H
#define BM_SYS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

typedef _Atomic uint32_t bm_futex;

#define BM_CPUS_MAX 8192 /* CPU ids: no configuration of Linux allows more */

/* A set of CPUs, or of nodes. */
struct bm_ids {
	uint64_t bits[BM_CPUS_MAX / 64];
};

struct bm_remap_call {
	uint64_t from, old_length, new_length; /* bytes, as they were given */
	uint64_t flags, to;
};

struct bm_sys {
	long (*move_pages)(pid_t pid, size_t count, void *const *pages, const int *nodes,
			   int *status, int flags);
	long (*mbind)(uint64_t addr, size_t length, int mode, const unsigned long *mask,
		      unsigned long maxnode, unsigned int flags);
	long (*set_mempolicy)(int mode, const unsigned long *mask, unsigned long maxnode);
	long (*get_mempolicy)(int *mode, unsigned long *mask, unsigned long maxnode, uint64_t addr,
			      unsigned long flags);
	long (*userfaultfd)(int flags);
	int (*msync)(uint64_t addr, size_t length, int flags);
	int (*mincore)(uint64_t addr, size_t length, unsigned char *resident);
	/* Bytes read, up to the first page that cannot be. */
	ssize_t (*vm_readv)(pid_t pid, const struct iovec *local, const struct iovec *remote,
			    size_t count);
	int (*open)(const char *path, int flags); /* made by O_CREAT: for all, less umask(2) */
	int (*close)(int fd);
	int (*ioctl)(int fd, unsigned long request, void *arg); /* also as below */
	ssize_t (*read)(int fd, void *buffer, size_t size);
	ssize_t (*write)(int fd, const void *buffer, size_t size);
	int (*rename)(const char *from, const char *to);
	int (*unlink)(const char *path);
	ssize_t (*pread)(int fd, void *buffer, size_t size, off_t offset);
	/* Names in a directory, separated and ended by NUL: their total length; -ENOBUFS: they do not fit. */
	ssize_t (*list)(const char *path, char *buffer, size_t size);
	/* Where a symbolic link leads, not ended by NUL: its length or -errno. */
	ssize_t (*readlink)(const char *path, char *buffer, size_t size);
	int (*access)(const char *path, int mode);
	const char *(*getenv)(const char *name);
	pid_t (*getpid)(void);
	/* A byte that is 1 here and 0 in every child of a fork; NULL without memory. */
	volatile unsigned char *(*fork_marker)(void);
	void (*fork_marker_free)(volatile unsigned char *marker);
	long (*page_size)(void);
	int (*cpus)(void); /* in the affinity mask of the calling thread */
	/* Of the calling thread; 0 or -errno. */
	int (*affinity)(struct bm_ids *cpus);
	int (*set_affinity)(const struct bm_ids *cpus);
	int (*cpu)(void); /* that it runs on, or -errno */
	uint64_t (*now_ns)(void);
	void (*sleep_us)(uint64_t us);
	void *(*alloc)(size_t count, size_t size); /* zeroed; ended by free() */
	void *(*memory)(size_t size);              /* not zeroed; ended by free() */
	int (*thread_start)(pthread_t *thread, void *(*run)(void *), void *arg);
	/* An address in what the C library keeps of a thread, 0 when it cannot be told. */
	uint64_t (*thread_block)(pid_t thread);
	/* How often the calling thread had to make room for others. */
	uint64_t (*switches)(void);
	/* A duplicate of an eventfd(2), closed by close_raw; -EBADF: it is none; -errno. */
	int (*event_dup)(int fd);
	void (*event_signal)(int fd); /* adds 1, and never blocks */
	/* Private anonymous memory, or shared for `shared`; 0 or -errno. */
	int (*map)(size_t length, int shared, uint64_t *addr);
	int (*unmap)(uint64_t addr, size_t length);
	int (*mlock)(uint64_t addr, size_t length, int lock); /* without populating it */
	/* The portal of a device's queue, to be written to only: 0 or -errno; ended by unmap(). */
	int (*map_portal)(int fd, uint64_t *addr);
	/* Registers of a device, to be read and written: 0 or -errno; ended by unmap(). */
	int (*map_device)(int fd, off_t offset, size_t length, uint64_t *addr);
	/* flock(2), at once: 0, -EWOULDBLOCK where another open file has it, or -errno. */
	int (*lock_file)(int fd);
	/* A descriptor for pin_buffers(), or -errno. */
	int (*pinner)(void);
	/* Keeps memory where it is while this descriptor is open (an io_uring buffer); or -errno. */
	int (*pin)(uint64_t addr, size_t length);
	unsigned int (*cpu_facts)(void);   /* BM_CPU_... below */
	int (*at_exit)(void (*run)(void)); /* not called by _exit(2) */
	int (*at_fork)(void (*prepare)(void), void (*parent)(void), void (*child)(void));

	/*
	 * The rest may be called while pages of the application are out of reach:
	 * no errno, no lock, no memory but the arguments.
	 */
	int (*madvise)(uint64_t addr, size_t length, int advice);
	/* mincore(2): a byte for each page, lowest bit 0: absent or swapped out; 0 or -errno. */
	int (*residency)(uint64_t addr, size_t length, unsigned char *pages);
	int (*futex_wait)(const bm_futex *word, uint32_t value, int64_t timeout_us); /* -1: ever */
	void (*futex_wake)(const bm_futex *word);
	void (*signals_block)(uint64_t *before);
	void (*signals_restore)(const uint64_t *before);
	ssize_t (*read_raw)(int fd, void *buffer, size_t size);
	ssize_t (*write_raw)(int fd, const void *buffer, size_t size);
	ssize_t (*pread_raw)(int fd, void *buffer, size_t size, off_t offset);
	ssize_t (*pwrite_raw)(int fd, const void *buffer, size_t size, off_t offset);
	/*
	 * Keeps memory where it is, as pin(), until unpin_buffers(): once for each pinner
	 * until then. Pages may be moved out of movable zones before that. 0 or -errno.
	 */
	int (*pin_buffers)(int pinner, const struct iovec *buffers, size_t count);
	int (*unpin_buffers)(int pinner); /* it is over when this returns 0 */
	/* Where pages of this process are: move_pages(2) without targets. */
	long (*nodes_raw)(size_t count, void *const *pages, int *status);
	/* 64 bytes to a portal; to a shared queue: 0, or -EAGAIN when it is full. */
	void (*movdir64b)(uint64_t portal, const void *descriptor);
	int (*enqcmd)(uint64_t portal, const void *descriptor);
	/* Until somebody writes to the line, which is 0, or so many cycles have passed; see cpu_facts. */
	void (*umwait)(const volatile void *line, uint64_t cycles);
	int (*poll)(int fd, int64_t timeout_us); /* until it can be read; -1: ever */
	int (*close_raw)(int fd);
	/* 1: that thread is in mremap(2), with these arguments; 0: not, or it cannot be told. */
	int (*remap_call)(pid_t thread, struct bm_remap_call *call);
	/* The calling thread gets a table of descriptors of its own with these in it. */
	int (*keep_only)(const int *fds, int count);
	void (*yield)(void);
	void (*abort)(const char *message);
};

extern const struct bm_sys bm_sys_linux;

/* What cpu_facts() tells: instructions that this CPU has and the process may use. */
#define BM_CPU_MOVDIR64B (1u << 0)
#define BM_CPU_ENQCMD    (1u << 1)
#define BM_CPU_WAITPKG   (1u << 2) /* UMWAIT, TPAUSE */

/* MADV_DONTNEED_LOCKED, Linux 5.18: mlockall(2) locks the library's memory, too. */
#define BM_MADV_RELEASE 24

/* Reads a small text file without its last newline: its length or -errno. */
ssize_t bm_sys_text(const struct bm_sys *sys, const char *path, char *buffer, size_t size);
/* The value of the line "name: value" of /proc/self/status: 1, or 0 when there is none. */
int bm_sys_status(const struct bm_sys *sys, const char *name, char *value, size_t size);
/* 6012 for Linux 6.12, 0 when it cannot be told. */
#define BM_HUGE_SIZE_FILE "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"
#define BM_RELEASE_FILE   "/proc/sys/kernel/osrelease"
int bm_sys_version(const struct bm_sys *sys);
/* The number in a small text file, or the fallback. */
long long bm_sys_number(const struct bm_sys *sys, const char *path, long long fallback);
/* Reads a whole file of any length; *text is NUL-ended, to be freed. */
ssize_t bm_sys_file(const struct bm_sys *sys, const char *path, char **text);

#endif

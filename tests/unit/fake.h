/* SPDX-License-Identifier: MIT */
/*
 * fake.h - a kernel that is a table: pages, nodes, files, environment, clock.
 *
 * There is one; fake_reset() makes it anew. Every call can be made to fail
 * once at its n-th invocation, and a hook can change the world before a call.
 */
#ifndef UNIT_FAKE_H
#define UNIT_FAKE_H

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../report.h"
#include "batchmig.h"
#include "context.h"
#include "sys.h"

#define FAKE_NODES 8
#define FAKE_AREAS 8
#define FAKE_FILES 64
#define FAKE_FDS   32
#define FAKE_PINS  64
#define FAKE_ROOM  (INT64_MAX / 2) /* pages of a node that is never full */

enum fake_call {
	FAKE_MOVE, /* move_pages with targets */
	FAKE_QUERY,
	FAKE_MBIND,
	FAKE_POLICY,
	FAKE_UFFD,
	FAKE_READV,
	FAKE_MSYNC,
	FAKE_MINCORE,
	FAKE_OPEN,
	FAKE_IOCTL,
	FAKE_READ,
	FAKE_PREAD,
	FAKE_LIST,
	FAKE_ACCESS,
	FAKE_MARKER,
	FAKE_ALLOC,
	FAKE_THREAD,
	FAKE_AFFINITY,
	FAKE_PIN,
	FAKE_WRITE,
	FAKE_AT_EXIT,
	FAKE_EVENT,
	FAKE_CALLS
};
#define FAKE_ALL ((1u << FAKE_CALLS) - 1)

/* A page; node, pinned, shared and stuck are those of the head of its folio. */
struct fake_page {
	uint32_t back;   /* pages from the head of the folio to this one */
	uint32_t length; /* of the folio, in its head */
	uint32_t mark;   /* of the tests */
	int node;
	int pinned; /* attempts to move it that fail, -1 all */
	int policy, policy_node;
	unsigned char present, swapped, zero, file, poisoned;
	unsigned char shared, stuck, isolated;
	unsigned char pmd; /* mapped as a huge page */
	unsigned char
		passing; /* somebody else migrates it: 1 until it is looked at, 2 for a while */
	unsigned char hinted, sealed; /* marked by NUMA balancing; mapped without access */
};

struct fake_area {
	uint64_t start, end;
	size_t count;
	struct fake_page *pages;
	const char *name; /* in maps: "" anonymous */
	int hugetlb;
};

struct fake_file {
	char *path, *text;
	size_t length; /* of text: directories hold names ended by NUL */
};

struct fake_fd {
	int used, pagemap, maps;
	char *text; /* what is left to be read */
	size_t length, at;
};

struct fake {
	pthread_mutex_t lock;
	uint64_t page_size, task_size;
	int old; /* Linux 6.1: no PAGEMAP_SCAN, -EFAULT for holes */
	int cpus;
	struct bm_ids affinity; /* of the calling thread, which runs on cpu */
	int cpu;
	pid_t pid, other;             /* this process, and one with the same pages */
	int capable;                  /* CAP_SYS_NICE */
	unsigned int memory, allowed; /* nodes, by bit */
	int64_t room[FAKE_NODES];     /* free pages */
	int no_huge;                  /* no free huge page on any node */
	size_t area_count;
	struct fake_area areas[FAKE_AREAS];
	struct fake_file files[FAKE_FILES];
	struct fake_file env[FAKE_FILES];
	struct fake_fd fds[FAKE_FDS];
	volatile unsigned char *marker; /* of the last context */
	size_t read_most;               /* bytes that one read gives, or one write takes */

	/* What was done. */
	uint64_t calls[FAKE_CALLS];
	uint64_t asked;                        /* pages of queries */
	uint64_t migrated, reclaimed, outside; /* outside: by others */
	uint64_t sleeps, slept_us, now;
	int open_fds;
	uint64_t signals; /* of events */
	char *written;    /* all that was, ended by NUL; NULL: nothing */
	size_t written_length;
	int written_to;        /* the last descriptor */
	void (*at_exit)(void); /* the last one that was registered */
	unsigned int pin_count;
	struct bm_ids pins[FAKE_PINS]; /* that threads took for themselves */

	/* One fault: call number fail_at of those in fail_mask gives fail_error. */
	unsigned int fail_mask;
	uint64_t fail_at, fail_seen;
	int fail_error, fired;
	int refuse;         /* what each move_pages call gives, 0: nothing special */
	uint64_t gone_from; /* move_pages call from which on the process has ended; 0 never */
	uint64_t kernel_seen;
	void (*hook)(enum fake_call call, uint64_t number);
};

extern struct fake fake;
extern const struct bm_sys fake_sys;

/* Four nodes with memory and without limit, a new kernel, 2 CPUs, 4 KiB and 2 MiB pages. */
void fake_reset(void);
/* Frees everything; fails the test when a descriptor was left open. */
void fake_end(void);

/* Pages of a new mapping, present on the node or, when it is negative, absent. */
struct fake_area *fake_map(uint64_t start, size_t pages, int node);
/* Makes one folio of pages of an area. */
void fake_folio(struct fake_area *area, size_t first, size_t pages, int pmd);
void fake_split(struct fake_page *head);
struct fake_page *fake_at(uint64_t addr); /* NULL: not mapped */
struct fake_page *fake_head(struct fake_page *page);
/* Where a page is: what move_pages without targets says. */
int fake_node(uint64_t addr);
/* Somebody else moves a page. */
void fake_steal(uint64_t addr, int node);

void fake_file(const char *path, const char *text); /* NULL removes */
void fake_dir(const char *path, const char *names, size_t length);
/* Nodes with two CPUs, which share a cache: 0 and 1, 2 and 3; all in the affinity mask. */
void fake_caches(unsigned int nodes);
void fake_env(const char *name, const char *value);
void fake_fail(unsigned int mask, uint64_t at, int error);

/* 1 when this call is the one to fail; takes the lock. */
int fake_fails(enum fake_call call);
void fake_lock(enum fake_call call);
void fake_unlock(void);

struct bm_context *fake_context(void);
struct bm_context *fake_context_with(const char *name, const char *value);

/* The parts of the table that live in files of their own. */
long fake_move_pages(pid_t pid, size_t count, void *const *pages, const int *nodes, int *status,
		     int flags);
long fake_mbind(uint64_t addr, size_t length, int mode, const unsigned long *mask,
		unsigned long maxnode, unsigned int flags);
long fake_get_mempolicy(int *mode, unsigned long *mask, unsigned long maxnode, uint64_t addr,
			unsigned long flags);
int fake_ioctl(int fd, unsigned long request, void *arg);
ssize_t fake_pread(int fd, void *buffer, size_t size, off_t offset);
int fake_open(const char *path, int flags);
int fake_close(int fd);
ssize_t fake_read(int fd, void *buffer, size_t size);
ssize_t fake_write(int fd, const void *buffer, size_t size);
ssize_t fake_list(const char *path, char *buffer, size_t size);
ssize_t fake_readlink(const char *path, char *buffer, size_t size);
const char *fake_getenv(const char *name);
struct fake_fd *fake_fd(int fd);
int fake_event_dup(int fd);
void fake_event_signal(int fd);
int fake_close_raw(int fd);
long fake_userfaultfd(int flags);
int fake_msync(uint64_t addr, size_t length, int flags);
int fake_mincore(uint64_t addr, size_t length, unsigned char *resident);
ssize_t fake_vm_readv(pid_t pid, const struct iovec *local, const struct iovec *remote,
		      size_t count);

#endif

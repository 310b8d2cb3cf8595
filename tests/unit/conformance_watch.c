/* SPDX-License-Identifier: MIT */
/* conformance_watch.c - what a backend calls, and when; any call can fail. */
#include <errno.h>
#include <stdlib.h>

#include "conformance.h"

#define MARK 4242 /* no errno */

static struct bm_sys below;
static struct {
	atomic_int on, error, hit;
	atomic_ulong seen, at;
} fault;

/* Of a thread that is in pin(), submit(), reap(), aim(), wait() or unpin(). */
static _Thread_local int hot;
static _Thread_local const char *seen;

void conformance_saw(const char *what)
{
	if (hot && !seen)
		seen = what;
}

void conformance_hot(void)
{
	seen = NULL;
	errno = MARK;
	hot = 1;
}

const char *conformance_cold(void)
{
	hot = 0;
	return !seen && errno != MARK ? "errno" : seen;
}

void conformance_arm(unsigned long at, int error)
{
	atomic_store(&fault.seen, 0);
	atomic_store(&fault.hit, 0);
	atomic_store(&fault.at, at);
	atomic_store(&fault.error, error);
	atomic_store(&fault.on, 1);
}

int conformance_disarm(void)
{
	atomic_store(&fault.on, 0);
	return atomic_load(&fault.hit);
}

int conformance_fails(const char *what)
{
	conformance_saw(what);
	if (!atomic_load(&fault.on) || atomic_fetch_add(&fault.seen, 1) + 1 != fault.at)
		return 0;
	atomic_store(&fault.hit, 1);
	return 1;
}

/* ---------------------------------------------------------------- not in windows */

static int w_open(const char *path, int flags)
{
	return conformance_fails("open") ? fault.error : below.open(path, flags);
}

static int w_close(int fd)
{
	conformance_saw("close");
	return below.close(fd);
}

static ssize_t w_read(int fd, void *buffer, size_t size)
{
	return conformance_fails("read") ? fault.error : below.read(fd, buffer, size);
}

static ssize_t w_write(int fd, const void *buffer, size_t size)
{
	return conformance_fails("write") ? fault.error : below.write(fd, buffer, size);
}

static ssize_t w_pread(int fd, void *buffer, size_t size, off_t offset)
{
	return conformance_fails("pread") ? fault.error : below.pread(fd, buffer, size, offset);
}

static ssize_t w_list(const char *path, char *buffer, size_t size)
{
	return conformance_fails("list") ? fault.error : below.list(path, buffer, size);
}

static ssize_t w_readlink(const char *path, char *buffer, size_t size)
{
	return conformance_fails("readlink") ? fault.error : below.readlink(path, buffer, size);
}

static int w_access(const char *path, int mode)
{
	return conformance_fails("access") ? fault.error : below.access(path, mode);
}

static const char *w_getenv(const char *name)
{
	conformance_saw("getenv");
	return below.getenv(name);
}

static void w_sleep_us(uint64_t us)
{
	conformance_saw("sleep_us");
	below.sleep_us(us);
}

static void *w_alloc(size_t count, size_t size)
{
	return conformance_fails("alloc") ? NULL : below.alloc(count, size);
}

static void *w_memory(size_t size)
{
	return conformance_fails("memory") ? NULL : below.memory(size);
}

static int w_thread_start(pthread_t *thread, void *(*run)(void *), void *arg)
{
	return conformance_fails("thread_start") ? fault.error
						 : below.thread_start(thread, run, arg);
}

static int w_map(size_t length, int shared, uint64_t *addr)
{
	return conformance_fails("map") ? fault.error : below.map(length, shared, addr);
}

static int w_unmap(uint64_t addr, size_t length)
{
	conformance_saw("unmap");
	return below.unmap(addr, length);
}

static int w_mlock(uint64_t addr, size_t length, int lock)
{
	return conformance_fails("mlock") ? fault.error : below.mlock(addr, length, lock);
}

static int w_map_portal(int fd, uint64_t *addr)
{
	return conformance_fails("map_portal") ? fault.error : below.map_portal(fd, addr);
}

static int w_map_device(int fd, off_t offset, size_t length, uint64_t *addr)
{
	return conformance_fails("map_device") ? fault.error
					       : below.map_device(fd, offset, length, addr);
}

static int w_lock_file(int fd)
{
	return conformance_fails("lock_file") ? fault.error : below.lock_file(fd);
}

static int w_pinner(void)
{
	return conformance_fails("pinner") ? fault.error : below.pinner();
}

static int w_pin(uint64_t addr, size_t length)
{
	return conformance_fails("pin") ? fault.error : below.pin(addr, length);
}

/* ---------------------------------------------------------------- allowed in windows */

/* What the system does is its own affair: that of a model takes locks. */
static int leave(void)
{
	int was = hot;

	hot = 0;
	return was;
}

static void enter(int was, int error)
{
	errno = error;
	hot = was;
}

/* It fails like another call, but is no mistake in a window. */
static int fails_hot(void)
{
	int error = errno, was = leave();
	int fails = conformance_fails("");

	enter(was, error);
	return fails;
}

#define ALLOWED(type, call, ...)               \
	do {                                   \
		int error_ = errno, was_;      \
		type rc_;                      \
                                               \
		if (fails_hot())               \
			return fault.error;    \
		was_ = leave();                \
		rc_ = below.call(__VA_ARGS__); \
		enter(was_, error_);           \
		return rc_;                    \
	} while (0)

static int w_ioctl(int fd, unsigned long request, void *arg)
{
	ALLOWED(int, ioctl, fd, request, arg);
}

static ssize_t w_pread_raw(int fd, void *buffer, size_t size, off_t offset)
{
	ALLOWED(ssize_t, pread_raw, fd, buffer, size, offset);
}

static ssize_t w_pwrite_raw(int fd, const void *buffer, size_t size, off_t offset)
{
	ALLOWED(ssize_t, pwrite_raw, fd, buffer, size, offset);
}

static int w_pin_buffers(int pinner, const struct iovec *buffers, size_t count)
{
	ALLOWED(int, pin_buffers, pinner, buffers, count);
}

static int w_unpin_buffers(int pinner)
{
	ALLOWED(int, unpin_buffers, pinner);
}

static long w_nodes_raw(size_t count, void *const *pages, int *status)
{
	ALLOWED(long, nodes_raw, count, pages, status);
}

static ssize_t w_write_raw(int fd, const void *buffer, size_t size)
{
	int error = errno, was = leave();
	ssize_t rc = below.write_raw(fd, buffer, size);

	enter(was, error);
	return rc;
}

static void w_movdir64b(uint64_t portal, const void *descriptor)
{
	int error = errno, was = leave();

	below.movdir64b(portal, descriptor);
	enter(was, error);
}

static int w_enqcmd(uint64_t portal, const void *descriptor)
{
	int error = errno, was = leave();
	int rc = below.enqcmd(portal, descriptor);

	enter(was, error);
	return rc;
}

static void w_umwait(const volatile void *line, uint64_t cycles)
{
	int error = errno, was = leave();

	below.umwait(line, cycles);
	enter(was, error);
}

void conformance_watch(struct bm_sys *sys)
{
	below = *sys;
	sys->open = w_open;
	sys->close = w_close;
	sys->ioctl = w_ioctl;
	sys->read = w_read;
	sys->write = w_write;
	sys->pread = w_pread;
	sys->list = w_list;
	sys->readlink = w_readlink;
	sys->access = w_access;
	sys->getenv = w_getenv;
	sys->sleep_us = w_sleep_us;
	sys->alloc = w_alloc;
	sys->memory = w_memory;
	sys->thread_start = w_thread_start;
	sys->map = w_map;
	sys->unmap = w_unmap;
	sys->mlock = w_mlock;
	sys->map_portal = w_map_portal;
	sys->map_device = w_map_device;
	sys->lock_file = w_lock_file;
	sys->pinner = w_pinner;
	sys->pin = w_pin;
	sys->pread_raw = w_pread_raw;
	sys->pwrite_raw = w_pwrite_raw;
	sys->pin_buffers = w_pin_buffers;
	sys->unpin_buffers = w_unpin_buffers;
	sys->nodes_raw = w_nodes_raw;
	sys->write_raw = w_write_raw;
	sys->movdir64b = w_movdir64b;
	sys->enqcmd = w_enqcmd;
	sys->umwait = w_umwait;
}

/* ---------------------------------------------------------------- the C library */

/* The linker leads the calls of all objects of this program here: --wrap. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);

void *__wrap_malloc(size_t size)
{
	conformance_saw("malloc");
	return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	conformance_saw("calloc");
	return __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	conformance_saw("realloc");
	return __real_realloc(memory, size);
}

void __wrap_free(void *memory)
{
	conformance_saw("free");
	__real_free(memory);
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
	conformance_saw("a lock");
	return __real_pthread_mutex_lock(mutex);
}

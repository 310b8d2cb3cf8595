/* SPDX-License-Identifier: MIT */
/* dsa_sys.c - system calls of which some go to the model. */
#include "dsa_sys.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsa_files.h"

#define FDS_FIRST (1 << 20)
#define FDS_MOST  256
#define TEXT_MOST 256
#define QUEUE_DIR "/dev/dsa/wq0."
/* Nothing is mapped there: an instruction of the CPU's own would end in a signal. */
#define PORTALS     0x1d5a00000000ull
#define PORTAL_SIZE 4096u

enum { CLOSED, QUEUE, TEXT };

struct opened {
	int kind;
	unsigned int queue;
	size_t length, read;
	char text[TEXT_MOST];
};

/* A table of system calls has no argument of its own. */
static struct {
	struct bm_sys base;
	struct dsa *dsa;
	struct dsa_sys_how how;
	pthread_mutex_t lock;
	struct opened fds[FDS_MOST];
	uint64_t portals;
	unsigned int opened[DSA_QUEUES_MOST];
	_Atomic unsigned int mapped[DSA_QUEUES_MOST];
	char names[DSA_QUEUES_MOST * 24];
} used = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct opened *find(int fd)
{
	return fd >= FDS_FIRST && fd < FDS_FIRST + FDS_MOST ? &used.fds[fd - FDS_FIRST] : NULL;
}

static int is_ours(const char *path)
{
	return !strncmp(path, "/sys/bus/dsa", 12) || !strncmp(path, "/dev/dsa", 8);
}

/* -1: no queue of the model. */
static int queue_of(const char *path)
{
	size_t length = strlen(QUEUE_DIR);
	char *end;
	long queue;

	if (strncmp(path, QUEUE_DIR, length) != 0 || !path[length])
		return -1;
	queue = strtol(path + length, &end, 10);
	if (*end || queue < 0 || (size_t)queue >= used.dsa->queues_count)
		return -1;
	return (int)queue;
}

static int is_in_use(unsigned int queue)
{
	return used.opened[queue] || used.mapped[queue];
}

/* The last one has let go of it: mappings hold a queue as descriptors do. */
static void let_go(unsigned int queue, int was_mapped)
{
	int closes;

	pthread_mutex_lock(&used.lock);
	if (was_mapped)
		used.mapped[queue]--;
	else
		used.opened[queue]--;
	closes = !is_in_use(queue);
	pthread_mutex_unlock(&used.lock);
	if (closes)
		dsa_close(used.dsa, queue);
}

static int open_queue(struct opened *opened, unsigned int queue)
{
	if (used.how.open_error)
		return used.how.open_error;
	if (!used.dsa->queues[queue].config.shared && is_in_use(queue))
		return -EBUSY;
	opened->kind = QUEUE;
	opened->queue = queue;
	used.opened[queue]++;
	return 0;
}

static int open_text(struct opened *opened, const char *path)
{
	int length = -1;

	if (!used.how.hides_files)
		length = dsa_file(used.dsa, path, opened->text, TEXT_MOST);
	if (length < 0)
		return -ENOENT;
	opened->kind = TEXT;
	opened->length = (size_t)length;
	opened->read = 0;
	return 0;
}

static int free_fd(void)
{
	for (int i = 0; i < FDS_MOST; i++)
		if (used.fds[i].kind == CLOSED)
			return i;
	return -EMFILE;
}

static int model_open(const char *path, int flags)
{
	int queue, fd, rc;

	if (!is_ours(path))
		return used.base.open(path, flags);
	pthread_mutex_lock(&used.lock);
	queue = queue_of(path);
	fd = rc = free_fd();
	if (fd >= 0)
		rc = queue >= 0 ? open_queue(&used.fds[fd], (unsigned int)queue)
				: open_text(&used.fds[fd], path);
	pthread_mutex_unlock(&used.lock);
	return rc < 0 ? rc : FDS_FIRST + fd;
}

static int close_ours(struct opened *opened)
{
	int kind;

	pthread_mutex_lock(&used.lock);
	kind = opened->kind;
	opened->kind = CLOSED;
	pthread_mutex_unlock(&used.lock);
	if (kind == QUEUE)
		let_go(opened->queue, 0);
	return kind == CLOSED ? -EBADF : 0;
}

static int model_close(int fd)
{
	return find(fd) ? close_ours(find(fd)) : used.base.close(fd);
}

static int model_close_raw(int fd)
{
	return find(fd) ? close_ours(find(fd)) : used.base.close_raw(fd);
}

static ssize_t read_at(const struct opened *opened, void *buffer, size_t size, size_t at)
{
	size_t length;

	if (opened->kind != TEXT)
		return opened->kind == QUEUE ? -EINVAL : -EBADF;
	length = at < opened->length ? opened->length - at : 0;
	if (length > size)
		length = size;
	memcpy(buffer, opened->text + at, length);
	return (ssize_t)length;
}

static ssize_t read_ours(struct opened *opened, void *buffer, size_t size)
{
	ssize_t length = read_at(opened, buffer, size, opened->read);

	if (length > 0)
		opened->read += (size_t)length;
	return length;
}

static ssize_t model_read(int fd, void *buffer, size_t size)
{
	return find(fd) ? read_ours(find(fd), buffer, size) : used.base.read(fd, buffer, size);
}

static ssize_t model_read_raw(int fd, void *buffer, size_t size)
{
	return find(fd) ? read_ours(find(fd), buffer, size) : used.base.read_raw(fd, buffer, size);
}

static ssize_t model_pread(int fd, void *buffer, size_t size, off_t offset)
{
	return find(fd) ? read_at(find(fd), buffer, size, (size_t)offset)
			: used.base.pread(fd, buffer, size, offset);
}

static ssize_t write_ours(const struct opened *opened, const void *buffer, size_t size)
{
	return opened->kind == QUEUE ? dsa_write(used.dsa, opened->queue, buffer, size) : -EBADF;
}

static ssize_t model_write(int fd, const void *buffer, size_t size)
{
	return find(fd) ? write_ours(find(fd), buffer, size) : used.base.write(fd, buffer, size);
}

static ssize_t model_write_raw(int fd, const void *buffer, size_t size)
{
	return find(fd) ? write_ours(find(fd), buffer, size)
			: used.base.write_raw(fd, buffer, size);
}

static ssize_t model_list(const char *path, char *buffer, size_t size)
{
	ssize_t length;

	if (!is_ours(path))
		return used.base.list(path, buffer, size);
	if ((used.how.hides_files && path[1] == 's') || !dsa_is_folder(used.dsa, path))
		return -ENOENT;
	length = dsa_list(used.dsa, path, buffer, size);
	return length < 0 ? -ENOBUFS : length;
}

static int model_access(const char *path, int mode)
{
	char text[TEXT_MOST];

	if (!is_ours(path))
		return used.base.access(path, mode);
	if (queue_of(path) >= 0)
		return 0;
	if (used.how.hides_files && path[1] == 's')
		return -ENOENT;
	if (dsa_is_folder(used.dsa, path) || dsa_file(used.dsa, path, text, TEXT_MOST) >= 0)
		return 0;
	return -ENOENT;
}

/* The queue of a portal, or what unmaps none of them. */
static int queue_at(uint64_t portal)
{
	uint64_t queue = (portal - used.portals) / PORTAL_SIZE;

	return portal >= used.portals && queue < used.dsa->queues_count ? (int)queue : -1;
}

static int model_map_portal(int fd, uint64_t *addr)
{
	struct opened *opened = find(fd);

	if (!opened)
		return used.base.map_portal(fd, addr);
	if (opened->kind != QUEUE)
		return -EBADF;
	if (used.how.map_error)
		return used.how.map_error;
	pthread_mutex_lock(&used.lock);
	used.mapped[opened->queue]++;
	pthread_mutex_unlock(&used.lock);
	*addr = used.portals + (uint64_t)PORTAL_SIZE * opened->queue;
	return 0;
}

static int model_unmap(uint64_t addr, size_t length)
{
	int queue = queue_at(addr);

	if (queue < 0)
		return used.base.unmap(addr, length);
	if (addr % PORTAL_SIZE || !used.mapped[queue])
		return -EINVAL;
	let_go((unsigned int)queue, 1);
	return 0;
}

static int model_pin(uint64_t addr, size_t length)
{
	return used.how.pin_error ? used.how.pin_error : used.base.pin(addr, length);
}

static unsigned int model_cpu_facts(void)
{
	return used.how.cpu_facts;
}

/* What real hardware answers by a signal ends the test. */
static unsigned int portal_queue(uint64_t portal)
{
	int queue = queue_at(portal);

	if (queue < 0 || !used.mapped[queue] || portal % 64)
		used.base.abort("not a mapped portal");
	return (unsigned int)queue;
}

static void refuse(void)
{
	pthread_mutex_lock(&used.dsa->lock);
	used.dsa->counts.refused++;
	pthread_mutex_unlock(&used.dsa->lock);
}

static void model_movdir64b(uint64_t portal, const void *descriptor)
{
	unsigned int queue = portal_queue(portal);

	if (used.dsa->queues[queue].config.shared)
		refuse();
	else
		dsa_movdir64b(used.dsa, queue, descriptor);
}

static int model_enqcmd(uint64_t portal, const void *descriptor)
{
	unsigned int queue = portal_queue(portal);

	if (used.dsa->queues[queue].config.shared)
		return dsa_enqcmd(used.dsa, queue, descriptor) ? -EAGAIN : 0;
	refuse();
	return -EAGAIN;
}

static void model_umwait(const volatile void *line, uint64_t cycles)
{
	(void)cycles;
	if (__atomic_load_n((const volatile unsigned char *)line, __ATOMIC_ACQUIRE) == 0)
		used.base.yield();
}

/* Blocked, a signal of an instruction that is to be emulated would end the process. */
static void model_signals_block(uint64_t *before)
{
	uint64_t mask;

	used.base.signals_block(before);
	mask = ~(UINT64_C(1) << (SIGBUS - 1) | UINT64_C(1) << (SIGILL - 1) |
		 UINT64_C(1) << (SIGSEGV - 1));
	used.base.signals_restore(&mask);
}

static void replace_instructions(struct bm_sys *sys, uint64_t portals)
{
	used.portals = portals ? portals : PORTALS;
	if (portals) {
		sys->signals_block = model_signals_block;
		return;
	}
	sys->movdir64b = model_movdir64b;
	sys->enqcmd = model_enqcmd;
}

static void replace_files(struct bm_sys *sys)
{
	sys->open = model_open;
	sys->close = model_close;
	sys->close_raw = model_close_raw;
	sys->read = model_read;
	sys->read_raw = model_read_raw;
	sys->pread = model_pread;
	sys->write = model_write;
	sys->write_raw = model_write_raw;
	sys->list = model_list;
	sys->access = model_access;
}

void dsa_sys_use(struct bm_sys *sys, struct dsa *dsa, const struct dsa_sys_how *how)
{
	used.base = *sys;
	used.dsa = dsa;
	used.how = *how;
	memset(used.fds, 0, sizeof(used.fds));
	memset(used.opened, 0, sizeof(used.opened));
	for (size_t i = 0; i < DSA_QUEUES_MOST; i++)
		used.mapped[i] = 0;
	replace_files(sys);
	sys->map_portal = model_map_portal;
	sys->unmap = model_unmap;
	sys->pin = model_pin;
	sys->cpu_facts = model_cpu_facts;
	replace_instructions(sys, how->portals);
	sys->umwait = model_umwait;
}

const char *dsa_sys_names(void)
{
	size_t at = 0;

	for (size_t i = 0; i < used.dsa->queues_count; i++)
		at += (size_t)snprintf(used.names + at, sizeof(used.names) - at, "%swq0.%zu",
				       i ? "," : "", i);
	return used.names;
}

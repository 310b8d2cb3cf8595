/* SPDX-License-Identifier: MIT */
/* uffd.c - counts who uses it, and stops them for a fork or for its end. */
#include "uffd.h"

#include <errno.h>
#include <sys/stat.h>

#include "events.h"
#include "uffd_new.h"

/*
 * Whoever comes meanwhile waits for the end of bm_quiesce(), but not for that
 * of a fork: it may hold a lock that a handler of the application wants.
 */
#define BY_QUIESCE 1
#define BY_FORK    2

/* The one piece of global state besides the default context. */
static struct {
	pthread_mutex_t lock; /* of all but active and stopped */
	struct bm_uffd *uffd;
	struct bm_uffd_user *users;
	const struct bm_sys *sys;
	volatile unsigned char *marker; /* 0: we are a child, all of this is the parent's */
	int handlers;                   /* for forks, registered */
	uint64_t serial;                /* of the last userfaultfd */
	int fd;                         /* of uffd, -1 none; with what tells it from others */
	dev_t device;
	ino_t inode;
	bm_futex active;    /* threads between enter and leave */
	bm_futex stopped;   /* nobody may enter: BY_QUIESCE, or BY_FORK */
	unsigned int forks; /* that take place: glibc 2.36 lets threads overtake each other */
} process = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

/* What the application has closed, and opened for something else, is not ours. */
static int is_ours(int fd, dev_t device, ino_t inode)
{
	struct stat stat;

	return fd >= 0 && fstat(fd, &stat) == 0 && stat.st_dev == device && stat.st_ino == inode;
}

static void remember_inode(const struct bm_uffd *uffd)
{
	struct stat stat = {0};

	fstat(uffd->fd, &stat);
	process.fd = uffd->fd;
	process.device = stat.st_dev;
	process.inode = stat.st_ino;
}

/* ---------------------------------------------------------------- forks */

static void stop(uint32_t by)
{
	uint32_t active;

	atomic_store(&process.stopped, by);
	while ((active = atomic_load(&process.active)) > 0)
		process.sys->futex_wait(&process.active, active, -1);
}

static void go_on(void)
{
	atomic_store(&process.stopped, 0);
	process.sys->futex_wake(&process.stopped);
}

static void before_fork(void)
{
	pthread_mutex_lock(&process.lock);
	process.forks++;
	stop(BY_FORK);
	pthread_mutex_unlock(&process.lock);
}

static void after_fork(void)
{
	pthread_mutex_lock(&process.lock);
	/* One that had begun before there were handlers may end with them. */
	process.forks -= process.forks > 0;
	if (process.forks == 0)
		go_on();
	pthread_mutex_unlock(&process.lock);
}

/* The descriptors are copies of the parent's; the memory is not there. */
static void forget(void)
{
	process.uffd = NULL;
	process.users = NULL;
	process.marker = NULL;
	atomic_store(&process.active, 0);
	atomic_store(&process.stopped, 0);
	process.forks = 0;
	pthread_mutex_init(&process.lock, NULL);
}

static void in_child(void)
{
	if (is_ours(process.fd, process.device, process.inode))
		process.sys->close_raw(process.fd);
	process.fd = -1;
	forget();
}

static int watch_forks(const struct bm_sys *sys)
{
	int rc = 0;

	process.sys = sys;
	if (!process.marker)
		__atomic_store_n(&process.marker, sys->fork_marker(), __ATOMIC_RELEASE);
	if (!process.marker)
		return -ENOMEM;
	if (!process.handlers)
		rc = sys->at_fork(before_fork, after_fork, in_child);
	process.handlers |= rc == 0;
	return rc;
}

/* ---------------------------------------------------------------- users */

/* The child of a raw clone(2) has no handler: it finds out here. */
static void forget_parent(void)
{
	volatile unsigned char *marker = __atomic_load_n(&process.marker, __ATOMIC_ACQUIRE);

	if (marker && !*marker)
		forget();
}

/* With the lock held. */
static int get(const struct bm_uffd_wish *wish, struct bm_uffd **uffd)
{
	int rc = process.uffd ? 0 : watch_forks(wish->sys);

	if (rc == 0 && !process.uffd) {
		rc = bm_uffd_make(wish, uffd);
		if (rc == 0) {
			(*uffd)->serial = ++process.serial;
			remember_inode(*uffd);
			__atomic_store_n(&process.uffd, *uffd, __ATOMIC_RELEASE);
		}
	}
	if (rc == 0 && process.uffd->user_mode_only && !wish->strict)
		rc = -EPERM;
	*uffd = process.uffd;
	return rc;
}

/* 0, or -EAGAIN while a fork takes place. */
static int count_in(const struct bm_sys *sys)
{
	for (;;) {
		uint32_t stopped = atomic_load(&process.stopped);

		if (stopped == BY_FORK)
			return -EAGAIN;
		if (stopped) {
			sys->futex_wait(&process.stopped, stopped, -1);
			continue;
		}
		atomic_fetch_add(&process.active, 1);
		if (!atomic_load(&process.stopped))
			return 0;
		if (atomic_fetch_sub(&process.active, 1) == 1)
			sys->futex_wake(&process.active);
	}
}

static void count_out(const struct bm_sys *sys)
{
	atomic_fetch_sub(&process.active, 1);
	if (atomic_load(&process.stopped))
		sys->futex_wake(&process.active);
}

int bm_uffd_enter(const struct bm_uffd_wish *wish, struct bm_uffd **uffd, uint64_t *signals)
{
	int rc;

	forget_parent();
	/* A handler that forks, on this thread, would wait for this thread. */
	wish->sys->signals_block(signals);
	rc = count_in(wish->sys);
	if (rc < 0) {
		wish->sys->signals_restore(signals);
		return rc;
	}
	*uffd = __atomic_load_n(&process.uffd, __ATOMIC_ACQUIRE);
	if (*uffd && (!(*uffd)->user_mode_only || wish->strict))
		return 0;
	count_out(wish->sys);
	/* bm_quiesce() and forks stop all others with this lock held. */
	pthread_mutex_lock(&process.lock);
	rc = atomic_load(&process.stopped) ? -EAGAIN : get(wish, uffd);
	if (rc == 0)
		atomic_fetch_add(&process.active, 1);
	pthread_mutex_unlock(&process.lock);
	if (rc < 0)
		wish->sys->signals_restore(signals);
	return rc;
}

struct bm_uffd *bm_uffd_visit(const struct bm_sys *sys, uint64_t *signals)
{
	struct bm_uffd *uffd;

	forget_parent();
	if (!__atomic_load_n(&process.uffd, __ATOMIC_RELAXED))
		return NULL;
	sys->signals_block(signals);
	if (count_in(sys) < 0) {
		sys->signals_restore(signals);
		return NULL;
	}
	uffd = __atomic_load_n(&process.uffd, __ATOMIC_ACQUIRE);
	if (!uffd)
		bm_uffd_leave(sys, signals);
	return uffd;
}

void bm_uffd_leave(const struct bm_sys *sys, const uint64_t *signals)
{
	count_out(sys);
	sys->signals_restore(signals);
}

/* A handler that forks, on this thread, would wait for the lock for ever. */
static void lock(const struct bm_sys *sys, uint64_t *signals)
{
	forget_parent();
	sys->signals_block(signals);
	pthread_mutex_lock(&process.lock);
}

static void unlock(const struct bm_sys *sys, const uint64_t *signals)
{
	pthread_mutex_unlock(&process.lock);
	sys->signals_restore(signals);
}

struct bm_uffd *bm_uffd_hold(const struct bm_sys *sys, uint64_t *signals)
{
	struct bm_uffd *uffd;

	lock(sys, signals);
	uffd = process.uffd;
	if (!uffd)
		unlock(sys, signals);
	return uffd;
}

void bm_uffd_let_go(const struct bm_sys *sys, const uint64_t *signals)
{
	unlock(sys, signals);
}

void bm_uffd_user_add(const struct bm_sys *sys, struct bm_uffd_user *user)
{
	uint64_t signals;

	lock(sys, &signals);
	user->previous = NULL;
	user->next = process.users;
	if (user->next)
		user->next->previous = user;
	process.users = user;
	unlock(sys, &signals);
}

void bm_uffd_user_end(const struct bm_sys *sys, struct bm_uffd_user *user)
{
	uint64_t signals;

	lock(sys, &signals);
	user->empty(user);
	if (user->previous)
		user->previous->next = user->next;
	else if (process.users == user)
		process.users = user->next;
	if (user->next)
		user->next->previous = user->previous;
	unlock(sys, &signals);
}

static void end(const struct bm_sys *sys, struct bm_uffd *uffd)
{
	int ours;

	stop(BY_QUIESCE);
	for (struct bm_uffd_user *user = process.users; user; user = user->next)
		user->empty(user);
	bm_events_stop(uffd);
	ours = is_ours(process.fd, process.device, process.inode);
	bm_uffd_unmake(uffd, ours);
	if (ours)
		sys->close(process.fd);
	process.fd = -1;
	__atomic_store_n(&process.uffd, NULL, __ATOMIC_RELEASE);
	go_on();
}

void bm_uffd_quiesce(const struct bm_sys *sys)
{
	uint64_t signals;

	lock(sys, &signals);
	while (atomic_load(&process.stopped) == BY_FORK) {
		unlock(sys, &signals);
		sys->futex_wait(&process.stopped, BY_FORK, -1);
		lock(sys, &signals);
	}
	if (process.uffd)
		end(sys, process.uffd);
	unlock(sys, &signals);
}

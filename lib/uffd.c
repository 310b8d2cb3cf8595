/* SPDX-License-Identifier: MIT */
/* uffd.c - counts who uses it, and stops them for a fork or for its end. */
#include "uffd.h"

#include <errno.h>
#include <sys/stat.h>

#include "events.h"
#include "uffd_new.h"

/* The one piece of global state besides the default context. */
static struct {
	pthread_mutex_t lock; /* of all but active and stopped */
	struct bm_uffd *uffd;
	struct bm_uffd_user *users;
	const struct bm_sys *sys;
	volatile unsigned char *marker; /* 0: we are a child, all of this is the parent's */
	int handlers;                   /* for forks, registered */
	int fd;                         /* of uffd, -1 none; with what tells it from others */
	dev_t device;
	ino_t inode;
	bm_futex active;  /* threads between enter and leave */
	bm_futex stopped; /* by fork and quiesce: nobody may enter */
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

static void stop(void)
{
	uint32_t active;

	atomic_store(&process.stopped, 1);
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
	stop();
}

static void after_fork(void)
{
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
		process.marker = sys->fork_marker();
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
	if (process.marker && !*process.marker)
		forget();
}

/* With the lock held. */
static int get(const struct bm_uffd_wish *wish, struct bm_uffd **uffd)
{
	int rc = process.uffd ? 0 : watch_forks(wish->sys);

	if (rc == 0 && !process.uffd) {
		rc = bm_uffd_make(wish, uffd);
		if (rc == 0) {
			remember_inode(*uffd);
			__atomic_store_n(&process.uffd, *uffd, __ATOMIC_RELEASE);
		}
	}
	if (rc == 0 && process.uffd->user_mode_only && !wish->strict)
		rc = -EPERM;
	*uffd = process.uffd;
	return rc;
}

static void count_in(const struct bm_sys *sys)
{
	for (;;) {
		while (atomic_load(&process.stopped))
			sys->futex_wait(&process.stopped, 1, -1);
		atomic_fetch_add(&process.active, 1);
		if (!atomic_load(&process.stopped))
			return;
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
	int rc = 0;

	forget_parent();
	/* A handler that forks, on this thread, would wait for this thread. */
	wish->sys->signals_block(signals);
	count_in(wish->sys);
	*uffd = __atomic_load_n(&process.uffd, __ATOMIC_ACQUIRE);
	if (*uffd && (!(*uffd)->user_mode_only || wish->strict))
		return 0;
	count_out(wish->sys);
	/* bm_quiesce() and forks stop all others with this lock held. */
	pthread_mutex_lock(&process.lock);
	rc = get(wish, uffd);
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
	count_in(sys);
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
	stop();
	for (struct bm_uffd_user *user = process.users; user; user = user->next)
		user->empty(user);
	bm_events_stop(uffd);
	if (is_ours(process.fd, process.device, process.inode))
		sys->close(process.fd);
	process.fd = -1;
	process.uffd = NULL;
	bm_uffd_unmake(uffd);
	go_on();
}

void bm_uffd_quiesce(const struct bm_sys *sys)
{
	uint64_t signals;

	lock(sys, &signals);
	if (process.uffd)
		end(sys, process.uffd);
	unlock(sys, &signals);
}

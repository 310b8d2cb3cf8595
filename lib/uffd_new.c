/* SPDX-License-Identifier: MIT */
/* uffd_new.c - makes a userfaultfd with all that belongs to it, and ends it. */
#include "uffd_new.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "events.h"
#include "raw.h"
#include "uffd_abi.h"
#include "vma.h"

#define DEVICE "/dev/userfaultfd"
/* USERFAULTFD_IOC_NEW of linux/userfaultfd.h, Linux 6.1 */
#define DEVICE_NEW _IO(0xAA, 0x00)
#define NEEDED                                                                     \
	(BM_UFFD_FEATURE_WP | BM_UFFD_FEATURE_REMAP | BM_UFFD_FEATURE_REMOVE |     \
	 BM_UFFD_FEATURE_UNMAP | BM_UFFD_FEATURE_THREAD | BM_UFFD_FEATURE_POISON | \
	 BM_UFFD_FEATURE_MOVE)

/* ---------------------------------------------------------------- memory */

void *bm_own_memory(const struct bm_sys *sys, size_t size)
{
	uint64_t addr;

	/* Shared memory cannot be moved by UFFDIO_MOVE; a child has no business with it. */
	if (sys->map(size, 1, &addr) < 0)
		return NULL;
	if (sys->madvise(addr, size, MADV_DONTFORK) < 0) {
		sys->unmap(addr, size);
		return NULL;
	}
	return (void *)(uintptr_t)addr;
}

void bm_own_memory_end(const struct bm_sys *sys, void *memory, size_t size)
{
	sys->unmap((uint64_t)(uintptr_t)memory, size);
}

static uint32_t pages_most(const struct bm_uffd_wish *wish)
{
	uint64_t pages = wish->huge_size / wish->page_size;

	return pages > 512 ? (uint32_t)pages : 512;
}

static size_t window_size(const struct bm_uffd_wish *wish)
{
	uint32_t pages = pages_most(wish);

	return pages * sizeof(struct bm_segment) + BM_WINDOW_SETS * (pages / 64) * sizeof(uint64_t);
}

static size_t total_size(const struct bm_uffd_wish *wish)
{
	return sizeof(struct bm_uffd) + BM_WINDOWS_MAX * window_size(wish);
}

/* Hands out the memory behind the struct. */
static void lay_out(struct bm_uffd *uffd, const struct bm_uffd_wish *wish)
{
	uint32_t pages = pages_most(wish), words = pages / 64;
	char *at = (char *)(uffd + 1);

	for (size_t i = 0; i < BM_WINDOWS_MAX; i++, at += window_size(wish)) {
		struct bm_window *window = &uffd->windows[i];

		window->segments.list = (struct bm_segment *)(void *)at;
		window->segments.page_size = wish->page_size;
		window->away = (uint64_t *)(void *)(at + pages * sizeof(struct bm_segment));
		window->present = window->away + words;
		window->copied = window->present + words;
		window->staged = window->copied + words;
		window->back = window->staged + words;
	}
}

/* ---------------------------------------------------------------- opening */

static int open_full(const struct bm_sys *sys)
{
	long fd = sys->userfaultfd(O_CLOEXEC | O_NONBLOCK);
	int device, rc;

	if (fd >= 0 || fd != -EPERM)
		return (int)fd;
	device = sys->open(DEVICE, O_RDWR);
	if (device < 0)
		return -EPERM;
	rc = sys->ioctl(device, DEVICE_NEW, (void *)(uintptr_t)(O_CLOEXEC | O_NONBLOCK));
	sys->close(device);
	return rc;
}

static int ask_features(const struct bm_sys *sys, int fd, uint64_t features)
{
	struct bm_uffd_api api = {.api = BM_UFFD_API, .features = features};
	int rc = sys->ioctl(fd, BM_UFFDIO_API, &api);

	return rc < 0 ? rc : (api.features & features) == features ? 0 : -EINVAL;
}

/* Whoever lacks the privilege may still ask what the kernel can do: privilege is of no use then. */
static int why_refused(const struct bm_sys *sys)
{
	int fd = (int)sys->userfaultfd(O_CLOEXEC | O_NONBLOCK | BM_UFFD_USER_MODE_ONLY);
	int rc;

	if (fd < 0)
		return -EPERM;
	rc = ask_features(sys, fd, NEEDED);
	sys->close(fd);
	return rc == -EINVAL ? -EOPNOTSUPP : -EPERM;
}

/* The descriptor, or -errno; *forks: it tells of raw clone(2), too. */
static int open_fd(const struct bm_uffd_wish *wish, int *user_mode_only, int *forks)
{
	const struct bm_sys *sys = wish->sys;
	int fd, rc;

	if (!BM_RAW_CALLS)
		return -ENOSYS;
	fd = open_full(sys);
	*user_mode_only = fd == -EPERM && wish->strict;
	if (*user_mode_only)
		fd = (int)sys->userfaultfd(O_CLOEXEC | O_NONBLOCK | BM_UFFD_USER_MODE_ONLY);
	if (fd < 0)
		return fd == -EPERM ? why_refused(sys) : fd;
	rc = ask_features(sys, fd, NEEDED | BM_UFFD_FEATURE_FORK);
	*forks = rc == 0;
	if (rc == -EPERM)
		rc = ask_features(sys, fd, NEEDED);
	if (rc == 0)
		return fd;
	sys->close(fd);
	return rc == -EINVAL ? -EOPNOTSUPP : rc;
}

static int watch_doorbell(struct bm_uffd *uffd)
{
	struct bm_uffd_register arg = {{0, uffd->page_size}, BM_UFFD_MODE_WP, 0};
	int rc = uffd->sys->map(uffd->page_size, 0, &uffd->doorbell);

	if (rc < 0)
		return rc;
	arg.range.start = uffd->doorbell;
	rc = uffd->sys->madvise(uffd->doorbell, uffd->page_size, MADV_DONTFORK);
	return rc < 0 ? rc : uffd->sys->ioctl(uffd->fd, BM_UFFDIO_REGISTER, &arg);
}

static void close_maps(const struct bm_uffd *uffd)
{
	if (uffd->maps >= 0)
		uffd->sys->close(uffd->maps);
}

static int start(struct bm_uffd *uffd, const struct bm_uffd_wish *wish)
{
	int rc;

	uffd->sys = wish->sys;
	uffd->page_size = wish->page_size;
	uffd->huge_size = wish->huge_size;
	pthread_mutex_init(&uffd->lock, NULL);
	lay_out(uffd, wish);
	uffd->maps = -1;
	uffd->fd = open_fd(wish, &uffd->user_mode_only, &uffd->sees_forks);
	if (uffd->fd < 0)
		return uffd->fd;
	uffd->maps = bm_vma_open(wish->sys, 0);
	rc = watch_doorbell(uffd);
	if (rc == 0)
		rc = bm_events_start(uffd);
	if (rc < 0)
		wish->sys->close(uffd->fd);
	return rc;
}

void bm_uffd_unmake(struct bm_uffd *uffd, int ours)
{
	struct bm_uffd_wish was = {.page_size = uffd->page_size, .huge_size = uffd->huge_size};
	struct bm_uffd_range bell = {uffd->doorbell, uffd->page_size};
	const struct bm_sys *sys = uffd->sys;

	/* Nobody reads any more: what is registered, in a child's copy, too, is left alone. */
	if (uffd->doorbell && (!ours || sys->ioctl(uffd->fd, BM_UFFDIO_UNREGISTER, &bell) == 0))
		sys->unmap(uffd->doorbell, uffd->page_size);
	close_maps(uffd);
	bm_own_memory_end(sys, uffd, total_size(&was));
}

int bm_uffd_make(const struct bm_uffd_wish *wish, struct bm_uffd **made)
{
	struct bm_uffd *uffd = bm_own_memory(wish->sys, total_size(wish));
	int rc;

	if (!uffd)
		return -ENOMEM;
	rc = start(uffd, wish);
	if (rc < 0)
		bm_uffd_unmake(uffd, 0);
	else
		*made = uffd;
	return rc;
}

int bm_uffd_probe(const struct bm_uffd_wish *wish)
{
	int unused, fd = open_fd(wish, &unused, &unused);

	if (fd < 0)
		return fd;
	wish->sys->close(fd);
	return 0;
}

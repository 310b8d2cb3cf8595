/* SPDX-License-Identifier: MIT */
/*
 * uio.c - functions by uio_pci_generic, which see all of the memory.
 *
 * Whoever closes a descriptor of /dev/uioN turns bus mastering off, whoever else
 * has it open: so nobody may open it only to see that it is locked. What is locked
 * first is the file of its configuration; the node, too, as a process that is killed
 * lets go of them one after the other.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "pins.h"

#define UIO_MAPS 5u    /* MAX_UIO_MAPS of the kernel */
#define IS_MEM   0x200 /* IORESOURCE_MEM */

/* Of a BAR, by the file `resource`. */
struct window {
	uint64_t start, size;
};

static int begin(struct bm_pci_space *space, char *why)
{
	space->fd = space->sys->open(BM_PCI_PAGEMAP, O_RDONLY | O_CLOEXEC);
	if (space->fd >= 0)
		return 0;
	snprintf(why, BM_WHY_MAX, BM_PCI_PAGEMAP " cannot be opened (error %d)", -space->fd);
	return space->fd;
}

static void end(struct bm_pci_space *space)
{
	space->sys->close(space->fd);
}

/* ---------------------------------------------------------------- registers */

/* Lines are "start end flags", one for each BAR from 0 on, with 0 where there is none. */
static int find_window(const struct bm_pci *pci, unsigned int bar, struct window *window)
{
	char path[BM_PCI_PATH], text[1024], *at = text;
	unsigned long long start = 0, last = 0, flags = 0;
	ssize_t length;

	snprintf(path, sizeof(path), BM_PCI_DEVICES "/%s/resource", pci->address);
	length = bm_sys_text(pci->space->sys, path, text, sizeof(text));
	if (length < 0)
		return (int)length;
	for (unsigned int i = 0; i <= bar; i++) {
		start = strtoull(at, &at, 16);
		last = strtoull(at, &at, 16);
		flags = strtoull(at, &at, 16);
	}
	if (!(flags & IS_MEM) || start == 0 || last <= start)
		return -ENXIO;
	*window = (struct window){start, last - start + 1};
	return 0;
}

static uint64_t map_number(const struct bm_pci *pci, int uio, unsigned int map, const char *file)
{
	char path[BM_PCI_PATH], text[32];

	snprintf(path, sizeof(path), "/sys/class/uio/uio%d/maps/map%u/%s", uio, map, file);
	if (bm_sys_text(pci->space->sys, path, text, sizeof(text)) <= 0)
		return 0;
	return strtoull(text, NULL, 16);
}

/*
 * uio has only BARs of 32 bits that cannot be prefetched, in their order (Linux
 * 6.1), so which one is which tell the addresses; -ENOENT: it is not among them.
 */
static int map_by_uio(struct bm_pci *pci, int uio, const struct window *window)
{
	size_t page = pci->space->page_size;
	uint64_t within = window->start % page;

	for (unsigned int map = 0; map < UIO_MAPS; map++) {
		if (map_number(pci, uio, map, "addr") != window->start - within ||
		    map_number(pci, uio, map, "size") < within + window->size)
			continue;
		return bm_pci_registers_map(pci, pci->fd, (off_t)(map * page), window->start,
					    (size_t)window->size);
	}
	return -ENOENT;
}

static int map_by_sysfs(struct bm_pci *pci, unsigned int bar, const struct window *window)
{
	char path[BM_PCI_PATH];
	int fd, rc;

	snprintf(path, sizeof(path), BM_PCI_DEVICES "/%s/resource%u", pci->address, bar);
	fd = pci->space->sys->open(path, O_RDWR | O_SYNC | O_CLOEXEC);
	if (fd < 0)
		return fd;
	rc = bm_pci_registers_map(pci, fd, 0, window->start, (size_t)window->size);
	pci->space->sys->close(fd);
	return rc;
}

static int map_bar(struct bm_pci *pci, int uio, unsigned int bar, char *why)
{
	struct window window = {0};
	int rc = find_window(pci, bar, &window);

	if (rc == 0) {
		rc = map_by_uio(pci, uio, &window);
		if (rc == -ENOENT)
			rc = map_by_sysfs(pci, bar, &window);
	}
	if (rc < 0)
		snprintf(why, BM_WHY_MAX, "its registers (BAR%u) cannot be mapped (error %d)", bar,
			 -rc);
	return rc;
}

/* ---------------------------------------------------------------- functions */

/* Before anything is changed. */
static int open_locked(const struct bm_pci *pci, const char *path, int *fd, char *why)
{
	int rc;

	*fd = pci->space->sys->open(path, O_RDWR | O_CLOEXEC);
	if (*fd < 0) {
		snprintf(why, BM_WHY_MAX, "%s cannot be opened (error %d)", path, -*fd);
		return *fd;
	}
	rc = pci->space->sys->lock_file(*fd);
	if (rc == 0)
		return 0;
	rc = rc == -EWOULDBLOCK ? -EBUSY : rc;
	snprintf(why, BM_WHY_MAX, "%s cannot be locked (error %d)%s", path, -rc,
		 rc == -EBUSY ? ": another process has it" : "");
	return rc;
}

static int take(struct bm_pci *pci, int uio, char *why)
{
	char path[BM_PCI_PATH];
	int rc;

	snprintf(path, sizeof(path), BM_PCI_DEVICES "/%s/config", pci->address);
	rc = open_locked(pci, path, &pci->config, why);
	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), "/dev/uio%d", uio);
	return open_locked(pci, path, &pci->fd, why);
}

static int can_reset(const struct bm_pci *pci)
{
	char path[BM_PCI_PATH];

	snprintf(path, sizeof(path), BM_PCI_DEVICES "/%s/reset", pci->address);
	return pci->space->sys->access(path, W_OK) == 0;
}

/* Where the kernel does not look what a function may reach it is looked at here, and now. */
static int open_function(struct bm_pci_space *space, const struct bm_pci_found *found,
			 unsigned int bar, struct bm_pci *pci, char *why)
{
	char remedy[BM_WHY_MAX];
	struct bm_pci_found now;
	int rc = bm_pci_look(space->sys, found->address, &now);

	if (rc < 0) {
		snprintf(why, BM_WHY_MAX, "there is no such function (error %d)", -rc);
		return rc;
	}
	rc = bm_pci_usable(space->sys, &now, BM_PCI_UIO, why, remedy);
	if (rc == 0)
		rc = take(pci, now.uio, why);
	if (rc == 0)
		rc = map_bar(pci, now.uio, bar, why);
	if (rc == 0)
		pci->resets = can_reset(pci);
	return rc;
}

/* The configuration last: with it goes the lock that others look at. */
static void let_go(struct bm_pci *pci)
{
	if (pci->fd >= 0)
		pci->space->sys->close(pci->fd);
	if (pci->config >= 0)
		pci->space->sys->close(pci->config);
	pci->fd = pci->config = -1;
}

static int reset(struct bm_pci *pci)
{
	char path[BM_PCI_PATH];
	ssize_t put;
	int fd;

	snprintf(path, sizeof(path), BM_PCI_DEVICES "/%s/reset", pci->address);
	fd = pci->space->sys->open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return fd;
	put = pci->space->sys->write(fd, "1", 1);
	pci->space->sys->close(fd);
	if (put < 0)
		return (int)put;
	return put == 1 ? 0 : -EIO;
}

const struct bm_pci_way bm_pci_uio = {
	.begin = begin,
	.end = end,
	.open = open_function,
	.let_go = let_go,
	.reset = reset,
	.memory_new = bm_pci_uio_memory_new,
	.memory_free = bm_pci_uio_memory_free,
	.pins_begin = bm_pci_uio_pins_begin,
	.pins_end = bm_pci_uio_pins_end,
	.pin = bm_pci_uio_pin,
	.unpin = bm_pci_uio_unpin,
	.bus = bm_pci_uio_bus,
	.guards = 0,
};

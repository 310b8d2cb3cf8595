/* SPDX-License-Identifier: MIT */
/* pci_scene.c - the machine: its descriptors and configuration space. */
#include "pci_scene.h"

struct pci_scene pci;
struct pci_fd pci_fds[PCI_FDS];

static struct vfio_iova_range usual[] = {
	{0, 0xfedfffff}, {0xfef00000, 0xfcffffffff}, {0x10000000000, UINT64_MAX}};

void pci_step(char letter)
{
	size_t length = strlen(pci.order);

	if (length + 1 < sizeof(pci.order))
		pci.order[length] = letter;
}

int pci_fails(int *rc)
{
	if (++pci.calls != pci.fail_at)
		return 0;
	pci.failed = 1;
	*rc = -EIO;
	return 1;
}

/* ---------------------------------------------------------------- descriptors */

int pci_new_fd(enum pci_kind kind)
{
	for (int i = 3; i < PCI_FDS; i++) {
		if (pci_fds[i].kind != PCI_CLOSED)
			continue;
		pci_fds[i] = (struct pci_fd){.kind = kind};
		pci.fds++;
		return i;
	}
	return -EMFILE;
}

static enum pci_kind kind_of(const char *path)
{
	const char *name = strrchr(path, '/') + 1;

	if (strcmp(path, "/dev/vfio/vfio") == 0)
		return PCI_CONTAINER;
	if (strncmp(path, "/dev/vfio/", 10) == 0)
		return PCI_GROUP;
	if (strncmp(path, "/dev/uio", 8) == 0)
		return PCI_UIO;
	if (strcmp(path, "/proc/self/pagemap") == 0)
		return PCI_PAGEMAP;
	if (strcmp(name, "config") == 0)
		return PCI_CONFIG;
	if (strcmp(name, "reset") == 0)
		return PCI_RESET;
	return strncmp(name, "resource", 8) == 0 && name[8] ? PCI_RESOURCE : PCI_TEXT;
}

static int group_is_open(int number)
{
	for (int i = 0; i < PCI_FDS; i++)
		if (pci_fds[i].kind == PCI_GROUP && pci_fds[i].number == number)
			return 1;
	return 0;
}

static int scene_open(const char *path, int flags)
{
	static const char letters[] = {
		[PCI_CONTAINER] = 'C', [PCI_GROUP] = 'G',    [PCI_UIO] = 'U', [PCI_CONFIG] = 'F',
		[PCI_RESET] = 'R',     [PCI_RESOURCE] = 'B', [PCI_PINNER] = 0};
	enum pci_kind kind = kind_of(path);
	const char *text = "";
	ssize_t length = pci_text_of(path, &text);
	int fd, rc, number = kind == PCI_GROUP ? atoi(path + 10) : 0;

	(void)flags;
	if (pci_fails(&rc))
		return rc;
	if (length < 0 || strcmp(text, "-") == 0)
		return length < 0 ? (int)length : -EACCES;
	if (kind == PCI_GROUP && group_is_open(number))
		return -EBUSY;
	fd = pci_new_fd(kind);
	if (fd < 0)
		return fd;
	pci_fds[fd].text = text;
	pci_fds[fd].length = (size_t)length;
	pci_fds[fd].number = number;
	if (letters[kind])
		pci_step(letters[kind]);
	return fd;
}

static int scene_close(int fd)
{
	struct pci_fd *at = &pci_fds[fd];

	ck_assert_int_ne(at->kind, PCI_CLOSED);
	pci.fds--;
	pci.locks -= at->locked;
	pci.containers_set -= at->in_container;
	if (at->kind == PCI_PINNER) {
		/* Closing leaves the unpinning to a worker: it has to be asked for before. */
		ck_assert(pci.pinned_count[at->side] == 0 || pci.pid != 100);
		pci.pinned_count[at->side] = 0;
	}
	at->kind = PCI_CLOSED;
	return 0;
}

static ssize_t scene_read(int fd, void *buffer, size_t size)
{
	struct pci_fd *at = &pci_fds[fd];
	int rc;

	ck_assert_int_eq(at->kind, PCI_TEXT);
	if (pci_fails(&rc))
		return rc;
	size = size < at->length ? size : at->length;
	memcpy(buffer, at->text, size);
	at->text += size;
	at->length -= size;
	return (ssize_t)size;
}

static ssize_t scene_write(int fd, const void *buffer, size_t size)
{
	ck_assert_int_eq(pci_fds[fd].kind, PCI_RESET);
	ck_assert_uint_eq(size, 1);
	ck_assert_int_eq(*(const char *)buffer, '1');
	pci.resets++;
	return pci.reset_error ? pci.reset_error : 1;
}

static int scene_lock(int fd)
{
	int rc;

	ck_assert(pci_fds[fd].kind == PCI_UIO || pci_fds[fd].kind == PCI_CONFIG);
	pci_step('L');
	if (pci_fails(&rc))
		return rc;
	if (pci.lock_error)
		return pci.lock_error;
	pci_fds[fd].locked = 1;
	pci.locks++;
	return 0;
}

/* ---------------------------------------------------------------- configuration space */

static ssize_t scene_pread(int fd, void *buffer, size_t size, off_t offset)
{
	uint64_t at = pci_fds[fd].kind == PCI_DEVICE ? (UINT64_C(7) << 40) + 4 : 4;
	int rc;

	if (pci_fails(&rc))
		return rc;
	if (pci_fds[fd].kind == PCI_PAGEMAP)
		return pci_read_frames(buffer, size, offset);
	ck_assert(pci_fds[fd].kind == PCI_DEVICE || pci_fds[fd].kind == PCI_CONFIG);
	ck_assert_uint_eq((uint64_t)offset, at);
	ck_assert_uint_eq(size, 2);
	memcpy(buffer, &pci.command, 2);
	return 2;
}

static ssize_t scene_pwrite(int fd, const void *buffer, size_t size, off_t offset)
{
	uint16_t value, fixed = pci.command_fixed;
	int rc;

	ck_assert(pci_fds[fd].kind == PCI_DEVICE || pci_fds[fd].kind == PCI_CONFIG);
	ck_assert_int_eq(pci.pid, 100);
	ck_assert_uint_eq(size, 2);
	ck_assert_uint_eq((uint64_t)offset % 4096, 4);
	if (pci_fails(&rc))
		return rc;
	pci.config_writes++;
	memcpy(&value, buffer, 2);
	if (pci.command != 0xffff)
		pci.command = (uint16_t)((value & ~fixed) | (pci.command & fixed));
	pci_step('W');
	return 2;
}

static pid_t scene_getpid(void)
{
	return pci.pid;
}

static long scene_page_size(void)
{
	return PCI_PAGE;
}

static void keep_line(void *user, int level, const char *line)
{
	(void)user;
	(void)level;
	strncat(pci.lines, line, sizeof(pci.lines) - strlen(pci.lines) - 1);
}

/* ---------------------------------------------------------------- the scene */

static const struct bm_sys table = {
	.open = scene_open,
	.close = scene_close,
	.ioctl = pci_ioctl,
	.read = scene_read,
	.write = scene_write,
	.list = pci_list,
	.readlink = pci_readlink,
	.access = pci_access,
	.getpid = scene_getpid,
	.page_size = scene_page_size,
	.lock_file = scene_lock,
	.pread_raw = scene_pread,
	.pwrite_raw = scene_pwrite,
};

void pci_begin(const char *driver)
{
	memset(&pci, 0, sizeof(pci));
	memset(pci_fds, 0, sizeof(pci_fds));
	pci.sys = table;
	pci.log = (struct bm_log){.hook = keep_line, .level = BM_LOG_DEBUG};
	pci.env = (struct bm_backend_env){
		.sys = &pci.sys, .log = &pci.log, .page_size = PCI_PAGE, .huge_size = PCI_HUGE};
	pci_memory_calls();
	pci.pid = 100;
	pci.ranges = usual;
	pci.range_count = 3;
	pci.viable = VFIO_GROUP_FLAGS_VIABLE;
	pci.version = VFIO_API_VERSION;
	pci.extension = 1;
	pci.device_flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET;
	pci.bar_flags = 7;
	pci.command = 0x0404;
	pci.frames_together = 8;
	pci.bar[0] = 0x1234;
	pci_files_begin(driver);
}

void pci_check_nothing_held(void)
{
	ck_assert_int_eq(pci.fds, 0);
	ck_assert_int_eq(pci.registers, 0);
	ck_assert_int_eq(pci.locks, 0);
	ck_assert_int_eq(pci.containers_set, 0);
	ck_assert_int_eq(pci.memory, 0);
	ck_assert_int_eq(pci.mapped, 0);
	ck_assert_uint_eq(pci.map_count, 0);
	ck_assert_uint_eq(pci_pinned_all(), 0);
}

void pci_end(void)
{
	if (pci.space)
		bm_pci_space_free(pci.space);
	pci.space = NULL;
	pci_check_nothing_held();
	pci_files_end();
}

void pci_space(enum bm_pci_access access)
{
	ck_assert_int_eq(bm_pci_space_new(&pci.env, access, &pci.space, pci.why), 0);
}

struct bm_pci_found pci_found(const char *address)
{
	struct bm_pci_found found;

	ck_assert_int_eq(bm_pci_look(&pci.sys, address, &found), 0);
	return found;
}

struct bm_pci pci_opened(const char *address)
{
	struct bm_pci_found found = pci_found(address);
	struct bm_pci opened;
	int rc;

	pci.why[0] = '\0';
	rc = bm_pci_open(pci.space, &found, 2, &opened, pci.why);
	ck_assert_msg(rc == 0, "%s: error %d, %s", address, -rc, pci.why);
	return opened;
}

int pci_is_mapped(uint64_t iova, uint64_t vaddr, uint64_t size, uint32_t flags)
{
	for (size_t i = 0; i < pci.map_count; i++) {
		const struct pci_map *map = &pci.maps[i];

		if (map->iova == iova && map->vaddr == vaddr && map->size == size &&
		    map->flags == flags)
			return 1;
	}
	return 0;
}

unsigned long pci_try_each(void (*round)(void))
{
	for (unsigned long at = 1;; at++) {
		pci.calls = 0;
		pci.failed = 0;
		pci.fail_at = at;
		round();
		pci.fail_at = 0;
		pci_check_nothing_held();
		if (!pci.failed)
			return at - 1;
	}
}

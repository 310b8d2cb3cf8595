/* SPDX-License-Identifier: MIT */
/* fake_files.c - files, directories, events and environment of the fake kernel. */
#include "fake.h"

#include <inttypes.h>
#include <stdio.h>

#define CPU_CACHE "/sys/devices/system/cpu/cpu%u/cache/index0"
/* Descriptors that no real call would take. */
#define FIRST_FD 1000000
#define EVENT_FD 2000000

static void table_set(struct fake_file *table, const char *path, const char *text, size_t length)
{
	struct fake_file *file = NULL;

	for (size_t i = FAKE_FILES; i-- > 0;) {
		if (!table[i].path)
			file = &table[i];
	}
	for (size_t i = 0; i < FAKE_FILES; i++) {
		if (table[i].path && strcmp(table[i].path, path) == 0)
			file = &table[i];
	}
	ck_assert_ptr_nonnull(file);
	free(file->path);
	free(file->text);
	*file = (struct fake_file){0};
	if (!text)
		return;
	file->path = strdup(path);
	file->text = malloc(length + 1);
	ck_assert(file->path && file->text);
	memcpy(file->text, text, length);
	file->text[length] = '\0';
	file->length = length;
}

static const struct fake_file *table_get(const struct fake_file *table, const char *path)
{
	for (size_t i = 0; i < FAKE_FILES; i++) {
		if (table[i].path && strcmp(table[i].path, path) == 0)
			return &table[i];
	}
	return NULL;
}

void fake_file(const char *path, const char *text)
{
	table_set(fake.files, path, text, text ? strlen(text) : 0);
}

void fake_dir(const char *path, const char *names, size_t length)
{
	table_set(fake.files, path, names, length);
}

static void fake_cpu_list(const char *path, unsigned int first, unsigned int last)
{
	char text[32];

	snprintf(text, sizeof(text), "%u-%u\n", first, last);
	fake_file(path, text);
}

void fake_caches(unsigned int nodes)
{
	char path[128];

	fake_cpu_list("/sys/devices/system/node/has_cpu", 0, nodes - 1);
	for (unsigned int node = 0; node < nodes; node++) {
		unsigned int cpu = 2 * node;

		snprintf(path, sizeof(path), "/sys/devices/system/node/node%u/cpulist", node);
		fake_cpu_list(path, cpu, cpu + 1);
		snprintf(path, sizeof(path), CPU_CACHE "/level", cpu);
		fake_file(path, "3\n");
		snprintf(path, sizeof(path), CPU_CACHE "/shared_cpu_list", cpu);
		fake_cpu_list(path, cpu, cpu + 1);
	}
	fake.affinity.bits[0] = (UINT64_C(1) << 2 * nodes) - 1;
}

void fake_env(const char *name, const char *value)
{
	table_set(fake.env, name, value, value ? strlen(value) : 0);
}

const char *fake_getenv(const char *name)
{
	const struct fake_file *entry = table_get(fake.env, name);

	return entry ? entry->text : NULL;
}

static char *make_maps(void)
{
	char *text = calloc(FAKE_AREAS + 1, 160);
	size_t used = 0;

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < fake.area_count; i++) {
		const struct fake_area *area = &fake.areas[i];
		int is_file = area->pages[0].file;

		used += (size_t)snprintf(text + used, 160,
					 "%" PRIx64 "-%" PRIx64 " rw-p 00000000 00:00 %d %s%s\n",
					 area->start, area->end, is_file ? 77 : 0,
					 *area->name ? "                   " : "", area->name);
	}
	return text;
}

static char *make_vmstat(void)
{
	char *text = calloc(1, 512);

	ck_assert_ptr_nonnull(text);
	snprintf(text, 512,
		 "nr_free_pages 1000\npswpin 3\npswpout 0\npgsteal_kswapd %" PRIu64
		 "\npgsteal_direct 0\npgmigrate_success %" PRIu64 "\npgmigrate_fail 7\n",
		 fake.reclaimed, fake.migrated + fake.outside);
	return text;
}

/* Which file of a process a path names, "" none; -errno for a process that is not there. */
static int process_file(const char *path, const char **name)
{
	int pid = 0, used = 0;

	*name = "";
	if (strncmp(path, "/proc/self/", 11) == 0) {
		*name = path + 11;
		return 0;
	}
	if (sscanf(path, "/proc/%d/%n", &pid, &used) != 1 || used == 0)
		return 0;
	if (pid != fake.pid && pid != fake.other)
		return -ENOENT;
	*name = path + used;
	return 0;
}

static int open_locked(const char *path)
{
	const struct fake_file *file = table_get(fake.files, path);
	const char *name;
	struct fake_fd *fd = fake.fds;
	int rc = process_file(path, &name), maps = !strcmp(name, "maps") && !file;

	if (rc < 0)
		return rc;
	while (fd < fake.fds + FAKE_FDS && fd->used)
		fd++;
	ck_assert_ptr_ne(fd, fake.fds + FAKE_FDS);
	*fd = (struct fake_fd){.used = 1, .pagemap = !strcmp(name, "pagemap"), .maps = maps};
	if (maps)
		fd->text = make_maps();
	else if (strcmp(path, "/proc/vmstat") == 0 && !file)
		fd->text = make_vmstat();
	else if (file)
		fd->text = strdup(file->text);
	else if (!fd->pagemap) {
		fd->used = 0;
		return -ENOENT;
	}
	fd->length = fd->text ? strlen(fd->text) : 0;
	fake.open_fds++;
	return FIRST_FD + (int)(fd - fake.fds);
}

int fake_open(const char *path, int flags)
{
	int rc;

	(void)flags;
	fake_lock(FAKE_OPEN);
	rc = fake_fails(FAKE_OPEN) ? fake.fail_error : open_locked(path);
	fake_unlock();
	return rc;
}

struct fake_fd *fake_fd(int fd)
{
	int at = fd - FIRST_FD;

	return at >= 0 && at < FAKE_FDS && fake.fds[at].used ? &fake.fds[at] : NULL;
}

int fake_close(int fd)
{
	struct fake_fd *file;

	pthread_mutex_lock(&fake.lock);
	file = fake_fd(fd);
	if (file) {
		free(file->text);
		*file = (struct fake_fd){0};
		fake.open_fds--;
	}
	pthread_mutex_unlock(&fake.lock);
	ck_assert_msg(file != NULL, "close(%d): not open", fd);
	return 0;
}

static ssize_t read_locked(int fd, void *buffer, size_t size)
{
	struct fake_fd *file = fake_fd(fd);
	size_t left;

	if (!file || file->pagemap)
		return -EBADF;
	left = file->length - file->at;
	size = size < left ? size : left;
	size = size < fake.read_most ? size : fake.read_most;
	if (size)
		memcpy(buffer, file->text + file->at, size);
	file->at += size;
	return (ssize_t)size;
}

ssize_t fake_read(int fd, void *buffer, size_t size)
{
	ssize_t rc;

	fake_lock(FAKE_READ);
	rc = fake_fails(FAKE_READ) ? fake.fail_error : read_locked(fd, buffer, size);
	fake_unlock();
	return rc;
}

ssize_t fake_write(int fd, const void *buffer, size_t size)
{
	ssize_t rc;

	fake_lock(FAKE_WRITE);
	rc = (ssize_t)(size < fake.read_most ? size : fake.read_most);
	if (fake_fails(FAKE_WRITE)) {
		rc = fake.fail_error;
	} else {
		fake.written = realloc(fake.written, fake.written_length + (size_t)rc + 1);
		ck_assert_ptr_nonnull(fake.written);
		memcpy(fake.written + fake.written_length, buffer, (size_t)rc);
		fake.written_length += (size_t)rc;
		fake.written[fake.written_length] = '\0';
		fake.written_to = fd;
	}
	fake_unlock();
	return rc;
}

ssize_t fake_list(const char *path, char *buffer, size_t size)
{
	const struct fake_file *file;
	ssize_t rc = -ENOENT;

	fake_lock(FAKE_LIST);
	file = table_get(fake.files, path);
	if (fake_fails(FAKE_LIST)) {
		rc = fake.fail_error;
	} else if (file) {
		rc = (ssize_t)(file->length < size ? file->length : size);
		memcpy(buffer, file->text, (size_t)rc);
	}
	fake_unlock();
	return rc;
}

/* The text of a file is where a link of that name leads. */
ssize_t fake_readlink(const char *path, char *buffer, size_t size)
{
	return fake_list(path, buffer, size);
}

long fake_userfaultfd(int flags)
{
	long rc;

	fake_lock(FAKE_UFFD);
	if (fake_fails(FAKE_UFFD))
		rc = fake.fail_error;
	else
		rc = flags & 1 ? open_locked("/proc/self/pagemap") : -EPERM;
	fake_unlock();
	return rc;
}

/* Whatever the number: all events are one, which counts. */
int fake_event_dup(int fd)
{
	int fails;

	(void)fd;
	fake_lock(FAKE_EVENT);
	fails = fake_fails(FAKE_EVENT);
	fake.open_fds += !fails;
	fake_unlock();
	return fails ? fake.fail_error : EVENT_FD;
}

void fake_event_signal(int fd)
{
	pthread_mutex_lock(&fake.lock);
	fake.signals += fd == EVENT_FD;
	pthread_mutex_unlock(&fake.lock);
}

int fake_close_raw(int fd)
{
	pthread_mutex_lock(&fake.lock);
	fake.open_fds -= fd == EVENT_FD;
	pthread_mutex_unlock(&fake.lock);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* fake.c - the fake kernel: its state, faults, memory, threads and clock. */
#include "fake.h"

#include <stdio.h>

#define HUGE_FILE "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"

struct fake fake = {.lock = PTHREAD_MUTEX_INITIALIZER};

void fake_lock(enum fake_call call)
{
	pthread_mutex_lock(&fake.lock);
	fake.calls[call]++;
	if (fake.hook)
		fake.hook(call, fake.calls[call]);
}

void fake_unlock(void)
{
	pthread_mutex_unlock(&fake.lock);
}

int fake_fails(enum fake_call call)
{
	if (!(fake.fail_mask >> call & 1) || ++fake.fail_seen != fake.fail_at)
		return 0;
	fake.fired = 1;
	return 1;
}

void fake_fail(unsigned int mask, uint64_t at, int error)
{
	fake.fail_mask = mask;
	fake.fail_at = at;
	fake.fail_error = error;
	fake.fail_seen = 0;
	fake.fired = 0;
}

static void clear(void)
{
	for (size_t i = 0; i < fake.area_count; i++)
		free(fake.areas[i].pages);
	for (size_t i = 0; i < FAKE_FILES; i++) {
		free(fake.files[i].path);
		free(fake.files[i].text);
		free(fake.env[i].path);
		free(fake.env[i].text);
	}
	for (size_t i = 0; i < FAKE_FDS; i++)
		free(fake.fds[i].text);
	free(fake.written);
}

void fake_reset(void)
{
	clear();
	fake = (struct fake){.lock = PTHREAD_MUTEX_INITIALIZER,
			     .page_size = 4096,
			     .task_size = UINT64_C(1) << 47,
			     .cpus = 2,
			     .pid = 100,
			     .other = 200,
			     .memory = 15,
			     .allowed = 15,
			     .read_most = 4096};
	for (size_t i = 0; i < FAKE_NODES; i++)
		fake.room[i] = FAKE_ROOM;
	fake_file(HUGE_FILE, "2097152\n");
	fake_file("/proc/sys/kernel/osrelease", "6.12.74+deb12-amd64\n");
}

void fake_end(void)
{
	ck_assert_int_eq(fake.open_fds, 0);
	fake_reset();
}

struct fake_area *fake_map(uint64_t start, size_t pages, int node)
{
	size_t at = fake.area_count++;
	struct fake_area *area;

	ck_assert_uint_lt(at, FAKE_AREAS);
	for (; at > 0 && fake.areas[at - 1].start > start; at--)
		fake.areas[at] = fake.areas[at - 1];
	area = &fake.areas[at];
	*area = (struct fake_area){
		.start = start, .end = start + pages * fake.page_size, .count = pages, .name = ""};
	area->pages = calloc(pages, sizeof(*area->pages));
	ck_assert_ptr_nonnull(area->pages);
	for (size_t i = 0; i < pages; i++) {
		area->pages[i].length = 1;
		area->pages[i].present = node >= 0;
		area->pages[i].node = node >= 0 ? node : 0;
	}
	return area;
}

void fake_folio(struct fake_area *area, size_t first, size_t pages, int pmd)
{
	struct fake_page model = area->pages[first];

	for (size_t i = 0; i < pages; i++) {
		area->pages[first + i] = model;
		area->pages[first + i].present = 1;
		area->pages[first + i].pmd = (unsigned char)pmd;
		area->pages[first + i].back = (uint32_t)i;
		area->pages[first + i].passing = i ? 0 : model.passing;
	}
	area->pages[first].length = (uint32_t)pages;
}

void fake_split(struct fake_page *head)
{
	struct fake_page model = *head;

	for (size_t i = 0; i < model.length; i++) {
		head[i].back = 0;
		head[i].length = 1;
		head[i].pmd = 0;
		head[i].pinned = model.pinned;
		head[i].shared = model.shared;
		head[i].isolated = 0;
	}
}

struct fake_page *fake_at(uint64_t addr)
{
	for (size_t i = 0; i < fake.area_count; i++) {
		const struct fake_area *area = &fake.areas[i];

		if (addr >= area->start && addr < area->end)
			return &area->pages[(addr - area->start) / fake.page_size];
	}
	return NULL;
}

struct fake_page *fake_head(struct fake_page *page)
{
	return page - page->back;
}

int fake_node(uint64_t addr)
{
	struct fake_page *page = fake_at(addr);

	if (!page)
		return -EFAULT;
	if (page->poisoned)
		return -EHWPOISON;
	if (page->zero)
		return -EFAULT;
	if (!page->present)
		return fake.old && !page->swapped && !page->file ? -EFAULT : -ENOENT;
	return page->node;
}

void fake_steal(uint64_t addr, int node)
{
	struct fake_page *head = fake_head(fake_at(addr));

	for (size_t i = 0; i < head->length; i++)
		head[i].node = node;
	fake.outside += head->length;
}

static pid_t fake_getpid(void)
{
	return fake.pid;
}

static volatile unsigned char *fake_fork_marker(void)
{
	unsigned char *marker = NULL;

	fake_lock(FAKE_MARKER);
	if (!fake_fails(FAKE_MARKER))
		marker = calloc(1, 1);
	if (marker)
		*marker = 1;
	fake.marker = marker;
	fake_unlock();
	return marker;
}

static void fake_fork_marker_free(volatile unsigned char *marker)
{
	free((void *)(uintptr_t)marker);
}

static long fake_page_size(void)
{
	return (long)fake.page_size;
}

static int fake_cpus(void)
{
	return fake.cpus;
}

static int fake_affinity(struct bm_ids *cpus)
{
	int rc = 0;

	fake_lock(FAKE_AFFINITY);
	if (fake_fails(FAKE_AFFINITY))
		rc = fake.fail_error;
	else
		*cpus = fake.affinity;
	fake_unlock();
	return rc;
}

static int fake_set_affinity(const struct bm_ids *cpus)
{
	int rc = 0;

	fake_lock(FAKE_PIN);
	if (fake_fails(FAKE_PIN))
		rc = fake.fail_error;
	else if (fake.pin_count < FAKE_PINS)
		fake.pins[fake.pin_count++] = *cpus;
	fake_unlock();
	return rc;
}

static int fake_cpu(void)
{
	return fake.cpu;
}

static uint64_t fake_now_ns(void)
{
	uint64_t now;

	pthread_mutex_lock(&fake.lock);
	now = fake.now += 10;
	pthread_mutex_unlock(&fake.lock);
	return now;
}

static void fake_sleep_us(uint64_t us)
{
	pthread_mutex_lock(&fake.lock);
	fake.sleeps++;
	fake.slept_us += us;
	for (size_t i = 0; i < fake.area_count; i++) {
		for (size_t k = 0; k < fake.areas[i].count; k++)
			fake.areas[i].pages[k].passing = 0;
	}
	fake.now += us * 1000;
	pthread_mutex_unlock(&fake.lock);
}

/* A thread that has nothing to do waits longer than any pause: it need not. */
static int fake_futex_wait(const bm_futex *word, uint32_t value, int64_t timeout_us)
{
	if (timeout_us < 0)
		return bm_sys_linux.futex_wait(word, value, timeout_us);
	if (atomic_load(word) != value)
		return -EAGAIN;
	if (timeout_us <= 100000)
		fake_sleep_us((uint64_t)timeout_us);
	return -ETIMEDOUT;
}

static void fake_futex_wake(const bm_futex *word)
{
	bm_sys_linux.futex_wake(word);
}

static uint64_t fake_switches(void)
{
	return 0;
}

static int alloc_fails(void)
{
	int fails;

	fake_lock(FAKE_ALLOC);
	fails = fake_fails(FAKE_ALLOC);
	fake_unlock();
	return fails;
}

static void *fake_alloc(size_t count, size_t size)
{
	return alloc_fails() ? NULL : calloc(count, size);
}

static void *fake_memory(size_t size)
{
	return alloc_fails() ? NULL : malloc(size);
}

static int fake_access(const char *path, int mode)
{
	int rc;

	(void)path;
	(void)mode;
	fake_lock(FAKE_ACCESS);
	rc = fake_fails(FAKE_ACCESS) ? fake.fail_error : -EACCES;
	fake_unlock();
	return rc;
}

static int fake_thread_start(pthread_t *thread, void *(*run)(void *), void *arg)
{
	int fails;

	fake_lock(FAKE_THREAD);
	fails = fake_fails(FAKE_THREAD);
	fake_unlock();
	return fails ? -EAGAIN : -pthread_create(thread, NULL, run, arg);
}

static int fake_at_exit(void (*run)(void))
{
	int fails;

	fake_lock(FAKE_AT_EXIT);
	fails = fake_fails(FAKE_AT_EXIT);
	if (!fails)
		fake.at_exit = run;
	fake_unlock();
	return fails ? -ENOMEM : 0;
}

const struct bm_sys fake_sys = {
	.move_pages = fake_move_pages,
	.mbind = fake_mbind,
	.get_mempolicy = fake_get_mempolicy,
	.userfaultfd = fake_userfaultfd,
	.msync = fake_msync,
	.mincore = fake_mincore,
	.vm_readv = fake_vm_readv,
	.open = fake_open,
	.close = fake_close,
	.ioctl = fake_ioctl,
	.read = fake_read,
	.write = fake_write,
	.pread = fake_pread,
	.list = fake_list,
	.readlink = fake_readlink,
	.access = fake_access,
	.getenv = fake_getenv,
	.getpid = fake_getpid,
	.fork_marker = fake_fork_marker,
	.fork_marker_free = fake_fork_marker_free,
	.page_size = fake_page_size,
	.cpus = fake_cpus,
	.affinity = fake_affinity,
	.set_affinity = fake_set_affinity,
	.cpu = fake_cpu,
	.now_ns = fake_now_ns,
	.sleep_us = fake_sleep_us,
	.alloc = fake_alloc,
	.memory = fake_memory,
	.thread_start = fake_thread_start,
	.at_exit = fake_at_exit,
	.futex_wait = fake_futex_wait,
	.futex_wake = fake_futex_wake,
	.switches = fake_switches,
	.event_dup = fake_event_dup,
	.event_signal = fake_event_signal,
	.close_raw = fake_close_raw,
};

struct bm_context *fake_context(void)
{
	struct bm_context *context = NULL;

	ck_assert_int_eq(bm_context_create(&fake_sys, NULL, &context), 0);
	return context;
}

struct bm_context *fake_context_with(const char *name, const char *value)
{
	fake_env(name, value);
	return fake_context();
}

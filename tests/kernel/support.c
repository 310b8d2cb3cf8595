/* SPDX-License-Identifier: MIT */
/* support.c - making areas, stamping and checking them. */
#include "support.h"

#include <fcntl.h>
#include <linux/mempolicy.h>
#include <numa.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

int nodes[8];
int node_count;

void prefer(int node)
{
	unsigned long mask = node < 0 ? 0 : 1ul << node;

	ck_assert_int_eq(syscall(SYS_set_mempolicy, node < 0 ? MPOL_DEFAULT : MPOL_PREFERRED,
				 node < 0 ? NULL : &mask, node < 0 ? 0ul : 64ul),
			 0);
}

static uint64_t word_of(const char *page, size_t at)
{
	return (uint64_t)(uintptr_t)page * 0x9e3779b97f4a7c15u + at + 1;
}

static const size_t places[] = {0, 2040, PAGE - 8};

void stamp(char *start, size_t count, size_t step)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < 3; k++) {
			uint64_t word = word_of(start + i * step, places[k]);

			memcpy(start + i * step + places[k], &word, 8);
		}
	}
}

size_t stamp_wrong(const char *start, size_t count, size_t step)
{
	size_t wrong = 0;

	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < 3; k++) {
			uint64_t word = word_of(start + i * step, places[k]);

			if (memcmp(start + i * step + places[k], &word, 8) != 0) {
				wrong++;
				break;
			}
		}
	}
	return wrong;
}

void area_over(struct area *area, char *start, size_t count, size_t step)
{
	*area = (struct area){.start = start, .count = count};
	area->pages = calloc(count, sizeof(*area->pages));
	area->targets = calloc(count, sizeof(*area->targets));
	area->status = calloc(count, sizeof(*area->status));
	ck_assert(area->pages && area->targets && area->status);
	for (size_t i = 0; i < count; i++) {
		area->pages[i] = start + i * step;
		area->status[i] = -9999;
	}
}

void area_new(struct area *area, size_t count, int node)
{
	char *start = mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ck_assert_ptr_ne(start, MAP_FAILED);
	madvise(start, count * PAGE, MADV_NOHUGEPAGE);
	prefer(node);
	stamp(start, count, PAGE);
	prefer(-1);
	area_over(area, start, count, PAGE);
	area->length = count * PAGE;
}

void area_free(struct area *area)
{
	if (area->length)
		munmap(area->start, area->length);
	free(area->pages);
	free(area->targets);
	free(area->status);
}

void area_target(struct area *area, int node)
{
	for (size_t i = 0; i < area->count; i++)
		area->targets[i] = node;
}

long area_move(struct area *area, uint64_t flags)
{
	return bm_migrate_batch(NULL, area->count, area->pages, area->targets, area->status, flags);
}

long area_submit(struct area *area, const char *mover, unsigned char *reasons)
{
	struct bm_request request;
	struct bm_batch *batch = NULL;
	long rc;

	bm_request_init(&request, sizeof(request));
	request.count = area->count;
	request.pages = area->pages;
	request.nodes = area->targets;
	request.status = area->status;
	request.mover = mover;
	request.reasons = reasons;
	rc = bm_submit(NULL, &request, &batch);
	if (rc == 0)
		rc = bm_batch_wait(batch, BM_FOREVER);
	bm_batch_free(batch);
	return rc;
}

int node_of(const void *page)
{
	int status = -9999;
	long rc = syscall(SYS_move_pages, 0, 1ul, &page, NULL, &status, 0);

	return rc < 0 ? -errno : status;
}

size_t status_wrong(const struct area *area)
{
	size_t wrong = 0;

	for (size_t i = 0; i < area->count; i++)
		wrong += area->status[i] != node_of(area->pages[i]);
	return wrong;
}

long read_number(const char *path)
{
	FILE *file = fopen(path, "r");
	long value = -1;

	if (file && fscanf(file, "%ld", &value) != 1)
		value = -1;
	if (file)
		fclose(file);
	return value;
}

int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	rc = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

int in_child(int (*body)(void *arg), void *arg)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(body(arg));
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void find_nodes(void)
{
	if (numa_available() < 0)
		return;
	for (int node = 0; node <= numa_max_node() && node_count < 8; node++) {
		if (numa_node_size64(node, NULL) > 0)
			nodes[node_count++] = node;
	}
}

/*
 * To move_pages(2) of Linux 6.1 a page that NUMA balancing has marked looks
 * absent: without this a test would now and then find another status than it
 * expects. Later kernels are tested with Debian's setting.
 */
static void quiet_old_kernels(void)
{
	struct utsname name;
	int major = 0, minor = 0;

	uname(&name);
	if (sscanf(name.release, "%d.%d", &major, &minor) == 2 && major == 6 && minor < 7)
		write_text("/proc/sys/kernel/numa_balancing", "0");
}

int main(int argc, char **argv)
{
	const struct report_group groups[] = {
		pages_group,          huge_group,         kinds_group,
		process_group,        range_group,        input_group,
		concurrent_group,     meanwhile_group,    disk_group,
		swap_memory_group,    swap_parts_group,   swap_kinds_group,
		swap_self_group,      swap_strict_group,  swap_whole_group,
		swap_life_group,      swap_io_group,      swap_wait_group,
		swap_pins_group,      swap_process_group, swap_ends_group,
		swap_signals_group,   swap_uffd_group,    swap_limits_group,
		swap_poison_group,    swap_forks_group,   swap_clones_group,
		swap_soak_group,      swap_refill_group,  async_group,
		async_callback_group, async_event_group,  async_order_group,
		async_priority_group, async_cancel_group, async_canceled_group,
		async_process_group,  async_bound_group};

	find_nodes();
	quiet_old_kernels();
	return report_run(groups, sizeof(groups) / sizeof(groups[0]), argc, argv);
}

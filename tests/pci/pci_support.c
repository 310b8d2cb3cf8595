/* SPDX-License-Identifier: MIT */
/* pci_support.c - functions, and pages to copy. */
#include "pci_support.h"

#include <errno.h>
#include <fcntl.h>
#include <numaif.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define COMMAND    4
#define BUS_MASTER 4u

/* ---------------------------------------------------------------- functions */

static void *memory(const struct bm_sys *sys, size_t size)
{
	void *start = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	(void)sys;
	return start == MAP_FAILED ? NULL : start;
}

static void memory_end(const struct bm_sys *sys, void *start, size_t size)
{
	(void)sys;
	munmap(start, size);
}

const struct bm_backend_env *pci_env(void)
{
	static const struct bm_log log = {.level = BM_LOG_WARN};
	static const struct bm_backend_env env = {.sys = &bm_sys_linux,
						  .log = &log,
						  .page_size = PAGE,
						  .huge_size = 2ul << 20,
						  .memory = memory,
						  .memory_end = memory_end};

	return &env;
}

void pci_find(enum bm_pci_access access, struct bm_pci_found *found)
{
	const char *driver = access == BM_PCI_VFIO ? "vfio-pci" : "uio_pci_generic";
	struct bm_pci_found all[8];
	const struct bm_pci_id id = {EDU_VENDOR, EDU_DEVICE};
	int count = bm_pci_find(&bm_sys_linux, &id, 1, all, 8);
	char why[BM_WHY_MAX], remedy[BM_WHY_MAX];

	for (int i = 0; i < count; i++)
		if (strcmp(all[i].driver, driver) == 0 &&
		    bm_pci_usable(&bm_sys_linux, &all[i], access, why, remedy) == 0) {
			*found = all[i];
			return;
		}
	ck_abort_msg("%d functions, none for %s: see tests/pci/device", count, driver);
}

int bench_try(struct bench *bench, enum bm_pci_access access)
{
	int error = bm_pci_space_new(pci_env(), access, &bench->space, bench->why);

	if (error)
		return error;
	error = bm_pci_open(bench->space, &bench->found, 0, &bench->pci, bench->why);
	if (error)
		goto no_function;
	error = bm_pci_pins_new(bench->space, BENCH_BYTES, BENCH_COPIES, &bench->pins);
	if (error)
		goto no_pins;
	return 0;
no_pins:
	bm_pci_close(&bench->pci);
no_function:
	bm_pci_space_free(bench->space);
	return error;
}

void bench_close(struct bench *bench)
{
	bm_pci_pins_free(bench->pins);
	bm_pci_close(&bench->pci);
	bm_pci_space_free(bench->space);
	bench->pins = NULL;
}

static struct bench the_bench;

void bench_end(void)
{
	if (the_bench.pins)
		bench_close(&the_bench);
}

struct bench *bench_open(enum bm_pci_access access)
{
	int error;

	bench_end();
	memset(&the_bench, 0, sizeof(the_bench));
	pci_find(access, &the_bench.found);
	error = bench_try(&the_bench, access);
	ck_assert_msg(error == 0, "%s: %s: %s", the_bench.found.address, strerror(-error),
		      the_bench.why);
	return &the_bench;
}

void bench_start(struct bench *bench)
{
	ck_assert_int_eq(bm_pci_master(&bench->pci, 1), 0);
	ck_assert_int_eq(bm_pci_is_master(&bench->pci), 1);
}

int seen_master(const struct bm_pci_found *found)
{
	unsigned char command[2];
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", found->address);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pread(fd, command, sizeof(command), COMMAND), sizeof(command));
	close(fd);
	return (command[0] & BUS_MASTER) != 0;
}

/* ---------------------------------------------------------------- pages */

unsigned char *pages_new(size_t count, int node)
{
	unsigned long mask = node < 0 ? 0 : 1ul << node;
	unsigned char *pages = mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ck_assert_ptr_ne(pages, MAP_FAILED);
	madvise(pages, count * PAGE, MADV_NOHUGEPAGE);
	if (node >= 0)
		ck_assert_int_eq(mbind(pages, count * PAGE, MPOL_PREFERRED, &mask, 64, 0), 0);
	memset(pages, 0xa5, count * PAGE);
	for (size_t i = 0; node >= 0 && i < count; i++)
		ck_assert_int_eq(page_node(pages + i * PAGE), node);
	return pages;
}

void pages_free(unsigned char *pages, size_t count)
{
	munmap(pages, count * PAGE);
}

static uint32_t word_at(size_t at, uint32_t seed)
{
	return (uint32_t)(at + 1) * 2654435761u ^ seed * 0x9e3779b9u;
}

void pages_fill(unsigned char *pages, size_t count, uint32_t seed)
{
	for (size_t i = 0; i < count * PAGE / 4; i++) {
		uint32_t word = word_at(i, seed);

		memcpy(pages + i * 4, &word, 4);
	}
}

size_t pages_wrong(const unsigned char *pages, size_t count, uint32_t seed)
{
	size_t wrong = 0;

	for (size_t i = 0; i < count * PAGE; i++) {
		uint32_t word = word_at(i / 4, seed);

		wrong += pages[i] != ((const unsigned char *)&word)[i % 4];
	}
	return wrong;
}

int page_node(void *page)
{
	int status = -EFAULT;

	ck_assert_int_eq(move_pages(0, 1, &page, NULL, &status, 0), 0);
	return status;
}

int page_move(void *page, int node)
{
	int status = -EBUSY; /* which the kernel leaves as it is for what it could not move */
	long failed = move_pages(0, 1, &page, &node, &status, MPOL_MF_MOVE);

	if (failed < 0)
		return -errno;
	return status < 0 ? status : page_node(page) == node ? 0 : -EBUSY;
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

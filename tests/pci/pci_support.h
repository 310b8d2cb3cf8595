/* SPDX-License-Identifier: MIT */
/* pci_support.h - a function of the emulated machine, opened, and pages to copy. */
#ifndef PCI_SUPPORT_H
#define PCI_SUPPORT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../report.h"
#include "edu.h"

#define PAGE 4096ul

extern const struct report_group uio_copies_group, vfio_copies_group, uio_pages_group,
	vfio_pages_group, uio_ends_group, vfio_ends_group, uio_resets_group, vfio_resets_group,
	refused_group, vfio_group, vfio_two_group, user_group, user_limit_group, uio_cost_group,
	vfio_cost_group;

/* A test of its own for each way to a function. */
#define BY_BOTH(name)              \
	START_TEST(uio_##name)     \
	{                          \
		name(BM_PCI_UIO);  \
	}                          \
	END_TEST                   \
	START_TEST(vfio_##name)    \
	{                          \
		name(BM_PCI_VFIO); \
	}                          \
	END_TEST

/* ---------------------------------------------------------------- functions */

/* What the library gives a backend, with the real system. */
const struct bm_backend_env *pci_env(void);
/* The function that the driver of this access has. */
void pci_find(enum bm_pci_access access, struct bm_pci_found *found);

/* One that is open, with pins for what the tests copy. */
struct bench {
	struct bm_pci_found found;
	struct bm_pci_space *space;
	struct bm_pci pci;
	struct bm_pci_pins *pins;
	char why[BM_WHY_MAX];
};

#define BENCH_BYTES  (4ul << 20)
#define BENCH_COPIES 512u

/* There is one: what a test that failed has left open is closed first. */
struct bench *bench_open(enum bm_pci_access access);
void bench_end(void);
/*
 * With bench->found; nothing is asserted, as must not be in a child: 0, or -errno
 * with the reason in bench->why, and then nothing is open.
 */
int bench_try(struct bench *bench, enum bm_pci_access access);
/* Also of bench_try(). */
void bench_close(struct bench *bench);
/* Turns bus mastering on. */
void bench_start(struct bench *bench);
/* 1 when bus mastering is on, as everybody can read it in sysfs. */
int seen_master(const struct bm_pci_found *found);

/* ---------------------------------------------------------------- pages */

/* Private anonymous small pages, all there, on the node if that is not -1. */
unsigned char *pages_new(size_t count, int node);
void pages_free(unsigned char *pages, size_t count);
void pages_fill(unsigned char *pages, size_t count, uint32_t seed);
/* How many bytes are not as pages_fill() leaves them. */
size_t pages_wrong(const unsigned char *pages, size_t count, uint32_t seed);
int page_node(void *page);
/* By move_pages(2): 0, or the -errno of the page. */
int page_move(void *page, int node);

uint64_t now_ns(void);

/* ---------------------------------------------------------------- processes */

/* A child that has opened the function, bus mastering on, and then waits to be killed. */
pid_t holder_begin(enum bm_pci_access access);
/* Likewise, and a store to this shared page (see holder_page) has begun. */
pid_t writer_begin(enum bm_pci_access access, unsigned char *page);
void process_kill(pid_t pid);
/* A child that keeps a page as it is; whether it found each byte of it as it should be. */
pid_t sharer_begin(const unsigned char *page, unsigned char byte);
int sharer_is_content(pid_t pid);
/* A child closes what the bench of its parent is, and ends. */
void child_closes(struct bench *bench);
/* What opening it says in a child: 0 or -errno; why is its reason. */
int child_opens(enum bm_pci_access access, char *why);

#endif

/* SPDX-License-Identifier: MIT */
/* support.h - memory with known contents on known nodes. */
#ifndef KERNEL_SUPPORT_H
#define KERNEL_SUPPORT_H

#include <batchmig.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../report.h"

#define PAGE 4096ul
#define HUGE (2ul << 20)

/* The memory nodes of the machine; two of them are needed for most tests. */
extern int nodes[8];
extern int node_count;
#define NEED_NODES()                                         \
	do {                                                 \
		if (node_count < 2)                          \
			skip_test("needs two memory nodes"); \
	} while (0)

/* Pages and what is to become of them. */
struct area {
	char *start;
	size_t length;
	size_t count;
	void **pages;
	int *targets;
	int *status;
};

/* Private anonymous memory of base pages on a node, every page stamped. */
void area_new(struct area *area, size_t count, int node);
/* The same for memory that is there already: count pages, step bytes apart. */
void area_over(struct area *area, char *start, size_t count, size_t step);
void area_free(struct area *area);
void area_target(struct area *area, int node);
long area_move(struct area *area, uint64_t flags);
/* The same by the long form; with a mover and reasons, or NULL. */
long area_submit(struct area *area, const char *mover, unsigned char *reasons);

/* Writes and checks a stamp in each page: its first and last words and one in the middle. */
void stamp(char *start, size_t count, size_t step);
/* The number of pages whose stamp is not as it was. */
size_t stamp_wrong(const char *start, size_t count, size_t step);

/* Where the kernel says that a page is: node or -errno. */
int node_of(const void *page);
/* The number of pages of the area for which the status is not what the kernel says. */
size_t status_wrong(const struct area *area);
/* Takes part in no mempolicy but this one while memory is touched. */
void prefer(int node);

long read_number(const char *path);
int write_text(const char *path, const char *text);

/* Runs body in a child; its return value is the exit status that comes back. */
int in_child(int (*body)(void *arg), void *arg);

extern const struct report_group pages_group, huge_group, kinds_group, process_group, range_group,
	input_group, concurrent_group, meanwhile_group, disk_group, swap_memory_group,
	swap_parts_group, swap_kinds_group, swap_self_group, swap_strict_group, swap_whole_group,
	swap_life_group, swap_io_group, swap_wait_group, swap_pins_group, swap_process_group,
	swap_ends_group, swap_signals_group, swap_uffd_group, swap_limits_group, swap_poison_group,
	swap_soak_group, swap_forks_group, swap_clones_group, swap_refill_group, async_group,
	async_callback_group, async_event_group, async_order_group, async_priority_group,
	async_cancel_group, async_canceled_group, async_process_group, async_bound_group;

#endif

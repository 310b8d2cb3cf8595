/* SPDX-License-Identifier: MIT */
/* kernel_calls.c - move_pages(2), mbind(2) and migrate_pages(2) in plain loops. */
#include "kernel_calls.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <numa.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "team.h"

#define CALL_PAGES 4096
#define NODES_MAX  1024
#define WORD_BITS  (8 * sizeof(unsigned long))

struct node_mask {
	unsigned long words[NODES_MAX / WORD_BITS];
};

static struct node_mask mask_of(int node)
{
	struct node_mask mask;

	memset(&mask, 0, sizeof(mask));
	mask.words[(size_t)node / WORD_BITS] |= 1ul << (size_t)node % WORD_BITS;
	return mask;
}

/* Returns how many entries are still where they were. */
typedef size_t stage_call(const struct stage *stage, size_t begin, size_t end, int to_far);

struct share {
	const struct stage *stage;
	size_t first; /* entry */
	int to_far;
	stage_call *call;
	atomic_size_t left;
};

static void work(void *arg, int index, int count)
{
	struct share *share = arg;
	size_t all = share->stage->count;
	size_t left = share->call(share->stage, share->first + all * (size_t)index / (size_t)count,
				  share->first + all * (size_t)(index + 1) / (size_t)count,
				  share->to_far);

	atomic_fetch_add(&share->left, left);
}

/* There and back. */
static double run_shares(struct entrant *entrant, stage_call *call)
{
	struct stage *stage = entrant->stage;
	struct share share = {.stage = stage, .call = call};
	double ns = 0;

	for (size_t i = 0; i < stage->repeats; i++) {
		share.first = i * stage->count;
		for (share.to_far = 1; share.to_far >= 0; share.to_far--)
			ns += in_threads(work, &share, stage->threads);
	}
	entrant->left += share.left;
	return ns;
}

size_t stage_move_pages(const struct stage *stage, size_t begin, size_t end, int to_far)
{
	size_t left = 0;

	for (size_t at = begin; at < end; at += CALL_PAGES) {
		size_t some = end - at < CALL_PAGES ? end - at : CALL_PAGES;
		long rc = syscall(SYS_move_pages, 0, some, stage->pages + at, stage->nodes[to_far],
				  stage->status + at, MPOL_MF_MOVE);

		if (rc < 0)
			die("move_pages");
		left += (size_t)rc;
	}
	return left;
}

double run_move_pages(struct entrant *entrant)
{
	return run_shares(entrant, stage_move_pages);
}

/*
 * The policy stays behind: it is taken away again, as who moves pages only would have
 * to. Strict: EIO tells that not all of a run has moved.
 */
static size_t stage_mbind(const struct stage *stage, size_t begin, size_t end, int to_far)
{
	struct node_mask mask = mask_of(to_far ? stage->setup->far : stage->setup->near);
	size_t left = 0;

	for (size_t i = begin, next; i < end; i = next) {
		size_t length;
		long rc;

		next = stage_run_end(stage, i, end);
		length = (next - i) * stage->unit;
		rc = syscall(SYS_mbind, stage->pages[i], length, MPOL_BIND, mask.words, NODES_MAX,
			     MPOL_MF_MOVE | MPOL_MF_STRICT);
		if (rc < 0 && errno != EIO)
			die("mbind");
		left += rc < 0 ? next - i : 0;
		if (syscall(SYS_mbind, stage->pages[i], length, MPOL_DEFAULT, NULL, 0, 0) < 0)
			die("mbind");
	}
	return left;
}

double run_mbind(struct entrant *entrant)
{
	return run_shares(entrant, stage_mbind);
}

/* ----------------------------------------------------------- migrate_pages */

struct child {
	pid_t pid;
	int go, ready; /* pipes */
};

/* Has memory, waits, and looks at each byte. Its own few pages move with it. */
static void child_main(const struct stage *stage, int ready, int go)
{
	struct region region;
	char byte = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	region_new(&region, stage->setup, stage->frames, stage->count * stage->unit,
		   stage->setup->near);
	if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1)
		_exit(1);
	_exit(region_wrong(&region, region.page_size, region.page_size) != 0);
}

static struct child child_new(const struct stage *stage)
{
	int ready[2], go[2];
	struct child child;
	char byte;

	if (pipe(ready) < 0 || pipe(go) < 0)
		die("pipe");
	child.pid = fork();
	if (child.pid < 0)
		die("fork");
	if (child.pid == 0)
		child_main(stage, ready[1], go[0]);
	close(ready[1]);
	close(go[0]);
	child.ready = ready[0];
	child.go = go[1];
	if (read(child.ready, &byte, 1) != 1)
		die("the process for migrate_pages");
	return child;
}

static void child_end(const struct child *child)
{
	int status;

	if (write(child->go, "", 1) != 1 || waitpid(child->pid, &status, 0) < 0)
		die("the process for migrate_pages");
	close(child->go);
	close(child->ready);
	if (status == 0)
		return;
	fprintf(stderr, "migrate_pages: the memory of the process is not what was written\n");
	exit(1);
}

double run_migrate_pages(struct entrant *entrant)
{
	const struct stage *stage = entrant->stage;
	struct node_mask near = mask_of(stage->setup->near), far = mask_of(stage->setup->far);
	struct child child = child_new(stage);
	double start = now_ns(), ns;
	long there = syscall(SYS_migrate_pages, child.pid, NODES_MAX, near.words, far.words);
	long back = syscall(SYS_migrate_pages, child.pid, NODES_MAX, far.words, near.words);

	ns = now_ns() - start;
	if (there < 0 || back < 0)
		die("migrate_pages");
	child_end(&child);
	return ns;
}

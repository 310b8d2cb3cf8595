/* SPDX-License-Identifier: MIT */
/*
 * backend.h - the seam between lib/ and backends/: who copies the bytes.
 *
 * A backend is one const table, a row of lib/registry.c. It sees this header,
 * sys.h, log.h, least.h, plain_copy.h, its own folder and pci/pci.h, and knows nothing of
 * pages, nodes or windows.
 *
 * An engine is the backend in use by the process, a channel one queue of it,
 * owned by one thread at a time:
 *
 *      open ── chan_open ── submit, reap, submit, reap ... ── chan_close ── close
 *
 * submit(), reap() and wait() run while pages of the application are out of
 * reach, with all signals blocked. They must not allocate, log, lock or block,
 * use errno or other thread-local data, or touch any memory but the channel,
 * the engine, constants and what is to be copied: whatever else they touched
 * might be what this very thread has taken away. Engines and channels
 * therefore live in memory from env->memory().
 *
 * Source and destination never overlap. Both are resident, readable and
 * writable, and aligned to the base page size; lengths are multiples of it.
 */
#ifndef BM_BACKEND_H
#define BM_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#include "log.h"
#include "sys.h"

/* One piece of work. */
struct bm_copy {
	void *to;
	const void *from;
	size_t length; /* bytes */
	uint32_t tag;  /* the caller's */
};

/* What became of one. */
struct bm_copied {
	size_t done;  /* bytes from the start that are as the source; all of them: success */
	uint32_t tag; /* of the copy */
	int error;    /* 0 or -errno; with one, `done` may be less than the length */
};

/* How a channel passes the time until something has ended: option engine_wait. */
enum bm_engine_wait { BM_WAIT_AUTO, BM_WAIT_POLL, BM_WAIT_UMWAIT, BM_WAIT_YIELD };

/* What a channel takes. */
struct bm_limits {
	size_t piece; /* bytes of one copy, a multiple of the page size; 0: any number */
	size_t depth; /* copies in flight; 0: any number */
};

/* A queue or a function, for bm_info_queue(); texts are valid during the call that gives them. */
struct bm_queue_facts {
	const char *device; /* "dsa0", "0000:02:00.2" */
	const char *name;   /* "wq0.0", "ae4dma" */
	const char *what;   /* "shared, 32 entries, ...", "driver vfio-pci, ..." */
	const char *why;    /* it is not used; "" */
	const char *remedy; /* and what would change that; "" */
	int node;           /* of the device, -1: none or not known */
};

struct bm_engine;  /* each backend has its own */
struct bm_channel; /* likewise */

/* What a backend is given when it is opened; valid until it is closed. */
struct bm_backend_env {
	const struct bm_sys *sys;
	const struct bm_log *log;
	const char *loop; /* option copy_loop, for the backend cpu; NULL: auto */
	const char
		*dsa_wqs; /* option dsa_wqs, for the backend dsa; NULL or "": all that are found */
	uint32_t batch;   /* option dsa_batch: descriptors in one; 0: chosen */
	const char
		*ptdma_functions; /* option ptdma_functions, for ptdma; NULL or "": all of them */
	const char *ptdma_access; /* option ptdma_access, "vfio" or "uio-unsafe"; NULL: "vfio" */
	uint32_t ptdma_ring;      /* option ptdma_ring: descriptors in a ring; 0: chosen */
	enum bm_engine_wait wait; /* option engine_wait */
	uint32_t rank; /* of this process among those of its job on this machine, from 0 */
	uint64_t page_size;
	uint64_t huge_size; /* of a PMD mapping, 0 without */
	/* Zeroed memory that is never migrated, NULL when there is none; and its end. */
	void *(*memory)(const struct bm_sys *sys, size_t size);
	void (*memory_end)(const struct bm_sys *sys, void *memory, size_t size);
};

/* Facts about a backend. */
#define BM_BACKEND_SYNC (1u << 0) /* submit() returns when all it took is copied */
#define BM_BACKEND_PINS (1u << 1) /* has pin() and unpin(): the device knows no virtual addresses */

struct bm_backend {
	const char *name;
	const char *does; /* one line for bm_info_backend() */
	unsigned int facts;
	/*
	 * Optional: whether open() would succeed, without disturbing anybody: 0,
	 * or -errno with the reason in why (BM_WHY_MAX bytes) and what would help
	 * in remedy (likewise).
	 */
	int (*probe)(const struct bm_backend_env *env, char *why, char *remedy);
	/* Optional: calls add() for each queue of this kind on this machine, used or not. */
	void (*list)(const struct bm_backend_env *env,
		     void (*add)(void *arg, const struct bm_queue_facts *queue), void *arg);
	/* 0; -ENODEV: not on this machine, skip in silence; or -errno, then it has logged why. */
	int (*open)(const struct bm_backend_env *env, struct bm_engine **engine);
	void (*close)(struct bm_engine *engine);
	/*
	 * Optional: how many copies, at most, are given to a device as one; 0: the
	 * usual. 0 where an option has decided that, else 1. At any time, any thread.
	 */
	int (*batch)(struct bm_engine *engine, uint32_t copies);
	/*
	 * Optional: from how many bytes on it is faster than a core, by what was
	 * published, for where that is not measured. At any time, any thread.
	 */
	size_t (*published)(const struct bm_engine *engine);
	/* A channel whose memory is near the node (-1: anywhere); 0 or -errno. */
	int (*chan_open)(struct bm_engine *engine, int node, struct bm_channel **channel);
	/* Nothing is in flight, or settle() has said so. */
	void (*chan_close)(struct bm_channel *channel);
	/* Optional: what submit() takes; without it any copy and any number. */
	void (*limits)(const struct bm_channel *channel, struct bm_limits *limits);
	/* Optional, allowed where submit() is: the copies that follow go to memory of this node. */
	void (*aim)(struct bm_channel *channel, int node);
	/*
	 * Optional, allowed where submit() is, and with BM_BACKEND_PINS: keeps the
	 * pages of all copies that will be submitted until unpin() where they are, and
	 * finds out where that is: 0, or -errno, and nothing is pinned. The pages are
	 * resident; no two of the copies have one in common; they are what one window has, 256
	 * copies at most and no more bytes than 512 base pages or a huge page. A page of a movable zone
	 * may be moved before it is pinned, also to another node.
	 */
	int (*pin)(struct bm_channel *channel, const struct bm_copy *copies, size_t count);
	/*
	 * After pin(), once all that was submitted was reaped or is given up. The
	 * sources are free then, so are the targets but those that the device may
	 * still write to: where there are such, 1, and no target of the list is free before
	 * settle() says so. Or -errno: nothing is known of any of them.
	 */
	int (*unpin)(struct bm_channel *channel);
	/*
	 * Takes copies in order: how many it took (1 to count), or -EAGAIN when it
	 * can take none before some were reaped, or another -errno when it will
	 * never take any more.
	 */
	int (*submit)(struct bm_channel *channel, const struct bm_copy *copies, size_t count);
	/*
	 * Tells of copies that have ended, each exactly once, in any order: how
	 * many (0: none has), or -errno when nothing will ever end any more. The
	 * bytes are visible to all CPUs and devices before this returns.
	 */
	int (*reap)(struct bm_channel *channel, struct bm_copied *copied, size_t most);
	/* Optional: passes a moment until reap() may have something. */
	void (*wait)(struct bm_channel *channel);
	/*
	 * Optional, outside of windows, for a channel whose copies were given up:
	 * 1 once nothing that it took can write any more, 0 while that is not
	 * known. May take time, and end queues of the engine for good.
	 */
	int (*settle)(struct bm_channel *channel);
};

#endif

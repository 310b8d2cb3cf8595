/* SPDX-License-Identifier: MIT */
/* options.h - how a context shall behave. */
#ifndef BATCHMIG_OPTIONS_H
#define BATCHMIG_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "linkage.h"

BATCHMIG_BEGIN

/* Value of an integer option that leaves the choice to the environment. */
#define BM_OPTION_UNSET INT64_MIN

enum bm_log_level {
	BM_LOG_NONE = 0,
	BM_LOG_ERROR,
	BM_LOG_WARN,
	BM_LOG_INFO,
	BM_LOG_DEBUG,
};

/*
 * bm_log_fn - receives one finished line without its newline.
 * @user: bm_options.log_user. @level: enum bm_log_level. @line: valid during
 * the call only. It may run in any thread that is inside a call of this
 * context, also in two at once, and must not call into the library.
 */
typedef void bm_log_fn(void *user, int level, const char *line);

/*
 * struct bm_options - how a context behaves.
 * A field that is NULL or BM_OPTION_UNSET takes its value from the
 * environment, and when that is silent from the default. The strings are
 * copied by bm_context_new(). bm_info_option() lists range and default.
 */
struct bm_options {
	size_t size;
	const char *backend;   /* BATCHMIG_BACKEND: preference list, "auto", "kernel", "cpu",
			        * "dsa", "ptdma" */
	const char *mover;     /* BATCHMIG_MOVER: "auto", "swap", "move_pages" or "mbind" */
	const char *quiet;     /* BATCHMIG_QUIET: "no", "yes" or "strict" */
	const char *log_level; /* BATCHMIG_LOG: "none" to "debug" */
	int64_t threads;       /* BATCHMIG_THREADS: at most so many per batch (64), 0: auto */
	int64_t call_pages;    /* BATCHMIG_CALL_PAGES: base pages per kernel call */
	int64_t retries;       /* BATCHMIG_RETRIES: of a transient failure */
	int64_t retry_us;      /* BATCHMIG_RETRY_US: first back-off, microseconds */
	bm_log_fn *log;        /* NULL: standard error */
	void *log_user;
	const char *copy_loop; /* BATCHMIG_COPY_LOOP: of the backend cpu, "auto" measures */
	int64_t chunk_kb; /* BATCHMIG_CHUNK_KB: most out of reach at a time, KiB; 0: a huge page */
	int64_t pool_mb;  /* BATCHMIG_POOL_MB: pages kept for swap, MiB per node */
	int64_t local_ranks;  /* BATCHMIG_LOCAL_RANKS: processes that share pool_mb, 0: asks MPI */
	int64_t pool_idle_ms; /* BATCHMIG_POOL_IDLE_MS: unused so long pages are given back */
	const char *spread;   /* BATCHMIG_SPREAD: threads over last-level caches, "off" or "on" */
	const char *pool_refill; /* BATCHMIG_POOL_REFILL: "off" or "on", what a batch found lacking
				  * in the pool is populated after it, in the background */
	int64_t max_stall_us;    /* BATCHMIG_MAX_STALL_US: see "The bound of the window"; 0: none */
	const char *bound;       /* BATCHMIG_BOUND: "strict" or "wish" */
	int64_t max_bytes_per_s; /* BATCHMIG_MAX_BYTES_PER_S: of all batches together; 0: any */
	const char *profile;     /* BATCHMIG_PROFILE: file of bm_tune(); "": measures shortly */
	const char *stats;       /* BATCHMIG_STATS: "1" reports the sums of the context when it is
				  * freed, or else when the process exits; "0" does not */
	const char *stats_file;  /* BATCHMIG_STATS_FILE: the report is added to this file, "%p" is
				  * the process's id; "": standard error */
	const char *dsa_wqs;     /* BATCHMIG_DSA_WQS: work queues of Intel DSA, "": all there are */
	int64_t dsa_batch;       /* BATCHMIG_DSA_BATCH: copies in one batch of it, 0: measured */
	const char *engine_wait; /* BATCHMIG_ENGINE_WAIT: "auto", "poll", "umwait" or "yield" */
	int64_t engine_timeout_ms; /* BATCHMIG_ENGINE_TIMEOUT_MS: then an engine is given up */
	int64_t engine_least_kb;   /* BATCHMIG_ENGINE_LEAST_KB: smaller chunks are the cpu's where
				    * both are named, KiB; 0: measured */
	const char *engine_share;  /* BATCHMIG_ENGINE_SHARE: engine and cpu copy parts of one chunk,
				    * "auto" measures, "off" or "on" */
	const char *ptdma_functions; /* BATCHMIG_PTDMA_FUNCTIONS: PCI addresses of AMD PTDMA, "":
				      * all there are */
	const char *ptdma_access;    /* BATCHMIG_PTDMA_ACCESS: "vfio" or "uio-unsafe" */
	int64_t ptdma_ring;          /* BATCHMIG_PTDMA_RING: descriptors in a ring, a power of two,
				      * 0: chosen */
};

/*
 * bm_options_init - every field unset.
 * @options: to be initialised. @size: sizeof(struct bm_options) of the caller.
 * Returns 0, or -EINVAL when @options is NULL or @size is impossible.
 * Never blocks, any thread. Since 0.1.
 */
int bm_options_init(struct bm_options *options, size_t size);

/*
 * bm_options_check - would bm_context_new() accept this? And if not, why?
 * @options: NULL for the environment alone. @why: NULL, or a buffer of @size
 * bytes that gets one line (empty on success) naming the option, the value
 * and what is allowed; cut to fit.
 * Returns 0; -EINVAL a value is not allowed; -E2BIG @options comes from a
 * newer header and sets a field this library does not know; -ENODEV no
 * backend of the list, or not the mover, can be had on this machine; -ENOMEM.
 * Reads the environment with secure_getenv(). Any thread. Since 0.1.
 */
int bm_options_check(const struct bm_options *options, char *why, size_t size);

BATCHMIG_END

#endif /* BATCHMIG_OPTIONS_H */

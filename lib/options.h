/* SPDX-License-Identifier: MIT */
/*
 * options.h - the one table of options, and the values of a context.
 *
 * An option beats the environment, the environment beats the default. A value
 * that is not allowed is an error, never a default.
 */
#ifndef BM_OPTIONS_H
#define BM_OPTIONS_H

#include "backend.h"
#include "batchmig.h"
#include "log.h"
#include "sys.h"
#include "workers.h"

#define BM_LIST_MAX   256 /* bytes of a preference list, or of a text */
#define BM_CHOICE_MAX 32

#define BM_STALL_MOST_US INT64_C(60000000)
#define BM_RATE_MOST     INT64_C(1000000000000000) /* bytes per second */

enum bm_mover { BM_MOVER_AUTO, BM_MOVER_MOVE_PAGES, BM_MOVER_MBIND, BM_MOVER_SWAP };
enum bm_bound { BM_BOUND_STRICT, BM_BOUND_IS_WISH };
enum bm_quiet { BM_QUIET_NO, BM_QUIET_YES, BM_QUIET_STRICT };

enum bm_option_id {
	BM_OPTION_BACKEND,
	BM_OPTION_MOVER,
	BM_OPTION_QUIET,
	BM_OPTION_LOG,
	BM_OPTION_THREADS,
	BM_OPTION_CALL_PAGES,
	BM_OPTION_RETRIES,
	BM_OPTION_RETRY_US,
	BM_OPTION_COPY_LOOP,
	BM_OPTION_CHUNK_KB,
	BM_OPTION_POOL_MB,
	BM_OPTION_LOCAL_RANKS,
	BM_OPTION_POOL_IDLE_MS,
	BM_OPTION_SPREAD,
	BM_OPTION_POOL_REFILL,
	BM_OPTION_MAX_STALL_US,
	BM_OPTION_BOUND,
	BM_OPTION_MAX_BYTES_PER_S,
	BM_OPTION_STATS,
	BM_OPTION_STATS_FILE,
	BM_OPTION_PROFILE,
	BM_OPTION_DSA_WQS,
	BM_OPTION_DSA_BATCH,
	BM_OPTION_ENGINE_WAIT, /* enum bm_engine_wait */
	BM_OPTION_ENGINE_TIMEOUT_MS,
	BM_OPTION_ENGINE_LEAST_KB,
	BM_OPTION_ENGINE_SHARE, /* enum bm_share */
	BM_OPTION_PTDMA_FUNCTIONS,
	BM_OPTION_PTDMA_ACCESS,
	BM_OPTION_PTDMA_RING,
	BM_OPTION_COUNT
};

struct bm_config {
	char backend[BM_LIST_MAX];
	char copy_loop[BM_CHOICE_MAX];
	char stats_file[BM_LIST_MAX];
	char profile[BM_LIST_MAX];
	char dsa_wqs[BM_LIST_MAX];
	char ptdma_functions[BM_LIST_MAX];
	char ptdma_access[BM_CHOICE_MAX];
	int64_t value[BM_OPTION_COUNT]; /* integers, and indices of choices */
	const char *source[BM_OPTION_COUNT];
	struct bm_log log;
};

/*
 * Resolves options (may be NULL) and environment. On failure -EINVAL or
 * -E2BIG, and the reason in why (BM_WHY_MAX bytes).
 */
int bm_config_resolve(const struct bm_sys *sys, const struct bm_options *options,
		      struct bm_config *config, char *why);

/* What backends are given, as far as those need it that only look. */
void bm_config_backend_env(const struct bm_sys *sys, const struct bm_config *config,
			   struct bm_backend_env *env);

/* The index of a mover name; -EINVAL or -ENODEV with the reason. */
int bm_mover_parse(const char *text, const char *name, char *why);

/* And the name of one. */
void bm_mover_name(enum bm_mover mover, char *buffer, size_t size);

/* Row of the table by index, without value and source; NULL past the end. */
const struct bm_option_info *bm_option_row(size_t index);
/* The value of an option in this configuration as text, into buffer. */
void bm_option_text(const struct bm_config *config, size_t index, char *buffer, size_t size);

#endif

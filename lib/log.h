/* SPDX-License-Identifier: MIT */
/* log.h - lines for whoever asked for them; silent otherwise. */
#ifndef BM_LOG_H
#define BM_LOG_H

#include "batchmig.h"

/* Bytes of a message that says why something is refused. */
#define BM_WHY_MAX 512

struct bm_log {
	bm_log_fn *hook; /* NULL: standard error */
	void *user;
	int level; /* enum bm_log_level: lines up to this one are given out */
};

__attribute__((format(printf, 3, 4))) void bm_log(const struct bm_log *log, int level,
						  const char *format, ...);

#endif

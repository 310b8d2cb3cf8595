/* SPDX-License-Identifier: MIT */
/* snapshot.h - a snapshot under construction, and where its strings live. */
#ifndef BM_SNAPSHOT_H
#define BM_SNAPSHOT_H

#include "context.h"

#define BM_FACTS_MAX    32
#define BM_MOVERS_MAX   4
#define BM_BACKENDS_MAX 8
#define BM_VALUES_MAX   BM_LIST_MAX

/* A queue of the snapshot, in a list. */
struct bm_queue_row {
	struct bm_queue_info queue;
	struct bm_queue_row *next;
};

struct bm_text; /* a string of the snapshot, in a list */

struct bm_info {
	struct bm_context *context;
	struct bm_text *texts;
	int failed; /* -ENOMEM while it was made */
	struct bm_node_info *nodes;
	size_t node_count;
	struct bm_fact facts[BM_FACTS_MAX];
	size_t fact_count;
	struct bm_facility movers[BM_MOVERS_MAX];
	size_t mover_count;
	struct bm_facility backends[BM_BACKENDS_MAX];
	size_t backend_count;
	struct bm_queue_row *queues, **queues_end; /* where the next one goes */
	const char *queue_backend;                 /* whose queues are being listed */
	struct bm_option_info options[BM_OPTION_COUNT];
};

/* A string that lives as long as the snapshot; "" when there is no memory for it. */
__attribute__((format(printf, 2, 3))) const char *bm_info_text(struct bm_info *info,
							       const char *format, ...);
/* Zeroed memory that lives as long as the snapshot, or NULL. */
void *bm_info_alloc(struct bm_info *info, size_t count, size_t size);

#endif

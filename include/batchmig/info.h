/* SPDX-License-Identifier: MIT */
/* info.h - facts as data: nodes, kernel, movers, backends, options. */
#ifndef BATCHMIG_INFO_H
#define BATCHMIG_INFO_H

#include <stddef.h>
#include <stdint.h>

#include "context.h"
#include "linkage.h"

BATCHMIG_BEGIN

struct bm_info;

/* A NUMA node. */
struct bm_node_info {
	int id;               /* ids may be sparse */
	unsigned int cpus;    /* number of CPUs; 0: memory only, like CXL */
	const char *cpu_list; /* "0-3,8", empty without CPUs */
	uint64_t memory_bytes;
	uint64_t free_bytes; /* when the snapshot was taken */
	int tier;            /* memory tier, -1 unknown (Linux < 6.1) */
	int allowed;         /* 1: within this process's cpuset */
	size_t distances;    /* entries of distance */
	const int *distance; /* to the node at each index of bm_info_node() */
};

/* A fact about the kernel that matters here. */
struct bm_fact {
	const char *name; /* "userfaultfd", "PAGEMAP_SCAN", ... */
	const char *value;
	const char *note; /* what follows from it; may be empty */
};

/* A mover or a backend. */
struct bm_facility {
	const char *name;
	int usable;         /* 1: here and now, by this process */
	const char *why;    /* usable: what it does; otherwise why not */
	const char *remedy; /* what would make it usable; empty when usable */
};

/* A queue of a device that can copy, or a device that is used as a whole. */
struct bm_queue_info {
	const char *backend; /* that uses it: "dsa", "ptdma" */
	const char *device;  /* "dsa0", "0000:02:00.2"; empty: it could not be told, see why */
	const char *name;    /* "wq0.0", "ae4dma"; empty: none of the device is configured */
	int node;            /* of the device; -1: none, or not known */
	int usable;          /* 1: by this process, as far as can be told without opening it */
	const char *what;    /* "shared, 16 entries, ..."; may be empty */
	const char *why;     /* it is not usable; otherwise empty */
	const char *remedy;  /* what would make it usable, if that is known; otherwise empty */
};

/* A row of the option table. */
struct bm_option_info {
	const char *name;     /* field of struct bm_options */
	const char *env;      /* environment variable */
	const char *type;     /* "integer", "choice", "list", "text" */
	const char *allowed;  /* "0..64", "auto|move_pages|mbind|swap" */
	const char *unit;     /* "", or what is counted: "pages", "us", "MiB", "bytes/s", ... */
	const char *standard; /* the default, as text */
	const char *doc;      /* one line */
	const char *value;    /* in this context, as text */
	const char *source;   /* "option", "environment", "default" */
};

/*
 * bm_info_new - a snapshot of nodes, kernel facts, movers, backends, queues, options.
 * @context: NULL for the default one. @info: gets the snapshot, owned by the
 * caller, to be freed with bm_info_free().
 * Returns 0, -EINVAL, -ENOMEM, -ESTALE. Reads sysfs and procfs: about a
 * millisecond, and some more where there are DSA devices, which libaccel-config
 * then asks (it also clears their cmd_status). Any thread; afterwards the snapshot is constant. Since 0.1.
 */
int bm_info_new(struct bm_context *context, struct bm_info **info);

/* bm_info_free - frees a snapshot; NULL does nothing. Since 0.1. */
void bm_info_free(struct bm_info *info);

/*
 * bm_info_node - a node of a snapshot, ascending by id.
 * @index: from 0 until NULL is returned. What it points to lives as long as
 * the snapshot. Never blocks; any thread. Since 0.1.
 */
const struct bm_node_info *bm_info_node(const struct bm_info *info, size_t index);

/* bm_info_kernel - a kernel fact; rules of bm_info_node(). Since 0.1. */
const struct bm_fact *bm_info_kernel(const struct bm_info *info, size_t index);

/* bm_info_mover - a mover; rules of bm_info_node(). Since 0.1. */
const struct bm_facility *bm_info_mover(const struct bm_info *info, size_t index);

/* bm_info_backend - a backend; rules of bm_info_node(). Since 0.1. */
const struct bm_facility *bm_info_backend(const struct bm_info *info, size_t index);

/* bm_info_queue - a queue of a device; rules of bm_info_node(). Since 0.1. */
const struct bm_queue_info *bm_info_queue(const struct bm_info *info, size_t index);

/* bm_info_option - a row of the option table; rules of bm_info_node(). Since 0.1. */
const struct bm_option_info *bm_info_option(const struct bm_info *info, size_t index);

/*
 * bm_info_page_size - bytes of a base page; bm_info_huge_size - bytes of a
 * page mapped by one PMD entry (2 MiB on x86-64), 0 without such pages.
 * Never block; any thread; 0 for a NULL snapshot. Since 0.1.
 */
size_t bm_info_page_size(const struct bm_info *info);
size_t bm_info_huge_size(const struct bm_info *info);

BATCHMIG_END

#endif /* BATCHMIG_INFO_H */

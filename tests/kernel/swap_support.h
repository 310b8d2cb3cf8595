/* SPDX-License-Identifier: MIT */
/* swap_support.h - batches of the mover swap, and what shows that they lost nothing. */
#ifndef KERNEL_SWAP_SUPPORT_H
#define KERNEL_SWAP_SUPPORT_H

#include "support.h"

#include <pthread.h>

#define SWAP_FLAGS (BM_QUIET | BM_REPLACE)
#define HUGE_PAGES (HUGE / PAGE)

/* A context, and what its batches told. */
struct swapper {
	struct bm_context *context;
	uint64_t flags;          /* of the batches: SWAP_FLAGS unless it is changed */
	const char *mover;       /* "swap" unless it is changed */
	unsigned char *reasons;  /* of the last batch */
	struct bm_report report; /* of the last batch */
	int64_t max_stall_us;    /* of each batch */
	uint64_t swapped;        /* report.bytes_swapped and report.windows of all batches */
	uint64_t windows;
};

#define SWAP_NO_POOL (-1) /* pool_mb 0 */

/* The options of the same names; 0 leaves the choice to the library. */
void swapper_new(struct swapper *swapper, int64_t chunk_kb, int64_t threads, int64_t pool_mb);
void swapper_free(struct swapper *swapper);
/* One batch by the long form, to area->targets: as bm_batch_wait(), or bm_submit()'s error. */
long swapper_submit(struct swapper *swapper, struct area *area);
/*
 * The same to the node of a round: there and back between two nodes, or with
 * one node only to other memory of it. What was made on nodes[0] moves in round 0.
 */
long swapper_round(struct swapper *swapper, struct area *area, int round);
int node_of_round(int round);

/* 1: the mover swap can be had here. */
int swap_usable(void);
/* BM_REASON_NONE, or why no page can be swapped here (old kernel, no privilege). */
int swap_refusal(void);

/* Physical page numbers of the pages of an area, 0: none. To be freed. */
uint64_t *frames_of(const struct area *area);
/* How many pages still, or again, have the same; 0 where the kernel does not tell them. */
size_t frames_kept(const struct area *area, const uint64_t *frames);
/* The entry of /proc/self/pagemap of the page. */
uint64_t pagemap_of(const void *page);
#define PAGEMAP_PRESENT (1ull << 63)
#define PAGEMAP_FRAME   ((1ull << 55) - 1)

/*
 * How many pages of the area have one of these flags in /proc/kpageflags; and
 * which: flagged gets a 0 or 1 for each, or is NULL.
 */
size_t pages_flagged(const struct area *area, uint64_t flags, char *flagged);
#define FLAG_HEAD (1ull << 15) /* of a large folio */
#define FLAG_TAIL (1ull << 16)
#define FLAG_KSM  (1ull << 21)

/*
 * Asserts after a batch that each of its pages was swapped: status, reason,
 * report and other frames than before. Where swap cannot be had: that each is
 * on its target all the same, or was left there, with the reason why.
 */
void check_swapped(const struct swapper *swapper, const struct area *area, const uint64_t *before);
/* Moves the area twice, each time with that result for every page. */
void expect_swapped(struct area *area);
/* The same for pages that swap leaves to the kernel, with this reason. */
void expect_left(struct area *area, int reason);
/* Asserts that something was swapped in any batch, where swap can be had. */
void check_any_swapped(const struct swapper *swapper);

/*
 * Private anonymous memory that starts at a huge page, made of huge pages or
 * else of base pages, each base page stamped and in the list. It lies where
 * mmap(2) never puts anything by itself: what is unmapped of it stays free.
 */
void area_new_low(struct area *area, size_t huge_count, int huge, int node);
void area_new_huge(struct area *area, size_t huge_count, int node);
/* A field of /proc/self/smaps, in KiB, of the mapping with this address. */
long smaps_kb(const void *address, const char *field);
/* 1: that mapping has this one of its VmFlags ("lo": locked). */
int smaps_flag(const void *address, const char *flag);

/* Threads that count up words of their own in each page, and know what they have to be. */
#define WRITERS_MOST 4
struct writers {
	char *start;
	size_t count;
	size_t skip_from, skip_to; /* pages that somebody else has */
	int threads;
	int readers; /* of them: they write nothing, and check the stamps */
	atomic_int stop;
	atomic_ulong wrong; /* words that were not as they were left */
	atomic_ulong rounds;
	char first[160]; /* the first wrong word */
	uint64_t *shadow[WRITERS_MOST];
	pthread_t thread[WRITERS_MOST];
	struct writers_arg {
		struct writers *writers;
		int number;
	} arg[WRITERS_MOST];
};
/*
 * Fill in start, count and threads (and the rest, where wanted) first; the
 * words begin at 0, or whatever they are. They lie apart from the stamps.
 */
void writers_start(struct writers *writers);
/* Ends them and asserts that they have been running and that every word was and is right. */
void writers_end(struct writers *writers);

/*
 * Ends the program with "not ok TEST: ..." when a pulse has not been beaten
 * for 20 seconds. Writers have pulses of their own; every swapper_submit() of
 * any thread beats that of the test. Each test with a swapper starts with it.
 */
void watchdog_start(const char *test);
void watchdog_stop(void);
void watchdog_beat(void);
struct pulse;
/* NULL when no watchdog runs: allowed below. A pulse is ended before its thread is. */
struct pulse *pulse_new(const char *who);
void pulse_beat(struct pulse *pulse);
void pulse_end(struct pulse *pulse);

/*
 * Writes a file of /proc or /sys; it is as before when the next test with a
 * watchdog starts or the program ends, also after a test that failed. 0 or -errno.
 */
int setting(const char *path, const char *text);
void settings_back(void);

/* A loop of limited time: about one second, a minute with BM_TEST_FULL=1; four rounds at least. */
struct box {
	uint64_t end;
	unsigned int rounds;
	struct pulse *pulse; /* beaten each round */
};
void box_start(struct box *box, const char *who);
int box_open(struct box *box);
uint64_t now_ns(void);

/* A field of /proc/self/status, in KiB. */
long status_kb(const char *field);
/* Lines of /proc/self/maps, entries of /proc/self/fd and /proc/self/task. */
size_t count_maps(void);
size_t count_entries(const char *folder);
/* 1: one of the descriptors is a userfaultfd. */
int has_userfaultfd(void);

#endif

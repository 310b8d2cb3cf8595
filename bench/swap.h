/* SPDX-License-Identifier: MIT */
/*
 * swap.h - what the parts of the benchmark of the mover swap share.
 *
 * A *stage* is the memory and the pages that a case works on, an *entrant* one
 * way to copy or move them, a *contest* the entrants that are measured in
 * alternation, and a *result* one row of what is printed.
 */
#ifndef BENCH_SWAP_H
#define BENCH_SWAP_H

#include <batchmig.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define THREADS_MAX  64
#define LISTED_MAX   16
#define ENTRANTS_MAX 10
#define EXTRAS_MAX   20
#define NOTE_MAX     256

/* What the command line and the machine say. */
struct setup {
	int rounds;
	size_t mb;
	int threads[LISTED_MAX];
	int thread_counts;
	int json;
	int instructions;  /* the clock counts them: --instructions */
	const char *mover; /* the entrant of the library */
	char *const *words;
	int word_count;
	int cpus; /* that this process may use */
	int near, far;
	int two_nodes;
	size_t page_size, huge_size;
	int frames_seen; /* 1: /proc/self/pagemap tells their numbers */
};

/* ----------------------------------------------------------- swap_machine.c */

#define WRONG_CALL 2  /* status of a program that was called wrongly */
#define SKIPPED    77 /* of one that cannot work here */

/* A whole number in @min..@max; ends the program, and says what is allowed, when it is none. */
long whole_number(const char *option, const char *text, long min, long max);

/* CPUs, sizes and nodes; ends the program when setup->mover cannot be used here. */
void look_around(struct setup *setup);

/* ------------------------------------------------------------ swap_memory.c */

enum frames { FRAMES_IN_ORDER, FRAMES_SCATTERED, FRAMES_HUGE };

struct region {
	char *map; /* with a guard before and behind */
	size_t map_length;
	char *start;
	size_t length;
	size_t page_size;
};

/* Resident memory of @node; ends the program when there is none. */
void region_new(struct region *region, const struct setup *setup, enum frames frames, int node);
void region_free(struct region *region);

/* A value of its own in every word; and how many words of every @stride pages are wrong. */
void region_fill(const struct region *region);
size_t region_wrong(const struct region *region, size_t stride, size_t bytes);

/* Shares in 0..1; -1 when the kernel does not tell. */
double region_adjacent(const struct region *region);
double region_huge_share(const struct region *region);
/* Does the kernel tell this process the numbers of frames? */
int region_frames_seen(void);

/* -------------------------------------------------------------- swap_copy.c */

typedef void copy_loop(char *to, const char *from, size_t length);

copy_loop copy_memcpy;
copy_loop copy_populate; /* makes the memory present first, then as the plain loop */

/* The plain loop of non-temporal stores for this CPU, and its name. */
void copy_plain_choose(void);
extern copy_loop *copy_plain;
extern const char *copy_plain_name;

double now_ns(void);
void die(const char *what);

/* Runs @work in so many threads at once; returns nanoseconds from start to the last end. */
double in_threads(void (*work)(void *arg, int index, int count), void *arg, int count);

/* -------------------------------------------------------------- run_batch.c */

/* Ends the program: a call of the library has returned this. */
void library_failed(const char *what, long rc) __attribute__((noreturn));
/* Submits and waits: nanoseconds. The caller frees the batch. */
double batch_ns(struct bm_context *context, const struct bm_request *request,
		struct bm_batch **batch, long *misplaced);

/* ------------------------------------------------------------- swap_mover.c */

/* The library in one configuration, and what its reports said. */
struct mover {
	struct bm_context *context;
	const char *name;
	uint64_t batches, entries, bytes;
	uint64_t entries_as_asked, bytes_swapped, windows, ns_window, ns_window_max;
	uint64_t ns_phase[4]; /* plan, classify, move, verify: of the last batch */
	uint64_t reasons[BM_REASON_SLOTS];
	unsigned int threads;
	uint64_t populated;
};

struct mover_options {
	const char *name;
	int threads;
	int64_t chunk_kb; /* 0: the default */
	int64_t pool_mb;
};

void mover_open(struct mover *mover, const struct mover_options *options);
void mover_close(struct mover *mover);

/* Forgets what the reports said: the warm-up is over. */
void mover_reset(struct mover *mover);
uint64_t mover_populated(const struct mover *mover);
uint64_t mover_recycled(const struct mover *mover);

/* ----------------------------------------------------------- swap_contest.c */

struct accessor;
struct histogram;

struct stage {
	const struct setup *setup;
	struct region live;  /* what moves, on the near node */
	struct region other; /* what plain copies write to; far, where there are two nodes */
	enum frames frames;
	size_t stride;  /* pages from one entry to the next */
	size_t unit;    /* bytes of an entry */
	size_t count;   /* entries of a call */
	size_t repeats; /* calls in a round, each with entries of its own */
	int threads;
	void **pages;
	int *nodes[2]; /* all near, all far */
	int *status;
	struct accessor *accessor; /* NULL: nobody touches the pages meanwhile */
};

struct entrant {
	char name[40];
	double (*run)(struct entrant *entrant); /* one round, nanoseconds */
	int quiesce;                            /* before each round */
	struct stage *stage;
	struct mover *mover;
	copy_loop *loop;
	struct histogram *histogram;
	double *ns;
};

struct extra {
	const char *name;
	double value;
};

struct result {
	const char *name, *detail, *competitor, *unit;
	int threads;
	int less_is_better;
	double best, median, min, max;
	double ratio; /* to the plain non-temporal copy; 0: none */
	struct extra extras[EXTRAS_MAX];
	int extra_count;
	char note[NOTE_MAX];
};

struct contest {
	const char *name;
	char detail[48];
	struct stage *stage;
	struct entrant entrants[ENTRANTS_MAX];
	int count;
	int reference; /* the plain non-temporal copy; -1 */
	struct extra extras[4];
	int extra_count;
};

void stage_open(struct stage *stage, const struct setup *setup, enum frames frames);
void stage_close(struct stage *stage);

/* The entries of the next contests: so many, every @stride pages; one call a round. */
void stage_entries(struct stage *stage, size_t stride, size_t unit, size_t count);
size_t stage_bytes(const struct stage *stage);

/* Ends the program when a byte is wrong. */
void stage_check(const struct stage *stage, const char *name, int copied);

void contest_begin(struct contest *contest, const char *name, struct stage *stage);
struct entrant *contest_copy(struct contest *contest, const char *name, copy_loop *loop);
struct entrant *contest_mover(struct contest *contest, const char *name, struct mover *mover);
/* move_pages(2) in plain loops; nothing on a machine with one node. */
void contest_move_pages(struct contest *contest);
void contest_run(struct contest *contest);

/* Fills the numbers from @count values, which it sorts. */
void result_numbers(struct result *result, double *values, int count);
void result_extra(struct result *result, const char *name, double value);
void result_mover(struct result *result, const struct mover *mover, const struct stage *stage);

/* What entrants run. */
double run_copy(struct entrant *entrant);
double run_populate(struct entrant *entrant);
double run_mover(struct entrant *entrant);
double run_move_pages(struct entrant *entrant);

/* ------------------------------------------------------------ swap_access.c */

struct accessor *accessor_start(const struct region *region);
/* Times go there until told otherwise; NULL: nowhere. */
void accessor_into(struct accessor *accessor, struct histogram *histogram);
void accessor_stop(struct accessor *accessor);

void histogram_extras(const struct histogram *histogram, struct result *result);

/* ------------------------------------------------- swap_cases.c, swap_detail.c */

int64_t pool_mb(const struct setup *setup);
void case_base(const struct setup *setup);
void case_huge(const struct setup *setup);
void case_oneway(const struct setup *setup);
void case_chunks(const struct setup *setup);
void case_sizes(const struct setup *setup);
void case_sparse(const struct setup *setup);
void case_interrupts(const struct setup *setup);
void case_phases(const struct setup *setup);

/* ------------------------------------------------------------ swap_output.c */

void output_begin(const struct setup *setup);
void output_add(const struct setup *setup, const struct result *result);
void output_end(const struct setup *setup);

#endif

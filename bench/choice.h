/* SPDX-License-Identifier: MIT */
/*
 * choice.h - what the parts of the benchmark of the automatic choice share.
 *
 * A *scene* is pages that move in one way, a *setting* how a context is told
 * to move them, a *runner* a setting in a scene with the times of its batches.
 * The *field* are all runners; the fastest of them meet again in the *final*.
 */
#ifndef BENCH_CHOICE_H
#define BENCH_CHOICE_H

#include "memory.h"
#include "mover.h"
#include "setup.h"
#include "spread.h"

#define RUNNERS_MAX  64
#define SCENES_MAX   16
#define REPEATS_MAX  64
#define TITLE_MAX    48
#define FINALISTS    3
#define LEFT_ALLOWED 0.01 /* of the entries; who leaves more than that is not compared */

enum part { FIELD, FINAL, PARTS };

/* What the command line says. */
struct choice {
	struct setup setup; /* rounds, mb of base pages; what the machine has */
	int finals;         /* rounds of the final */
	int check;          /* percent; -1: do not */
	int all;            /* also the times of all settings */
	char *const *words; /* choose scenes */
	int word_count;
};

enum kind {
	FIXED,
	AUTO, /* nothing set but the promise */
	TWIN  /* the same once more: what differs from it is noise */
};

struct setting {
	char name[TITLE_MAX];
	enum kind kind;
	const char *mover;
	int64_t threads, chunk_kb, pool_mb; /* BM_OPTION_UNSET: left to the library */
	const char *copy_loop;
};

struct runner {
	const struct setting *setting;
	struct bm_context *context;
	int primed;                      /* it has measured what it measures once */
	double ns[PARTS][ROUNDS_MAX];    /* of a batch, in each round */
	struct spread spread[PARTS];     /* of these */
	uint64_t entries, left, threads; /* of all timed batches */
};

struct shape {
	const char *name, *what;
	enum frames frames;
	size_t stride; /* pages from one entry to the next; 0: those of a huge page */
	size_t count;  /* entries of a batch; 0: as many as there are */
};

struct scene {
	const struct choice *choice;
	const struct shape *shape;
	int cold; /* the pool is empty before each batch */
	struct region region;
	size_t count, repeats; /* entries of a batch, batches of different pages in a round */
	void **pages;
	int *nodes[2]; /* all near, all far */
	int *status;
	double *estimate; /* gets what bm_estimate() says of the next timed batch */
};

/* What is kept of a scene when it is over. */
struct verdict {
	char name[TITLE_MAX];
	struct runner *runners;
	int count;
	const struct runner *chosen, *twin, *best; /* best: of the fixed ones */
	enum part part;                            /* whose times decide */
	double estimate_ns;                        /* 0: not told */
};

/* ---------------------------------------------------------- choice_settings.c */

/* All settings that can be had here; says of the others why not. Returns how many. */
int settings_list(const struct choice *choice, struct setting *settings);
struct bm_context *setting_open(const struct setting *setting);

/* ------------------------------------------------------------- choice_scene.c */

extern const struct shape shapes[];
extern const int shape_count;

const char *scene_name(const struct shape *shape, int cold, char *text, size_t size);
void scene_open(struct scene *scene, const struct choice *choice, const struct shape *shape,
		int cold);
void scene_close(struct scene *scene); /* ends the program when a byte is wrong */

/* --------------------------------------------------------------- choice_run.c */

/* One turn of a runner: nanoseconds of a batch. */
double runner_turn(struct runner *runner, struct scene *scene);

/* -------------------------------------------------------------- choice_race.c */

/* Rounds of a part. */
int part_rounds(const struct choice *choice, enum part part);
/* All rounds of a scene. */
void race(struct scene *scene, const struct setting *settings, int count, struct verdict *verdict);
/* Its time by that of the best fixed setting: of each round into @ratios, and their median. */
double verdict_ratio(const struct choice *choice, const struct verdict *verdict,
		     const struct runner *runner, double *ratios);
double runner_left(const struct runner *runner);

/* ------------------------------------------------------------ choice_table.c */

/* The rows of a scene. */
void verdict_rows(const struct choice *choice, const struct verdict *verdict);
void table_print(const struct choice *choice, const struct verdict *verdicts, int count);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * scene.h - a batch on the fake kernel, and whether what came back is true.
 *
 * The oracle is the fake's own state: what the header promises of statuses,
 * reasons and tallies is held against where the pages really are.
 */
#ifndef UNIT_SCENE_H
#define UNIT_SCENE_H

#include "fake.h"

#define BASE  UINT64_C(0x10000000)
#define UNSET (-77777) /* no errno and no node: not written */

struct scene {
	size_t count;
	void **pages;
	int *nodes;
	int *status;
	unsigned char *reasons;
	/* As things were before. */
	struct fake_page *heads; /* copies: of the folio of each entry */
	int *before;
	uint32_t *decider;    /* the entry that decides for the folio of each entry */
	unsigned char *mixed; /* its folio was asked to two nodes */
	struct bm_report report;
	uint64_t flags;
	const char *mover;
	pid_t pid;
	int bounded; /* a target may be full: -ENOMEM is allowed */
	int lenient; /* the world changes on the way */
};

void scene_new(struct scene *scene, size_t count);
void scene_free(struct scene *scene);
/* Entries for adjacent pages from BASE on, all to one node. */
void scene_line(struct scene *scene, size_t count, int node);

/* Submits with reasons, waits, takes the report: the result of the batch. */
long scene_submit(struct scene *scene, struct bm_context *context);
/* The short form: no reasons, no report. */
long scene_migrate(struct scene *scene, struct bm_context *context);
/* NULL, or what is wrong with the outputs (a static text). */
const char *scene_wrong(const struct scene *scene, long result, int with_report);
#define scene_check(scene, result, with_report)                               \
	do {                                                                  \
		const char *wrong_ = scene_wrong(scene, result, with_report); \
		ck_assert_msg(!wrong_, "%s", wrong_);                         \
	} while (0)

uint32_t rnd(void);
void rnd_seed(uint64_t seed);
/* 1 in `n` cases. */
static inline unsigned char one_in(uint32_t n)
{
	return rnd() % n == 0;
}

#endif

/* SPDX-License-Identifier: MIT */
/* resume.h - what a status means for a copy, and how one goes on behind a page fault. */
#ifndef BM_DSA_RESUME_H
#define BM_DSA_RESUME_H

#include "channel.h"

enum bm_dsa_verdict {
	BM_DSA_WAITS,    /* no record yet; of one in a batch that ended: it was not begun */
	BM_DSA_DONE,     /* all of it */
	BM_DSA_RESUME,   /* a page was missing: the rest is to be submitted */
	BM_DSA_MEMBERS,  /* of a batch: the records of its copies tell */
	BM_DSA_FAILED,   /* this one */
	BM_DSA_NO_BATCH, /* and so would every batch in this queue */
	BM_DSA_UNSURE,   /* the device is broken: what it still does is not known */
	BM_DSA_NO_QUEUE, /* and so would all in this queue */
};

enum bm_dsa_verdict bm_dsa_judge(unsigned int status, int batch);

/*
 * Makes the descriptor that of the rest and touches the page that was missing:
 * 1; 0: it has been tried often enough. Believes of the record only what fits.
 */
int bm_dsa_resume(struct bm_channel *channel, uint32_t at);
/* The same for one that was not begun. */
int bm_dsa_retry(struct bm_dsa_slot *slot);
/* Touches the page of the list of a batch that was missing. */
void bm_dsa_touch_list(struct bm_channel *channel, uint32_t at);

#endif

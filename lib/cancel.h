/* SPDX-License-Identifier: MIT */
/*
 * cancel.h - pthread_cancel(3) waits while a thread is in the library: one
 * that ended within would leave locks, memory and other threads behind.
 *
 * The type is put back after the state: a cancellation that acts in
 * pthread_setcancelstate() gives NULL instead of PTHREAD_CANCELED to who joins
 * the thread (glibc 2.36).
 */
#ifndef BM_CANCEL_H
#define BM_CANCEL_H

#include <pthread.h>

struct bm_cancel {
	int state, type;
};

static inline void bm_cancel_off(struct bm_cancel *before)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before->state);
	pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &before->type);
}

static inline void bm_cancel_on(const struct bm_cancel *before)
{
	pthread_setcancelstate(before->state, NULL);
	pthread_setcanceltype(before->type, NULL);
}

#endif

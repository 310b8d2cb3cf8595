/* SPDX-License-Identifier: MIT */
/* found.h - a work queue while it is found out what it is and whether it may be used. */
#ifndef BM_DSA_FOUND_H
#define BM_DSA_FOUND_H

#include "queues.h"

#define BM_DSA_SYSFS "/sys/bus/dsa/devices"
#define BM_DSA_NODES "/dev/dsa"

/* Texts are those of sysfs, "" where they are not known. */
struct bm_dsa_facts {
	struct bm_dsa_queue queue;
	unsigned int device;   /* its number */
	char device_state[16]; /* enabled, disabled, halted */
	char state[16];        /* enabled, disabled */
	char type[16];         /* none, kernel, user */
	char driver[16];       /* "": also before Linux 6.7 */
	int pasid;             /* of the device: 1, 0, -1 not known */
	int unreadable;        /* what everything depends on is not there */
	int none;              /* stands for the device: none of its queues is configured */
};

/* Queues as they are found. */
struct bm_dsa_found {
	const struct bm_backend_env *env;
	struct bm_dsa_queue *queues;
	size_t most, count;
};

/* Judges the queue and keeps it; where there is no room, it pushes out one that is not usable. */
void bm_dsa_found_add(struct bm_dsa_found *found, struct bm_dsa_facts *facts);

int bm_dsa_found_has(const struct bm_dsa_found *found, const char *name);

/*
 * The same as bm_dsa_queues_find(), with what would help in remedy (BM_WHY_MAX
 * bytes). -ENODEV: there is no such device on this machine.
 */
int bm_dsa_queues_look(const struct bm_backend_env *env, struct bm_dsa_queue *queues, size_t most,
		       char *why, char *remedy);

#endif

/* SPDX-License-Identifier: MIT */
/* ranks.c - the variables of MPI libraries and of Slurm. */
#include "ranks.h"

#include <stdlib.h>

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* The first of these variables that is a positive number, else 0. */
static int64_t first_of(const struct bm_sys *sys, const char *const *names, size_t count)
{
	int64_t value = 0;

	for (size_t i = 0; value <= 0 && i < count; i++) {
		const char *text = sys->getenv(names[i]);

		/* Slurm adds "(x3)" for three nodes alike, and other counts after a comma. */
		value = text ? strtoll(text, NULL, 10) : 0;
	}
	return value > 0 ? value : 0;
}

uint64_t bm_job_ranks(const struct bm_sys *sys, int64_t asked)
{
	static const char *const names[] = {"OMPI_COMM_WORLD_LOCAL_SIZE",
					    "MPI_LOCALNRANKS",
					    "MV2_COMM_WORLD_LOCAL_SIZE",
					    "PALS_LOCAL_SIZE",
					    "PMIX_LOCAL_SIZE",
					    "SLURM_TASKS_PER_NODE"};

	if (asked == 0)
		asked = first_of(sys, names, COUNT_OF(names));
	return asked > 0 ? (uint64_t)asked : 1;
}

uint32_t bm_job_rank(const struct bm_sys *sys)
{
	static const char *const names[] = {
		"OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "MV2_COMM_WORLD_LOCAL_RANK",
		"PALS_LOCAL_RANKID",          "PMIX_LOCAL_RANK", "SLURM_LOCALID"};

	return (uint32_t)first_of(sys, names, COUNT_OF(names));
}

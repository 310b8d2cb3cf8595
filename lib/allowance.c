/* SPDX-License-Identifier: MIT */
/* allowance.c - a schedule of bytes, as one number. */
#include "allowance.h"

/* A product of 128 bits: a range may be of any length. */
__extension__ typedef unsigned __int128 wide;

#define SECOND_NS UINT64_C(1000000000)
/* A fifth of the time in which the rate is to be smooth: some slices of the scheduler. */
#define PORTION_NS UINT64_C(10000000)
#define SLACK_NS   UINT64_C(20000000)

static uint64_t lasts_ns(const struct bm_allowance *allowance, uint64_t bytes)
{
	return (uint64_t)((wide)bytes * SECOND_NS / allowance->bytes_per_s);
}

uint64_t bm_allowance_take(struct bm_allowance *allowance, uint64_t bytes, uint64_t now)
{
	uint64_t spent, from;

	if (allowance->bytes_per_s == 0)
		return now;
	spent = atomic_load(&allowance->spent_ns);
	do {
		/* The first one of all, or after a rest, has missed nothing. */
		from = spent + SECOND_NS < now  ? now
		       : spent + SLACK_NS < now ? now - SLACK_NS
						: spent;
	} while (!atomic_compare_exchange_weak(&allowance->spent_ns, &spent,
					       from + lasts_ns(allowance, bytes)));
	return from;
}

void bm_allowance_return(struct bm_allowance *allowance, uint64_t bytes)
{
	if (allowance->bytes_per_s)
		atomic_fetch_sub(&allowance->spent_ns, lasts_ns(allowance, bytes));
}

uint64_t bm_allowance_portion(const struct bm_allowance *allowance)
{
	return allowance->bytes_per_s ? allowance->bytes_per_s / (SECOND_NS / PORTION_NS)
				      : UINT64_MAX;
}

/* SPDX-License-Identifier: MIT */
/* option_table.h - one row for each option: its names, range, default and meaning. */
#ifndef BM_OPTION_TABLE_H
#define BM_OPTION_TABLE_H

#include "options.h"

struct bm_option_row {
	struct bm_option_info info; /* what the user is told */
	size_t offset;              /* of the field in struct bm_options */
	int is_string;
	int is_power;     /* 0, or a power of two above 1 */
	int64_t min, max; /* integers only */
};

extern const struct bm_option_row bm_option_table[BM_OPTION_COUNT];

#endif

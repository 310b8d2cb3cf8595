/* SPDX-License-Identifier: MIT */
/* main.c - all unit tests in one process. */
#include "unit.h"

#define ROW(name) name##_group,

int main(int argc, char **argv)
{
	const struct report_group groups[] = {UNIT_GROUPS(ROW)};

	return report_run(groups, sizeof(groups) / sizeof(groups[0]), argc, argv);
}

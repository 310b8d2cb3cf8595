/* SPDX-License-Identifier: MIT */
/* device_main.c - all tests of character devices, for tests/dsa/device. */
#include "device_support.h"

int main(int argc, char **argv)
{
	const struct report_group groups[] = {device_calls_group, device_copies_group,
					      device_faults_group, device_ends_group,
					      device_moves_group};
	int status = report_run(groups, sizeof(groups) / sizeof(groups[0]), argc, argv);

	device_end_all();
	return status;
}

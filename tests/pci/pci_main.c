/* SPDX-License-Identifier: MIT */
/*
 * pci_main.c - tests of the access to PCI functions, for tests/pci/device.
 *
 * usage: pci_tests PART [TEST...]
 *
 * --pins needs no function: it measures the pins of this machine.
 */
#include <stdio.h>
#include <string.h>

#include "pci_support.h"

#define GROUPS_MOST 5

struct part {
	const char *name;
	const struct report_group *groups[GROUPS_MOST];
};

static const struct part parts[] = {
	{"uio", {&uio_copies_group, &uio_pages_group, &uio_ends_group, &uio_cost_group}},
	{"vfio",
	 {&vfio_copies_group, &vfio_group, &vfio_pages_group, &vfio_ends_group, &vfio_cost_group}},
	{"uio-resets", {&uio_resets_group}},
	{"vfio-resets", {&vfio_resets_group}},
	{"vfio-two", {&vfio_two_group}},
	{"refused", {&refused_group}},
	{"user", {&user_group}},
	{"limit", {&user_limit_group}},
	{"--pins", {&uio_cost_group}},
};

int main(int argc, char **argv)
{
	struct report_group groups[GROUPS_MOST];
	size_t count = 0;

	for (size_t i = 0; argc > 1 && i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (strcmp(argv[1], parts[i].name) != 0)
			continue;
		while (count < GROUPS_MOST && parts[i].groups[count]) {
			groups[count] = *parts[i].groups[count];
			count++;
		}
		return report_run(groups, count, argc - 1, argv + 1);
	}
	fprintf(stderr, "usage: pci_tests "
			"uio|vfio|uio-resets|vfio-resets|vfio-two|refused|user|limit|--pins "
			"[TEST...]\n");
	return 2;
}

/* SPDX-License-Identifier: MIT */
/* pci_refused.c - what cannot be used is refused, and it is said why. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pci_support.h"

static int is_refused(const struct bm_pci_found *found, enum bm_pci_access access, const char *word)
{
	char why[BM_WHY_MAX] = "", remedy[BM_WHY_MAX] = "";
	int error = bm_pci_usable(&bm_sys_linux, found, access, why, remedy);

	printf("# refused: %d: %s; %s\n", error, why, remedy);
	return error < 0 && strstr(why, word) && *remedy;
}

START_TEST(another_driver)
{
	struct bm_pci_found found;

	/* The group is looked at first: it can be changed only without a driver. */
	pci_find(BM_PCI_VFIO, &found);
	ck_assert(is_refused(&found, BM_PCI_UIO, "identity"));
	pci_find(BM_PCI_UIO, &found);
	ck_assert(is_refused(&found, BM_PCI_VFIO, "uio_pci_generic"));
}
END_TEST

/* Behind an IOMMU that translates, an address of memory means something else. */
START_TEST(translated_group)
{
	const struct bm_pci_id id = {EDU_VENDOR, EDU_DEVICE};
	struct bm_pci_found all[8];
	int count = bm_pci_find(&bm_sys_linux, &id, 1, all, 8), seen = 0;
	char why[BM_WHY_MAX];
	struct bench bench;

	for (int i = 0; i < count; i++) {
		if (strcmp(all[i].driver, "uio_pci_generic") != 0 ||
		    strcmp(all[i].group_type, "identity") == 0)
			continue;
		seen++;
		ck_assert(is_refused(&all[i], BM_PCI_UIO, "identity"));
		ck_assert_int_eq(bm_pci_space_new(pci_env(), BM_PCI_UIO, &bench.space, why), 0);
		ck_assert_int_lt(bm_pci_open(bench.space, &all[i], 0, &bench.pci, why), 0);
		bm_pci_space_free(bench.space);
	}
	ck_assert_int_eq(seen, 1);
}
END_TEST

START_TEST(without_driver)
{
	const struct bm_pci_id id = {EDU_VENDOR, EDU_DEVICE};
	struct bm_pci_found all[8];
	int count = bm_pci_find(&bm_sys_linux, &id, 1, all, 8), seen = 0;

	for (int i = 0; i < count; i++) {
		if (all[i].driver[0])
			continue;
		seen++;
		ck_assert(is_refused(&all[i], BM_PCI_UIO, "identity"));
		ck_assert(is_refused(&all[i], BM_PCI_VFIO, "driver"));
	}
	ck_assert_int_eq(seen, 1);
}
END_TEST

START_TEST(by_address)
{
	struct bm_pci_found found, same;

	pci_find(BM_PCI_VFIO, &found);
	ck_assert_int_eq(bm_pci_look(&bm_sys_linux, found.address, &same), 0);
	ck_assert_str_eq(same.address, found.address);
	ck_assert_str_eq(same.driver, found.driver);
	ck_assert_int_eq(same.group, found.group);
	ck_assert_int_eq(bm_pci_look(&bm_sys_linux, "0000:77:00.0", &found), -ENODEV);
	ck_assert_int_eq(bm_pci_look(&bm_sys_linux, "../../etc", &found), -EINVAL);
}
END_TEST

/* What is advised helps, step by step, until it can be opened. */
static void follow_remedies(const char *address, enum bm_pci_access access)
{
	char why[BM_WHY_MAX], remedy[BM_WHY_MAX];
	struct bench bench = {.pins = NULL};
	int steps = 0;

	ck_assert_int_eq(bm_pci_look(&bm_sys_linux, address, &bench.found), 0);
	while (bm_pci_usable(&bm_sys_linux, &bench.found, access, why, remedy) < 0) {
		printf("# remedy: %s: %s\n", why, remedy);
		ck_assert_int_lt(steps++, 4);
		ck_assert_int_eq(system(remedy), 0);
		ck_assert_int_eq(bm_pci_look(&bm_sys_linux, address, &bench.found), 0);
	}
	ck_assert_int_gt(steps, 0);
	ck_assert_msg(bench_try(&bench, access) == 0, "%s", bench.why);
	ck_assert(edu_is_there(&bench.pci));
	bench_close(&bench);
}

/* The last of these: it has a driver then. */
START_TEST(remedies_help)
{
	const struct bm_pci_id id = {EDU_VENDOR, EDU_DEVICE};
	struct bm_pci_found all[8];
	int count = bm_pci_find(&bm_sys_linux, &id, 1, all, 8), at = 0;

	while (at < count && all[at].driver[0])
		at++;
	ck_assert_int_lt(at, count);
	follow_remedies(all[at].address, BM_PCI_VFIO);
	follow_remedies(all[at].address, BM_PCI_UIO);
}
END_TEST

static const TTest *const *const tests[] = {&another_driver, &translated_group, &without_driver,
					    &by_address,     &remedies_help,    NULL};
const struct report_group refused_group = {"pci_refused", tests};

/* SPDX-License-Identifier: MIT */
/* pci_open.c - functions in use: opening, bus mastering, resets, letting go. */
#include "pci_scene.h"
#include "unit.h"

#define MASTER 0x4u
#define MEMORY 0x2u

static void check_opened(const struct bm_pci *opened)
{
	ck_assert_uint_eq(pci.command & (MASTER | MEMORY), MEMORY);
	ck_assert_uint_eq(pci.command & 0x400, 0x400);
	ck_assert_uint_eq(opened->size, PCI_PAGE);
	ck_assert_uint_eq(bm_pci_read(opened, 0), 0x1234);
	ck_assert_str_eq(opened->address, PCI_A);
	ck_assert_int_eq(opened->resets, 1);
	ck_assert_int_eq(bm_pci_is_master(opened), 0);
}

START_TEST(opened_by_vfio)
{
	struct bm_pci opened;

	pci_begin("vfio-pci");
	pci_space(BM_PCI_VFIO);
	opened = pci_opened(PCI_A);
	ck_assert_str_eq(pci.order, "CGSIDMW");
	check_opened(&opened);
	ck_assert_int_eq(bm_pci_guards(pci.space), 1);
	bm_pci_close(&opened);
	/* The IOMMU is set anew: the last group took it away. */
	opened = pci_opened(PCI_A);
	ck_assert_uint_eq(pci.iommus_set, 2);
	bm_pci_close(&opened);
	pci_end();
}
END_TEST

START_TEST(opened_by_vfio_two_of_a_group)
{
	struct bm_pci a, b, c;

	pci_begin("vfio-pci");
	pci_space(BM_PCI_VFIO);
	b = pci_opened(PCI_B);
	a = pci_opened(PCI_A);
	c = pci_opened(PCI_C);
	ck_assert_int_eq(b.group, c.group);
	ck_assert_uint_eq(pci.iommus_set, 1);
	ck_assert_int_eq(pci.containers_set, 2);
	bm_pci_close(&b);
	ck_assert_int_eq(pci.containers_set, 2);
	bm_pci_close(&c);
	ck_assert_int_eq(pci.containers_set, 1);
	bm_pci_close(&a);
	pci_end();
}
END_TEST

START_TEST(opened_by_uio)
{
	struct bm_pci opened;

	pci_begin("uio_pci_generic");
	pci.command |= MASTER; /* as somebody left it */
	pci_space(BM_PCI_UIO);
	opened = pci_opened(PCI_A);
	ck_assert_str_eq(pci.order, "FLULMW");
	check_opened(&opened);
	ck_assert_int_eq(bm_pci_guards(pci.space), 0);
	bm_pci_close(&opened);
	pci_end();
}
END_TEST

/* Where uio does not offer the BAR, or another one under its number. */
START_TEST(opened_by_uio_with_the_bar_of_sysfs)
{
	static const struct {
		const char *file, *text;
	} all[] = {
		{"addr", NULL}, {"addr", "0x00000000f7b00000\n"}, {"size", "0x0000000000000800\n"}};
	struct bm_pci opened;
	char path[64];

	for (size_t i = 0; i < 3; i++) {
		pci_begin("uio_pci_generic");
		snprintf(path, sizeof(path), "/sys/class/uio/uio7/maps/map1/%s", all[i].file);
		pci_file(path, all[i].text);
		pci_space(BM_PCI_UIO);
		opened = pci_opened(PCI_A);
		ck_assert_str_eq(pci.order, "FLULBMW");
		bm_pci_close(&opened);
		pci_end();
	}
}
END_TEST

/* ---------------------------------------------------------------- bus mastering */

static void begin_with(enum bm_pci_access access, struct bm_pci *opened)
{
	pci_begin(access == BM_PCI_VFIO ? "vfio-pci" : "uio_pci_generic");
	pci_space(access);
	*opened = pci_opened(PCI_A);
}

START_TEST(bus_mastering_is_turned_on_and_off)
{
	struct bm_pci opened;

	for (int access = BM_PCI_VFIO; access <= BM_PCI_UIO; access++) {
		begin_with((enum bm_pci_access)access, &opened);
		ck_assert_int_eq(bm_pci_master(&opened, 1), 0);
		ck_assert_uint_eq(pci.command, 0x0406);
		ck_assert_int_eq(bm_pci_is_master(&opened), 1);
		ck_assert_int_eq(bm_pci_quiet(&opened), 1);
		ck_assert_uint_eq(pci.command, 0x0402);
		ck_assert_int_eq(bm_pci_master(&opened, 1), 0);
		bm_pci_close(&opened);
		ck_assert_uint_eq(pci.command & MASTER, 0);
		pci_end();
	}
}
END_TEST

START_TEST(bus_mastering_that_is_not_taken)
{
	struct bm_pci opened;

	begin_with(BM_PCI_UIO, &opened);
	pci.command_fixed = MASTER;
	ck_assert_int_eq(bm_pci_master(&opened, 1), -EIO);
	pci.command_fixed = 0;
	ck_assert_int_eq(bm_pci_master(&opened, 1), 0);
	pci.command_fixed = MASTER;
	ck_assert_int_eq(bm_pci_master(&opened, 0), -EIO);
	ck_assert_int_eq(bm_pci_quiet(&opened), 0);
	pci.command_fixed = 0;
	bm_pci_close(&opened);
	pci_end();
}
END_TEST

/* A function that does not answer may do anything. */
START_TEST(quiet_is_only_what_answers)
{
	volatile uint32_t *id;
	struct bm_pci opened;

	begin_with(BM_PCI_VFIO, &opened);
	id = (volatile uint32_t *)(volatile void *)opened.registers;
	*id = UINT32_MAX;
	ck_assert_int_eq(bm_pci_quiet(&opened), 0);
	*id = 0;
	ck_assert_int_eq(bm_pci_quiet(&opened), 1);
	pci.command = 0xffff;
	ck_assert_int_eq(bm_pci_quiet(&opened), 0);
	ck_assert_int_eq(bm_pci_is_master(&opened), -ENODEV);
	ck_assert_int_eq(bm_pci_master(&opened, 1), -ENODEV);
	ck_assert_int_eq(bm_pci_reset(&opened), -ENODEV);
	bm_pci_close(&opened);
	pci_end();
}
END_TEST

START_TEST(reset_leaves_bus_mastering_off)
{
	struct bm_pci opened;

	for (int access = BM_PCI_VFIO; access <= BM_PCI_UIO; access++) {
		begin_with((enum bm_pci_access)access, &opened);
		ck_assert_int_eq(bm_pci_master(&opened, 1), 0);
		ck_assert_int_eq(bm_pci_reset(&opened), 0);
		ck_assert_uint_eq(pci.resets, 1);
		ck_assert_int_eq(bm_pci_is_master(&opened), 0);
		pci.reset_error = -EAGAIN;
		ck_assert_int_eq(bm_pci_reset(&opened), -EAGAIN);
		opened.resets = 0;
		ck_assert_int_eq(bm_pci_reset(&opened), -ENOTTY);
		ck_assert_uint_eq(pci.resets, 2);
		bm_pci_close(&opened);
		pci_end();
	}
}
END_TEST

START_TEST(reset_only_where_there_is_one)
{
	struct bm_pci opened;

	pci_begin("uio_pci_generic");
	pci_file(PCI_DIR PCI_A "/reset", NULL);
	pci_space(BM_PCI_UIO);
	opened = pci_opened(PCI_A);
	ck_assert_int_eq(bm_pci_reset(&opened), -ENOTTY);
	bm_pci_close(&opened);
	pci_end();
	pci_begin("vfio-pci");
	pci.device_flags = VFIO_DEVICE_FLAGS_PCI;
	pci_space(BM_PCI_VFIO);
	opened = pci_opened(PCI_A);
	ck_assert_int_eq(bm_pci_reset(&opened), -ENOTTY);
	bm_pci_close(&opened);
	pci_end();
}
END_TEST

/* ---------------------------------------------------------------- children, failures */

/* A child closes what it has, and leaves the device to its parent: the scene looks after that. */
START_TEST(closed_in_a_child)
{
	struct bm_pci_memory memory;
	struct bm_pci_pins *pins;
	struct bm_pci opened;
	struct bm_copy copy = {(void *)0x7f0000000000, (void *)0x7e0000000000, PCI_PAGE, 0};

	for (int access = BM_PCI_VFIO; access <= BM_PCI_UIO; access++) {
		begin_with((enum bm_pci_access)access, &opened);
		ck_assert_int_eq(bm_pci_memory_new(pci.space, 1024, &memory), 0);
		ck_assert_int_eq(bm_pci_pins_new(pci.space, PCI_HUGE, 8, &pins), 0);
		ck_assert_int_eq(bm_pci_pin(pins, &copy, 1), 0);
		ck_assert_int_eq(bm_pci_master(&opened, 1), 0);
		pci.pid = 101;
		pci.unmap_calls = pci.unpin_calls = 0;
		bm_pci_pins_free(pins);
		bm_pci_memory_free(pci.space, &memory);
		bm_pci_close(&opened);
		ck_assert_uint_eq(pci.command & MASTER, MASTER);
		ck_assert_uint_eq(pci.unmap_calls + pci.unpin_calls, 0);
		pci.map_count = 0; /* its parent's */
		pci_end();
	}
}
END_TEST

static enum bm_pci_access way;

static void open_round(void)
{
	struct bm_pci_space *space;
	struct bm_pci_found found;
	struct bm_pci opened;

	pci.command = 0x0400;
	if (bm_pci_space_new(&pci.env, way, &space, pci.why) < 0)
		return;
	if (bm_pci_look(&pci.sys, PCI_A, &found) == 0 &&
	    bm_pci_open(space, &found, 2, &opened, pci.why) == 0) {
		bm_pci_master(&opened, 1);
		bm_pci_reset(&opened);
		bm_pci_close(&opened);
	}
	bm_pci_space_free(space);
}

START_TEST(opened_when_a_call_fails)
{
	pci_begin("vfio-pci");
	way = BM_PCI_VFIO;
	ck_assert_uint_gt(pci_try_each(open_round), 25);
	pci_end();
	pci_begin("uio_pci_generic");
	way = BM_PCI_UIO;
	ck_assert_uint_gt(pci_try_each(open_round), 40);
	pci_end();
}
END_TEST

static const TTest *const *const tests[] = {&opened_by_vfio,
					    &opened_by_vfio_two_of_a_group,
					    &opened_by_uio,
					    &opened_by_uio_with_the_bar_of_sysfs,
					    &bus_mastering_is_turned_on_and_off,
					    &bus_mastering_that_is_not_taken,
					    &quiet_is_only_what_answers,
					    &reset_leaves_bus_mastering_off,
					    &reset_only_where_there_is_one,
					    &closed_in_a_child,
					    &opened_when_a_call_fails,
					    NULL};

const struct report_group pci_open_group = {"pci_open", tests};

/* SPDX-License-Identifier: MIT */
/* pci_model.c - the access to PCI functions and the model of some, which were written apart. */
#include <errno.h>
#include <sys/mman.h>

#include "models/ptdma_sys.h"
#include "pci/pci.h"
#include "unit.h"

#define PAGE  4096u
#define PAGES 64u
#define COUNT 3u

static const struct ptdma_config configs[COUNT] = {{.node = 0}, {.ae4 = 1, .node = 1}, {.node = 1}};
static const struct bm_pci_id ids[] = {{0x1022, 0x1498}, {0x1022, 0x149b}};

static struct bm_sys sys;
static struct bm_log silent;
static struct bm_backend_env env;
static struct bm_pci_space *space;
static struct bm_pci functions[COUNT];
static struct bm_pci_pins *pins;
static char why[BM_WHY_MAX], remedy[BM_WHY_MAX];
static unsigned char *from, *to;
static struct bm_copy copies[PAGES];

static void ignore(void *user, int level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

static void *map(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(at, MAP_FAILED);
	return at;
}

static void *memory(const struct bm_sys *table, size_t size)
{
	(void)table;
	return map(size);
}

static void memory_end(const struct bm_sys *table, void *at, size_t size)
{
	(void)table;
	munmap(at, size);
}

static void begin(enum bm_pci_access access, struct ptdma_sys_how how)
{
	struct bm_pci_found found[BM_PCI_FUNCTIONS_MOST];

	how.driver = access == BM_PCI_VFIO ? PTDMA_VFIO_PCI : PTDMA_UIO_PCI;
	sys = bm_sys_linux;
	ck_assert_ptr_nonnull(ptdma_sys_use(&sys, configs, COUNT, &how, 1));
	silent = (struct bm_log){.hook = ignore};
	env = (struct bm_backend_env){.sys = &sys,
				      .log = &silent,
				      .page_size = PAGE,
				      .huge_size = 512 * PAGE,
				      .memory = memory,
				      .memory_end = memory_end};
	ck_assert_int_eq(bm_pci_space_new(&env, access, &space, why), 0);
	ck_assert_int_eq(bm_pci_find(&sys, ids, 2, found, BM_PCI_FUNCTIONS_MOST), COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		ck_assert_msg(bm_pci_usable(&sys, &found[i], access, why, remedy) == 0, "%s", why);
		ck_assert_int_eq(found[i].node, configs[i].node);
		ck_assert_msg(bm_pci_open(space, &found[i], configs[i].ae4 ? 0 : 2, &functions[i],
					  why) == 0,
			      "%s: %s", found[i].address, why);
	}
	from = map(PAGES * PAGE);
	to = map(PAGES * PAGE);
	ck_assert_int_eq(bm_pci_pins_new(space, PAGES * PAGE, PAGES, &pins), 0);
}

static struct ptdma_sys_held held(void)
{
	struct ptdma_sys_held count;

	ptdma_sys_count(&count);
	return count;
}

static void end(void)
{
	bm_pci_pins_free(pins);
	for (size_t i = 0; i < COUNT; i++)
		bm_pci_close(&functions[i]);
	bm_pci_space_free(space);
	ck_assert_uint_eq(held().files, 0);
	ck_assert_uint_eq(held().mappings + held().pinned_pages, 0);
	ck_assert_uint_eq(held().bus_masters + held().locks, 0);
	ptdma_sys_end();
	munmap(from, PAGES * PAGE);
	munmap(to, PAGES * PAGE);
}

/* Every fourth page is left alone. */
static size_t make_copies(void)
{
	size_t count = 0;

	for (size_t i = 0; i < PAGES; i++)
		if (i % 4 != 3)
			copies[count++] = (struct bm_copy){to + i * PAGE, from + i * PAGE, PAGE, 0};
	return count;
}

static void check_pinned(int sources, int targets)
{
	for (size_t i = 0; i < PAGES; i++) {
		ck_assert_int_eq(ptdma_sys_pinned(from + i * PAGE, PAGE), sources && i % 4 != 3);
		ck_assert_int_eq(ptdma_sys_pinned(to + i * PAGE, PAGE), targets && i % 4 != 3);
	}
}

static void try_pins(void)
{
	size_t count = make_copies(), run;

	ck_assert_int_eq(bm_pci_pin(pins, copies, count), 0);
	check_pinned(1, 1);
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_lt(bm_pci_bus(pins, copies[i].from, &run), UINT64_C(1) << 48);
		ck_assert_uint_ge(run, PAGE);
	}
	ck_assert_int_eq(bm_pci_unpin(pins, 1), 0);
	check_pinned(0, !bm_pci_guards(space));
	ck_assert_int_eq(bm_pci_unpin(pins, 0), 0);
	check_pinned(0, 0);
}

static void try_functions(void)
{
	struct bm_pci_memory ring;

	for (size_t i = 0; i < COUNT; i++) {
		ck_assert_int_eq(bm_pci_master(&functions[i], 1), 0);
		ck_assert_uint_eq(held().bus_masters, 1);
		ck_assert_int_eq(bm_pci_quiet(&functions[i]), 1);
		ck_assert_uint_eq(held().bus_masters, 0);
		ck_assert_int_eq(bm_pci_master(&functions[i], 1), 0);
		ck_assert_int_eq(bm_pci_reset(&functions[i]), 0);
		ck_assert_int_eq(bm_pci_is_master(&functions[i]), 0);
	}
	ck_assert_int_eq(bm_pci_memory_new(space, 1024, &ring), 0);
	ck_assert(ptdma_sys_pinned(ring.at, 1024));
	bm_pci_memory_free(space, &ring);
}

START_TEST(all_of_it_on_the_model)
{
	const struct ptdma_sys_how hows[] = {{0}, {.no_user_iova = 1}};

	for (size_t i = 0; i < 2; i++) {
		begin(BM_PCI_VFIO, hows[i]);
		try_functions();
		try_pins();
		end();
	}
	begin(BM_PCI_UIO, hows[0]);
	try_functions();
	try_pins();
	end();
}
END_TEST

START_TEST(the_limit_of_the_model)
{
	const struct ptdma_sys_how how = {.memlock = 70 * PAGE};

	for (int access = BM_PCI_VFIO; access <= BM_PCI_UIO; access++) {
		begin((enum bm_pci_access)access, how);
		ck_assert_int_eq(bm_pci_pin(pins, copies, make_copies()), -ENOMEM);
		check_pinned(0, 0);
		ck_assert_int_eq(bm_pci_pin(pins, copies, 30), 0);
		end();
	}
}
END_TEST

START_TEST(unsafe_on_the_model)
{
	static const struct ptdma_sys_how hows[] = {{.driver = PTDMA_UIO_PCI, .encrypted = 1},
						    {.driver = PTDMA_UIO_PCI, .no_pfn = 1},
						    {.driver = PTDMA_UIO_PCI, .group_type = "DMA"},
						    {.driver = PTDMA_NO_DRIVER}};
	struct bm_pci_found found;

	for (size_t i = 0; i < 4; i++) {
		sys = bm_sys_linux;
		ck_assert_ptr_nonnull(ptdma_sys_use(&sys, configs, COUNT, &hows[i], 1));
		ck_assert_int_eq(bm_pci_find(&sys, ids, 1, &found, 1), 1);
		ck_assert_int_lt(bm_pci_usable(&sys, &found, BM_PCI_UIO, why, remedy), 0);
		ck_assert(why[0] && remedy[0]);
		ck_assert_uint_eq(held().files, 0);
		ptdma_sys_end();
	}
}
END_TEST

static const TTest *const *const tests[] = {&all_of_it_on_the_model, &the_limit_of_the_model,
					    &unsafe_on_the_model, NULL};

const struct report_group pci_model_group = {"pci_model", tests};

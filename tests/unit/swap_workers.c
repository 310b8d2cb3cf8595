/* SPDX-License-Identifier: MIT */
/* swap_workers.c - the threads of the mover swap are placed, too: with the running kernel. */
#include <sys/mman.h>

#include "bits.h"
#include "fake.h"
#include "uffd.h"
#include "unit.h"

#define SWAPPED (16u << 20)

static struct bm_sys swap_sys;
static atomic_uint swap_pins;

static int count_pin(const struct bm_ids *cpus)
{
	ck_assert_uint_eq(bm_bits_count(cpus->bits, BM_CPUS_MAX / 64), 1);
	atomic_fetch_add(&swap_pins, 1);
	return 0;
}

static int two_cpus(struct bm_ids *cpus)
{
	*cpus = (struct bm_ids){.bits = {3}};
	return 0;
}

static int first_cpu(void)
{
	return 0;
}

static void swap_once(struct bm_context *context, char *start)
{
	static void *pages[SWAPPED / 4096];
	static int nodes[SWAPPED / 4096], status[SWAPPED / 4096];

	for (size_t i = 0; i < SWAPPED / 4096; i++)
		pages[i] = start + i * 4096;
	ck_assert_int_eq(bm_migrate_batch(context, SWAPPED / 4096, pages, nodes, status,
					  BM_QUIET | BM_REPLACE),
			 0);
}

/* Two CPUs that are said to have a cache each. */
START_TEST(each_worker_has_a_place)
{
	char *start =
		mmap(NULL, SWAPPED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct bm_uffd_wish wish = {.sys = &bm_sys_linux, .page_size = 4096, .huge_size = 2 << 20};
	struct bm_context *context;
	struct bm_options options;
	struct bm_places *places;

	ck_assert_ptr_ne(start, MAP_FAILED);
	if (bm_sys_linux.page_size() != 4096 || bm_uffd_probe(&wish) < 0)
		skip_test("no userfaultfd with UFFDIO_MOVE for this process");
	memset(start, 1, SWAPPED);
	swap_sys = bm_sys_linux;
	swap_sys.affinity = two_cpus;
	swap_sys.set_affinity = count_pin;
	swap_sys.cpu = first_cpu;
	atomic_store(&swap_pins, 0);
	bm_options_init(&options, sizeof(options));
	options.mover = "swap";
	options.threads = 2;
	options.call_pages = 1048576; /* a single thread for what the kernel moves */
	ck_assert_int_eq(bm_context_create(&swap_sys, &options, &context), 0);
	places = calloc(1, sizeof(*places));
	ck_assert_ptr_nonnull(places);
	for (unsigned int cpu = 0; cpu < 2; cpu++)
		places->cache[cpu] = (uint16_t)++places->caches;
	atomic_store(&context->places, places);
	swap_once(context, start);
	ck_assert_uint_eq(atomic_load(&swap_pins), 1);
	bm_context_free(context);
	bm_uffd_quiesce(&swap_sys);
	munmap(start, SWAPPED);
}
END_TEST

static const TTest *const *const tests[] = {&each_worker_has_a_place, NULL};
const struct report_group swap_workers_group = {"swap_workers", tests};

/* SPDX-License-Identifier: MIT */
/* swap_soak.c - many threads and two contexts on the same pages; a long run that leaves nothing. */
#include "swap_load.h"

#include <stdio.h>

#define COUNT  2048
#define MOVERS 8

/* Each moves a half of the pages, from another place on; two of the halves begin each quarter. */
START_TEST(eight_threads_two_contexts)
{
	static struct load whole, movers[MOVERS];
	struct writers writers = {.count = COUNT / 2, .threads = 2};
	uint64_t swapped = 0;
	struct box box;

	watchdog_start("swap_soak/eight_threads_two_contexts");
	load_new(&whole, COUNT);
	writers.start = whole.area.start;
	writers_start(&writers);
	memset(movers, 0, sizeof(movers));
	for (size_t i = 0; i < MOVERS; i++) {
		char *from = whole.area.start + i / 2 * (COUNT / 8) * PAGE;

		if (i < 2)
			swapper_new(&movers[i].swapper, 0, 0, 0);
		else
			movers[i].swapper = movers[i % 2].swapper;
		movers[i].swapper.reasons = NULL;
		area_over(&movers[i].area, from, COUNT / 2 + i * 3, PAGE);
	}
	for (size_t i = 0; i < MOVERS; i++)
		load_start(&movers[i]);
	box_start(&box, "the test");
	while (box_open(&box))
		usleep(20000);
	for (size_t i = 0; i < MOVERS; i++)
		load_join(&movers[i]);
	writers_end(&writers);
	for (size_t i = 0; i < MOVERS; i++) {
		load_check(&movers[i]);
		swapped += movers[i].swapper.swapped;
		area_free(&movers[i].area);
		free(movers[i].swapper.reasons);
	}
	ck_assert(swap_refusal() ? swapped == 0 : swapped > 0);
	ck_assert_uint_eq(
		wrong_words(whole.area.start + load_half(&whole), load_half(&whole), LOAD_SEED), 0);
	for (size_t i = 0; i < 2; i++)
		bm_context_free(movers[i].swapper.context);
	watchdog_stop();
	load_free(&whole);
}
END_TEST

/* What a long run must not make grow. */
struct footprint {
	size_t resident_kb, maps, descriptors;
};

static struct footprint footprint(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	struct footprint now;
	unsigned long pages = 0;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%*u %lu", &pages), 1);
	fclose(file);
	now.resident_kb = pages * (PAGE >> 10);
	now.maps = count_maps();
	now.descriptors = count_entries("/proc/self/fd");
	return now;
}

/* Threads that are left when those that only wait for more work have ended. */
static size_t threads_at_rest(size_t most)
{
	uint64_t end = now_ns() + 5000000000u;
	size_t threads;

	do {
		watchdog_beat();
		usleep(400000);
		threads = count_entries("/proc/self/task");
	} while (threads > most && now_ns() < end);
	return threads;
}

#define SOAK_PAGES 256

/* Migrates until so many windows are over (without swap: as many chunks), or the time is. */
static void soak(struct load *load, uint64_t windows, uint64_t end)
{
	struct pulse *pulse = pulse_new("the soak");
	int usable = swap_usable();
	uint64_t chunks = 0;

	while ((load->swapper.windows > chunks ? load->swapper.windows : chunks) < windows &&
	       now_ns() < end) {
		int round = (int)(atomic_fetch_add(&load->rounds, 1) % 1024);

		ck_assert_int_eq(swapper_round(&load->swapper, &load->area, round), 0);
		chunks += usable ? 0 : SOAK_PAGES / 16;
		pulse_beat(pulse);
	}
	pulse_end(pulse);
}

START_TEST(long_run)
{
	static struct load load;
	const char *full = getenv("BM_TEST_FULL");
	int long_one = full && strcmp(full, "1") == 0;
	uint64_t windows = long_one ? 1000000 : 20000, start = now_ns();
	uint64_t end = start + (long_one ? 1200ull : 10ull) * 1000000000u;
	struct footprint before, after;
	size_t threads;

	watchdog_start("swap_soak/long_run");
	load_new(&load, SOAK_PAGES);
	swapper_free(&load.swapper);
	swapper_new(&load.swapper, 64, 1, 0);
	footprint();
	soak(&load, windows / 10, start + (end - start) / 5);
	before = footprint();
	threads = count_entries("/proc/self/task");
	soak(&load, windows, end);
	after = footprint();
	ck_assert_uint_eq(wrong_words(load.area.start, load.area.length, LOAD_SEED), 0);
	ck_assert_uint_le(after.resident_kb, before.resident_kb + 2048);
	ck_assert_uint_le(after.maps, before.maps + 2);
	ck_assert_uint_eq(after.descriptors, before.descriptors);
	ck_assert_uint_le(threads_at_rest(threads), threads);
	check_any_swapped(&load.swapper);
	printf("# %llu windows in %.1f s\n", (unsigned long long)load.swapper.windows,
	       (double)(now_ns() - start) / 1e9);
	watchdog_stop();
	load_free(&load);
}
END_TEST

static const TTest *const *const tests[] = {&eight_threads_two_contexts, &long_run, NULL};
const struct report_group swap_soak_group = {"swap_soak", tests};

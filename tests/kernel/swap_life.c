/* SPDX-License-Identifier: MIT */
/* swap_life.c - one thread changes mappings, two write, and all that moves without a pause. */
#include "swap_mutator.h"

#define HUGES 5
/* Where the pages of the mutator begin: they begin and end within huge pages. */
#define FROM 400
#define TO   (FROM + MUTATOR_PAGES)

struct scene {
	struct swapper swapper;
	struct area area;
	struct writers writers;
	struct mutator mutator;
};

static struct scene scene;

static void scene_start(const char *(*step)(struct mutator *), int huge, int64_t pool_mb)
{
	memset(&scene, 0, sizeof(scene));
	swapper_new(&scene.swapper, huge ? 2048 : 256, 2, pool_mb);
	area_new_low(&scene.area, HUGES, huge, nodes[0]);
	scene.writers.start = scene.area.start;
	scene.writers.count = scene.area.count;
	scene.writers.skip_from = FROM;
	scene.writers.skip_to = TO;
	scene.writers.threads = 2;
	scene.mutator.start = scene.area.start + FROM * PAGE;
	scene.mutator.huge = huge;
	scene.mutator.step = step;
	mutator_start(&scene.mutator);
	writers_start(&scene.writers);
}

/* Only of the mutator's pages there may be none. */
static void check_statuses(void)
{
	for (size_t i = 0; i < scene.area.count; i++) {
		int status = scene.area.status[i], mine = i >= FROM && i < TO;

		/* The kernel may find no huge page on the target, nor split one that is in use. */
		ck_assert_msg(status >= 0 || status == -EBUSY || status == -ENOMEM ||
				      (mine && (status == -ENOENT || status == -EFAULT)),
			      "page %zu: status %d, %s", i, status,
			      bm_reason_name(scene.swapper.reasons[i]));
		ck_assert_int_lt(status, nodes[node_count - 1] + 1);
		ck_assert_int_lt(scene.swapper.reasons[i], BM_REASON_COUNT);
	}
}

/*
 * Alone now, the area is like any other: what is told of its pages is true,
 * and those that nobody has done anything to are swapped.
 */
static void move_in_peace(int round)
{
	uint64_t *before = frames_of(&scene.area), *after;
	int usable = swap_usable();
	size_t moved = 0;

	/* What was asked to be removed a moment ago is left alone for 100 ms. */
	usleep(150000);
	swapper_round(&scene.swapper, &scene.area, round);
	check_statuses();
	for (size_t i = 0; i < scene.area.count; i++) {
		int is = node_of(scene.area.pages[i]);

		ck_assert_msg(scene.area.status[i] == is, "page %zu: told %d, is on %d, %s", i,
			      scene.area.status[i], is, bm_reason_name(scene.swapper.reasons[i]));
	}
	after = frames_of(&scene.area);
	for (size_t i = 0; i < scene.area.count; i++) {
		if (scene.swapper.reasons[i] == BM_REASON_NONE)
			ck_assert_msg(before[i] != after[i], "page %zu is told to have moved", i);
		if (i >= FROM && i < TO)
			continue;
		ck_assert_int_eq(scene.area.status[i], scene.area.targets[i]);
		moved += before[i] != after[i];
		ck_assert_msg(!usable || scene.mutator.huge || before[i] != after[i],
			      "page %zu has not moved: %s", i,
			      bm_reason_name(scene.swapper.reasons[i]));
	}
	ck_assert(moved > 0 || swap_refusal());
	free(before);
	free(after);
	ck_assert_uint_eq(stamp_wrong(scene.area.start, FROM, PAGE), 0);
	ck_assert_uint_eq(stamp_wrong(scene.area.start + TO * PAGE, scene.area.count - TO, PAGE),
			  0);
	mutator_check(&scene.mutator);
	for (size_t i = 0; i < scene.area.count; i += 50) {
		ck_assert_int_eq(smaps_flag(scene.area.pages[i], "um"), 0);
		ck_assert_int_eq(smaps_flag(scene.area.pages[i], "uw"), 0);
	}
}

static void live_on(const char *name, const char *(*step)(struct mutator *), int huge,
		    int64_t pool_mb)
{
	struct box box;
	int round = 0;

	watchdog_start(name);
	scene_start(step, huge, pool_mb);
	box_start(&box, "the migrating thread");
	while (box_open(&box)) {
		ck_assert_int_ge(swapper_round(&scene.swapper, &scene.area, round++), 0);
		check_statuses();
		atomic_fetch_add(&scene.mutator.batches, 1);
	}
	mutator_end(&scene.mutator);
	writers_end(&scene.writers);
	check_any_swapped(&scene.swapper);
	move_in_peace(round);
	area_free(&scene.area);
	swapper_free(&scene.swapper);
	watchdog_stop();
}

static void live(const char *name, const char *(*step)(struct mutator *), int huge)
{
	live_on(name, step, huge, 32);
}

/* Each with base pages and with huge pages. */
#define LIFE_TEST(name, step)                                \
	START_TEST(name##_base)                              \
	{                                                    \
		live("swap_life/" #name "_base", (step), 0); \
	}                                                    \
	END_TEST                                             \
	START_TEST(name##_huge)                              \
	{                                                    \
		live("swap_life/" #name "_huge", (step), 1); \
	}                                                    \
	END_TEST

LIFE_TEST(unmap, step_munmap)
LIFE_TEST(unmap_and_map, step_munmap_mmap)
LIFE_TEST(remap, step_remap)
LIFE_TEST(remap_and_leave, step_dontunmap)
LIFE_TEST(shrink_and_grow, step_resize)
LIFE_TEST(dontneed, step_dontneed)
LIFE_TEST(free_lazily, step_free)
LIFE_TEST(pageout, step_pageout)
LIFE_TEST(protect, step_protect)
LIFE_TEST(lock, step_mlock)
LIFE_TEST(lock_all, step_mlockall)
LIFE_TEST(collapse, step_hugepage)
LIFE_TEST(dontfork, step_dontfork)
LIFE_TEST(guard, step_guard)
LIFE_TEST(grow_locked, step_grow_locked)
LIFE_TEST(grow_over, step_grow_over)

static void remap_strictly(const char *(*step)(struct mutator *), int huge)
{
	live("swap_life/remap_is_never_refused", step, huge);
	ck_assert_msg(scene.mutator.refused == 0, "mremap was refused %lu times in %lu rounds",
		      scene.mutator.refused, atomic_load(&scene.mutator.rounds));
}

/*
 * A range that is one mapping to the program may be remapped at any time:
 * no mremap(2) fails because a part of it is out of reach.
 */
START_TEST(remap_is_never_refused)
{
	remap_strictly(step_remap, 0);
	remap_strictly(step_resize, 0);
	remap_strictly(step_remap, 1);
}
END_TEST

/* With nothing in the pool the kernel makes the new pages, and copies. */
START_TEST(without_a_pool)
{
	static const char *(*const steps[])(struct mutator *) = {
		step_munmap_mmap, step_remap,   step_dontunmap, step_resize,   step_dontneed,
		step_guard,       step_protect, step_mlockall,  step_hugepage, step_dontfork};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		live_on("swap_life/without_a_pool", steps[i], 0, SWAP_NO_POOL);
}
END_TEST

/* Nothing but writers and a reader of what they leave alone. */
static void only_writers(int huge, int64_t chunk_kb, int64_t pool_mb)
{
	struct box box;
	int round = 0;

	memset(&scene, 0, sizeof(scene));
	swapper_new(&scene.swapper, chunk_kb, 2, pool_mb);
	area_new_low(&scene.area, HUGES, huge, nodes[0]);
	scene.writers.start = scene.area.start;
	scene.writers.count = scene.area.count;
	scene.writers.threads = 3;
	scene.writers.readers = 1;
	writers_start(&scene.writers);
	box_start(&box, "the migrating thread");
	while (box_open(&box)) {
		ck_assert_int_ge(swapper_round(&scene.swapper, &scene.area, round++), 0);
		for (size_t i = 0; i < scene.area.count; i++)
			ck_assert(scene.area.status[i] >= 0 || scene.area.status[i] == -EBUSY);
	}
	writers_end(&scene.writers);
	check_any_swapped(&scene.swapper);
	if (huge)
		ck_assert_int_eq(smaps_kb(scene.area.start, "AnonHugePages"),
				 (long)(scene.area.length >> 10));
	ck_assert_uint_eq(stamp_wrong(scene.area.start, scene.area.count, PAGE), 0);
	area_free(&scene.area);
	swapper_free(&scene.swapper);
}

START_TEST(writers_lose_nothing)
{
	watchdog_start("swap_life/writers_lose_nothing");
	only_writers(0, 64, 32);
	only_writers(0, 2048, 32);
	only_writers(0, 2048, SWAP_NO_POOL);
	only_writers(1, 2048, 32);
	watchdog_stop();
}
END_TEST

static const TTest *const *const tests[] = {&writers_lose_nothing,
					    &unmap_base,
					    &unmap_huge,
					    &unmap_and_map_base,
					    &unmap_and_map_huge,
					    &remap_base,
					    &remap_huge,
					    &remap_and_leave_base,
					    &remap_and_leave_huge,
					    &shrink_and_grow_base,
					    &shrink_and_grow_huge,
					    &dontneed_base,
					    &dontneed_huge,
					    &free_lazily_base,
					    &free_lazily_huge,
					    &pageout_base,
					    &pageout_huge,
					    &protect_base,
					    &protect_huge,
					    &lock_base,
					    &lock_huge,
					    &lock_all_base,
					    &lock_all_huge,
					    &collapse_base,
					    &collapse_huge,
					    &dontfork_base,
					    &dontfork_huge,
					    &guard_base,
					    &guard_huge,
					    &grow_locked_base,
					    &grow_locked_huge,
					    &grow_over_base,
					    &grow_over_huge,
					    &remap_is_never_refused,
					    &without_a_pool,
					    NULL};
const struct report_group swap_life_group = {"swap_life", tests};

/* SPDX-License-Identifier: MIT */
/* placement.c - what sysfs tells of caches, and which worker gets which. */
#include "placement.h"

#include <stdio.h>

#include "bits.h"
#include "fake.h"
#include "unit.h"

#define CACHE "/sys/devices/system/cpu/cpu%u/cache/index%u/%s"

static struct bm_placement placement;

static struct bm_ids range(uint32_t first, uint32_t last)
{
	struct bm_ids ids = {0};

	bm_bits_set(ids.bits, first, last + 1);
	return ids;
}

static struct bm_ids both(struct bm_ids a, struct bm_ids b)
{
	for (size_t i = 0; i < sizeof(a.bits) / sizeof(a.bits[0]); i++)
		a.bits[i] |= b.bits[i];
	return a;
}

static void add_index(unsigned int cpu, unsigned int index, const char *level, const char *list)
{
	char path[128];

	snprintf(path, sizeof(path), CACHE, cpu, index, "level");
	fake_file(path, level);
	snprintf(path, sizeof(path), CACHE, cpu, index, "shared_cpu_list");
	fake_file(path, list);
}

/* A first-level cache of its own, and the one that is shared behind it. */
static void add_cpu(unsigned int cpu, const char *level, const char *list)
{
	char own[16];

	snprintf(own, sizeof(own), "%u\n", cpu);
	add_index(cpu, 0, "1\n", own);
	add_index(cpu, 1, level, list);
}

static void add_node(unsigned int node, const char *cpus)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%u/cpulist", node);
	fake_file(path, cpus);
}

/* Two nodes with two caches each, of two CPUs: caches 1 and 2, 3 and 4. */
static void two_by_two(void)
{
	static const char *const lists[] = {"0-1\n", "2-3\n", "4-5\n", "6-7\n"};

	fake_reset();
	fake_file("/sys/devices/system/node/has_cpu", "0-1\n");
	add_node(0, "0-3\n");
	add_node(1, "4-7\n");
	for (unsigned int cpu = 0; cpu < 8; cpu++)
		add_cpu(cpu, "3\n", lists[cpu / 2]);
	fake.affinity = range(0, 7);
}

static struct bm_places *read_places(void)
{
	struct bm_places *places = bm_places_read(&fake_sys);

	ck_assert_ptr_nonnull(places);
	return places;
}

/* The caches of workers, in the form "1 3 2 4"; "" when nobody is placed. */
static const char *chosen(const struct bm_places *places, struct bm_ids allowed, struct bm_ids near,
			  int here, unsigned int threads)
{
	static char text[BM_WORKERS_MAX * 6 + 1];
	size_t used = 0;

	placement = (struct bm_placement){.places = places, .allowed = allowed};
	bm_placement_choose(&placement, &near, here, threads);
	ck_assert_uint_le(placement.workers, threads);
	text[0] = '\0';
	for (unsigned int i = 0; i < placement.workers; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%u", i ? " " : "",
					 placement.cache[i]);
	return text;
}

/* The CPUs that a worker keeps to: those of the last call, or nothing. */
static struct bm_ids place_of(unsigned int worker)
{
	unsigned int before = fake.pin_count;

	bm_placement_go(&placement, &fake_sys, worker);
	return fake.pin_count > before ? fake.pins[before] : (struct bm_ids){0};
}

static int same(struct bm_ids a, struct bm_ids b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

START_TEST(two_nodes_with_two_caches)
{
	struct bm_places *places;

	two_by_two();
	places = read_places();
	ck_assert_uint_eq(places->caches, 4);
	/* Each worker on another cache, the nodes in turn; then they share. */
	ck_assert_str_eq(chosen(places, range(0, 7), range(0, 1), 0, 4), "1 3 2 4");
	ck_assert_str_eq(chosen(places, range(0, 7), range(0, 1), 6, 4), "4 1 2 3");
	ck_assert_str_eq(chosen(places, range(0, 7), range(0, 1), 0, 6), "1 3 2 4 1 3");
	ck_assert(same(place_of(1), range(4, 5)));
	ck_assert(same(place_of(2), range(2, 3)));
	ck_assert(same(place_of(3), range(6, 7)));
	/* Nobody beyond the CPUs that there are is kept to a cache. */
	ck_assert_str_eq(chosen(places, range(0, 7), range(0, 1), 0, 64), "1 3 2 4 1 3 2 4");
	ck_assert(same(place_of(8), (struct bm_ids){0}));
	free(places);
	fake_end();
}
END_TEST

START_TEST(the_calling_thread_is_left_alone)
{
	struct bm_places *places;

	two_by_two();
	places = read_places();
	chosen(places, range(0, 7), range(0, 1), 0, 4);
	ck_assert(same(place_of(0), (struct bm_ids){0}));
	bm_placement_go(NULL, &fake_sys, 1);
	ck_assert_uint_eq(fake.calls[FAKE_PIN], 0);
	/* What fails is not told. */
	fake_fail(1u << FAKE_PIN, 1, -EPERM);
	ck_assert(same(place_of(1), (struct bm_ids){0}));
	ck_assert_uint_eq(fake.calls[FAKE_PIN], 1);
	free(places);
	fake_end();
}
END_TEST

START_TEST(only_near_nodes)
{
	struct bm_places *places;

	two_by_two();
	places = read_places();
	ck_assert_str_eq(chosen(places, range(0, 7), range(1, 1), 5, 4), "3 4 3 4");
	/* The caller is elsewhere: the others take all that is near. */
	ck_assert_str_eq(chosen(places, range(0, 7), range(1, 1), 0, 4), "0 3 4 3");
	ck_assert_str_eq(chosen(places, range(0, 7), range(1, 1), -ENOSYS, 2), "0 3");
	/* A node without CPUs, and nodes that are not there. */
	ck_assert_str_eq(chosen(places, range(0, 7), both(range(1, 1), range(3, 3)), 5, 2), "3 4");
	ck_assert_str_eq(chosen(places, range(0, 7), range(2, 1023), 0, 4), "");
	ck_assert_str_eq(chosen(places, range(0, 7), (struct bm_ids){0}, 0, 4), "");
	free(places);
	fake_end();
}
END_TEST

START_TEST(one_node_with_one_cache)
{
	struct bm_places *places;

	fake_reset();
	fake_file("/sys/devices/system/node/has_cpu", "0\n");
	add_node(0, "0-3\n");
	for (unsigned int cpu = 0; cpu < 4; cpu++)
		add_cpu(cpu, "3\n", "0-3\n");
	places = read_places();
	ck_assert_uint_eq(places->caches, 1);
	ck_assert_str_eq(chosen(places, range(0, 3), range(0, 0), 0, 4), "");
	ck_assert_str_eq(chosen(places, range(1, 2), range(0, 0), 1, 4), "");
	free(places);
	fake_end();
}
END_TEST

START_TEST(a_mask_without_one_node)
{
	struct bm_places *places;

	two_by_two();
	places = read_places();
	ck_assert_str_eq(chosen(places, range(0, 3), range(0, 1), 0, 4), "1 2 1 2");
	ck_assert_str_eq(chosen(places, range(0, 3), range(1, 1), 0, 4), "");
	/* A part of a cache is given out as often as it has CPUs. */
	ck_assert_str_eq(chosen(places, range(1, 6), range(0, 1), 1, 8), "1 3 2 4 2 3");
	ck_assert(same(place_of(3), range(6, 6)));
	ck_assert(same(place_of(2), range(2, 3)));
	ck_assert_str_eq(chosen(places, range(1, 6), range(0, 1), 4, 2), "3 1");
	ck_assert(same(place_of(1), range(1, 1)));
	/* One cache is near, and not all that is allowed. */
	ck_assert_str_eq(chosen(places, range(2, 5), range(0, 0), 4, 4), "0 2 2");
	ck_assert(same(place_of(1), range(2, 3)));
	ck_assert_str_eq(chosen(places, range(2, 3), range(0, 0), 2, 4), "");
	free(places);
	fake_end();
}
END_TEST

START_TEST(a_mask_of_one_cpu)
{
	struct bm_places *places;

	two_by_two();
	places = read_places();
	for (unsigned int cpu = 0; cpu < 8; cpu++)
		ck_assert_str_eq(chosen(places, range(cpu, cpu), range(0, 1), (int)cpu, 4), "");
	ck_assert_str_eq(chosen(places, (struct bm_ids){0}, range(0, 1), 0, 4), "");
	free(places);
	fake_end();
}
END_TEST

static void has_no_caches(void)
{
	struct bm_places *places = read_places();

	ck_assert_uint_eq(places->caches, 0);
	ck_assert_str_eq(chosen(places, range(0, 7), range(0, 1), 0, 4), "");
	free(places);
}

START_TEST(without_a_word_from_sysfs)
{
	fake_reset();
	has_no_caches();
	/* Nodes with CPUs, whose caches are not told, as in some virtual machines. */
	fake_file("/sys/devices/system/node/has_cpu", "0-1\n");
	add_node(0, "0-3\n");
	add_node(1, "4-7\n");
	has_no_caches();
	add_index(0, 0, NULL, "0-3\n");
	add_index(1, 0, "3\n", NULL);
	add_index(2, 0, "3\n", "rubbish");
	add_index(3, 0, "3\n", "9000,400000000,18446744073709551615");
	has_no_caches();
	fake_fail(1u << FAKE_ALLOC, 1, -ENOMEM);
	ck_assert_ptr_null(bm_places_read(&fake_sys));
	fake_end();
}
END_TEST

/* Sparse ids, and CPUs that are offline: sysfs lists those that are not. */
START_TEST(sparse_ids)
{
	struct bm_places *places;

	fake_reset();
	fake_file("/sys/devices/system/node/has_cpu", "1,8\n");
	add_node(1, "0,4,8191\n");
	add_node(8, "64,66-67\n");
	add_cpu(0, "3\n", "0,4\n");
	add_cpu(8191, "3\n", "8191\n");
	/* The highest level, wherever it stands; a CPU of the list may be of no node. */
	add_index(64, 0, "3\n", "60,64,66-67\n");
	add_index(64, 1, "2\n", "64\n");
	places = read_places();
	ck_assert_uint_eq(places->caches, 3);
	ck_assert_uint_eq(places->cache[60], 0);
	ck_assert_uint_eq(places->cache[2], 0);
	ck_assert_uint_eq(places->node[places->cache[66]], 8);
	ck_assert_str_eq(chosen(places, range(0, 8191), both(range(1, 1), range(8, 8)), 8191, 8),
			 "2 3 1 1 3 3");
	ck_assert(same(place_of(1), both(range(64, 64), range(66, 67))));
	ck_assert(same(place_of(2), both(range(0, 0), range(4, 4))));
	free(places);
	fake_end();
}
END_TEST

/* Nodes that share a cache, as where a socket is split: for each its part. */
START_TEST(a_cache_of_two_nodes)
{
	struct bm_places *places;

	fake_reset();
	fake_file("/sys/devices/system/node/has_cpu", "0-1\n");
	add_node(0, "0-1\n");
	add_node(1, "2-3\n");
	for (unsigned int cpu = 0; cpu < 4; cpu++)
		add_cpu(cpu, "3\n", "0-3\n");
	places = read_places();
	ck_assert_uint_eq(places->caches, 2);
	ck_assert_str_eq(chosen(places, range(0, 3), range(1, 1), 2, 3), "2 2");
	ck_assert_str_eq(chosen(places, range(0, 3), range(0, 1), 3, 4), "2 1 1 2");
	free(places);
	fake_end();
}
END_TEST

/* Whatever cannot be read: less is known, and nothing else happens. */
START_TEST(files_that_fail)
{
	two_by_two();
	for (unsigned int call = FAKE_OPEN; call <= FAKE_ALLOC; call++) {
		struct bm_places *places;
		uint64_t at = 0;

		do {
			fake_fail(1u << call, ++at, -EIO);
			places = bm_places_read(&fake_sys);
			ck_assert(places || call == FAKE_ALLOC);
			ck_assert(!places || places->caches <= 8);
			free(places);
		} while (fake.fired);
		ck_assert(call != FAKE_OPEN || at > 16);
	}
	fake_end();
}
END_TEST

static const TTest *const *const tests[] = {&two_nodes_with_two_caches,
					    &the_calling_thread_is_left_alone,
					    &only_near_nodes,
					    &one_node_with_one_cache,
					    &a_mask_without_one_node,
					    &a_mask_of_one_cpu,
					    &without_a_word_from_sysfs,
					    &sparse_ids,
					    &a_cache_of_two_nodes,
					    &files_that_fail,
					    NULL};
const struct report_group placement_group = {"placement", tests};

/* SPDX-License-Identifier: MIT */
/* conformance_copies.c - every byte arrives where it belongs, and nowhere else. */
#include "conformance.h"

static struct conformance_flow flow;

static void lengths(struct conformance *run)
{
	static const size_t pages[] = {1,   2,   3,   4,   5,   6,   7,   8,   9,
				       15,  16,  17,  31,  32,  33,  63,  64,  65,
				       127, 128, 129, 255, 256, 257, 511, 512, 513};

	conformance_flow_open(run, &flow, -1);
	for (size_t i = 0; i <= sizeof(pages) / sizeof(pages[0]); i++) {
		size_t longest = conformance_longest(&flow);
		size_t length = i < sizeof(pages) / sizeof(pages[0]) ? pages[i] : longest;

		for (size_t start = 1; start < 5 && length <= longest; start++) {
			conformance_begin(&flow);
			conformance_add(&flow, start, 2 * start, length);
			conformance_run(&flow, "one copy");
		}
	}
	conformance_begin(&flow);
	conformance_flow_close(&flow);
}

START_TEST(all_lengths)
{
	conformance_each(lengths);
}
END_TEST

static void scattered(size_t count)
{
	conformance_begin(&flow);
	conformance_add_scattered(&flow, count);
	conformance_run(&flow, "scattered pages");
}

static void counts(struct conformance *run)
{
	size_t depth;

	conformance_flow_open(run, &flow, -1);
	depth = conformance_depth(&flow, 1024);
	for (int late = 0; late < 2; late++) {
		flow.late = late;
		for (size_t count = 1; count < 70; count += CONFORMANCE_STEP)
			scattered(count);
		for (size_t count = depth - 1; count <= depth + 1 && count > 0; count++)
			scattered(count);
		scattered(2 * depth + 3);
		scattered(CONFORMANCE_ARENA);
	}
	conformance_begin(&flow);
	conformance_flow_close(&flow);
}

START_TEST(all_counts)
{
	conformance_each(counts);
}
END_TEST

/* From and to in the same order, in opposite orders, only one of them side by side. */
static void add_neighbours(size_t count, size_t length, int order)
{
	size_t stride = order == 3 ? 2 * length : length;

	for (size_t i = 0; i < count; i++) {
		size_t back = count - 1 - i;
		size_t to = order == 1 ? back : i, from = order == 2 ? back : i;

		conformance_add(&flow, 1 + to * length, 1 + from * stride, length);
	}
}

static void neighbours(struct conformance *run)
{
	conformance_flow_open(run, &flow, 0);
	for (size_t length = 1; length <= 4 && length <= conformance_longest(&flow); length++) {
		size_t most = (CONFORMANCE_ARENA - 1) / (2 * length);

		for (size_t count = 2; count < 100 && count <= most;
		     count += 7 * CONFORMANCE_STEP) {
			for (int order = 0; order < 5; order++) {
				conformance_begin(&flow);
				add_neighbours(count, length, order);
				conformance_run(&flow, "neighbours");
			}
		}
	}
	conformance_begin(&flow);
	conformance_flow_close(&flow);
}

START_TEST(neighbours_in_all_orders)
{
	conformance_each(neighbours);
}
END_TEST

static void random_lists(struct conformance *run)
{
	conformance_flow_open(run, &flow, 0);
	for (unsigned int round = 0; round < 40; round++) {
		flow.give = round % 5;
		flow.take = round % 4;
		flow.late = round % 7 == 6;
		flow.aims = round % 3 == 2;
		conformance_begin(&flow);
		conformance_add_random(&flow);
		conformance_run(&flow, "a random list");
	}
	conformance_begin(&flow);
	conformance_flow_close(&flow);
}

START_TEST(lists_at_random)
{
	conformance_each(random_lists);
}
END_TEST

/* The same to and from again: what was left of the last list would be seen. */
static void changing(struct conformance *run)
{
	conformance_flow_open(run, &flow, -1);
	for (unsigned int round = 0; round < 50; round += CONFORMANCE_STEP) {
		size_t at = conformance_random(&flow, CONFORMANCE_ARENA - 40);

		for (size_t i = 0; i < 40 * CONFORMANCE_PAGE; i += 61)
			run->from[at * CONFORMANCE_PAGE + i] ^= (unsigned char)(round + 1);
		for (size_t i = 0; i < 40 * CONFORMANCE_PAGE; i += 61)
			run->kept[at * CONFORMANCE_PAGE + i] ^= (unsigned char)(round + 1);
		conformance_begin(&flow);
		for (size_t i = 0; i < 40; i++)
			conformance_add(&flow, at + i, at + i * 7 % 40, 1);
		conformance_run(&flow, "a source that changes between lists");
	}
	conformance_begin(&flow);
	conformance_flow_close(&flow);
}

START_TEST(sources_that_change)
{
	conformance_each(changing);
}
END_TEST

static const TTest *const *const tests[] = {
	&all_lengths,     &all_counts,          &neighbours_in_all_orders,
	&lists_at_random, &sources_that_change, NULL};
const struct report_group conformance_copies_group = {"conformance_copies", tests};

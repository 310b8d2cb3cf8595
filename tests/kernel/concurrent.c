/* SPDX-License-Identifier: MIT */
/* concurrent.c - what other threads do meanwhile: no write is lost, nothing crashes. */
#include "support.h"

#include <pthread.h>

#define COUNT  4000
#define ROUNDS 6

struct shared {
	struct area area;
	atomic_int stop;
	uint64_t written[2]; /* rounds of each writer */
};

struct writer {
	struct shared *shared;
	int number;
};

/* Each writer has a word of its own in every page, and counts it up. */
static void *write_words(void *arg)
{
	struct writer *writer = arg;
	struct shared *shared = writer->shared;
	uint64_t round = 0;

	while (!atomic_load(&shared->stop)) {
		round++;
		for (size_t i = 0; i < COUNT; i++) {
			uint64_t *word = (uint64_t *)(void *)(shared->area.start + i * PAGE + 512);

			word[writer->number]++;
		}
	}
	shared->written[writer->number] = round;
	return NULL;
}

START_TEST(writers_lose_nothing)
{
	static struct shared shared;
	struct writer writers[2] = {{&shared, 0}, {&shared, 1}};
	pthread_t threads[2];

	NEED_NODES();
	memset(&shared, 0, sizeof(shared));
	area_new(&shared.area, COUNT, nodes[0]);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, write_words, &writers[i]), 0);
	for (int round = 0; round < ROUNDS; round++) {
		area_target(&shared.area, nodes[(round + 1) % 2]);
		ck_assert_int_ge(area_move(&shared.area, 0), 0);
	}
	atomic_store(&shared.stop, 1);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < COUNT; i++) {
		uint64_t *word = (uint64_t *)(void *)(shared.area.start + i * PAGE + 512);

		ck_assert_uint_eq(word[0], shared.written[0]);
		ck_assert_uint_eq(word[1], shared.written[1]);
	}
	ck_assert_uint_eq(stamp_wrong(shared.area.start, COUNT, PAGE), 0);
	area_free(&shared.area);
}
END_TEST

static void *move_elsewhere(void *arg)
{
	struct shared *shared = arg;
	struct area mine;

	area_over(&mine, shared->area.start, COUNT, PAGE);
	while (!atomic_load(&shared->stop)) {
		area_target(&mine, nodes[0]);
		area_move(&mine, 0);
	}
	area_free(&mine);
	return NULL;
}

/* Whatever the other one does, a status is an allowed one and no page is lost. */
START_TEST(two_movers_disagree)
{
	static struct shared shared;
	pthread_t other;

	NEED_NODES();
	memset(&shared, 0, sizeof(shared));
	area_new(&shared.area, COUNT, nodes[0]);
	ck_assert_int_eq(pthread_create(&other, NULL, move_elsewhere, &shared), 0);
	for (int round = 0; round < ROUNDS; round++) {
		area_target(&shared.area, nodes[1]);
		ck_assert_int_ge(area_move(&shared.area, 0), 0);
		for (size_t i = 0; i < COUNT; i++) {
			int status = shared.area.status[i];

			ck_assert(status == nodes[0] || status == nodes[1] || status == -EBUSY ||
				  status == -ENOENT);
		}
	}
	atomic_store(&shared.stop, 1);
	pthread_join(other, NULL);
	area_target(&shared.area, nodes[1]);
	ck_assert_int_eq(area_move(&shared.area, 0), 0);
	ck_assert_uint_eq(status_wrong(&shared.area), 0);
	ck_assert_uint_eq(stamp_wrong(shared.area.start, COUNT, PAGE), 0);
	area_free(&shared.area);
}
END_TEST

/* What is left behind stays mapped: nobody else's memory may come to lie there. */
#define MOVE_FLAGS (MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)

static void *move_there_and_back(void *arg)
{
	struct shared *shared = arg;
	char *place = shared->area.start + COUNT / 2 * PAGE;
	char *other = shared->area.start + COUNT * PAGE;
	size_t length = COUNT / 2 * PAGE;

	while (!atomic_load(&shared->stop)) {
		if (mremap(place, length, length, MOVE_FLAGS, other) != other ||
		    mremap(other, length, length, MOVE_FLAGS, place) != place)
			shared->written[0]++;
		shared->written[1]++;
	}
	return NULL;
}

START_TEST(mappings_change_meanwhile)
{
	static struct shared shared;
	pthread_t other;

	NEED_NODES();
	memset(&shared, 0, sizeof(shared));
	area_new(&shared.area, 2 * COUNT, nodes[0]);
	shared.area.count = COUNT;
	ck_assert_int_eq(pthread_create(&other, NULL, move_there_and_back, &shared), 0);
	for (int round = 0; round < ROUNDS; round++) {
		area_target(&shared.area, nodes[(round + 1) % 2]);
		ck_assert_int_ge(area_move(&shared.area, 0), 0);
	}
	atomic_store(&shared.stop, 1);
	pthread_join(other, NULL);
	ck_assert_uint_eq(shared.written[0], 0);
	ck_assert_uint_gt(shared.written[1], 0);
	ck_assert_uint_eq(stamp_wrong(shared.area.start, COUNT, PAGE), 0);
	area_free(&shared.area);
}
END_TEST

static void *fork_often(void *arg)
{
	struct shared *shared = arg;

	while (!atomic_load(&shared->stop)) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(stamp_wrong(shared->area.start, COUNT, PAGE) ? 1 : 0);
		if (pid > 0) {
			int status = 0;

			waitpid(pid, &status, 0);
			shared->written[0] += status != 0;
			shared->written[1]++;
		}
	}
	return NULL;
}

START_TEST(forks_see_all_contents)
{
	static struct shared shared;
	pthread_t other;

	NEED_NODES();
	memset(&shared, 0, sizeof(shared));
	area_new(&shared.area, COUNT, nodes[0]);
	ck_assert_int_eq(pthread_create(&other, NULL, fork_often, &shared), 0);
	for (int round = 0; round < ROUNDS; round++) {
		area_target(&shared.area, nodes[(round + 1) % 2]);
		ck_assert_int_ge(area_move(&shared.area, BM_MOVE_ALL), 0);
	}
	atomic_store(&shared.stop, 1);
	pthread_join(other, NULL);
	ck_assert_uint_gt(shared.written[1], 0);
	ck_assert_uint_eq(shared.written[0], 0);
	ck_assert_uint_eq(stamp_wrong(shared.area.start, COUNT, PAGE), 0);
	area_free(&shared.area);
}
END_TEST

/* The caller's arrays and its stack are among what is moved. */
START_TEST(arrays_move_too)
{
	char *memory;
	void **pages;
	int *targets, *status;
	size_t count = 64;

	NEED_NODES();
	memory = mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	ck_assert_ptr_ne(memory, MAP_FAILED);
	madvise(memory, count * PAGE, MADV_NOHUGEPAGE);
	prefer(nodes[0]);
	memset(memory, 0, count * PAGE);
	prefer(-1);
	pages = (void **)(void *)memory;
	targets = (int *)(void *)(memory + PAGE);
	status = (int *)(void *)(memory + 2 * PAGE);
	for (size_t i = 0; i < count; i++) {
		pages[i] = memory + i * PAGE;
		targets[i] = nodes[1];
	}
	pages[count - 1] = &count;
	ck_assert_int_eq(bm_migrate_batch(NULL, count, pages, targets, status, 0), 0);
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(status[i], nodes[1]);
	ck_assert_int_eq(node_of(&count), nodes[1]);
	munmap(memory, count * PAGE);
}
END_TEST

static const TTest *const *const tests[] = {&writers_lose_nothing,      &two_movers_disagree,
					    &mappings_change_meanwhile, &forks_see_all_contents,
					    &arrays_move_too,           NULL};
const struct report_group concurrent_group = {"concurrent", tests};

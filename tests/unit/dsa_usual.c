/* SPDX-License-Identifier: MIT */
/* dsa_usual.c - the backend dsa on a device that does as it is told. */
#include <errno.h>
#include <string.h>

#include "dsa/channel.h"
#include "dsa_scene.h"
#include "unit.h"

static const char *const way_names[WAYS] = {"portal, dedicated", "portal, shared", "write, shared",
					    "write, dedicated",  "write, batches", "write, blind"};

static void copy_all(enum dsa_way way, unsigned int queues, unsigned int size, enum dsa_pace pace)
{
	struct dsa_counts counts;

	dsa_begin(way, queues, size, pace);
	dsa_open_all(1);
	dsa_add_copies(COPIES, 4);
	ck_assert_uint_eq(dsa_drive(dsa.channels[0], &dsa.work), 0);
	ck_assert_uint_eq(dsa.work.ended, dsa.work.count);
	ck_assert_uint_eq(dsa.work.left, 0);
	dsa_verify(way_names[way]);
	counts = dsa_counted();
	ck_assert_uint_eq(counts.descriptors, dsa.work.count);
	ck_assert_int_eq(counts.batches > 0,
			 way == PORTAL_DEDICATED || way == PORTAL_SHARED || way == WRITE_BATCH);
	ck_assert_int_eq(counts.portal > 0, way == PORTAL_DEDICATED || way == PORTAL_SHARED);
	ck_assert_int_eq(counts.writes > 0, way != PORTAL_DEDICATED && way != PORTAL_SHARED);
	if (way == WRITE_BLIND)
		ck_assert_uint_le(counts.most_in_flight, queues);
	dsa_end();
}

START_TEST(every_way_in)
{
	for (int way = 0; way < WAYS; way++)
		for (int pace = DSA_AT_ONCE; pace <= DSA_BY_THREAD; pace++)
			for (unsigned int size = 1; size <= 32; size += size < 3 ? 1 : 29)
				copy_all((enum dsa_way)way, 1 + size % 3, size,
					 (enum dsa_pace)pace);
}
END_TEST

/* Packed as full as the queue allows, and no batch of one. */
static void batches_of(uint32_t wanted, unsigned int most, size_t copies, uint64_t entries)
{
	struct dsa_queue_config config = {.size = 64, .max_transfer = 1u << 20, .max_batch = most};
	struct dsa_sys_how how = {.cpu_facts = BM_CPU_MOVDIR64B, .pin_error = -EPERM};

	dsa_begin_with(&config, 1, DSA_AT_ONCE, &how);
	dsa.env.batch = wanted;
	dsa_open_all(1);
	for (size_t i = 0; i < copies; i++)
		dsa_add_copy(i, i, 1);
	ck_assert_int_eq(bm_backend_dsa.submit(dsa.channels[0], dsa.work.copies, copies),
			 (int)copies);
	ck_assert_uint_eq(dsa_counted().portal, entries);
	ck_assert_uint_eq(dsa_counted().descriptors, copies);
	bm_backend_dsa.reap(dsa.channels[0], (struct bm_copied[COPIES]){{0}}, COPIES);
	dsa_end();
}

START_TEST(sizes_of_batches)
{
	batches_of(0, 1024, 128, 4);
	batches_of(0, 1024, 65, 3);
	batches_of(0, 8, 64, 8);
	batches_of(16, 1024, 64, 4);
	batches_of(16, 4, 64, 16);
	batches_of(2, 1024, 5, 3);
	batches_of(1, 1024, 40, 40);
	batches_of(100, 1024, 200, 2);
	batches_of(0, 1, 40, 40);
}
END_TEST

START_TEST(what_a_channel_takes)
{
	struct dsa_queue_config configs[2] = {
		{.size = 8, .max_transfer = 1u << 20, .max_batch = 8},
		{.size = 8, .max_transfer = 1u << 16, .max_batch = 8}};
	struct dsa_sys_how how = {.cpu_facts = BM_CPU_MOVDIR64B, .pin_error = -EPERM};
	struct bm_limits limits;

	dsa_begin_with(configs, 1, DSA_WHEN_RUN, &how);
	dsa_open_all(1);
	bm_backend_dsa.limits(dsa.channels[0], &limits);
	ck_assert_uint_eq(limits.piece, 256u << 10);
	ck_assert_uint_eq(limits.depth, 512);
	dsa_end();

	dsa_begin_with(configs, 2, DSA_WHEN_RUN, &how);
	dsa_open_all(1);
	bm_backend_dsa.limits(dsa.channels[0], &limits);
	ck_assert_uint_eq(limits.piece, 1u << 16);
	dsa_add_copy(0, 0, 16);
	dsa_add_copy(16, 16, 17);
	dsa_add_copy(40, 40, 1);
	ck_assert_int_eq(bm_backend_dsa.submit(dsa.channels[0], dsa.work.copies, 3), 1);
	ck_assert_int_eq(bm_backend_dsa.submit(dsa.channels[0], dsa.work.copies + 1, 2), -EINVAL);
	dsa_run(dsa.device, 10);
	ck_assert_int_eq(bm_backend_dsa.reap(dsa.channels[0], (struct bm_copied[4]){{0}}, 4), 1);
	dsa_end();
}
END_TEST

START_TEST(a_chunk_of_base_pages_is_in_flight)
{
	struct bm_copied copied[COPIES];

	dsa_begin(PORTAL_DEDICATED, 1, 32, DSA_WHEN_RUN);
	dsa_open_all(1);
	for (size_t i = 0; i < 512; i++)
		dsa_add_copy(i, 511 - i, 1);
	ck_assert_int_eq(bm_backend_dsa.submit(dsa.channels[0], dsa.work.copies, 512), 512);
	ck_assert_int_eq(bm_backend_dsa.submit(dsa.channels[0], dsa.work.copies, 1), -EAGAIN);
	ck_assert_int_eq(bm_backend_dsa.reap(dsa.channels[0], copied, COPIES), 0);
	dsa_run(dsa.device, 100000);
	ck_assert_int_eq(bm_backend_dsa.reap(dsa.channels[0], copied, COPIES), 512);
	for (size_t i = 0; i < 512; i++)
		dsa.work.told[i] = TOLD;
	dsa_verify("512 pages");
	dsa_end();
}
END_TEST

/* Full for one channel: full for the other; and room again once something was reaped. */
START_TEST(room_is_shared)
{
	struct bm_copied copied[COPIES];

	for (int way = 0; way < WRITE_BLIND; way++) {
		dsa_begin((enum dsa_way)way, 1, 4, DSA_WHEN_RUN);
		dsa.env.batch = 1;
		dsa_open_all(2);
		for (size_t i = 0; i < 8; i++)
			dsa_add_copy(i, i, 1);
		ck_assert_int_eq(bm_backend_dsa.submit(dsa.channels[0], dsa.work.copies, 2), 2);
		ck_assert_int_eq(bm_backend_dsa.submit(dsa.channels[1], dsa.work.copies + 2, 4), 1);
		ck_assert_int_eq(bm_backend_dsa.submit(dsa.channels[1], dsa.work.copies + 3, 4),
				 -EAGAIN);
		dsa_run(dsa.device, 100);
		ck_assert_int_eq(bm_backend_dsa.submit(dsa.channels[1], dsa.work.copies + 3, 4),
				 -EAGAIN);
		ck_assert_int_eq(bm_backend_dsa.reap(dsa.channels[0], copied, 9), 2);
		ck_assert_int_eq(bm_backend_dsa.submit(dsa.channels[1], dsa.work.copies + 3, 4), 2);
		dsa_run(dsa.device, 100);
		ck_assert_int_eq(bm_backend_dsa.reap(dsa.channels[1], copied, 9), 3);
		dsa_end();
	}
}
END_TEST

struct worker {
	pthread_t thread;
	struct bm_channel *channel;
	struct dsa_work work;
	size_t in_flight;
};

static void *work_main(void *arg)
{
	struct worker *worker = arg;
	struct bm_copied copied[32];
	struct dsa_work *work = &worker->work;

	while (work->ended < work->count) {
		int took = -EAGAIN, got;

		if (work->taken < work->count)
			took = bm_backend_dsa.submit(worker->channel, work->copies + work->taken,
						     work->count - work->taken);
		work->taken += took > 0 ? (size_t)took : 0;
		got = bm_backend_dsa.reap(worker->channel, copied, 32);
		for (int i = 0; i < got; i++) {
			work->told[copied[i].tag]++;
			work->left += copied[i].done != work->copies[copied[i].tag].length;
		}
		work->ended += (size_t)got;
		if (took <= 0 && got == 0)
			bm_backend_dsa.wait(worker->channel);
	}
	return NULL;
}

static void share(enum dsa_way way, unsigned int size, uint32_t batch)
{
	static struct worker workers[CHANNELS];

	dsa_begin(way, 1, size, DSA_BY_THREAD);
	dsa.env.batch = batch;
	dsa_open_all(CHANNELS);
	dsa_add_copies(COPIES, 3);
	memset(workers, 0, sizeof(workers));
	for (size_t i = 0; i < dsa.work.count; i++) {
		struct dsa_work *work = &workers[i % CHANNELS].work;

		work->copies[work->count] = dsa.work.copies[i];
		work->copies[work->count].tag = (uint32_t)work->count;
		work->count++;
		dsa.work.told[i] = TOLD;
	}
	for (int i = 0; i < CHANNELS; i++) {
		workers[i].channel = dsa.channels[i];
		pthread_create(&workers[i].thread, NULL, work_main, &workers[i]);
	}
	for (int i = 0; i < CHANNELS; i++) {
		pthread_join(workers[i].thread, NULL);
		ck_assert_uint_eq(workers[i].work.left, 0);
		for (size_t k = 0; k < workers[i].work.count; k++)
			ck_assert_uint_eq(workers[i].work.told[k], 1);
	}
	dsa_verify(way_names[way]);
	ck_assert_uint_le(dsa_counted().most_in_flight, size);
	dsa_end();
}

START_TEST(threads_share_a_small_queue)
{
	for (int way = 0; way < WAYS; way++) {
		share((enum dsa_way)way, 2, 0);
		share((enum dsa_way)way, 2, 1);
		share((enum dsa_way)way, 5, 4);
	}
}
END_TEST

/* A process begins with another queue than its neighbours, a channel with another than the last. */
START_TEST(queues_take_turns)
{
	static struct bm_engine engine;
	static struct bm_channel channel;
	uint8_t index;
	static const int nodes[6] = {0, 1, 0, 1, 1, -1};

	engine.queue_count = 6;
	for (size_t i = 0; i < 6; i++)
		engine.queues[i].node = nodes[i];
	for (uint32_t rank = 0; rank < 3; rank++) {
		static const uint8_t near[3] = {1, 3, 4}, far[3] = {0, 2, 5};

		engine.env.rank = rank;
		channel.engine = &engine;
		channel.number = 1;
		channel.node = -2;
		bm_dsa_aim(&channel, 1);
		ck_assert_uint_eq(channel.near, 3);
		for (uint32_t n = 0; n < 3; n++) {
			bm_dsa_queue_at(&channel, n, &index);
			ck_assert_uint_eq(index, near[(n + rank + 1) % 3]);
			bm_dsa_queue_at(&channel, n + 3, &index);
			ck_assert_uint_eq(index, far[n]);
		}
	}
	bm_dsa_aim(&channel, 7);
	ck_assert_uint_eq(channel.near, 6);
	bm_dsa_aim(&channel, -1);
	ck_assert_uint_eq(channel.near, 6);
	bm_dsa_aim(&channel, 0);
	ck_assert_uint_eq(channel.near, 2);
}
END_TEST

/* Also where no batches are wanted one call of write(2) brings many descriptors. */
START_TEST(arrays_without_batches)
{
	dsa_begin(WRITE_SHARED, 1, 64, DSA_AT_ONCE);
	dsa.env.batch = 1;
	dsa_open_all(1);
	for (size_t i = 0; i < 128; i++)
		dsa_add_copy(i, i, 1);
	ck_assert_uint_eq(dsa_drive(dsa.channels[0], &dsa.work), 0);
	ck_assert_uint_eq(dsa_counted().descriptors, 128);
	ck_assert_uint_eq(dsa_counted().batches, 0);
	ck_assert_uint_le(dsa_counted().writes, 128 / 16);
	dsa_verify("without batches");
	dsa_end();
}
END_TEST

static const TTest *const *const tests[] = {&arrays_without_batches,
					    &every_way_in,
					    &sizes_of_batches,
					    &what_a_channel_takes,
					    &a_chunk_of_base_pages_is_in_flight,
					    &room_is_shared,
					    &threads_share_a_small_queue,
					    &queues_take_turns,
					    NULL};
const struct report_group dsa_usual_group = {"dsa_usual", tests};

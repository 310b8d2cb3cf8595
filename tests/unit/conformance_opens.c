/* SPDX-License-Identifier: MIT */
/* conformance_opens.c - engines and channels: what they take, say, and give back. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "conformance.h"

#define CHANNELS 64

static struct conformance_flow flow;

/* Not all of the arenas is compared: some call this often. */
static void copy_some(struct conformance *run, struct bm_channel *channel, const char *what)
{
	static size_t number;

	conformance_flow_new(run, &flow, channel);
	flow.first = 16 * (number++ % (CONFORMANCE_ARENA / 16));
	flow.pages = 16;
	conformance_add_scattered(&flow, 5);
	conformance_run(&flow, what);
	conformance_begin(&flow);
}

/* ---------------------------------------------------------------- engines */

static void two_engines(struct conformance *run)
{
	struct bm_engine *first, *second = NULL;
	int rc;

	for (int round = 0; round < 3; round++) {
		conformance_open(run);
		first = run->engine;
		/* A queue that only one may have is an error here. */
		rc = run->backend->open(&run->env, &second);
		conformance_assert(run, rc <= 0 && rc > -4096, "open() gave %d", rc);
		conformance_flow_open(run, &flow, -1);
		copy_some(run, flow.channel, "beside another engine");
		conformance_flow_close(&flow);
		if (rc == 0)
			run->backend->close(second);
		conformance_flow_open(run, &flow, -1);
		copy_some(run, flow.channel, "after another engine");
		conformance_flow_close(&flow);
		run->engine = first;
		conformance_close(run);
		conformance_assert(run, conformance_blocks() == 0, "memory is left");
	}
}

START_TEST(engines_come_and_go)
{
	conformance_each_closed(two_engines);
}
END_TEST

static void check_text(struct conformance *run, const char *text, size_t size)
{
	size_t length = strnlen(text, size);

	conformance_assert(run, length < size, "a text has no end");
	for (size_t i = 0; i < length; i++)
		conformance_assert(run, text[i] >= ' ' && text[i] != 0x7f, "byte %#x in a text",
				   (unsigned char)text[i]);
}

static void probe(struct conformance *run)
{
	char why[BM_WHY_MAX + 1], remedy[BM_WHY_MAX + 1];
	struct bm_engine *engine;
	int probed, opened;

	if (!run->backend->probe)
		return;
	memset(why, 'w', sizeof(why));
	memset(remedy, 'r', sizeof(remedy));
	probed = run->backend->probe(&run->env, why, remedy);
	conformance_assert(run, conformance_blocks() == 0, "probe() keeps memory");
	opened = run->backend->open(&run->env, &engine);
	conformance_assert(run, (probed == 0) == (opened == 0), "probe() gave %d, open() %d",
			   probed, opened);
	ck_assert(why[BM_WHY_MAX] == 'w' && remedy[BM_WHY_MAX] == 'r');
	if (opened == 0) {
		run->backend->close(engine);
		return;
	}
	check_text(run, why, BM_WHY_MAX);
	conformance_assert(run, why[0], "probe() gave %d and no reason", probed);
}

START_TEST(probe_is_right)
{
	conformance_each_closed(probe);
}
END_TEST

/* ---------------------------------------------------------------- its queues */

static struct {
	struct conformance *run;
	int entries, usable;
	char names[128][64];
} listed;

static void add_queue(void *arg, const struct bm_queue_facts *queue)
{
	char name[64];

	ck_assert_ptr_eq(arg, &listed);
	ck_assert(queue->device && queue->name && queue->what && queue->why && queue->remedy);
	check_text(listed.run, queue->device, sizeof(name) / 2);
	check_text(listed.run, queue->name, sizeof(name) / 2);
	check_text(listed.run, queue->what, BM_WHY_MAX);
	check_text(listed.run, queue->why, BM_WHY_MAX);
	check_text(listed.run, queue->remedy, BM_WHY_MAX);
	conformance_assert(listed.run, queue->device[0] && queue->name[0], "a name is missing");
	conformance_assert(listed.run, queue->node >= -1, "node %d", queue->node);
	conformance_assert(listed.run, queue->why[0] || !queue->remedy[0],
			   "a remedy for what is not wrong");
	snprintf(name, sizeof(name), "%.31s %.31s", queue->device, queue->name);
	for (int i = 0; i < listed.entries; i++)
		conformance_assert(listed.run, strcmp(name, listed.names[i]) != 0,
				   "%s is there twice", name);
	memcpy(listed.names[listed.entries++ % 128], name, sizeof(name));
	listed.usable += !queue->why[0];
}

static void list(struct conformance *run)
{
	if (!run->backend->list)
		return;
	for (int opened = 0; opened < 2; opened++) {
		memset(&listed, 0, sizeof(listed));
		listed.run = run;
		if (opened)
			conformance_open(run);
		run->backend->list(&run->env, add_queue, &listed);
		conformance_assert(run, run->queues < 0 || listed.entries == run->queues,
				   "%d queues are listed, %d are there", listed.entries,
				   run->queues);
		conformance_assert(run, listed.usable > 0, "open() finds a queue, list() none");
		if (opened)
			conformance_close(run);
	}
}

START_TEST(queues_are_listed)
{
	conformance_each_closed(list);
}
END_TEST

/* ---------------------------------------------------------------- channels */

static void nodes(struct conformance *run)
{
	static const int nodes[] = {-1, 0, 1, 63, 4711};

	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		struct bm_channel *channel = NULL;
		int rc = run->backend->chan_open(run->engine, nodes[i], &channel);

		conformance_assert(run, rc == 0 || (i >= 2 && rc < 0 && rc > -4096),
				   "a channel for node %d: %d", nodes[i], rc);
		if (rc < 0)
			continue;
		copy_some(run, channel, "a channel for a node");
		run->backend->chan_close(channel);
	}
}

START_TEST(channels_of_nodes)
{
	conformance_each(nodes);
}
END_TEST

static void limits(struct conformance *run)
{
	conformance_flow_open(run, &flow, 0);
	conformance_assert(run, flow.limits.piece % CONFORMANCE_PAGE == 0, "pieces of %zu bytes",
			   flow.limits.piece);
	conformance_assert(run, flow.limits.depth < 1u << 20, "%zu in flight", flow.limits.depth);
	conformance_flow_close(&flow);
}

START_TEST(limits_are_sane)
{
	conformance_each(limits);
}
END_TEST

/* All at once, each with copies in flight while the others work. */
static void many(struct conformance *run)
{
	struct bm_channel *channels[CHANNELS];
	size_t opened = 0;

	while (opened < CHANNELS) {
		int rc = run->backend->chan_open(run->engine, opened % 2 ? 0 : -1,
						 &channels[opened]);

		conformance_assert(run, rc == 0, "channel %zu: %d", opened, rc);
		opened++;
	}
	for (size_t i = 0; i < CHANNELS; i++)
		copy_some(run, channels[i], "one of many channels");
	for (size_t i = 0; i < CHANNELS; i += 2)
		run->backend->chan_close(channels[i]);
	for (size_t i = 1; i < CHANNELS; i += 2)
		copy_some(run, channels[i], "when half of many channels are closed");
	for (size_t i = 1; i < CHANNELS; i += 2)
		run->backend->chan_close(channels[i]);
}

START_TEST(many_channels)
{
	conformance_each(many);
}
END_TEST

static void again(struct conformance *run)
{
	long before = conformance_blocks();

	for (int round = 0; round < (int)(1000 / CONFORMANCE_STEP); round++) {
		conformance_flow_open(run, &flow, round % 2 - 1);
		flow.first = (size_t)round % (CONFORMANCE_ARENA - 8);
		flow.pages = 8;
		conformance_add(&flow, 3, (size_t)round % 8, 1);
		conformance_run(&flow, "a channel once more");
		conformance_begin(&flow);
		conformance_flow_close(&flow);
	}
	conformance_assert(run, conformance_blocks() == before, "channels leave memory");
}

START_TEST(a_channel_1000_times)
{
	conformance_each(again);
}
END_TEST

/* ---------------------------------------------------------------- nothing to be had */

/* As far as it gets. */
static void open_channels(struct conformance *run)
{
	struct bm_channel *channels[2];
	int rc, opened = 0;

	while (opened < 2) {
		void *mark = &channels;

		channels[opened] = mark;
		rc = run->backend->chan_open(run->engine, 0, &channels[opened]);
		conformance_assert(run, rc <= 0 && rc > -4096, "chan_open() gave %d", rc);
		conformance_assert(run, rc == 0 || channels[opened] == mark,
				   "chan_open() gave %d and a channel", rc);
		if (rc < 0)
			break;
		opened++;
	}
	while (opened-- > 0) {
		copy_some(run, channels[opened], "what was opened without all");
		run->backend->chan_close(channels[opened]);
	}
}

/* 1: the call was made, and failed. */
static int open_without(struct conformance *run, unsigned long at, int error)
{
	int rc, logged = run->errors;
	void *mark = &logged;

	run->engine = mark;
	conformance_arm(at, error);
	rc = run->backend->open(&run->env, &run->engine);
	conformance_assert(run, rc <= 0 && rc > -4096, "call %lu fails: open() gave %d", at, rc);
	if (rc == 0) {
		open_channels(run);
		conformance_close(run);
	} else {
		conformance_assert(run, run->engine == mark, "call %lu fails: an engine, and %d",
				   at, rc);
		conformance_assert(run, rc == -ENODEV || run->errors > logged,
				   "call %lu fails: open() gave %d and logged nothing", at, rc);
	}
	conformance_assert(run, conformance_blocks() == 0, "call %lu fails: memory is left", at);
	return conformance_disarm();
}

static void without(struct conformance *run)
{
	static const int errors[] = {-ENOMEM, -EMFILE, -EACCES};

	run->poor = 1;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		unsigned long at = 1;

		while (open_without(run, at, errors[i]))
			at++;
		conformance_assert(run, at < 5000, "no end of calls");
	}
}

START_TEST(every_call_fails_once)
{
	conformance_each_closed(without);
}
END_TEST

static const TTest *const *const tests[] = {
	&engines_come_and_go,  &probe_is_right,        &queues_are_listed,
	&channels_of_nodes,    &limits_are_sane,       &many_channels,
	&a_channel_1000_times, &every_call_fails_once, NULL};
const struct report_group conformance_opens_group = {"conformance_opens", tests};

/* SPDX-License-Identifier: MIT */
/* scene.c - submits batches and holds the outputs against the fake kernel. */
#include "scene.h"

#include <stdarg.h>
#include <stdio.h>

static uint64_t state = 1;

void rnd_seed(uint64_t seed)
{
	state = seed * 0x9e3779b97f4a7c15u + 1;
}

uint32_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

static void *take(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size);

	ck_assert_ptr_nonnull(memory);
	return memory;
}

void scene_new(struct scene *scene, size_t count)
{
	*scene = (struct scene){.count = count};
	scene->pages = take(count, sizeof(*scene->pages));
	scene->nodes = take(count, sizeof(*scene->nodes));
	scene->status = take(count, sizeof(*scene->status));
	scene->reasons = take(count, 1);
	scene->heads = take(count, sizeof(*scene->heads));
	scene->before = take(count, sizeof(*scene->before));
	scene->decider = take(count, sizeof(*scene->decider));
	scene->mixed = take(count, 1);
}

void scene_free(struct scene *scene)
{
	free(scene->pages);
	free(scene->nodes);
	free(scene->status);
	free(scene->reasons);
	free(scene->heads);
	free(scene->before);
	free(scene->decider);
	free(scene->mixed);
}

void scene_line(struct scene *scene, size_t count, int node)
{
	scene_new(scene, count);
	for (size_t i = 0; i < count; i++) {
		scene->pages[i] = (void *)(uintptr_t)(BASE + i * fake.page_size);
		scene->nodes[i] = node;
	}
}

static struct fake_page *page_of(const struct scene *scene, size_t i)
{
	return fake_at((uint64_t)(uintptr_t)scene->pages[i]);
}

/* Which entry has the last word on each folio; remembers how things were. */
static void remember(struct scene *scene)
{
	for (size_t i = 0; i < scene->count; i++) {
		struct fake_page *page = page_of(scene, i);

		scene->status[i] = UNSET;
		scene->reasons[i] = 255;
		scene->before[i] = fake_node((uint64_t)(uintptr_t)scene->pages[i]);
		scene->decider[i] = (uint32_t)i;
		scene->mixed[i] = 0;
		if (page) {
			scene->heads[i] = *fake_head(page);
			fake_head(page)->mark = (uint32_t)i;
		}
	}
	for (size_t i = 0; i < scene->count; i++) {
		const struct fake_page *page = page_of(scene, i);

		if (page)
			scene->decider[i] = (page - page->back)->mark;
		if (scene->nodes[i] != scene->nodes[scene->decider[i]])
			scene->mixed[scene->decider[i]] = 1;
	}
	for (size_t i = 0; i < scene->count; i++)
		scene->mixed[i] = scene->mixed[scene->decider[i]];
}

/* What fails as a whole says so of each entry. */
static void told_nothing(struct scene *scene, int error)
{
	for (size_t i = 0; i < scene->count; i++) {
		ck_assert_int_eq(scene->status[i], error);
		scene->status[i] = UNSET;
	}
	ck_assert_uint_eq(scene->report.tally.pages, scene->count);
	ck_assert_uint_eq(scene->report.tally.failed, scene->count);
}

long scene_submit(struct scene *scene, struct bm_context *context)
{
	struct bm_request request;
	struct bm_batch *batch = NULL;
	long result;

	remember(scene);
	bm_request_init(&request, sizeof(request));
	request.flags = scene->flags;
	request.count = scene->count;
	request.pages = scene->pages;
	request.nodes = scene->nodes;
	request.status = scene->status;
	request.reasons = scene->reasons;
	request.mover = scene->mover;
	request.pid = scene->pid;
	result = bm_submit(context, &request, &batch);
	if (result < 0) {
		ck_assert_ptr_null(batch);
		return result;
	}
	ck_assert_ptr_nonnull(batch);
	result = bm_batch_wait(batch, BM_FOREVER);
	ck_assert_int_eq(bm_batch_report(batch, &scene->report, sizeof(scene->report)), 0);
	bm_batch_free(batch);
	if (result < 0)
		told_nothing(scene, (int)result);
	return result;
}

long scene_migrate(struct scene *scene, struct bm_context *context)
{
	remember(scene);
	return bm_migrate_batch(context, scene->count, scene->pages, scene->nodes, scene->status,
				scene->flags);
}

static char text[512];

__attribute__((format(printf, 1, 2))) static const char *say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return text;
}

static int node_ok(int node)
{
	return node >= 0 && node < FAKE_NODES && fake.memory >> node & 1;
}

static int allowed(int node)
{
	return node_ok(node) && fake.allowed >> node & 1;
}

/* 1: this error may be told of the page whose target is that of its decider. */
static int error_fits(const struct scene *scene, size_t i, int error)
{
	const struct fake_page *head = &scene->heads[i];
	int target = scene->nodes[scene->decider[i]];

	switch (error) {
	case -ENOENT:
	case -EFAULT:
	case -EHWPOISON:
		return scene->before[i] == error;
	case -EACCES:
		return (head->shared && !(scene->flags & BM_MOVE_ALL)) ||
		       (node_ok(target) && !allowed(target)) ||
		       (node_ok(scene->nodes[i]) && !allowed(scene->nodes[i]));
	case -EBUSY:
		/* The second address of a huge page is refused before the first one is. */
		return head->pinned || head->stuck || (scene->bounded && head->length > 1);
	case -ENOMEM:
		return scene->bounded;
	case -ENODEV:
		/* Where a huge page cannot be seen, of an entry's own target too. */
		return !node_ok(target) || !node_ok(scene->nodes[i]);
	default:
		return 0;
	}
}

/* Nothing stands in the way of what the deciding entry asks for. */
static int movable(const struct scene *scene, size_t i)
{
	const struct fake_page *head = &scene->heads[i];
	int target = scene->nodes[scene->decider[i]];

	if (scene->before[i] < 0 || scene->bounded)
		return 0;
	if (head->pinned || head->stuck || (head->shared && !(scene->flags & BM_MOVE_ALL)))
		return 0;
	return allowed(target);
}

static const char *entry_wrong(const struct scene *scene, size_t i)
{
	int status = scene->status[i], asked = scene->nodes[i];
	int target = scene->nodes[scene->decider[i]];
	int real = fake_node((uint64_t)(uintptr_t)scene->pages[i]);

	if (status == UNSET)
		return say("entry %zu: status not written", i);
	if (status >= 0 && status != real)
		return say("entry %zu (asked %d): status %d, but it is on %d", i, asked, status,
			   real);
	if (scene->lenient)
		return NULL;
	if (status < 0 && real >= 0 && real == asked)
		return say("entry %zu: status %d though it is on %d as asked", i, status, real);
	if (status < 0 && !error_fits(scene, i, status))
		return say("entry %zu (asked %d, was on %d): status %d fits not", i, asked,
			   scene->before[i], status);
	if (movable(scene, i) && real != target)
		return say("entry %zu: is on %d, but entry %u decides for %d (was on %d)", i, real,
			   scene->decider[i], target, scene->before[i]);
	/* Where entries contradict each other the page may be elsewhere for that. */
	if (!scene->mixed[i] && status >= 0 && status != asked)
		return say("entry %zu: asked %d, on %d, and no error", i, asked, status);
	return NULL;
}

static int reason_fits(const struct scene *scene, size_t i, int reason)
{
	int status = scene->status[i];

	/* Where it was is known to nobody if it was in migration all the time before. */
	if (status == scene->nodes[i] && (scene->mixed[i] || scene->heads[i].passing > 1))
		return reason == BM_REASON_NONE || reason == BM_REASON_ALREADY;
	if (status == scene->nodes[i])
		return reason == (scene->before[i] == status ? BM_REASON_ALREADY : BM_REASON_NONE);
	switch (status) {
	case -ENOENT:
		return reason == BM_REASON_ABSENT;
	case -EFAULT:
		return reason == BM_REASON_UNMAPPED;
	case -EBUSY:
		return reason == BM_REASON_BUSY;
	case -ENOMEM:
		return reason == BM_REASON_TARGET_FULL;
	case -ENODEV:
		return reason == BM_REASON_NO_NODE;
	case -EHWPOISON:
		return reason == BM_REASON_POISONED;
	case -EACCES:
		return reason == (allowed(scene->nodes[scene->decider[i]]) ? BM_REASON_SHARED
									   : BM_REASON_CPUSET) ||
		       (!allowed(scene->nodes[i]) && reason == BM_REASON_CPUSET) ||
		       (scene->heads[i].shared && reason == BM_REASON_SHARED);
	default:
		return reason == BM_REASON_CONTRADICTED && scene->mixed[i];
	}
}

static const char *sums_wrong(const struct scene *scene, size_t moved, size_t already,
			      const uint64_t *reasons)
{
	const struct bm_tally *tally = &scene->report.tally;
	uint64_t failed = 0, count = scene->count;

	if (tally->pages != count || tally->moved + tally->already + tally->failed != count)
		return say("tally: %llu pages of %zu", (unsigned long long)tally->pages,
			   scene->count);
	if (tally->moved != moved || tally->already != already)
		return say("tally: %llu moved, %llu already; true are %zu and %zu",
			   (unsigned long long)tally->moved, (unsigned long long)tally->already,
			   moved, already);
	for (size_t i = 0; i < BM_ERRNO_SLOTS; i++) {
		failed += tally->by_errno[i].pages;
		if (i && tally->by_errno[i].pages > tally->by_errno[i - 1].pages)
			return say("tally: by_errno is not sorted");
	}
	if (failed != tally->failed)
		return say("tally: by_errno does not split failed");
	for (size_t i = 0; i < BM_REASON_COUNT; i++) {
		if (reasons[i] != scene->report.reasons[i])
			return say("reason %s: %llu in the report, %llu in the array",
				   bm_reason_name((int)i),
				   (unsigned long long)scene->report.reasons[i],
				   (unsigned long long)reasons[i]);
	}
	return NULL;
}

static const char *report_wrong(const struct scene *scene)
{
	uint64_t reasons[BM_REASON_SLOTS] = {0};
	size_t moved = 0, already = 0;

	for (size_t i = 0; i < scene->count; i++) {
		int reason = scene->reasons[i];

		if (reason >= BM_REASON_COUNT)
			return say("entry %zu: no reason was written", i);
		if (!scene->lenient && !reason_fits(scene, i, reason))
			return say("entry %zu (asked %d, was on %d): status %d, reason %s", i,
				   scene->nodes[i], scene->before[i], scene->status[i],
				   bm_reason_name(reason));
		reasons[reason]++;
		moved += reason == BM_REASON_NONE || reason == BM_REASON_NO_BIND;
		already += reason == BM_REASON_ALREADY;
	}
	return sums_wrong(scene, moved, already, reasons);
}

const char *scene_wrong(const struct scene *scene, long result, int with_report)
{
	long misplaced = 0;
	const char *wrong;

	if (result < 0)
		return say("the batch failed: %ld", result);
	for (size_t i = 0; i < scene->count; i++) {
		wrong = entry_wrong(scene, i);
		if (wrong)
			return wrong;
		misplaced += scene->status[i] != scene->nodes[i];
	}
	if (misplaced != result)
		return say("result %ld, but %ld entries are not where asked", result, misplaced);
	return with_report ? report_wrong(scene) : NULL;
}

/* SPDX-License-Identifier: MIT */
/* faulty.c - a queue in memory; copies are made when they are taken. */
#include "faulty.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "context.h"

#define ROOM 2048
#define LATE 50

struct bm_channel {
	struct bm_copied done[ROOM];
	size_t count;
	int wait; /* questions until anything is told */
	int refuses;
};

struct faulty faulty;

void faulty_keep_held(const struct bm_context *context)
{
	static struct bm_mapping *volatile kept[16];
	static size_t count;
	struct bm_mapping *mapping = context->swap ? context->swap->pool.mappings : NULL;

	for (; mapping; mapping = mapping->next)
		if (bm_mapping_leave(mapping))
			kept[count++ % (sizeof(kept) / sizeof(kept[0]))] = mapping;
}

size_t faulty_write_late(void)
{
	size_t count = faulty.silent < FAULTY_LATE_MOST ? faulty.silent : FAULTY_LATE_MOST;

	for (size_t i = 0; i < count; i++)
		memset(faulty.late[i].to, 0x3c, faulty.late[i].length);
	faulty.silent = 0;
	return count;
}

static int opened(const struct bm_backend_env *env, struct bm_engine **engine)
{
	(void)env;
	*engine = NULL;
	return 0;
}

static void closed(struct bm_engine *engine)
{
	(void)engine;
}

/* In memory that swap cannot take, as the seam demands. */
static int channel_opened(struct bm_engine *engine, int node, struct bm_channel **channel)
{
	void *memory = mmap(NULL, sizeof(**channel), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)engine;
	(void)node;
	if (memory == MAP_FAILED)
		return -ENOMEM;
	*channel = memory;
	return 0;
}

static void channel_closed(struct bm_channel *channel)
{
	munmap(channel, sizeof(*channel));
}

static enum faulty_kind kind_now(void)
{
	/* Channels may be those of several threads. */
	size_t seen = __atomic_add_fetch(&faulty.seen, 1, __ATOMIC_RELAXED);

	if (faulty.every ? seen % faulty.every != 0 : seen != faulty.at)
		return FAULTY_NOT;
	faulty.hit = 1;
	return faulty.kind;
}

static void tell(struct bm_channel *channel, const struct bm_copy *copy, size_t done, int error)
{
	size_t at = channel->count++;

	if (faulty.shuffle && at > 0) {
		channel->done[at] = channel->done[at / 2];
		at /= 2;
	}
	channel->done[at] = (struct bm_copied){.done = done, .tag = copy->tag, .error = error};
}

static void break_middle(const void *start, size_t length)
{
	faulty.break_page((uint64_t)(uintptr_t)start + length / 2);
}

static void copy_one(struct bm_channel *channel, const struct bm_copy *copy, enum faulty_kind kind)
{
	size_t length = copy->length;

	switch (kind) {
	case FAULTY_ERROR:
		memset(copy->to, 0x5a, length);
		tell(channel, copy, length, -EIO);
		return;
	case FAULTY_SHORT:
		memset(copy->to, 0xa5, length);
		memcpy(copy->to, copy->from, length / 2 + 100);
		tell(channel, copy, length / 2 + 100, 0);
		return;
	case FAULTY_BREAKS:
		break_middle(copy->from, length);
		tell(channel, copy, 0, -EIO);
		return;
	case FAULTY_BREAKS_SILENT:
		break_middle(copy->from, length);
		return;
	case FAULTY_SILENT:
		faulty.late[faulty.silent++ % FAULTY_LATE_MOST] = *copy;
		return;
	case FAULTY_LATE:
		channel->wait = LATE;
		break;
	default:
		break;
	}
	memcpy(copy->to, copy->from, length);
	if (kind == FAULTY_BREAKS_AFTER || kind == FAULTY_BREAKS_TARGET)
		break_middle(kind == FAULTY_BREAKS_AFTER ? copy->from : copy->to, length);
	tell(channel, copy, length, 0);
	if (kind == FAULTY_TWICE)
		tell(channel, copy, length, 0);
}

static void limits(const struct bm_channel *channel, struct bm_limits *limits)
{
	(void)channel;
	limits->piece = faulty.piece;
}

static int settle(struct bm_channel *channel)
{
	channel->count = 0;
	return faulty.is_quiet || faulty.silent == 0;
}

static int submit(struct bm_channel *channel, const struct bm_copy *copies, size_t count)
{
	size_t taken = 0;

	while (taken < count && !channel->refuses) {
		enum faulty_kind kind;

		if (channel->count + 2 > (faulty.depth ? faulty.depth + 1 : ROOM))
			break;
		kind = kind_now();
		channel->refuses = kind == FAULTY_REFUSED;
		if (!channel->refuses)
			copy_one(channel, &copies[taken++], kind);
	}
	if (taken > 0)
		return (int)taken;
	return channel->refuses ? -ENODEV : -EAGAIN;
}

static int reap(struct bm_channel *channel, struct bm_copied *copied, size_t most)
{
	size_t count = channel->count < most ? channel->count : most;

	if (channel->wait > 0 && channel->wait-- > 0)
		return 0;
	memcpy(copied, channel->done, count * sizeof(*copied));
	channel->count -= count;
	memmove(channel->done, channel->done + count, channel->count * sizeof(*copied));
	return (int)count;
}

const struct bm_backend faulty_backend = {.name = "faulty",
					  .does = "one thing wrong",
					  .open = opened,
					  .close = closed,
					  .chan_open = channel_opened,
					  .chan_close = channel_closed,
					  .limits = limits,
					  .settle = settle,
					  .submit = submit,
					  .reap = reap};

/* SPDX-License-Identifier: MIT */
/* swap_whole.c - the heap of a program that goes on working, and then all its memory. */
#include "swap_support.h"

#include <fcntl.h>
#include <stdio.h>

#define MOST   (1u << 17)
#define BLOCKS 64

/* Part of the memory that moves, too. */
static void *pages[MOST];
static int targets[MOST], status[MOST];

/* Adds the pages of a mapping that are present. */
static size_t add_present(uintptr_t from, uintptr_t to, size_t count)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entries[512];

	ck_assert_int_ge(fd, 0);
	while (from < to) {
		size_t want = (to - from) / PAGE < 512 ? (to - from) / PAGE : 512;
		ssize_t got = pread(fd, entries, want * 8, (off_t)(from / PAGE * 8));

		for (size_t i = 0; got > 0 && i < (size_t)got / 8 && count < MOST; i++) {
			if (entries[i] & PAGEMAP_PRESENT)
				pages[count++] = (void *)(from + i * PAGE);
		}
		from += want * PAGE;
	}
	close(fd);
	return count;
}

/* Whether a mapping is of the heap: the first one, or an arena with one of these blocks. */
static int is_heap(uintptr_t from, uintptr_t to, const char *name, const uintptr_t blocks[2])
{
	return strstr(name, "[heap]") || (blocks[0] >= from && blocks[0] < to) ||
	       (blocks[1] >= from && blocks[1] < to);
}

/* Lists the private writable anonymous memory of the program; blocks: only its heap. */
static size_t collect(const uintptr_t *blocks)
{
	FILE *file = fopen("/proc/self/maps", "re");
	size_t count = 0;
	char line[512];

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file)) {
		unsigned long from, to, inode;
		char access[8];

		if (sscanf(line, "%lx-%lx %7s %*s %*s %lu", &from, &to, access, &inode) != 4)
			continue;
		/* What sanitizers reserve is larger than all that there can be. */
		if (strcmp(access, "rw-p") != 0 || inode != 0 || to - from > 1ul << 32)
			continue;
		if (!blocks || is_heap(from, to, line, blocks))
			count = add_present(from, to, count);
	}
	fclose(file);
	ck_assert_uint_gt(count, 0);
	return count;
}

struct user {
	int number;
	atomic_int stop;
	atomic_uintptr_t block;
	atomic_ulong rounds, wrong;
	pthread_t thread;
};

static __thread uint64_t own_count;

static void check_block(struct user *user, const char *block, size_t size, int byte)
{
	for (size_t i = 0; i < size; i++) {
		if (block[i] != (char)byte) {
			atomic_fetch_add(&user->wrong, 1);
			return;
		}
	}
}

/* Allocates, grows, shrinks and frees; each block is full of one byte. */
static void *use_heap(void *arg)
{
	struct user *user = arg;
	struct pulse *pulse = pulse_new("a user of the heap");
	uint64_t seed = 0x2545f4914f6cdd1du + (uint64_t)user->number, count = 0;
	struct {
		char *start;
		size_t size;
		int byte;
	} blocks[BLOCKS] = {{NULL, 0, 0}};

	while (!atomic_load(&user->stop)) {
		size_t i, size;
		char *start;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		i = (seed >> 40) % BLOCKS;
		size = (seed >> 33) % (seed >> 60 ? 3000 : 300000);
		check_block(user, blocks[i].start, blocks[i].size, blocks[i].byte);
		start = size % 3 ? realloc(blocks[i].start, size + 1) : malloc(size + 1);
		check_block(user, size % 3 ? start : blocks[i].start,
			    size < blocks[i].size ? size : blocks[i].size, blocks[i].byte);
		if (size % 3 == 0)
			free(blocks[i].start);
		blocks[i].start = start;
		blocks[i].size = size + 1;
		blocks[i].byte = (int)(seed >> 50);
		memset(start, blocks[i].byte, size + 1);
		if (size < 3000)
			atomic_store(&user->block, (uintptr_t)start);
		if (own_count++ != count++)
			atomic_fetch_add(&user->wrong, 1);
		atomic_fetch_add(&user->rounds, 1);
		pulse_beat(pulse);
	}
	for (size_t i = 0; i < BLOCKS; i++)
		free(blocks[i].start);
	pulse_end(pulse);
	return NULL;
}

static void users_start(struct user *users)
{
	for (int i = 0; i < 2; i++) {
		users[i] = (struct user){.number = i};
		ck_assert_int_eq(pthread_create(&users[i].thread, NULL, use_heap, &users[i]), 0);
	}
	for (int i = 0; i < 2; i++) {
		while (atomic_load(&users[i].rounds) < 200)
			usleep(1000);
	}
}

static void users_end(struct user *users)
{
	for (int i = 0; i < 2; i++)
		atomic_store(&users[i].stop, 1);
	for (int i = 0; i < 2; i++) {
		pthread_join(users[i].thread, NULL);
		ck_assert_uint_eq(atomic_load(&users[i].wrong), 0);
	}
}

static void move_list(struct swapper *swapper, size_t count, int round)
{
	struct area area = {.count = count, .pages = pages, .targets = targets, .status = status};

	ck_assert_int_ge(swapper_round(swapper, &area, round), 0);
	for (size_t i = 0; i < count; i++) {
		/* The kernel may find no huge page on the target, nor split one that is in use. */
		ck_assert_msg(status[i] >= 0 || status[i] == -ENOENT || status[i] == -EFAULT ||
				      status[i] == -EBUSY || status[i] == -EACCES ||
				      status[i] == -ENOMEM,
			      "%p: status %d", pages[i], status[i]);
		ck_assert_msg(swapper->reasons[i] < BM_REASON_COUNT, "%p: reason %d", pages[i],
			      swapper->reasons[i]);
	}
}

START_TEST(heap_in_use)
{
	static struct user users[2];
	struct swapper swapper;
	struct box box;
	int round = 0;

	watchdog_start("swap_whole/heap_in_use");
	swapper_new(&swapper, 128, 2, 64);
	users_start(users);
	box_start(&box, "heap_in_use");
	while (box_open(&box)) {
		const uintptr_t blocks[2] = {atomic_load(&users[0].block),
					     atomic_load(&users[1].block)};

		move_list(&swapper, collect(blocks), round++);
	}
	users_end(users);
	check_any_swapped(&swapper);
	swapper_free(&swapper);
	watchdog_stop();
}
END_TEST

/* Writers, users of the heap, stacks, thread-local memory, the library: all of it at once. */
START_TEST(all_memory)
{
	static struct writers writers;
	static struct user users[2];
	struct swapper swapper;
	struct area area;
	struct box box;
	int round = 0, own_swapped = 0;

	watchdog_start("swap_whole/all_memory");
	swapper_new(&swapper, 256, 2, 64);
	area_new_low(&area, 2, 0, nodes[0]);
	writers = (struct writers){.start = area.start, .count = area.count, .threads = 2};
	writers.readers = 1;
	writers_start(&writers);
	users_start(users);
	box_start(&box, "all_memory");
	while (box_open(&box)) {
		size_t count = collect(NULL), own = 0;

		/* The stack of this thread is among them, too: it only waits meanwhile. */
		for (size_t i = 0; i < count; i++) {
			if (pages[i] == (void *)((uintptr_t)&own / PAGE * PAGE))
				own = i;
		}
		ck_assert_uint_gt(own, 0);
		move_list(&swapper, count, round++);
		own_swapped += swapper.reasons[own] == BM_REASON_NONE;
	}
	users_end(users);
	writers_end(&writers);
	check_any_swapped(&swapper);
	ck_assert(own_swapped > 0 || !swap_usable());
	ck_assert_uint_eq(stamp_wrong(area.start, area.count, PAGE), 0);
	area_free(&area);
	swapper_free(&swapper);
	watchdog_stop();
}
END_TEST

static const TTest *const *const tests[] = {&heap_in_use, &all_memory, NULL};
const struct report_group swap_whole_group = {"swap_whole", tests};

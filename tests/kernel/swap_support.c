/* SPDX-License-Identifier: MIT */
/* swap_support.c - batches of the mover swap, threads that write meanwhile, a watchdog. */
#include "swap_support.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <time.h>

/* ---------------------------------------------------------------- batches */

void swapper_new(struct swapper *swapper, int64_t chunk_kb, int64_t threads, int64_t pool_mb)
{
	struct bm_options options;

	*swapper = (struct swapper){.flags = SWAP_FLAGS, .mover = "swap"};
	bm_options_init(&options, sizeof(options));
	if (chunk_kb)
		options.chunk_kb = chunk_kb;
	if (threads)
		options.threads = threads;
	if (pool_mb)
		options.pool_mb = pool_mb == SWAP_NO_POOL ? 0 : pool_mb;
	ck_assert_int_eq(bm_context_new(&options, &swapper->context), 0);
}

void swapper_free(struct swapper *swapper)
{
	bm_context_free(swapper->context);
	free(swapper->reasons);
}

long swapper_submit(struct swapper *swapper, struct area *area)
{
	struct bm_request request;
	struct bm_batch *batch = NULL;
	long rc;

	free(swapper->reasons);
	swapper->reasons = malloc(area->count + 1);
	ck_assert_ptr_nonnull(swapper->reasons);
	memset(swapper->reasons, 0xff, area->count + 1);
	bm_request_init(&request, sizeof(request));
	request.flags = swapper->flags;
	request.count = area->count;
	request.pages = area->pages;
	request.nodes = area->targets;
	request.status = area->status;
	request.reasons = swapper->reasons;
	request.mover = swapper->mover;
	request.max_stall_us = swapper->max_stall_us;
	watchdog_beat();
	rc = bm_submit(swapper->context, &request, &batch);
	if (rc < 0)
		return rc;
	rc = bm_batch_wait(batch, BM_FOREVER);
	ck_assert_int_eq(bm_batch_report(batch, &swapper->report, sizeof(swapper->report)), 0);
	bm_batch_free(batch);
	watchdog_beat();
	swapper->swapped += swapper->report.bytes_swapped;
	swapper->windows += swapper->report.windows;
	return rc;
}

int node_of_round(int round)
{
	return node_count > 1 ? nodes[(round + 1) % 2] : nodes[0];
}

long swapper_round(struct swapper *swapper, struct area *area, int round)
{
	area_target(area, node_of_round(round));
	return swapper_submit(swapper, area);
}

int swap_usable(void)
{
	const struct bm_facility *mover;
	struct bm_info *info;
	int usable = 0;

	ck_assert_int_eq(bm_info_new(NULL, &info), 0);
	for (size_t i = 0; (mover = bm_info_mover(info, i)) != NULL; i++)
		usable |= strcmp(mover->name, "swap") == 0 && mover->usable;
	bm_info_free(info);
	return usable;
}

int swap_refusal(void)
{
	struct utsname name;
	int major = 0, minor = 0, old;

	uname(&name);
	ck_assert_int_eq(sscanf(name.release, "%d.%d", &major, &minor), 2);
	old = major < 6 || (major == 6 && minor < 8);
	if (swap_usable()) {
		ck_assert_msg(!old, "swap is said to be usable on Linux %s", name.release);
		return BM_REASON_NONE;
	}
	ck_assert_msg(old || geteuid() != 0, "root cannot have swap on Linux %s", name.release);
	return old ? BM_REASON_OLD_KERNEL : BM_REASON_NO_PRIVILEGE;
}

/* ---------------------------------------------------------------- what the kernel tells */

uint64_t pagemap_of(const void *page)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pread(fd, &entry, 8, (off_t)((uintptr_t)page / PAGE * 8)), 8);
	close(fd);
	return entry;
}

uint64_t *frames_of(const struct area *area)
{
	uint64_t *frames = calloc(area->count + 1, sizeof(*frames));
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	ck_assert_ptr_nonnull(frames);
	ck_assert_int_ge(fd, 0);
	for (size_t i = 0; i < area->count; i++) {
		off_t at = (off_t)((uintptr_t)area->pages[i] / PAGE * 8);
		uint64_t entry = 0;

		ck_assert_int_eq(pread(fd, &entry, 8, at), 8);
		frames[i] = entry & PAGEMAP_PRESENT ? entry & PAGEMAP_FRAME : 0;
	}
	close(fd);
	return frames;
}

size_t pages_flagged(const struct area *area, uint64_t flags, char *flagged)
{
	uint64_t *frames = frames_of(area);
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	size_t count = 0;

	for (size_t i = 0; i < area->count; i++) {
		uint64_t is = 0;
		int found = pread(fd, &is, 8, (off_t)(frames[i] * 8)) == 8 && (is & flags) != 0;

		if (flagged)
			flagged[i] = (char)found;
		count += (size_t)found;
	}
	if (fd >= 0)
		close(fd);
	free(frames);
	return count;
}

size_t frames_kept(const struct area *area, const uint64_t *frames)
{
	uint64_t *now = frames_of(area);
	size_t kept = 0;

	for (size_t i = 0; i < area->count; i++)
		kept += now[i] != 0 && now[i] == frames[i];
	free(now);
	return kept;
}

void check_swapped(const struct swapper *swapper, const struct area *area, const uint64_t *before)
{
	int refusal = swap_refusal();

	for (size_t i = 0; i < area->count; i++) {
		ck_assert_msg(area->status[i] == area->targets[i], "page %zu: status %d, not %d", i,
			      area->status[i], area->targets[i]);
		ck_assert_msg(swapper->reasons[i] == refusal, "page %zu: reason %s", i,
			      bm_reason_name(swapper->reasons[i]));
	}
	ck_assert_uint_eq(status_wrong(area), 0);
	ck_assert_uint_eq(swapper->report.tally.failed, 0);
	if (refusal) {
		ck_assert_uint_eq(swapper->report.bytes_swapped, 0);
		ck_assert_uint_eq(swapper->report.windows, 0);
		return;
	}
	ck_assert_uint_gt(swapper->report.bytes_swapped, 0);
	ck_assert_uint_gt(swapper->report.windows, 0);
	ck_assert_uint_eq(swapper->report.bytes_swapped, swapper->report.bytes_moved);
	ck_assert_uint_gt(swapper->report.ns_window, 0);
	ck_assert_uint_le(swapper->report.ns_window_max, swapper->report.ns_window);
	ck_assert_uint_le(swapper->report.ns_copy, swapper->report.ns_window);
	ck_assert_str_eq(swapper->report.mover, "swap");
	ck_assert_uint_eq(frames_kept(area, before), 0);
}

/*
 * These pages swap leaves to the kernel: on their target all the same, with
 * the reason; where there is no other node, exactly where they were.
 */
static void check_left(const struct swapper *swapper, const struct area *area,
		       const uint64_t *before, int reason)
{
	if (swap_refusal())
		reason = swap_refusal();
	for (size_t i = 0; i < area->count; i++) {
		ck_assert_msg(area->status[i] == area->targets[i], "page %zu: status %d", i,
			      area->status[i]);
		ck_assert_msg(swapper->reasons[i] == reason, "page %zu: reason %s, not %s", i,
			      bm_reason_name(swapper->reasons[i]), bm_reason_name(reason));
	}
	ck_assert_uint_eq(status_wrong(area), 0);
	ck_assert_uint_eq(swapper->report.bytes_swapped, 0);
	ck_assert_uint_eq(swapper->report.reasons[reason], swapper->report.tally.pages);
	ck_assert_uint_eq(frames_kept(area, before), node_count > 1 ? 0 : area->count);
	if (node_count == 1)
		ck_assert_uint_eq(swapper->report.tally.already, area->count);
}

void expect_left(struct area *area, int reason)
{
	struct swapper swapper;

	swapper_new(&swapper, 256, 2, 64);
	for (int round = 0; round < 2; round++) {
		uint64_t *before = frames_of(area);

		ck_assert_int_eq(swapper_round(&swapper, area, round), 0);
		check_left(&swapper, area, before, reason);
		free(before);
	}
	swapper_free(&swapper);
}

void expect_swapped(struct area *area)
{
	struct swapper swapper;

	swapper_new(&swapper, 256, 2, 64);
	for (int round = 0; round < 2; round++) {
		uint64_t *before = frames_of(area);

		ck_assert_int_eq(swapper_round(&swapper, area, round), 0);
		check_swapped(&swapper, area, before);
		free(before);
	}
	swapper_free(&swapper);
}

void check_any_swapped(const struct swapper *swapper)
{
	if (swap_refusal()) {
		ck_assert_uint_eq(swapper->swapped, 0);
		return;
	}
	ck_assert_uint_gt(swapper->swapped, 0);
	ck_assert_uint_gt(swapper->windows, 0);
}

/* The line of a field in smaps, of the mapping with this address; 0: there is none. */
static int smaps_line(const void *address, const char *field, char *line, int size)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	size_t length = strlen(field);
	int inside = 0, found = 0;

	ck_assert_ptr_nonnull(file);
	while (!found && fgets(line, size, file)) {
		unsigned long from, to;

		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = (uintptr_t)address >= from && (uintptr_t)address < to;
		else
			found = inside && strncmp(line, field, length) == 0 && line[length] == ':';
	}
	fclose(file);
	return found;
}

long smaps_kb(const void *address, const char *field)
{
	char line[512];

	if (!smaps_line(address, field, line, sizeof(line)))
		return -1;
	return strtol(line + strlen(field) + 1, NULL, 10);
}

int smaps_flag(const void *address, const char *flag)
{
	char line[512], word[8];

	if (!smaps_line(address, "VmFlags", line, sizeof(line)))
		return 0;
	snprintf(word, sizeof(word), " %s ", flag);
	return strstr(line, word) != NULL;
}

long status_kb(const char *field)
{
	FILE *file = fopen("/proc/self/status", "re");
	size_t length = strlen(field);
	char line[256];
	long kb = -1;

	ck_assert_ptr_nonnull(file);
	while (kb < 0 && fgets(line, sizeof(line), file)) {
		if (strncmp(line, field, length) == 0 && line[length] == ':')
			kb = strtol(line + length + 1, NULL, 10);
	}
	fclose(file);
	return kb;
}

/* mmap(2) puts nothing there by itself, and sanitizers leave it to the program. */
#define LOW_PLACE  0x7ea000000000ul
#define LOW_PLACES 256

static char *map_low(size_t length)
{
	static atomic_ulong next;
	char *start = MAP_FAILED;

	for (int tries = 0; tries < LOW_PLACES && start == MAP_FAILED; tries++) {
		unsigned long number = atomic_fetch_add(&next, 1) % LOW_PLACES;

		start = mmap((char *)(LOW_PLACE + (number << 30)), length, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1,
			     0);
	}
	ck_assert_ptr_ne(start, MAP_FAILED);
	return start;
}

void area_new_low(struct area *area, size_t huge_count, int huge, int node)
{
	size_t length = huge_count * HUGE;
	char *start = map_low(length);

	ck_assert_int_eq(madvise(start, length, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE), 0);
	prefer(node);
	stamp(start, length / PAGE, PAGE);
	prefer(-1);
	if (huge)
		ck_assert_int_eq(smaps_kb(start, "AnonHugePages"), (long)(length >> 10));
	area_over(area, start, length / PAGE, PAGE);
	area->length = length;
}

void area_new_huge(struct area *area, size_t huge_count, int node)
{
	area_new_low(area, huge_count, 1, node);
}

size_t count_maps(void)
{
	static char text[1 << 20];
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	size_t lines = 0;
	ssize_t got;

	ck_assert_int_ge(fd, 0);
	while ((got = read(fd, text, sizeof(text))) > 0) {
		for (ssize_t i = 0; i < got; i++)
			lines += text[i] == '\n';
	}
	close(fd);
	return lines;
}

size_t count_entries(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	size_t count = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

int has_userfaultfd(void)
{
	char path[64], target[64];
	int found = 0;

	for (int fd = 0; fd < 1024; fd++) {
		ssize_t length;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		length = readlink(path, target, sizeof(target) - 1);
		if (length <= 0)
			continue;
		target[length] = '\0';
		found |= strstr(target, "userfaultfd") != NULL;
	}
	return found;
}

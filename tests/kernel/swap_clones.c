/* SPDX-License-Identifier: MIT */
/*
 * swap_clones.c - children of raw clone(2) while a range is migrated: behind
 * the back of the C library, and of what it runs at a fork. They run as soon
 * as the library has heard of them, and get their pages only then.
 */
#include "swap_children.h"

#include <signal.h>
#include <sys/syscall.h>

static struct load load;
static char true_name[] = "true";
static char *const arguments[] = {true_name, NULL};

/* In the kept half. */
#define PART_FROM (COUNT / 2 + 100)
#define PART_TO   (COUNT / 2 + 300)

static char *place(size_t page)
{
	return load.area.start + page * PAGE;
}

static pid_t raw_clone(int (*body)(void))
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0ul, 0ul, 0ul, 0ul);

	if (pid == 0)
		syscall(SYS_exit_group, body());
	return pid;
}

static int (*child_does)(void);

static pid_t make_a_child(void)
{
	return raw_clone(child_does);
}

#define CLONE_TEST(name, body)                                                 \
	START_TEST(name)                                                       \
	{                                                                      \
		child_does = body;                                             \
		children_meanwhile(&load, "swap_clones/" #name, make_a_child); \
	}                                                                      \
	END_TEST

static int look(void)
{
	limit_child(20);
	return contents_as_seen(&load);
}

CLONE_TEST(looks, look)

static int run_another_program(void)
{
	syscall(SYS_execve, "/bin/true", arguments, NULL);
	return 127;
}

CLONE_TEST(runs_another_program, run_another_program)

static int end_at_once(void)
{
	return 0;
}

CLONE_TEST(ends_at_once, end_at_once)

/* All but the part of the kept half; 0 or which half is wrong. */
static int rest_as_seen(void)
{
	if (wrong_words(place(COUNT / 2), (PART_FROM - COUNT / 2) * PAGE, LOAD_SEED) != 0 ||
	    wrong_words(place(PART_TO), (COUNT - PART_TO) * PAGE, LOAD_SEED) != 0)
		return 1;
	return lost_words(place(0), load_half(&load), LOAD_SEED) != 0 ? 2 : 0;
}

/* What it removes is zeros, also where it had not got the page yet. */
static int remove_a_part(void)
{
	limit_child(20);
	if (madvise(place(PART_FROM), (PART_TO - PART_FROM) * PAGE, MADV_DONTNEED) != 0)
		return 3;
	for (size_t page = PART_FROM; page < PART_TO; page++) {
		for (size_t at = 0; at < PAGE; at += 8) {
			if (*(uint64_t *)(void *)(place(page) + at) != 0)
				return 4;
		}
	}
	return rest_as_seen();
}

CLONE_TEST(removes, remove_a_part)

/* And maps something else there. */
static int unmap_a_part(void)
{
	size_t length = (PART_TO - PART_FROM) * PAGE;

	limit_child(20);
	if (munmap(place(PART_FROM), length) != 0 ||
	    mmap(place(PART_FROM), length, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != place(PART_FROM))
		return 3;
	fill(place(PART_FROM), length, LOAD_SEED + 1);
	if (wrong_words(place(PART_FROM), length, LOAD_SEED + 1) != 0)
		return 4;
	return rest_as_seen();
}

CLONE_TEST(unmaps, unmap_a_part)

/* There and back: the pages have to find it. */
static int remap_a_part(void)
{
	size_t length = (PART_TO - PART_FROM) * PAGE;
	char *away = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t word;

	limit_child(20);
	if (mremap(place(PART_FROM), length, length, MREMAP_MAYMOVE | MREMAP_FIXED, away) != away)
		return 3;
	memcpy(&word, away + length - 8, 8);
	if (mremap(away, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, place(PART_FROM)) !=
	    place(PART_FROM))
		return 4;
	if (memcmp(&word, place(PART_TO) - 8, 8) != 0)
		return 5;
	return contents_as_seen(&load);
}

CLONE_TEST(remaps, remap_a_part)

/* A grandchild, from a child that has not got its pages yet, after a change. */
static int clone_again(void)
{
	pid_t pid;
	int rc;

	limit_child(20);
	rc = madvise(place(PART_FROM), (PART_TO - PART_FROM) * PAGE, MADV_DONTNEED) != 0 ? 3 : 0;
	pid = raw_clone(remove_a_part);
	if (rc == 0)
		rc = pid < 0 ? 5 : end_of_child(pid);
	return rc ? rc : rest_as_seen();
}

CLONE_TEST(clones_again, clone_again)

/* A child that is killed some time after it was made; the next one looks. */
static int sleep_and_touch(void)
{
	limit_child(20);
	for (size_t page = 0; page < COUNT; page++)
		*(volatile char *)place(page);
	pause();
	return 0;
}

static pid_t who_is_killed(void)
{
	static unsigned int delay;
	pid_t pid = raw_clone(sleep_and_touch);

	if (pid < 0)
		return -1;
	usleep(delay++ % 8 * 20);
	kill(pid, SIGKILL);
	return await_child(pid) == 128 + SIGKILL ? raw_clone(look) : -1;
}

START_TEST(is_killed)
{
	children_meanwhile(&load, "swap_clones/is_killed", who_is_killed);
}
END_TEST

static const TTest *const *const tests[] = {
	&looks,  &runs_another_program, &ends_at_once, &removes, &unmaps,
	&remaps, &clones_again,         &is_killed,    NULL};
const struct report_group swap_clones_group = {"swap_clones", tests};

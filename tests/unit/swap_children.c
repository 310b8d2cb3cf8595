/* SPDX-License-Identifier: MIT */
/*
 * swap_children.c - children of raw clone(2) that change things before they
 * have got the pages that are away: the reader is late. On the real kernel.
 */
#include "script.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define LATE_US 30000

/* What a child does something to. */
#define FROM   (8 * PAGE)
#define TO     (24 * PAGE)
#define LENGTH (TO - FROM)

static int (*child_does)(void);
static int ended; /* as wait(2) says */

static pid_t raw_clone(int (*body)(void))
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0ul, 0ul, 0ul, 0ul);

	if (pid == 0) {
		/* Check's handlers would take the test with them. */
		signal(SIGALRM, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		alarm(10);
		syscall(SYS_exit_group, body());
	}
	return pid;
}

static void make_a_child(void)
{
	pid_t pid = raw_clone(child_does);

	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &ended, 0), pid);
}

/* The child meets a reader that is late; what the parent has is not touched. */
static void child_meanwhile(int (*body)(void))
{
	child_does = body;
	script.late_us = LATE_US;
	ck_assert_uint_eq(move_meanwhile(AT_COPY, 0, make_a_child), PART);
	check(area, area, PARTS * BYTES, 1);
}

static void expect_child(int (*body)(void))
{
	NEED_SWAP();
	child_meanwhile(body);
	ck_assert_msg(WIFEXITED(ended) && WEXITSTATUS(ended) == 0, "the child: %#x", ended);
	script_end();
}

static int is_wrong(const char *from, const char *to)
{
	return wrong_words(from, from, (size_t)(to - from), 1) != 0;
}

static int rest_is_wrong(void)
{
	return is_wrong(area, area + FROM) || is_wrong(area + TO, area + PARTS * BYTES);
}

static int part_is_not_zeros(void)
{
	for (const char *at = area + FROM; at < area + TO; at++) {
		if (*at)
			return 1;
	}
	return 0;
}

static int look(void)
{
	return is_wrong(area, area + PARTS * BYTES);
}

START_TEST(looks)
{
	expect_child(look);
}
END_TEST

static int remove_part(void)
{
	if (madvise(area + FROM, LENGTH, MADV_DONTNEED) != 0)
		return 2;
	return part_is_not_zeros() ? 3 : rest_is_wrong();
}

START_TEST(removes)
{
	expect_child(remove_part);
}
END_TEST

static int unmap_part(void)
{
	char *mapped;

	if (munmap(area + FROM, LENGTH) != 0)
		return 2;
	mapped = mmap(area + FROM, LENGTH, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		      0);
	if (mapped != area + FROM)
		return 3;
	return part_is_not_zeros() ? 4 : rest_is_wrong();
}

START_TEST(unmaps)
{
	expect_child(unmap_part);
}
END_TEST

/* Half of it twice. */
static int remap_part(void)
{
	char *middle = elsewhere + LENGTH / 2, *end = elsewhere + BYTES;
	int flags = MREMAP_MAYMOVE | MREMAP_FIXED;

	if (mremap(area + FROM, LENGTH, LENGTH, flags, elsewhere) != elsewhere ||
	    mremap(middle, LENGTH / 2, LENGTH / 2, flags, end) != end)
		return 2;
	if (wrong_words(elsewhere, area + FROM, LENGTH / 2, 1) != 0)
		return 3;
	if (wrong_words(end, area + FROM + LENGTH / 2, LENGTH / 2, 1) != 0)
		return 4;
	return rest_is_wrong();
}

START_TEST(remaps)
{
	expect_child(remap_part);
}
END_TEST

/* The grandchild has what the child had left, and changes something else. */
static int change_more(void)
{
	if (part_is_not_zeros())
		return 5;
	if (madvise(area, PAGE, MADV_DONTNEED) != 0 || *area)
		return 6;
	return is_wrong(area + PAGE, area + FROM) || is_wrong(area + TO, area + PARTS * BYTES);
}

static int remove_and_clone(void)
{
	int status = 0;
	pid_t pid;

	if (madvise(area + FROM, LENGTH, MADV_DONTNEED) != 0)
		return 2;
	pid = raw_clone(change_more);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 3;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return WIFEXITED(status) ? WEXITSTATUS(status) : 7;
	return part_is_not_zeros() ? 4 : rest_is_wrong();
}

START_TEST(has_a_child)
{
	expect_child(remove_and_clone);
}
END_TEST

static int kill_itself(void)
{
	kill(getpid(), SIGKILL);
	return 0;
}

START_TEST(ends)
{
	NEED_SWAP();
	child_meanwhile(kill_itself);
	ck_assert(WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL);
	script_end();
}
END_TEST

static void remove_and_make_a_child(void)
{
	ck_assert_int_eq(madvise(area + FROM, LENGTH, MADV_DONTNEED), 0);
	make_a_child();
}

static int look_at_zeros(void)
{
	return part_is_not_zeros() ? 2 : rest_is_wrong();
}

/* What the parent has removed from a window is not in the child. */
START_TEST(of_one_that_has_removed)
{
	NEED_SWAP();
	child_does = look_at_zeros;
	move_meanwhile(AT_COPY, 0, remove_and_make_a_child);
	ck_assert_msg(WIFEXITED(ended) && WEXITSTATUS(ended) == 0, "the child: %#x", ended);
	ck_assert_int_eq(look_at_zeros(), 0);
	script_end();
}
END_TEST

static void protect_and_make_a_child(void)
{
	ck_assert_int_eq(mprotect(area + FROM, LENGTH, PROT_READ), 0);
	make_a_child();
}

/* There is no event of it, and the pages that are away lie in three mappings then. */
START_TEST(of_one_that_has_protected)
{
	NEED_SWAP();
	child_does = look;
	move_meanwhile(AT_COPY, 0, protect_and_make_a_child);
	ck_assert_msg(WIFEXITED(ended) && WEXITSTATUS(ended) == 0, "the child: %#x", ended);
	check(area, area, PARTS * BYTES, 1);
	script_end();
}
END_TEST

/* The first copies that the child gets fail so often. */
static void child_is_denied(int error, uint64_t bytes, int times, int (*body)(void))
{
	script.error = error;
	script.also_old = 1;
	script.denied = bytes;
	script.times = times;
	child_meanwhile(body);
}

/* A page that cannot be read is not zeros there. */
START_TEST(page_is_broken)
{
	NEED_SWAP();
	child_is_denied(-EFAULT, PAGE, 1, look);
	ck_assert(WIFSIGNALED(ended) && WTERMSIG(ended) == SIGBUS);
	script_end();
}
END_TEST

static int look_behind_the_first(void)
{
	return is_wrong(area + PAGE, area + PARTS * BYTES);
}

START_TEST(others_are_not)
{
	NEED_SWAP();
	child_is_denied(-EFAULT, PAGE, 1, look_behind_the_first);
	ck_assert(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
	script_end();
}
END_TEST

/* A control group at its limit: there is memory again in a moment. */
START_TEST(no_memory_for_a_while)
{
	NEED_SWAP();
	child_is_denied(-ENOMEM, BYTES, 5, look);
	ck_assert(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
	script_end();
}
END_TEST

static const TTest *const *const tests[] = {&looks,
					    &removes,
					    &unmaps,
					    &remaps,
					    &has_a_child,
					    &ends,
					    &of_one_that_has_removed,
					    &of_one_that_has_protected,
					    &page_is_broken,
					    &others_are_not,
					    &no_memory_for_a_while,
					    NULL};
const struct report_group swap_children_group = {"swap_children", tests};

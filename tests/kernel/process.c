/* SPDX-License-Identifier: MIT */
/* process.c - other processes, privileges, forks, cpusets, seccomp. */
#include "support.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <stdio.h>
#include <sys/syscall.h>
#ifdef HAVE_SECCOMP
#include <seccomp.h>
#endif

#define NOBODY 65534

static long move_foreign(struct area *area, pid_t pid, uint64_t flags)
{
	struct bm_request request;
	struct bm_batch *batch;
	long rc;

	bm_request_init(&request, sizeof(request));
	request.pid = pid;
	request.flags = flags;
	request.count = area->count;
	request.pages = area->pages;
	request.nodes = area->targets;
	request.status = area->status;
	rc = bm_submit(NULL, &request, &batch);
	if (rc < 0)
		return rc;
	rc = bm_batch_wait(batch, BM_FOREVER);
	bm_batch_free(batch);
	return rc;
}

/* A child with pages of its own at the same addresses; it checks them when told to. */
struct other {
	struct area area;
	int go[2], ready[2];
	pid_t pid;
};

static void other_start(struct other *other, size_t count)
{
	char byte = 0;

	area_new(&other->area, count, nodes[0]);
	ck_assert_int_eq(pipe(other->go) | pipe(other->ready), 0);
	other->pid = fork();
	if (other->pid == 0) {
		prefer(nodes[0]);
		stamp(other->area.start, count, PAGE); /* copies: now they are its own */
		(void)!write(other->ready[1], &byte, 1);
		(void)!read(other->go[0], &byte, 1);
		_exit(stamp_wrong(other->area.start, count, PAGE) ? 1 : 0);
	}
	ck_assert_int_eq(read(other->ready[0], &byte, 1), 1);
}

static int other_end(struct other *other)
{
	int status;

	ck_assert_int_eq(write(other->go[1], "", 1), 1);
	waitpid(other->pid, &status, 0);
	for (int i = 0; i < 2; i++) {
		close(other->go[i]);
		close(other->ready[i]);
	}
	area_free(&other->area);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

START_TEST(another_process)
{
	struct other other;
	int *status;

	NEED_NODES();
	other_start(&other, 3000);
	status = calloc(3000, sizeof(*status));
	area_target(&other.area, nodes[1]);
	ck_assert_int_eq(move_foreign(&other.area, other.pid, 0), 0);
	ck_assert_int_eq(
		syscall(SYS_move_pages, other.pid, 3000ul, other.area.pages, NULL, status, 0), 0);
	ck_assert_int_eq(memcmp(status, other.area.status, 3000 * sizeof(*status)), 0);
	ck_assert_int_eq(status[2999], nodes[1]);
	/* Ours stay. */
	ck_assert_int_eq(node_of(other.area.start), nodes[0]);
	ck_assert_int_eq(move_foreign(&other.area, other.pid, BM_BIND), -EINVAL);
	free(status);
	ck_assert_int_eq(other_end(&other), 0);
}
END_TEST

START_TEST(gone_and_kernel_processes)
{
	struct area area;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	area_new(&area, 10, node_count ? nodes[0] : 0);
	area_target(&area, node_count ? nodes[0] : 0);
	ck_assert_int_eq(move_foreign(&area, pid, 0), -ESRCH);
	ck_assert_int_eq(area.status[0], -9999);
	/* 2 is kthreadd, which has no memory, unless this is a container. */
	if (access("/proc/2/exe", F_OK) != 0 && geteuid() == 0) {
		long rc = move_foreign(&area, 2, 0);

		ck_assert(rc == -ESRCH || rc == -EINVAL);
	}
	area_free(&area);
}
END_TEST

static int without_privilege(void *arg)
{
	struct area *area = arg;
	struct bm_range range = {.addr = area->start, .length = PAGE, .node = nodes[0]};

	if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		return 10;
	if (move_foreign(area, getppid(), 0) != -EPERM)
		return 11;
	if (area_move(area, BM_MOVE_ALL) != -EPERM || area->status[0] != -9999)
		return 12;
	/* With other ids it is no longer dumpable, and cannot read its own pagemap. */
	if (bm_migrate_ranges(NULL, 1, &range, sizeof(range), 0) != -EACCES)
		return 15;
	/* Its own pages move: these are copies since they were written. */
	stamp(area->start, area->count, PAGE);
	if (area_move(area, 0) != 0 || status_wrong(area) != 0)
		return 13;
	return stamp_wrong(area->start, area->count, PAGE) ? 14 : 0;
}

START_TEST(no_privilege)
{
	struct area area;

	NEED_NODES();
	if (geteuid() != 0)
		skip_test("needs root to give it up");
	area_new(&area, 50, nodes[0]);
	area_target(&area, nodes[1]);
	ck_assert_int_eq(in_child(without_privilege, &area), 0);
	area_free(&area);
}
END_TEST

#ifdef HAVE_SECCOMP
/* With targets only: questions are allowed. */
static int forbid_moves(int error, int only_moves)
{
	struct scmp_arg_cmp has_targets = {.arg = 3, .op = SCMP_CMP_NE, .datum_a = 0};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int rc = filter ? 0 : -1;

	rc |= seccomp_rule_add_array(filter, SCMP_ACT_ERRNO((uint32_t)error), SCMP_SYS(move_pages),
				     only_moves ? 1 : 0, &has_targets);
	return rc | seccomp_load(filter);
}

struct forbidden {
	struct area area;
	int error;
};

static int under_seccomp(void *arg)
{
	struct forbidden *forbidden = arg;
	struct area *area = &forbidden->area;
	size_t count = area->count;

	if (forbid_moves(forbidden->error, 0) != 0)
		return 10;
	if (area_move(area, 0) != -forbidden->error || area->status[0] != -9999)
		return 11;
	area->count = 1;
	if (area_move(area, 0) != -forbidden->error || area->status[0] != -9999)
		return 12;
	area->count = count;
	return stamp_wrong(area->start, count, PAGE) ? 13 : 0;
}

START_TEST(seccomp)
{
	static const int errors[] = {EPERM, ENOSYS};
	struct forbidden forbidden;

	for (int i = 0; i < 2; i++) {
		forbidden.error = errors[i];
		area_new(&forbidden.area, 1000, node_count ? nodes[0] : 0);
		area_target(&forbidden.area, node_count > 1 ? nodes[1] : 0);
		ck_assert_int_eq(in_child(under_seccomp, &forbidden), 0);
		area_free(&forbidden.area);
	}
}
END_TEST

/* As the default profiles of containers do. */
static int without_policies(void *unused)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	const struct bm_node_info *node;
	struct bm_info *info;
	char text[64];
	int ends[2];

	(void)unused;
	if (pipe(ends) < 0 || dup2(ends[1], STDERR_FILENO) < 0 ||
	    fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
		return 10;
	if (!filter ||
	    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(get_mempolicy), 0) != 0 ||
	    seccomp_load(filter) != 0)
		return 11;
	if (bm_info_new(NULL, &info) != 0)
		return 12;
	node = bm_info_node(info, 0);
	if (!node || !node->allowed)
		return 13;
	bm_info_free(info);
	/* Nothing was asked for, so nothing is printed. */
	return read(ends[0], text, sizeof(text)) > 0 ? 14 : 0;
}

START_TEST(get_mempolicy_forbidden)
{
	ck_assert_int_eq(in_child(without_policies, NULL), 0);
}
END_TEST

/* The mover mbind needs move_pages(2) to look, not to move. */
static int by_mbind_alone(void *arg)
{
	struct area *area = arg;

	stamp(area->start, area->count, PAGE);
	if (forbid_moves(EPERM, 1) != 0)
		return 10;
	if (area_submit(area, "mbind", NULL) != 0)
		return 11;
	if (status_wrong(area) != 0 || area->status[0] != nodes[1])
		return 12;
	return stamp_wrong(area->start, area->count, PAGE) ? 13 : 0;
}

START_TEST(mbind_moves_alone)
{
	struct area area;

	NEED_NODES();
	area_new(&area, 5000, nodes[0]);
	area_target(&area, nodes[1]);
	ck_assert_int_eq(in_child(by_mbind_alone, &area), 0);
	area_free(&area);
}
END_TEST
#else
START_TEST(seccomp)
{
	skip_test("built without libseccomp");
}
END_TEST

START_TEST(mbind_moves_alone)
{
	skip_test("built without libseccomp");
}
END_TEST

START_TEST(get_mempolicy_forbidden)
{
	skip_test("built without libseccomp");
}
END_TEST
#endif

static int in_forked_child(void *arg)
{
	struct bm_context *context = arg;
	int node = node_count ? nodes[0] : 0, status = -1;
	static char memory[PAGE];
	void *page = memory;
	struct bm_info *info;

	memory[0] = 1;
	if (bm_migrate_batch(context, 1, &page, &node, &status, 0) != -ESTALE)
		return 10;
	if (bm_info_new(context, &info) != -ESTALE || bm_stats_reset(context) != -ESTALE)
		return 11;
	bm_context_free(context);
	/* The default one is made anew. */
	if (bm_migrate_batch(NULL, 1, &page, &node, &status, 0) < 0)
		return 12;
	return bm_context_new(NULL, &context) == 0 ? (bm_context_free(context), 0) : 13;
}

START_TEST(fork_makes_handles_stale)
{
	struct bm_context *context;
	int zero = 0, status;
	void *page = &zero;

	ck_assert_int_eq(bm_context_new(NULL, &context), 0);
	bm_migrate_batch(NULL, 1, &page, &zero, &status, 0);
	ck_assert_int_eq(in_child(in_forked_child, context), 0);
	ck_assert_int_eq(bm_stats_reset(context), 0);
	bm_context_free(context);
}
END_TEST

static int in_cpuset(void *arg)
{
	struct area *area = arg;
	char text[32];
	size_t last = area->count - 1;

	snprintf(text, sizeof(text), "%d", (int)getpid());
	if (write_text("/sys/fs/cgroup/bm_test/cgroup.procs", text) < 0)
		return 10;
	stamp(area->start, area->count, PAGE);
	if (area_move(area, 0) != (long)area->count)
		return 11;
	if (area->status[0] != -EACCES || area->status[last] != -EACCES)
		return 12;
	return stamp_wrong(area->start, area->count, PAGE) ? 13 : 0;
}

START_TEST(node_outside_the_cpuset)
{
	struct area area;
	char text[16];
	int rc;

	NEED_NODES();
	write_text("/sys/fs/cgroup/cgroup.subtree_control", "+cpuset");
	if (mkdir("/sys/fs/cgroup/bm_test", 0755) < 0 && errno != EEXIST)
		skip_test("no cgroup can be made");
	snprintf(text, sizeof(text), "%d", nodes[0]);
	if (write_text("/sys/fs/cgroup/bm_test/cpuset.mems", text) < 0) {
		rmdir("/sys/fs/cgroup/bm_test");
		skip_test("no cpuset controller");
	}
	area_new(&area, 500, nodes[0]);
	area_target(&area, nodes[1]);
	rc = in_child(in_cpuset, &area);
	rmdir("/sys/fs/cgroup/bm_test");
	ck_assert_int_eq(rc, 0);
	area_free(&area);
}
END_TEST

static const TTest *const *const tests[] = {&another_process,
					    &gone_and_kernel_processes,
					    &no_privilege,
					    &seccomp,
					    &mbind_moves_alone,
					    &get_mempolicy_forbidden,
					    &fork_makes_handles_stale,
					    &node_outside_the_cpuset,
					    NULL};
const struct report_group process_group = {"process", tests};

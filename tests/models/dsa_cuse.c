/* SPDX-License-Identifier: MIT */
/*
 * dsa_cuse.c - a program that makes /dev/dsa/wqD.N a character device, by CUSE,
 * with the software DSA behind its open(2), write(2) and close(2).
 *
 * Each file that is opened has a device of its own, which works in the address
 * space of its opener; a dedicated queue is opened once. CUSE has no mmap(2):
 * it fails with ENODEV. The kernel tells of each request which thread has made
 * it, and close(2) waits until its request is answered.
 */
#define FUSE_USE_VERSION 35

#include <cuse_lowlevel.h>
#include <errno.h>
#include <fuse_opt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "dsa_cuse.h"

#define WRITE_MOST (64u << 10)

struct opened {
	struct dsa *dsa;
	struct dsa_rule rules[DSA_CUSE_RULES_MOST];
	pid_t opener;
};

static struct dsa_cuse_options options;

static struct {
	unsigned long opens, busy_opens;             /* that succeeded; EBUSY */
	unsigned long writes, taken, most_taken;     /* calls, descriptors, of one call */
	unsigned long again, invalid, foreign, gone; /* EAGAIN, EINVAL, EPERM, ENXIO */
	unsigned long copies, batches, dropped, refused, hits, bytes;
	unsigned long open_now;
} counts;

/* ---------------------------------------------------------------- what was seen */

static void print_counts(FILE *file)
{
	fprintf(file,
		"opens=%lu busy_opens=%lu writes=%lu taken=%lu most_taken=%lu again=%lu "
		"invalid=%lu foreign=%lu gone=%lu copies=%lu batches=%lu dropped=%lu refused=%lu "
		"hits=%lu bytes=%lu open_now=%lu\n",
		counts.opens, counts.busy_opens, counts.writes, counts.taken, counts.most_taken,
		counts.again, counts.invalid, counts.foreign, counts.gone, counts.copies,
		counts.batches, counts.dropped, counts.refused, counts.hits, counts.bytes,
		counts.open_now);
}

/* Whoever looks finds all of it, or what was there before. */
static void write_counts(void)
{
	char path[4096];
	FILE *file;

	if (!options.counts)
		return;
	snprintf(path, sizeof(path), "%s.new", options.counts);
	file = fopen(path, "w");
	if (!file)
		return;
	print_counts(file);
	if (fclose(file) == 0)
		rename(path, options.counts);
}

static void add_counts(const struct opened *opened)
{
	struct dsa_counts seen;

	dsa_count(opened->dsa, &seen);
	counts.copies += seen.descriptors;
	counts.batches += seen.batches;
	counts.bytes += seen.bytes;
	counts.dropped += seen.dropped;
	counts.refused += seen.refused + seen.software_errors;
	for (size_t i = 0; i < options.rules_count; i++)
		counts.hits += opened->rules[i].hits;
}

/* ---------------------------------------------------------------- the driver's calls */

/* Of a thread. */
static pid_t process_of(pid_t thread)
{
	char path[64], line[256];
	int process = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)thread);
	file = fopen(path, "r");
	if (!file)
		return 0;
	while (!process && fgets(line, sizeof(line), file))
		sscanf(line, "Tgid: %d", &process);
	fclose(file);
	return process;
}

static int is_of(pid_t thread, pid_t process)
{
	char path[64];

	if (thread == process)
		return 1;
	snprintf(path, sizeof(path), "/proc/%d/task/%d", (int)process, (int)thread);
	return access(path, F_OK) == 0;
}

static void serve_open(fuse_req_t req, struct fuse_file_info *file)
{
	pid_t opener = process_of(fuse_req_ctx(req)->pid);
	struct opened *opened;

	if (!options.queue.shared && counts.open_now) {
		counts.busy_opens++;
		fuse_reply_err(req, EBUSY);
		return;
	}
	opened = opener ? calloc(1, sizeof(*opened)) : NULL;
	if (!opened) {
		fuse_reply_err(req, opener ? ENOMEM : ESRCH);
		return;
	}
	opened->opener = opener;
	opened->dsa = dsa_new(&options.queue, 1, options.pace, options.seed);
	memcpy(opened->rules, options.rules, sizeof(opened->rules));
	dsa_set_rules(opened->dsa, opened->rules, options.rules_count);
	dsa_set_process(opened->dsa, opener);
	counts.opens++;
	counts.open_now++;
	file->fh = (uint64_t)(uintptr_t)opened;
	fuse_reply_open(req, file);
}

static void count_write(ssize_t rc)
{
	unsigned long taken = rc > 0 ? (unsigned long)rc / 64 : 0;

	counts.writes++;
	counts.taken += taken;
	if (taken > counts.most_taken)
		counts.most_taken = taken;
	counts.again += rc == -EAGAIN;
	counts.invalid += rc == -EINVAL;
	counts.foreign += rc == -EPERM;
	counts.gone += rc == -ENXIO;
}

static void serve_write(fuse_req_t req, const char *buffer, size_t size, off_t offset,
			struct fuse_file_info *file)
{
	struct opened *opened = (struct opened *)(uintptr_t)file->fh;
	ssize_t rc = -EPERM;

	(void)offset;
	if (is_of(fuse_req_ctx(req)->pid, opened->opener))
		rc = dsa_write(opened->dsa, 0, buffer, size);
	count_write(rc);
	if (rc < 0)
		fuse_reply_err(req, (int)-rc);
	else
		fuse_reply_write(req, (size_t)rc);
}

/* As in the driver nothing is written behind it. */
static void serve_release(fuse_req_t req, struct fuse_file_info *file)
{
	struct opened *opened = (struct opened *)(uintptr_t)file->fh;

	dsa_close(opened->dsa, 0);
	add_counts(opened);
	dsa_free(opened->dsa);
	free(opened);
	counts.open_now--;
	write_counts();
	fuse_reply_err(req, 0);
}

static void set_up(void *user, struct fuse_conn_info *connection)
{
	(void)user;
	/* Longer writes would come in parts: one call has 512 descriptors at most. */
	if (connection->max_write > WRITE_MOST)
		connection->max_write = WRITE_MOST;
}

static const struct cuse_lowlevel_ops calls = {
	.init = set_up,
	.open = serve_open,
	.write = serve_write,
	.release = serve_release,
};

/* ---------------------------------------------------------------- serving */

static volatile sig_atomic_t ends;

static void end(int signal)
{
	(void)signal;
	ends = 1;
}

/* Signals come while it waits only: none is missed in front of a read that waits for ever. */
static void serve(struct fuse_session *session)
{
	struct pollfd device = {.fd = fuse_session_fd(session), .events = POLLIN};
	struct fuse_buf buffer = {.mem = NULL};
	sigset_t none;

	sigemptyset(&none);
	while (!ends && !fuse_session_exited(session)) {
		if (ppoll(&device, 1, NULL, &none) < 0)
			continue;
		if (fuse_session_receive_buf(session, &buffer) > 0)
			fuse_session_process_buf(session, &buffer);
		else if (device.revents & (POLLERR | POLLHUP))
			break;
	}
	free(buffer.mem);
}

static void hold_signals(void)
{
	struct sigaction action = {.sa_handler = end};
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGHUP);
	sigprocmask(SIG_BLOCK, &held, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static struct fuse_session *make_device(char *program)
{
	static char foreground[] = "-f", single[] = "-s";
	char *arguments[] = {program, foreground, single, NULL};
	char name[64];
	const char *described[] = {name};
	struct cuse_info info = {.dev_info_argc = 1, .dev_info_argv = described};
	int threaded;

	snprintf(name, sizeof(name), "DEVNAME=dsa/%s", options.name);
	return cuse_lowlevel_setup(3, arguments, &info, &calls, &threaded, NULL);
}

int main(int argc, char **argv)
{
	struct fuse_session *session;

	if (dsa_cuse_read_options(&options, argc, argv))
		return 2;
	/* A device without its test would be in the way of the next one. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	session = make_device(argv[0]);
	if (!session)
		return 1;
	hold_signals();
	serve(session);
	write_counts();
	cuse_lowlevel_teardown(session);
	return 0;
}

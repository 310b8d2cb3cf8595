/* SPDX-License-Identifier: MIT */
/*
 * inside.c - the library inside a program that was not written for it.
 *
 * With LD_PRELOAD=batchmig-inside.so and BATCHMIG_INSIDE=PATH a thread of the
 * program waits at the unix socket PATH for a connection and for lines on it:
 *
 *      go MOVER FROM TO POOL_MB        the program's memory migrates over and over;
 *                                      answers when it was there and back once
 *      stop                            no more; answers what was done
 *
 * Whoever preloads it gives the quiet promise (batchmig.h) for the program.
 * Children that the program starts do not get it.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "shuttle.h"

#define VARIABLE    "BATCHMIG_INSIDE"
#define COMMAND_MAX 128
#define REASONS_MAX 512

struct inside {
	int listener;
	int going;
	struct shuttle shuttle;
};

static void go(struct inside *inside, const char *line, int connection)
{
	struct shuttle *shuttle = &inside->shuttle;

	if (!inside->going) {
		memset(shuttle, 0, sizeof(*shuttle));
		inside->going = sscanf(line, "go %31s %d %d %ld", shuttle->mover, &shuttle->from,
				       &shuttle->to, &shuttle->pool_mb) == 4 &&
				shuttle_start(shuttle) == 0;
		if (inside->going) {
			dprintf(connection, "ok\n");
			return;
		}
	}
	dprintf(connection, "error: wrong numbers, no thread, or a migration goes on\n");
}

static void stop(struct inside *inside)
{
	if (inside->going)
		shuttle_stop(&inside->shuttle);
	inside->going = 0;
}

static void answer(const struct shuttle *shuttle, int connection)
{
	char reasons[REASONS_MAX];

	if (shuttle->failed) {
		dprintf(connection, "error: %s: %s\n", shuttle->failed,
			bm_error_text((int)shuttle->error));
		return;
	}
	shuttle_reasons(shuttle, reasons, sizeof(reasons));
	dprintf(connection,
		"batches %" PRIu64 " moved %" PRIu64 " swapped %" PRIu64 " seconds %.6f%s\n",
		shuttle->batches, shuttle->bytes_moved, shuttle->bytes_swapped, shuttle->seconds,
		reasons);
}

static void obey(struct inside *inside, const char *line, int connection)
{
	if (strncmp(line, "go ", 3) == 0) {
		go(inside, line, connection);
	} else if (strcmp(line, "stop\n") == 0) {
		stop(inside);
		answer(&inside->shuttle, connection);
	} else {
		dprintf(connection, "error: go MOVER FROM TO POOL_MB, or stop\n");
	}
}

/* Until the other side goes: nothing migrates then that nobody can stop. */
static void serve(struct inside *inside, int connection)
{
	FILE *stream = fdopen(connection, "r");
	char line[COMMAND_MAX];

	if (!stream) {
		close(connection);
		return;
	}
	while (fgets(line, sizeof(line), stream))
		obey(inside, line, connection);
	stop(inside);
	fclose(stream);
}

static void *listen_for_ever(void *arg)
{
	struct inside *inside = arg;
	int connection;

	do {
		connection = accept4(inside->listener, NULL, NULL, SOCK_CLOEXEC);
		if (connection >= 0)
			serve(inside, connection);
	} while (connection >= 0 || errno == EINTR || errno == ECONNABORTED);
	return NULL;
}

static int open_listener(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, error;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	memcpy(address.sun_path, path, strlen(path));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 1) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* The program's signals are none of the thread's business. */
static int start_thread(struct inside *inside)
{
	sigset_t all, before;
	pthread_t thread;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&thread, NULL, listen_for_ever, inside);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc == 0)
		pthread_detach(thread);
	return rc;
}

__attribute__((constructor)) static void begin(void)
{
	static struct inside inside;
	const char *path = getenv(VARIABLE);

	if (!path)
		return;
	inside.listener = open_listener(path);
	if (inside.listener < 0) {
		fprintf(stderr, VARIABLE "=%s: %s\n", path, strerror(errno));
	} else if (start_thread(&inside) != 0) {
		fprintf(stderr, VARIABLE ": no thread can be started\n");
		close(inside.listener);
	}
	unsetenv(VARIABLE);
	unsetenv("LD_PRELOAD");
}

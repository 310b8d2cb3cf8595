/* SPDX-License-Identifier: MIT */
/*
 * program_move.c - the memory of a server migrates: move_pages(2) does that from outside,
 * all other movers only inside of the process, where batchmig-inside.so was preloaded.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "children.h"
#include "inside/shuttle.h"
#include "program.h"

#define ANSWER_SECONDS 120 /* trips of much memory may be long */
#define LINE_SIZE      1024

struct migration {
	struct shuttle shuttle;
	FILE *stream; /* to read from the server; NULL: from outside */
	char reasons[LINE_SIZE];
};

int migration_from_outside(const char *mover)
{
	return strcmp(mover, "move_pages") == 0;
}

/* ---------------------------------------------------------------- inside */

static FILE *open_stream(const char *path)
{
	const struct timeval limit = {.tv_sec = ANSWER_SECONDS};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FILE *stream;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		die(path);
	stream = fdopen(fd, "r");
	if (!stream)
		die("stream of a socket");
	return stream;
}

/* Ends the program when there is none, or it tells of an error. */
static void read_answer(FILE *stream, char line[LINE_SIZE])
{
	while (!fgets(line, LINE_SIZE, stream)) {
		if (ferror(stream) && errno == EINTR) {
			children_obey();
			clearerr(stream); /* it was only stopped for a while: signal(7) */
			continue;
		}
		fprintf(stderr, "the server did not answer: it ended, or took longer than %d s\n",
			ANSWER_SECONDS);
		exit(1);
	}
	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "error", 5) == 0) {
		fprintf(stderr, "inside of the server: %s\n", line);
		exit(1);
	}
}

static void stop_inside(struct migration *migration)
{
	struct shuttle *shuttle = &migration->shuttle;
	char line[LINE_SIZE];
	int length = 0;

	dprintf(fileno(migration->stream), "stop\n");
	read_answer(migration->stream, line);
	fclose(migration->stream);
	if (sscanf(line, "batches %" SCNu64 " moved %" SCNu64 " swapped %" SCNu64 " seconds %lf%n",
		   &shuttle->batches, &shuttle->bytes_moved, &shuttle->bytes_swapped,
		   &shuttle->seconds, &length) != 4) {
		fprintf(stderr, "the server's answer is not understood: %s\n", line);
		exit(1);
	}
	snprintf(migration->reasons, sizeof(migration->reasons), "%s", line + length);
}

/* --------------------------------------------------------------- outside */

static void stop_outside(struct migration *migration)
{
	const struct shuttle *shuttle = &migration->shuttle;

	shuttle_stop(&migration->shuttle);
	if (shuttle->failed)
		library_failed(shuttle->failed, shuttle->error);
	shuttle_reasons(shuttle, migration->reasons, sizeof(migration->reasons));
}

/* ------------------------------------------------------------------- both */

struct migration *migration_start(const struct program *program, const char *mover, int pid,
				  const char *inside)
{
	struct migration *migration = calloc(1, sizeof(*migration));
	struct shuttle *shuttle;
	char line[LINE_SIZE];

	if (!migration)
		die("memory for a migration");
	shuttle = &migration->shuttle;
	shuttle->pid = pid;
	shuttle->from = program->setup.near;
	shuttle->to = program->setup.far;
	/* Of each value a third more than itself: keys, and what the allocator rounds up. */
	shuttle->pool_mb = (long)pool_mb_of(&program->setup) * 3 / 2;
	snprintf(shuttle->mover, sizeof(shuttle->mover), "%s", mover);
	if (!migration_from_outside(mover)) {
		migration->stream = open_stream(inside);
		dprintf(fileno(migration->stream), "go %s %d %d %ld\n", mover, shuttle->from,
			shuttle->to, shuttle->pool_mb);
		read_answer(migration->stream, line);
	} else if ((errno = shuttle_start(shuttle)) != 0) {
		children_obey();
		die("thread");
	}
	return migration;
}

static void put_note(const struct migration *migration, char note[NOTE_MAX])
{
	const struct shuttle *shuttle = &migration->shuttle;

	snprintf(note, NOTE_MAX, "%s; %" PRIu64 " batches in the last round%s%.300s",
		 migration->stream ? "inside of the server" : "from outside, by its pid",
		 shuttle->batches,
		 *migration->reasons ? "; pages that did not go as asked, by reason:" : "",
		 migration->reasons);
}

void migration_stop(struct migration *migration, struct program *program, int round, int mover)
{
	const struct shuttle *shuttle = &migration->shuttle;
	double moved;

	if (migration->stream)
		stop_inside(migration);
	else
		stop_outside(migration);
	moved = (double)shuttle->bytes_moved;
	measured_put(program, round, mover, PHASE_DURING, METRIC_MIGRATED,
		     shuttle->seconds > 0 ? moved / shuttle->seconds / 1e9 : 0);
	measured_put(program, round, mover, PHASE_DURING, METRIC_SWAPPED,
		     moved > 0 ? (double)shuttle->bytes_swapped / moved : 0);
	put_note(migration, program->notes[mover]);
	free(migration);
}

/* SPDX-License-Identifier: MIT */
/*
 * program.h - real programs before, during and after their memory migrates: what
 * the command "program" is told, and what its parts measure.
 */
#ifndef BENCH_PROGRAM_H
#define BENCH_PROGRAM_H

#include "mover.h"
#include "setup.h"

enum phase { PHASE_BEFORE, PHASE_DURING, PHASE_AFTER, PHASES };

enum metric {
	METRIC_REQUESTS,
	METRIC_P50,
	METRIC_P99,
	METRIC_MAX,
	METRIC_BANDWIDTH,
	METRIC_MIGRATED,
	METRIC_SWAPPED,
	METRICS
};

/* Of one phase of one round. */
struct measured {
	double values[METRICS];
	unsigned int has; /* bits of the metrics that were measured */
};

#define NOTE_MAX 512

struct program {
	struct setup setup;
	int seconds; /* of a phase */
	int clients; /* of the server */
	int threads; /* of the loop; 0: left to it */
	const char *triad, *inside;
	const char *names[MOVERS_MAX];
	int name_count;

	struct measured *measured;        /* of the part that runs */
	char notes[MOVERS_MAX][NOTE_MAX]; /* of its rows during the migration */
};

void measured_put(struct program *program, int round, int mover, enum phase phase,
		  enum metric metric, double value);

/* The parts: 0 when left out, which they say. Errors end the program. */
int program_redis(struct program *program);
int program_triad(struct program *program);

/* The file @name beside the running program, or in @folder seen from there; NULL: there is none. */
const char *program_beside(const char *name, const char *folder);

/*
 * A server's memory migrates, by the library in this program or inside of the server
 * (@inside: the socket of its batchmig-inside.so), until it is stopped.
 */
struct migration;
struct migration *migration_start(const struct program *program, const char *mover, int pid,
				  const char *inside);
/* What was moved becomes values of the phase, and why not all of it by swap a note. */
void migration_stop(struct migration *migration, struct program *program, int round, int mover);
/* Can this mover move the memory of another process? */
int migration_from_outside(const char *mover);

#endif

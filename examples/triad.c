/* SPDX-License-Identifier: MIT */
/*
 * triad.c - a loop as in HPC codes, a[i] = b[i] + s * c[i], and its bandwidth
 * before, during and after a migration of the arrays: the threads go on while
 * batches in flight move what they work on, to another node and back, over and
 * over. With one node the pages get other memory of that node.
 */
#include <argp.h>
#include <batchmig.h>
#include <inttypes.h>
#include <numa.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 1024
#define BLOCK       (1u << 16) /* elements after which a thread says how far it is */
#define VALUES      1021       /* different elements */

static struct {
	int threads, seconds, lines, from, to;
	size_t mib; /* of the three arrays */
	const char *mover, *backend;
} settings = {.seconds = 2, .mib = 256, .mover = "auto"};

static double *arrays[3];
static size_t length;         /* elements of each */
static atomic_size_t written; /* elements, by all threads */
static atomic_int stop;

static struct worker {
	pthread_t thread;
	size_t start, end; /* of the elements that it works on */
	size_t passes;
} workers[THREADS_MAX];

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

/* ------------------------------------------------------------- the loop */

static void triad(double *restrict a, const double *restrict b, const double *restrict c, double s,
		  size_t count)
{
	for (size_t i = 0; i < count; i++)
		a[i] = b[i] + s * c[i];
	written += count;
}

/*
 * The arrays change places with each pass, so that a write that got lost is seen in
 * all passes after it: with s = -1 each pass gives what it writes the other sign.
 */
static void *work(void *arg)
{
	struct worker *worker = arg;

	for (; !stop; worker->passes++) {
		double *a = arrays[worker->passes % 3];
		double *b = arrays[(worker->passes + 2) % 3];
		double *c = arrays[(worker->passes + 1) % 3];

		for (size_t at = worker->start; at < worker->end; at += BLOCK) {
			size_t left = worker->end - at;

			triad(a + at, b + at, c + at, -1, left < BLOCK ? left : BLOCK);
		}
	}
	return NULL;
}

/* The first array is the second one less the third: as if the loop had come by. */
static double first_value(size_t array, size_t element)
{
	static const double factors[3] = {1, 3, 2};

	return factors[array] * (double)(element % VALUES + 1);
}

static void make_arrays(void)
{
	length = (settings.mib << 20) / 3 / sizeof(double);
	for (size_t k = 0; k < 3; k++) {
		arrays[k] = numa_alloc_onnode(length * sizeof(double), settings.from);
		if (!arrays[k])
			fail("the arrays", "no memory");
		for (size_t i = 0; i < length; i++)
			arrays[k][i] = first_value(k, i);
	}
}

static size_t wrong_elements(const struct worker *worker)
{
	size_t wrong = 0;

	for (size_t k = 0; k < 3; k++) {
		size_t writes = (worker->passes + 2 - k) / 3;

		for (size_t i = worker->start; i < worker->end; i++)
			wrong += arrays[k][i] != first_value(k, i) * (writes % 2 ? -1 : 1);
	}
	return wrong;
}

static void start_workers(void)
{
	for (size_t i = 0, threads = (size_t)settings.threads; i < threads; i++) {
		workers[i].start = length * i / threads;
		workers[i].end = length * (i + 1) / threads;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
			fail("the loop", "a thread cannot be started");
	}
}

static size_t stop_workers(void)
{
	size_t wrong = 0;

	stop = 1;
	for (int i = 0; i < settings.threads; i++) {
		pthread_join(workers[i].thread, NULL);
		wrong += wrong_elements(&workers[i]);
	}
	return wrong;
}

/* -------------------------------------------------------- the migration */

struct moved {
	uint64_t bytes, swapped, batches;
	const char *mover;
};

/* All three arrays, in flight; waits meanwhile, as the threads of the loop do not. */
static void move_to(int node, struct moved *moved)
{
	struct bm_range ranges[3];
	struct bm_report report;
	struct bm_request request;
	struct bm_batch *batch;
	long rc;

	for (int i = 0; i < 3; i++)
		ranges[i] = (struct bm_range){
			.addr = arrays[i], .length = length * sizeof(double), .node = node};
	bm_request_init(&request, sizeof(request));
	/* The quiet promise holds: the threads of the loop are the only ones that use the arrays. */
	request.flags = BM_QUIET | (settings.from == settings.to ? BM_REPLACE : 0);
	request.count = 3;
	request.ranges = ranges;
	request.range_size = sizeof(ranges[0]);
	request.mover = settings.mover;
	request.backend = settings.backend;
	rc = bm_submit(NULL, &request, &batch);
	if (rc == 0)
		rc = bm_batch_wait(batch, BM_FOREVER);
	if (rc >= 0) /* pages that could not move stay where they are: no error */
		rc = bm_batch_report(batch, &report, sizeof(report));
	if (rc < 0)
		fail("the migration", bm_error_text((int)rc));
	moved->bytes += report.bytes_moved;
	moved->swapped += report.bytes_swapped;
	moved->batches++;
	moved->mover = report.mover;
	bm_batch_free(batch);
}

static void there_and_back(struct moved *moved)
{
	move_to(settings.to, moved);
	move_to(settings.from, moved);
}

/* -------------------------------------------------------------- phases */

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void tell(const char *phase, double seconds, size_t elements, const struct moved *moved)
{
	/* Two are read for each that is written, as STREAM counts it. */
	double loop = (double)elements * 3 * sizeof(double) / seconds / 1e9;
	double moves = (double)moved->bytes / seconds / 1e9;
	double share = moved->bytes ? (double)moved->swapped / (double)moved->bytes : 0;

	if (settings.lines)
		printf("phase=%s gb_per_s=%.4f migrated_gb_per_s=%.4f swapped_share=%.4f\n", phase,
		       loop, moves, share);
	else if (!moved->batches)
		printf("%-6s %7.2f GB/s\n", phase, loop);
	else
		printf("%-6s %7.2f GB/s while %.2f GB/s migrate (%" PRIu64
		       " batches, %s, %.0f %% swapped)\n",
		       phase, loop, moves, moved->batches, moved->mover, share * 100);
	fflush(stdout);
}

static void run_phase(const char *phase, int moving)
{
	double start = seconds_now();
	size_t before = written;
	struct moved moved = {0};

	if (!moving)
		sleep((unsigned int)settings.seconds);
	while (moving && seconds_now() < start + settings.seconds)
		there_and_back(&moved);
	tell(phase, seconds_now() - start, written - before, &moved);
}

/* ---------------------------------------------------------------- main */

enum { KEY_THREADS = 1000, KEY_MIB, KEY_SECONDS, KEY_MOVER, KEY_FROM, KEY_TO, KEY_LINES };

static const struct argp_option options[] = {
	{"threads", KEY_THREADS, "N", 0, "Of the loop (one for each CPU)", 0},
	{"mib", KEY_MIB, "N", 0, "MiB of the three arrays (256)", 0},
	{"seconds", KEY_SECONDS, "N", 0, "Of each phase (2)", 0},
	{"mover", KEY_MOVER, "NAME", 0, "swap, move_pages, mbind or auto; swap/cpu names a backend",
	 0},
	{"from", KEY_FROM, "NODE", 0, "Where the arrays are (0)", 0},
	{"to", KEY_TO, "NODE", 0, "Where they go (the last node)", 0},
	{"lines", KEY_LINES, NULL, 0, "Lines for scripts: phase=before gb_per_s=...", 0},
	{0},
};

static int number(struct argp_state *state, const char *name, const char *text, long min, long max)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end == text || *end || value < min || value > max)
		argp_error(state, "--%s %s is not allowed: it must be a whole number in %ld..%ld",
			   name, text, min, max);
	return (int)value;
}

static error_t take_option(int key, char *text, struct argp_state *state)
{
	if (key == KEY_THREADS)
		settings.threads = number(state, "threads", text, 1, THREADS_MAX);
	else if (key == KEY_MIB)
		settings.mib = (size_t)number(state, "mib", text, 1, 1 << 20);
	else if (key == KEY_SECONDS)
		settings.seconds = number(state, "seconds", text, 1, 3600);
	else if (key == KEY_FROM)
		settings.from = number(state, "from", text, 0, numa_max_node());
	else if (key == KEY_TO)
		settings.to = number(state, "to", text, 0, numa_max_node());
	else if (key == KEY_LINES)
		settings.lines = 1;
	else if (key == KEY_MOVER) {
		settings.mover = strsep(&text, "/");
		settings.backend = text;
	} else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

int main(int argc, char **argv)
{
	static const struct argp parser = {
		.options = options,
		.parser = take_option,
		.doc = "The bandwidth of a[i] = b[i] + s * c[i] before, during and after a "
		       "migration of the arrays.",
	};
	int cpus = numa_num_task_cpus();
	size_t wrong;

	settings.threads = cpus < THREADS_MAX ? cpus : THREADS_MAX;
	settings.to = numa_max_node();
	argp_err_exit_status = 2;
	argp_parse(&parser, argc, argv, 0, NULL, NULL);
	make_arrays();
	start_workers();
	if (!settings.lines && settings.from == settings.to)
		printf("one node: the pages get other memory of node %d\n", settings.to);
	run_phase("before", 0);
	/* Measuring the machine, filling the pool, starting threads: in no phase. */
	there_and_back(&(struct moved){0});
	run_phase("during", 1);
	run_phase("after", 0);
	wrong = stop_workers();
	if (wrong)
		fprintf(stderr, "%zu elements are wrong\n", wrong);
	else if (!settings.lines)
		printf("all %zu elements are right\n", 3 * length);
	return wrong != 0;
}

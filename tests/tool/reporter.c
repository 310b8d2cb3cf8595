/* SPDX-License-Identifier: MIT */
/* reporter.c - migrates a little and ends in one of several ways; for stats.sh. */
#include <batchmig.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

static _Alignas(PAGE) char memory[4 * PAGE];
static atomic_int running;

static void migrate(struct bm_context *context)
{
	void *pages[4];
	int nodes[4] = {0}, status[4];

	memset(memory, 1, sizeof(memory));
	for (size_t i = 0; i < 4; i++)
		pages[i] = memory + i * PAGE;
	if (bm_migrate_batch(context, 4, pages, nodes, status, 0) < 0)
		_exit(9);
}

static void *migrate_on(void *arg)
{
	for (;;) {
		migrate(NULL);
		atomic_store(&running, 1);
	}
	return arg;
}

static void start_threads(void)
{
	pthread_t thread;

	for (int i = 0; i < 4; i++) {
		if (pthread_create(&thread, NULL, migrate_on, NULL) != 0)
			_exit(9);
	}
	while (!atomic_load(&running))
		usleep(100);
}

static void await_child(pid_t child)
{
	int status = 1;

	if (waitpid(child, &status, 0) != child || status != 0)
		_exit(9);
}

/* A child that migrates nothing has nothing to tell, of its parent either. */
static void have_a_child(int migrates)
{
	pid_t child = fork();

	if (child == 0) {
		if (migrates)
			migrate(NULL);
		exit(0);
	}
	await_child(child);
}

static int is(const char *way, const char *name)
{
	return strcmp(way, name) == 0;
}

static void free_one(void)
{
	struct bm_context *context;

	if (bm_context_new(NULL, &context) < 0)
		_exit(9);
	migrate(context);
	bm_context_free(context);
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "";

	if (is(way, "freed"))
		free_one();
	else if (!is(way, "idle"))
		migrate(NULL);
	if (is(way, "exit"))
		exit(3);
	if (is(way, "_exit"))
		_exit(0);
	if (is(way, "fork") || is(way, "child"))
		have_a_child(is(way, "child"));
	if (is(way, "threads"))
		start_threads();
	return 0;
}

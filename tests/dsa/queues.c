/* SPDX-License-Identifier: MIT */
/*
 * queues.c - prints the work queues that the backend dsa finds, a line each:
 * device|name|node|what|why|remedy. Then what its probe says: probe|rc|why|remedy.
 *
 * usage: queues [NAMES]            those of the option dsa_wqs
 *        queues --threads N TIMES  in N threads at once: they must agree
 *        queues --forks TIMES      children while another thread asks on and on
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dsa/list.h"

#define THREADS_MAX 16

static const char *wqs;

static struct bm_backend_env make_env(void)
{
	return (struct bm_backend_env){
		.sys = &bm_sys_linux, .dsa_wqs = wqs, .page_size = (uint64_t)getpagesize()};
}

static void add(void *arg, const struct bm_queue_facts *queue)
{
	fprintf(arg, "%s|%s|%d|%s|%s|%s\n", queue->device, queue->name, queue->node, queue->what,
		queue->why, queue->remedy);
}

static void print(FILE *to)
{
	char why[BM_WHY_MAX] = "", remedy[BM_WHY_MAX] = "";
	struct bm_backend_env env = make_env();
	int rc;

	bm_dsa_list(&env, add, to);
	rc = bm_dsa_probe(&env, why, remedy);
	fprintf(to, "probe|%d|%s|%s\n", rc, why, remedy);
}

/* What print() prints; to be freed. */
static char *text(void)
{
	char *bytes = NULL;
	size_t length;
	FILE *to = open_memstream(&bytes, &length);

	if (!to)
		abort();
	print(to);
	fclose(to);
	return bytes;
}

static char *expected;
static int times;
static atomic_int differ, stop;

static void *ask_often(void *arg)
{
	for (int i = 0; i < times; i++) {
		char *got = text();

		if (strcmp(got, expected) != 0)
			atomic_fetch_add(&differ, 1);
		free(got);
	}
	return arg;
}

static int with_threads(int count)
{
	pthread_t threads[THREADS_MAX];

	for (int i = 0; i < count && i < THREADS_MAX; i++) {
		if (pthread_create(&threads[i], NULL, ask_often, NULL) != 0)
			return 2;
	}
	for (int i = 0; i < count && i < THREADS_MAX; i++)
		pthread_join(threads[i], NULL);
	printf("%d differ\n", differ);
	return differ != 0;
}

static void *ask_on(void *arg)
{
	while (!atomic_load(&stop))
		free(text());
	return arg;
}

static int in_child(void)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		char *got;

		alarm(20); /* a lock that the other thread held would be held for ever */
		got = text();
		_exit(strcmp(got, expected) != 0);
	}
	return waitpid(child, &status, 0) != child || status != 0;
}

static int with_forks(void)
{
	pthread_t thread;
	int failed = 0;

	if (pthread_create(&thread, NULL, ask_on, NULL) != 0)
		return 2;
	for (int i = 0; i < times; i++)
		failed += in_child();
	atomic_store(&stop, 1);
	pthread_join(thread, NULL);
	printf("%d children failed\n", failed);
	return failed != 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "--threads") == 0) {
		expected = text();
		times = atoi(argv[3]);
		return with_threads(atoi(argv[2]));
	}
	if (argc == 3 && strcmp(argv[1], "--forks") == 0) {
		expected = text();
		times = atoi(argv[2]);
		return with_forks();
	}
	wqs = argc > 1 ? argv[1] : NULL;
	print(stdout);
	return 0;
}

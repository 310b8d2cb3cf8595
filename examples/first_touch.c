/* SPDX-License-Identifier: MIT */
/*
 * first_touch.c - a stencil whose arrays were first touched on the wrong node.
 *
 * One thread fills both arrays, so all pages lie on the first node. After the
 * first iteration each worker moves its slab to the node it runs on.
 */
#include <batchmig.h>
#include <numa.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define WORKERS    4
#define ITERATIONS 6
#define COLUMNS    1024

static size_t rows = 2048; /* two arrays of 16 MiB */
static double *grid[2];
static int node_of[WORKERS], memory_nodes[64], node_count, migrate;
static pthread_barrier_t barrier;
static long misplaced;

static size_t first_row(int worker)
{
	return rows * (size_t)worker / WORKERS;
}

static void **slab_pages(int worker, size_t *count)
{
	size_t page = (size_t)numa_pagesize(), at = 0;
	size_t bytes = (first_row(worker + 1) - first_row(worker)) * COLUMNS * sizeof(double);
	void **pages = calloc(2 * (bytes / page + 1), sizeof(*pages));

	for (int k = 0; k < 2; k++) {
		char *start = (char *)(grid[k] + first_row(worker) * COLUMNS);

		for (size_t offset = 0; offset < bytes; offset += page)
			pages[at++] = start + offset;
	}
	*count = at;
	return pages;
}

static void move_slab(int worker)
{
	size_t count;
	void **pages = slab_pages(worker, &count);
	int *nodes = calloc(count, sizeof(*nodes)), *status = calloc(count, sizeof(*status));

	for (size_t i = 0; i < count; i++)
		nodes[i] = node_of[worker];
	long rc = bm_migrate_batch(NULL, count, pages, nodes, status, 0);
	__atomic_fetch_add(&misplaced, rc < 0 ? (long)count : rc, __ATOMIC_RELAXED);
	free(pages);
	free(nodes);
	free(status);
}

static void *work(void *arg)
{
	int worker = (int)(intptr_t)arg;
	size_t from = first_row(worker) + (worker == 0), to = first_row(worker + 1);

	numa_run_on_node(node_of[worker]);
	to -= worker == WORKERS - 1;
	for (int round = 0; round < ITERATIONS; round++) {
		const double *in = grid[round % 2];
		double *out = grid[1 - round % 2];

		for (size_t i = from * COLUMNS; i < to * COLUMNS; i++)
			out[i] = 0.25 * (in[i - 1] + in[i + 1] + in[i - COLUMNS] + in[i + COLUMNS]);
		pthread_barrier_wait(&barrier);
		if (round == 0 && migrate)
			move_slab(worker);
	}
	return NULL;
}

static void print_slabs(const char *when)
{
	printf("%s:\n", when);
	for (int worker = 0; worker < WORKERS; worker++) {
		size_t count, on[64] = {0};
		void **pages = slab_pages(worker, &count);
		int *status = calloc(count, sizeof(*status));

		bm_query_pages(NULL, 0, count, pages, status, NULL);
		for (size_t i = 0; i < count; i++)
			on[status[i] >= 0 && status[i] < 64 ? status[i] : 63]++;
		printf("  slab %d (worker on node %d):", worker, node_of[worker]);
		for (int i = 0; i < node_count; i++)
			printf("  %zu pages on node %d", on[memory_nodes[i]], memory_nodes[i]);
		putchar('\n');
		free(pages);
		free(status);
	}
}

static double *run(int with_migration)
{
	size_t bytes = rows * COLUMNS * sizeof(double);
	pthread_t threads[WORKERS];

	migrate = with_migration;
	for (int k = 0; k < 2; k++) {
		grid[k] = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
		if (grid[k] == MAP_FAILED)
			abort();
		for (size_t i = 0; i < rows * COLUMNS; i++)
			grid[k][i] = (double)(i * 2654435761u % 1000) / 7;
	}
	if (migrate)
		print_slabs("before");
	for (int i = 0; i < WORKERS; i++)
		pthread_create(&threads[i], NULL, work, (void *)(intptr_t)i);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	if (migrate)
		print_slabs("after");
	return grid[0];
}

int main(int argc, char **argv)
{
	if (argc > 1)
		rows = strtoul(argv[1], NULL, 10);
	if (numa_available() < 0 || rows < 4 * WORKERS)
		return fprintf(stderr, "needs NUMA and at least %d rows\n", 4 * WORKERS), 2;
	for (int node = 0; node <= numa_max_node() && node_count < 64; node++) {
		if (numa_node_size64(node, NULL) > 0)
			memory_nodes[node_count++] = node;
	}
	printf("%d memory node%s\n", node_count,
	       node_count == 1 ? ": everything stays there" : "s");
	for (int i = 0; i < WORKERS; i++)
		node_of[i] = memory_nodes[i * node_count / WORKERS];
	numa_run_on_node(memory_nodes[0]);
	numa_set_preferred(memory_nodes[0]);
	pthread_barrier_init(&barrier, NULL, WORKERS);
	double *plain = run(0), *moved = run(1);
	if (memcmp(plain, moved, rows * COLUMNS * sizeof(double)) != 0)
		return printf("the result DIFFERS FROM that of the run without migration\n"), 1;
	printf("%ld pages did not arrive; the result equals that of the run without migration\n",
	       misplaced);
	return misplaced != 0;
}

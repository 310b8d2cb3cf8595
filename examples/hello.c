/* SPDX-License-Identifier: MIT */
/* hello.c - moves 64 MiB to the last NUMA node; C and C++. */
#include <batchmig.h>
#include <numa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
	size_t page = (size_t)numa_pagesize(), count = (64u << 20) / page;
	char *memory = (char *)aligned_alloc(page, count * page);
	void **pages = (void **)calloc(count, sizeof(void *));
	int *nodes = (int *)calloc(count, sizeof(int)), *status = (int *)calloc(count, sizeof(int));

	if (!memory || !pages || !nodes || !status)
		return 1;
	memset(memory, 1, count * page);
	for (size_t i = 0; i < count; i++) {
		pages[i] = memory + i * page;
		nodes[i] = numa_max_node();
	}
	long rc = bm_migrate_batch(NULL, count, pages, nodes, status, 0);
	if (rc < 0)
		fprintf(stderr, "%s\n", bm_error_text((int)rc));
	else
		printf("%zu pages are on node %d, %ld are not\n", count - (size_t)rc,
		       numa_max_node(), rc);
	free(status);
	free(nodes);
	free(pages);
	free(memory);
	return rc != 0;
}

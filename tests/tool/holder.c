/* SPDX-License-Identifier: MIT */
/*
 * holder.c - a process to be moved: holds memory on a node and watches its content.
 *
 * usage: holder NODE MIB KIND...
 *
 * KIND is anon, heap, huge or shared (with a forked child). Prints
 * "KIND 0xA-0xB" for each and then "ready". SIGUSR1: prints "same" or
 * "different". SIGTERM: checks too and ends with 0 or 1.
 */
#include <numa.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define HOLDINGS   8
#define HUGE_ALIGN (UINT64_C(2) << 20)

struct holding {
	uint64_t *words;
	size_t bytes;
	int is_shared;
};

static struct holding holdings[HOLDINGS];
static size_t holding_count;

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static uint64_t word_at(size_t i, size_t word)
{
	return (i + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ word;
}

static void fill(size_t i)
{
	for (size_t word = 0; word < holdings[i].bytes / sizeof(uint64_t); word++)
		holdings[i].words[word] = word_at(i, word);
}

static int is_same(void)
{
	for (size_t i = 0; i < holding_count; i++) {
		for (size_t word = 0; word < holdings[i].bytes / sizeof(uint64_t); word++) {
			if (holdings[i].words[word] != word_at(i, word))
				return 0;
		}
	}
	return 1;
}

static void *map_memory(size_t bytes, int advice)
{
	/* Room to align; the mapping that is left has exactly the asked length. */
	char *memory = mmap(NULL, bytes + HUGE_ALIGN, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t skip;

	if (memory == MAP_FAILED)
		die("mmap");
	skip = (size_t)(HUGE_ALIGN - (uintptr_t)memory % HUGE_ALIGN);
	munmap(memory, skip);
	if (skip < HUGE_ALIGN)
		munmap(memory + skip + bytes, HUGE_ALIGN - skip);
	madvise(memory + skip, bytes, advice);
	return memory + skip;
}

static void *grow_heap(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *start = sbrk(0);
	size_t gap = (page - (uintptr_t)start % page) % page;

	start = sbrk((intptr_t)(bytes + gap));
	/* sbrk gives this instead of NULL. */
	if ((intptr_t)start == -1)
		die("sbrk");
	madvise(start + gap, bytes, MADV_NOHUGEPAGE);
	return start + gap;
}

static void hold(const char *kind, size_t bytes)
{
	struct holding *holding = &holdings[holding_count];

	holding->bytes = bytes;
	holding->is_shared = strcmp(kind, "shared") == 0;
	if (strcmp(kind, "heap") == 0)
		holding->words = grow_heap(bytes);
	else
		holding->words = map_memory(bytes, strcmp(kind, "huge") == 0 ? MADV_HUGEPAGE
									     : MADV_NOHUGEPAGE);
	fill(holding_count++);
	printf("%s 0x%lx-0x%lx\n", kind, (unsigned long)holding->words,
	       (unsigned long)holding->words + bytes);
}

/* A child with which only the holdings named "shared" are shared. */
static void share(void)
{
	int wanted = 0;

	for (size_t i = 0; i < holding_count; i++) {
		wanted |= holdings[i].is_shared;
		if (!holdings[i].is_shared &&
		    madvise(holdings[i].words, holdings[i].bytes, MADV_DONTFORK) < 0)
			die("madvise");
	}
	if (!wanted)
		return;
	fflush(stdout);
	switch (fork()) {
	case -1:
		die("fork");
		break;
	case 0:
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* The pipe of the output is to end with the parent. */
		close(STDOUT_FILENO);
		for (;;)
			pause();
	default:
		break;
	}
}

int main(int argc, char **argv)
{
	struct bitmask *node;
	sigset_t signals;
	int got = 0;

	if (argc < 4 || argc > 3 + HOLDINGS || numa_available() < 0) {
		fprintf(stderr, "usage: holder NODE MIB anon|heap|huge|shared...\n");
		return 2;
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	node = numa_parse_nodestring(argv[1]);
	if (!node)
		return 2;
	numa_set_membind(node);
	for (int i = 3; i < argc; i++)
		hold(argv[i], strtoul(argv[2], NULL, 10) << 20);
	numa_set_localalloc();
	share();
	puts("ready");
	fflush(stdout);
	while (got != SIGTERM) {
		sigwait(&signals, &got);
		puts(is_same() ? "same" : "different");
		fflush(stdout);
	}
	return !is_same();
}

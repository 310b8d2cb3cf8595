/* SPDX-License-Identifier: MIT */
/* cpu_scene.c - arenas, a clock and memory for the tests of the backend cpu. */
#include "cpu_scene.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

struct cpu_scene cpu;

static void *test_memory(const struct bm_sys *sys, size_t size)
{
	(void)sys;
	if (cpu.fail_at && --cpu.fail_at == 0)
		return NULL;
	cpu.blocks++;
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void test_memory_end(const struct bm_sys *sys, void *memory, size_t size)
{
	(void)sys;
	cpu.blocks--;
	munmap(memory, size);
}

static void keep_line(void *user, int level, const char *line)
{
	(void)user;
	if (level == BM_LOG_ERROR)
		snprintf(cpu.line, sizeof(cpu.line), "%s", line);
}

static unsigned char *arena(void)
{
	unsigned char *memory = test_memory(NULL, ARENA * PIECE);

	ck_assert_ptr_ne(memory, MAP_FAILED);
	return memory;
}

void cpu_set_up(void)
{
	memset(&cpu, 0, sizeof(cpu));
	rnd_seed(20);
	cpu.sys = bm_sys_linux;
	cpu.log = (struct bm_log){.hook = keep_line, .level = BM_LOG_DEBUG};
	cpu.env = (struct bm_backend_env){.sys = &cpu.sys,
					  .log = &cpu.log,
					  .page_size = PIECE,
					  .huge_size = HUGE,
					  .memory = test_memory,
					  .memory_end = test_memory_end};
	cpu.from = arena();
	cpu.to = arena();
	cpu.expected = arena();
	for (size_t i = 0; i < ARENA * PIECE; i += sizeof(uint32_t)) {
		uint32_t value = rnd();

		memcpy(cpu.from + i, &value, sizeof(value));
	}
}

void cpu_tear_down(void)
{
	munmap(cpu.from, ARENA * PIECE);
	munmap(cpu.to, ARENA * PIECE);
	munmap(cpu.expected, ARENA * PIECE);
	ck_assert_int_eq(cpu.blocks, 3);
}

int cpu_open_loop(const char *name)
{
	int rc;

	cpu.env.loop = name;
	cpu.engine = NULL;
	rc = bm_backend_cpu.open(&cpu.env, &cpu.engine);
	if (rc == 0)
		ck_assert_int_eq(bm_backend_cpu.chan_open(cpu.engine, -1, &cpu.channel), 0);
	return rc;
}

void cpu_close_loop(void)
{
	bm_backend_cpu.chan_close(cpu.channel);
	bm_backend_cpu.close(cpu.engine);
}

void cpu_begin(void)
{
	memset(cpu.to, STALE_BYTE, ARENA * PIECE);
	memset(cpu.expected, STALE_BYTE, ARENA * PIECE);
	cpu.count = 0;
}

void cpu_add(size_t to, size_t from, size_t pieces)
{
	cpu.copies[cpu.count] = (struct bm_copy){.to = cpu.to + to * PIECE,
						 .from = cpu.from + from * PIECE,
						 .length = pieces * PIECE,
						 .tag = (uint32_t)(7 * cpu.count + 3)};
	memcpy(cpu.expected + to * PIECE, cpu.from + from * PIECE, pieces * PIECE);
	cpu.count++;
}

void cpu_run(const char *what)
{
	struct bm_copied copied[BM_CPU_DEPTH];
	int count = (int)cpu.count;
	size_t at = 0;

	ck_assert_int_eq(bm_backend_cpu.submit(cpu.channel, cpu.copies, cpu.count), count);
	ck_assert_int_eq(bm_backend_cpu.reap(cpu.channel, copied, BM_CPU_DEPTH), count);
	for (size_t i = 0; i < cpu.count; i++)
		ck_assert_uint_eq(copied[i].done, cpu.copies[i].length);
	if (memcmp(cpu.to, cpu.expected, ARENA * PIECE) == 0)
		return;
	while (cpu.to[at] == cpu.expected[at])
		at++;
	ck_abort_msg("%s, %s: byte %zu of piece %zu is wrong (%zu copies)", cpu.env.loop, what,
		     at % PIECE, at / PIECE, cpu.count);
}

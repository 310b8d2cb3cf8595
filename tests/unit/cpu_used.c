/* SPDX-License-Identifier: MIT */
/*
 * cpu_used.c - which loop the backend cpu really runs. A copy to memory that
 * cannot be written faults in the loop: the instruction tells which one it was.
 */
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "cpu/loops.h"
#include "cpu_scene.h"
#include "unit.h"

#define LOOPS_MOST 8
/* The piece from which on nothing can be written, at a page of any size. */
#define FIRST 608u

static sigjmp_buf faulted;
static volatile uintptr_t fault_at;

static void on_fault(int number, siginfo_t *info, void *context)
{
	const ucontext_t *at = context;

	(void)number;
	(void)info;
#if defined(__x86_64__)
	fault_at = (uintptr_t)at->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
	fault_at = (uintptr_t)at->uc_mcontext.pc;
#else
	fault_at = 1 + 0 * (uintptr_t)at;
#endif
	siglongjmp(faulted, 1);
}

/* The instruction that faults: of a loop for the last copies, or of submit(). */
static uintptr_t fault_of(const struct bm_cpu_loop *loop, size_t count)
{
	struct sigaction before, action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};

	fault_at = 0;
	sigaction(SIGSEGV, &action, &before);
	if (sigsetjmp(faulted, 1) == 0) {
		if (loop)
			loop->copy(cpu.copies + cpu.count - count, count);
		else
			bm_backend_cpu.submit(cpu.channel, cpu.copies, count);
	}
	sigaction(SIGSEGV, &before, NULL);
	return fault_at;
}

static const size_t pieces_of[BM_CPU_CLASSES] = {1, 8, HUGE / PIECE};

/* A list whose last copy faults; before it come pieces of all other classes. */
static void list_for(int which)
{
	size_t to = 1;

	mprotect(cpu.to, ARENA * PIECE, PROT_READ | PROT_WRITE);
	cpu_begin();
	for (int other = 0; other < BM_CPU_CLASSES; other++) {
		if (other == which)
			continue;
		cpu_add(to, to, pieces_of[other]);
		to += pieces_of[other];
	}
	cpu_add(FIRST, 0, pieces_of[which]);
	mprotect(cpu.to + FIRST * PIECE, (ARENA - FIRST) * PIECE, PROT_NONE);
}

/* The loop is to be given that many copies of the list in one call. */
static void check_used(int which, size_t loop, size_t count)
{
	uintptr_t at;

	ck_assert_uint_eq(bm_cpu_loop_used(cpu.engine, (enum bm_cpu_class)which), loop);
	list_for(which);
	at = fault_of(bm_cpu_loop(loop), count);
	ck_assert_uint_ne(at, 0);
	ck_assert_msg(fault_of(NULL, cpu.count) == at, "class %d is not copied by %s", which,
		      bm_cpu_loop_name(loop));
}

/* Otherwise the other tests could not fail. */
START_TEST(loops_can_be_told_apart)
{
	uintptr_t at[LOOPS_MOST] = {0};

	cpu_set_up();
	list_for(BM_CPU_RUNS);
	for (size_t i = 0; i < bm_cpu_loop_count(); i++) {
		if (!bm_cpu_loop_here(i))
			continue;
		at[i] = fault_of(bm_cpu_loop(i), 1);
		for (size_t k = 0; k < i; k++)
			ck_assert_uint_ne(at[i], at[k]);
	}
	cpu_tear_down();
}
END_TEST

START_TEST(named_loops_are_used)
{
	cpu_set_up();
	for (size_t i = 0; i < bm_cpu_loop_count(); i++) {
		if (!bm_cpu_loop_here(i))
			continue;
		ck_assert_int_eq(cpu_open_loop(bm_cpu_loop_name(i)), 0);
		for (int which = 0; which < BM_CPU_CLASSES; which++)
			check_used(which, i, BM_CPU_CLASSES);
		cpu_close_loop();
	}
	cpu_tear_down();
}
END_TEST

/* The loops that are here. */
static size_t here[LOOPS_MOST], here_count;

static void find_here(void)
{
	here_count = 0;
	for (size_t i = 0; i < bm_cpu_loop_count(); i++)
		if (bm_cpu_loop_here(i))
			here[here_count++] = i;
}

/* By it the loop number `which` of those here is the fastest for class `which`. */
static uint64_t partial_clock(void)
{
	unsigned int read = cpu.clock_reads++;
	size_t trial = (read - 1) / 2, loop = trial % here_count;
	size_t which = trial / here_count % BM_CPU_CLASSES;

	if (read > 0 && read % 2 == 0)
		cpu.clock += loop == which % here_count ? 100 : 200;
	return cpu.clock;
}

START_TEST(each_class_has_its_loop)
{
	cpu_set_up();
	find_here();
	cpu.sys.now_ns = partial_clock;
	ck_assert_int_eq(cpu_open_loop("auto"), 0);
	for (int which = 0; which < BM_CPU_CLASSES; which++)
		check_used(which, here[(size_t)which % here_count], 1);
	cpu_close_loop();
	cpu_tear_down();
}
END_TEST

static const TTest *const *const tests[] = {&loops_can_be_told_apart, &named_loops_are_used,
					    &each_class_has_its_loop, NULL};
const struct report_group cpu_used_group = {"cpu_used", tests};

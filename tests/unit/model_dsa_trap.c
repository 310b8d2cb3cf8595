/* SPDX-License-Identifier: MIT */
/* model_dsa_trap.c - the instructions themselves, done by the software DSA; a watched portal. */
#include "models/dsa_trap.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>

#include "desk.h"
#include "models/dsa_sys.h"
#include "models/dsa_watch.h"
#include "unit.h"

#ifdef __x86_64__
#define FLAGS_ARITHMETIC 0x8d5u
#define FLAG_ZERO        0x40u

static void begin(struct desk *desk, enum dsa_pace pace)
{
	struct dsa_queue_config queues[2] = {desk_queues[0], desk_queues[1]};

	queues[0].threshold = 2;
	desk_open_with(desk, queues, pace, 1);
	ck_assert_int_eq(dsa_trap_begin(desk->dsa), 0);
}

static void end(struct desk *desk)
{
	dsa_trap_end();
	desk_close(desk);
}

static void movdir64b(uint64_t portal, const void *descriptor)
{
	__asm__ volatile(".byte 0x66, 0x0f, 0x38, 0xf8, 0x02" /* (%rdx), %rax */
			 :
			 : "a"(portal), "d"(descriptor)
			 : "memory");
}

/* With all arithmetic flags set or clear before; the red zone is not to be pushed into. */
static unsigned long enqcmd(uint64_t portal, const void *descriptor, unsigned long before)
{
	unsigned long flags;

	__asm__ volatile("lea -256(%%rsp), %%rsp\n\t"
			 "push %[before]\n\t"
			 "popfq\n\t"
			 ".byte 0xf2, 0x0f, 0x38, 0xf8, 0x02\n\t" /* (%rdx), %rax */
			 "pushfq\n\t"
			 "pop %[flags]\n\t"
			 "lea 256(%%rsp), %%rsp"
			 : [flags] "=r"(flags)
			 : "a"(portal), "d"(descriptor), [before] "r"(before | 0x202)
			 : "memory", "cc");
	return flags & FLAGS_ARITHMETIC;
}

START_TEST(trap_enqcmd_and_its_flags)
{
	struct desk desk;

	begin(&desk, DSA_WHEN_RUN);
	desk_batch(&desk, 4);
	for (size_t i = 0; i < 4; i++) {
		unsigned long before = i % 2 ? FLAGS_ARITHMETIC : 0;

		/* Two fit in. */
		ck_assert_uint_eq(enqcmd(dsa_trap_portal(0) + 64 * i, &desk.list[i], before),
				  i < 2 ? 0 : FLAG_ZERO);
	}
	dsa_run(desk.dsa, 10);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(desk_status(&desk, i), i < 2);
	ck_assert(desk_is_copied(&desk, 0) && desk_is_copied(&desk, 1));
	ck_assert_uint_eq(dsa_trap_count(), 4);
	end(&desk);
}
END_TEST

START_TEST(trap_movdir64b)
{
	struct desk desk;

	begin(&desk, DSA_AT_ONCE);
	desk_batch(&desk, 64);
	for (size_t i = 0; i < 64; i++) {
		movdir64b(dsa_trap_portal(1) + 64 * i, &desk.list[i]);
		ck_assert(desk_status(&desk, i) == 1 && desk_is_copied(&desk, i));
	}
	ck_assert_uint_eq(desk_counts(&desk).portal, 64);
	end(&desk);
}
END_TEST

/* Other registers, displacements of both sizes, an index, a base that is none. */
START_TEST(trap_forms_of_addresses)
{
	struct desk desk;
	uint64_t portal;

	begin(&desk, DSA_AT_ONCE);
	portal = dsa_trap_portal(1);
	desk_batch(&desk, 7);
	__asm__ volatile("mov %[portal], %%r9\n\t"
			 "mov %[list], %%r10\n\t"
			 "mov %[list], %%r12\n\t"
			 "mov $16, %%r11\n\t"
			 ".byte 0x66, 0x45, 0x0f, 0x38, 0xf8, 0x0a\n\t"       /* (%r10), %r9 */
			 ".byte 0x66, 0x45, 0x0f, 0x38, 0xf8, 0x4a, 0x40\n\t" /* 0x40(%r10) */
			 ".byte 0x66, 0x45, 0x0f, 0x38, 0xf8, 0x8a, 0x80, 0, 0, 0\n\t"
			 /* 0x40(%r10,%r11,8): 0xc0 */
			 ".byte 0x66, 0x47, 0x0f, 0x38, 0xf8, 0x4c, 0xda, 0x40\n\t"
			 "add $0x100, %%r12\n\t"
			 ".byte 0x66, 0x45, 0x0f, 0x38, 0xf8, 0x0c, 0x24\n\t" /* (%r12), %r9 */
			 "add $0xc0, %%r12\n\t"
			 ".byte 0x66, 0x45, 0x0f, 0x38, 0xf8, 0x4c, 0x24, 0x80\n\t" /* -128 */
			 "sub $0x40, %%r12\n\t"
			 /* 0(,%r12,1), %r9: a base is only a displacement here */
			 ".byte 0x66, 0x46, 0x0f, 0x38, 0xf8, 0x0c, 0x25, 0, 0, 0, 0"
			 :
			 : [portal] "r"(portal), [list] "r"(desk.list)
			 : "r9", "r10", "r11", "r12", "memory", "cc");
	for (size_t i = 0; i < 7; i++)
		ck_assert_msg(desk_status(&desk, i) == 1, "form %zu", i);
	ck_assert_uint_eq(dsa_trap_count(), 7);
	end(&desk);
}
END_TEST

static sigjmp_buf faulted;
static volatile sig_atomic_t signal_was;

static void catch (int signal)
{
	signal_was = signal;
	siglongjmp(faulted, 1);
}

/* Not to a portal, not aligned, no such instruction, plain faults: whoever caught them before. */
START_TEST(trap_passes_on_all_else)
{
	struct sigaction action = {.sa_handler = catch}, before[2];
	struct desk desk;
	volatile size_t passed = 0;

	sigaction(SIGILL, &action, &before[0]);
	sigaction(SIGSEGV, &action, &before[1]);
	begin(&desk, DSA_AT_ONCE);
	desk_batch(&desk, 1);
	for (volatile size_t i = 0; i < 4; i++) {
		if (sigsetjmp(faulted, 1)) {
			passed++;
			continue;
		}
		if (i == 0)
			movdir64b(dsa_trap_portal(2), desk.list);
		else if (i == 1)
			enqcmd(dsa_trap_portal(0) + 32, desk.list, 0);
		else if (i == 2)
			__asm__ volatile("ud2");
		else
			*(volatile char *)(uintptr_t)dsa_trap_portal(0) = 1;
	}
	ck_assert_uint_eq(passed, 4);
	ck_assert_int_eq(signal_was, SIGSEGV);
	ck_assert_int_eq(desk_status(&desk, 0), 0);
	end(&desk);
	sigaction(SIGILL, &before[0], NULL);
	sigaction(SIGSEGV, &before[1], NULL);
}
END_TEST

/* The table's own instructions, while signals are blocked by the table. */
START_TEST(trap_through_the_table)
{
	struct bm_sys sys = bm_sys_linux;
	struct dsa_sys_how how = {0};
	struct desk desk;
	uint64_t portal, before, other;

	begin(&desk, DSA_WHEN_RUN);
	how.portals = dsa_trap_portal(0);
	dsa_sys_use(&sys, desk.dsa, &how);
	desk_batch(&desk, 4);
	ck_assert_int_eq(sys.map_portal(sys.open("/dev/dsa/wq0.0", O_RDWR), &portal), 0);
	ck_assert_int_eq(sys.map_portal(sys.open("/dev/dsa/wq0.1", O_RDWR), &other), 0);
	sys.signals_block(&before);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(sys.enqcmd(portal + 64, &desk.list[i]), i < 2 ? 0 : -EAGAIN);
	sys.movdir64b(other, &desk.list[3]);
	sys.signals_restore(&before);
	dsa_run(desk.dsa, 10);
	ck_assert(desk_status(&desk, 1) == 1 && !desk_status(&desk, 2));
	ck_assert_int_eq(desk_status(&desk, 3), 1);
	ck_assert_uint_eq(dsa_trap_count(), 4);
	ck_assert(sys.unmap(portal, 4096) == 0 && sys.unmap(other, 4096) == 0);
	end(&desk);
}
END_TEST
#endif

START_TEST(watch_takes_what_is_stored)
{
	struct dsa_watch *watch;
	struct desk desk;

	desk_open(&desk, DSA_AT_ONCE, 1);
	watch = dsa_watch_begin(desk.dsa, 1);
	ck_assert_ptr_nonnull(watch);
	for (size_t round = 0; round < 50; round++) {
		memset(desk.records, 0, sizeof(desk.records[0]) * DESK_PIECES);
		desk_batch(&desk, 64);
		for (size_t i = 0; i < 64; i++)
			dsa_watch_store(dsa_watch_portal(watch) + 64 * i, &desk.list[i]);
		for (size_t i = 0; i < 64; i++)
			ck_assert_int_eq(desk_wait(&desk, i), 1);
	}
	desk_put(&desk.list[0], 8, desk_address(desk.records[DESK_BATCH_RECORD]), 8);
	dsa_watch_store(dsa_watch_portal(watch), &desk.list[0]);
	dsa_watch_end(watch);
	ck_assert_int_eq(desk_status(&desk, DESK_BATCH_RECORD), 1);
	ck_assert_uint_eq(desk_counts(&desk).descriptors, 50 * 64 + 1);
	ck_assert_uint_eq(desk_counts(&desk).dropped, 0);
	desk_close(&desk);
}
END_TEST

static const TTest *const *const tests[] = {
#ifdef __x86_64__
	&trap_enqcmd_and_its_flags,  &trap_movdir64b,
	&trap_forms_of_addresses,    &trap_passes_on_all_else,
	&trap_through_the_table,
#endif
	&watch_takes_what_is_stored, NULL};
const struct report_group model_dsa_trap_group = {"model_dsa_trap", tests};

/* SPDX-License-Identifier: MIT */
/* dsa_trap.c - instructions that this CPU lacks, or that hit a portal, done by a signal's handler. */
#include "dsa_trap.h"

/* Where there are no such instructions nothing is left but the header. */
#ifdef __x86_64__
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "dsa_device.h"

#define PREFIX_MOVDIR64B 0x66
#define PREFIX_ENQCMD    0xf2
#define FLAG_ZERO        0x40
#define FLAGS_ARITHMETIC 0x8d5 /* OF SF ZF AF PF CF */

#define REX_BASE  1
#define REX_INDEX 2
#define REX_REG   4

struct instruction {
	uint8_t prefix;
	size_t length;
	uint64_t portal, source;
};

/* A handler has no argument of its own. */
static struct {
	struct dsa *dsa;
	uint64_t portals;
	size_t length;
	struct sigaction before_ill, before_segv;
	_Atomic uint64_t count;
} trap;

/* In the order of their numbers in instructions. */
static const int registers[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
				  REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
				  REG_R12, REG_R13, REG_R14, REG_R15};

static uint64_t value(const gregset_t saved, unsigned int number)
{
	return (uint64_t)saved[registers[number]];
}

static int32_t displacement(const uint8_t *at)
{
	int32_t bytes;

	memcpy(&bytes, at, sizeof(bytes));
	return bytes;
}

/* Base 5 without a displacement of its own has one of four bytes, and no register. */
static const uint8_t *decode_sib(const gregset_t saved, const uint8_t *at, unsigned int rex,
				 unsigned int mode, uint64_t *addr)
{
	unsigned int scale = *at >> 6, index = (*at >> 3 & 7) | (rex & REX_INDEX ? 8 : 0);
	unsigned int base = *at & 7;

	at++;
	*addr = index == 4 ? 0 : value(saved, index) << scale;
	if (base != 5 || mode) {
		*addr += value(saved, base | (rex & REX_BASE ? 8 : 0));
		return at;
	}
	*addr += (uint64_t)(int64_t)displacement(at);
	return at + 4;
}

/* Behind it, or NULL: a form that is not known here. */
static const uint8_t *decode_memory(const gregset_t saved, const uint8_t *at, unsigned int rex,
				    uint64_t *addr)
{
	unsigned int mode = *at >> 6, rm = *at & 7;

	at++;
	if (mode == 3 || (mode == 0 && rm == 5))
		return NULL;
	if (rm == 4)
		at = decode_sib(saved, at, rex, mode, addr);
	else
		*addr = value(saved, rm | (rex & REX_BASE ? 8 : 0));
	if (mode == 1) {
		*addr += (uint64_t)(int64_t)(int8_t)*at;
		return at + 1;
	}
	if (mode == 2) {
		*addr += (uint64_t)(int64_t)displacement(at);
		return at + 4;
	}
	return at;
}

/* PREFIX [REX] 0f 38 f8 MODRM... */
static int decode(const gregset_t saved, struct instruction *found)
{
	const uint8_t *start = (const uint8_t *)(uintptr_t)saved[REG_RIP], *at = start + 1;
	unsigned int rex = 0;

	found->prefix = *start;
	if (found->prefix != PREFIX_MOVDIR64B && found->prefix != PREFIX_ENQCMD)
		return 0;
	if ((*at & 0xf0) == 0x40)
		rex = *at++;
	if (at[0] != 0x0f || at[1] != 0x38 || at[2] != 0xf8)
		return 0;
	at += 3;
	found->portal = value(saved, (*at >> 3 & 7) | (rex & REX_REG ? 8 : 0));
	at = decode_memory(saved, at, rex, &found->source);
	if (!at)
		return 0;
	found->length = (size_t)(at - start);
	return 1;
}

/* The CPU wants the slot aligned, and would not know of pages that are no portals. */
static int is_portal(uint64_t portal)
{
	return portal >= trap.portals && portal < trap.portals + trap.length && portal % 64 == 0;
}

/* 1: done. */
static int emulate(gregset_t saved)
{
	struct instruction found;
	unsigned int queue;

	if (!decode(saved, &found) || !is_portal(found.portal))
		return 0;
	queue = (unsigned int)((found.portal - trap.portals) / DSA_PAGE);
	atomic_fetch_add(&trap.count, 1);
	if (found.prefix == PREFIX_MOVDIR64B) {
		dsa_movdir64b(trap.dsa, queue, (const void *)(uintptr_t)found.source);
	} else {
		saved[REG_EFL] &= ~(greg_t)FLAGS_ARITHMETIC;
		if (dsa_enqcmd(trap.dsa, queue, (const void *)(uintptr_t)found.source))
			saved[REG_EFL] |= FLAG_ZERO;
	}
	saved[REG_RIP] += (greg_t)found.length;
	return 1;
}

/* Where nobody was asking the fault happens again, with the default action. */
static void pass_on(int signal, siginfo_t *info, void *context)
{
	const struct sigaction *before = signal == SIGILL ? &trap.before_ill : &trap.before_segv;

	if (before->sa_flags & SA_SIGINFO)
		before->sa_sigaction(signal, info, context);
	else if (before->sa_handler == SIG_DFL || before->sa_handler == SIG_IGN)
		sigaction(signal, before, NULL);
	else
		before->sa_handler(signal);
}

static void handle(int signal, siginfo_t *info, void *context)
{
	int error = errno;
	ucontext_t *saved = context;

	if (!emulate(saved->uc_mcontext.gregs))
		pass_on(signal, info, context);
	errno = error;
}

int dsa_trap_begin(struct dsa *dsa)
{
	size_t length = dsa->queues_count * DSA_PAGE;
	void *pages = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct sigaction action = {.sa_sigaction = handle,
				   .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};

	if (pages == MAP_FAILED)
		return -errno;
	trap.dsa = dsa;
	trap.portals = (uint64_t)(uintptr_t)pages;
	trap.length = length;
	trap.count = 0;
	sigaction(SIGILL, &action, &trap.before_ill);
	sigaction(SIGSEGV, &action, &trap.before_segv);
	return 0;
}

uint64_t dsa_trap_portal(unsigned int queue)
{
	return trap.portals + (uint64_t)queue * DSA_PAGE;
}

uint64_t dsa_trap_count(void)
{
	return trap.count;
}

void dsa_trap_end(void)
{
	sigaction(SIGSEGV, &trap.before_segv, NULL);
	sigaction(SIGILL, &trap.before_ill, NULL);
	munmap((void *)(uintptr_t)trap.portals, trap.length);
	trap.length = 0;
}
#endif

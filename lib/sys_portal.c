/* SPDX-License-Identifier: MIT */
/* sys_portal.c - portals, and the instructions that write to them. */
#include "sys_portal.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sys.h"

int bm_portal_map(int fd, uint64_t *addr)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *at = mmap(NULL, page, PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	*addr = (uint64_t)(uintptr_t)at;
	return 0;
}

#ifdef __x86_64__
#include <cpuid.h>

unsigned int bm_portal_cpu_facts(void)
{
	unsigned int a, b, c, d, facts = 0;

	if (!__get_cpuid_count(7, 0, &a, &b, &c, &d))
		return 0;
	if (c >> 28 & 1)
		facts |= BM_CPU_MOVDIR64B;
	if (c >> 29 & 1)
		facts |= BM_CPU_ENQCMD;
	if (c >> 5 & 1)
		facts |= BM_CPU_WAITPKG;
	return facts;
}

/* As bytes: the assembler need not know them, and no flag of the compiler is needed. */
void bm_portal_movdir64b(uint64_t portal, const void *descriptor)
{
	__asm__ volatile(".byte 0x66, 0x0f, 0x38, 0xf8, 0x02" /* movdir64b (%rdx), %rax */
			 :
			 : "a"(portal), "d"(descriptor)
			 : "memory");
}

int bm_portal_enqcmd(uint64_t portal, const void *descriptor)
{
	unsigned char retry;

	__asm__ volatile(".byte 0xf2, 0x0f, 0x38, 0xf8, 0x02\n\t" /* enqcmd (%rdx), %rax */
			 "setz %0"
			 : "=q"(retry)
			 : "a"(portal), "d"(descriptor)
			 : "memory", "cc");
	return retry ? -EAGAIN : 0;
}

void bm_portal_umwait(const volatile void *line, uint64_t cycles)
{
	uint64_t until = __builtin_ia32_rdtsc() + cycles;

	__asm__ volatile(".byte 0xf3, 0x0f, 0xae, 0xf0" /* umonitor %rax */ : : "a"(line));
	/* What was written before the monitor stood is not noticed by it. */
	if (*(const volatile unsigned char *)line == 0)
		__asm__ volatile(".byte 0xf2, 0x0f, 0xae, 0xf1" /* umwait %ecx */
				 :
				 : "c"(1), "a"((uint32_t)until), "d"((uint32_t)(until >> 32))
				 : "cc");
}
#else
unsigned int bm_portal_cpu_facts(void)
{
	return 0;
}

void bm_portal_movdir64b(uint64_t portal, const void *descriptor)
{
	(void)portal;
	(void)descriptor;
}

int bm_portal_enqcmd(uint64_t portal, const void *descriptor)
{
	(void)portal;
	(void)descriptor;
	return -EAGAIN;
}

void bm_portal_umwait(const volatile void *line, uint64_t cycles)
{
	(void)line;
	(void)cycles;
}
#endif

/* SPDX-License-Identifier: MIT */
/*
 * raw.h - system calls without the C library.
 *
 * Its wrappers write errno, which is thread-local data on a page that may be
 * out of reach: a thread that has taken pages away must not wait for them.
 */
#ifndef BM_RAW_H
#define BM_RAW_H

#include <sys/syscall.h>

#if defined(__x86_64__)
static inline long bm_raw_call(long number, const long *arg)
{
	/* A sanitizer calls a function at each load, which changes registers: all loads come first. */
	long a0 = arg[0], a1 = arg[1], a2 = arg[2], a3 = arg[3], a4 = arg[4], a5 = arg[5], result;
	register long r10 __asm__("r10") = a3;
	register long r8 __asm__("r8") = a4;
	register long r9 __asm__("r9") = a5;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(number), "D"(a0), "S"(a1), "d"(a2), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
static inline long bm_raw_call(long number, const long *arg)
{
	long a0 = arg[0], a1 = arg[1], a2 = arg[2], a3 = arg[3], a4 = arg[4], a5 = arg[5];
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a0;
	register long x1 __asm__("x1") = a1;
	register long x2 __asm__("x2") = a2;
	register long x3 __asm__("x3") = a3;
	register long x4 __asm__("x4") = a4;
	register long x5 __asm__("x5") = a5;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory", "cc");
	return x0;
}
#else
#include <errno.h>
#include <unistd.h>

/* With errno: here the mover swap says that it is not available (BM_RAW_CALLS). */
static inline long bm_raw_call(long number, const long *arg)
{
	long result = syscall(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);

	return result < 0 ? -errno : result;
}
#define BM_RAW_CALLS 0
#endif

#ifndef BM_RAW_CALLS
#define BM_RAW_CALLS 1
#endif

#define bm_raw(number, ...) bm_raw_call(number, (const long[6]){__VA_ARGS__})

#endif

/* SPDX-License-Identifier: MIT */
/*
 * probes.h - static probes (USDT) for bpftrace(8), perf(1) and their like.
 *
 * A probe is a nop, and a note in the library that says where it is and which
 * registers hold its arguments. They are never read from memory, which could
 * be out of reach. What would have to be computed for a probe is computed only
 * while somebody traces it: the kernel then counts its semaphore up. Code that
 * runs while pages are out of reach has probes without one.
 */
#ifndef BM_PROBES_H
#define BM_PROBES_H

#include "sys.h"

#ifdef BATCHMIG_USDT

#define STAP_SDT_ARG_CONSTRAINT nr
#ifndef BM_PROBES_IN_WINDOW
#define _SDT_HAS_SEMAPHORES 1
#endif
#include <sys/sdt.h>
#ifdef __clang__
/* Of the macros of sdt.h, wherever they are used. */
#pragma clang diagnostic ignored "-Wgnu-zero-variadic-macro-arguments"
#endif

#define BM_PROBE1(name, a)          DTRACE_PROBE1(batchmig, name, a)
#define BM_PROBE2(name, a, b)       DTRACE_PROBE2(batchmig, name, a, b)
#define BM_PROBE3(name, a, b, c)    DTRACE_PROBE3(batchmig, name, a, b, c)
#define BM_PROBE4(name, a, b, c, d) DTRACE_PROBE4(batchmig, name, a, b, c, d)
#define BM_PROBE_WANTED(name)       __builtin_expect(batchmig_##name##_semaphore, 0)

/* In probes.c; only the kernel writes to them. */
extern volatile unsigned short batchmig_batch__begin_semaphore, batchmig_batch__end_semaphore;
extern volatile unsigned short batchmig_chunk__begin_semaphore, batchmig_chunk__end_semaphore;
extern volatile unsigned short batchmig_call__begin_semaphore, batchmig_call__end_semaphore;

#else

#define BM_PROBE1(name, a)          ((void)sizeof(a))
#define BM_PROBE2(name, a, b)       ((void)sizeof(a), (void)sizeof(b))
#define BM_PROBE3(name, a, b, c)    ((void)sizeof(a), (void)sizeof(b), (void)sizeof(c))
#define BM_PROBE4(name, a, b, c, d) (BM_PROBE2(name, a, b), BM_PROBE2(name, c, d))
#define BM_PROBE_WANTED(name)       0

#endif

/*
 * batch__begin  count, pid                  entries or ranges; 0 is this process
 * batch__end    moved, failed, ns           pages; 0 ns: a single page, not measured
 * chunk__begin  start, end, node, huge      before the window is opened
 * chunk__end    start, ns of window, pages  moved; after it was closed
 * copy__begin   bytes                       within the window, by the backend
 * copy__end     bytes
 * call__begin   pages, node                 a kernel call that moves
 * call__end     result, ns
 *
 * A batch of one page that the first call did not move begins once more.
 */

/* The time when a call begins that somebody traces, or 0; and how long it took. */
#define BM_PROBE_CALL_BEGIN(sys) (BM_PROBE_WANTED(call__end) ? (sys)->now_ns() : 0)
#define BM_PROBE_CALL_NS(sys, begin) \
	(BM_PROBE_WANTED(call__end) && (begin) ? (sys)->now_ns() - (begin) : 0)

#endif

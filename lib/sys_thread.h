/* SPDX-License-Identifier: MIT */
/* sys_thread.h - the part of bm_sys_linux about threads. */
#ifndef BM_SYS_THREAD_H
#define BM_SYS_THREAD_H

#include "sys.h"

int bm_thread_start(pthread_t *thread, void *(*run)(void *), void *arg);
uint64_t bm_thread_block(pid_t thread);
uint64_t bm_thread_switches(void);

#endif

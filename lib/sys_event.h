/* SPDX-License-Identifier: MIT */
/* sys_event.h - the part of bm_sys_linux about the caller's eventfd(2). */
#ifndef BM_SYS_EVENT_H
#define BM_SYS_EVENT_H

int bm_event_dup(int fd);
void bm_event_signal(int fd);

#endif

/* SPDX-License-Identifier: MIT */
/* sys_portal.h - the part of bm_sys_linux about devices that take descriptors of 64 bytes. */
#ifndef BM_SYS_PORTAL_H
#define BM_SYS_PORTAL_H

#include <stddef.h>
#include <stdint.h>

int bm_portal_map(int fd, uint64_t *addr);
unsigned int bm_portal_cpu_facts(void);
void bm_portal_movdir64b(uint64_t portal, const void *descriptor);
int bm_portal_enqcmd(uint64_t portal, const void *descriptor);
void bm_portal_umwait(const volatile void *line, uint64_t cycles);

#endif

/* SPDX-License-Identifier: MIT */
/* sys_device.h - the part of bm_sys_linux about registers of devices, and memory that stays. */
#ifndef BM_SYS_DEVICE_H
#define BM_SYS_DEVICE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

int bm_device_map(int fd, off_t offset, size_t length, uint64_t *addr);
int bm_device_lock(int fd);
int bm_device_pinner(void);
int bm_device_pin(uint64_t addr, size_t length);

#endif

/* SPDX-License-Identifier: MIT */
/* sys_raw.h - the part of bm_sys_linux that may be called while pages are out of reach. */
#ifndef BM_SYS_RAW_H
#define BM_SYS_RAW_H

#include "sys.h"

int bm_raw_ioctl(int fd, unsigned long request, void *arg);
int bm_raw_madvise(uint64_t addr, size_t length, int advice);
int bm_raw_residency(uint64_t addr, size_t length, unsigned char *pages);
int bm_raw_futex_wait(const bm_futex *word, uint32_t value, int64_t timeout_us);
void bm_raw_futex_wake(const bm_futex *word);
void bm_raw_signals_block(uint64_t *before);
void bm_raw_signals_restore(const uint64_t *before);
ssize_t bm_raw_read(int fd, void *buffer, size_t size);
ssize_t bm_raw_write(int fd, const void *buffer, size_t size);
ssize_t bm_raw_pread(int fd, void *buffer, size_t size, off_t offset);
ssize_t bm_raw_pwrite(int fd, const void *buffer, size_t size, off_t offset);
int bm_raw_pin_buffers(int pinner, const struct iovec *buffers, size_t count);
int bm_raw_unpin_buffers(int pinner);
long bm_raw_nodes(size_t count, void *const *pages, int *status);
int bm_raw_poll(int fd, int64_t timeout_us);
int bm_raw_close(int fd);
int bm_raw_remap_call(pid_t thread, struct bm_remap_call *call);
int bm_raw_keep_only(const int *fds, int count);
int bm_raw_affinity(struct bm_ids *cpus);
int bm_raw_set_affinity(const struct bm_ids *cpus);
int bm_raw_cpu(void);
void bm_raw_yield(void);
_Noreturn void bm_raw_abort(const char *message);

#endif

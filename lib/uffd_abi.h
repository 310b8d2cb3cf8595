/* SPDX-License-Identifier: MIT */
/*
 * uffd_abi.h - include/uapi/linux/userfaultfd.h as of Linux 6.8; the headers
 * of Debian 12 are older.
 */
#ifndef BM_UFFD_ABI_H
#define BM_UFFD_ABI_H

#include <stdint.h>
#include <sys/ioctl.h>

#define BM_UFFD_API            UINT64_C(0xAA)
#define BM_UFFD_USER_MODE_ONLY 1 /* flag of userfaultfd(2) */

/* Features. */
#define BM_UFFD_FEATURE_WP     (UINT64_C(1) << 0)
#define BM_UFFD_FEATURE_FORK   (UINT64_C(1) << 1) /* CAP_SYS_PTRACE */
#define BM_UFFD_FEATURE_REMAP  (UINT64_C(1) << 2)
#define BM_UFFD_FEATURE_REMOVE (UINT64_C(1) << 3)
#define BM_UFFD_FEATURE_UNMAP  (UINT64_C(1) << 6)
#define BM_UFFD_FEATURE_THREAD (UINT64_C(1) << 8)
#define BM_UFFD_FEATURE_POISON (UINT64_C(1) << 14) /* Linux 6.6 */
#define BM_UFFD_FEATURE_MOVE   (UINT64_C(1) << 16) /* Linux 6.8 */

#define BM_UFFD_MODE_MISSING (UINT64_C(1) << 0)
#define BM_UFFD_MODE_WP      (UINT64_C(1) << 1)
#define BM_UFFD_DONTWAKE     (UINT64_C(1) << 0) /* of COPY, MOVE, POISON, ZEROPAGE */
#define BM_UFFD_MOVE_HOLES   (UINT64_C(1) << 1) /* ALLOW_SRC_HOLES */

struct bm_uffd_api {
	uint64_t api, features, ioctls;
};

struct bm_uffd_range {
	uint64_t start, length;
};

struct bm_uffd_register {
	struct bm_uffd_range range;
	uint64_t mode, ioctls;
};

/* COPY and MOVE. */
struct bm_uffd_transfer {
	uint64_t to, from, length, mode;
	int64_t done; /* bytes, or -errno */
};

/* ZEROPAGE and POISON. */
struct bm_uffd_fill {
	struct bm_uffd_range range;
	uint64_t mode;
	int64_t done;
};

#define BM_UFFDIO_REGISTER   _IOWR(0xAA, 0x00, struct bm_uffd_register)
#define BM_UFFDIO_UNREGISTER _IOR(0xAA, 0x01, struct bm_uffd_range)
#define BM_UFFDIO_WAKE       _IOR(0xAA, 0x02, struct bm_uffd_range)
#define BM_UFFDIO_COPY       _IOWR(0xAA, 0x03, struct bm_uffd_transfer)
#define BM_UFFDIO_ZEROPAGE   _IOWR(0xAA, 0x04, struct bm_uffd_fill)
#define BM_UFFDIO_MOVE       _IOWR(0xAA, 0x05, struct bm_uffd_transfer)
#define BM_UFFDIO_CONTINUE   _IOWR(0xAA, 0x07, struct bm_uffd_fill)
#define BM_UFFDIO_POISON     _IOWR(0xAA, 0x08, struct bm_uffd_fill)
#define BM_UFFDIO_API        _IOWR(0xAA, 0x3F, struct bm_uffd_api)

/* What read(2) gives. */
#define BM_UFFD_EVENT_FAULT  0x12
#define BM_UFFD_EVENT_FORK   0x13
#define BM_UFFD_EVENT_REMAP  0x14
#define BM_UFFD_EVENT_REMOVE 0x15
#define BM_UFFD_EVENT_UNMAP  0x16

struct bm_uffd_message {
	uint8_t event, reserved[7];
	union {
		struct {
			uint64_t flags, address;
			uint32_t thread;
		} fault;
		struct {
			uint32_t fd;
		} fork;
		struct {
			uint64_t from, to, length;
		} remap;
		struct {
			uint64_t start, end;
		} remove; /* and unmap */
	} arg;
};

#endif

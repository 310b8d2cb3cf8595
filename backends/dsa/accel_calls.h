/* SPDX-License-Identifier: MIT */
/*
 * accel_calls.h - the calls of libaccel-config that are used, as in its header.
 *
 * They are the same in 3.5 to 4.1. Not among them: accfg_device_get_op_cap(),
 * whose struct differs, and accfg_wq_get_occupancy(), which leaks a descriptor.
 * An enumeration is the integer that it is for the compiler: int where one of its
 * values is negative.
 */
#ifndef BM_DSA_ACCEL_CALLS_H
#define BM_DSA_ACCEL_CALLS_H

#include <stddef.h>
#include <stdint.h>

#define BM_ACCEL_LIBRARY "libaccel-config.so.1"

struct accfg_ctx;
struct accfg_device;
struct accfg_wq;

/* CALL(type, name without accfg_, arguments) */
#define BM_ACCEL_CALLS(CALL)                                                   \
	CALL(int, new, (struct accfg_ctx **))                                  \
	CALL(struct accfg_ctx *, unref, (struct accfg_ctx *))                  \
	CALL(void, set_log_priority, (struct accfg_ctx *, int))                \
	CALL(struct accfg_device *, device_get_first, (struct accfg_ctx *))    \
	CALL(struct accfg_device *, device_get_next, (struct accfg_device *))  \
	CALL(const char *, device_get_devname, (struct accfg_device *))        \
	CALL(char *, device_get_type_str, (struct accfg_device *))             \
	CALL(int, device_get_state, (struct accfg_device *))                   \
	CALL(int, device_get_numa_node, (struct accfg_device *))               \
	CALL(unsigned int, device_get_version, (struct accfg_device *))        \
	CALL(uint64_t, device_get_max_transfer_size, (struct accfg_device *))  \
	CALL(unsigned int, device_get_max_batch_size, (struct accfg_device *)) \
	CALL(struct accfg_wq *, wq_get_first, (struct accfg_device *))         \
	CALL(struct accfg_wq *, wq_get_next, (struct accfg_wq *))              \
	CALL(const char *, wq_get_devname, (struct accfg_wq *))                \
	CALL(int, wq_get_state, (struct accfg_wq *))                           \
	CALL(unsigned int, wq_get_type, (struct accfg_wq *))                   \
	CALL(unsigned int, wq_get_mode, (struct accfg_wq *))                   \
	CALL(uint64_t, wq_get_size, (struct accfg_wq *))                       \
	CALL(int, wq_get_threshold, (struct accfg_wq *))                       \
	CALL(uint64_t, wq_get_max_transfer_size, (struct accfg_wq *))          \
	CALL(unsigned int, wq_get_max_batch_size, (struct accfg_wq *))         \
	CALL(const char *, wq_get_driver_name, (struct accfg_wq *))            \
	CALL(int, wq_get_user_dev_path, (struct accfg_wq *, char *, size_t))

/* Its values that matter. */
#define BM_ACCEL_DEVICE_DISABLED 0
#define BM_ACCEL_DEVICE_ENABLED  1
#define BM_ACCEL_WQ_DISABLED     0
#define BM_ACCEL_WQ_ENABLED      1
#define BM_ACCEL_TYPES           3u /* none, kernel, user */
#define BM_ACCEL_SHARED          0u
#define BM_ACCEL_DEDICATED       1u

struct bm_accel_calls {
#define BM_ACCEL_MEMBER(type, name, args) type(*name) args;
	BM_ACCEL_CALLS(BM_ACCEL_MEMBER)
#undef BM_ACCEL_MEMBER
};

#endif

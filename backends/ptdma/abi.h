/* SPDX-License-Identifier: MIT */
/*
 * abi.h - registers and descriptors of PTDMA and AE4DMA.
 *
 * As the drivers ptdma and ae4dma of Linux and the drivers of DPDK use them; there is
 * no public specification. All is little-endian, registers are of 32 bits.
 */
#ifndef BM_PTDMA_ABI_H
#define BM_PTDMA_ABI_H

#include <stdint.h>

#define BM_PTDMA_VENDOR 0x1022u
#define BM_PTDMA_DEVICE 0x1498u
#define BM_AE4_DEVICE   0x149bu

/* Addresses that both can have. */
#define BM_PTDMA_BUS_BITS 48u

#define BM_PTDMA_DESC_BYTES 32u

/* A descriptor of either; what is not named is 0. */
struct bm_ptdma_desc {
	uint32_t words[8];
};

/* ---------------------------------------------------------------- PTDMA */

#define BM_PTDMA_BAR 2u

#define BM_PTDMA_QUEUE_PRIO   0x0000u
#define BM_PTDMA_REQID_CONFIG 0x0004u
#define BM_PTDMA_TIMEOUT      0x0008u
#define BM_PTDMA_CONFIG       0x1120u
#define BM_PTDMA_CLOCK_GATE   0x6004u

/* What the driver writes there. */
#define BM_PTDMA_PRIO_VALUE   0x6u
#define BM_PTDMA_CONFIG_VALUE 0x1u
#define BM_PTDMA_CLOCK_VALUE  0x1001u

/* Of the queue. */
#define BM_PTDMA_QUEUE      0x1000u
#define BM_PTDMA_CONTROL    0x000u
#define BM_PTDMA_TAIL       0x004u /* the doorbell: low half of the address of the next free slot */
#define BM_PTDMA_HEAD       0x008u /* likewise, of the next slot that it will process */
#define BM_PTDMA_INT_ENABLE 0x00cu
#define BM_PTDMA_INT_STATUS 0x010u /* written bits are cleared */
#define BM_PTDMA_STATUS     0x100u /* an error code in the low bits */
#define BM_PTDMA_INT_INFO   0x104u

#define BM_PTDMA_RUN         (1u << 0)
#define BM_PTDMA_HALT        (1u << 1)
#define BM_PTDMA_SIZE_SHIFT  3u  /* a ring of 2^(size + 1) */
#define BM_PTDMA_HIGH_SHIFT  16u /* address bits 47 to 32 of the ring */
#define BM_PTDMA_INT_ERROR   (1u << 1)
#define BM_PTDMA_INT_CLEARED 0x3u
#define BM_PTDMA_STATUS_CODE 0x3fu

/* Words: command, length, source low and high, target low and high. */
#define BM_PTDMA_PASSTHROUGH (5u << 20)

/* ---------------------------------------------------------------- AE4DMA */

#define BM_AE4_BAR         0u
#define BM_AE4_QUEUES      0x00u /* how many are on */
#define BM_AE4_QUEUES_MOST 16u
#define BM_AE4_SLOTS       32u

/* Queue q is at (q + 1) times this. */
#define BM_AE4_QUEUE       0x20u
#define BM_AE4_CONTROL     0x00u
#define BM_AE4_STATUS      0x04u
#define BM_AE4_MAX_INDEX   0x08u
#define BM_AE4_READ_INDEX  0x0cu
#define BM_AE4_WRITE_INDEX 0x10u /* the doorbell */
#define BM_AE4_INT_STATUS  0x14u
#define BM_AE4_BASE_LOW    0x18u
#define BM_AE4_BASE_HIGH   0x1cu

#define BM_AE4_ENABLE        1u
#define BM_AE4_NO_INTERRUPTS 1u
#define BM_AE4_STATE(status) ((status) >> 1 & 3u)
#define BM_AE4_STOPPED       2u
#define BM_AE4_FAILED        3u

/* Words: command, result, length, 0, source low and high, target low and high. */
#define BM_AE4_RESULT_STATUS(word) ((word)&0xffu)
#define BM_AE4_RESULT_ERROR(word)  ((word) >> 8 & 0xffu)
#define BM_AE4_COMPLETED           3u
#define BM_AE4_ERROR               4u

#endif

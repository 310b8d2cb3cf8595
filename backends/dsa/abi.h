/* SPDX-License-Identifier: MIT */
/*
 * abi.h - what Intel DSA reads and writes: descriptors and completion records.
 *
 * An own copy: <linux/idxd.h> differs between kernels in what it has and in
 * the names of its types.
 */
#ifndef BM_DSA_ABI_H
#define BM_DSA_ABI_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum bm_dsa_opcode { BM_DSA_BATCH = 1, BM_DSA_DRAIN = 2, BM_DSA_MEMMOVE = 3 };

#define BM_DSA_CRAV (1u << 2) /* there is a record */
#define BM_DSA_RCR  (1u << 3) /* it is written on success, too */

/* The first word of a descriptor's two: flags below, opcode above. */
#define BM_DSA_COMMAND(opcode) ((uint32_t)(opcode) << 24 | BM_DSA_CRAV | BM_DSA_RCR)

struct bm_dsa_desc {
	uint32_t pasid; /* and privilege: filled in by ENQCMD, or by the kernel */
	uint32_t command;
	uint64_t record; /* aligned to 32 */
	uint64_t from;   /* of a batch: its list, aligned to 64 */
	uint64_t to;
	uint32_t size; /* bytes; of a batch: descriptors, from 2 */
	uint16_t handle;
	uint16_t reserved;
	uint64_t more[3];
};

#define BM_DSA_STATUS_MASK  0x7fu
#define BM_DSA_FAULT_WRITES 0x80u /* in the status: it was a write that faulted */

enum bm_dsa_status {
	BM_DSA_NONE = 0,
	BM_DSA_SUCCESS = 1,
	BM_DSA_FALSE = 2,        /* success of a comparison that found a difference */
	BM_DSA_PAGE_FAULT = 3,   /* it did not wait for the page */
	BM_DSA_PAGE_ANSWER = 4,  /* it did, and was given none */
	BM_DSA_BATCH_FAILED = 5, /* some of its descriptors */
	BM_DSA_BATCH_LIST = 6,   /* page fault reading the list */
	BM_DSA_BAD_OPCODE = 0x10,
	BM_DSA_BAD_FLAGS = 0x11,
	BM_DSA_BAD_RESERVED = 0x12,
	BM_DSA_BAD_SIZE = 0x13,
	BM_DSA_BAD_COUNT = 0x14,
	BM_DSA_OVERLAP = 0x16,
	BM_DSA_BAD_LIST = 0x18,
	BM_DSA_BAD_HANDLE = 0x19,
	BM_DSA_RECORD_ADDRESS = 0x1a,
	BM_DSA_RECORD_ALIGNMENT = 0x1b,
	BM_DSA_BAD_ADDRESS = 0x1c,
	BM_DSA_PRIVILEGE = 0x1d,
	BM_DSA_TRAFFIC_CLASS = 0x1e,
	BM_DSA_READBACK = 0x1f,
	BM_DSA_HARDWARE = 0x20,
	BM_DSA_HARDWARE_READBACK = 0x21,
	BM_DSA_TRANSLATION = 0x22
};

/* Only the status tells whether there is anything in the rest. */
struct bm_dsa_fields {
	_Atomic uint8_t status; /* written last */
	uint8_t result;         /* of MEMMOVE: 1, it began at the end */
	uint8_t fault_info;
	uint8_t reserved;
	uint32_t completed; /* bytes; of a batch: descriptors */
	uint64_t fault;     /* address */
	uint32_t bad_flags;
	uint32_t more[3];
};

union bm_dsa_record {
	struct bm_dsa_fields fields;
	uint64_t words[4];
};

_Static_assert(sizeof(struct bm_dsa_desc) == 64, "descriptors have 64 bytes");
_Static_assert(offsetof(struct bm_dsa_desc, record) == 8, "of the record's address");
_Static_assert(offsetof(struct bm_dsa_desc, size) == 32, "of the size");
_Static_assert(offsetof(struct bm_dsa_desc, more) == 40, "of what belongs to operations");
_Static_assert(sizeof(union bm_dsa_record) == 32, "records have 32 bytes");
_Static_assert(offsetof(struct bm_dsa_fields, completed) == 4, "of the bytes");
_Static_assert(offsetof(struct bm_dsa_fields, fault) == 8, "of the address");
_Static_assert(sizeof(_Atomic uint8_t) == 1, "the status is one byte");

#endif

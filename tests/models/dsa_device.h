/* SPDX-License-Identifier: MIT */
/*
 * dsa_device.h - what the parts of the software DSA share: its formats, as the
 * hardware defines them, and its state.
 */
#ifndef MODEL_DSA_DEVICE_H
#define MODEL_DSA_DEVICE_H

#include <pthread.h>
#include <stdatomic.h>

#include "dsa.h"

#define DSA_PAGE        4096u
#define DSA_RANGES_MOST 256
#define DSA_NEVER       UINT64_MAX

struct dsa_descriptor {
	uint32_t pasid;     /* 19:0; privileged: 31 */
	uint32_t operation; /* flags 23:0, opcode 31:24 */
	uint64_t completion, source, destination;
	uint32_t size; /* bytes, or descriptors of a batch */
	uint16_t interrupt, reserved;
	uint8_t more[24];
};

struct dsa_record {
	uint8_t status, result, fault_info, reserved;
	uint32_t completed; /* bytes, or descriptors of a batch */
	uint64_t fault;
	uint32_t invalid_flags;
	uint8_t more[12];
};

_Static_assert(sizeof(struct dsa_descriptor) == 64, "as the hardware has it");
_Static_assert(sizeof(struct dsa_record) == 32, "as the hardware has it");

enum { DSA_NOOP = 0, DSA_BATCH = 1, DSA_DRAIN = 2, DSA_MEMMOVE = 3 };

enum {
	DSA_FENCE = 0x0001,
	DSA_BOF = 0x0002,
	DSA_CRAV = 0x0004,
	DSA_RCR = 0x0008,
	DSA_RCI = 0x0010,
	DSA_CR = 0x0080,
	DSA_CC = 0x0100,
	DSA_ADDR1_TCS = 0x0200,
	DSA_ADDR2_TCS = 0x0400,
	DSA_CR_TCS = 0x1000,
	DSA_STORD = 0x2000,
	DSA_DRDBK = 0x4000,
	DSA_DSTS = 0x8000,
};

enum {
	DSA_SUCCESS = 0x01,
	DSA_PAGE_FAULT = 0x03,
	DSA_PAGE_FAULT_INVALID = 0x04,
	DSA_BATCH_FAILED = 0x05,
	DSA_BATCH_FAULT = 0x06,
	DSA_BAD_OPCODE = 0x10,
	DSA_BAD_FLAGS = 0x11,
	DSA_BAD_RESERVED = 0x12,
	DSA_BAD_SIZE = 0x13,
	DSA_BAD_COUNT = 0x14,
	DSA_BAD_LIST = 0x18,
	DSA_BAD_INTERRUPT = 0x19,
	DSA_BAD_COMPLETION = 0x1b,
	DSA_BAD_PRIVILEGE = 0x1d,
	DSA_OF_WRITE = 0x80, /* the access that faulted was one */
};

/* What the rules have in store for a descriptor. */
struct dsa_fate {
	uint64_t delay;
	uint64_t read_fault, write_fault, list_fault; /* DSA_NEVER */
	uint8_t status;
	unsigned int lost : 1, late : 1, no_record : 1, status_first : 1, halt : 1;
};

enum dsa_state {
	DSA_FREE,
	DSA_READY,   /* may be picked */
	DSA_WAITS,   /* a drain, for those before it */
	DSA_DELAYED, /* until it is due */
	DSA_HELD,    /* by DSA_LATE */
	DSA_GONE,    /* by DSA_LOST */
	DSA_WORKS,
	DSA_OPEN, /* a batch with children that are not done */
};

enum dsa_stage {
	DSA_BEGIN,
	DSA_BODY, /* the status byte is out already, by DSA_STATUS_FIRST */
	DSA_END,  /* a batch whose children are done */
};

struct dsa_queue;

/* A descriptor that was taken, or a child of a batch. */
struct dsa_item {
	struct dsa_descriptor descriptor;
	struct dsa_queue *queue;
	struct dsa_item *parent;   /* NULL: came by itself */
	struct dsa_item *children; /* room for max_batch */
	enum dsa_state state;
	enum dsa_stage stage;
	uint64_t sequence, due;
	struct dsa_fate fate;
	uint32_t count, issued, done, failed; /* of children */
	uint64_t list_fault;                  /* its address, when the list was cut by it */
	int cut;
};

struct dsa_queue {
	struct dsa_queue_config config;
	unsigned int limit, occupied, drains;
	unsigned int working; /* on its descriptors, without the lock */
	size_t slots;         /* more than entries: DSA_STATUS_FIRST frees the entry too early */
	struct dsa_item *items;
};

struct dsa_list {
	struct dsa_item **items;
	size_t count;
};

struct dsa_range {
	uint64_t start, end;
};

struct dsa {
	pthread_mutex_t lock;
	pthread_mutex_t at_once; /* held by the one who works in DSA_AT_ONCE; taken before lock */
	pthread_cond_t arrived;
	pthread_t thread;
	enum dsa_pace pace;
	int stops;
	int halted;
	pid_t pid;
	uint32_t random;
	uint64_t sequence, steps;
	uint64_t copies, batches, calls, writes, busy; /* numbers for the rules */
	struct dsa_rule *rules;
	size_t rules_count;
	struct dsa_list ready, delayed;
	struct dsa_counts counts;
	_Atomic uint64_t foreign;
	struct dsa_range ranges[DSA_RANGES_MOST];
	_Atomic size_t ranges_count;
	size_t mapped; /* bytes of all this */
	size_t queues_count;
	struct dsa_queue queues[DSA_QUEUES_MOST];
};

/* What became of a descriptor. */
struct dsa_outcome {
	struct dsa_record record;
	uint64_t bytes;
	int refused; /* by a check */
};

static inline unsigned int dsa_opcode(const struct dsa_descriptor *descriptor)
{
	return descriptor->operation >> 24;
}

static inline uint32_t dsa_flags(const struct dsa_descriptor *descriptor)
{
	return descriptor->operation & 0xffffff;
}

/* dsa_check.c: the first check that it fails, 0: none. */
uint8_t dsa_check(const struct dsa_item *item, uint32_t *invalid_flags);

/* dsa_memory.c: of these bytes, how many may be used; were read; were written. */
size_t dsa_reach(struct dsa *dsa, uint64_t addr, size_t length);
size_t dsa_load(struct dsa *dsa, void *to, uint64_t from, size_t length);
size_t dsa_store(struct dsa *dsa, uint64_t to, const void *from, size_t length);
/* How many were copied, within one page each; *wrote tells which of the two faulted. */
size_t dsa_move(struct dsa *dsa, uint64_t to, uint64_t from, size_t length, int *wrote);

/* dsa_knobs.c, all with the lock held. */
void dsa_fate_of(struct dsa *dsa, struct dsa_item *item);
int dsa_is_busy(struct dsa *dsa);
size_t dsa_write_limit(struct dsa *dsa, size_t count);

/* dsa_record.c, with the lock held. */
void dsa_record_body(struct dsa *dsa, struct dsa_item *item, const struct dsa_outcome *outcome);
void dsa_record_status(struct dsa *dsa, const struct dsa_item *item, uint8_t status);

/* dsa_copy.c, without the lock. */
void dsa_copy(struct dsa *dsa, const struct dsa_item *item, struct dsa_outcome *outcome);
/* Reads the list of a batch into its children. */
void dsa_fetch(struct dsa *dsa, struct dsa_item *batch);

/* dsa_lists.c, with the lock held. */
uint32_t dsa_random(struct dsa *dsa, size_t below);
void dsa_make_ready(struct dsa *dsa, struct dsa_item *item);
void dsa_delay(struct dsa *dsa, struct dsa_item *item, uint64_t by);
/* Puts it into the device: it is numbered, and waits for its turn. */
void dsa_arrive(struct dsa *dsa, struct dsa_item *item);
/* One of those that are ready, of this queue or of any (NULL); NULL: there is none. */
struct dsa_item *dsa_pick(struct dsa *dsa, const struct dsa_queue *queue);
/* Those that are due become ready. */
void dsa_promote(struct dsa *dsa);
uint64_t dsa_now_us(void);

/* dsa_work.c: one step, with the lock held, which is let go meanwhile; 0: nothing was to be done. */
int dsa_work(struct dsa *dsa, const struct dsa_queue *queue);
/* On this one, which is in no list. */
void dsa_work_on(struct dsa *dsa, struct dsa_item *item);
/* Its entry is free. */
void dsa_vacate(struct dsa *dsa, struct dsa_item *item);

/* dsa_thread.c */
int dsa_thread_begin(struct dsa *dsa);
void dsa_thread_end(struct dsa *dsa);

/* dsa.c: takes the locks, and lets them go when all is done that is to be done at once. */
void dsa_enter(struct dsa *dsa);
void dsa_leave(struct dsa *dsa);
/* Takes it if there is room, and works where that is done at once; lock not held. */
int dsa_submit(struct dsa *dsa, unsigned int queue, const struct dsa_descriptor *descriptor);

#endif

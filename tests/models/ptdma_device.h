/* SPDX-License-Identifier: MIT */
/*
 * ptdma_device.h - what the parts of the software PTDMA share: its registers, as
 * the hardware defines them, and its state.
 *
 * Registers are memory that the user writes to at any time. A write is seen where
 * a register no longer holds what the model put there. For those registers where
 * the same value may be written again, the model sets a reserved bit as the mark
 * of "not written since": reserved bits may read as anything, and users have to
 * write 0 there.
 */
#ifndef MODEL_PTDMA_DEVICE_H
#define MODEL_PTDMA_DEVICE_H

#include <pthread.h>
#include <stdatomic.h>

#include "ptdma.h"

#define PTDMA_BAR_SIZE  (512u << 10)
#define AE4_BAR_SIZE    4096u
#define PTDMA_SLOT      32u
#define PTDMA_QUEUES    16
#define PTDMA_NEVER     UINT64_MAX
#define PTDMA_ADDRESSES (UINT64_C(1) << 48)
#define PTDMA_CHUNK     16384u
#define PTDMA_ALL_ONES  0xffffffffu
#define PTDMA_WILD_US   5000 /* so long HEAD reads wrong: a user that polls sees it */
#define AE4_LAG_US      60   /* up to so long the status stays behind read_idx */

/* PTDMA: all functions. */
enum {
	PTDMA_CMD_QUEUE_PRIO = 0x0000,
	PTDMA_CMD_REQID_CONFIG = 0x0004,
	PTDMA_CMD_TIMEOUT = 0x0008,
	PTDMA_CMD_TIMEOUT_GRANULARITY = 0x000c,
	PTDMA_CMD_PT_VERSION = 0x0010,
	PTDMA_IRQ_MASK = 0x0040,
	PTDMA_QUEUE = 0x1000, /* of the one queue */
	PTDMA_CMD_CONFIG = 0x1120,
	PTDMA_CMD_CLK_GATE_CTL = 0x6004,
};

#define PTDMA_VERSION_VALUE (1u << 15 | 5) /* one queue */

/* PTDMA: from PTDMA_QUEUE on. */
enum {
	PTDMA_CONTROL = 0x000,
	PTDMA_TAIL = 0x004,
	PTDMA_HEAD = 0x008,
	PTDMA_INT_ENABLE = 0x00c,
	PTDMA_INT_STATUS = 0x010,
	PTDMA_STATUS = 0x100,
};

#define PTDMA_RUN            (1u << 0)
#define PTDMA_HALT           (1u << 1)
#define PTDMA_LOCAL          (1u << 2) /* MEM_LOCATION: not system memory */
#define PTDMA_CONTROL_MARK   (1u << 15)
#define PTDMA_INT_COMPLETION (1u << 0)
#define PTDMA_INT_ERROR      (1u << 1)
#define PTDMA_INT_STOPPED    (1u << 2)
#define PTDMA_INT_EMPTY      (1u << 3)
#define PTDMA_INT_ALL        0xfu
#define PTDMA_INT_MARK       (1u << 31)

/* AE4DMA: of a queue, from 0x20 * (queue + 1) on; 0 is their number. */
enum {
	AE4_CONTROL = 0x00,
	AE4_STATUS = 0x04,
	AE4_MAX = 0x08,
	AE4_READ = 0x0c,
	AE4_WRITE = 0x10,
	AE4_INT_STATUS = 0x14,
	AE4_BASE_LOW = 0x18,
	AE4_BASE_HIGH = 0x1c,
	AE4_BLOCK = 0x20,
};

#define AE4_ENABLE       (1u << 0)
#define AE4_CONTROL_MARK (1u << 31)
#define AE4_SLOTS_MOST   32

/* Error codes. */
enum {
	PTDMA_ILLEGAL_ENGINE = 1,
	PTDMA_ILLEGAL_MODE = 4,
	PTDMA_ILLEGAL_RESERVED = 8,
	PTDMA_ILLEGAL_LENGTH = 9,
	PTDMA_ILLEGAL_MEMORY = 12,
	PTDMA_READ_ERROR = 19,
	PTDMA_WRITE_ERROR = 38,
	AE4_BAD_HEADER = 1,
	AE4_BAD_STATUS = 2,
	AE4_BAD_LENGTH = 3,
	AE4_BAD_SOURCE = 4,
	AE4_BAD_TARGET = 5,
	AE4_BAD_DESCRIPTOR = 7,
	AE4_READ_ERROR = 64, /* of the page tables: the lowest of them, and the next */
	AE4_WRITE_ERROR = 65,
};

/* What the rules have in store for a descriptor. */
struct ptdma_fate {
	uint64_t delay;
	uint64_t read_fault, write_fault; /* PTDMA_NEVER */
	uint64_t wild;
	uint32_t code;
	unsigned int fails : 1, past : 1, quiet : 1, stuck : 1, late : 1, gone : 1, masterless : 1,
		shows_wild : 1, hides_run : 1;
};

/* A descriptor that was fetched. */
struct ptdma_job {
	uint32_t words[8];
	uint64_t from, to, length, done;
	uint64_t bus;  /* of its slot */
	int interrupt; /* IOC */
	int stops;     /* SOC */
	int orphan;    /* HEAD was written meanwhile: its end moves nothing */
	uint32_t code; /* of its error, 0: none */
	struct ptdma_fate fate;
};

enum ptdma_stage {
	PTDMA_EMPTY,
	PTDMA_DELAYED,    /* until it is due, then it is copied */
	PTDMA_COPIES,     /* piece by piece */
	PTDMA_SHOWS_WILD, /* until it is due, then the right head is shown */
	PTDMA_HELD,       /* by PTDMA_LATE */
	PTDMA_DEAD,       /* by PTDMA_STUCK */
};

/* A status that is still to be written. */
struct ptdma_answer {
	uint64_t bus, due;
	uint32_t word;
};

struct ptdma_function;

struct ptdma_queue {
	struct ptdma_function *function;
	unsigned int index;
	size_t at; /* of its registers */
	enum ptdma_stage stage;
	uint64_t due;
	struct ptdma_job job;
	int stalled;                  /* for want of bus mastering, and counted */
	uint32_t control, head, tail; /* as they were written; ae4: the indices */
	uint32_t int_status, status;  /* ae4: status is that of the queue */
	uint32_t shown_control, shown_head, shown_int, shown_status;
	uint32_t odd_tail;    /* that was counted */
	size_t answers_count; /* ae4, in order */
	struct ptdma_answer answers[AE4_SLOTS_MOST];
};

/* How the two kinds differ; all with the lock held. */
struct ptdma_kind {
	size_t size; /* of the BAR */
	/* Takes in what was written to the registers. */
	void (*look)(struct ptdma_queue *queue);
	/* There is a descriptor to be worked on, and its slot. */
	int (*is_active)(struct ptdma_queue *queue);
	uint64_t (*slot)(const struct ptdma_queue *queue);
	/* Reads the fields, and the first check that it fails, 0: none. */
	uint32_t (*decode)(struct ptdma_job *job);
	/* It was copied, or ended with job->code; the stage is what follows. */
	void (*finish)(struct ptdma_queue *queue);
	/* The right head is shown. */
	void (*show_head)(struct ptdma_queue *queue);
	/* Optional: what else is due, whatever the stage. */
	int (*answer)(struct ptdma_queue *queue);
	void (*reset)(struct ptdma_queue *queue);
	/* What a register reads as, where it is not for users to write it; 0: it is theirs. */
	int (*expects)(const struct ptdma_function *function, size_t at, uint32_t *value);
	uint32_t read_error, write_error;
};

extern const struct ptdma_kind ptdma_kind_ring, ptdma_kind_ae4;

struct ptdma_function {
	struct ptdma *ptdma;
	unsigned int index;
	const struct ptdma_kind *kind;
	struct ptdma_config config;
	int file; /* the memory of the BAR */
	unsigned char *bar;
	size_t next_page; /* to be looked through for odd writes */
	_Atomic int master, gone;
	size_t queues_count;
	struct ptdma_queue queues[PTDMA_QUEUES];
};

struct ptdma {
	_Atomic uint32_t ticket, serving; /* a lock, in turns: no call of the C library */
	_Atomic int stops;
	pthread_t thread;
	void *stack;
	ptdma_bus_fn *bus;
	void *user;
	uint32_t random;
	uint64_t taken; /* descriptors: the number for the rules */
	struct ptdma_rule *rules;
	size_t rules_count;
	struct ptdma_counts counts;
	size_t functions_count;
	struct ptdma_function functions[PTDMA_FUNCTIONS_MOST];
};

/* ptdma_registers.c: memory that is written elsewhere without any atomics. */
uint32_t ptdma_get(const struct ptdma_function *function, size_t at);
void ptdma_put(struct ptdma_function *function, size_t at, uint32_t value);
/* 1: it held `before`, and holds `after` now. */
int ptdma_swap(struct ptdma_function *function, size_t at, uint32_t before, uint32_t after);
void ptdma_fill(struct ptdma_function *function, uint32_t value);
/* Counts and undoes writes to registers that are not there, in a page or in all. */
void ptdma_look_through(struct ptdma_function *function, size_t from, size_t to);
void ptdma_carry(void *to, const void *from, size_t length);
/* One more, where the caller reads it without a lock. */
void ptdma_add(uint64_t *count, uint64_t more);

/* ptdma_bus.c: both with the lock held. 1: done; 0: not, and the queue is stalled or has the error. */
int ptdma_fetch(struct ptdma_queue *queue, uint64_t slot);
int ptdma_store(struct ptdma_queue *queue, uint64_t bus, uint32_t word);
/* One piece; 1: that was the last one, or it has failed. */
int ptdma_copy_piece(struct ptdma_queue *queue);

/* ptdma_knobs.c */
void ptdma_fate_of(struct ptdma *ptdma, struct ptdma_job *job);

/* ptdma_work.c: one step of a queue; 0: there was nothing to do. */
int ptdma_work(struct ptdma_queue *queue);
/* What PTDMA_LATE holds is copied. */
void ptdma_work_held(struct ptdma_queue *queue);

/* ptdma_thread.c */
int ptdma_thread_begin(struct ptdma *ptdma);
void ptdma_thread_end(struct ptdma *ptdma);
uint64_t ptdma_now_us(void);

/* ptdma.c */
void ptdma_lock(struct ptdma *ptdma);
void ptdma_unlock(struct ptdma *ptdma);
void ptdma_pull_out(struct ptdma_function *function);
/* For map_device(): the file behind the BAR. */
int ptdma_bar_file(const struct ptdma *ptdma, unsigned int function);
int ptdma_is_gone(const struct ptdma *ptdma, unsigned int function);
/* Below; lock held. */
uint32_t ptdma_random(struct ptdma *ptdma, uint32_t below);

#endif

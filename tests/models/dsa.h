/* SPDX-License-Identifier: MIT */
/*
 * dsa.h - a software DSA device as its users see it: descriptors of 64 bytes
 * go in by a portal or by write(2), records of 32 bytes come out.
 *
 * It shares no code with the backend. Where the order of events is a matter of
 * the device, it is chosen at random from the seed. Any thread may call it.
 */
#ifndef MODEL_DSA_H
#define MODEL_DSA_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DSA_QUEUES_MOST 16

struct dsa_queue_config {
	int shared;             /* 0: dedicated */
	unsigned int size;      /* entries */
	unsigned int threshold; /* shared: takes more below it; 0: the size */
	uint64_t max_transfer;  /* bytes */
	unsigned int max_batch;
	int block_on_fault;
	int batch_by_write; /* 0: write(2) refuses batches, as DSA 1.0 does */
	int node;           /* of its device, for the files that describe it */
};

/* When descriptors are worked on. */
enum dsa_pace {
	DSA_AT_ONCE,   /* in the call that brings them */
	DSA_WHEN_RUN,  /* by dsa_run() */
	DSA_BY_THREAD, /* by a thread of the model, begun and ended by dsa_new() and dsa_free() */
};

/* What goes wrong. `amount` in brackets. */
enum dsa_knob {
	DSA_DELAY,        /* completes so many dsa_run() steps, or microseconds, later [n] */
	DSA_LOST_RECORD,  /* does the work, and never writes the record */
	DSA_LOST,         /* never does it, and keeps the entry */
	DSA_LATE,         /* like DSA_LOST until dsa_release(), which does all of them */
	DSA_FAULT_READ,   /* page fault reading the source, after so many bytes [bytes] */
	DSA_FAULT_WRITE,  /* and writing the destination [bytes] */
	DSA_FAULT_LIST,   /* reading the list of a batch, after so many descriptors [n] */
	DSA_STATUS,       /* ends with this status, with nothing copied [status] */
	DSA_STATUS_FIRST, /* the status byte is visible before all else: see below */
	DSA_BUSY,         /* EAGAIN, or the zero flag, although there is room [times] */
	DSA_SHORT_WRITE,  /* write(2) takes only so many descriptors [n] */
	DSA_HALT,         /* the device stops: nothing completes any more, writes are refused */
	DSA_KNOBS
};

/*
 * With DSA_STATUS_FIRST the status and a free entry are seen at once; the bytes
 * are copied, and the rest of the record is written, a dsa_run() step later, or
 * 50 microseconds by the thread. Until then the record holds what the user left
 * there. It shows whether a test notices data that a status came too early for:
 * no reader can be right with it. Readers that look at the other fields before
 * the status are found without any rule: these hold anything after a success.
 * Nor is an acquire missing unnoticed by ThreadSanitizer with DSA_BY_THREAD.
 */

struct dsa_rule {
	enum dsa_knob knob;
	/*
	 * The n-th descriptor that copies, or call, from 1; 0: none. They are
	 * counted as they arrive, children in the order of their list; for
	 * DSA_FAULT_LIST batches are, for DSA_BUSY dsa_enqcmd() and dsa_write().
	 */
	uint64_t at;
	uint64_t every; /* each n-th; 0: none */
	uint64_t amount;
	uint64_t hits; /* out: how often it came true */
};

/* What it has seen; mistakes of the user are here even where real hardware would be silent. */
struct dsa_counts {
	uint64_t descriptors; /* that copy, children of batches counted singly */
	uint64_t batches;
	uint64_t bytes;           /* copied */
	uint64_t writes, portal;  /* calls and stores */
	uint64_t dropped;         /* dedicated and full: lost without a word */
	uint64_t refused;         /* checks that failed: see software_errors too */
	uint64_t software_errors; /* SWERR: bad completion addresses, drops */
	uint64_t in_flight, most_in_flight;
	uint64_t foreign; /* addresses outside of what dsa_allow() has named */
};

struct dsa;

/* The rules belong to the caller and are read and written until dsa_free(). */
struct dsa *dsa_new(const struct dsa_queue_config *queues, size_t count, enum dsa_pace pace,
		    uint32_t seed);
void dsa_free(struct dsa *dsa);
void dsa_set_rules(struct dsa *dsa, struct dsa_rule *rules, size_t count);
/* Without any, every address may be used; with some, others are counted and fault. */
void dsa_allow(struct dsa *dsa, const void *start, size_t length);

/* The address space that it works in: this process's (0), or another's (process_vm_readv). */
void dsa_set_process(struct dsa *dsa, pid_t pid);

/* 0 taken, 1 retry (the zero flag). */
int dsa_enqcmd(struct dsa *dsa, unsigned int queue, const void *descriptor);
/* Dropped without a word where the queue is full. */
void dsa_movdir64b(struct dsa *dsa, unsigned int queue, const void *descriptor);
/* As the driver's write(2): bytes taken, or -EAGAIN, -EINVAL, -EFAULT, -ENXIO. */
ssize_t dsa_write(struct dsa *dsa, unsigned int queue, const void *buffer, size_t size);

/*
 * Works on at most so many descriptors; returns on how many. A batch takes a
 * step to read its list and one to end; while nothing but what is delayed is
 * left, each step counts as well. 0: it has nothing more to do by itself.
 */
size_t dsa_run(struct dsa *dsa, size_t steps);
/* What DSA_LATE held back is done now. */
void dsa_release(struct dsa *dsa);
/*
 * The last user of a queue has closed it: waits as the driver does until nothing
 * is in flight. What is delayed or late is done, what is lost is forgotten.
 */
void dsa_close(struct dsa *dsa, unsigned int queue);
/* It is halted: by a rule, or by its administrator. */
void dsa_halt(struct dsa *dsa);
void dsa_count(struct dsa *dsa, struct dsa_counts *counts);

#endif

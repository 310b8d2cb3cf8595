/* SPDX-License-Identifier: MIT */
/* resume.c - statuses, and page faults. */
#include "resume.h"

/* A copy of 256 KiB has 128 pages on both sides; each may be missing once, and some again. */
#define RESUMES_MOST 160u
/* In a row, without a byte copied: both first pages, and some again. */
#define STALLS_MOST 4u

/* What the one is for a copy, and what it is for a batch. */
static enum bm_dsa_verdict either(int batch, enum bm_dsa_verdict copy, enum bm_dsa_verdict all)
{
	return batch ? all : copy;
}

enum bm_dsa_verdict bm_dsa_judge(unsigned int status, int batch)
{
	switch (status & BM_DSA_STATUS_MASK) {
	case BM_DSA_NONE:
		return BM_DSA_WAITS;
	case BM_DSA_SUCCESS:
		return BM_DSA_DONE;
	case BM_DSA_PAGE_FAULT:
		return either(batch, BM_DSA_RESUME, BM_DSA_MEMBERS);
	case BM_DSA_BATCH_FAILED:
	case BM_DSA_BATCH_LIST:
		return either(batch, BM_DSA_FAILED, BM_DSA_MEMBERS);
	/* None of these depends on what is copied: the queue cannot do it, or not by a batch. */
	case BM_DSA_BAD_OPCODE:
	case BM_DSA_BAD_FLAGS:
	case BM_DSA_BAD_RESERVED:
		return either(batch, BM_DSA_NO_QUEUE, BM_DSA_NO_BATCH);
	/* The numbers of the queue are not what was said. */
	case BM_DSA_BAD_SIZE:
		return BM_DSA_NO_QUEUE;
	case BM_DSA_BAD_COUNT:
	case BM_DSA_BAD_LIST:
		return either(batch, BM_DSA_FAILED, BM_DSA_NO_BATCH);
	/* Nothing was asked for that these could refuse: it is set up wrongly. */
	case BM_DSA_BAD_HANDLE:
	case BM_DSA_PRIVILEGE:
	case BM_DSA_TRAFFIC_CLASS:
		return BM_DSA_NO_QUEUE;
	/* A copy alone has ended. That those of a batch have nobody promises then. */
	case BM_DSA_HARDWARE:
	case BM_DSA_HARDWARE_READBACK:
		return either(batch, BM_DSA_NO_QUEUE, BM_DSA_UNSURE);
	/* Of this copy and its addresses, or of operations that are not asked for. */
	case BM_DSA_FALSE:
	case BM_DSA_PAGE_ANSWER:
	case BM_DSA_OVERLAP:
	case BM_DSA_RECORD_ADDRESS:
	case BM_DSA_RECORD_ALIGNMENT:
	case BM_DSA_BAD_ADDRESS:
	case BM_DSA_READBACK:
	case BM_DSA_TRANSLATION:
	default:
		return BM_DSA_FAILED;
	}
}

/*
 * A compare-and-swap with the value itself: it writes like an atomic addition
 * of 0, which compilers may turn into a load.
 */
static void touch(uint64_t addr, int writes)
{
	volatile uint8_t *byte = (volatile uint8_t *)(uintptr_t)addr;
	uint8_t value = *byte;

	if (writes)
		__atomic_compare_exchange_n(byte, &value, value, 0, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED);
}

/* What the record of a fault says. */
struct fault {
	uint64_t page, side; /* where; of the range that it is in */
	uint32_t completed;
	int writes, backwards;
};

static void read_fault(union bm_dsa_record *record, const struct bm_dsa_desc *desc, uint64_t size,
		       struct fault *fault)
{
	/* Once each: what is checked is what is used. */
	const volatile struct bm_dsa_fields *fields = &record->fields;

	fault->writes = (bm_dsa_status_of(record) & BM_DSA_FAULT_WRITES) != 0;
	fault->page = fields->fault & ~(size - 1);
	fault->side = fault->writes ? desc->to : desc->from;
	fault->completed = fields->completed;
	fault->backwards = fields->result;
}

/* It is a page of what was still to be copied on its side. */
static int is_inside(const struct fault *fault, uint64_t size, const struct bm_dsa_desc *desc)
{
	return fault->page + size > fault->side && fault->page < fault->side + desc->size;
}

/* The bytes that may be believed to be copied: those on this side of the missing page. */
static uint32_t believed(const struct fault *fault, uint64_t size, const struct bm_dsa_desc *desc)
{
	uint32_t bytes = fault->completed;

	if (bytes >= desc->size || fault->backwards > 1)
		return 0;
	if (fault->backwards)
		return fault->page < fault->side + (desc->size - bytes) ? bytes : 0;
	return fault->page + size > fault->side + bytes ? bytes : 0;
}

int bm_dsa_retry(struct bm_dsa_slot *slot)
{
	return ++slot->resumes <= RESUMES_MOST && ++slot->stalls <= STALLS_MOST;
}

/* Each resume copies some, or meets another page. */
static int is_worth(struct bm_dsa_slot *slot, uint64_t page, uint32_t bytes)
{
	uint64_t before = slot->fault;

	slot->fault = page;
	if (bytes > 0)
		slot->stalls = 0;
	else if (page == before)
		return 0;
	return bm_dsa_retry(slot);
}

int bm_dsa_resume(struct bm_channel *channel, uint32_t at)
{
	uint64_t size = channel->engine->env.page_size;
	struct bm_dsa_desc *desc = &channel->area.descs[at];
	struct bm_dsa_slot *slot = &channel->slots[at];
	struct fault fault;
	uint32_t bytes = 0;

	read_fault(&channel->area.records[at], desc, size, &fault);
	if (is_inside(&fault, size, desc)) {
		bytes = believed(&fault, size, desc);
		/* Pages of both sides are resident; while they are copied nobody else has them. */
		touch(fault.page > fault.side ? fault.page : fault.side, fault.writes);
	}
	desc->size -= bytes;
	if (!fault.backwards) {
		desc->from += bytes;
		desc->to += bytes;
		slot->done += bytes;
	}
	return is_worth(slot, fault.page, bytes);
}

void bm_dsa_touch_list(struct bm_channel *channel, uint32_t at)
{
	const struct bm_dsa_area *area = &channel->area;
	union bm_dsa_record *record = bm_dsa_record_of(channel, at);
	uint64_t page = record->fields.fault & ~(channel->engine->env.page_size - 1);
	uint64_t list = (uint64_t)(uintptr_t)area->descs;

	if ((bm_dsa_status_of(record) & BM_DSA_STATUS_MASK) == BM_DSA_BATCH_LIST && page >= list &&
	    page < list + sizeof(area->descs))
		touch(page, 0);
}

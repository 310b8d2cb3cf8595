/* SPDX-License-Identifier: MIT */
/* dsa_check.c - what is wrong with a descriptor, in the order in which the device looks. */
#include "dsa_device.h"

#define ALWAYS (DSA_CRAV | DSA_RCR | DSA_RCI | DSA_CR_TCS)

/* A fence outside of a batch has nothing to wait for; blocking must be switched on for the queue. */
static uint32_t flags_allowed(const struct dsa_item *item)
{
	uint32_t allowed = ALWAYS | (item->parent ? DSA_FENCE : 0);

	if (dsa_opcode(&item->descriptor) != DSA_MEMMOVE)
		return allowed;
	allowed |=
		DSA_CR | DSA_CC | DSA_ADDR1_TCS | DSA_ADDR2_TCS | DSA_STORD | DSA_DRDBK | DSA_DSTS;
	return allowed | (item->queue->config.block_on_fault ? DSA_BOF : 0);
}

static int reserved_used(const struct dsa_descriptor *descriptor)
{
	uint8_t used = 0;

	for (size_t i = 0; i < sizeof(descriptor->more); i++)
		used |= descriptor->more[i];
	if (dsa_opcode(descriptor) == DSA_BATCH && descriptor->destination)
		return 1;
	return used || descriptor->reserved || (descriptor->pasid & 0x7ff00000);
}

static uint8_t check_flags(const struct dsa_item *item, uint32_t *invalid)
{
	uint32_t flags = dsa_flags(&item->descriptor);

	*invalid = flags & ~flags_allowed(item);
	/* A record cannot be asked for without an address. */
	if ((flags & DSA_RCR) && !(flags & DSA_CRAV))
		*invalid |= DSA_RCR;
	return *invalid ? DSA_BAD_FLAGS : 0;
}

static uint8_t check_batch(const struct dsa_item *item)
{
	const struct dsa_descriptor *descriptor = &item->descriptor;

	if (descriptor->size < 2 || descriptor->size > item->queue->config.max_batch)
		return DSA_BAD_COUNT;
	if (descriptor->source % 64)
		return DSA_BAD_LIST;
	return item->parent ? DSA_BAD_OPCODE : 0;
}

/* No check for overlaps: this device says that it can copy them (bit 1 of gen_cap). */
static uint8_t check_operation(const struct dsa_item *item)
{
	const struct dsa_descriptor *descriptor = &item->descriptor;

	switch (dsa_opcode(descriptor)) {
	case DSA_MEMMOVE:
		if (!descriptor->size || descriptor->size > item->queue->config.max_transfer)
			return DSA_BAD_SIZE;
		return 0;
	case DSA_BATCH:
		return check_batch(item);
	default:
		return 0;
	}
}

/* A drain in a batch would wait for its own batch. */
uint8_t dsa_check(const struct dsa_item *item, uint32_t *invalid_flags)
{
	const struct dsa_descriptor *descriptor = &item->descriptor;
	unsigned int opcode = dsa_opcode(descriptor);
	uint8_t status;

	if (opcode > DSA_MEMMOVE || (opcode == DSA_DRAIN && item->parent))
		return DSA_BAD_OPCODE;
	if (reserved_used(descriptor))
		return DSA_BAD_RESERVED;
	if (descriptor->pasid >> 31)
		return DSA_BAD_PRIVILEGE;
	status = check_flags(item, invalid_flags);
	if (status)
		return status;
	/* User queues have no interrupt handles. */
	if (dsa_flags(descriptor) & DSA_RCI)
		return DSA_BAD_INTERRUPT;
	if ((dsa_flags(descriptor) & DSA_CRAV) && descriptor->completion % 32)
		return DSA_BAD_COMPLETION;
	return check_operation(item);
}

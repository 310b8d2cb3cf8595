/* SPDX-License-Identifier: MIT */
/*
 * dsa_knobs.c - which rules come true, and when.
 *
 * What copies is counted as it arrives, children of a batch in the order of its
 * list, whatever the order in which they are worked on; DSA_FAULT_LIST counts
 * batches, DSA_BUSY calls of dsa_enqcmd() and dsa_write(), DSA_SHORT_WRITE those
 * of dsa_write().
 */
#include "dsa_device.h"

void dsa_set_rules(struct dsa *dsa, struct dsa_rule *rules, size_t count)
{
	pthread_mutex_lock(&dsa->lock);
	dsa->rules = rules;
	dsa->rules_count = count;
	pthread_mutex_unlock(&dsa->lock);
}

static int comes_true(const struct dsa_rule *rule, uint64_t number)
{
	return (rule->at && number == rule->at) || (rule->every && number % rule->every == 0);
}

/* A fault behind the last byte is none. */
static int fault_after(const struct dsa_rule *rule, uint64_t size, uint64_t *after)
{
	if (rule->amount >= size)
		return 0;
	if (rule->amount < *after)
		*after = rule->amount;
	return 1;
}

static int is_fated(const struct dsa_rule *rule, const struct dsa_item *item, struct dsa_fate *fate)
{
	switch (rule->knob) {
	case DSA_DELAY:
		fate->delay += rule->amount;
		return 1;
	case DSA_LOST_RECORD:
		fate->no_record = 1;
		return 1;
	case DSA_LOST:
		fate->lost = 1;
		return 1;
	case DSA_LATE:
		fate->late = 1;
		return 1;
	case DSA_FAULT_READ:
		return fault_after(rule, item->descriptor.size, &fate->read_fault);
	case DSA_FAULT_WRITE:
		return fault_after(rule, item->descriptor.size, &fate->write_fault);
	case DSA_STATUS:
		fate->status = (uint8_t)rule->amount;
		return 1;
	case DSA_STATUS_FIRST:
		fate->status_first = 1;
		return 1;
	case DSA_HALT:
		fate->halt = 1;
		return 1;
	default:
		return 0;
	}
}

static void fate_of_copy(struct dsa *dsa, struct dsa_item *item)
{
	uint64_t number = ++dsa->copies;

	dsa->counts.descriptors++;
	for (size_t i = 0; i < dsa->rules_count; i++)
		if (comes_true(&dsa->rules[i], number))
			dsa->rules[i].hits += (uint64_t)is_fated(&dsa->rules[i], item, &item->fate);
}

static void fate_of_batch(struct dsa *dsa, struct dsa_item *item)
{
	uint64_t number = ++dsa->batches;

	dsa->counts.batches++;
	for (size_t i = 0; i < dsa->rules_count; i++) {
		struct dsa_rule *rule = &dsa->rules[i];

		if (rule->knob == DSA_FAULT_LIST && comes_true(rule, number))
			rule->hits += (uint64_t)fault_after(rule, item->descriptor.size,
							    &item->fate.list_fault);
	}
}

void dsa_fate_of(struct dsa *dsa, struct dsa_item *item)
{
	item->fate = (struct dsa_fate){
		.read_fault = DSA_NEVER, .write_fault = DSA_NEVER, .list_fault = DSA_NEVER};
	if (dsa_opcode(&item->descriptor) == DSA_MEMMOVE)
		fate_of_copy(dsa, item);
	else if (dsa_opcode(&item->descriptor) == DSA_BATCH)
		fate_of_batch(dsa, item);
}

int dsa_is_busy(struct dsa *dsa)
{
	uint64_t number = ++dsa->calls;

	for (size_t i = 0; i < dsa->rules_count; i++) {
		struct dsa_rule *rule = &dsa->rules[i];

		if (rule->knob != DSA_BUSY || !comes_true(rule, number))
			continue;
		rule->hits++;
		dsa->busy += rule->amount ? rule->amount : 1;
	}
	if (!dsa->busy)
		return 0;
	dsa->busy--;
	return 1;
}

size_t dsa_write_limit(struct dsa *dsa, size_t count)
{
	uint64_t number = ++dsa->writes;

	for (size_t i = 0; i < dsa->rules_count; i++) {
		struct dsa_rule *rule = &dsa->rules[i];

		if (rule->knob != DSA_SHORT_WRITE || !comes_true(rule, number) ||
		    rule->amount >= count)
			continue;
		rule->hits++;
		count = rule->amount;
	}
	return count;
}

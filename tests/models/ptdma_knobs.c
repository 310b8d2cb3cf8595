/* SPDX-License-Identifier: MIT */
/* ptdma_knobs.c - which rules come true: descriptors are counted as they are fetched. */
#include "ptdma_device.h"

void ptdma_set_rules(struct ptdma *ptdma, struct ptdma_rule *rules, size_t count)
{
	ptdma_lock(ptdma);
	ptdma->rules = rules;
	ptdma->rules_count = count;
	ptdma_unlock(ptdma);
}

static int comes_true(const struct ptdma_rule *rule, uint64_t number)
{
	return (rule->at && number == rule->at) || (rule->every && number % rule->every == 0);
}

/* A fault behind the last byte is none. */
static int fault_after(const struct ptdma_rule *rule, uint64_t length, uint64_t *after)
{
	if (rule->amount >= length)
		return 0;
	if (rule->amount < *after)
		*after = rule->amount;
	return 1;
}

static int ends_with(const struct ptdma_rule *rule, struct ptdma_fate *fate)
{
	fate->fails = 1;
	fate->code = (uint32_t)rule->amount;
	fate->past = rule->knob == PTDMA_ERROR_PAST;
	fate->quiet = rule->knob == PTDMA_ERROR_QUIET;
	return 1;
}

static int is_fated(const struct ptdma_rule *rule, struct ptdma_job *job)
{
	struct ptdma_fate *fate = &job->fate;

	switch (rule->knob) {
	case PTDMA_DELAY:
		fate->delay += rule->amount;
		return 1;
	case PTDMA_ERROR:
	case PTDMA_ERROR_PAST:
	case PTDMA_ERROR_QUIET:
		return ends_with(rule, fate);
	case PTDMA_READ_FAULT:
		return fault_after(rule, job->length, &fate->read_fault);
	case PTDMA_WRITE_FAULT:
		return fault_after(rule, job->length, &fate->write_fault);
	case PTDMA_STUCK:
		fate->stuck = 1;
		return 1;
	case PTDMA_LATE:
		fate->late = 1;
		return 1;
	case PTDMA_GONE:
		fate->gone = 1;
		return 1;
	case PTDMA_MASTER_LOST:
		fate->masterless = 1;
		return 1;
	case PTDMA_HEAD_WILD:
		fate->shows_wild = 1;
		fate->wild = rule->amount;
		return 1;
	case PTDMA_RUN_HIDDEN:
		fate->hides_run = 1;
		return 1;
	default:
		return 0;
	}
}

void ptdma_fate_of(struct ptdma *ptdma, struct ptdma_job *job)
{
	uint64_t number = ++ptdma->taken;

	job->fate = (struct ptdma_fate){.read_fault = PTDMA_NEVER, .write_fault = PTDMA_NEVER};
	ptdma->counts.descriptors++;
	for (size_t i = 0; i < ptdma->rules_count; i++)
		if (comes_true(&ptdma->rules[i], number))
			ptdma_add(&ptdma->rules[i].hits, (uint64_t)is_fated(&ptdma->rules[i], job));
}

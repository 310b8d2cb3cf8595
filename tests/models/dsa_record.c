/* SPDX-License-Identifier: MIT */
/* dsa_record.c - records of completion: all but the status first, then the status, released. */
#include "dsa_device.h"

static int wants_record(const struct dsa_item *item, uint8_t status)
{
	uint32_t flags = dsa_flags(&item->descriptor);

	if (!(flags & DSA_CRAV) || item->fate.no_record)
		return 0;
	return (flags & DSA_RCR) || status != DSA_SUCCESS;
}

/* Where no record can tell of an error the device's own register does. */
static int can_write(struct dsa *dsa, const struct dsa_item *item, uint8_t status)
{
	int addressed =
		(dsa_flags(&item->descriptor) & DSA_CRAV) && item->descriptor.completion % 32 == 0;

	if (status != DSA_SUCCESS && !addressed)
		dsa->counts.software_errors++;
	return addressed && wants_record(item, status);
}

void dsa_record_body(struct dsa *dsa, struct dsa_item *item, const struct dsa_outcome *outcome)
{
	const struct dsa_record *record = &outcome->record;
	size_t length = sizeof(*record) - 1;

	if (!can_write(dsa, item, record->status))
		return;
	if (dsa_store(dsa, item->descriptor.completion + 1, &record->result, length) == length)
		return;
	dsa->counts.software_errors++;
	item->fate.no_record = 1;
}

/* What was copied and the rest of the record are seen by whoever sees the status. */
void dsa_record_status(struct dsa *dsa, const struct dsa_item *item, uint8_t status)
{
	uint64_t at = item->descriptor.completion;

	if (at % 32 || !wants_record(item, status))
		return;
	if (dsa->pid)
		dsa_store(dsa, at, &status, 1);
	else if (dsa_reach(dsa, at, 1))
		__atomic_store_n((uint8_t *)(uintptr_t)at, status, __ATOMIC_RELEASE);
}

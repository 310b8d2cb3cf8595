/* SPDX-License-Identifier: MIT */
/* dsa_write.c - descriptors by write(2), as the kernel's driver takes them. */
#include "dsa_device.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* The buffer is the writer's: in this process, whichever process the device works in. */
static int copy_from_user(const struct dsa *dsa, struct dsa_descriptor *to, const void *from)
{
	struct iovec local = {to, sizeof(*to)}, remote = {(void *)(uintptr_t)from, sizeof(*to)};

	if (!from)
		return -EFAULT;
	if (!dsa->pid || dsa->pid != getpid()) {
		memcpy(to, from, sizeof(*to));
		return 0;
	}
	if (process_vm_readv(dsa->pid, &local, 1, &remote, 1, 0) != (ssize_t)sizeof(*to))
		return -EFAULT;
	return 0;
}

/* The address must be aligned even where the flags say that it is none. */
static int write_one(struct dsa *dsa, unsigned int index, const void *from)
{
	const struct dsa_queue_config *config = &dsa->queues[index].config;
	struct dsa_descriptor descriptor;
	int rc = copy_from_user(dsa, &descriptor, from);

	if (rc)
		return rc;
	if (dsa_opcode(&descriptor) == DSA_BATCH && !config->batch_by_write)
		return -EINVAL;
	if (descriptor.completion % 32)
		return -EINVAL;
	if (config->shared)
		descriptor.pasid = 0;
	/* A dedicated queue does not answer. */
	return dsa_submit(dsa, index, &descriptor) || !config->shared ? 0 : -EAGAIN;
}

/* What the rules allow of so many: -errno, or how many. */
static ssize_t begin(struct dsa *dsa, size_t count)
{
	ssize_t limit;

	pthread_mutex_lock(&dsa->lock);
	dsa->counts.writes++;
	limit = dsa_is_busy(dsa) ? -EAGAIN : (ssize_t)dsa_write_limit(dsa, count);
	if (!limit)
		limit = -EAGAIN;
	if (dsa->halted)
		limit = -ENXIO;
	pthread_mutex_unlock(&dsa->lock);
	return limit;
}

ssize_t dsa_write(struct dsa *dsa, unsigned int queue, const void *buffer, size_t size)
{
	const char *from = buffer;
	ssize_t limit, taken;

	if (size < sizeof(struct dsa_descriptor))
		return 0;
	limit = begin(dsa, size / sizeof(struct dsa_descriptor));
	if (limit < 0)
		return limit;
	for (taken = 0; taken < limit; taken++) {
		int rc = write_one(dsa, queue, from + 64 * taken);

		if (rc)
			return taken ? 64 * taken : rc;
	}
	return 64 * taken;
}

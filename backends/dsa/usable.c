/* SPDX-License-Identifier: MIT */
/* usable.c - the reasons not to use a work queue, in the order in which they are to be mended. */
#include "usable.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum reason {
	UNREADABLE,
	UNCONFIGURED,
	DEVICE_DISABLED,
	DEVICE_HALTED,
	NO_PASID,
	TYPE,
	DRIVER,
	DISABLED,
	NO_NODE,
	NO_PERMISSION,
	TRANSFER,
	DEDICATED_SIZE,
	NONE
};

#define RECONFIGURE(change)                        \
	"accel-config disable-wq {wq}; "           \
	"accel-config config-wq {wq} " change "; " \
	"accel-config enable-wq {wq}"

/* As they are in batchmig-dsa(7), with dsa0/wq0.1 for {wq} and so on. */
static const struct text {
	const char *why, *remedy;
} texts[] = {
	[UNREADABLE] = {"its files in sysfs cannot be read",
			"a container that shows /sys/bus/dsa and /sys/devices; or name the work "
			"queue in BATCHMIG_DSA_WQS"},
	[UNCONFIGURED] = {"no work queue of the device is configured",
			  "accel-config load-config -e -c batchmig-dsa.conf"},
	[DEVICE_DISABLED] = {"the device is disabled",
			     "accel-config enable-device {device}; accel-config enable-wq {wq}"},
	[DEVICE_HALTED] = {"the device has stopped after an error (state {device-state})",
			   "echo 1 >" BM_DSA_SYSFS "/{device}/../reset and load its configuration "
			   "again; dmesg tells where it takes a restart of the machine"},
	[NO_PASID] = {"the device has no shared virtual memory (PASID)",
		      "boot Linux with intel_iommu=on,sm_on; VT-d must be on in the firmware"},
	[TYPE] = {"the work queue is not for programs (type {type})",
		  RECONFIGURE("-y user -d user -n batchmig")},
	[DRIVER] = {"the work queue has the driver {driver}, not user", RECONFIGURE("-d user")},
	[DISABLED] = {"the work queue is {state}", "accel-config enable-wq {wq}"},
	[NO_NODE] = {"there is no {path}",
		     "in a container: --device {path}; elsewhere: udev makes it when the work "
		     "queue is enabled"},
	[NO_PERMISSION] = {"{path} may not be read and written by this user",
			   "60-batchmig-dsa.rules and membership of the group batchmig; without "
			   "the rule, until the queue is disabled: setfacl -m u:USER:rw {path}"},
	[TRANSFER] = {"max_transfer_size {transfer} is less than a page ({page})",
		      RECONFIGURE("-x 2097152")},
	[DEDICATED_SIZE] = {"dedicated, with a size that cannot be read: what it has no room for "
			    "would be lost",
			    "let the process read " BM_DSA_SYSFS
			    "/{wq}/size, or use a shared work queue"},
};

static int is_known_and_not(const char *text, const char *wanted)
{
	return *text && strcmp(text, wanted) != 0;
}

static enum reason by_node(const struct bm_backend_env *env, const struct bm_dsa_queue *queue)
{
	int rc = env->sys->access(queue->path, R_OK | W_OK);

	if (rc == -ENOENT || rc == -ENOTDIR)
		return NO_NODE;
	return rc < 0 ? NO_PERMISSION : NONE;
}

static enum reason by_state(const struct bm_dsa_facts *facts)
{
	if (facts->unreadable)
		return UNREADABLE;
	if (is_known_and_not(facts->device_state, "enabled") &&
	    is_known_and_not(facts->device_state, "disabled"))
		return DEVICE_HALTED;
	if (facts->pasid == 0) /* the driver enables queues of users only with it */
		return NO_PASID;
	if (facts->none)
		return UNCONFIGURED;
	if (is_known_and_not(facts->type, "user"))
		return TYPE;
	if (is_known_and_not(facts->driver, "user"))
		return DRIVER;
	if (is_known_and_not(facts->device_state, "enabled"))
		return DEVICE_DISABLED;
	return is_known_and_not(facts->state, "enabled") ? DISABLED : NONE;
}

static enum reason find_reason(const struct bm_backend_env *env, const struct bm_dsa_facts *facts)
{
	const struct bm_dsa_queue *queue = &facts->queue;
	enum reason reason = by_state(facts);

	if (reason == NONE)
		reason = by_node(env, queue);
	if (reason == NONE && queue->max_transfer && queue->max_transfer < env->page_size)
		return TRANSFER;
	if (reason == NONE && queue->mode == BM_DSA_DEDICATED && queue->size == 0)
		return DEDICATED_SIZE;
	return reason;
}

struct word {
	const char *name, *value;
};

/* Puts the value for each {name}; what does not fit is cut off. */
static void expand(char *out, size_t size, const char *text, const struct word *words)
{
	size_t used = 0;

	out[0] = '\0';
	while (*text && used < size - 1) {
		size_t span = *text == '{' ? strcspn(text, "}") - 1 : strcspn(text, "{");
		const char *from = text;
		size_t length = span;

		if (*text == '{') {
			const struct word *word = words;

			while (strlen(word->name) != span ||
			       strncmp(word->name, text + 1, span) != 0)
				word++;
			from = word->value;
			length = strlen(from);
			span += 2;
		}
		used += (size_t)snprintf(out + used, size - used, "%.*s", (int)length, from);
		text += span;
	}
}

void bm_dsa_rule_out(const struct bm_backend_env *env, struct bm_dsa_facts *facts)
{
	struct bm_dsa_queue *queue = &facts->queue;
	enum reason reason = find_reason(env, facts);
	char wq[48], transfer[24], page[24];
	const struct word words[] = {
		{"device", queue->device},
		{"wq", wq},
		{"path", queue->path},
		{"device-state", facts->device_state},
		{"state", facts->state},
		{"type", facts->type},
		{"driver", facts->driver},
		{"transfer", transfer},
		{"page", page},
	};

	queue->why[0] = queue->remedy[0] = '\0';
	if (reason == NONE)
		return;
	snprintf(wq, sizeof(wq), "%s/%s", queue->device, queue->name);
	snprintf(transfer, sizeof(transfer), "%" PRIu64, queue->max_transfer);
	snprintf(page, sizeof(page), "%" PRIu64, env->page_size);
	expand(queue->why, sizeof(queue->why), texts[reason].why, words);
	expand(queue->remedy, sizeof(queue->remedy), texts[reason].remedy, words);
}

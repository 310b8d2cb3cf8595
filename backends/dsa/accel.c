/* SPDX-License-Identifier: MIT */
/* accel.c - loads libaccel-config and asks it for devices and work queues. */
#include "accel.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accel_calls.h"
#include "least.h"
#include "sysfs.h"

#define NAMES_BYTES 16384 /* of devices, queues, groups and engines together */
#define WAIT_US     1000
#define WAITS       5000

#define NAMED "the work queues in BATCHMIG_DSA_WQS, as in /dev/dsa/wq0.0"

struct accel {
	struct bm_dsa_found *found;
	struct bm_accel_calls calls;
	void *library;
};

static const struct call {
	const char *name;
	size_t offset;
} calls[] = {
#define CALL_ROW(type, name, args) {"accfg_" #name, offsetof(struct bm_accel_calls, name)},
	BM_ACCEL_CALLS(CALL_ROW)
#undef CALL_ROW
};

/*
 * libaccel-config keeps the name that it looks for in a static variable: one
 * thread of the process at a time. The id of the process whose thread is in it,
 * not a mutex: in the child of a fork(2) nobody is, whoever was in the parent.
 */
static atomic_int inside;

static int enter(const struct bm_sys *sys)
{
	int self = sys->getpid();

	for (int i = 0; i < WAITS; i++) {
		int holder = atomic_load(&inside);

		if (holder != self && atomic_compare_exchange_strong(&inside, &holder, self))
			return 0;
		sys->sleep_us(WAIT_US);
	}
	return -EBUSY;
}

static void leave(void)
{
	atomic_store(&inside, 0);
}

static void say(char *text, const char *what)
{
	snprintf(text, BM_WHY_MAX, "%s", what);
}

/* How many devices sysfs has, and the name of one; 1 where they are too many to be listed. */
static int count_devices(const struct bm_sys *sys, char *first, size_t size)
{
	char *names = sys->memory(NAMES_BYTES);
	unsigned int number;
	ssize_t length;
	int count = 0;

	if (!names)
		return -ENOMEM;
	length = sys->list(BM_DSA_SYSFS, names, NAMES_BYTES);
	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1) {
		const char *end;

		if (!bm_dsa_parse(names + at, "dsa", &number, &end) || *end)
			continue;
		snprintf(first, size, "%s", names + at);
		count++;
	}
	free(names);
	if (length == -ENOBUFS)
		return 1;
	return length < 0 ? (int)length : count;
}

/* NULL, or the name of a call that the library does not have. */
static const char *link_calls(struct accel *accel)
{
	char *base = (char *)&accel->calls;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		void *symbol = dlsym(accel->library, calls[i].name);

		if (!symbol)
			return calls[i].name;
		/* C has no cast from a pointer to data to one to a function. */
		memcpy(base + calls[i].offset, &symbol, sizeof(symbol));
	}
	return NULL;
}

static int load(struct accel *accel, char *why, char *remedy)
{
	const char *missing = NULL;

	/* Kept for good: a fork(2) in the middle of an unloading leaves the child half of it. */
	accel->library = dlopen(BM_ACCEL_LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (accel->library)
		missing = link_calls(accel);
	if (accel->library && !missing)
		return 0;
	if (missing)
		snprintf(why, BM_WHY_MAX, BM_ACCEL_LIBRARY " has no %s()", missing);
	else
		snprintf(why, BM_WHY_MAX, "libaccel-config cannot be loaded: %.300s", dlerror());
	say(remedy, "its package (Debian: libaccel-config1), or name " NAMED);
	if (accel->library)
		dlclose(accel->library);
	return -ELIBACC;
}

static void set_text(char *text, size_t size, const char *value)
{
	size_t length = 0;

	while (value && length < size - 1 && value[length] > ' ' && value[length] <= '~')
		length++;
	memcpy(text, value ? value : "", length);
	text[length] = '\0';
}

/* What 3.5 says of missing files is -errno, in whatever type. */
static void ask_device(const struct accel *accel, struct accfg_device *device,
		       struct bm_dsa_facts *facts)
{
	const struct bm_accel_calls *call = &accel->calls;
	struct bm_dsa_queue *queue = &facts->queue;
	int state = call->device_get_state(device), node = call->device_get_numa_node(device);
	unsigned int version = call->device_get_version(device);

	/* First by sysfs: pasid_enabled is always true in 3.5, halted is unknown to all. */
	bm_dsa_sysfs_device(accel->found->env->sys, facts);
	if (state == BM_ACCEL_DEVICE_ENABLED || state == BM_ACCEL_DEVICE_DISABLED)
		set_text(facts->device_state, sizeof(facts->device_state),
			 state == BM_ACCEL_DEVICE_ENABLED ? "enabled" : "disabled");
	queue->node = node >= 0 ? node : -1;
	queue->version = version <= UINT16_MAX ? version : 0;
	queue->max_transfer =
		bm_dsa_limit(call->device_get_max_transfer_size(device), 0, BM_DSA_MOST_TRANSFER);
	queue->max_batch = (uint32_t)bm_dsa_limit(call->device_get_max_batch_size(device), 0,
						  BM_DSA_MOST_SIZE);
}

static void ask_texts(const struct accel *accel, struct accfg_wq *wq, struct bm_dsa_facts *facts)
{
	static const char *const types[BM_ACCEL_TYPES] = {"none", "kernel", "user"};
	const struct bm_accel_calls *call = &accel->calls;
	unsigned int type = call->wq_get_type(wq);
	int state = call->wq_get_state(wq);

	set_text(facts->driver, sizeof(facts->driver), call->wq_get_driver_name(wq));
	if (type < BM_ACCEL_TYPES)
		set_text(facts->type, sizeof(facts->type), types[type]);
	if (state == BM_ACCEL_WQ_ENABLED)
		set_text(facts->state, sizeof(facts->state), "enabled");
	else
		set_text(facts->state, sizeof(facts->state),
			 state == BM_ACCEL_WQ_DISABLED ? "disabled" : "not-enabled");
}

static void ask_queue(const struct accel *accel, struct accfg_wq *wq, struct bm_dsa_facts *facts)
{
	const struct bm_accel_calls *call = &accel->calls;
	struct bm_dsa_queue *queue = &facts->queue;
	unsigned int mode = call->wq_get_mode(wq);
	int threshold = call->wq_get_threshold(wq);

	ask_texts(accel, wq, facts);
	queue->mode = mode == BM_ACCEL_SHARED      ? BM_DSA_SHARED
		      : mode == BM_ACCEL_DEDICATED ? BM_DSA_DEDICATED
						   : BM_DSA_UNKNOWN;
	queue->size = (uint32_t)bm_dsa_limit(call->wq_get_size(wq), 0, BM_DSA_MOST_SIZE);
	queue->threshold = threshold > 0 ? (uint32_t)threshold : 0;
	queue->max_transfer = bm_dsa_limit(call->wq_get_max_transfer_size(wq), queue->max_transfer,
					   BM_DSA_MOST_TRANSFER);
	queue->max_batch = (uint32_t)bm_dsa_limit(call->wq_get_max_batch_size(wq), queue->max_batch,
						  BM_DSA_MOST_SIZE);
	call->wq_get_user_dev_path(wq, queue->path, sizeof(queue->path));
}

/*
 * As all queues are that nobody has configured, eight of each device: they are
 * not worth a line each. 1 when it is kept.
 */
static int keep(struct bm_dsa_found *found, struct bm_dsa_facts *facts)
{
	if (strcmp(facts->type, "none") == 0 && strcmp(facts->state, "disabled") == 0)
		return 0;
	/* Without groups the library lists queues again and again. */
	if (!bm_dsa_found_has(found, facts->queue.name))
		bm_dsa_found_add(found, facts);
	return 1;
}

/* How many queues of the device were configured. */
static int ask_queues(const struct accel *accel, struct accfg_device *device,
		      const struct bm_dsa_facts *of_device)
{
	const struct bm_accel_calls *call = &accel->calls;
	int count = 0;

	for (struct accfg_wq *wq = call->wq_get_first(device); wq; wq = call->wq_get_next(wq)) {
		struct bm_dsa_facts facts = *of_device;
		unsigned int id, number;
		const char *end;

		if (!bm_dsa_parse_queue(call->wq_get_devname(wq), &id, &number, &end) || *end ||
		    id != facts.device)
			continue;
		bm_dsa_facts_queue(&facts, number);
		ask_queue(accel, wq, &facts);
		count += keep(accel->found, &facts);
	}
	return count;
}

static void read_queue(const struct bm_sys *sys, struct bm_dsa_facts *facts, unsigned int number)
{
	bm_dsa_facts_queue(facts, number);
	bm_dsa_sysfs_queue(sys, facts);
	facts->unreadable = facts->queue.mode == BM_DSA_UNKNOWN || !facts->type[0];
}

/*
 * The library crashes where mode or type of a queue cannot be read: for the
 * queues of such a device it is not asked, they are read here.
 */
static int is_sound(const struct bm_sys *sys, const struct bm_dsa_facts *of_device,
		    const unsigned int *numbers, int count)
{
	struct bm_dsa_facts facts = *of_device;

	for (int i = 0; i < count; i++) {
		read_queue(sys, &facts, numbers[i]);
		if (facts.unreadable)
			return 0;
	}
	return count >= 0;
}

static int read_queues(const struct accel *accel, const struct bm_dsa_facts *of_device,
		       const unsigned int *numbers, int count)
{
	int kept = 0;

	for (int i = 0; i < count; i++) {
		struct bm_dsa_facts facts = *of_device;

		read_queue(accel->found->env->sys, &facts, numbers[i]);
		kept += keep(accel->found, &facts);
	}
	return kept;
}

/* 1 for a device of DSA. */
static int add_device(const struct accel *accel, struct accfg_device *device)
{
	const struct bm_accel_calls *call = &accel->calls;
	const struct bm_sys *sys = accel->found->env->sys;
	unsigned int id, numbers[BM_DSA_PER_DEVICE];
	struct bm_dsa_facts facts;
	const char *end;
	int count;

	if (strcmp(call->device_get_type_str(device), "dsa") != 0 ||
	    !bm_dsa_parse(call->device_get_devname(device), "dsa", &id, &end) || *end)
		return 0;
	bm_dsa_facts_begin(&facts, id);
	ask_device(accel, device, &facts);
	count = bm_dsa_sysfs_list(sys, facts.queue.device, numbers);
	facts.unreadable = count < 0;
	if (is_sound(sys, &facts, numbers, count))
		count = ask_queues(accel, device, &facts);
	else
		count = read_queues(accel, &facts, numbers, count);
	facts.none = 1;
	if (count <= 0)
		bm_dsa_found_add(accel->found, &facts);
	return 1;
}

static int ask_all(const struct accel *accel)
{
	const struct bm_accel_calls *call = &accel->calls;
	struct accfg_device *device;
	struct accfg_ctx *ctx;
	int devices = 0, rc = call->new (&ctx);

	if (rc < 0)
		return rc;
	call->set_log_priority(ctx, -1); /* it would print errors */
	for (device = call->device_get_first(ctx); device; device = call->device_get_next(device))
		devices += add_device(accel, device);
	call->unref(ctx);
	return devices;
}

static unsigned long number_in(const char *name)
{
	return strtoul(name + strcspn(name, "0123456789"), NULL, 10);
}

static int by_numbers(const void *a, const void *b)
{
	const struct bm_dsa_queue *left = a, *right = b;
	unsigned long of_left = number_in(left->device), of_right = number_in(right->device);
	const char *dot = strchr(left->name, '.'), *other = strchr(right->name, '.');

	if (of_left == of_right && dot && other) {
		of_left = number_in(dot);
		of_right = number_in(other);
	}
	return (of_left > of_right) - (of_left < of_right);
}

/* The library has listed none of them. */
static int explain(const struct bm_sys *sys, const char *device, char *why, char *remedy)
{
	char path[64];

	say(remedy, "name " NAMED);
	snprintf(path, sizeof(path), BM_DSA_SYSFS "/%s/cmd_status", device);
	if (sys->access(path, W_OK) == -EROFS) {
		say(why, "sysfs is read-only, as in a container, and libaccel-config 3.5 lists "
			 "nothing then");
		return -EROFS;
	}
	snprintf(why, BM_WHY_MAX, "libaccel-config does not list %s and its like", device);
	return -EIO;
}

static int nothing(const struct bm_sys *sys, int error, char *why, char *remedy)
{
	if (error == -ENOMEM) {
		say(why, "no memory");
		say(remedy, "free memory");
		return error;
	}
	if (sys->access(BM_DSA_NODES, F_OK) == 0) {
		say(why, "there is " BM_DSA_NODES ", but sysfs shows no device of it");
		say(remedy, "show " BM_DSA_SYSFS " in the container, or name " NAMED);
		return -ENXIO;
	}
	say(why, "there is no DSA device in " BM_DSA_SYSFS);
	say(remedy, "a CPU with DSA, Linux with the driver idxd, and intel_iommu=on,sm_on");
	return -ENODEV;
}

int bm_dsa_accel(struct bm_dsa_found *found, char *why, char *remedy)
{
	const struct bm_sys *sys = found->env->sys;
	struct accel accel = {.found = found};
	char device[32] = "dsa0";
	int rc = count_devices(sys, device, sizeof(device));

	if (rc <= 0)
		return nothing(sys, rc, why, remedy);
	rc = enter(sys);
	if (rc < 0) {
		say(why, "another thread has been asking libaccel-config for seconds");
		say(remedy, "try again");
		return rc;
	}
	rc = load(&accel, why, remedy);
	if (rc == 0) {
		rc = ask_all(&accel);
		dlclose(accel.library);
		if (rc == 0)
			rc = explain(sys, device, why, remedy);
		else if (rc < 0)
			nothing(sys, -ENOMEM, why, remedy);
	}
	leave();
	qsort(found->queues, found->count, sizeof(*found->queues), by_numbers);
	return rc < 0 ? rc : 0;
}

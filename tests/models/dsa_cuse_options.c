/* SPDX-License-Identifier: MIT */
/* dsa_cuse_options.c - the command line of dsa_cuse. */
#include "dsa_cuse.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"usage: dsa_cuse [OPTION]... wqD.N\n"
	"Makes the character device /dev/dsa/wqD.N, with a software DSA behind it.\n"
	"  --dedicated          for one opener; else shared\n"
	"  --size=N             entries (16)\n"
	"  --threshold=N        of a shared one: takes more below it (the size)\n"
	"  --max-transfer=BYTES (2097152)\n"
	"  --max-batch=N        (32)\n"
	"  --batch-by-write     takes batches by write(2); DSA 1.0 does not\n"
	"  --at-once            works in the call that brings a descriptor, not in a thread\n"
	"  --seed=N             of all that is chance\n"
	"  --counts=FILE        is written whenever a file is closed\n"
	"  --fault=KNOB[,at=N][,every=N][,amount=N]  counted anew for each file that is opened:\n"
	"    delay, lost_record, lost, late, fault_read, fault_write, fault_list, status,\n"
	"    status_first, busy, short_write, halt: see dsa.h. May be given several times.\n";

static const char *const knobs[DSA_KNOBS] = {
	[DSA_DELAY] = "delay",
	[DSA_LOST_RECORD] = "lost_record",
	[DSA_LOST] = "lost",
	[DSA_LATE] = "late",
	[DSA_FAULT_READ] = "fault_read",
	[DSA_FAULT_WRITE] = "fault_write",
	[DSA_FAULT_LIST] = "fault_list",
	[DSA_STATUS] = "status",
	[DSA_STATUS_FIRST] = "status_first",
	[DSA_BUSY] = "busy",
	[DSA_SHORT_WRITE] = "short_write",
	[DSA_HALT] = "halt",
};

enum { DEDICATED = 1, SIZE, THRESHOLD, TRANSFER, BATCH, BY_WRITE, AT_ONCE, SEED, COUNTS, FAULT };

static const struct option names[] = {
	{"dedicated", no_argument, NULL, DEDICATED},
	{"size", required_argument, NULL, SIZE},
	{"threshold", required_argument, NULL, THRESHOLD},
	{"max-transfer", required_argument, NULL, TRANSFER},
	{"max-batch", required_argument, NULL, BATCH},
	{"batch-by-write", no_argument, NULL, BY_WRITE},
	{"at-once", no_argument, NULL, AT_ONCE},
	{"seed", required_argument, NULL, SEED},
	{"counts", required_argument, NULL, COUNTS},
	{"fault", required_argument, NULL, FAULT},
	{NULL, 0, NULL, 0},
};

static int read_number(const char *text, uint64_t least, uint64_t most, uint64_t *number)
{
	char *end;

	if (!text || *text < '0' || *text > '9')
		return -1;
	errno = 0;
	*number = strtoull(text, &end, 0);
	return errno || *end || *number < least || *number > most ? -1 : 0;
}

static int read_unsigned(const char *text, uint64_t least, uint64_t most, unsigned int *value)
{
	uint64_t number;

	if (read_number(text, least, most, &number))
		return -1;
	*value = (unsigned int)number;
	return 0;
}

static int find_knob(const char *name, enum dsa_knob *knob)
{
	for (int i = 0; i < DSA_KNOBS; i++) {
		if (strcmp(knobs[i], name) == 0) {
			*knob = (enum dsa_knob)i;
			return 0;
		}
	}
	return -1;
}

static int read_fault(struct dsa_cuse_options *options, char *text)
{
	static char at[] = "at", every[] = "every", amount[] = "amount";
	char *const fields[] = {at, every, amount, NULL};
	struct dsa_rule *rule = &options->rules[options->rules_count];
	uint64_t *const values[] = {&rule->at, &rule->every, &rule->amount};
	char *rest = strchr(text, ','), *value;

	if (options->rules_count == DSA_CUSE_RULES_MOST)
		return -1;
	if (rest)
		*rest++ = '\0';
	if (find_knob(text, &rule->knob))
		return -1;
	while (rest && *rest) {
		int field = getsubopt(&rest, fields, &value);

		if (field < 0 || read_number(value, 0, UINT64_MAX, values[field]))
			return -1;
	}
	options->rules_count++;
	/* One that never comes true is a mistake. */
	return rule->at || rule->every ? 0 : -1;
}

static int read_option(struct dsa_cuse_options *options, int which, char *text)
{
	switch (which) {
	case DEDICATED:
		options->queue.shared = 0;
		return 0;
	case SIZE:
		return read_unsigned(text, 1, 1024, &options->queue.size);
	case THRESHOLD:
		return read_unsigned(text, 1, 1024, &options->queue.threshold);
	case TRANSFER:
		return read_number(text, 1, 1ull << 31, &options->queue.max_transfer);
	case BATCH:
		return read_unsigned(text, 1, 1024, &options->queue.max_batch);
	case BY_WRITE:
		options->queue.batch_by_write = 1;
		return 0;
	case AT_ONCE:
		options->pace = DSA_AT_ONCE;
		return 0;
	case SEED:
		return read_unsigned(text, 0, UINT32_MAX, &options->seed);
	case COUNTS:
		options->counts = text;
		return 0;
	case FAULT:
		return read_fault(options, text);
	default:
		return -1;
	}
}

/* What the driver would call a work queue. */
static int is_name(const char *name)
{
	unsigned int device, queue;
	int end = 0;

	return sscanf(name, "wq%4u.%4u%n", &device, &queue, &end) == 2 && name[end] == '\0';
}

int dsa_cuse_read_options(struct dsa_cuse_options *options, int argc, char **argv)
{
	int which, wrong = 0;

	*options = (struct dsa_cuse_options){
		.queue = {.shared = 1, .size = 16, .max_transfer = 2u << 20, .max_batch = 32},
		.pace = DSA_BY_THREAD,
		.seed = 1,
	};
	while (!wrong && (which = getopt_long(argc, argv, "", names, NULL)) != -1)
		wrong = read_option(options, which, optarg);
	if (wrong || optind != argc - 1 || !is_name(argv[optind])) {
		fputs(usage, stderr);
		return -1;
	}
	options->name = argv[optind];
	return 0;
}

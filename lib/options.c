/* SPDX-License-Identifier: MIT */
/* options.c - the table of options, and how a value is found and checked. */
#include "options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry.h"
#include "structs.h"

#define STRING_FIELD(field) offsetof(struct bm_options, field), 1
#define NUMBER_FIELD(field) offsetof(struct bm_options, field), 0

struct row {
	struct bm_option_info info; /* what the user is told */
	size_t offset;              /* of the field in struct bm_options */
	int is_string;
	int64_t min, max; /* integers only */
};

/* Order: enum bm_option_id. The defaults of call_pages and retry_us: docs/kernel-movers.md. */
/* clang-format off */
static const struct row table[BM_OPTION_COUNT] = {
	{{"backend", "BATCHMIG_BACKEND", "list", "auto|kernel|cpu", "", "auto",
	  "who copies, in order of preference, separated by commas", NULL, NULL},
	 STRING_FIELD(backend), 0, 0},
	{{"mover", "BATCHMIG_MOVER", "choice", "auto|move_pages|mbind|swap", "", "auto",
	  "how pages get to their node", NULL, NULL},
	 STRING_FIELD(mover), 0, 0},
	{{"quiet", "BATCHMIG_QUIET", "choice", "no|yes|strict", "", "no",
	  "the quiet promise for every batch of the context", NULL, NULL},
	 STRING_FIELD(quiet), 0, 0},
	{{"log_level", "BATCHMIG_LOG", "choice", "none|error|warn|info|debug", "", "none",
	  "what is logged", NULL, NULL},
	 STRING_FIELD(log_level), 0, 0},
	{{"threads", "BATCHMIG_THREADS", "integer", "0..64", "threads", "0",
	  "most threads that work on one batch; 0 chooses by its size", NULL, NULL},
	 NUMBER_FIELD(threads), 0, BM_WORKERS_MAX},
	{{"call_pages", "BATCHMIG_CALL_PAGES", "integer", "1..1048576", "pages", "4096",
	  "base pages given to the kernel in one call", NULL, NULL},
	 NUMBER_FIELD(call_pages), 1, 1048576},
	{{"retries", "BATCHMIG_RETRIES", "integer", "0..100", "times", "3",
	  "how often a transient failure is tried again", NULL, NULL},
	 NUMBER_FIELD(retries), 0, 100},
	{{"retry_us", "BATCHMIG_RETRY_US", "integer", "0..1000000", "us", "100",
	  "pause before the first retry; each further one is four times as long", NULL, NULL},
	 NUMBER_FIELD(retry_us), 0, 1000000},
	{{"copy_loop", "BATCHMIG_COPY_LOOP", "choice",
	  "auto|memcpy|rep_movsb|avx2|avx2_x4|avx512|avx512_x4|movdir64b", "", "auto",
	  "how the backend cpu copies; auto measures", NULL, NULL},
	 STRING_FIELD(copy_loop), 0, 0},
	{{"chunk_kb", "BATCHMIG_CHUNK_KB", "integer", "0..1048576", "KiB", "0",
	  "most that is out of reach at a time with swap; 0 is a huge page", NULL, NULL},
	 NUMBER_FIELD(chunk_kb), 0, 1048576},
	{{"pool_mb", "BATCHMIG_POOL_MB", "integer", "0..1048576", "MiB", "128",
	  "pages kept for swap on each node, by all local ranks", NULL, NULL},
	 NUMBER_FIELD(pool_mb), 0, 1048576},
	{{"local_ranks", "BATCHMIG_LOCAL_RANKS", "integer", "0..65536", "processes", "0",
	  "processes that share pool_mb; 0 asks the variables of MPI and Slurm", NULL, NULL},
	 NUMBER_FIELD(local_ranks), 0, 65536},
	{{"pool_idle_ms", "BATCHMIG_POOL_IDLE_MS", "integer", "0..86400000", "ms", "10000",
	  "pages of the pool unused so long are given back; 0 never", NULL, NULL},
	 NUMBER_FIELD(pool_idle_ms), 0, 86400000},
	{{"spread", "BATCHMIG_SPREAD", "choice", "off|on", "", "on",
	  "threads of a batch run on different last-level caches near its nodes", NULL, NULL},
	 STRING_FIELD(spread), 0, 0},
	{{"pool_refill", "BATCHMIG_POOL_REFILL", "choice", "off|on", "", "off",
	  "what a batch found lacking in the pool is made ready for the next one", NULL, NULL},
	 STRING_FIELD(pool_refill), 0, 0},
	{{"max_stall_us", "BATCHMIG_MAX_STALL_US", "integer", "0..60000000", "us", "0",
	  "longest that a thread shall wait for a page that moves; 0 is any time", NULL, NULL},
	 NUMBER_FIELD(max_stall_us), 0, BM_STALL_MOST_US},
	{{"bound", "BATCHMIG_BOUND", "choice", "strict|wish", "", "strict",
	  "whether what would take longer than max_stall_us is left where it is", NULL, NULL},
	 STRING_FIELD(bound), 0, 0},
	{{"max_bytes_per_s", "BATCHMIG_MAX_BYTES_PER_S", "integer", "0..1000000000000000", "bytes/s",
	  "0", "most that all batches of the context move together; 0 is any number", NULL, NULL},
	 NUMBER_FIELD(max_bytes_per_s), 0, BM_RATE_MOST},
	{{"stats", "BATCHMIG_STATS", "choice", "0|1", "", "0",
	  "whether the sums are reported when the context is freed, or the process exits", NULL, NULL},
	 STRING_FIELD(stats), 0, 0},
	{{"stats_file", "BATCHMIG_STATS_FILE", "text", "up to 255 bytes", "", "",
	  "file that the report is added to, %p is the process; empty is standard error", NULL, NULL},
	 STRING_FIELD(stats_file), 0, 0},
	{{"profile", "BATCHMIG_PROFILE", "text", "up to 255 bytes", "", "",
	  "file of batchmig tune with what things cost on this machine; empty measures shortly", NULL,
	  NULL},
	 STRING_FIELD(profile), 0, 0},
};
/* clang-format on */

const struct bm_option_info *bm_option_row(size_t index)
{
	return index < BM_OPTION_COUNT ? &table[index].info : NULL;
}

/* The index of text in "a|b|c", or -1. */
static int choice_index(const char *allowed, const char *text)
{
	size_t length = strlen(text);

	for (int index = 0; *allowed; index++) {
		size_t span = strcspn(allowed, "|");

		if (span == length && strncmp(allowed, text, span) == 0)
			return index;
		allowed += span + (allowed[span] == '|');
	}
	return -1;
}

static void choice_name(const char *allowed, int64_t index, char *buffer, size_t size)
{
	while (index-- > 0)
		allowed += strcspn(allowed, "|") + 1;
	snprintf(buffer, size, "%.*s", (int)strcspn(allowed, "|"), allowed);
}

/* @name is what the user wrote: the variable or the field. */
static int refuse(char *why, const char *name, const char *value, const struct row *row)
{
	snprintf(why, BM_WHY_MAX, "%s=%.80s is not allowed: it must be %s%s%s%s", name, value,
		 row->info.type[0] == 'i' ? "a whole number in " : "one of ", row->info.allowed,
		 *row->info.unit ? ", in " : "", row->info.unit);
	return -EINVAL;
}

static int refuse_length(char *why, const char *name, size_t length, size_t most)
{
	snprintf(why, BM_WHY_MAX, "%s is not allowed: %zu characters, at most %zu are", name,
		 length, most);
	return -EINVAL;
}

static int set_number(struct bm_config *config, size_t id, int64_t value)
{
	if (value < table[id].min || value > table[id].max)
		return -EINVAL;
	config->value[id] = value;
	return 0;
}

static int parse_number(const char *text, int64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoll(text, &end, 10);
	/* strtoll takes leading blanks and a sign: a number here starts with a digit. */
	return errno || end == text || *end || text[0] < '0' || text[0] > '9' ? -EINVAL : 0;
}

int bm_mover_parse(const char *text, const char *name, char *why)
{
	const struct row *row = &table[BM_OPTION_MOVER];
	int index = choice_index(row->info.allowed, text);

	if (index >= 0)
		return index;
	return refuse(why, name, text, row);
}

/* Any text that there is room for. */
static int set_free_text(char *place, const char *name, const char *text, char *why)
{
	size_t length = strlen(text);

	if (length >= BM_LIST_MAX)
		return refuse_length(why, name, length, BM_LIST_MAX - 1);
	memcpy(place, text, length + 1);
	return 0;
}

void bm_mover_name(enum bm_mover mover, char *buffer, size_t size)
{
	choice_name(table[BM_OPTION_MOVER].info.allowed, mover, buffer, size);
}

static int set_text(struct bm_config *config, size_t id, const char *name, const char *text,
		    char *why)
{
	const struct row *row = &table[id];
	int64_t number = 0;
	int index;

	switch (row->info.type[0]) {
	case 'l':
		if (set_free_text(config->backend, name, text, why) < 0)
			return -EINVAL;
		return bm_registry_check(text, name, why);
	case 't':
		return set_free_text(id == BM_OPTION_PROFILE ? config->profile : config->stats_file,
				     name, text, why);
	case 'i':
		if (parse_number(text, &number) < 0 || set_number(config, id, number) < 0)
			return refuse(why, name, text, row);
		return 0;
	default:
		if (id == BM_OPTION_MOVER)
			index = bm_mover_parse(text, name, why);
		else
			index = choice_index(row->info.allowed, text);
		config->value[id] = index;
		if (id == BM_OPTION_MOVER || index >= 0)
			return index < 0 ? index : 0;
		return refuse(why, name, text, row);
	}
}

static int64_t number_field(const struct bm_options *options, size_t offset)
{
	int64_t value;

	memcpy(&value, (const char *)options + offset, sizeof(value));
	return value;
}

static const char *string_field(const struct bm_options *options, size_t offset)
{
	const char *value;

	memcpy(&value, (const char *)options + offset, sizeof(value));
	return value;
}

static int from_option(struct bm_config *config, size_t id, const struct bm_options *options,
		       char *why)
{
	const struct row *row = &table[id];
	char text[32];
	int64_t number;

	config->source[id] = "option";
	if (row->is_string)
		return set_text(config, id, row->info.name, string_field(options, row->offset),
				why);
	number = number_field(options, row->offset);
	if (set_number(config, id, number) == 0)
		return 0;
	snprintf(text, sizeof(text), "%" PRId64, number);
	return refuse(why, row->info.name, text, row);
}

static int is_set(const struct bm_options *options, const struct row *row)
{
	if (row->is_string)
		return string_field(options, row->offset) != NULL;
	return number_field(options, row->offset) != BM_OPTION_UNSET;
}

static int resolve_one(const struct bm_sys *sys, const struct bm_options *options,
		       struct bm_config *config, size_t id, char *why)
{
	const struct row *row = &table[id];
	const char *text;

	if (is_set(options, row))
		return from_option(config, id, options, why);
	text = sys->getenv(row->info.env);
	config->source[id] = text ? "environment" : "default";
	if (text)
		return set_text(config, id, row->info.env, text, why);
	return set_text(config, id, row->info.name, row->info.standard, why);
}

int bm_options_init(struct bm_options *options, size_t size)
{
	struct bm_options unset = {.size = size};

	if (!options || !bm_struct_size_ok(size, sizeof(unset)))
		return -EINVAL;
	unset.threads = BM_OPTION_UNSET;
	unset.call_pages = BM_OPTION_UNSET;
	unset.retries = BM_OPTION_UNSET;
	unset.retry_us = BM_OPTION_UNSET;
	unset.chunk_kb = BM_OPTION_UNSET;
	unset.pool_mb = BM_OPTION_UNSET;
	unset.local_ranks = BM_OPTION_UNSET;
	unset.pool_idle_ms = BM_OPTION_UNSET;
	unset.max_stall_us = BM_OPTION_UNSET;
	unset.max_bytes_per_s = BM_OPTION_UNSET;
	bm_struct_export(options, size, &unset, sizeof(unset));
	return 0;
}

static int import_options(const struct bm_options *options, struct bm_options *known, char *why)
{
	int rc;

	bm_options_init(known, sizeof(*known));
	if (!options)
		return 0;
	if (!bm_struct_size_ok(options->size, sizeof(*known))) {
		snprintf(why, BM_WHY_MAX, "options.size=%zu is not allowed: call bm_options_init()",
			 options->size);
		return -EINVAL;
	}
	rc = bm_struct_import(known, sizeof(*known), options, options->size);
	if (rc < 0)
		snprintf(why, BM_WHY_MAX,
			 "the options come from a newer version and set what %s does not know",
			 bm_version());
	return rc;
}

int bm_config_resolve(const struct bm_sys *sys, const struct bm_options *options,
		      struct bm_config *config, char *why)
{
	struct bm_options known;
	int first = 0, rc;

	memset(config, 0, sizeof(*config));
	why[0] = '\0';
	rc = import_options(options, &known, why);
	config->log.hook = known.log;
	config->log.user = known.log_user;
	if (rc < 0) {
		char unused[BM_WHY_MAX];

		/* Also where the rest is not looked at, so that the reason can be logged. */
		resolve_one(sys, &known, config, BM_OPTION_LOG, unused);
		config->log.level = (int)config->value[BM_OPTION_LOG];
		return rc;
	}
	/* All rows are looked at, so that the log level holds when another row is bad. */
	for (size_t id = 0; id < BM_OPTION_COUNT; id++) {
		char reason[BM_WHY_MAX];

		rc = resolve_one(sys, &known, config, id, reason);
		if (rc < 0 && first == 0) {
			first = rc;
			memcpy(why, reason, sizeof(reason));
		}
	}
	config->log.level = (int)config->value[BM_OPTION_LOG];
	bm_option_text(config, BM_OPTION_COPY_LOOP, config->copy_loop, sizeof(config->copy_loop));
	return first;
}

void bm_option_text(const struct bm_config *config, size_t index, char *buffer, size_t size)
{
	const struct row *row = &table[index];

	if (row->info.type[0] == 'l')
		snprintf(buffer, size, "%s", config->backend);
	else if (row->info.type[0] == 't')
		snprintf(buffer, size, "%s",
			 index == BM_OPTION_PROFILE ? config->profile : config->stats_file);
	else if (row->info.type[0] == 'i')
		snprintf(buffer, size, "%" PRId64, config->value[index]);
	else
		choice_name(row->info.allowed, config->value[index], buffer, size);
}

/* SPDX-License-Identifier: MIT */
/* options.c - how the value of an option is found and checked. */
#include "options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "option_table.h"
#include "registry.h"
#include "structs.h"

const struct bm_option_info *bm_option_row(size_t index)
{
	return index < BM_OPTION_COUNT ? &bm_option_table[index].info : NULL;
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
static int refuse(char *why, const char *name, const char *value, const struct bm_option_row *row)
{
	snprintf(why, BM_WHY_MAX, "%s=%.80s is not allowed: it must be %s%s%s%s%s", name, value,
		 row->info.type[0] == 'i' ? "a whole number in " : "one of ", row->info.allowed,
		 row->is_power ? ", 0 or a power of two above 1" : "",
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
	const struct bm_option_row *row = &bm_option_table[id];

	if (value < row->min || value > row->max)
		return -EINVAL;
	if (row->is_power && (value == 1 || value & (value - 1)))
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
	const struct bm_option_row *row = &bm_option_table[BM_OPTION_MOVER];
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

/* Where the text of such an option is kept. */
static size_t place_of(size_t id)
{
	switch (id) {
	case BM_OPTION_DSA_WQS:
		return offsetof(struct bm_config, dsa_wqs);
	case BM_OPTION_PTDMA_FUNCTIONS:
		return offsetof(struct bm_config, ptdma_functions);
	case BM_OPTION_PROFILE:
		return offsetof(struct bm_config, profile);
	default:
		return offsetof(struct bm_config, stats_file);
	}
}

void bm_mover_name(enum bm_mover mover, char *buffer, size_t size)
{
	choice_name(bm_option_table[BM_OPTION_MOVER].info.allowed, mover, buffer, size);
}

static int set_text(struct bm_config *config, size_t id, const char *name, const char *text,
		    char *why)
{
	const struct bm_option_row *row = &bm_option_table[id];
	int64_t number = 0;
	int index;

	switch (row->info.type[0]) {
	case 'l':
		if (set_free_text(config->backend, name, text, why) < 0)
			return -EINVAL;
		return bm_registry_check(text, name, NULL, why);
	case 't':
		return set_free_text((char *)config + place_of(id), name, text, why);
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
	const struct bm_option_row *row = &bm_option_table[id];
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

static int is_set(const struct bm_options *options, const struct bm_option_row *row)
{
	if (row->is_string)
		return string_field(options, row->offset) != NULL;
	return number_field(options, row->offset) != BM_OPTION_UNSET;
}

static int resolve_one(const struct bm_sys *sys, const struct bm_options *options,
		       struct bm_config *config, size_t id, char *why)
{
	const struct bm_option_row *row = &bm_option_table[id];
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
	unset.dsa_batch = BM_OPTION_UNSET;
	unset.engine_timeout_ms = BM_OPTION_UNSET;
	unset.engine_least_kb = BM_OPTION_UNSET;
	unset.ptdma_ring = BM_OPTION_UNSET;
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

void bm_config_backend_env(const struct bm_sys *sys, const struct bm_config *config,
			   struct bm_backend_env *env)
{
	const int64_t *value = config->value;

	*env = (struct bm_backend_env){.sys = sys,
				       .log = &config->log,
				       .loop = config->copy_loop,
				       .dsa_wqs = config->dsa_wqs,
				       .batch = (uint32_t)value[BM_OPTION_DSA_BATCH],
				       .ptdma_functions = config->ptdma_functions,
				       .ptdma_access = config->ptdma_access,
				       .ptdma_ring = (uint32_t)value[BM_OPTION_PTDMA_RING],
				       .wait = (enum bm_engine_wait)value[BM_OPTION_ENGINE_WAIT],
				       .page_size = (uint64_t)sys->page_size()};
}

/*
 * Whether there is a device at all, where only such are named; and queues that
 * are named must be names of some.
 */
static int check_devices(const struct bm_sys *sys, const struct bm_config *config, char *why)
{
	const char *source = config->source[BM_OPTION_BACKEND];
	const struct bm_option_info *row = &bm_option_table[BM_OPTION_BACKEND].info;
	struct bm_backend_env env;

	bm_config_backend_env(sys, config, &env);
	if (bm_registry_check_queues(&env, why) < 0)
		return -EINVAL;
	return bm_registry_check(config->backend, *source == 'e' ? row->env : row->name, &env, why);
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
	bm_option_text(config, BM_OPTION_PTDMA_ACCESS, config->ptdma_access,
		       sizeof(config->ptdma_access));
	return first < 0 ? first : check_devices(sys, config, why);
}

void bm_option_text(const struct bm_config *config, size_t index, char *buffer, size_t size)
{
	const struct bm_option_row *row = &bm_option_table[index];

	if (row->info.type[0] == 'l')
		snprintf(buffer, size, "%s", config->backend);
	else if (row->info.type[0] == 't')
		snprintf(buffer, size, "%s", (const char *)config + place_of(index));
	else if (row->info.type[0] == 'i')
		snprintf(buffer, size, "%" PRId64, config->value[index]);
	else
		choice_name(row->info.allowed, config->value[index], buffer, size);
}

/* SPDX-License-Identifier: MIT */
/* choice_settings.c - the fixed settings that auto is compared with, and auto. */
#include "choice.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY_MAX   512
#define LOOPS_MAX 16
#define LOOP_MAX  24

/* Room for the names of copy loops, which settings point to. */
static char loops[LOOPS_MAX][LOOP_MAX];

static struct setting unset(enum kind kind, const char *mover)
{
	return (struct setting){.kind = kind,
				.mover = mover,
				.threads = BM_OPTION_UNSET,
				.chunk_kb = BM_OPTION_UNSET,
				.pool_mb = BM_OPTION_UNSET};
}

static void options_of(const struct setting *setting, struct bm_options *options)
{
	bm_options_init(options, sizeof(*options));
	options->quiet = "yes";
	options->mover = setting->mover;
	options->threads = setting->threads;
	options->chunk_kb = setting->chunk_kb;
	options->pool_mb = setting->pool_mb;
	options->copy_loop = setting->copy_loop;
}

struct bm_context *setting_open(const struct setting *setting)
{
	struct bm_context *context;
	struct bm_options options;
	int rc;

	options_of(setting, &options);
	rc = bm_context_new(&options, &context);
	if (rc < 0) {
		fprintf(stderr, "%s: bm_context_new: %s\n", setting->name, bm_error_text(rc));
		exit(1);
	}
	return context;
}

static void name_number(struct setting *setting, const char *option, int64_t value)
{
	size_t used = strlen(setting->name);

	if (value != BM_OPTION_UNSET)
		snprintf(setting->name + used, sizeof(setting->name) - used, "%s%s %" PRId64,
			 used ? ", " : "", option, value);
}

static void name(struct setting *setting)
{
	if (setting->kind != FIXED) {
		snprintf(setting->name, sizeof(setting->name), "%s",
			 setting->kind == AUTO ? "auto" : "auto again");
		return;
	}
	if (strcmp(setting->mover, "swap") != 0)
		snprintf(setting->name, sizeof(setting->name), "%s", setting->mover);
	name_number(setting, "threads", setting->threads);
	name_number(setting, "chunk_kb", setting->chunk_kb);
	name_number(setting, "pool_mb", setting->pool_mb);
	if (setting->copy_loop)
		snprintf(setting->name, sizeof(setting->name), "copy_loop %s", setting->copy_loop);
	if (!*setting->name)
		snprintf(setting->name, sizeof(setting->name), "swap");
}

static int add(struct setting *settings, int count, struct setting setting)
{
	struct bm_options options;
	char why[WHY_MAX];

	name(&setting);
	options_of(&setting, &options);
	if (bm_options_check(&options, why, sizeof(why)) < 0) {
		fprintf(stderr, "left out: %s: %s\n", setting.name, why);
		return count;
	}
	if (count == RUNNERS_MAX) {
		fprintf(stderr, "more than %d settings\n", RUNNERS_MAX);
		exit(1);
	}
	settings[count] = setting;
	return count + 1;
}

/* 1, 2, 4, 8 and the CPUs; two also where there is one CPU. Unset comes first. */
static int list_threads(const struct choice *choice, int64_t *threads)
{
	static const int usual[] = {1, 2, 4, 8};
	int cpus = choice->setup.cpus < THREADS_MAX ? choice->setup.cpus : THREADS_MAX, count = 0;

	threads[count++] = BM_OPTION_UNSET;
	for (int i = 0; i < 4; i++)
		if (usual[i] <= 2 || usual[i] <= cpus)
			threads[count++] = usual[i];
	if (cpus > threads[count - 1])
		threads[count++] = cpus;
	return count;
}

/* Threads and chunks in every combination. */
static int add_swap(const struct choice *choice, struct setting *settings, int count)
{
	static const int64_t chunks[] = {BM_OPTION_UNSET, 256, 1024, 2048};
	static const int64_t pools[] = {0, 512};
	struct setting setting = unset(FIXED, "swap");
	int64_t threads[6];
	int listed = list_threads(choice, threads);

	for (int i = 0; i < listed; i++)
		for (int j = 0; j < 4; j++) {
			setting.threads = threads[i];
			setting.chunk_kb = chunks[j];
			count = add(settings, count, setting);
		}
	setting = unset(FIXED, "swap");
	for (int i = 0; i < 2; i++) {
		setting.pool_mb = pools[i];
		count = add(settings, count, setting);
	}
	return count;
}

static int add_move_pages(const struct choice *choice, struct setting *settings, int count)
{
	struct setting setting = unset(FIXED, "move_pages");
	int64_t threads[6];
	int listed = list_threads(choice, threads);

	for (int i = 0; choice->setup.two_nodes && i < listed; i++) {
		setting.threads = threads[i];
		count = add(settings, count, setting);
	}
	return count;
}

/* "auto|memcpy|...": what the library says is allowed. */
static int list_loops(void)
{
	const struct bm_option_info *option;
	struct bm_info *info;
	int rc = bm_info_new(NULL, &info), count = 0;

	if (rc < 0)
		library_failed("bm_info_new", rc);
	for (size_t i = 0; (option = bm_info_option(info, i)); i++) {
		const char *at = option->allowed;

		if (strcmp(option->name, "copy_loop") != 0)
			continue;
		for (; *at && count < LOOPS_MAX; at += strcspn(at, "|"), at += *at == '|') {
			snprintf(loops[count], LOOP_MAX, "%.*s", (int)strcspn(at, "|"), at);
			count += strcmp(loops[count], "auto") != 0;
		}
	}
	bm_info_free(info);
	return count;
}

static void keep_line(void *user, int level, const char *line)
{
	(void)level;
	snprintf(user, WHY_MAX, "%s", line);
}

/* A loop that the CPU does not have is refused at first use, and the log says so. */
static int works(const struct choice *choice, const struct setting *setting, char *why)
{
	size_t size = choice->setup.page_size;
	char *page = aligned_alloc(size, size);
	struct bm_context *context = NULL;
	struct bm_options options;
	void *pages[] = {page};
	int node = choice->setup.near, status;

	options_of(setting, &options);
	options.log_level = "error";
	options.log = keep_line;
	options.log_user = why;
	if (!page || bm_context_new(&options, &context) < 0)
		die("to try a copy loop");
	memset(page, 1, size);
	bm_migrate_batch(context, 1, pages, &node, &status, BM_REPLACE);
	bm_context_free(context);
	free(page);
	return !*why;
}

static int add_loops(const struct choice *choice, struct setting *settings, int count)
{
	struct setting setting = unset(FIXED, "swap");
	int listed = list_loops();

	for (int i = 0; i < listed; i++) {
		char why[WHY_MAX] = "";

		setting.copy_loop = loops[i];
		if (works(choice, &setting, why))
			count = add(settings, count, setting);
		else
			fprintf(stderr, "left out: %s\n", why);
	}
	return count;
}

int settings_list(const struct choice *choice, struct setting *settings)
{
	int count = add(settings, 0, unset(AUTO, NULL));

	count = add(settings, count, unset(TWIN, NULL));
	count = add_swap(choice, settings, count);
	count = add_loops(choice, settings, count);
	return add_move_pages(choice, settings, count);
}

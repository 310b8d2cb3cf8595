/* SPDX-License-Identifier: MIT */
/* registry.c - the only file that names the backends. */
#include "registry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "least.h"
#include "cpu/cpu.h"
#include "dsa/dsa.h"
#include "log.h"
#include "ptdma/ptdma.h"

#define COUNT_OF(a)    (sizeof(a) / sizeof((a)[0]))
#define NAME_MAX_BYTES 32

struct row {
	const char *name;
	const struct bm_backend *copies; /* NULL: the kernel does */
	const char *does;
	/* Optional: the option that names its queues; and whether "auto" leaves it out. */
	const char *(*names)(const struct bm_backend_env *env);
	int (*is_risk)(const struct bm_backend_env *env);
};

#define ALLOWED "auto, kernel, cpu, dsa, ptdma"

static const char *dsa_names(const struct bm_backend_env *env)
{
	return env->dsa_wqs;
}

static const char *ptdma_names(const struct bm_backend_env *env)
{
	return env->ptdma_functions;
}

/* Who lets a device write to all of the memory shall also name it. */
static int is_unguarded(const struct bm_backend_env *env)
{
	return env->ptdma_access && strcmp(env->ptdma_access, "uio-unsafe") == 0;
}

static const struct row table[] = {
	{"kernel", NULL, "the kernel copies, with move_pages(2) or mbind(2)", NULL, NULL},
	{"cpu", &bm_backend_cpu, "threads of the process copy, with the mover swap", NULL, NULL},
	{"dsa", &bm_backend_dsa, "work queues of Intel DSA copy, with the mover swap", dsa_names,
	 NULL},
	{"ptdma", &bm_backend_ptdma, "AMD PTDMA or AE4DMA copies, with the mover swap", ptdma_names,
	 is_unguarded},
};

enum { KERNEL, CPU, DEVICES }; /* rows */

/* What one can say of a row here and now; the texts have BM_WHY_MAX bytes. */
static int is_usable(const struct row *row, const struct bm_backend_env *env, char *why,
		     char *remedy)
{
	int probes = env && row->copies && row->copies->probe;

	if (probes && row->copies->probe(env, why, remedy) < 0)
		return 0;
	snprintf(why, BM_WHY_MAX, "%s", row->does);
	return 1;
}

int bm_registry_row(size_t index, const struct bm_backend_env *env, struct bm_facility *row,
		    char *why, char *remedy)
{
	if (index >= COUNT_OF(table))
		return 0;
	row->name = table[index].name;
	row->usable = is_usable(&table[index], env, why, remedy);
	if (row->usable)
		*remedy = '\0';
	row->why = why;
	row->remedy = remedy;
	return 1;
}

const struct bm_backend *bm_registry_backend(size_t index)
{
	return index < COUNT_OF(table) ? table[index].copies : NULL;
}

const char *bm_registry_kernel(void)
{
	return table[KERNEL].name;
}

const char *bm_registry_cpu(void)
{
	return table[CPU].name;
}

/* One of a list, where it is: a batch may bring its own list, so that nothing is copied. */
struct name {
	const char *start;
	size_t length;
};

static int is_word(const struct name *name, const char *word)
{
	return strncmp(name->start, word, name->length) == 0 && !word[name->length];
}

static const struct row *find(const struct name *name)
{
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		if (is_word(name, table[i].name))
			return &table[i];
	}
	return NULL;
}

/* Levenshtein's distance, one row at a time; names are at most NAME_MAX_BYTES. */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_BYTES + 1], width = strlen(b);

	for (size_t j = 0; j <= width; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= width; j++) {
			size_t above = row[j];

			row[j] = bm_least(bm_least(row[j - 1], above) + 1,
					  diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[width];
}

static int unknown(const struct name *word, const char *option, char *why)
{
	const char *near = NULL;
	char name[NAME_MAX_BYTES];
	size_t best = 3; /* more than two letters off is another word */

	snprintf(name, sizeof(name), "%.*s", (int)bm_least(word->length, sizeof(name)),
		 word->start);
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		size_t off = distance(name, table[i].name);

		/* A short name is two letters off almost anything. */
		if (off < best && off < strlen(table[i].name)) {
			best = off;
			near = table[i].name;
		}
	}
	snprintf(why, BM_WHY_MAX, "%s: there is no backend \"%s\"%s%s%s; allowed: " ALLOWED, option,
		 name, near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	return -EINVAL;
}

static size_t explain(char *reasons, size_t used, const char *name, const char *why)
{
	int more = snprintf(reasons + used, BM_WHY_MAX - used, "%s %s: %s", used ? ";" : "", name,
			    why);

	return bm_least(used + (size_t)more, BM_WHY_MAX - 1);
}

static void explain_remedy(char *why, size_t used, const char *remedy)
{
	snprintf(why + used, BM_WHY_MAX - used, "; what helps: %s", remedy);
}

/* The next name of a list, which is moved behind it; 0 at its end. */
static int next_name(const char **list, struct name *name)
{
	if (!*list)
		return 0;
	name->start = *list;
	name->length = strcspn(*list, ",");
	*list = name->start[name->length] ? name->start + name->length + 1 : NULL;
	return 1;
}

int bm_registry_check(const char *list, const char *option, const struct bm_backend_env *env,
		      char *why)
{
	char reasons[BM_WHY_MAX] = "", remedy[BM_WHY_MAX] = "";
	const char *rest = list;
	struct name name;
	size_t used = 0;

	while (next_name(&rest, &name)) {
		if (!find(&name) && !is_word(&name, "auto"))
			return unknown(&name, option, why);
	}
	rest = list;
	while (next_name(&rest, &name)) {
		const struct row *row = find(&name);

		if (!row || is_usable(row, env, why, remedy)) {
			*why = '\0';
			return 0;
		}
		used = explain(reasons, used, row->name, why);
	}
	/* Of several ones there is no room to say what helps each. */
	if (!strchr(list, ',') && remedy[0])
		explain_remedy(reasons, used, remedy);
	snprintf(why, BM_WHY_MAX, "%s: nothing of the list can be had:%.400s; allowed: " ALLOWED,
		 option, reasons);
	return -ENODEV;
}

int bm_registry_check_queues(const struct bm_backend_env *env, char *why)
{
	char remedy[BM_WHY_MAX] = "";

	for (size_t i = DEVICES; i < COUNT_OF(table); i++) {
		const struct row *row = &table[i];
		const char *names = row->names ? row->names(env) : NULL;

		/* Without names there is nothing to be wrong, and looking takes time. */
		if (!names || !*names || row->copies->probe(env, why, remedy) != -EINVAL)
			continue;
		/* Where a value is wrong it is what is allowed. */
		if (remedy[0])
			snprintf(why + strlen(why), BM_WHY_MAX - strlen(why), "; %s", remedy);
		return -EINVAL;
	}
	*why = '\0';
	return 0;
}

static void pick(struct bm_picks *picks, const struct bm_backend *backend)
{
	for (size_t i = 0; i < picks->count; i++) {
		if (picks->list[i] == backend)
			return;
	}
	if (backend && picks->count < BM_ENGINES_MOST)
		picks->list[picks->count++] = backend;
}

/* For "auto": devices before the cpu, which takes what they cannot. */
static void pick_all(const struct bm_backend_env *env, struct bm_picks *picks)
{
	for (size_t i = DEVICES; i < COUNT_OF(table); i++) {
		if (!table[i].is_risk || !table[i].is_risk(env))
			pick(picks, table[i].copies);
	}
	pick(picks, table[CPU].copies);
}

void bm_registry_picks(const char *list, const struct bm_backend_env *env, struct bm_picks *picks)
{
	struct name name;

	while (next_name(&list, &name)) {
		const struct row *row = find(&name);

		if (row == &table[KERNEL])
			return; /* what comes after the kernel is never needed */
		if (row) {
			picks->named |= row->copies != NULL;
			pick(picks, row->copies);
		} else {
			pick_all(env, picks);
		}
	}
}

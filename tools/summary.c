/* SPDX-License-Identifier: MIT */
/* summary.c - what came of a migration: for people, as JSON, and as exit status. */
#include "migrate.h"

#include <errno.h>
#include <string.h>

uint64_t migration_found(const struct migration *migration)
{
	uint64_t sum = 0;

	for (int kind = 0; kind < MAPPING_KINDS; kind++)
		sum += migration->found[kind];
	return sum;
}

uint64_t migration_moved(const struct migration *migration)
{
	return migration->tally.moved * migration->page_size;
}

const char *migration_note(const struct migration *migration)
{
	if (migration->arguments->dry_run)
		return NULL;
	if (!migration->sees_huge && (migration->max_stall_us || migration->max_bytes_per_s))
		return "this kernel (before Linux 6.7) does not tell which pages are huge before "
		       "they move: for them neither a bound nor a rate holds";
	if (!migration->max_stall_us)
		return NULL;
	return migration->is_wish
		       ? "the kernel moves the pages of another process: the bound sizes its "
			 "calls; a huge page that takes longer is moved nevertheless"
		       : "the kernel moves the pages of another process: the bound sizes its "
			 "calls; a huge page that takes longer is left where it is";
}

static int status_of(const struct migration *migration)
{
	const struct bm_tally *tally = &migration->tally;

	if (migration->arguments->dry_run)
		return migration->stopped || migration->error ? EXIT_FAILED : EXIT_ALL;
	/* Ended before anything was tried: that is not a matter of pages. */
	if (migration->error && tally->pages == 0)
		return EXIT_FAILED;
	if (tally->failed == 0 && migration->unknown == 0 && !migration->stopped &&
	    !migration->error)
		return EXIT_ALL;
	return tally->moved + tally->already > 0 ? EXIT_SOME : EXIT_NONE;
}

static const char *error_name(int error)
{
	const char *name = strerrorname_np(error);

	if (error == 0)
		return "elsewhere";
	return name ? name : "other";
}

static void print_row(const struct migration *migration, const char *name, uint64_t pages,
		      const char *text)
{
	printf("  %-12s %12llu %10.1f%s%s\n", name, (unsigned long long)pages,
	       (double)(pages * migration->page_size) / MIB, *text ? "  " : "", text);
}

static void print_unknown(const struct migration *migration)
{
	if (migration->unknown)
		print_row(migration, "unknown", migration->unknown / migration->page_size,
			  "on a node that this kernel does not tell; --from any moves them, too");
}

static void print_found(const struct migration *migration)
{
	uint64_t page_size = migration->page_size;

	printf("Process %d: would be moved to node %d%s\n  %-12s %12s %10s\n",
	       (int)migration->arguments->pid, migration->arguments->to,
	       migration->stopped ? " (stopped: not all was counted)" : "", "mapping", "pages",
	       "MiB");
	for (int kind = 0; kind < MAPPING_KINDS; kind++) {
		if (migration->found[kind])
			print_row(migration, mapping_kind_name((enum mapping_kind)kind),
				  migration->found[kind] / page_size, "");
	}
	print_row(migration, "all", migration_found(migration) / page_size, "");
	if (migration->shared)
		print_row(migration, "shared", migration->shared / page_size,
			  migration->arguments->all ? "of these, and moved all the same"
						    : "of these, which stay without --all");
	print_unknown(migration);
}

static void print_errors(const struct migration *migration)
{
	const struct bm_tally *tally = &migration->tally;

	for (size_t i = 0; i < BM_ERRNO_SLOTS && tally->by_errno[i].pages; i++) {
		int error = tally->by_errno[i].error;

		print_row(migration, error_name(error), tally->by_errno[i].pages,
			  error ? bm_error_text(error) : "on another node than asked");
		if (error == EACCES && !migration->arguments->all)
			printf("  %36s  shared pages move with --all (needs CAP_SYS_NICE)\n", "");
		if (error == ETIME)
			printf("  %36s  %s: moves with a larger --max-stall-us, or --bound wish\n",
			       "", bm_reason_name(BM_REASON_BOUND));
	}
}

static void print_longest(const struct migration *migration)
{
	if (!migration->ns_call_max)
		return;
	printf("Longest call of the kernel: %.0f us", (double)migration->ns_call_max / 1000);
	if (migration->max_stall_us)
		printf(", the bound is %lld us%s", (long long)migration->max_stall_us,
		       migration->is_wish ? " (a wish)" : "");
	putchar('\n');
}

static void print_outcome(const struct migration *migration)
{
	const struct arguments *arguments = migration->arguments;
	const struct bm_tally *tally = &migration->tally;
	double seconds = migration->seconds;
	char from[32] = "other nodes";

	if (arguments->from != ANY_NODE)
		snprintf(from, sizeof(from), "node %d", arguments->from);
	printf("Process %d: %.1f MiB on %s, %.1f MiB moved to node %d in %.2f s, %.1f MB/s\n",
	       (int)arguments->pid, (double)migration_found(migration) / MIB, from,
	       (double)migration_moved(migration) / MIB, arguments->to, seconds,
	       seconds > 0 ? (double)migration_moved(migration) / seconds / 1e6 : 0);
	printf("  %-12s %12s %10s\n", "", "pages", "MiB");
	print_row(migration, "moved", tally->moved, "");
	if (tally->already)
		print_row(migration, "already", tally->already, "moved there by somebody else");
	print_row(migration, "not moved", tally->failed, "");
	print_errors(migration);
	print_unknown(migration);
	print_longest(migration);
	if (migration->stopped)
		printf("Stopped by a signal; what was moved stays moved\n");
}

static json_t *json_errors(const struct bm_tally *tally)
{
	json_t *errors = json_object();

	for (size_t i = 0; i < BM_ERRNO_SLOTS && tally->by_errno[i].pages; i++)
		json_object_set_new(errors, error_name(tally->by_errno[i].error),
				    json_integer((json_int_t)tally->by_errno[i].pages));
	return errors;
}

static json_t *json_reasons(const struct migration *migration)
{
	json_t *reasons = json_object();

	for (int reason = 0; reason < BM_REASON_SLOTS; reason++) {
		if (migration->why[reason])
			json_object_set_new(reasons, bm_reason_name(reason),
					    json_integer((json_int_t)migration->why[reason]));
	}
	return reasons;
}

static json_t *json_found(const struct migration *migration)
{
	json_t *found = json_object();

	for (int kind = 0; kind < MAPPING_KINDS; kind++)
		json_object_set_new(found, mapping_kind_name((enum mapping_kind)kind),
				    json_integer((json_int_t)migration->found[kind]));
	return found;
}

static json_t *json_asked(const struct migration *migration)
{
	const struct arguments *arguments = migration->arguments;

	return json_pack("{s:i, s:o, s:i, s:b, s:I, s:s, s:I, s:s?}", "pid", (int)arguments->pid,
			 "from",
			 arguments->from == ANY_NODE ? json_null() : json_integer(arguments->from),
			 "to", arguments->to, "dry_run", arguments->dry_run, "max_stall_us",
			 (json_int_t)migration->max_stall_us, "bound",
			 migration->is_wish ? "wish" : "strict", "max_bytes_per_s",
			 (json_int_t)migration->max_bytes_per_s, "note", migration_note(migration));
}

static json_t *json_bytes(const struct migration *migration)
{
	return json_pack("{s:b, s:I, s:I, s:o, s:I, s:I, s:I}", "stopped", migration->stopped,
			 "page_size", (json_int_t)migration->page_size, "bytes_found",
			 (json_int_t)migration_found(migration), "bytes_by_mapping",
			 json_found(migration), "bytes_shared", (json_int_t)migration->shared,
			 "bytes_unknown", (json_int_t)migration->unknown, "bytes_moved",
			 (json_int_t)migration_moved(migration));
}

static json_t *json_outcome(const struct migration *migration, const char *result)
{
	const struct bm_tally *tally = &migration->tally;

	return json_pack("{s:I, s:I, s:I, s:I, s:o, s:o, s:I, s:f, s:s}", "pages",
			 (json_int_t)tally->pages, "moved", (json_int_t)tally->moved, "already",
			 (json_int_t)tally->already, "failed", (json_int_t)tally->failed, "errors",
			 json_errors(tally), "reasons", json_reasons(migration), "ns_call_max",
			 (json_int_t)migration->ns_call_max, "seconds", migration->seconds,
			 "result", result);
}

/* NULL without memory for a part of it. */
static json_t *make_json(const struct migration *migration, const char *result)
{
	json_t *object = json_asked(migration);
	json_t *parts[] = {json_bytes(migration), json_outcome(migration, result)};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!parts[i] || json_object_update(object, parts[i]) < 0) {
			json_decref(object);
			object = NULL;
		}
		json_decref(parts[i]);
	}
	return object;
}

int migration_finish(const struct migration *migration)
{
	static const char *const results[] = {"all", "failed", "", "some", "none"};
	const struct arguments *arguments = migration->arguments;
	int status = status_of(migration), printed = 0;

	if (migration->error && status == EXIT_FAILED)
		return report_error(arguments, migration->error);
	if (arguments->json)
		printed = print_json(make_json(migration, results[status]));
	else if (arguments->dry_run)
		print_found(migration);
	else
		print_outcome(migration);
	/* Ended half way: what was moved is told, and then why it stopped. */
	if (migration->error)
		report_error(arguments, migration->error);
	else if (arguments->dry_run && migration->stopped)
		complain("stopped by a signal before everything was counted");
	return printed ? printed : status;
}

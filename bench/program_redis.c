/* SPDX-License-Identifier: MIT */
/*
 * program_redis.c - a redis-server of its own under load, before, during and
 * after its memory migrates.
 *
 * Half of its memory are values that nobody touches, each of its own. The load
 * works on the other half: SET ... GET, a request that reads a value and writes
 * one to other memory. All its values are one letter, in each phase another one: a
 * value of two letters is one of which a write got lost. Then all have their first
 * value again, and the digest of all data must be what it was.
 *
 * The quiet promise holds for this server: it uses plain read(2) and write(2) on
 * its sockets, no zero-copy, one thread does all I/O, and nothing is saved, so
 * it does not fork.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "children.h"
#include "program.h"

#define VALUE_BYTES     1000 /* 1024 with what the allocator rounds up */
#define KEYS_PER_CALL   20000
#define START_SECONDS   120 /* in an emulated machine */
#define CALL_SECONDS    120
#define WARM_UP         2000 /* requests, and then as many as last for a phase */
#define WARM_UP_SECONDS 300
#define FIELDS          7
#define FIRST_LETTER    'v'
#define LETTERS         26

struct server {
	struct program *program;
	struct child *child;
	char socket[128], log[128], inside[128];
	char value[VALUE_BYTES + 1];
	size_t keys;   /* of each half */
	long requests; /* of a phase */
	int loads;
	int preloaded;
};

/* -------------------------------------------------------------------- calls */

/* What redis-cli says to up to eight words; the caller frees it. */
static char *call(struct server *server, const char *const words[])
{
	const char *argv[16] = {"redis-cli", "-s", server->socket};
	const struct child_options options = {.argv = argv, .node = -1};
	char *text;
	int count = 3;

	for (; *words && count < 15; words++)
		argv[count++] = *words;
	text = child_answer(child_start(&options), CALL_SECONDS, server->child);
	text[strcspn(text, "\r\n")] = '\0';
	return text;
}
#define CALL(server, ...) call(server, (const char *const[]){__VA_ARGS__, NULL})

/* The same for what must answer "OK". */
static void demand(const char *what, char *answer)
{
	if (strcmp(answer, "OK") != 0) {
		fprintf(stderr, "redis-server, %s: %s\n", what, answer);
		exit(1);
	}
	free(answer);
}

/* ------------------------------------------------------------------ server */

static void wait_until_ready(struct server *server)
{
	for (int i = 0; i < START_SECONDS * 10; i++) {
		child_check(server->child);
		if (access(server->socket, F_OK) == 0) {
			char *answer = CALL(server, "ping");
			int ready = strcmp(answer, "PONG") == 0;

			free(answer);
			if (ready)
				return;
		}
		children_pause(100);
	}
	fprintf(stderr, "redis-server was not ready after %d s\n", START_SECONDS);
	exit(1);
}

static void start(struct server *server)
{
	const char *folder = children_folder();
	char preload[512], inside[160];
	char *variables[] = {preload, inside, NULL};
	const char *argv[] = {"redis-server",
			      "--port",
			      "0",
			      "--unixsocket",
			      server->socket,
			      "--save",
			      "",
			      "--appendonly",
			      "no",
			      "--io-threads",
			      "1",
			      "--enable-debug-command",
			      "local",
			      "--maxmemory-policy",
			      "noeviction",
			      "--daemonize",
			      "no",
			      "--dir",
			      folder,
			      NULL};
	struct child_options options = {.argv = argv, .output = server->log};

	snprintf(server->socket, sizeof(server->socket), "%s/redis.sock", folder);
	snprintf(server->inside, sizeof(server->inside), "%s/inside.sock", folder);
	snprintf(server->log, sizeof(server->log), "%s/log", folder);
	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s",
		 server->program->inside ? server->program->inside : "");
	snprintf(inside, sizeof(inside), "BATCHMIG_INSIDE=%s", server->inside);
	options.variables = server->preloaded ? variables : NULL;
	/* Preferred, not bound: an ordinary process whose memory happens to be there. */
	options.node = server->program->setup.two_nodes ? server->program->setup.near : -1;
	server->child = child_start(&options);
	wait_until_ready(server);
	if (server->preloaded && access(server->inside, F_OK) != 0) {
		fprintf(stderr, "%s does not work in redis-server, which would have to make %s\n",
			server->program->inside, server->inside);
		exit(1);
	}
}

/* The keys have twelve digits, as redis-benchmark has them. */
static const char fill_script[] = "for i = ARGV[1], ARGV[2] - 1 do redis.call('SET', "
				  "string.format('load:%012d', i), ARGV[3]) end "
				  "return redis.status_reply('OK')";
static const char check_script[] =
	"for i = ARGV[1], ARGV[2] - 1 do "
	"local key = string.format('load:%012d', i) local value = redis.call('GET', key) "
	"if not value or value ~= string.rep(string.sub(value, 1, 1), #ARGV[3]) then "
	"return redis.status_reply(key .. ' is wrong') end end return redis.status_reply('OK')";

/* With ARGV: the first key, the one behind the last, a value. Not all at once: it would answer
 * nobody meanwhile. */
static void for_all_keys(struct server *server, const char *what, const char *script)
{
	char from[24], to[24];

	memset(server->value, FIRST_LETTER, VALUE_BYTES);
	for (size_t i = 0; i < server->keys; i += KEYS_PER_CALL) {
		size_t end = i + KEYS_PER_CALL;

		snprintf(from, sizeof(from), "%zu", i);
		snprintf(to, sizeof(to), "%zu", end < server->keys ? end : server->keys);
		demand(what, CALL(server, "eval", script, "0", from, to, server->value));
	}
}

static void fill(struct server *server)
{
	char count[24], size[24];

	server->keys = (server->program->setup.mb << 20) / (VALUE_BYTES + 24) / 2;
	snprintf(count, sizeof(count), "%zu", server->keys);
	snprintf(size, sizeof(size), "%d", VALUE_BYTES);
	demand("DEBUG POPULATE", CALL(server, "debug", "populate", count, "key", size));
	for_all_keys(server, "filling it", fill_script);
}

static char *digest(struct server *server)
{
	char *text = CALL(server, "debug", "digest");

	if (strlen(text) != 40 || strspn(text, "0123456789abcdef") != 40) {
		fprintf(stderr, "redis-server, DEBUG DIGEST: %s\n", text);
		exit(1);
	}
	return text;
}

/* -------------------------------------------------------------------- load */

static char *benchmark(struct server *server, long requests)
{
	char count[24], keys[24], clients[24];
	const char *argv[] = {"redis-benchmark",
			      "-s",
			      server->socket,
			      "-c",
			      clients,
			      "-n",
			      count,
			      "-r",
			      keys,
			      "--csv",
			      "SET",
			      "load:__rand_int__",
			      server->value,
			      "GET",
			      NULL};
	const struct child_options options = {.argv = argv, .node = -1};

	snprintf(count, sizeof(count), "%ld", requests);
	snprintf(keys, sizeof(keys), "%zu", server->keys);
	snprintf(clients, sizeof(clients), "%d", server->program->clients);
	return child_answer(child_start(&options),
			    WARM_UP_SECONDS + 20.0 * server->program->seconds, server->child);
}

/* "SET ...","56179.77",...: the name may have anything in it, the last fields are numbers. */
static int last_fields(const char *text, double values[FIELDS])
{
	const char *at = text + strlen(text);

	for (int i = FIELDS - 1; i >= 0; i--) {
		/* Before the quote at the end of the field, and to the one at its start. */
		do
			at--;
		while (at > text && *at != '"');
		do
			at--;
		while (at > text && *at != '"');
		if (at <= text || sscanf(at, "\"%lf\"", &values[i]) != 1)
			return -1;
	}
	return 0;
}

/* 1/s, and milliseconds. */
enum { FIELD_RATE, FIELD_MEAN, FIELD_MIN, FIELD_P50, FIELD_P95, FIELD_P99, FIELD_MAX };

static void load(struct server *server, long requests, double values[FIELDS])
{
	static const char head[] = "\"rps\",\"avg_latency_ms\",\"min_latency_ms\","
				   "\"p50_latency_ms\",\"p95_latency_ms\",\"p99_latency_ms\","
				   "\"max_latency_ms\"";
	char *text;

	memset(server->value, 'a' + server->loads++ % LETTERS, VALUE_BYTES);
	text = benchmark(server, requests);
	if (!strstr(text, head) || last_fields(text, values) < 0) {
		fprintf(stderr,
			"redis-benchmark is older than 7.0, or says what is not "
			"understood: %.200s\n",
			text);
		exit(1);
	}
	free(text);
}

static void warm_up(struct server *server)
{
	double values[FIELDS];

	load(server, WARM_UP, values);
	load(server, (long)values[FIELD_RATE] + 1, values);
	server->requests = (long)(values[FIELD_RATE] * server->program->seconds) + 1;
}

static void run_phase(struct server *server, int round, int mover, enum phase phase)
{
	struct program *program = server->program;
	double values[FIELDS];

	load(server, server->requests, values);
	measured_put(program, round, mover, phase, METRIC_REQUESTS, values[FIELD_RATE]);
	measured_put(program, round, mover, phase, METRIC_P50, values[FIELD_P50] * 1000);
	measured_put(program, round, mover, phase, METRIC_P99, values[FIELD_P99] * 1000);
	measured_put(program, round, mover, phase, METRIC_MAX, values[FIELD_MAX] * 1000);
}

static void run_mover(struct server *server, int round, int mover)
{
	struct program *program = server->program;
	const char *name = program->names[mover];
	struct migration *migration;

	if (!server->preloaded && !migration_from_outside(name))
		return;
	run_phase(server, round, mover, PHASE_BEFORE);
	migration = migration_start(program, name, child_pid(server->child), server->inside);
	run_phase(server, round, mover, PHASE_DURING);
	migration_stop(migration, program, round, mover);
	run_phase(server, round, mover, PHASE_AFTER);
}

/* -------------------------------------------------------------------- part */

static int left_out(struct program *program)
{
	int outside = 0;

	if (!child_found("redis-server") || !child_found("redis-benchmark")) {
		fprintf(stderr, "redis is left out: redis-server and redis-benchmark are missing "
				"(Debian: redis-server, redis-tools)\n");
		return 1;
	}
	if (!program->inside)
		program->inside = program_beside("batchmig-inside.so", ".");
	if (!program->inside)
		program->inside = program_beside("batchmig-inside.so", INSIDE_INSTALLED);
	if (program->inside && access(program->inside, R_OK) == 0)
		return 0;
	fprintf(stderr, "redis: movers that work inside of it are left out: %s is missing\n",
		program->inside ? program->inside : "batchmig-inside.so");
	program->inside = NULL;
	for (int i = 0; i < program->name_count; i++)
		outside += migration_from_outside(program->names[i]);
	return outside == 0;
}

static void check(struct server *server, const char *before)
{
	char *after;

	for_all_keys(server, "its values afterwards", check_script);
	for_all_keys(server, "filling it again", fill_script);
	after = digest(server);
	if (strcmp(before, after) != 0) {
		fprintf(stderr, "the data of redis-server changed: its digest was %s, and is %s\n",
			before, after);
		exit(1);
	}
	printf("redis-server: the digest of its %zu values is what it was\n", 2 * server->keys);
	free(after);
}

int program_redis(struct program *program)
{
	static struct server server;
	char *before;

	if (left_out(program))
		return 0;
	server = (struct server){.program = program, .preloaded = program->inside != NULL};
	start(&server);
	fill(&server);
	before = digest(&server);
	warm_up(&server);
	for (int round = 0; round < program->setup.rounds; round++)
		for (int i = 0; i < program->name_count; i++)
			run_mover(&server, round, (round + i) % program->name_count);
	check(&server, before);
	free(before);
	children_end();
	return 1;
}

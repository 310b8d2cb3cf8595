/* SPDX-License-Identifier: MIT */
/* arguments.c - the command line, by argp; every mistake is one line and status 2. */
#include "tool.h"

#include <argp.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_OPTIONS = 256, KEY_DRY_RUN };

static const struct argp_option options_info[] = {
	{"options", KEY_OPTIONS, NULL, 0, "Only the options and their values", 0},
	{"json", 'j', NULL, 0, "One JSON object on standard output", 0},
	{0},
};

static const struct argp_option options_query[] = {
	{"pid", 'p', "PID", 0, "The process", 0},
	{"map", 'm', "heap|anon|0xA-0xB", 0, "Only these mappings; may be repeated", 0},
	{"json", 'j', NULL, 0, "One JSON object on standard output", 0},
	{0},
};

static const struct argp_option options_migrate[] = {
	{"pid", 'p', "PID", 0, "The process", 0},
	{"from", 'f', "NODE|any", 0, "Pages that are on this node", 0},
	{"to", 't', "NODE", 0, "Where they are to be", 0},
	{"map", 'm', "heap|anon|0xA-0xB", 0, "Only these mappings; may be repeated", 0},
	{"all", 'a', NULL, 0, "Also pages shared with other processes (CAP_SYS_NICE)", 0},
	{"dry-run", KEY_DRY_RUN, NULL, 0, "Tell what would be moved, move nothing", 0},
	{"quiet", 'q', NULL, 0, "No progress", 0},
	{"json", 'j', NULL, 0, "One JSON object on standard output, no progress", 0},
	{0},
};

static error_t parse(int key, char *value, struct argp_state *state);

static const struct argp parser_info = {options_info, parse, NULL,
					"Nodes, kernel facts, movers, backends and options.",
					NULL, NULL, NULL};
static const struct argp parser_query = {options_query, parse, NULL,
					 "On which nodes the pages of a process are.",
					 NULL, NULL, NULL};
static const struct argp parser_migrate = {
	options_migrate, parse, NULL,
	"Moves the pages of a process from one node to another.\v"
	"Status 0: all are there; 3: some; 4: none; 1: failed; 2: bad arguments.",
	NULL, NULL, NULL};

static const struct {
	const char *name;
	const struct argp *parser;
} commands[] = {
	{"info", &parser_info},
	{"query", &parser_query},
	{"migrate", &parser_migrate},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

void usage_error(const char *format, ...)
{
	va_list args;

	fputs("batchmig: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(EXIT_USAGE);
}

static long number(const char *name, const char *text, long least, long most)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || end == text || *end || text[0] < '0' || text[0] > '9' || value < least ||
	    value > most)
		usage_error("%s %s is not allowed: a number in %ld..%ld", name, text, least, most);
	return value;
}

static int add_range(struct selection *selection, const char *text)
{
	char *middle, *end;

	errno = 0;
	selection->kind = SELECT_RANGE;
	selection->start = strtoull(text, &middle, 16);
	if (errno || strncmp(text, "0x", 2) != 0 || middle == text + 2 || *middle != '-' ||
	    strncmp(middle + 1, "0x", 2) != 0)
		return 0;
	selection->end = strtoull(middle + 1, &end, 16);
	return !errno && !*end && end != middle + 3 && selection->end > selection->start;
}

static void add_selection(struct arguments *arguments, const char *text)
{
	struct selection *selection = &arguments->selections[arguments->selection_count];

	if (arguments->selection_count == SELECTIONS_MAX)
		usage_error("--map %s is one too many: at most %d are allowed", text,
			    SELECTIONS_MAX);
	arguments->selection_count++;
	if (strcmp(text, "heap") == 0)
		selection->kind = SELECT_HEAP;
	else if (strcmp(text, "anon") == 0)
		selection->kind = SELECT_ANON;
	else if (!add_range(selection, text))
		usage_error("--map %s is not allowed: heap, anon, or a range 0xA-0xB with A < B",
			    text);
}

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'p':
		arguments->pid = (pid_t)number("--pid", value, 1, 1 << 22);
		return 0;
	case 'f':
		arguments->has_from = 1;
		arguments->from = ANY_NODE;
		if (strcmp(value, "any") != 0)
			arguments->from = (int)number("--from", value, 0, 1023);
		return 0;
	case 't':
		arguments->has_to = 1;
		arguments->to = (int)number("--to", value, 0, 1023);
		return 0;
	case 'm':
		add_selection(arguments, value);
		return 0;
	case 'a':
		arguments->all = 1;
		return 0;
	case 'j':
		arguments->json = 1;
		return 0;
	case 'q':
		arguments->quiet = 1;
		return 0;
	case KEY_DRY_RUN:
		arguments->dry_run = 1;
		return 0;
	case KEY_OPTIONS:
		arguments->options = 1;
		return 0;
	case ARGP_KEY_ARG:
		usage_error("%s is not allowed here: see batchmig %s --help", value,
			    arguments->command);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void print_help(FILE *file)
{
	fputs("Usage: batchmig info [--options] [--json]\n"
	      "       batchmig query --pid PID [--map heap|anon|0xA-0xB]... [--json]\n"
	      "       batchmig migrate --pid PID --from NODE|any --to NODE [--map ...]...\n"
	      "                        [--all] [--dry-run] [--quiet] [--json]\n"
	      "       batchmig --version | --help\n"
	      "\n"
	      "Moves the pages of processes between NUMA nodes; see batchmig(1).\n",
	      file);
}

static const struct argp *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].parser;
	}
	return NULL;
}

/* The first letters are what one remembers. */
static const char *near_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strncmp(commands[i].name, name, 2) == 0)
			return commands[i].name;
	}
	return NULL;
}

/* argp would print several lines and exit with a status of its own. */
static void check_options(const struct argp *parser, const char *command, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		size_t length = strcspn(word, "="), matches = 0;
		const struct argp_option *option, *found = NULL;

		if (strcmp(word, "--help") == 0 || strcmp(word, "--usage") == 0)
			return;
		if (word[0] != '-' || word[1] == '\0')
			continue;
		for (option = parser->options; option->name; option++) {
			int is_long = word[1] == '-' && length > 2 &&
				      strncmp(option->name, word + 2, length - 2) == 0;

			if (is_long || (word[1] != '-' && option->key == word[1])) {
				found = option;
				matches++;
			}
		}
		if (matches != 1)
			usage_error("%s is not an option of %s: see batchmig %s --help", word,
				    command, command);
		if (found->arg && word[length] != '=' && (word[1] == '-' || !word[2]) && ++i == argc)
			usage_error("%s needs a value: %s", word, found->arg);
		if (!found->arg && word[length] == '=')
			usage_error("%s takes no value", word);
	}
}

static void check_required(const struct arguments *arguments)
{
	if (strcmp(arguments->command, "info") == 0)
		return;
	if (!arguments->pid)
		usage_error("%s needs --pid PID", arguments->command);
	if (strcmp(arguments->command, "query") == 0)
		return;
	if (!arguments->has_from || !arguments->has_to)
		usage_error("migrate needs --from NODE (or any) and --to NODE");
	if (arguments->from == arguments->to)
		usage_error("--from %d and --to %d are the same node", arguments->from,
			    arguments->to);
}

void arguments_parse(struct arguments *arguments, int argc, char **argv)
{
	const struct argp *parser;

	memset(arguments, 0, sizeof(*arguments));
	if (argc < 2)
		usage_error("a command is needed: info, query or migrate");
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
		print_help(stdout);
		exit(fflush(stdout) ? EXIT_FAILED : EXIT_ALL);
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("batchmig %s\n", bm_version());
		exit(fflush(stdout) ? EXIT_FAILED : EXIT_ALL);
	}
	parser = find_command(argv[1]);
	if (!parser) {
		const char *near = near_command(argv[1]);

		usage_error("there is no command %s%s%s%s: info, query or migrate", argv[1],
			    near ? ", did you mean " : "", near ? near : "", near ? "?" : "");
	}
	arguments->command = argv[1];
	check_options(parser, argv[1], argc - 1, argv + 1);
	argp_parse(parser, argc - 1, argv + 1, 0, NULL, arguments);
	check_required(arguments);
}

/* SPDX-License-Identifier: MIT */
/* arguments.c - the command line, by argp; every mistake is one line and status 2. */
#include "values.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

#define PID_MOST   (1 << 22) /* PID_MAX_LIMIT of the kernel */
#define NODE_MOST  1023      /* of the library, and of the largest configuration of Linux */
#define STALL_MOST 60000000  /* of the library */
#define MAPS       "heap|anon|0xA-0xB"

enum { KEY_OPTIONS = 256, KEY_DRY_RUN, KEY_MAX_STALL_US, KEY_BOUND, KEY_RATE };

static const struct argp_option options_info[] = {
	{"options", KEY_OPTIONS, NULL, 0, "Only the options and their values", 0},
	{"json", 'j', NULL, 0, "One JSON object on standard output", 0},
	{"help", 'h', NULL, 0, "This text", -1},
	{0},
};

static const struct argp_option options_query[] = {
	{"pid", 'p', "PID", 0, "The process", 0},
	{"map", 'm', MAPS, 0, "Only these mappings; may be repeated", 0},
	{"json", 'j', NULL, 0, "One JSON object on standard output", 0},
	{"help", 'h', NULL, 0, "This text", -1},
	{0},
};

static const struct argp_option options_migrate[] = {
	{"pid", 'p', "PID", 0, "The process", 0},
	{"from", 'f', "NODE|any", 0, "Pages that are on this node, or on any other than --to", 0},
	{"to", 't', "NODE", 0, "Where they are to be", 0},
	{"map", 'm', MAPS, 0, "Only these mappings; may be repeated", 0},
	{"all", 'a', NULL, 0, "Also pages shared with other processes (CAP_SYS_NICE)", 0},
	{"max-stall-us", KEY_MAX_STALL_US, "N", 0,
	 "Calls of the kernel so small that none takes longer, in microseconds; 0: any", 0},
	{"bound", KEY_BOUND, "strict|wish", 0,
	 "What takes longer than that all the same, a huge page, stays (strict) or moves", 0},
	{"rate", KEY_RATE, "BYTES/S", 0,
	 "At most so many bytes in a second, also as 200M, 64Mi, 1G; 0: any", 0},
	{"dry-run", KEY_DRY_RUN, NULL, 0, "Tell what would be moved, move nothing", 0},
	{"quiet", 'q', NULL, 0, "No progress", 0},
	{"json", 'j', NULL, 0, "One JSON object on standard output, no progress", 0},
	{"help", 'h', NULL, 0, "This text", -1},
	{0},
};

static const struct argp_option options_tune[] = {
	{"output", 'o', "FILE", 0,
	 "Where the profile is to be; $XDG_CONFIG_HOME/batchmig/profile, or in ~/.config", 0},
	{"quiet", 'q', NULL, 0, "No progress", 0},
	{"help", 'h', NULL, 0, "This text", -1},
	{0},
};

#define MAPS_DOC                                                                                \
	"--map heap is the mapping [heap]; anon: private mappings without a file, [heap] and "  \
	"[stack] not among them; 0xA-0xB: every page that has a byte in it. Without --map all " \
	"mappings are taken but those of the kernel (vdso, vvar, vsyscall)."

static error_t parse(int key, char *value, struct argp_state *state);

static const struct argp parser_info = {
	.options = options_info,
	.parser = parse,
	.doc = "Nodes, kernel facts, movers, backends with their queues, and options.",
};
static const struct argp parser_query = {
	.options = options_query,
	.parser = parse,
	.doc = "On which nodes the pages of a process are.\v" MAPS_DOC,
};
static const struct argp parser_migrate = {
	.options = options_migrate,
	.parser = parse,
	.doc = "Moves the pages of a process from one node to another.\v" MAPS_DOC
	       "\n\nStatus 0: all are there, or there were none; 3: some; 4: none; 1: it could not "
	       "be done; 2: bad arguments. SIGINT and SIGTERM stop it after the call under way: "
	       "the status tells what was moved until then. A second one ends it at once.",
};

static const struct argp parser_tune = {
	.options = options_tune,
	.parser = parse,
	.doc = "Measures this machine and writes a profile, for BATCHMIG_PROFILE.\vSome seconds "
	       "for "
	       "each pair of nodes; the machine should be idle meanwhile.",
};

static const struct {
	const char *name;
	const struct argp *parser;
} commands[] = {
	{"info", &parser_info},
	{"query", &parser_query},
	{"migrate", &parser_migrate},
	{"tune", &parser_tune},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

__attribute__((noreturn)) static void print_command_help(const char *command,
							 const struct argp *parser)
{
	char name[32];

	snprintf(name, sizeof(name), "batchmig %s", command);
	argp_help(parser, stdout, ARGP_HELP_STD_HELP, name);
	exit(close_output(EXIT_ALL));
}

/* NULL also when an abbreviation fits several. */
static const struct argp_option *find_long(const struct argp *parser, const char *name,
					   size_t length)
{
	const struct argp_option *option, *found = NULL;

	for (option = parser->options; option->name; option++) {
		if (strncmp(option->name, name, length) != 0)
			continue;
		if (option->name[length] == '\0')
			return option;
		if (found)
			return NULL;
		found = option;
	}
	return found;
}

/* The option of "-jp" that getopt stumbled over: the first unknown, or the last one. */
static const struct argp_option *find_short(const struct argp *parser, const char *letters)
{
	const struct argp_option *option = NULL;

	for (; *letters; letters++) {
		for (option = parser->options; option->name; option++) {
			if (option->key == *letters)
				break;
		}
		if (!option->name)
			return NULL;
		if (option->arg)
			break;
	}
	return option;
}

static int is_cluster(const char *word)
{
	return word && word[0] == '-' && word[1] != '-' && word[1];
}

/* argp's own message would have several lines and name the wrong program. */
__attribute__((noreturn)) static void bad_option(const struct argp_state *state)
{
	const struct arguments *arguments = state->input;
	const struct argp *parser = state->root_argp;
	const char *word = state->argv[state->next - 1];
	const struct argp_option *option;

	/* getopt has not gone past a group of letters in the middle of which it stopped. */
	if (is_cluster(state->argv[state->next]) &&
	    !find_short(parser, state->argv[state->next] + 1))
		word = state->argv[state->next];
	if (is_cluster(word))
		option = find_short(parser, word + 1);
	else
		option = find_long(parser, word + 2, strcspn(word + 2, "="));
	if (option && option->arg)
		usage_error("%s needs a value: %s", word, option->arg);
	if (option)
		usage_error("%s is not allowed: --%s takes no value", word, option->name);
	usage_error("%s is not an option of %s: see batchmig %s --help", word, arguments->command,
		    arguments->command);
}

static int parse_target(struct arguments *arguments, int key, const char *value)
{
	switch (key) {
	case 'p':
		arguments->pid = (pid_t)value_number("--pid", value, 1, PID_MOST, "");
		return 0;
	case 'f':
		arguments->has_from = 1;
		arguments->from = ANY_NODE;
		if (strcmp(value, "any") != 0)
			arguments->from = value_number("--from", value, 0, NODE_MOST, ", or any");
		return 0;
	case 't':
		arguments->has_to = 1;
		arguments->to = value_number("--to", value, 0, NODE_MOST, "");
		return 0;
	case 'm':
		value_map(arguments, value);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int parse_limits(struct arguments *arguments, int key, const char *value)
{
	switch (key) {
	case KEY_MAX_STALL_US:
		arguments->max_stall_us =
			value_number("--max-stall-us", value, 0, STALL_MOST, ", in microseconds");
		return 0;
	case KEY_BOUND:
		arguments->bound = value_bound(value);
		return 0;
	case KEY_RATE:
		arguments->max_bytes_per_s = value_rate(value);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'a':
		arguments->all = 1;
		return 0;
	case 'j':
		arguments->json = 1;
		return 0;
	case 'q':
		arguments->quiet = 1;
		return 0;
	case 'o':
		if (!*value)
			usage_error("--output '' is not allowed: the name of a file");
		arguments->output = value;
		return 0;
	case KEY_DRY_RUN:
		arguments->dry_run = 1;
		return 0;
	case KEY_OPTIONS:
		arguments->options = 1;
		return 0;
	case 'h':
		print_command_help(arguments->command, state->root_argp);
	case ARGP_KEY_ARG:
		usage_error("'%s' is not allowed here: see batchmig %s --help", value,
			    arguments->command);
	case ARGP_KEY_ERROR:
		bad_option(state);
	case KEY_MAX_STALL_US:
	case KEY_BOUND:
	case KEY_RATE:
		return parse_limits(arguments, key, value);
	default:
		return parse_target(arguments, key, value);
	}
}

__attribute__((noreturn)) static void print_help(void)
{
	puts("Usage: batchmig info [--options] [--json]\n"
	     "       batchmig query --pid PID [--map heap|anon|0xA-0xB]... [--json]\n"
	     "       batchmig migrate --pid PID --from NODE|any --to NODE [--map ...]...\n"
	     "                        [--max-stall-us N] [--bound strict|wish] [--rate BYTES/S]\n"
	     "                        [--all] [--dry-run] [--quiet] [--json]\n"
	     "       batchmig tune [--output FILE] [--quiet]\n"
	     "       batchmig help [COMMAND] | COMMAND --help | --help | --version\n"
	     "\n"
	     "Moves the pages of processes between NUMA nodes; see batchmig(1).");
	exit(close_output(EXIT_ALL));
}

static const struct argp *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].parser;
	}
	return NULL;
}

/* No two words start with the same letter, and the first one is seldom mistyped. */
__attribute__((noreturn)) static void bad_command(const char *name)
{
	static const char *const words[] = {"info", "query", "migrate",
					    "tune", "help",  "--version"};
	const char *near = "";

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (*name && name[strspn(name, "-")] == words[i][strspn(words[i], "-")])
			near = words[i];
	}
	usage_error(
		"there is no command '%s'%s%s%s: the first argument is info, query, migrate, tune, "
		"help or --version",
		name, *near ? " (did you mean " : "", near, *near ? "?)" : "");
}

static void check_required(const struct arguments *arguments)
{
	if (strcmp(arguments->command, "info") == 0 || strcmp(arguments->command, "tune") == 0)
		return;
	if (!arguments->pid)
		usage_error("%s needs --pid PID", arguments->command);
	if (strcmp(arguments->command, "query") == 0)
		return;
	if (!arguments->has_from)
		usage_error("migrate needs --from NODE, or --from any");
	if (!arguments->has_to)
		usage_error("migrate needs --to NODE");
	if (arguments->from == arguments->to)
		usage_error("--from %d and --to %d are the same node: two are needed",
			    arguments->from, arguments->to);
}

static void parse_word(int argc, char **argv)
{
	if (strcmp(argv[1], "--version") == 0) {
		printf("batchmig %s\n", bm_version());
		exit(close_output(EXIT_ALL));
	}
	if (strcmp(argv[1], "--help") != 0 && strcmp(argv[1], "-h") != 0 &&
	    strcmp(argv[1], "help") != 0)
		return;
	if (argc == 2)
		print_help();
	if (!find_command(argv[2]))
		bad_command(argv[2]);
	print_command_help(argv[2], find_command(argv[2]));
}

void arguments_parse(struct arguments *arguments, int argc, char **argv)
{
	const struct argp *parser;

	memset(arguments, 0, sizeof(*arguments));
	arguments->max_stall_us = BM_OPTION_UNSET;
	arguments->max_bytes_per_s = BM_OPTION_UNSET;
	if (argc < 2)
		usage_error(
			"a command is needed: info, query, migrate or tune; see batchmig --help");
	parse_word(argc, argv);
	parser = find_command(argv[1]);
	if (!parser)
		bad_command(argv[1]);
	arguments->command = argv[1];
	argp_parse(parser, argc - 1, argv + 1, ARGP_NO_ERRS | ARGP_NO_HELP, NULL, arguments);
	check_required(arguments);
}

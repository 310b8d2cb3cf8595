/* SPDX-License-Identifier: MIT */
/* main.c - batchmig-bench: picks the command. */
#include <argp.h>
#include <batchmig.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "setup.h"

#define ROW(name, what) {#name, what, command_##name},
static const struct {
	const char *name, *what;
	int (*run)(int argc, char **argv);
} commands[] = {COMMANDS(ROW)};
#define COUNT (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *file)
{
	fprintf(file, "Usage: batchmig-bench COMMAND [OPTION...]\n"
		      "       batchmig-bench COMMAND --help | --help | --version\n\n");
	for (size_t i = 0; i < COUNT; i++)
		fprintf(file, "  %-12s %s\n", commands[i].name, commands[i].what);
	fprintf(file, "\nWhat moving memory costs on this machine; see batchmig-bench(1).\n");
}

static int is_one_of(const char *word, const char *one, const char *other)
{
	return strcmp(word, one) == 0 || strcmp(word, other) == 0;
}

int main(int argc, char **argv)
{
	static char name[64];

	argp_err_exit_status = WRONG_CALL;
	if (argc > 1 && is_one_of(argv[1], "--version", "-V")) {
		printf("batchmig-bench %s\n", bm_version());
		return 0;
	}
	if (argc > 1 && (is_one_of(argv[1], "--help", "help") || strcmp(argv[1], "-h") == 0)) {
		usage(stdout);
		return 0;
	}
	for (size_t i = 0; argc > 1 && i < COUNT; i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		/* What argp names in its messages. */
		snprintf(name, sizeof(name), "batchmig-bench %s", commands[i].name);
		argv[1] = name;
		return commands[i].run(argc - 1, argv + 1);
	}
	if (argc > 1)
		fprintf(stderr, "there is no command '%s'\n", argv[1]);
	usage(stderr);
	return WRONG_CALL;
}

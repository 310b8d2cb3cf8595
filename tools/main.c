/* SPDX-License-Identifier: MIT */
/* main.c - batchmig: picks the command, and sees that its output arrived. */
#include "tool.h"

#include <errno.h>
#include <string.h>

int report_error(const char *what, pid_t pid, long error)
{
	char who[32] = "";

	if (pid)
		snprintf(who, sizeof(who), " of process %d", (int)pid);
	fprintf(stderr, "batchmig: %s%s: %s%s\n", what, who, bm_error_text((int)error),
		error == -EPERM ? "; run it as the same user or as root" : "");
	return EXIT_FAILED;
}

int print_json(json_t *object)
{
	int rc = object ? json_dumpf(object, stdout, JSON_INDENT(2)) : -1;

	json_decref(object);
	putchar('\n');
	if (rc == 0)
		return 0;
	fprintf(stderr, "batchmig: the JSON could not be made or written\n");
	return EXIT_FAILED;
}

int main(int argc, char **argv)
{
	struct arguments arguments;
	int rc;

	arguments_parse(&arguments, argc, argv);
	if (strcmp(arguments.command, "info") == 0)
		rc = run_info(&arguments);
	else if (strcmp(arguments.command, "query") == 0)
		rc = run_query(&arguments);
	else
		rc = run_migrate(&arguments);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return rc;
	fprintf(stderr, "batchmig: writing the output: %s\n", strerror(errno));
	return EXIT_FAILED;
}

/* SPDX-License-Identifier: MIT */
/* main.c - batchmig: picks the command, and sees that its output arrived. */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file opened later must not become one of the standard streams. */
static void keep_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		/* Standard output stays a stream that cannot be written: that is noticed. */
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY) != fd)
			abort();
	}
}

/* A bad value in the environment is named; the calls would only say -EINVAL. */
static void check_environment(const struct arguments *arguments)
{
	struct bm_options options;
	char why[512];

	bm_options_init(&options, sizeof(options));
	/* What it names may be about to be written for the first time. */
	if (strcmp(arguments->command, "tune") == 0)
		options.profile = "";
	if (bm_options_check(&options, why, sizeof(why)) == 0)
		return;
	complain("%s", why);
	exit(EXIT_FAILED);
}

int main(int argc, char **argv)
{
	static char buffer[1 << 16];
	struct arguments arguments;
	int status;

	/* Written at the end, where the reason of a failure can be told. */
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	keep_standard_streams();
	arguments_parse(&arguments, argc, argv);
	check_environment(&arguments);
	if (strcmp(arguments.command, "info") == 0)
		status = run_info(&arguments);
	else if (strcmp(arguments.command, "query") == 0)
		status = run_query(&arguments);
	else if (strcmp(arguments.command, "tune") == 0)
		status = run_tune(&arguments);
	else
		status = run_migrate(&arguments);
	return close_output(status);
}

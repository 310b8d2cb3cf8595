/* SPDX-License-Identifier: MIT */
/* output.c - one-line messages, JSON, and whether the output arrived. */
#include "tool.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Arguments may hold anything: a message stays one line and controls no terminal. */
__attribute__((format(printf, 1, 0))) static void put_line(const char *format, va_list args)
{
	char line[1024];

	vsnprintf(line, sizeof(line), format, args);
	for (char *c = line; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	}
	fprintf(stderr, "batchmig: %s\n", line);
}

void complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put_line(format, args);
	va_end(args);
}

void usage_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put_line(format, args);
	va_end(args);
	exit(EXIT_USAGE);
}

static int process_exists(pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	return access(path, F_OK) == 0;
}

int report_error(const struct arguments *arguments, long error)
{
	int pid = (int)arguments->pid;

	if (error == -ESRCH && process_exists(arguments->pid))
		complain("process %d has no memory: it is a kernel thread, or it has ended", pid);
	else if (error == -ESRCH)
		complain("there is no process %d (any more)", pid);
	else if (error == -EPERM && arguments->all)
		complain("process %d: refused; --all needs CAP_SYS_NICE, other users' processes "
			 "CAP_SYS_PTRACE: run it as root, or without --all as the same user",
			 pid);
	else if (error == -EPERM)
		complain("process %d: refused; it takes the same user and group with no fewer "
			 "capabilities, or CAP_SYS_PTRACE, and a container that does not forbid "
			 "move_pages(2): see batchmig info",
			 pid);
	else if (pid)
		complain("process %d: %s", pid, bm_error_text((int)error));
	else
		complain("%s: %s", arguments->command, bm_error_text((int)error));
	return EXIT_FAILED;
}

int print_json(json_t *object)
{
	int rc;

	if (!object) {
		complain("no memory for the JSON");
		return EXIT_FAILED;
	}
	rc = json_dumpf(object, stdout, JSON_INDENT(2));
	json_decref(object);
	/* A write error is told by close_output(). */
	return rc < 0 || putchar('\n') == EOF ? EXIT_FAILED : 0;
}

int close_output(int status)
{
	int lost = ferror(stdout);

	errno = 0;
	if (fclose(stdout) == 0 && !lost)
		return status;
	complain("the output could not be written: %s", strerror(errno ? errno : EIO));
	return EXIT_FAILED;
}

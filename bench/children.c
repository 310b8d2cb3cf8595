/* SPDX-License-Identifier: MIT */
/* children.c - starts, watches and ends other programs. */
#include "children.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <numa.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "setup.h"
#include "team.h"

#define CHILDREN_MAX 4
#define ANSWER_MAX   (1 << 20)
#define TAIL_MAX     1024
#define TERM_SECONDS 5
#define PAUSE_MS     20

struct child {
	pid_t pid; /* 0: a free slot */
	int pipe;  /* -1: a file has its output */
	char name[32], output[256];
};

static struct child children[CHILDREN_MAX];
static char folder[64];
static volatile sig_atomic_t told_to_end; /* number of the signal */

static void take_signal(int number)
{
	told_to_end = number;
}

void children_begin(void)
{
	struct sigaction action = {.sa_handler = take_signal};

	/* Without SA_RESTART: what waits comes back and looks. */
	if (signal(SIGHUP, SIG_IGN) != SIG_IGN) /* which nohup(1) does */
		sigaction(SIGHUP, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL); /* ignored, nothing would be left to wait for */
	atexit(children_end);
}

void children_obey(void)
{
	if (told_to_end)
		exit(128 + told_to_end);
}

void children_pause(long milliseconds)
{
	struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};

	children_obey();
	nanosleep(&time, NULL);
	children_obey();
}

/* ---------------------------------------------------------------- the folder */

const char *children_folder(void)
{
	const char *where = getenv("TMPDIR");

	/* Paths of sockets must be short. */
	snprintf(folder, sizeof(folder), "%s/batchmig-bench-XXXXXX",
		 where && *where && strlen(where) < 32 ? where : "/tmp");
	if (!mkdtemp(folder)) {
		perror(folder);
		folder[0] = '\0';
		exit(1);
	}
	return folder;
}

static void remove_folder(void)
{
	struct dirent *entry;
	char path[512];
	DIR *directory;

	if (!folder[0])
		return;
	directory = opendir(folder);
	while (directory && (entry = readdir(directory))) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.')
			unlink(path);
	}
	if (directory)
		closedir(directory);
	if (rmdir(folder) != 0)
		perror(folder);
	folder[0] = '\0';
}

/* ------------------------------------------------------------------ begin */

int child_found(const char *name)
{
	const char *path = getenv("PATH");
	char file[512];

	for (size_t length; path && *path; path += length + (path[length] == ':')) {
		length = strcspn(path, ":");
		snprintf(file, sizeof(file), "%.*s/%s", (int)length, path, name);
		if (access(file, X_OK) == 0)
			return 1;
	}
	return 0;
}

static struct child *free_slot(void)
{
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (!children[i].pid)
			return &children[i];
	fprintf(stderr, "no more than %d programs at a time\n", CHILDREN_MAX);
	exit(1);
}

/* Of a line "NAME=VALUE", with the "=". */
static size_t name_length(const char *line)
{
	return strcspn(line, "=") + 1;
}

static int is_replaced(const char *line, char *const *variables)
{
	for (; *variables; variables++)
		if (strncmp(line, *variables, name_length(*variables)) == 0)
			return 1;
	return 0;
}

/* What this program has, and @variables instead of what has their names. The caller frees it. */
static char **make_environment(char *const *variables)
{
	size_t count = 0, room = 1;
	char **lines;

	for (char *const *line = environ; *line; line++)
		room++;
	for (char *const *line = variables; *line; line++)
		room++;
	lines = calloc(room, sizeof(*lines));
	if (!lines)
		die("memory for an environment");
	for (char *const *line = environ; *line; line++)
		if (!is_replaced(*line, variables))
			lines[count++] = *line;
	for (char *const *line = variables; *line; line++)
		lines[count++] = *line;
	return lines;
}

/*
 * Never returns. Nothing here waits for a lock that another thread may have held at
 * the fork: fork(2) of the C library puts those of malloc and stdio in order.
 */
static void become(const struct child_options *options, char **environment, pid_t parent,
		   int output)
{
	int input;

	/* Of its own: Ctrl-C is for the benchmark, which then ends it in order. */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_DFL);
	input = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (getppid() != parent || dup2(input, STDIN_FILENO) < 0 ||
	    dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
		_exit(126);
	if (options->node >= 0 && numa_available() >= 0)
		numa_set_preferred(options->node);
	/* It does not write to them; its declaration is older than const. */
	execvpe(options->argv[0], (char *const *)(uintptr_t)options->argv, environment);
	perror(options->argv[0]);
	_exit(127);
}

struct child *child_start(const struct child_options *options)
{
	static char *const no_variables[] = {NULL};
	struct child *child = free_slot();
	char **environment;
	pid_t parent = getpid();
	int ends[2] = {-1, -1};

	children_obey();
	snprintf(child->name, sizeof(child->name), "%s", options->argv[0]);
	snprintf(child->output, sizeof(child->output), "%s",
		 options->output ? options->output : "");
	if (options->output)
		ends[1] = open(options->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	else if (pipe2(ends, O_CLOEXEC) != 0)
		die("pipe");
	if (ends[1] < 0)
		die(options->output);
	environment = make_environment(options->variables ? options->variables : no_variables);
	fflush(NULL);
	child->pid = fork();
	if (child->pid < 0) {
		child->pid = 0;
		die("fork");
	}
	if (child->pid == 0)
		become(options, environment, parent, ends[1]);
	free(environment);
	close(ends[1]);
	child->pipe = ends[0];
	return child;
}

int child_pid(const struct child *child)
{
	return child->pid;
}

/* -------------------------------------------------------------------- end */

static void forget(struct child *child)
{
	if (child->pipe >= 0)
		close(child->pipe);
	child->pid = 0;
}

void child_end(struct child *child)
{
	double end = now_ns() + TERM_SECONDS * 1e9;
	struct timespec pause = {0, PAUSE_MS * 1000000};

	if (!child->pid)
		return;
	kill(child->pid, SIGTERM);
	while (waitpid(child->pid, NULL, WNOHANG) == 0) {
		if (now_ns() > end) {
			kill(child->pid, SIGKILL);
			waitpid(child->pid, NULL, 0);
			break;
		}
		nanosleep(&pause, NULL);
	}
	forget(child);
}

void children_end(void)
{
	for (int i = 0; i < CHILDREN_MAX; i++)
		child_end(&children[i]);
	remove_folder();
}

static void say_status(const char *name, int status)
{
	if (WIFSIGNALED(status))
		fprintf(stderr, "%s was ended by signal %d (%s)\n", name, WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		fprintf(stderr, "%s ended with status %d\n", name, WEXITSTATUS(status));
}

static void say_tail(const char *text)
{
	size_t length = strlen(text);

	if (length)
		fprintf(stderr, "the end of what it said:\n%s\n",
			text + (length > TAIL_MAX ? length - TAIL_MAX : 0));
}

static void say_end_of_file(const char *path)
{
	char text[TAIL_MAX + 1];
	FILE *file = fopen(path, "re");

	if (!file)
		return;
	if (fseek(file, -TAIL_MAX, SEEK_END) != 0)
		rewind(file);
	text[fread(text, 1, TAIL_MAX, file)] = '\0';
	fclose(file);
	say_tail(text);
}

void child_check(struct child *child)
{
	int status;

	children_obey();
	if (!child || !child->pid || waitpid(child->pid, &status, WNOHANG) != child->pid)
		return;
	say_status(child->name, status);
	say_end_of_file(child->output);
	forget(child);
	exit(1);
}

/* Until the end of the output. */
static char *read_answer(struct child *child, double end, struct child *server)
{
	struct pollfd ready = {.fd = child->pipe, .events = POLLIN};
	char *text = malloc(ANSWER_MAX + 1);
	size_t length = 0;
	ssize_t count = 1;

	if (!text)
		die("memory for an answer");
	while (count > 0 && length < ANSWER_MAX && now_ns() < end) {
		child_check(server);
		if (poll(&ready, 1, PAUSE_MS) <= 0)
			continue;
		count = read(child->pipe, text + length, ANSWER_MAX - length);
		if (count < 0)
			die("output of a program");
		length += (size_t)count;
	}
	text[length] = '\0';
	if (count == 0)
		return text;
	if (length == ANSWER_MAX)
		fprintf(stderr, "%s wrote %d bytes or more: too much\n", child->name, ANSWER_MAX);
	else
		fprintf(stderr, "%s did not come to its end in time\n", child->name);
	say_tail(text);
	exit(1); /* which ends it */
}

char *child_answer(struct child *child, double seconds, struct child *server)
{
	double end = now_ns() + seconds * 1e9;
	char *text = read_answer(child, end, server);
	int status;
	pid_t ended;

	while ((ended = waitpid(child->pid, &status, WNOHANG)) == 0 && now_ns() < end)
		children_pause(1);
	if (ended == 0) {
		fprintf(stderr, "%s closed its output, but did not end in time\n", child->name);
		say_tail(text);
		exit(1);
	}
	forget(child);
	if (ended < 0)
		die("waitpid");
	if (status == 0)
		return text;
	say_status(child->name, status);
	say_tail(text);
	/* The reason may be the server's. */
	children_pause(200);
	child_check(server);
	exit(1);
}

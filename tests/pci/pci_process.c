/* SPDX-License-Identifier: MIT */
/* pci_process.c - children that use a function, and are killed while they do. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pci_support.h"

/* A store from its buffer, which holds what lies behind the page, is under way. */
static int begin_store(struct bench *bench, unsigned char *page)
{
	const struct bm_copy copy = {.from = page + PAGE, .to = page, .length = PAGE};
	int error = bm_pci_pin(bench->pins, &copy, 1);
	size_t run;

	if (error)
		return error;
	error = edu_fetch(&bench->pci, bm_pci_bus(bench->pins, page + PAGE, &run), EDU_PIECE);
	if (!error)
		edu_store_begin(&bench->pci, bm_pci_bus(bench->pins, page, &run), EDU_PIECE);
	return error;
}

static int hold(struct bench *bench, enum bm_pci_access access, unsigned char *page)
{
	int error = bench_try(bench, access);

	if (!error)
		error = bm_pci_master(&bench->pci, 1);
	if (!error && page)
		error = begin_store(bench, page);
	return error;
}

static pid_t begin(enum bm_pci_access access, unsigned char *page)
{
	struct bench bench = {.pins = NULL};
	int says[2], error = -1;
	pid_t pid;

	bench_end();
	pci_find(access, &bench.found);
	ck_assert_int_eq(pipe(says), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		/* Its parent is this very thread: it does not outlive the tests. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		error = hold(&bench, access, page);
		if (write(says[1], &error, sizeof(error)) != sizeof(error))
			_exit(1);
		for (;;)
			pause();
	}
	close(says[1]);
	ck_assert_int_eq(read(says[0], &error, sizeof(error)), sizeof(error));
	close(says[0]);
	if (error)
		process_kill(pid);
	ck_assert_msg(error == 0, "the other process: %s", strerror(-error));
	return pid;
}

pid_t holder_begin(enum bm_pci_access access)
{
	return begin(access, NULL);
}

pid_t writer_begin(enum bm_pci_access access, unsigned char *page)
{
	return begin(access, page);
}

void process_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int child_opens(enum bm_pci_access access, char *why)
{
	struct bench *bench = mmap(NULL, sizeof(*bench), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	ck_assert_ptr_ne(bench, MAP_FAILED);
	pci_find(access, &bench->found);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(-bench_try(bench, access));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	memcpy(why, bench->why, BM_WHY_MAX);
	munmap(bench, sizeof(*bench));
	return -WEXITSTATUS(status);
}

static volatile sig_atomic_t asked;

static void ask(int number)
{
	(void)number;
	asked = 1;
}

static int keep_page(const unsigned char *page, unsigned char byte)
{
	sigset_t none;

	sigemptyset(&none);
	while (!asked)
		sigsuspend(&none);
	for (size_t i = 0; i < PAGE; i++)
		if (page[i] != byte)
			return 1;
	return 0;
}

pid_t sharer_begin(const unsigned char *page, unsigned char byte)
{
	struct sigaction action = {.sa_handler = ask};
	sigset_t one, before;
	pid_t pid;

	sigemptyset(&one);
	sigaddset(&one, SIGUSR1);
	/* Blocked until the child waits for it: it cannot come too soon. */
	sigprocmask(SIG_BLOCK, &one, &before);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sigaction(SIGUSR1, &action, NULL);
		_exit(keep_page(page, byte));
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

int sharer_is_content(pid_t pid)
{
	int status;

	kill(pid, SIGUSR1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void child_closes(struct bench *bench)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		bench_close(bench);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

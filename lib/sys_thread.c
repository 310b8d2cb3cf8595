/* SPDX-License-Identifier: MIT */
/* sys_thread.c - starts threads, and asks about them. */
#include "sys_thread.h"

#include <errno.h>
#include <link.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Also for the callbacks of batches: the header says so. */
#define WORKER_STACK (256u << 10)

/* Thread-local data of the program and its libraries lies on the stack, too. */
static int add_local(struct dl_phdr_info *info, size_t size, void *sum)
{
	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		if (info->dlpi_phdr[i].p_type == PT_TLS)
			*(size_t *)sum += info->dlpi_phdr[i].p_memsz + info->dlpi_phdr[i].p_align;
	}
	return 0;
}

static size_t stack_size(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = WORKER_STACK;

	dl_iterate_phdr(add_local, &size);
	return (size + page - 1) & ~(page - 1);
}

int bm_thread_start(pthread_t *thread, void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;
	uint64_t before;
	sigset_t all;
	int rc = pthread_attr_init(&attr);

	if (rc)
		return -rc;
	/* The application's handlers must not run on this small stack. */
	sigfillset(&all);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &before, sizeof(before));
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	(void)pthread_attr_setstacksize(&attr, stack_size());
	rc = pthread_create(thread, &attr, run, arg);
	if (rc == EINVAL)
		rc = pthread_create(thread, NULL, run, arg);
	/* Who blocks all signals has those of the C library blocked, too: its own call opens them. */
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof(before));
	pthread_attr_destroy(&attr);
	return -rc;
}

/* Its list of robust mutexes begins there; Linux registers it for each thread. */
uint64_t bm_thread_block(pid_t thread)
{
	void *head = NULL;
	size_t length;

	return syscall(SYS_get_robust_list, thread, &head, &length) == 0 ? (uint64_t)(uintptr_t)head
									 : 0;
}

uint64_t bm_thread_switches(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) == 0 ? (uint64_t)usage.ru_nivcsw : 0;
}

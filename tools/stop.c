/* SPDX-License-Identifier: MIT */
/* stop.c - notes SIGINT and SIGTERM. */
#include "stop.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t signalled;

static void note(int signal)
{
	(void)signal;
	signalled = 1;
}

void stop_catch(void)
{
	struct sigaction action = {.sa_handler = note,
				   .sa_flags = (int)(SA_RESTART | SA_RESETHAND)};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

int stop_asked(void)
{
	return signalled;
}

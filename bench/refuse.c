/* SPDX-License-Identifier: MIT */
/* refuse.c - an option without an effect would be taken for one that had it. */
#include "refuse.h"

void refuse(struct argp_state *state, const struct setup *setup, unsigned int refused)
{
	const struct {
		enum refused what;
		int told;
		const char *name, *why;
	} options[] = {
		{NO_MB, setup->mb != 0, "--mb", "its sizes are its own"},
		{NO_THREADS, setup->thread_counts != 0, "--threads", "its threads are its own"},
		{NO_MOVER, setup->movers != NULL, "--movers", "its movers are its own"},
		{NO_NODES, setup->from >= 0 || setup->to >= 0, "--from, --to",
		 "nothing goes from node to node"},
		{NO_INSTRUCTIONS, setup->instructions, "--instructions", "it measures times"},
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if ((refused & options[i].what) && options[i].told)
			argp_error(state, "%s is not allowed here: %s", options[i].name,
				   options[i].why);
}

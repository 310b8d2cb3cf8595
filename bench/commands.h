/* SPDX-License-Identifier: MIT */
/* commands.h - what batchmig-bench can do: each gives the status that the program ends with. */
#ifndef BENCH_COMMANDS_H
#define BENCH_COMMANDS_H

/* Name, and a line for the help. */
#define COMMANDS(COMMAND)                                                                        \
	COMMAND(throughput, "GB/s by length of runs, mover and threads, beside plain copies")    \
	COMMAND(window, "first page and longest wait by pages in a batch and length of chunks")  \
	COMMAND(load, "what threads wait, and what is left to them, while their pages move")     \
	COMMAND(scaling, "what a page costs in each phase, by length of the batch; memory used") \
	COMMAND(thp, "whether huge pages stay huge, and what access costs before and after")     \
	COMMAND(program, "what a redis-server and an HPC loop notice of a migration")            \
	COMMAND(choice, "what the library chooses by itself beside the best that can be set")    \
	COMMAND(rate, "how exactly max_bytes_per_s is kept")                                     \
	COMMAND(kernel, "the library's kernel movers beside a plain move_pages(2) call")         \
	COMMAND(tlb, "what a flush of the TLB costs")                                            \
	COMMAND(compare, "what changed between two files of results")                            \
	COMMAND(check, "holds files of results to limits")

#define DECLARE_COMMAND(name, what) int command_##name(int argc, char **argv);
COMMANDS(DECLARE_COMMAND)
#undef DECLARE_COMMAND

#endif

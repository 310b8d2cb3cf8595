/* SPDX-License-Identifier: MIT */
/* tune.h - measures the machine. */
#ifndef BATCHMIG_TUNE_H
#define BATCHMIG_TUNE_H

#include "context.h"
#include "linkage.h"

BATCHMIG_BEGIN

/*
 * bm_tune - measures the machine thoroughly and writes what it finds.
 * @context: NULL for the default one: its log hears of the progress at level
 * info. @path: the file that is written, over an old one only when all is well;
 * to be named by the option profile. It says of which machine it is (kernel
 * release, CPU model, CPUs, nodes, page sizes): where that does not fit any
 * more it is not used, and bm_info_kernel() and the log at level warn say so.
 * Measures copy loops, sizes of chunks, the pool, the kernel, and threads, for
 * base pages and huge pages, from each node with memory to each other one: some
 * tenths of a second for each pair, in which it moves memory of its own to and
 * fro. The machine should be idle.
 * Returns 0; -EINVAL NULL @path; -EPERM, -ENOSYS, -EOPNOTSUPP, -ENOMEM no swap
 * here, see bm_info_mover(); or the errno of writing the file. Any thread.
 * Since 0.1.
 */
int bm_tune(struct bm_context *context, const char *path);

BATCHMIG_END

#endif /* BATCHMIG_TUNE_H */

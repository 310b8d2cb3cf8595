/* SPDX-License-Identifier: MIT */
/*
 * putback.h - puts the pages of a window back, whatever happens.
 *
 * In this order: the new page, the old page, a copy that the kernel makes, the
 * poison of a page that is broken; each of them again by the reader, whose
 * descriptor nobody else can close. A place that is no longer there, or that
 * has got other contents, is left alone. What cannot be put right ends the
 * program with a message, rather than with zeros in its memory.
 */
#ifndef BM_PUTBACK_H
#define BM_PUTBACK_H

#include "window.h"

void bm_window_put_back(struct bm_uffd *uffd, struct bm_window *window);

#endif

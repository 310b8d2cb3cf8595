/* SPDX-License-Identifier: MIT */
/* pinning.h - a backend that copies what is pinned, and nothing else. */
#ifndef UNIT_PINNING_H
#define UNIT_PINNING_H

#include "backend.h"

extern const struct bm_backend pinning_backend;

/* 1 when a page of this range is pinned by a channel. */
int pinning_is_pinned(const void *start, size_t length);

#endif

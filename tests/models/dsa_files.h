/* SPDX-License-Identifier: MIT */
/* dsa_files.h - the model's part of /sys and /dev, as text. */
#ifndef MODEL_DSA_FILES_H
#define MODEL_DSA_FILES_H

#include "dsa_device.h"

/* The length of what is in this file, -1: it is none of the model's. */
int dsa_file(const struct dsa *dsa, const char *path, char *text, size_t size);
int dsa_is_folder(const struct dsa *dsa, const char *path);
/* Names in one of its folders, each ended by NUL: their length, -1: they do not fit. */
ssize_t dsa_list(const struct dsa *dsa, const char *path, char *names, size_t size);

#endif

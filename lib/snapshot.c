/* SPDX-License-Identifier: MIT */
/* snapshot.c - memory that lives as long as a snapshot. */
#include "snapshot.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

struct bm_text {
	struct bm_text *next;
	_Alignas(max_align_t) char bytes[];
};

void *bm_info_alloc(struct bm_info *info, size_t count, size_t size)
{
	struct bm_text *text = info->context->sys->alloc(1, sizeof(struct bm_text) + count * size);

	if (!text) {
		info->failed = -ENOMEM;
		return NULL;
	}
	text->next = info->texts;
	info->texts = text;
	return text->bytes;
}

const char *bm_info_text(struct bm_info *info, const char *format, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	text = bm_info_alloc(info, (size_t)length + 1, 1);
	if (!text)
		return "";
	va_start(args, format);
	vsnprintf(text, (size_t)length + 1, format, args);
	va_end(args);
	return text;
}

void bm_info_free(struct bm_info *info)
{
	struct bm_text *text = info ? info->texts : NULL;

	while (text) {
		struct bm_text *next = text->next;

		free(text);
		text = next;
	}
	free(info);
}

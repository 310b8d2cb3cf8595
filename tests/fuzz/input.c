/* SPDX-License-Identifier: MIT */
/* input.c - what libFuzzer has chosen, byte by byte. */
#include "input.h"

#include <stdio.h>
#include <stdlib.h>

static const uint8_t *input;
static size_t left;

void fuzz_begin(const uint8_t *data, size_t size)
{
	input = data;
	left = size;
}

size_t fuzz_left(void)
{
	return left;
}

void fuzz_demand(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

/* Zeros when it is used up: the device is silent then. */
unsigned int fuzz_byte(void)
{
	if (left == 0)
		return 0;
	left--;
	return *input++;
}

uint64_t fuzz_number(size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < bytes; i++)
		value = value << 8 | fuzz_byte();
	return value;
}

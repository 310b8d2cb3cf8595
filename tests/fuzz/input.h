/* SPDX-License-Identifier: MIT */
/* input.h - what libFuzzer has chosen, and how what must not be ends an input. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

void fuzz_begin(const uint8_t *data, size_t size);
/* Bytes that nobody has asked for yet. */
size_t fuzz_left(void);
/* Zeros when it is used up: the device is silent then. */
unsigned int fuzz_byte(void);
uint64_t fuzz_number(size_t bytes);

/* Ends the process with what is not so. */
void fuzz_demand(int holds, const char *what);

#endif

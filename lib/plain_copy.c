/* SPDX-License-Identifier: MIT */
/* plain_copy.c - a loop that the compiler must not turn into a call: see CMakeLists.txt. */
#include "plain_copy.h"

typedef long vector __attribute__((vector_size(16), may_alias));

void bm_plain_copy(void *to, const void *from, size_t length)
{
	vector *out = to;
	const vector *in = from;

	for (size_t i = 0; i < length / sizeof(vector); i += 4) {
		vector a = in[i], b = in[i + 1], c = in[i + 2], d = in[i + 3];

		out[i] = a;
		out[i + 1] = b;
		out[i + 2] = c;
		out[i + 3] = d;
	}
}

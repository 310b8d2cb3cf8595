/* SPDX-License-Identifier: MIT */
/* device_support.h - character devices with a software DSA, and copies by the backend dsa. */
#ifndef DSA_DEVICE_SUPPORT_H
#define DSA_DEVICE_SUPPORT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../report.h"
#include "dsa/dsa.h"

#define PAGE 4096ul

extern const struct report_group device_calls_group, device_copies_group, device_faults_group,
	device_ends_group, device_moves_group;

/* ---------------------------------------------------------------- devices */

/* Begins /dev/dsa/NAME with these options of dsa_cuse, and waits for the file; ended by NULL. */
void device_begin(const char *name, ...) __attribute__((sentinel));
/* Ends it, and tells what it has seen. */
void device_end(const char *name);
/* Its process dies; the file is gone afterwards. */
void device_kill(const char *name);
/* Those that a test which failed has left. Not in a test. */
void device_end_all(void);
/* A number that the device has counted: "taken". Complete once its file was closed. */
unsigned long device_count(const char *name, const char *what);

/*
 * Its files in /sys/bus/dsa, which is a file system of the tests: mode is
 * "shared" or "dedicated", the rest as dsa_cuse has it by itself.
 */
void device_describe(const char *name, const char *mode, unsigned int size);
/* They say that the device has stopped, as the driver does. */
void device_stops(const char *name);
/* There are none: nothing is known of any queue but its name. */
void device_hide(void);

/* ---------------------------------------------------------------- copies */

#define FLOW_PAGES 512u
#define FLOW_MOST  512u /* copies */

/* A channel, and a list of copies from one buffer to places of another. */
struct flow {
	struct bm_sys sys;
	struct bm_log log;
	struct bm_backend_env env;
	struct bm_engine *engine;
	struct bm_channel *channel;
	int owns_engine;
	unsigned char *from, *to, *expected;
	struct bm_copy copies[FLOW_MOST];
	unsigned char told[FLOW_MOST];
	size_t count, sent, ended;
	size_t partial; /* of them, those that the backend did not do to their ends */
	int submit_error;
	uint32_t random;
	unsigned int warnings;
};

/* The names as for the option dsa_wqs. */
void flow_open(struct flow *flow, const char *queues, uint32_t batch);
/* A further channel of the engine of another. */
void flow_open_beside(struct flow *flow, const struct flow *other);
void flow_close(struct flow *flow);

/* A list of so many copies of 1 to `longest` pages, to places in a random order. */
void flow_make(struct flow *flow, size_t count, size_t longest);
/* Submits and reaps until all have ended (1), or nothing has for so long (0). */
int flow_run(struct flow *flow, unsigned int patience_ms);
/* One round of both. */
void flow_step(struct flow *flow);
/* settle() says within so long that nothing can write any more. */
int flow_settles(struct flow *flow, unsigned int patience_ms);
/* What the backend did not do is copied here, as the library does. */
void flow_finish(struct flow *flow);
/* How many bytes of the destination, gaps included, are not as they should be. */
size_t flow_wrong(const struct flow *flow);
/* Makes a list, runs it to its end and asserts that each byte is right. */
void flow_check(struct flow *flow, size_t count, size_t longest);

uint64_t now_ms(void);

#endif

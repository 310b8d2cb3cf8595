/* SPDX-License-Identifier: MIT */
/*
 * try.c - a page through each ring, before any page of the application.
 *
 * By uio an IOMMU that translates, or memory encryption that the function's addresses
 * cannot tell of, lets it read and write something else than was meant, or nothing.
 */
#include "functions.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TRY_NS 1000000000u
#define NAP_US 20u

struct trial {
	struct bm_engine *engine;
	struct bm_pci_pins *pins;
	unsigned char *from, *to;
	size_t page;
	char *why;
};

static void prepare(struct trial *trial, uint32_t seed)
{
	uint32_t value = 2166136261u ^ seed;

	for (size_t i = 0; i < trial->page; i++) {
		value = value * 1664525u + 1013904223u;
		trial->from[i] = (unsigned char)(value >> 24);
		trial->to[i] = (unsigned char)~trial->from[i];
	}
}

static int wait_for(struct bm_ptdma_ring *ring)
{
	const struct bm_sys *sys = ring->function->sys;
	uint64_t end = sys->now_ns() + TRY_NS;

	do {
		uint64_t now = ring->moved = sys->now_ns();
		int rc;

		/* How long it may take, or seem to stand, is said here. */
		ring->stopped = 0;
		rc = bm_ptdma_poll(ring, now);
		if (rc < 0 || !bm_ptdma_is_busy(ring))
			return rc;
		sys->sleep_us(NAP_US);
	} while (sys->now_ns() < end);
	return -ETIMEDOUT;
}

static int copy(struct trial *trial, struct bm_ptdma_ring *ring)
{
	struct bm_copy copy = {.to = trial->to, .from = trial->from, .length = trial->page};
	size_t run;
	uint64_t from = bm_pci_bus(trial->pins, trial->from, &run);
	uint64_t to = bm_pci_bus(trial->pins, trial->to, &run);
	int rc;

	if (!bm_ptdma_is_reached(from, trial->page) || !bm_ptdma_is_reached(to, trial->page)) {
		snprintf(trial->why, BM_WHY_MAX, "memory is at addresses of more than %u bits",
			 BM_PTDMA_BUS_BITS);
		return -EFAULT;
	}
	bm_ptdma_add(ring, from, to, trial->page);
	bm_ptdma_add_end(ring, &copy);
	bm_ptdma_launch(ring, ring->function->sys->now_ns());
	rc = wait_for(ring);
	if (rc < 0) {
		snprintf(trial->why, BM_WHY_MAX, "its first copy %s",
			 rc == -ETIMEDOUT ? "does not end" : "has failed");
		return rc;
	}
	bm_ptdma_forget(ring);
	if (memcmp(trial->from, trial->to, trial->page) == 0)
		return 0;
	snprintf(trial->why, BM_WHY_MAX,
		 "its first copy arrived elsewhere or changed: is memory encrypted, or is there "
		 "an IOMMU that translates?");
	return -EIO;
}

/* The second one needs the first one's target to have changed: both ways, and all rings. */
static int try_all(struct trial *trial, struct bm_ptdma_function *function)
{
	struct bm_copy copy_of = {.to = trial->to, .from = trial->from, .length = trial->page};
	int rc = bm_pci_pin(trial->pins, &copy_of, 1);

	if (rc < 0) {
		snprintf(trial->why, BM_WHY_MAX, "a page cannot be pinned (error %d)%s", -rc,
			 rc == -ENOMEM ? ": RLIMIT_MEMLOCK is too low" : "");
		return rc;
	}
	for (uint32_t i = 0; i < function->ring_count && rc == 0; i++) {
		prepare(trial, i);
		rc = copy(trial, &function->rings[i]);
	}
	return rc;
}

/*
 * 1 when the pages may be freed: nothing writes to them any more, or it ends at the
 * IOMMU. What of them cannot be unpinned the kernel keeps, until the function is closed.
 */
static int end(struct trial *trial, struct bm_ptdma_function *function, int failed)
{
	int unsure = 0;

	if (failed) {
		enum bm_ptdma_how how;

		bm_ptdma_retire(function);
		how = bm_ptdma_how(function);
		unsure = how != BM_PTDMA_QUIET && how != BM_PTDMA_DEAD;
	}
	return !unsure || trial->engine->guards;
}

int bm_ptdma_try(struct bm_engine *engine, struct bm_ptdma_function *function, char *why)
{
	const struct bm_backend_env *env = &engine->env;
	size_t page = (size_t)env->page_size;
	struct trial trial = {.engine = engine, .page = page, .why = why};
	int rc;

	trial.from = env->memory(env->sys, 2 * page);
	rc = trial.from ? bm_pci_pins_new(engine->space, page, 1, &trial.pins) : -ENOMEM;
	if (rc < 0) {
		snprintf(why, BM_WHY_MAX, "there is no memory to try it (error %d)", -rc);
	} else {
		trial.to = trial.from + page;
		rc = try_all(&trial, function);
		if (!end(&trial, function, rc < 0)) {
			engine->leaks = 1;
			return rc;
		}
		bm_pci_pins_free(trial.pins);
	}
	if (trial.from)
		env->memory_end(env->sys, trial.from, 2 * page);
	return rc;
}

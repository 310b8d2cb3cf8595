/* SPDX-License-Identifier: MIT */
/* rates.c - estimates from measurements. No system call. */
#include "rates.h"

#include <stddef.h>

#define ONE      1024u
#define WEIGHT   8u
#define SCALE_LO (ONE / 4)
#define SCALE_HI (ONE * 16)

/* Fine enough for steps of 1/8000. */
#define TAIL_ONE (UINT64_C(1) << 20)

/*
 * A quantile that follows: up by a quarter when something took longer, down by
 * 1/4000 when not, which is in balance where one in 1000 takes longer. What is
 * above four times the usual comes from a lock or from the host of a virtual
 * machine: smaller chunks would not help.
 */
#define TAIL_UP     4u
#define TAIL_DOWN   4000u
#define TAIL_FIRST  (TAIL_ONE * 3 / 2)
#define TAIL_MOST   (TAIL_ONE * 4)
#define USUAL_LEAST (TAIL_ONE / 16)
#define USUAL_MOST  (TAIL_ONE * 1024)
/*
 * What is usual is what chunks take when nothing disturbs them: down at once,
 * up by a 32nd. Machines pause, often several times in a row, and then no chunk
 * would be short enough any more.
 */
#define USUAL_UP 32u
/* One in so many of those that seem to take too long is tried. */
#define TRIED_AGAIN 1000u

static void init_tail(struct bm_tail *tail)
{
	atomic_init(&tail->usual, TAIL_ONE);
	atomic_init(&tail->longest, TAIL_FIRST);
	atomic_init(&tail->refused, 0);
}

void bm_rates_init(struct bm_rates *rates)
{
	/* 6.18 on a Zen 5, one thread; the kernel's: 2.0 GB/s and 4.5 GB/s. */
	atomic_init(&rates->chunk_ns, 12000);
	atomic_init(&rates->run_ns, 2000);
	atomic_init(&rates->page_ns, 450);
	atomic_init(&rates->huge_ns, 130000);
	atomic_init(&rates->populate_ns, 900);
	atomic_init(&rates->populate_huge_ns, 100000);
	atomic_init(&rates->direct_ns, 1000);
	atomic_init(&rates->kernel_ns, 2000);
	atomic_init(&rates->kernel_huge_ns, 450000);
	atomic_init(&rates->scale, ONE);
	atomic_init(&rates->share_ns, 0);
	atomic_init(&rates->chunk_pages, 0);
	atomic_init(&rates->call_ns, 15000);
	init_tail(&rates->window);
	init_tail(&rates->window_huge);
	init_tail(&rates->window_direct);
	init_tail(&rates->call);
	init_tail(&rates->call_huge);
}

static uint64_t around_pages(const struct bm_rates *rates, const struct bm_rates_chunk *chunk)
{
	return rates->chunk_ns + chunk->runs * rates->run_ns;
}

static uint64_t expected(const struct bm_rates *rates, const struct bm_rates_chunk *chunk)
{
	if (chunk->huge)
		return rates->huge_ns;
	return around_pages(rates, chunk) + chunk->pages * rates->page_ns;
}

static uint64_t populating(const struct bm_rates *rates, const struct bm_rates_chunk *chunk)
{
	if (chunk->huge)
		return chunk->lacking ? rates->populate_huge_ns : 0;
	return chunk->lacking * rates->populate_ns;
}

uint64_t bm_rates_swap_ns(const struct bm_rates *rates, const struct bm_rates_chunk *chunk)
{
	uint64_t usual = expected(rates, chunk);

	/* A huge page has no parts whose costs could differ: its own is what is followed. */
	if (!chunk->huge)
		usual = usual * rates->scale / ONE;
	return usual + populating(rates, chunk);
}

void bm_rates_copy(struct bm_rates *to, const struct bm_rates *from)
{
	const atomic_uint_fast64_t *source = (const void *)from;
	atomic_uint_fast64_t *target = (void *)to;

	_Static_assert(sizeof(*to) % sizeof(*target) == 0, "all fields are alike");
	for (size_t i = 0; i < sizeof(*to) / sizeof(*target); i++)
		atomic_store(&target[i], atomic_load(&source[i]));
}

int bm_rates_one_thread(const struct bm_rates *rates, const struct bm_rates_slice *slice)
{
	uint64_t alone = slice->chunks * rates->chunk_ns + slice->runs * rates->run_ns +
			 slice->pages * rates->page_ns + slice->huge * rates->huge_ns;

	/*
	 * With n threads a run costs (n - 1) * share_ns more, and all is done in
	 * 1/n of the time: (alone + runs * (n - 1) * share) / n, which falls with
	 * n only where this is less than alone.
	 */
	return slice->runs * rates->share_ns > alone;
}

uint64_t bm_rates_direct_ns(const struct bm_rates *rates, const struct bm_rates_chunk *chunk)
{
	return around_pages(rates, chunk) + chunk->pages * rates->direct_ns;
}

uint64_t bm_rates_kernel_ns(const struct bm_rates *rates, const struct bm_rates_chunk *chunk)
{
	return chunk->huge ? rates->kernel_huge_ns : chunk->pages * rates->kernel_ns;
}

void bm_rates_learn_runs(struct bm_rates *rates, uint64_t one_ns, uint64_t many_ns, uint32_t pages,
			 uint32_t runs)
{
	uint64_t run = many_ns > one_ns ? (many_ns - one_ns) / (runs - 1) : 0;
	uint64_t fixed = rates->chunk_ns + run;

	rates->run_ns = run;
	rates->page_ns = one_ns > fixed ? (one_ns - fixed) / pages : 1;
}

void bm_rates_learn_populate(struct bm_rates *rates, uint64_t ns, uint32_t pages)
{
	/* The kernel takes a new page and copies, too. */
	uint64_t most = pages ? pages * rates->kernel_ns : rates->kernel_huge_ns;

	ns = ns < most ? ns : most;
	if (pages)
		rates->populate_ns = ns / pages + 1;
	else
		rates->populate_huge_ns = ns;
}

static void approach(atomic_uint_fast64_t *value, uint64_t seen)
{
	uint64_t old = atomic_load_explicit(value, memory_order_relaxed);
	uint64_t next = (old * (WEIGHT - 1) + seen) / WEIGHT;

	/* Another thread's measurement may get lost. */
	atomic_store_explicit(value, next > 0 ? next : 1, memory_order_relaxed);
}

/* As USUAL_UP says. */
static void approach_usual(atomic_uint_fast64_t *value, uint64_t seen)
{
	uint64_t old = atomic_load_explicit(value, memory_order_relaxed);
	uint64_t most = old + old / USUAL_UP * WEIGHT + 1;

	approach(value, seen < most ? seen : most);
}

/* One that took far longer says little. */
static uint64_t clamped(uint64_t seen, uint64_t known)
{
	return seen < 2 * known ? seen : 2 * known + 1;
}

void bm_rates_follow(struct bm_rates *rates, const struct bm_rates_chunk *chunk, uint64_t ns)
{
	uint64_t populate = populating(rates, chunk), usual = expected(rates, chunk);
	uint64_t net = ns > populate ? ns - populate : 0;
	uint64_t scale = usual ? net * ONE / usual : ONE;

	/* A slice of the scheduler's is no property of the chunk. */
	if (chunk->huge) {
		approach_usual(&rates->huge_ns, net);
		return;
	}
	scale = scale < SCALE_LO ? SCALE_LO : scale > SCALE_HI ? SCALE_HI : scale;
	approach(&rates->scale, scale);
}

void bm_rates_follow_direct(struct bm_rates *rates, const struct bm_rates_chunk *chunk, uint64_t ns)
{
	uint64_t around = around_pages(rates, chunk);

	approach(&rates->direct_ns,
		 clamped(ns > around ? (ns - around) / chunk->pages : 1, rates->direct_ns));
}

void bm_rates_follow_kernel(struct bm_rates *rates, uint32_t pages, uint64_t ns)
{
	if (pages > 0)
		approach(&rates->kernel_ns, ns / pages);
}

void bm_rates_follow_kernel_huge(struct bm_rates *rates, uint32_t huge, uint64_t ns)
{
	if (huge > 0)
		approach(&rates->kernel_huge_ns, clamped(ns / huge, rates->kernel_huge_ns));
}

/* ---------------------------------------------------------------- the longest of 1000 */

/* Stores what several threads follow: the step of one may get lost. */
static void set(atomic_uint_fast64_t *value, uint64_t next, uint64_t least, uint64_t most)
{
	next = next < least ? least : next > most ? most : next;
	atomic_store_explicit(value, next, memory_order_relaxed);
}

static uint64_t get(const atomic_uint_fast64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

static uint64_t scaled(uint64_t ns, const atomic_uint_fast64_t *scale)
{
	return ns * get(scale) / TAIL_ONE;
}

static uint64_t longest(const struct bm_tail *tail, uint64_t usual)
{
	return scaled(scaled(usual, &tail->usual), &tail->longest);
}

static void follow_tail(struct bm_tail *tail, uint64_t expected_ns, uint64_t ns)
{
	uint64_t usual = scaled(expected_ns, &tail->usual), step = get(&tail->longest);
	uint64_t seen = ns < 4 * usual ? ns : 4 * usual;

	step = ns > scaled(usual, &tail->longest) ? step + step / TAIL_UP : step - step / TAIL_DOWN;
	set(&tail->longest, step, TAIL_ONE, TAIL_MOST);
	if (expected_ns)
		approach_usual(&tail->usual, seen * TAIL_ONE / expected_ns);
	set(&tail->usual, get(&tail->usual), USUAL_LEAST, USUAL_MOST);
}

static int try_again(struct bm_tail *tail)
{
	return atomic_fetch_add_explicit(&tail->refused, 1, memory_order_relaxed) % TRIED_AGAIN ==
	       TRIED_AGAIN - 1;
}

static struct bm_tail *tail_of(struct bm_rates *rates, const struct bm_rates_chunk *chunk,
			       int direct)
{
	return direct ? &rates->window_direct : chunk->huge ? &rates->window_huge : &rates->window;
}

static uint64_t expected_window(const struct bm_rates *rates, const struct bm_rates_chunk *chunk,
				int direct)
{
	return direct ? bm_rates_direct_ns(rates, chunk) : expected(rates, chunk);
}

static const struct bm_tail *known_tail(const struct bm_rates *rates,
					const struct bm_rates_chunk *chunk, int direct)
{
	return direct ? &rates->window_direct : chunk->huge ? &rates->window_huge : &rates->window;
}

uint64_t bm_rates_window_ns(const struct bm_rates *rates, const struct bm_rates_chunk *chunk,
			    int direct)
{
	return longest(known_tail(rates, chunk, direct), expected_window(rates, chunk, direct));
}

uint64_t bm_rates_usual_window_ns(const struct bm_rates *rates, const struct bm_rates_chunk *chunk,
				  int direct)
{
	return scaled(expected_window(rates, chunk, direct),
		      &known_tail(rates, chunk, direct)->usual);
}

void bm_rates_follow_window(struct bm_rates *rates, const struct bm_rates_chunk *chunk, int direct,
			    uint64_t ns)
{
	follow_tail(tail_of(rates, chunk, direct), expected_window(rates, chunk, direct), ns);
}

int bm_rates_try_window(struct bm_rates *rates, const struct bm_rates_chunk *chunk, int direct)
{
	return try_again(tail_of(rates, chunk, direct));
}

static uint64_t expected_call(const struct bm_rates *rates, uint32_t pages, uint32_t huge)
{
	return rates->call_ns + pages * rates->kernel_ns + huge * rates->kernel_huge_ns;
}

uint64_t bm_rates_call_ns(const struct bm_rates *rates, uint32_t pages, uint32_t huge)
{
	return longest(huge ? &rates->call_huge : &rates->call, expected_call(rates, pages, huge));
}

uint64_t bm_rates_usual_call_ns(const struct bm_rates *rates, uint32_t pages, uint32_t huge)
{
	return scaled(expected_call(rates, pages, huge),
		      huge ? &rates->call_huge.usual : &rates->call.usual);
}

void bm_rates_follow_call(struct bm_rates *rates, uint32_t pages, uint32_t huge, uint64_t ns)
{
	follow_tail(huge ? &rates->call_huge : &rates->call, expected_call(rates, pages, huge), ns);
}

int bm_rates_try_call(struct bm_rates *rates, uint32_t huge)
{
	return try_again(huge ? &rates->call_huge : &rates->call);
}

uint64_t bm_rates_call_pages(const struct bm_rates *rates, uint64_t ns)
{
	uint64_t one = longest(&rates->call, rates->call_ns + rates->kernel_ns);
	uint64_t each = longest(&rates->call, rates->kernel_ns);

	return ns > one && each ? (ns - one) / each + 1 : 1;
}

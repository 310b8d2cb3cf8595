/* SPDX-License-Identifier: MIT */
/* swap_silent.c - engines that do not answer: what they may still write to, and when no more. */
#include <sys/wait.h>

#include "cpu/cpu.h"
#include "script.h"

#include <string.h>

static int is_listed(const struct bm_slab *slab, uint64_t start)
{
	while (slab && slab->start != start)
		slab = slab->next;
	return slab != NULL;
}

static int is_anywhere(const struct bm_pool *pool, uint64_t start)
{
	int found = 0;

	for (size_t i = 0; i < BM_SEATS * 4; i++)
		found |= is_listed((&pool->empty[0][0][0])[i], start) ||
			 is_listed((&pool->ready[0][0][0])[i], start);
	return found;
}

/* The engine may still write there, and to the records of its channel. */
START_TEST(never_answered)
{
	NEED_SWAP();
	faulty = (struct faulty){.kind = FAULTY_SILENT, .at = 1};
	ck_assert_uint_eq(move_part(area, NULL), PART);
	check(area, area, PARTS * BYTES, 1);
	ck_assert(!is_anywhere(&scripted_context->swap->pool, script.staging));
	script_end();
	ck_assert_int_eq(script.closed, 0);
}
END_TEST

/*
 * What an engine has not told of it may write at any time: to memory that
 * nobody uses. Once it is quiet, that is the pool's again, and the engine is used.
 */
START_TEST(written_late)
{
	struct bm_pool *pool;
	size_t seen;

	NEED_SWAP();
	faulty = (struct faulty){.kind = FAULTY_SILENT, .at = 1};
	ck_assert_uint_eq(move_part(area, NULL), PART);
	pool = &scripted_context->swap->pool;
	for (int i = 0; i < 3; i++) {
		seen = faulty.seen;
		ck_assert_uint_eq(move_part(area, NULL), PART);
		ck_assert_uint_eq(faulty.seen, seen);
	}
	ck_assert_uint_eq(faulty_write_late(), 1);
	check(area, area, PARTS * BYTES, 1);
	ck_assert(!is_anywhere(pool, script.staging));
	faulty.is_quiet = 1;
	while (!is_anywhere(pool, script.staging))
		ck_assert_uint_eq(move_part(area, NULL), PART);
	seen = faulty.seen;
	for (int i = 0; i < 8; i++)
		ck_assert_uint_eq(move_part(area, NULL), PART);
	ck_assert_uint_gt(faulty.seen, seen);
	check(area, area, PARTS * BYTES, 1);
	script_end();
	ck_assert_int_eq(script.closed, 1);
}
END_TEST

/* bm_quiesce() empties the pool, but not of what may still be written to. */
START_TEST(written_after_the_pool_has_ended)
{
	NEED_SWAP();
	faulty = (struct faulty){.kind = FAULTY_SILENT, .at = 1};
	ck_assert_uint_eq(move_part(area, NULL), PART);
	faulty_keep_held(scripted_context);
	ck_assert_int_eq(bm_quiesce(), 0);
	/* Nothing else may be mapped there: writing to it would be a fault, or corrupt that. */
	ck_assert_uint_eq(faulty_write_late(), 1);
	faulty.is_quiet = 1;
	for (int i = 0; i < 5; i++)
		ck_assert_uint_eq(move_part(area, NULL), PART);
	check(area, area, PARTS * BYTES, 1);
	script_end();
}
END_TEST

static int warnings;

static void count_warnings(void *user, int level, const char *line)
{
	(void)user;
	warnings += level == BM_LOG_WARN &&
		    strstr(line, "takes no more copies: copies are made without it");
}

/* In the window nothing can be logged: it is afterwards, once. */
START_TEST(who_takes_no_more_is_told_of)
{
	NEED_SWAP();
	warnings = 0;
	scripted_context->config.log.hook = count_warnings;
	scripted_context->config.log.level = BM_LOG_WARN;
	ck_assert_uint_eq(move_part(area, NULL), PART);
	ck_assert_int_eq(warnings, 0);
	faulty = (struct faulty){.kind = FAULTY_REFUSED, .at = 1};
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(move_part(area, NULL), PART);
	ck_assert_int_eq(warnings, 1);
	check(area, area, PARTS * BYTES, 1);
	script_end();
}
END_TEST

static atomic_int fork_wanted, fork_begun, batch_ended;

static void fork_begins(void)
{
	if (!atomic_load(&fork_wanted) || atomic_load(&batch_ended))
		return;
	atomic_store(&fork_begun, 1);
	for (int ms = 0; ms < 10000 && !atomic_load(&batch_ended); ms++)
		usleep(1000);
}

/* Before the library registers its own handler, which is then called first. */
__attribute__((constructor)) static void watch_forks(void)
{
	pthread_atfork(fork_begins, NULL, NULL);
}

static void *fork_once(void *arg)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	*(pid_t *)arg = waitpid(child, NULL, 0);
	return NULL;
}

static pthread_t forking;
static pid_t forked;

static int settle_amid_fork(struct bm_channel *channel)
{
	(void)channel;
	if (!atomic_exchange(&fork_wanted, 1))
		ck_assert_int_eq(pthread_create(&forking, NULL, fork_once, &forked), 0);
	while (!atomic_load(&fork_begun))
		usleep(1000);
	return 1;
}

/* What is given back just then is not lost to the pool, and to the process. */
START_TEST(quiet_again_while_another_thread_forks)
{
	static struct bm_backend backend;

	NEED_SWAP();
	backend = *scripted_context->copies;
	backend.settle = settle_amid_fork;
	scripted_context->copies = &backend;
	faulty = (struct faulty){.kind = FAULTY_SILENT, .at = 1};
	ck_assert_uint_eq(move_part(area, NULL), PART);
	atomic_store(&batch_ended, 1);
	ck_assert_int_eq(pthread_join(forking, NULL), 0);
	ck_assert_int_gt(forked, 0);
	/* They are shared with the child until they are written to. */
	fill(area, PARTS * BYTES, 1);
	for (int i = 0; i < 8; i++)
		ck_assert_uint_eq(move_part(area, NULL), PART);
	ck_assert(is_anywhere(&scripted_context->swap->pool, script.staging));
	check(area, area, PARTS * BYTES, 1);
	script_end();
	ck_assert_int_eq(script.closed, 1);
}
END_TEST

/* It is asked by whoever works with that seat, also where another engine copies. */
START_TEST(quiet_again_when_another_engine_copies)
{
	static struct bm_backend another;

	NEED_SWAP();
	faulty = (struct faulty){.kind = FAULTY_SILENT, .at = 1};
	ck_assert_uint_eq(move_part(area, NULL), PART);
	another = *scripted_context->copies;
	scripted_context->copies = &another;
	faulty.is_quiet = 1;
	for (int i = 0; i < 8; i++)
		ck_assert_uint_eq(move_part(area, NULL), PART);
	ck_assert(is_anywhere(&scripted_context->swap->pool, script.staging));
	check(area, area, PARTS * BYTES, 1);
	script_end();
	ck_assert_int_eq(script.closed, 2);
}
END_TEST

static const struct bm_backend *sit_and_rise(struct bm_swap *swap, struct bm_use use, int silent)
{
	struct bm_seat *seat = bm_swap_sit(swap, use);
	const struct bm_backend *backend;

	ck_assert_ptr_nonnull(seat);
	backend = seat->copier.backend;
	seat->copier.silent |= silent;
	bm_swap_rise(swap, seat);
	return backend;
}

/* Each time pages were away for the whole time limit: with the cpu beside it, three times. */
START_TEST(silent_again_and_again)
{
	struct bm_picks picks = {{&faulty_backend, &bm_backend_cpu}, 2, 1};
	struct bm_swap *swap;
	struct bm_use use;

	NEED_SWAP();
	ck_assert_uint_eq(move_part(area, NULL), PART);
	swap = scripted_context->swap;
	swap->engines.least = 4096;
	swap->engines.share = BM_SHARE_OFF;
	ck_assert_int_eq(bm_engines_use(&swap->engines, &picks, &use), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_ptr_eq(sit_and_rise(swap, use, 0), &faulty_backend);
		ck_assert_ptr_eq(sit_and_rise(swap, use, 1), &faulty_backend);
	}
	ck_assert_ptr_eq(sit_and_rise(swap, use, 0), &bm_backend_cpu);
	/* Who has named nothing else gets it. */
	use.cpu = -1;
	ck_assert_ptr_eq(sit_and_rise(swap, use, 0), &faulty_backend);
	script_end();
}
END_TEST

static const TTest *const *const tests[] = {&never_answered,
					    &written_late,
					    &written_after_the_pool_has_ended,
					    &who_takes_no_more_is_told_of,
					    &quiet_again_while_another_thread_forks,
					    &quiet_again_when_another_engine_copies,
					    &silent_again_and_again,
					    NULL};
const struct report_group swap_silent_group = {"swap_silent", tests};

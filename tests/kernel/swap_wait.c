/* SPDX-License-Identifier: MIT */
/* swap_wait.c - futexes, mutexes and conditions that lie in a range while it is migrated. */
#include "swap_load.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#define COUNT 600

static struct load load;

/* Two players; each waits until it is its turn, looks at the payload, and passes it on. */
struct game {
	atomic_uint *turn;          /* a futex */
	volatile uint64_t *payload; /* in another page: what turn was when it was written */
	int operation;              /* FUTEX_PRIVATE_FLAG or 0 */
	pthread_mutex_t *mutex;     /* in the range, or NULL: futexes */
	pthread_cond_t *changed;
	atomic_int stop;
	atomic_uint played[2], wrong;
};

struct player {
	struct game *game;
	unsigned int number;
};

static void wait_for_turn(struct game *game, unsigned int number)
{
	unsigned int turn;

	while ((turn = atomic_load(game->turn)) % 2 != number && !atomic_load(&game->stop))
		syscall(SYS_futex, game->turn, FUTEX_WAIT | game->operation, turn, NULL, NULL, 0);
}

static void play(struct game *game, unsigned int number)
{
	unsigned int turn = atomic_load(game->turn);

	if (turn % 2 != number)
		return; /* the end */
	/* end_game() sets stop first and then makes the turn another one. */
	if (*game->payload != turn && !atomic_load(&game->stop))
		atomic_fetch_add(&game->wrong, 1);
	*game->payload = turn + 1;
	atomic_store(game->turn, turn + 1);
	atomic_fetch_add(&game->played[number], 1);
}

static void *play_with_futex(void *arg)
{
	struct player *player = arg;
	struct game *game = player->game;
	struct pulse *pulse = pulse_new("a player");

	while (!atomic_load(&game->stop)) {
		wait_for_turn(game, player->number);
		play(game, player->number);
		syscall(SYS_futex, game->turn, FUTEX_WAKE | game->operation, 1, NULL, NULL, 0);
		pulse_beat(pulse);
	}
	pulse_end(pulse);
	return NULL;
}

static void *play_with_mutex(void *arg)
{
	struct player *player = arg;
	struct game *game = player->game;
	struct pulse *pulse = pulse_new("a player");

	pthread_mutex_lock(game->mutex);
	while (!atomic_load(&game->stop)) {
		if (atomic_load(game->turn) % 2 != player->number) {
			pthread_cond_wait(game->changed, game->mutex);
			continue;
		}
		play(game, player->number);
		pthread_cond_signal(game->changed);
		pulse_beat(pulse);
	}
	pthread_mutex_unlock(game->mutex);
	pulse_end(pulse);
	return NULL;
}

static void end_game(struct game *game, const pthread_t *threads)
{
	if (game->mutex)
		pthread_mutex_lock(game->mutex);
	atomic_store(&game->stop, 1);
	if (game->mutex) {
		pthread_cond_broadcast(game->changed);
		pthread_mutex_unlock(game->mutex);
	}
	/* Neither can miss it: the value it waits for is another now. */
	atomic_fetch_add(game->turn, 2);
	syscall(SYS_futex, game->turn, FUTEX_WAKE | game->operation, 2, NULL, NULL, 0);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}

static void play_game(const char *test, struct game *game)
{
	struct player players[2] = {{game, 0}, {game, 1}};
	pthread_t threads[2];
	unsigned int played, wrong, turn;
	struct box box;

	*game->payload = 0;
	watchdog_start(test);
	load_start(&load);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
						game->mutex ? play_with_mutex : play_with_futex,
						&players[i]),
				 0);
	box_start(&box, "the test");
	while (box_open(&box))
		usleep(20000);
	end_game(game, threads);
	load_end(&load);
	played = atomic_load(&game->played[0]) + atomic_load(&game->played[1]);
	wrong = atomic_load(&game->wrong);
	turn = atomic_load(game->turn);
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_gt(played, 2);
	/* end_game() may have come between a look and a store of a player, never more. */
	ck_assert_uint_ge(turn, played);
	ck_assert_uint_le(turn, played + 2);
	watchdog_stop();
	load_free(&load);
}

/* The game's words, each in a page of its own. */
static void lay_out(struct game *game, int operation)
{
	char *start;

	load_new(&load, COUNT);
	start = load.area.start;
	*game = (struct game){.operation = operation};
	game->turn = (atomic_uint *)(void *)(start + PAGE + 64);
	game->payload = (uint64_t *)(void *)(start + 100 * PAGE + 8);
	atomic_store(game->turn, 0);
}

START_TEST(private_futex)
{
	static struct game game;

	lay_out(&game, FUTEX_PRIVATE_FLAG);
	play_game("swap_wait/private_futex", &game);
}
END_TEST

/* The kernel looks the page up at each call. */
START_TEST(shared_futex)
{
	static struct game game;

	lay_out(&game, 0);
	play_game("swap_wait/shared_futex", &game);
}
END_TEST

static void use_mutex(struct game *game, int shared)
{
	char *start = load.area.start;
	pthread_mutexattr_t mutex;
	pthread_condattr_t changed;

	pthread_mutexattr_init(&mutex);
	pthread_condattr_init(&changed);
	pthread_mutexattr_setpshared(&mutex, shared);
	pthread_condattr_setpshared(&changed, shared);
	game->mutex = (pthread_mutex_t *)(void *)(start + 200 * PAGE);
	game->changed = (pthread_cond_t *)(void *)(start + 250 * PAGE);
	ck_assert_int_eq(pthread_mutex_init(game->mutex, &mutex), 0);
	ck_assert_int_eq(pthread_cond_init(game->changed, &changed), 0);
}

START_TEST(mutex_and_condition)
{
	static struct game game;

	lay_out(&game, FUTEX_PRIVATE_FLAG);
	use_mutex(&game, PTHREAD_PROCESS_PRIVATE);
	play_game("swap_wait/mutex_and_condition", &game);
}
END_TEST

START_TEST(shared_mutex_and_condition)
{
	static struct game game;

	lay_out(&game, 0);
	use_mutex(&game, PTHREAD_PROCESS_SHARED);
	play_game("swap_wait/shared_mutex_and_condition", &game);
}
END_TEST

static const TTest *const *const tests[] = {&private_futex, &shared_futex, &mutex_and_condition,
					    &shared_mutex_and_condition, NULL};
const struct report_group swap_wait_group = {"swap_wait", tests};

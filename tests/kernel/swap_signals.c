/* SPDX-License-Identifier: MIT */
/* swap_signals.c - handlers that use a range while it is migrated; handlers that must not run. */
#include "swap_load.h"

#include <setjmp.h>
#include <signal.h>
#include <time.h>

#define COUNT 1024

static struct load load;

/* How often the handlers ran: in the process, and in the thread that migrates. */
static atomic_ulong to_process, to_thread;
static atomic_ulong wrong_in_handler;
static pthread_t migrating;

/* A word of each page in the first half is the handlers'; it begins at 0. */
static atomic_ulong *word_of(size_t page)
{
	return (atomic_ulong *)(void *)(load.area.start + page * PAGE + 256);
}

/* Counts up in one page, and looks at another one that nobody writes. */
static void count_in_range(atomic_ulong *calls)
{
	unsigned long call = atomic_fetch_add(calls, 1);
	size_t page = call * 37 % (COUNT / 2);

	atomic_fetch_add(word_of(page), 1);
	if (wrong_words(load.area.start + load_half(&load) + page * PAGE, PAGE, LOAD_SEED) != 0)
		atomic_fetch_add(&wrong_in_handler, 1);
}

static void on_timer(int signal)
{
	int saved = errno;

	(void)signal;
	count_in_range(&to_process);
	errno = saved;
}

static void on_kill(int signal)
{
	int saved = errno;

	(void)signal;
	if (pthread_equal(pthread_self(), migrating))
		count_in_range(&to_thread);
	errno = saved;
}

static timer_t start_timer(int flags)
{
	struct sigaction timer_action = {.sa_handler = on_timer, .sa_flags = flags};
	struct sigaction kill_action = {.sa_handler = on_kill, .sa_flags = flags};
	struct itimerspec rate = {{0, 1000000}, {0, 1000000}};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
	timer_t timer;

	ck_assert_int_eq(sigaction(SIGRTMIN, &timer_action, NULL), 0);
	ck_assert_int_eq(sigaction(SIGUSR1, &kill_action, NULL), 0);
	ck_assert_int_eq(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
	ck_assert_int_eq(timer_settime(timer, 0, &rate, NULL), 0);
	return timer;
}

static void end_timer(timer_t timer)
{
	struct timespec moment = {0, 20000000};

	timer_delete(timer);
	/* One that is pending still finds its handler. */
	nanosleep(&moment, NULL);
	signal(SIGRTMIN, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
}

static unsigned long sum_of_words(void)
{
	unsigned long sum = 0;

	for (size_t i = 0; i < COUNT / 2; i++)
		sum += atomic_load(word_of(i));
	return sum;
}

static void under_signals(const char *test, int flags)
{
	struct timespec moment = {0, 1000000};
	struct box box;
	timer_t timer;

	to_process = to_thread = wrong_in_handler = 0;
	watchdog_start(test);
	load_new(&load, COUNT);
	for (size_t i = 0; i < COUNT / 2; i++)
		atomic_store(word_of(i), 0);
	load_start(&load);
	migrating = load.thread;
	timer = start_timer(flags);
	box_start(&box, "the signals");
	while (box_open(&box)) {
		pthread_kill(load.thread, SIGUSR1);
		nanosleep(&moment, NULL);
	}
	end_timer(timer);
	load_end(&load);
	ck_assert_uint_eq(atomic_load(&wrong_in_handler), 0);
	ck_assert_uint_gt(atomic_load(&to_process), 10);
	ck_assert_uint_gt(atomic_load(&to_thread), 10);
	ck_assert_uint_eq(sum_of_words(), atomic_load(&to_process) + atomic_load(&to_thread));
	watchdog_stop();
	load_free(&load);
}

START_TEST(handlers_that_restart)
{
	under_signals("swap_signals/handlers_that_restart", SA_RESTART);
}
END_TEST

START_TEST(handlers_that_interrupt)
{
	under_signals("swap_signals/handlers_that_interrupt", 0);
}
END_TEST

static atomic_ulong faults;
static sigjmp_buf after_fault;
static pthread_t provoking;

/* In another thread there is no way back. */
static void on_fault(int signal)
{
	static const char text[] = "not ok swap_signals/fault_handlers_stay: a fault elsewhere\n";

	(void)signal;
	if (!pthread_equal(pthread_self(), provoking)) {
		(void)!write(1, text, sizeof(text) - 1);
		_exit(1);
	}
	atomic_fetch_add(&faults, 1);
	siglongjmp(after_fault, 1);
}

/* The application's own fault, while pages move. */
static void provoke(const volatile char *place)
{
	if (sigsetjmp(after_fault, 1) == 0)
		(void)*place;
}

static int still_handles(int signal)
{
	struct sigaction action;

	return sigaction(signal, NULL, &action) == 0 && action.sa_handler == on_fault;
}

START_TEST(fault_handlers_stay)
{
	static const int kinds[] = {SIGSEGV, SIGBUS};
	struct sigaction action = {.sa_handler = on_fault}, before[2];
	struct writers writers = {.count = COUNT / 2, .threads = 2};
	char *forbidden = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long uninvited, own = 0;
	struct box box;

	ck_assert_ptr_ne(forbidden, MAP_FAILED);
	atomic_store(&faults, 0);
	provoking = pthread_self();
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(sigaction(kinds[i], &action, &before[i]), 0);
	watchdog_start("swap_signals/fault_handlers_stay");
	load_new(&load, COUNT);
	writers.start = load.area.start;
	writers_start(&writers);
	load_start(&load);
	box_start(&box, "the faults");
	while (box_open(&box)) {
		provoke(forbidden);
		own++;
		usleep(1000);
	}
	load_join(&load);
	writers_end(&writers);
	load_end(&load);
	uninvited = atomic_load(&faults) - own;
	for (int i = 0; i < 2; i++) {
		ck_assert(still_handles(kinds[i]));
		sigaction(kinds[i], &before[i], NULL);
	}
	ck_assert_uint_eq(uninvited, 0);
	watchdog_stop();
	munmap(forbidden, PAGE);
	load_free(&load);
}
END_TEST

static const TTest *const *const tests[] = {&handlers_that_restart, &handlers_that_interrupt,
					    &fault_handlers_stay, NULL};
const struct report_group swap_signals_group = {"swap_signals", tests};

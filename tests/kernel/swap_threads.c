/* SPDX-License-Identifier: MIT */
/* swap_threads.c - threads that write while pages move, a watchdog, loops of limited time. */
#include "swap_support.h"

#include <stdio.h>
#include <time.h>

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---------------------------------------------------------------- settings */

static struct {
	const char *path;
	char text[128];
} settings[8];
static int setting_count;

/* Of a choice like "always [madvise] never" the word in brackets. */
static void only_chosen(char *text)
{
	char *open = strchr(text, '['), *end = strchr(text, ']');

	if (!open || !end || end < open)
		return;
	*end = '\0';
	memmove(text, open + 1, strlen(open + 1) + 1);
}

int setting(const char *path, const char *text)
{
	FILE *file = fopen(path, "re");
	int rc = file ? 0 : -errno;

	if (setting_count == 0)
		atexit(settings_back);
	ck_assert_int_lt(setting_count, 8);
	if (file && !fgets(settings[setting_count].text, 128, file))
		rc = -EIO;
	if (file)
		fclose(file);
	if (rc == 0)
		rc = write_text(path, text);
	if (rc == 0) {
		only_chosen(settings[setting_count].text);
		settings[setting_count++].path = path;
	}
	return rc;
}

void settings_back(void)
{
	while (setting_count > 0) {
		setting_count--;
		write_text(settings[setting_count].path, settings[setting_count].text);
	}
}

/* ---------------------------------------------------------------- the watchdog */

#define PULSES  16
#define LIMIT_S 60 /* an emulated machine takes its time */

struct pulse {
	const char *who;
	atomic_int live;
	atomic_ulong beats;
	unsigned long seen; /* by the watchdog, */
	uint64_t since;     /* at this time */
};

static struct {
	const char *test;
	atomic_int running;
	pthread_t thread;
	struct pulse *test_pulse;
	struct pulse pulses[PULSES];
} dog;

static void bite(const char *who)
{
	char text[256];
	int length = snprintf(text, sizeof(text), "not ok %s: no progress of %s for %d s\n",
			      dog.test, who, LIMIT_S);

	(void)!write(1, text, (size_t)length);
	settings_back();
	_exit(1);
}

static void *watch(void *arg)
{
	(void)arg;
	while (atomic_load(&dog.running)) {
		/* Ends the program also when the watchdog itself hangs in a window. */
		alarm(3 * LIMIT_S);
		usleep(100000);
		for (size_t i = 0; i < PULSES; i++) {
			struct pulse *pulse = &dog.pulses[i];
			unsigned long beats = atomic_load(&pulse->beats);

			if (!atomic_load(&pulse->live) || beats != pulse->seen) {
				pulse->seen = beats;
				pulse->since = now_ns();
			} else if (now_ns() - pulse->since > LIMIT_S * 1000000000ull) {
				bite(pulse->who);
			}
		}
	}
	alarm(0);
	return NULL;
}

void watchdog_start(const char *test)
{
	/* A test that failed leaves its watchdog behind. */
	watchdog_stop();
	settings_back();
	memset(dog.pulses, 0, sizeof(dog.pulses));
	for (size_t i = 0; i < PULSES; i++)
		dog.pulses[i].since = now_ns();
	dog.test = test;
	atomic_store(&dog.running, 1);
	dog.test_pulse = pulse_new("the test");
	ck_assert_int_eq(pthread_create(&dog.thread, NULL, watch, NULL), 0);
}

void watchdog_stop(void)
{
	if (atomic_exchange(&dog.running, 0))
		pthread_join(dog.thread, NULL);
}

void watchdog_beat(void)
{
	if (atomic_load(&dog.running))
		pulse_beat(dog.test_pulse);
}

struct pulse *pulse_new(const char *who)
{
	for (size_t i = 0; atomic_load(&dog.running) && i < PULSES; i++) {
		struct pulse *pulse = &dog.pulses[i];
		int unused = 0;

		if (!atomic_compare_exchange_strong(&pulse->live, &unused, 1))
			continue;
		pulse->who = who;
		atomic_fetch_add(&pulse->beats, 1);
		return pulse;
	}
	return NULL;
}

void pulse_beat(struct pulse *pulse)
{
	if (pulse)
		atomic_fetch_add(&pulse->beats, 1);
}

void pulse_end(struct pulse *pulse)
{
	if (pulse)
		atomic_store(&pulse->live, 0);
}

/* ---------------------------------------------------------------- loops */

void box_start(struct box *box, const char *who)
{
	const char *full = getenv("BM_TEST_FULL");
	uint64_t seconds = full && strcmp(full, "1") == 0 ? 60 : 1;

	*box = (struct box){.end = now_ns() + seconds * 1000000000u, .pulse = pulse_new(who)};
}

int box_open(struct box *box)
{
	pulse_beat(box->pulse);
	if (box->rounds++ < 4 || now_ns() < box->end)
		return 1;
	pulse_end(box->pulse);
	return 0;
}

/* ---------------------------------------------------------------- writers */

/* Three words of each thread in each page; the stamps are at 0, 2040 and 4088. */
#define WORDS 3
static const size_t word_places[WORDS] = {128, 1024, 3072};

static uint64_t *word_at(const struct writers *writers, size_t page, int number, size_t k)
{
	return (uint64_t *)(void *)(writers->start + page * PAGE + word_places[k] +
				    (size_t)number * 8);
}

static void note_wrong(struct writers *writers, const volatile uint64_t *word, uint64_t is,
		       uint64_t should)
{
	if (atomic_fetch_add(&writers->wrong, 1) > 0)
		return;
	snprintf(writers->first, sizeof(writers->first),
		 "page %zu, byte %zu is %#llx, was written as %#llx, a moment later is %#llx",
		 (size_t)((const char *)(const void *)(uintptr_t)word - writers->start) / PAGE,
		 (size_t)((uintptr_t)word % PAGE), (unsigned long long)is,
		 (unsigned long long)should, (unsigned long long)*word);
}

static void write_page(struct writers *writers, int number, size_t page)
{
	for (size_t k = 0; k < WORDS; k++) {
		volatile uint64_t *word = word_at(writers, page, number, k);
		uint64_t *shadow = &writers->shadow[number][page * WORDS + k];
		uint64_t is = *word;

		if (is != *shadow) {
			note_wrong(writers, word, is, *shadow);
			is = *shadow;
		}
		*shadow = is + 1;
		/* Others may look at it, see lost_words(). */
		__atomic_store_n(word, is + 1, __ATOMIC_RELAXED);
	}
}

static void read_page(struct writers *writers, size_t page)
{
	char *start = writers->start + page * PAGE;

	if (stamp_wrong(start, 1, PAGE))
		note_wrong(writers, (volatile uint64_t *)(void *)start, 0, 0);
}

static void *write_words(void *argument)
{
	struct writers_arg *arg = argument;
	struct writers *writers = arg->writers;
	int reads = arg->number >= writers->threads - writers->readers;
	struct pulse *pulse = pulse_new(reads ? "a reader" : "a writer");

	while (!atomic_load(&writers->stop)) {
		for (size_t i = 0; i < writers->count; i++) {
			if (i >= writers->skip_from && i < writers->skip_to)
				continue;
			if (reads)
				read_page(writers, i);
			else
				write_page(writers, arg->number, i);
			pulse_beat(pulse);
		}
		atomic_fetch_add(&writers->rounds, 1);
	}
	pulse_end(pulse);
	return NULL;
}

static size_t shadow_length(const struct writers *writers)
{
	return (writers->count * WORDS * 8 + PAGE - 1) / PAGE * PAGE;
}

void writers_start(struct writers *writers)
{
	ck_assert_int_le(writers->threads, WRITERS_MOST);
	for (int i = 0; i < writers->threads; i++) {
		void *shadow = mmap(NULL, shadow_length(writers), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

		ck_assert_ptr_ne(shadow, MAP_FAILED);
		writers->shadow[i] = shadow;
		for (size_t at = 0; at < writers->count * WORDS; at++) {
			size_t page = at / WORDS;

			if (page < writers->skip_from || page >= writers->skip_to)
				writers->shadow[i][at] = *word_at(writers, page, i, at % WORDS);
		}
		writers->arg[i] = (struct writers_arg){writers, i};
		ck_assert_int_eq(
			pthread_create(&writers->thread[i], NULL, write_words, &writers->arg[i]),
			0);
	}
}

void writers_end(struct writers *writers)
{
	atomic_store(&writers->stop, 1);
	for (int i = 0; i < writers->threads; i++)
		pthread_join(writers->thread[i], NULL);
	for (int i = 0; i < writers->threads; i++) {
		for (size_t at = 0; at < writers->count * WORDS; at++) {
			size_t page = at / WORDS;
			uint64_t *word = word_at(writers, page, i, at % WORDS);

			if (page >= writers->skip_from && page < writers->skip_to)
				continue;
			if (*word != writers->shadow[i][at])
				note_wrong(writers, word, *word, writers->shadow[i][at]);
		}
		munmap(writers->shadow[i], shadow_length(writers));
	}
	ck_assert_msg(atomic_load(&writers->wrong) == 0, "%lu words wrong: %s",
		      atomic_load(&writers->wrong), writers->first);
	ck_assert_uint_gt(atomic_load(&writers->rounds), 0);
}

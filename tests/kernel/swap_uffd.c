/* SPDX-License-Identifier: MIT */
/* swap_uffd.c - a userfaultfd of the application's own; ours closed, replaced, quiesced meanwhile. */
#include "swap_load.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#define COUNT 1024
#define FROM  100 /* the application's pages */
#define OWN   200

static struct load load;

/* The application's own: it serves every fault with a page of one byte. */
struct server {
	int fd;
	atomic_int stop;
	atomic_ulong served;
	pthread_t thread;
};
#define SERVED 0x5a

static void *serve(void *arg)
{
	static _Alignas(4096) char page[PAGE];
	struct server *server = arg;

	memset(page, SERVED, PAGE);
	while (!atomic_load(&server->stop)) {
		struct pollfd wait = {.fd = server->fd, .events = POLLIN};
		struct uffdio_copy copy = {.src = (uintptr_t)page, .len = PAGE};
		struct uffd_msg message;

		if (poll(&wait, 1, 20) != 1 || read(server->fd, &message, sizeof(message)) <= 0)
			continue;
		copy.dst = message.arg.pagefault.address & ~(PAGE - 1);
		if (message.event == UFFD_EVENT_PAGEFAULT &&
		    ioctl(server->fd, UFFDIO_COPY, &copy) == 0)
			atomic_fetch_add(&server->served, 1);
	}
	return NULL;
}

static int server_start(struct server *server)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register area = {
		.range = {(uintptr_t)load.area.start + FROM * PAGE, OWN * PAGE},
		.mode = UFFDIO_REGISTER_MODE_MISSING};

	*server = (struct server){.fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK)};
	if (server->fd < 0)
		return -errno;
	ck_assert_int_eq(ioctl(server->fd, UFFDIO_API, &api), 0);
	ck_assert_int_eq(ioctl(server->fd, UFFDIO_REGISTER, &area), 0);
	ck_assert_int_eq(pthread_create(&server->thread, NULL, serve, server), 0);
	return 0;
}

static void server_end(struct server *server)
{
	atomic_store(&server->stop, 1);
	pthread_join(server->thread, NULL);
	close(server->fd);
}

/* One batch: the application's pages are left to the kernel, the others swapped. */
static void leave_them(void)
{
	int refusal = swap_refusal();
	uint64_t *before = frames_of(&load.area);

	ck_assert_int_eq(swapper_round(&load.swapper, &load.area, 0), 0);
	for (size_t i = 0; i < COUNT; i++) {
		int own = i >= FROM && i < FROM + OWN, told = load.swapper.reasons[i];

		ck_assert_int_eq(load.area.status[i], node_of_round(0));
		ck_assert_msg(told == (refusal ? refusal
				       : own   ? BM_REASON_OTHER_UFFD
					       : 0),
			      "page %zu: %s", i, bm_reason_name(told));
	}
	if (!refusal) {
		ck_assert_uint_eq(load.swapper.report.bytes_swapped, (COUNT - OWN) * PAGE);
		if (node_count < 2)
			ck_assert_uint_eq(frames_kept(&load.area, before), OWN);
	}
	free(before);
}

/* The application drops a page, and its server brings another one. */
static size_t drop_and_touch(size_t turn)
{
	char *page = load.area.start + (FROM + turn * 37 % OWN) * PAGE;
	size_t wrong = 0;

	wrong += madvise(page, PAGE, MADV_DONTNEED) != 0;
	for (size_t i = 0; i < PAGE; i++)
		wrong += page[i] != SERVED;
	fill(page, PAGE, LOAD_SEED);
	return wrong;
}

START_TEST(userfaultfd_of_the_application)
{
	struct server server;
	size_t turns = 0, wrong = 0;
	struct box box;

	load_new(&load, COUNT);
	if (server_start(&server) < 0) {
		load_free(&load);
		skip_test("no userfaultfd");
	}
	watchdog_start("swap_uffd/userfaultfd_of_the_application");
	leave_them();
	load.allowed = ENOENT;
	load_start(&load);
	box_start(&box, "the application");
	while (wrong == 0 && box_open(&box))
		wrong += drop_and_touch(turns++);
	pulse_end(box.pulse);
	load_end(&load);
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_eq(atomic_load(&server.served), turns);
	ck_assert_uint_eq(wrong_words(load.area.start, load.area.length, LOAD_SEED), 0);
	server_end(&server);
	watchdog_stop();
	load_free(&load);
}
END_TEST

static int is_userfaultfd(int fd)
{
	char path[64], target[64];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	length = readlink(path, target, sizeof(target) - 1);
	target[length > 0 ? length : 0] = '\0';
	return strstr(target, "userfaultfd") != NULL;
}

/* What the application has put in the place of a descriptor of the library; -1 nothing. */
static int replaced = -1;

/* As a program does that closes what it does not know; how many there were. */
static int take_away(int replace)
{
	int found = 0, null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 3; fd < 1024; fd++) {
		if (!is_userfaultfd(fd))
			continue;
		found++;
		if (replace)
			ck_assert_int_eq(replaced = dup2(null, fd), fd);
		else
			close(fd);
	}
	close(null);
	return found;
}

/* In a child: the descriptors of the other tests are not in danger. */
static int lose_the_descriptor(void *arg)
{
	struct writers writers = {.count = COUNT / 2, .threads = 2};
	int replace = *(int *)arg;

	load_new(&load, COUNT);
	writers.start = load.area.start;
	writers_start(&writers);
	load_start(&load);
	load_await(&load, 3);
	for (int i = 0; i < 10; i++) {
		int found = take_away(replace);

		ck_assert(i > 0 || found > 0 || swap_refusal());
		load_await(&load, 3);
	}
	load_join(&load);
	writers_end(&writers);
	load_end(&load);
	/* Everything is opened anew now, and what is the application's stays open. */
	ck_assert_int_eq(bm_quiesce(), 0);
	ck_assert(replaced < 0 || fcntl(replaced, F_GETFD) >= 0);
	load.swapper.swapped = load.swapper.windows = 0;
	ck_assert_int_eq(swapper_round(&load.swapper, &load.area, 1), 0);
	check_any_swapped(&load.swapper);
	ck_assert_uint_eq(
		wrong_words(load.area.start + load_half(&load), load_half(&load), LOAD_SEED), 0);
	load_free(&load);
	return 0;
}

START_TEST(descriptor_closed)
{
	int replace = 0;

	ck_assert_int_eq(in_asserting_child(lose_the_descriptor, &replace), 0);
}
END_TEST

START_TEST(descriptor_replaced)
{
	int replace = 1;

	ck_assert_int_eq(in_asserting_child(lose_the_descriptor, &replace), 0);
}
END_TEST

struct quiescer {
	atomic_int stop;
	atomic_ulong calls, errors;
};

static void *quiesce_often(void *arg)
{
	struct pulse *pulse = pulse_new("bm_quiesce");
	struct quiescer *quiescer = arg;

	while (!atomic_load(&quiescer->stop)) {
		atomic_fetch_add(&quiescer->errors, bm_quiesce() != 0);
		atomic_fetch_add(&quiescer->calls, 1);
		pulse_beat(pulse);
		usleep(500);
	}
	pulse_end(pulse);
	return NULL;
}

static uint64_t pooled_bytes(struct bm_context *context)
{
	struct bm_pool_stats pools[8] = {{.node = -1}};
	long count = bm_pool_get(context, pools, sizeof(pools[0]), 8);
	uint64_t sum = 0;

	ck_assert_int_ge(count, 0);
	ck_assert_int_le(count, 8);
	for (long i = 0; i < count; i++)
		sum += pools[i].base_bytes + pools[i].huge_bytes;
	return sum;
}

/* The threads have ended, but /proc may show one for a moment. */
static void check_nothing_left(size_t threads)
{
	ck_assert_int_eq(bm_quiesce(), 0);
	ck_assert_int_eq(has_userfaultfd(), 0);
	ck_assert_uint_eq(pooled_bytes(load.swapper.context), 0);
	for (int i = 0; i < 1000 && count_entries("/proc/self/task") > threads; i++)
		usleep(1000);
	ck_assert_uint_le(count_entries("/proc/self/task"), threads);
}

START_TEST(quiesced_meanwhile)
{
	struct writers writers = {.count = COUNT / 2, .threads = 1};
	struct quiescer quiescer = {.stop = 0};
	pthread_t thread;
	struct box box;
	size_t threads;

	ck_assert_int_eq(bm_quiesce(), 0);
	usleep(50000);
	threads = count_entries("/proc/self/task");
	watchdog_start("swap_uffd/quiesced_meanwhile");
	load_new(&load, COUNT);
	writers.start = load.area.start;
	writers_start(&writers);
	load_start(&load);
	ck_assert_int_eq(pthread_create(&thread, NULL, quiesce_often, &quiescer), 0);
	box_start(&box, "the test");
	while (box_open(&box))
		usleep(20000);
	atomic_store(&quiescer.stop, 1);
	pthread_join(thread, NULL);
	load_join(&load);
	writers_end(&writers);
	load_end(&load);
	watchdog_stop();
	ck_assert_uint_eq(atomic_load(&quiescer.errors), 0);
	ck_assert_uint_gt(atomic_load(&quiescer.calls), 4);
	check_nothing_left(threads);
	load_free(&load);
}
END_TEST

static const TTest *const *const tests[] = {&userfaultfd_of_the_application, &descriptor_closed,
					    &descriptor_replaced, &quiesced_meanwhile, NULL};
const struct report_group swap_uffd_group = {"swap_uffd", tests};

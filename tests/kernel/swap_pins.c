/* SPDX-License-Identifier: MIT */
/* swap_pins.c - pages that the kernel or a device refers to: pinned, spliced, sent without a copy. */
#include "swap_load.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>
#ifdef HAVE_URING
#include <liburing.h>
#endif

#define COUNT 1000
#define FROM  300 /* the pages in question */
#define HELD  16

static struct load load;

static int held(size_t page)
{
	return page >= FROM && page < FROM + HELD;
}

/* How many of the pages in question (or of the others) have the frames they had. */
static size_t kept(const uint64_t *before, int in_question)
{
	uint64_t *now = frames_of(&load.area);
	size_t count = 0;

	for (size_t i = 0; i < COUNT; i++)
		count += held(i) == in_question && now[i] == before[i];
	free(now);
	return count;
}

/*
 * Every page is migrated but those that are held. On two nodes the kernel
 * refuses them as well; on one they are where they should be, and the reason
 * tells what swap says of them.
 */
static void check_left_alone(int other_reason, int held_reason)
{
	int target = node_of_round(0);

	for (size_t i = 0; i < COUNT; i++) {
		int status = load.area.status[i], reason = load.swapper.reasons[i];

		if (!held(i)) {
			ck_assert_msg(status == target && reason == other_reason,
				      "page %zu: %d, %s", i, status, bm_reason_name(reason));
		} else if (node_count > 1) {
			ck_assert_msg(status == -EBUSY && reason == BM_REASON_BUSY,
				      "held page %zu: %d, %s", i, status, bm_reason_name(reason));
			ck_assert_int_eq(node_of(load.area.pages[i]), nodes[0]);
		} else {
			ck_assert_msg(status == target && reason == held_reason,
				      "held page %zu: %d, %s", i, status, bm_reason_name(reason));
		}
	}
}

#ifdef HAVE_URING
/* Reads or writes the registered pages, as a device would. */
static void fixed_io(struct io_uring *ring, int fd, char *buffer, int writes)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	struct io_uring_cqe *cqe;

	ck_assert_ptr_nonnull(sqe);
	if (!sqe)
		return; /* for the compiler */
	if (writes)
		io_uring_prep_write_fixed(sqe, fd, buffer, HELD * PAGE, 0, 0);
	else
		io_uring_prep_read_fixed(sqe, fd, buffer, HELD * PAGE, 0, 0);
	ck_assert_int_eq(io_uring_submit(ring), 1);
	ck_assert_int_eq(io_uring_wait_cqe(ring, &cqe), 0);
	ck_assert_int_eq(cqe->res, HELD * PAGE);
	io_uring_cqe_seen(ring, cqe);
}

/* The program sees what is read into the pages, and what it writes is what is read from them. */
static void use_pins(struct io_uring *ring, char *buffer)
{
	int fd = memfd_create("swap_pins", MFD_CLOEXEC);
	char *text = malloc(HELD * PAGE);

	ck_assert_ptr_nonnull(text);
	fill(text, HELD * PAGE, 5);
	ck_assert_int_eq(write(fd, text, HELD * PAGE), HELD * PAGE);
	fixed_io(ring, fd, buffer, 0);
	ck_assert_mem_eq(buffer, text, HELD * PAGE);
	fill(buffer, HELD * PAGE, 6);
	fixed_io(ring, fd, buffer, 1);
	ck_assert_int_eq(pread(fd, text, HELD * PAGE, 0), HELD * PAGE);
	ck_assert_mem_eq(buffer, text, HELD * PAGE);
	free(text);
	close(fd);
}

/* Again and again, also while writers are busy in the pages around. */
static void migrate_around_pins(struct io_uring *ring)
{
	static struct writers writers;
	uint64_t *before = frames_of(&load.area);
	struct box box;

	writers = (struct writers){.start = load.area.start,
				   .count = COUNT / 2,
				   .threads = 2,
				   .skip_from = FROM,
				   .skip_to = FROM + HELD};
	load.swapper.swapped = 0;
	writers_start(&writers);
	load_start(&load);
	box_start(&box, "the fixed buffers");
	while (box_open(&box)) {
		use_pins(ring, load.area.start + FROM * PAGE);
		ck_assert_uint_eq(kept(before, 1), HELD);
	}
	load_join(&load);
	writers_end(&writers);
	load_end(&load);
	ck_assert_uint_eq(kept(before, 1), HELD);
	free(before);
}

START_TEST(fixed_buffers)
{
	struct iovec buffer;
	struct io_uring ring;
	uint64_t *before;
	int refusal = swap_refusal();

	if (io_uring_queue_init(4, &ring, 0) != 0)
		skip_test("no io_uring");
	watchdog_start("swap_pins/fixed_buffers");
	load_new(&load, COUNT);
	buffer = (struct iovec){load.area.start + FROM * PAGE, HELD * PAGE};
	ck_assert_int_eq(io_uring_register_buffers(&ring, &buffer, 1), 0);
	before = frames_of(&load.area);
	ck_assert_int_eq(swapper_round(&load.swapper, &load.area, 0), node_count > 1 ? HELD : 0);
	check_left_alone(refusal, refusal ? refusal : BM_REASON_PINNED);
	ck_assert_uint_eq(kept(before, 1), HELD);
	if (!refusal) {
		ck_assert_uint_eq(load.swapper.report.bytes_swapped, (COUNT - HELD) * PAGE);
		ck_assert_uint_eq(kept(before, 0), 0);
	}
	ck_assert_uint_eq(wrong_words(load.area.start, load.area.length, LOAD_SEED), 0);
	use_pins(&ring, buffer.iov_base);
	migrate_around_pins(&ring);
	io_uring_queue_exit(&ring);
	watchdog_stop();
	free(before);
	load_free(&load);
}
END_TEST
#else
START_TEST(fixed_buffers)
{
	skip_test("built without liburing");
}
END_TEST
#endif

/* The pages in question lie in a pipe, and nobody has read it yet. */
static void splice_pages(int ends[2])
{
	struct iovec pages = {load.area.start + FROM * PAGE, HELD * PAGE};

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_ge(fcntl(ends[1], F_SETPIPE_SZ, HELD * PAGE), HELD * PAGE);
	ck_assert_int_eq(vmsplice(ends[1], &pages, 1, 0), HELD * PAGE);
}

/* Reads the pipe to its end; how many words of it are not those that were spliced. */
static size_t read_spliced(int ends[2])
{
	char *text = malloc(HELD * PAGE);
	const char *pages = load.area.start + FROM * PAGE;
	size_t got = 0, wrong = 0;

	while (got < HELD * PAGE) {
		ssize_t rc = read(ends[0], text + got, HELD * PAGE - got);

		ck_assert_int_gt(rc, 0);
		got += (size_t)rc;
	}
	for (size_t i = 0; i < HELD * PAGE; i += 8)
		wrong += memcmp(text + i, pages + i, 8) != 0;
	free(text);
	close(ends[0]);
	close(ends[1]);
	return wrong;
}

/* Nobody promised anything: the kernel moves what it can, which is not the spliced pages. */
START_TEST(spliced_without_promise)
{
	int ends[2], refusal = swap_refusal(), reason;
	uint64_t *before;
	long rc;

	load_new(&load, COUNT);
	load.swapper.flags = BM_REPLACE;
	splice_pages(ends);
	before = frames_of(&load.area);
	rc = swapper_round(&load.swapper, &load.area, 0);
	ck_assert_int_eq(rc, node_count > 1 ? HELD : 0);
	reason = load.swapper.reasons[0];
	ck_assert_msg(reason == BM_REASON_NO_PROMISE || (refusal && reason == refusal), "reason %s",
		      bm_reason_name(reason));
	check_left_alone(reason, reason);
	ck_assert_uint_eq(load.swapper.report.bytes_swapped, 0);
	ck_assert_uint_eq(load.swapper.report.windows, 0);
	ck_assert_uint_eq(kept(before, 1), HELD);
	if (node_count < 2)
		ck_assert_uint_eq(kept(before, 0), COUNT - HELD);
	ck_assert_uint_eq(read_spliced(ends), 0);
	ck_assert_uint_eq(wrong_words(load.area.start, load.area.length, LOAD_SEED), 0);
	free(before);
	load_free(&load);
}
END_TEST

/*
 * What the promise is about. It is broken here: the old page is still in the
 * pipe when the library has used it for something else. The program's own
 * memory is right all the same; what the reader of the pipe gets is not asserted.
 */
START_TEST(spliced_with_broken_promise)
{
	struct area others;
	int ends[2];
	size_t wrong;

	load_new(&load, COUNT);
	area_new(&others, COUNT, nodes[0]);
	fill(others.start, others.length, 9);
	splice_pages(ends);
	for (int round = 0; round < 6; round++) {
		ck_assert_int_ge(swapper_round(&load.swapper, &load.area, round), 0);
		ck_assert_int_ge(swapper_round(&load.swapper, &others, round), 0);
	}
	wrong = read_spliced(ends);
	printf("# a pipe that held %d pages in spite of the promise got %zu of %lu words wrong\n",
	       HELD, wrong, HELD * PAGE / 8);
	ck_assert_uint_eq(wrong_words(load.area.start, load.area.length, LOAD_SEED), 0);
	ck_assert_uint_eq(wrong_words(others.start, others.length, 9), 0);
	check_any_swapped(&load.swapper);
	area_free(&others);
	load_free(&load);
}
END_TEST

/* Two ends of a TCP connection over the loopback; the first may send without a copy. */
static int connect_zerocopy(int ends[2])
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, rc;

	ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ends[1] = -1;
	rc = bind(listener, (struct sockaddr *)&address, sizeof(address)) | listen(listener, 1) |
	     getsockname(listener, (struct sockaddr *)&address, &length) |
	     connect(ends[0], (struct sockaddr *)&address, sizeof(address)) |
	     setsockopt(ends[0], SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one));
	if (rc == 0)
		ends[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener);
	return rc == 0 && ends[1] >= 0;
}

/* As much as the connection takes while nobody reads; bytes. */
static size_t send_pages(int fd)
{
	size_t sent = 0;

	while (sent < load.area.length) {
		size_t rest = load.area.length - sent;
		ssize_t rc = send(fd, load.area.start + sent, rest < 65536 ? rest : 65536,
				  MSG_ZEROCOPY | MSG_DONTWAIT);

		if (rc <= 0)
			break;
		sent += (size_t)rc;
	}
	return sent;
}

static size_t wrong_received(int fd, size_t sent)
{
	char *text = malloc(sent);
	size_t got = 0, wrong;

	while (got < sent) {
		ssize_t rc = read(fd, text + got, sent - got);

		ck_assert_int_gt(rc, 0);
		got += (size_t)rc;
	}
	wrong = memcmp(text, load.area.start, sent) != 0;
	free(text);
	return wrong;
}

START_TEST(sent_without_a_copy)
{
	struct area others;
	size_t sent;
	int ends[2], tries = 0;

	if (!connect_zerocopy(ends)) {
		close(ends[0]);
		skip_test("no MSG_ZEROCOPY over the loopback");
	}
	watchdog_start("swap_pins/sent_without_a_copy");
	load_new(&load, 4 * COUNT);
	area_new(&others, COUNT, nodes[0]);
	load.swapper.flags = BM_REPLACE;
	/* Larger than what the receiver takes by itself: pages wait in the sender. */
	sent = send_pages(ends[0]);
	ck_assert_uint_gt(sent, 0);
	for (int round = 0; round < 4; round++) {
		ck_assert_int_ge(swapper_round(&load.swapper, &load.area, round), 0);
		ck_assert_uint_eq(load.swapper.report.bytes_swapped, 0);
		/* Frames that were wrongly taken would be overwritten now. */
		swapper_round(&load.swapper, &others, round);
		fill(others.start, others.length, (uint64_t)round);
	}
	ck_assert_uint_eq(wrong_received(ends[1], sent), 0);
	close(ends[1]);
	close(ends[0]);
	ck_assert_uint_eq(wrong_words(load.area.start, load.area.length, LOAD_SEED), 0);
	/* With nothing pending any more the promise can be given. */
	load.swapper.flags = SWAP_FLAGS;
	do {
		usleep(1000);
		ck_assert_int_ge(swapper_round(&load.swapper, &load.area, tries), 0);
	} while (tries++ < 100 && load.swapper.report.bytes_swapped < load.area.length &&
		 !swap_refusal());
	check_any_swapped(&load.swapper);
	ck_assert_uint_eq(wrong_words(load.area.start, load.area.length, LOAD_SEED), 0);
	watchdog_stop();
	area_free(&others);
	load_free(&load);
}
END_TEST

static const TTest *const *const tests[] = {&fixed_buffers, &spliced_without_promise,
					    &spliced_with_broken_promise, &sent_without_a_copy,
					    NULL};
const struct report_group swap_pins_group = {"swap_pins", tests};

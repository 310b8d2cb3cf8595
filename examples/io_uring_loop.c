/* SPDX-License-Identifier: MIT */
/*
 * io_uring_loop.c - a loop on io_uring that goes on while memory is moved: a
 * timeout stands for its requests, and a read of the batch's eventfd completes
 * when the batch does. With one node the pages get other memory of that node.
 */
#include <batchmig.h>
#include <inttypes.h>
#include <liburing.h>
#include <numa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BYTES   (64u << 20)
#define RATE    (256 << 20) /* bytes a second: the migration is to leave room for the service */
#define TICK_NS 5000000

enum { TICK = 1, MOVED };

/* One range needs no arrays; it stays as it is until the batch is complete. */
struct move {
	struct bm_range range;
	struct bm_batch *batch;
	uint64_t counter; /* of the eventfd; io_uring reads it to here */
};

static int move_start(struct move *move, int event_fd)
{
	struct bm_request request;

	bm_request_init(&request, sizeof(request));
	/*
	 * The quiet promise holds: this program's io_uring has neither fixed
	 * buffers nor zero-copy sends in the range.
	 */
	request.flags = BM_QUIET;
	if (numa_max_node() == 0)
		request.flags |= BM_REPLACE;
	request.count = 1;
	request.ranges = &move->range;
	request.range_size = sizeof(move->range);
	request.priority = BM_PRIORITY_LOW;
	request.max_bytes_per_s = RATE;
	request.event_fd = event_fd;
	return bm_submit(NULL, &request, &move->batch);
}

static void ask(struct io_uring *ring, int what, struct move *move, int event_fd,
		struct __kernel_timespec *tick)
{
	struct io_uring_sqe *entry = io_uring_get_sqe(ring);

	if (what == MOVED)
		io_uring_prep_read(entry, event_fd, &move->counter, sizeof(move->counter), 0);
	else
		io_uring_prep_timeout(entry, tick, 0, 0);
	io_uring_sqe_set_data64(entry, (unsigned long long)what);
	io_uring_submit(ring);
}

/* Serves until the batch is complete; the number of ticks meanwhile, or -errno. */
static long serve(struct io_uring *ring, struct move *move, int event_fd)
{
	struct __kernel_timespec tick = {.tv_nsec = TICK_NS};
	char *memory = move->range.addr;
	long ticks = 0;

	ask(ring, MOVED, move, event_fd, NULL);
	ask(ring, TICK, move, event_fd, &tick);
	for (;;) {
		struct io_uring_cqe *done;
		int rc = io_uring_wait_cqe(ring, &done), what;

		if (rc < 0)
			return rc;
		what = (int)io_uring_cqe_get_data64(done);
		rc = done->res;
		io_uring_cqe_seen(ring, done);
		if (what == MOVED)
			return rc < 0 ? rc : ticks;
		/* A request: it may use the memory, moved or not. */
		memory[(size_t)++ticks * 4099 % BYTES]++;
		ask(ring, TICK, move, event_fd, &tick);
	}
}

static void tell(const struct move *move, long ticks)
{
	long rc = bm_batch_wait(move->batch, 0);
	struct bm_progress progress;
	struct bm_report report;

	if (rc < 0 || bm_batch_report(move->batch, &report, sizeof(report)) < 0 ||
	    bm_batch_progress(move->batch, &progress, sizeof(progress)) < 0) {
		printf("not moved: %s\n", bm_error_text((int)rc));
		return;
	}
	printf("%s: %" PRIu64 " MiB moved with %s in %" PRIu64 " ms, %ld pages were not;"
	       " the loop served %ld ticks meanwhile\n",
	       numa_max_node() ? "to the last node" : "one node, to other memory of it",
	       report.bytes_moved >> 20, report.mover,
	       (progress.ns_queued + progress.ns_running) / 1000000, rc, ticks);
}

int main(void)
{
	int event_fd = eventfd(0, EFD_CLOEXEC), rc;
	struct io_uring ring;
	struct move move = {.range = {.addr = aligned_alloc(2u << 20, BYTES),
				      .length = BYTES,
				      .node = numa_max_node()}};
	long ticks = -1;

	if (event_fd < 0 || !move.range.addr)
		return 1;
	memset(move.range.addr, 1, BYTES);
	rc = io_uring_queue_init(8, &ring, 0);
	if (rc < 0) {
		fprintf(stderr, "io_uring: %s\n", strerror(-rc));
		return 1;
	}
	rc = move_start(&move, event_fd);
	if (rc < 0)
		fprintf(stderr, "bm_submit: %s\n", bm_error_text(rc));
	else
		ticks = serve(&ring, &move, event_fd);
	if (ticks >= 0)
		tell(&move, ticks);
	/* Waits, should the loop have ended before the batch. */
	bm_batch_free(move.batch);
	io_uring_queue_exit(&ring);
	free(move.range.addr);
	close(event_fd);
	return ticks < 0;
}

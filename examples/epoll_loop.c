/* SPDX-License-Identifier: MIT */
/*
 * epoll_loop.c - a server's loop that goes on while memory is moved: a timer
 * stands for its requests, and the batch says through an eventfd when it is
 * complete. With one node the pages get other memory of that node.
 */
#include <batchmig.h>
#include <inttypes.h>
#include <numa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define BYTES   (64u << 20)
#define RATE    (256 << 20) /* bytes a second: the migration is to leave room for the service */
#define TICK_MS 5

/* What is in flight: all of it stays as it is until the batch is complete. */
struct move {
	size_t count, page;
	char *memory;
	void **pages;
	int *nodes, *status;
	struct bm_batch *batch;
};

/* Memory of this process, and its way to the last node. */
static int move_prepare(struct move *move)
{
	move->page = (size_t)numa_pagesize();
	move->count = BYTES / move->page;
	move->memory = aligned_alloc(move->page, BYTES);
	move->pages = calloc(move->count, sizeof(*move->pages));
	move->nodes = calloc(move->count, sizeof(*move->nodes));
	move->status = calloc(move->count, sizeof(*move->status));
	if (!move->memory || !move->pages || !move->nodes || !move->status)
		return -1;
	memset(move->memory, 1, BYTES);
	for (size_t i = 0; i < move->count; i++) {
		move->pages[i] = move->memory + i * move->page;
		move->nodes[i] = numa_max_node();
	}
	return 0;
}

static void move_free(struct move *move)
{
	bm_batch_free(move->batch);
	free(move->status);
	free(move->nodes);
	free(move->pages);
	free(move->memory);
}

static int move_start(struct move *move, int event_fd)
{
	struct bm_request request;

	bm_request_init(&request, sizeof(request));
	request.flags = BM_QUIET;
	if (numa_max_node() == 0)
		request.flags |= BM_REPLACE;
	request.count = move->count;
	request.pages = move->pages;
	request.nodes = move->nodes;
	request.status = move->status;
	request.priority = BM_PRIORITY_LOW;
	request.max_bytes_per_s = RATE;
	request.event_fd = event_fd;
	return bm_submit(NULL, &request, &move->batch);
}

static int watch(int epoll_fd, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

/* Serves until the batch is complete; the number of ticks meanwhile, or -1. */
static long serve(int epoll_fd, int event_fd, struct move *move)
{
	struct epoll_event event;
	uint64_t counter;
	long ticks = 0;

	for (;;) {
		if (epoll_wait(epoll_fd, &event, 1, -1) != 1 ||
		    read(event.data.fd, &counter, sizeof(counter)) != sizeof(counter))
			return -1;
		if (event.data.fd == event_fd)
			return ticks;
		/* A request: it may use the memory, moved or not. */
		ticks += (long)counter;
		move->memory[(size_t)ticks * 4099 % BYTES]++;
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
	struct itimerspec tick = {{0, TICK_MS * 1000000L}, {0, TICK_MS * 1000000L}};
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	int event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	struct move move = {0};
	long ticks = -1;
	int rc;

	if (epoll_fd < 0 || watch(epoll_fd, event_fd) || watch(epoll_fd, timer_fd) ||
	    move_prepare(&move) || timerfd_settime(timer_fd, 0, &tick, NULL)) {
		perror("epoll_loop");
		return 1;
	}
	rc = move_start(&move, event_fd);
	if (rc < 0)
		fprintf(stderr, "bm_submit: %s\n", bm_error_text(rc));
	else
		ticks = serve(epoll_fd, event_fd, &move);
	if (ticks >= 0)
		tell(&move, ticks);
	move_free(&move);
	close(timer_fd);
	close(event_fd);
	close(epoll_fd);
	return ticks < 0;
}

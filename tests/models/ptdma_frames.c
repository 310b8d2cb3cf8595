/* SPDX-License-Identifier: MIT */
/*
 * ptdma_frames.c - pages that are pinned, and the frames that they are in.
 *
 * A page gets a frame when it is pinned, and keeps it until nobody has pinned it
 * any more; who asks earlier or later is told another one, which leads nowhere.
 * Frames have 36 bits, what a bus of 48 bits reaches. Pages that are pinned in one
 * buffer have following frames within aligned blocks of 64 KiB, and within larger
 * ones, up to 2 MiB, where the buffer has all of the block: as with folios.
 */
#include "ptdma_table.h"

#include <errno.h>
#include <sys/mman.h>

#define PAGES_MOST   (1u << 18)
#define BUCKETS      (1u << 16)
#define PINS_MOST    (1u << 16)
#define BUFFERS_MOST (1u << 14)          /* of one io_uring */
#define BUFFER_MOST  (UINT64_C(1) << 30) /* likewise */
#define BLOCK_LEAST  (64u << 10)
#define BLOCK_MOST   (2u << 20)
#define BLOCK_PAGES  512u
#define BLOCK_BITS   27
#define BLOCK_STEP   0x4f1bbcdu /* odd: each number comes once */
#define FRAME_BITS   55         /* of an entry of the page map */
#define PRESENT      (UINT64_C(1) << 63)

struct page {
	uint64_t address, frame;
	uint32_t pins, next_address, next_frame; /* by number, from 1 */
};

struct pin {
	uint64_t start, end;
	uint32_t next;
};

struct table_frames {
	uint32_t seed, blocks; /* that were given away */
	uint32_t free_page, free_pin, pages_pinned;
	uint32_t by_address[BUCKETS], by_frame[BUCKETS];
	uint32_t pins_of[TABLE_FDS_MOST];
	struct page pages[PAGES_MOST];
	struct pin pins[PINS_MOST];
	unsigned char read[TABLE_PAGE]; /* with encryption */
};

struct table_frames *table_frames_new(uint32_t seed)
{
	struct table_frames *frames = mmap(NULL, sizeof(*frames), PROT_READ | PROT_WRITE,
					   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (frames == MAP_FAILED)
		return NULL;
	frames->seed = seed * 2654435761u;
	for (uint32_t i = PAGES_MOST; i > 0; i--) {
		frames->pages[i - 1].next_address = frames->free_page;
		frames->free_page = i;
	}
	for (uint32_t i = PINS_MOST; i > 0; i--) {
		frames->pins[i - 1].next = frames->free_pin;
		frames->free_pin = i;
	}
	return frames;
}

void table_frames_free(struct table_frames *frames)
{
	if (frames)
		munmap(frames, sizeof(*frames));
}

static uint32_t bucket_of(uint64_t value)
{
	return (uint32_t)((value * UINT64_C(0x9e3779b97f4a7c15)) >> 48) % BUCKETS;
}

/* A block of frames that nobody has had. */
static uint64_t new_block(struct table_frames *frames)
{
	uint32_t number = frames->blocks++ * BLOCK_STEP + frames->seed;

	return (uint64_t)(number & ((1u << BLOCK_BITS) - 1)) * BLOCK_PAGES;
}

static struct page *find_page(struct table_frames *frames, uint64_t address)
{
	uint32_t at = frames->by_address[bucket_of(address / TABLE_PAGE)];

	while (at && frames->pages[at - 1].address != address)
		at = frames->pages[at - 1].next_address;
	return at ? &frames->pages[at - 1] : NULL;
}

static const struct page *find_frame(const struct table_frames *frames, uint64_t frame)
{
	uint32_t at = frames->by_frame[bucket_of(frame)];

	while (at && frames->pages[at - 1].frame != frame)
		at = frames->pages[at - 1].next_frame;
	return at ? &frames->pages[at - 1] : NULL;
}

static int add_page(struct table_frames *frames, uint64_t address, uint64_t frame)
{
	uint32_t at = frames->free_page;
	struct page *page = &frames->pages[at - 1];
	uint32_t *first = &frames->by_address[bucket_of(address / TABLE_PAGE)];
	uint32_t *other = &frames->by_frame[bucket_of(frame)];

	if (!at)
		return -ENOMEM;
	frames->free_page = page->next_address;
	*page = (struct page){address, frame, 1, *first, *other};
	*first = *other = at;
	frames->pages_pinned++;
	return 0;
}

static void drop_page(struct table_frames *frames, struct page *page)
{
	uint32_t number = (uint32_t)(page - frames->pages) + 1;
	uint32_t *link = &frames->by_address[bucket_of(page->address / TABLE_PAGE)];

	while (*link != number)
		link = &frames->pages[*link - 1].next_address;
	*link = page->next_address;
	link = &frames->by_frame[bucket_of(page->frame)];
	while (*link != number)
		link = &frames->pages[*link - 1].next_frame;
	*link = page->next_frame;
	page->next_address = frames->free_page;
	frames->free_page = number;
	frames->pages_pinned--;
}

static void drop_range(struct table_frames *frames, uint64_t start, uint64_t end)
{
	for (uint64_t at = start; at < end; at += TABLE_PAGE) {
		struct page *page = find_page(frames, at);

		if (page && --page->pins == 0)
			drop_page(frames, page);
	}
}

/* Up to where the pages from here on have frames of one block. */
static uint64_t block_end(uint64_t at, uint64_t start, uint64_t end)
{
	uint64_t size = BLOCK_MOST;

	while (size > BLOCK_LEAST && (at / size * size < start || at / size * size + size > end))
		size /= 2;
	return at / size * size + size;
}

static int add_range(struct table_frames *frames, uint64_t start, uint64_t end)
{
	uint64_t block = 0, until = start;

	for (uint64_t at = start; at < end; at += TABLE_PAGE) {
		struct page *page = find_page(frames, at);
		int rc = 0;

		if (at == until) {
			block = new_block(frames);
			until = block_end(at, start, end);
		}
		if (page)
			page->pins++;
		else
			rc = add_page(frames, at, block + at / TABLE_PAGE % BLOCK_PAGES);
		if (!rc)
			continue;
		drop_range(frames, start, at);
		return rc;
	}
	return 0;
}

static uint64_t page_start(const struct iovec *buffer)
{
	return (uint64_t)(uintptr_t)buffer->iov_base / TABLE_PAGE * TABLE_PAGE;
}

static uint64_t page_end(const struct iovec *buffer)
{
	uint64_t end = (uint64_t)(uintptr_t)buffer->iov_base + buffer->iov_len;

	return (end + TABLE_PAGE - 1) / TABLE_PAGE * TABLE_PAGE;
}

static uint32_t *pins_of(struct table *table, const struct table_fd *pinner)
{
	return &table->frames->pins_of[pinner - table->fds];
}

static int pin_one(struct table *table, const struct table_fd *pinner, uint64_t start, uint64_t end)
{
	struct table_frames *frames = table->frames;
	uint32_t at = frames->free_pin, *first = pins_of(table, pinner);
	struct pin *pin = &frames->pins[at - 1];
	int rc;

	if (!at || (table->how.memlock && end - start > table->how.memlock - table->locked))
		return -ENOMEM;
	rc = add_range(frames, start, end);
	if (rc)
		return rc;
	frames->free_pin = pin->next;
	*pin = (struct pin){start, end, *first};
	*first = at;
	table->locked += end - start;
	return 0;
}

/* Lock held. */
static void unpin_locked(struct table *table, const struct table_fd *pinner)
{
	struct table_frames *frames = table->frames;
	uint32_t *first = pins_of(table, pinner);

	while (*first) {
		uint32_t at = *first;
		struct pin *pin = &frames->pins[at - 1];

		drop_range(frames, pin->start, pin->end);
		table->locked -= pin->end - pin->start;
		*first = pin->next;
		pin->next = frames->free_pin;
		frames->free_pin = at;
	}
}

static int check_buffers(const struct iovec *buffers, size_t count)
{
	if (!count || count > BUFFERS_MOST)
		return -EINVAL;
	for (size_t i = 0; i < count; i++) {
		const struct iovec *buffer = &buffers[i];

		if (!buffer->iov_base || !buffer->iov_len || buffer->iov_len > BUFFER_MOST)
			return -EFAULT;
		if (table_populate(page_start(buffer), page_end(buffer) - page_start(buffer), 1))
			return -EFAULT;
	}
	return 0;
}

int table_pin(struct table *table, const struct table_fd *pinner, const struct iovec *buffers,
	      size_t count)
{
	int rc = check_buffers(buffers, count);

	table_lock(table);
	table->pin_calls++;
	if (*pins_of(table, pinner))
		rc = -EBUSY;
	if (!rc && table->how.map_error)
		rc = table->how.map_error;
	for (size_t i = 0; i < count && !rc; i++) {
		rc = pin_one(table, pinner, page_start(&buffers[i]), page_end(&buffers[i]));
		if (rc)
			unpin_locked(table, pinner);
	}
	table_unlock(table);
	return rc;
}

void table_unpin_all(struct table *table, const struct table_fd *pinner)
{
	table_lock(table);
	unpin_locked(table, pinner);
	table_unlock(table);
	ptdma_pause(table->ptdma);
}

int table_unpin(struct table *table, const struct table_fd *pinner)
{
	int none;

	table_lock(table);
	none = !*pins_of(table, pinner);
	unpin_locked(table, pinner);
	table_unlock(table);
	ptdma_pause(table->ptdma);
	return none ? -ENXIO : 0;
}

static uint64_t frame_of(struct table *table, uint64_t address)
{
	const struct page *page;
	uint64_t frame;

	if (table->how.no_pfn)
		return 0;
	table_lock(table);
	page = find_page(table->frames, address);
	frame = page ? page->frame : new_block(table->frames) + address / TABLE_PAGE % BLOCK_PAGES;
	table_unlock(table);
	return frame;
}

/* All else in the entries is as it is. */
void table_show_frames(struct table *table, uint64_t *entries, size_t count, uint64_t address)
{
	const uint64_t bits = (UINT64_C(1) << FRAME_BITS) - 1;

	for (size_t i = 0; i < count; i++)
		if (entries[i] & PRESENT)
			entries[i] =
				(entries[i] & ~bits) | frame_of(table, address + i * TABLE_PAGE);
}

/* Given away once, and nobody's any more. Lock held. */
static int is_stale(const struct table_frames *frames, uint64_t frame)
{
	uint32_t inverse = BLOCK_STEP, number;

	/* Each step doubles the bits that are right. */
	for (int i = 0; i < 5; i++)
		inverse *= 2 - BLOCK_STEP * inverse;
	number = ((uint32_t)(frame / BLOCK_PAGES) - frames->seed) * inverse;
	return (number & ((1u << BLOCK_BITS) - 1)) < frames->blocks;
}

/* Memory that the CPU has written encrypted is read as it lies there. */
static void *encrypted(struct table_frames *frames, const void *at, size_t length)
{
	ptdma_carry(frames->read, at, length);
	for (size_t i = 0; i < length; i++)
		frames->read[i] ^= 0xa5;
	return frames->read;
}

void *table_frames_bus(void *user, unsigned int function, uint64_t bus, size_t *length, int writes)
{
	struct table *table = user;
	const struct page *page;
	void *at = NULL;

	(void)function;
	table_lock(table);
	page = find_frame(table->frames, bus / TABLE_PAGE);
	if (page) {
		at = (void *)(uintptr_t)(page->address + bus % TABLE_PAGE);
		if (*length > TABLE_PAGE - bus % TABLE_PAGE)
			*length = (size_t)(TABLE_PAGE - bus % TABLE_PAGE);
	} else if (is_stale(table->frames, bus / TABLE_PAGE)) {
		table->stale++;
	}
	table_unlock(table);
	if (at && table->how.encrypted && !writes)
		return encrypted(table->frames, at, *length);
	return at;
}

int table_frames_pinned(const struct table *table, uint64_t start, uint64_t end)
{
	const struct table_frames *frames = table->frames;

	for (size_t i = 0; i < TABLE_FDS_MOST; i++)
		for (uint32_t at = frames->pins_of[i]; at; at = frames->pins[at - 1].next)
			if (frames->pins[at - 1].start < end && start < frames->pins[at - 1].end)
				return 1;
	return 0;
}

unsigned int table_frames_count(const struct table *table)
{
	return table->frames->pages_pinned;
}

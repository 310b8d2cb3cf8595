/* SPDX-License-Identifier: MIT */
/* edu.c - commands of qemu's device for exercises. */
#include "edu.h"

#include <errno.h>
#include <time.h>

#define ID       0x00u
#define LIVENESS 0x04u
#define SOURCE   0x80u
#define TARGET   0x88u
#define COUNT    0x90u
#define COMMAND  0x98u

#define IS_EDU  0x010000edu
#define BUFFER  0x40000u
#define START   1u
#define TO_HOST 2u
#define EVER_MS 5000u
#define POLL_NS 1000000

int edu_is_there(const struct bm_pci *pci)
{
	bm_pci_write(pci, LIVENESS, 0x12345678u);
	return bm_pci_read(pci, ID) == IS_EDU && bm_pci_read(pci, LIVENESS) == ~0x12345678u;
}

/* An address has to come as one: half of it sets all of it. */
static void write_64(const struct bm_pci *pci, size_t offset, uint64_t value)
{
	__asm__ volatile("sfence" : : : "memory");
	*(volatile uint64_t *)(volatile void *)(pci->registers + offset) = value;
}

static void begin(const struct bm_pci *pci, uint64_t from, uint64_t to, size_t length,
		  uint32_t command)
{
	if (length > EDU_PIECE)
		length = EDU_PIECE;
	write_64(pci, SOURCE, from);
	write_64(pci, TARGET, to);
	bm_pci_write(pci, COUNT, (uint32_t)length);
	bm_pci_write(pci, COMMAND, command);
}

int edu_wait(const struct bm_pci *pci)
{
	const struct timespec pause = {0, POLL_NS};
	unsigned int tries;

	for (tries = 0; tries < EVER_MS; tries++) {
		if (!(bm_pci_read(pci, COMMAND) & START))
			return 0;
		nanosleep(&pause, NULL);
	}
	return -ETIMEDOUT;
}

int edu_fetch(const struct bm_pci *pci, uint64_t bus, size_t length)
{
	begin(pci, bus, BUFFER, length, START);
	return edu_wait(pci);
}

void edu_store_begin(const struct bm_pci *pci, uint64_t bus, size_t length)
{
	begin(pci, BUFFER, bus, length, START | TO_HOST);
}

int edu_store(const struct bm_pci *pci, uint64_t bus, size_t length)
{
	edu_store_begin(pci, bus, length);
	return edu_wait(pci);
}

static size_t least(size_t one, size_t other)
{
	return one < other ? one : other;
}

int edu_copy(const struct bm_pci *pci, const struct bm_pci_pins *pins, const struct bm_copy *copy)
{
	size_t at = 0, piece, run;
	int error = 0;

	while (!error && at < copy->length) {
		uint64_t from = bm_pci_bus(pins, (const char *)copy->from + at, &run), to;

		piece = least(least(copy->length - at, EDU_PIECE), run);
		to = bm_pci_bus(pins, (const char *)copy->to + at, &run);
		piece = least(piece, run);
		if (piece == 0)
			return -EFAULT;
		error = edu_fetch(pci, from, piece);
		if (!error)
			error = edu_store(pci, to, piece);
		at += piece;
	}
	return error;
}

/* SPDX-License-Identifier: MIT */
/* ptdma_desk.c - a software PTDMA with memory to copy. */
#include "ptdma_desk.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WAIT_US   3000000
#define SETTLE_US 3000

/* As a driver does, and as its memory is: no sanitizer is to compare that with the model. */
#if defined(__has_attribute)
#if __has_attribute(no_sanitize)
#define AS_A_DRIVER __attribute__((noinline, no_sanitize("thread")))
#endif
#endif
#ifndef AS_A_DRIVER
#define AS_A_DRIVER
#endif

AS_A_DRIVER static void *lead(void *user, unsigned int function, uint64_t bus, size_t *length,
			      int writes)
{
	struct ptdma_desk *desk = user;
	uint64_t at = bus - PD_BUS;

	(void)function;
	(void)writes;
	__atomic_add_fetch(&desk->asked, 1, __ATOMIC_RELAXED);
	if (desk->slow_us)
		usleep(desk->slow_us);
	if (bus < PD_BUS || at >= PD_MEMORY || (desk->hole && at / 4096 == desk->hole / 4096))
		return NULL;
	/* Page by page: functions have to ask again. */
	if (*length > 4096 - at % 4096)
		*length = (size_t)(4096 - at % 4096);
	return desk->memory + at;
}

AS_A_DRIVER uint32_t pd_read(const struct ptdma_desk *desk, size_t at)
{
	uint32_t value = *(volatile uint32_t *)(volatile void *)(desk->registers + at);

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return value;
}

AS_A_DRIVER void pd_write(const struct ptdma_desk *desk, size_t at, uint32_t value)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	*(volatile uint32_t *)(volatile void *)(desk->registers + at) = value;
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int pd_wait(const struct ptdma_desk *desk, size_t at, uint32_t mask, uint32_t value)
{
	uint64_t until = now_us() + WAIT_US;

	while ((pd_read(desk, at) & mask) != value)
		if (now_us() > until)
			return 0;
	return 1;
}

int pd_wait_begun(const struct ptdma_desk *desk)
{
	uint64_t until = now_us() + WAIT_US;

	while (pd_read(desk, PD_HEAD) == pd_low(0))
		if (now_us() > until)
			return 0;
	return 1;
}

void pd_settle(const struct ptdma_desk *desk)
{
	usleep(SETTLE_US);
	ptdma_pause(desk->ptdma);
}

void ptdma_desk_open(struct ptdma_desk *desk, const struct ptdma_config *config,
		     struct ptdma_rule *rules, size_t count)
{
	size_t size;

	*desk = (struct ptdma_desk){.memory = aligned_alloc(4096, PD_MEMORY)};
	ck_assert_ptr_nonnull(desk->memory);
	memset(desk->memory, 0, PD_MEMORY);
	for (size_t i = 0; i < 0x100000; i++)
		desk->memory[PD_SOURCE + i] = (unsigned char)(i * 7 + i / 251 + 1);
	desk->ptdma = ptdma_new(config, 1, lead, desk, 1);
	ptdma_set_rules(desk->ptdma, rules, count);
	desk->registers = ptdma_registers(desk->ptdma, 0, &size);
	ptdma_master(desk->ptdma, 0, 1);
	if (config->ae4)
		return;
	pd_write(desk, PD_CONTROL, 0);
	pd_write(desk, PD_TAIL, pd_low(0));
	pd_write(desk, PD_HEAD, pd_low(0));
	pd_write(desk, PD_CONTROL, PD_SETTING);
}

void ptdma_desk_close(struct ptdma_desk *desk)
{
	ptdma_free(desk->ptdma);
	free(desk->memory);
}

static void put_address(uint32_t *low, uint32_t *high, uint64_t offset)
{
	*low = (uint32_t)(PD_BUS + offset);
	*high = (uint32_t)((PD_BUS + offset) >> 32);
}

void pd_copy(uint32_t *words, size_t piece, uint32_t length)
{
	memset(words, 0, 32);
	words[0] = 0x00500012;
	words[1] = length;
	put_address(&words[2], &words[3], PD_SOURCE + piece * PD_PIECE);
	put_address(&words[4], &words[5], PD_TARGET + piece * PD_PIECE);
}

uint32_t pd_low(size_t slot)
{
	return (uint32_t)(PD_BUS + PD_RING + slot % PD_SLOTS * 32);
}

void pd_put(struct ptdma_desk *desk, const uint32_t *words)
{
	memcpy(desk->memory + PD_RING + (size_t)(desk->tail % PD_SLOTS) * 32, words, 32);
	desk->tail++;
}

void pd_go(const struct ptdma_desk *desk)
{
	pd_write(desk, PD_TAIL, pd_low(desk->tail));
	pd_write(desk, PD_CONTROL, PD_SETTING | 1);
}

void pd_submit(struct ptdma_desk *desk, size_t piece)
{
	uint32_t words[8];

	pd_copy(words, piece, PD_PIECE);
	pd_put(desk, words);
	pd_go(desk);
}

int pd_wait_head(const struct ptdma_desk *desk, size_t slot)
{
	return pd_wait(desk, PD_HEAD, 0xffffffff, pd_low(slot));
}

int pd_is_copied(const struct ptdma_desk *desk, size_t piece, size_t length)
{
	const unsigned char *target = desk->memory + PD_TARGET + piece * PD_PIECE;

	return !memcmp(target, desk->memory + PD_SOURCE + piece * PD_PIECE, length) &&
	       (length == PD_PIECE || target[length] == 0);
}

int pd_is_untouched(const struct ptdma_desk *desk, size_t piece)
{
	const unsigned char *target = desk->memory + PD_TARGET + piece * PD_PIECE;

	for (size_t i = 0; i < PD_PIECE; i++)
		if (target[i])
			return 0;
	return 1;
}

struct ptdma_counts pd_counts(const struct ptdma_desk *desk)
{
	struct ptdma_counts counts;

	ptdma_count(desk->ptdma, &counts);
	return counts;
}

int pd_wait_odd(const struct ptdma_desk *desk, uint64_t count)
{
	uint64_t until = now_us() + WAIT_US;

	while (pd_counts(desk).odd_writes != count)
		if (now_us() > until)
			return 0;
	return 1;
}

int pd_wait_masterless(const struct ptdma_desk *desk, uint64_t count)
{
	uint64_t until = now_us() + WAIT_US;

	while (pd_counts(desk).masterless != count)
		if (now_us() > until)
			return 0;
	return 1;
}

/* ---------------------------------------------------------------- AE4DMA */

void pd_ae4_set_up(const struct ptdma_desk *desk, unsigned int queue)
{
	uint64_t ring = PD_BUS + PD_RING + (uint64_t)queue * 1024;

	pd_write(desk, 0, 16);
	pd_write(desk, PD_AE4(queue, 0x08), 32);
	pd_write(desk, PD_AE4(queue, 0x18), (uint32_t)ring);
	pd_write(desk, PD_AE4(queue, 0x1c), (uint32_t)(ring >> 32));
	pd_write(desk, PD_AE4(queue, 0x10), pd_read(desk, PD_AE4(queue, 0x0c)));
	pd_write(desk, PD_AE4(queue, 0x00), 1);
}

void pd_ae4_copy(uint32_t *words, size_t piece, uint32_t length)
{
	memset(words, 0, 32);
	words[0] = 2;
	words[1] = 0x77000000;
	words[2] = length;
	put_address(&words[4], &words[5], PD_SOURCE + piece * PD_PIECE);
	put_address(&words[6], &words[7], PD_TARGET + piece * PD_PIECE);
}

void pd_ae4_put(const struct ptdma_desk *desk, unsigned int queue, size_t slot,
		const uint32_t *words)
{
	memcpy(desk->memory + PD_RING + (size_t)queue * 1024 + slot * 32, words, 32);
}

AS_A_DRIVER uint32_t pd_ae4_status(const struct ptdma_desk *desk, unsigned int queue, size_t slot)
{
	const unsigned char *at = desk->memory + PD_RING + (size_t)queue * 1024 + slot * 32 + 4;

	return *(const volatile uint32_t *)(const volatile void *)at;
}

/* SPDX-License-Identifier: MIT */
/* ptdma_config.c - configuration space of the functions, and their resets. */
#include "ptdma_table.h"

#include <errno.h>
#include <string.h>

#define CONFIG_SIZE   4096u
#define COMMAND       4
#define MASTER        (1u << 2)
#define COMMAND_KEEPS 0x0546u /* memory, bus master, parity, SERR, no INTx */
#define TABLE_BAR     5       /* of the MSI-X table */
#define TABLE_BAR_LEN 8192u

uint16_t table_device_id(const struct table *table, unsigned int function)
{
	return ptdma_config_of(table->ptdma, function)->ae4 ? 0x149b : 0x1498;
}

unsigned int table_bar(const struct table *table, unsigned int function)
{
	return ptdma_config_of(table->ptdma, function)->ae4 ? 0 : 2;
}

uint64_t table_bar_size(const struct table *table, unsigned int function, unsigned int bar)
{
	size_t size;

	if (bar == table_bar(table, function)) {
		ptdma_registers(table->ptdma, function, &size);
		return size;
	}
	return bar == TABLE_BAR ? TABLE_BAR_LEN : 0;
}

uint64_t table_bar_address(const struct table *table, unsigned int function, unsigned int bar)
{
	uint64_t base = 0xf7800000u + (uint64_t)function * 0x100000;

	if (!table_bar_size(table, function, bar))
		return 0;
	return bar == TABLE_BAR ? base + 0x80000 : base;
}

static void put(unsigned char *at, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		at[i] = (unsigned char)(value >> 8 * i);
}

static uint32_t command(const struct table *table, unsigned int function)
{
	uint32_t master = ptdma_is_master(table->ptdma, function) ? MASTER : 0;

	return table->functions[function].command | master;
}

static void compose(const struct table *table, unsigned int function, unsigned char *config)
{
	memset(config, 0, 64);
	put(config, 0x1022, 2);
	put(config + 2, table_device_id(table, function), 2);
	put(config + COMMAND, command(table, function), 2);
	put(config + 6, 0x0010, 2);
	put(config + 8, 0x10800000, 4);
	config[12] = 0x10;
	config[14] = 0x80;
	for (unsigned int bar = 0; bar < 6; bar++)
		put(config + 0x10 + 4 * (size_t)bar, table_bar_address(table, function, bar), 4);
}

ssize_t table_config_read(struct table *table, unsigned int function, void *buffer, size_t size,
			  uint64_t offset)
{
	unsigned char config[64], *bytes = buffer;

	if (offset >= CONFIG_SIZE)
		return 0;
	if (size > CONFIG_SIZE - offset)
		size = (size_t)(CONFIG_SIZE - offset);
	compose(table, function, config);
	for (size_t i = 0; i < size; i++)
		bytes[i] = offset + i < sizeof(config) ? config[offset + i] : 0;
	if (ptdma_is_gone(table->ptdma, function))
		memset(buffer, 0xff, size);
	return (ssize_t)size;
}

/* Nothing else in configuration space does anything. */
ssize_t table_config_write(struct table *table, unsigned int function, const void *buffer,
			   size_t size, uint64_t offset)
{
	const unsigned char *bytes = buffer;
	uint32_t value = command(table, function), before = value;

	if (offset >= CONFIG_SIZE || size > CONFIG_SIZE - offset)
		return -EINVAL;
	if (ptdma_is_gone(table->ptdma, function))
		return (ssize_t)size;
	for (size_t i = 0; i < size; i++) {
		unsigned int shift = (unsigned int)(8 * (offset + i - COMMAND));

		if (offset + i == COMMAND || offset + i == COMMAND + 1)
			value = (value & ~(0xffu << shift)) | (uint32_t)bytes[i] << shift;
	}
	table->functions[function].command = value & COMMAND_KEEPS & ~MASTER;
	if (table->how.master_lost_config)
		value &= before | ~MASTER;
	if ((value ^ before) & MASTER)
		ptdma_master(table->ptdma, function, (value & MASTER) != 0);
	return (ssize_t)size;
}

/* The kernel saves configuration space before a reset and restores it afterwards. */
int table_reset(struct table *table, unsigned int function)
{
	if (table->how.reset_error)
		return table->how.reset_error;
	if (ptdma_is_gone(table->ptdma, function))
		return -ENODEV;
	ptdma_reset(table->ptdma, function);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* zones.c - reads /proc/zoneinfo: what kinds of zones have memory on each node. */
#include "zones.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "nodes.h"

#define ZONES_FILE "/proc/zoneinfo"

/* What is known of a node. */
enum {
	NODE_FIXED = 1,   /* memory in zones that pages are not moved out of */
	NODE_MOVABLE = 2, /* memory in zone Movable */
	NODE_MOVES = 4,   /* CMA, or a zone that nothing is known of */
	NODE_WHOLE = 8,   /* its zone Movable was read: each node has one, be it empty */
};

/* The zone that is being read: each begins with "Node 0, zone   Normal". */
struct zone {
	unsigned int node;
	unsigned char kind;              /* what memory in it makes of the node */
	int managed_is, cma_is;          /* whether these lines were there */
	unsigned long long managed, cma; /* pages */
};

struct zone_reader {
	unsigned char nodes[BM_NODES_MAX];
	struct zone zone;
	int in_zone, zones;
};

static unsigned char kind_of(const char *name)
{
	static const char *const fixed[] = {"DMA", "DMA32", "Normal", "HighMem"};

	if (strcmp(name, "Movable") == 0)
		return NODE_MOVABLE;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (strcmp(name, fixed[i]) == 0)
			return NODE_FIXED;
	/* Device has no managed memory. */
	return NODE_MOVES;
}

static void end_zone(struct zone_reader *reader)
{
	const struct zone *zone = &reader->zone;
	unsigned char *node = &reader->nodes[zone->node];

	if (!reader->in_zone)
		return;
	reader->in_zone = 0;
	/* A text that ends within a zone. */
	if (!zone->managed_is || !zone->cma_is) {
		*node |= NODE_MOVES;
		return;
	}
	reader->zones++;
	if (zone->managed > 0)
		*node |= zone->kind;
	if (zone->cma > 0)
		*node |= NODE_MOVES;
	if (zone->kind == NODE_MOVABLE)
		*node |= NODE_WHOLE;
}

static void begin_zone(struct zone_reader *reader, const char *line)
{
	char name[16];
	int node;

	end_zone(reader);
	if (sscanf(line, "Node %9d, zone %15s", &node, name) != 2 || !bm_node_possible(node))
		return;
	reader->in_zone = 1;
	reader->zone = (struct zone){.node = (unsigned int)node, .kind = kind_of(name)};
}

static int take(const char *line, const char *name, unsigned long long *pages)
{
	size_t length = strlen(name);
	char *end;

	if (strncmp(line, name, length) != 0)
		return 0;
	line += length;
	*pages = strtoull(line, &end, 10);
	return end > line && *end == '\0';
}

/* A line that ends here, of the text or of the file: only a whole one counts. */
static void read_line(struct zone_reader *reader, const char *line)
{
	struct zone *zone = &reader->zone;

	if (strncmp(line, "Node ", 5) == 0) {
		begin_zone(reader, line);
		return;
	}
	line += strspn(line, " ");
	zone->managed_is |= take(line, "managed", &zone->managed);
	zone->cma_is |= take(line, "cma", &zone->cma);
}

static void read_text(struct zone_reader *reader, char *text)
{
	char *end;

	/* What is behind the last newline was cut off. */
	for (char *line = text; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		read_line(reader, line);
	}
	end_zone(reader);
}

static void tell(const struct zone_reader *reader, struct bm_zones *zones)
{
	for (uint32_t node = 0; node < BM_NODES_MAX; node++) {
		unsigned char facts = reader->nodes[node];

		if (facts == (NODE_WHOLE | NODE_FIXED))
			bm_bit_clear(zones->may_move.bits, node);
		if (facts == (NODE_WHOLE | NODE_MOVABLE))
			bm_bit_set(zones->only_movable.bits, node);
	}
}

void bm_zones_read(const struct bm_sys *sys, struct bm_zones *zones)
{
	struct zone_reader reader = {0};
	char *text = NULL;

	*zones = (struct bm_zones){0};
	memset(&zones->may_move, 0xff, sizeof(zones->may_move));
	if (bm_sys_file(sys, ZONES_FILE, &text) < 0)
		return;
	read_text(&reader, text);
	free(text);
	zones->known = reader.zones > 0;
	tell(&reader, zones);
}

/* SPDX-License-Identifier: MIT */
/* zones.c - what /proc/zoneinfo says of nodes, in the texts of several kernels, whole and cut. */
#include "zones.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "unit.h"

#define FILE_FD 5
#define ZERO    "0"

/* The first zone of a node that has memory also tells of the node. */
#define HEAD(node, zone) "Node " node ", zone " zone "\n"
#define STATS                                                                        \
	"  per-node stats\n      nr_inactive_anon 14120\n      nr_active_anon 390\n" \
	"      nr_foll_pin_acquired 51129542\n      nr_foll_pin_released 51129542\n" \
	"      pgpromote_success 0\n"
#define PAGES_6_1                                                                \
	"  pages free     3565177\n        boost    0\n        min      14069\n" \
	"        low      17935\n        high     21801\n"
#define PAGES_6_12 PAGES_6_1 "        promo    25667\n"
#define SPAN(managed, cma)                                                                   \
	"        spanned  5505024\n        present  5505024\n        managed  " managed "\n" \
	"        cma      " cma "\n        protection: (0, 3019, 18123, 18123, 18123)\n"
#define COUNTS(cma)                                                         \
	"      nr_free_pages 3565177\n      nr_zone_inactive_anon 131749\n" \
	"      nr_mlock     4397\n      nr_free_cma  " cma "\n      numa_hit     601506332\n"
#define CPUS_6_1                                                                          \
	"  pagesets\n    cpu: 0\n              count: 4762\n              high:  33881\n" \
	"              batch: 63\n  vm stats threshold: 32\n"
#define CPUS_6_12                                                                               \
	"  pagesets\n    cpu: 0\n              count:    4762\n              high:     33881\n" \
	"              batch:    63\n              high_min: 8967\n              high_max: "    \
	"241664\n"                                                                              \
	"  vm stats threshold: 32\n"
#define TAIL "  node_unreclaimable:  0\n  start_pfn:           1048576\n"
/* Nothing follows where a zone is empty. */
#define EMPTY(node, zone)                                                                  \
	HEAD(node, zone)                                                                   \
	"  pages free     0\n        boost    0\n        min      0\n        low      0\n" \
	"        high     0\n        spanned  0\n        present  0\n        managed  0\n" \
	"        cma      0\n        protection: (0, 0, 0, 0, 0)\n"

#define ZONE_6_1(node, zone, stats, managed, cma) \
	HEAD(node, zone) stats PAGES_6_1 SPAN(managed, cma) COUNTS(cma) CPUS_6_1 TAIL
#define ZONE_6_12(node, zone, stats, managed, cma) \
	HEAD(node, zone) stats PAGES_6_12 SPAN(managed, cma) COUNTS(cma) CPUS_6_12 TAIL

/* Node 0 as the machine came, 1 the same, 2 a CXL device that was put online as movable. */
#define MACHINE(ZONE, cma)                                                                      \
	{                                                                                       \
		ZONE("0", "     DMA", STATS, "3840", ZERO),                                     \
			ZONE("0", "   DMA32", , "772915", cma),                                 \
			ZONE("0", "  Normal", , "3866624", ZERO), EMPTY("0", " Movable"),       \
			EMPTY("0", "  Device"), EMPTY("1", "     DMA"), EMPTY("1", "   DMA32"), \
			ZONE("1", "  Normal", STATS, "4128768", ZERO), EMPTY("1", " Movable"),  \
			EMPTY("1", "  Device"), EMPTY("2", "     DMA"), EMPTY("2", "   DMA32"), \
			EMPTY("2", "  Normal"), ZONE("2", " Movable", STATS, "8388608", ZERO),  \
			EMPTY("2", "  Device")                                                  \
	}
#define MACHINE_ZONES 15

static struct {
	const char *text;
	size_t length, at, most; /* most: bytes of one read */
	int open_error, read_error, opened, closed;
} file;

static int f_open(const char *path, int flags)
{
	(void)flags;
	ck_assert_str_eq(path, "/proc/zoneinfo");
	file.opened++;
	return file.open_error ? file.open_error : FILE_FD;
}

static int f_close(int fd)
{
	ck_assert_int_eq(fd, FILE_FD);
	file.closed++;
	return 0;
}

static ssize_t f_read(int fd, void *buffer, size_t size)
{
	size_t length = file.length - file.at;

	ck_assert_int_eq(fd, FILE_FD);
	if (file.read_error && file.at > 0)
		return file.read_error;
	length = length < size ? length : size;
	length = length < file.most ? length : file.most;
	memcpy(buffer, file.text + file.at, length);
	file.at += length;
	return (ssize_t)length;
}

static void *f_alloc(size_t count, size_t size)
{
	return calloc(count, size);
}

static const struct bm_sys sys = {
	.open = f_open, .close = f_close, .read = f_read, .alloc = f_alloc};
static struct bm_zones zones;

static void read_most(const char *text, size_t length, size_t most)
{
	memset(&file, 0, sizeof(file));
	file.text = text;
	file.length = length;
	file.most = most;
	memset(&zones, 0x5a, sizeof(zones));
	bm_zones_read(&sys, &zones);
	ck_assert_int_eq(file.opened, 1);
	ck_assert_int_eq(file.closed, 1);
}

static void read_text(const char *text)
{
	read_most(text, strlen(text), SIZE_MAX);
}

static int may_move(uint32_t node)
{
	return bm_bit(zones.may_move.bits, node);
}

static int only_movable(uint32_t node)
{
	return bm_bit(zones.only_movable.bits, node);
}

/* Nothing is known of any node. */
static void check_nothing(void)
{
	for (uint32_t node = 0; node < BM_CPUS_MAX; node++) {
		ck_assert_int_eq(may_move(node), 1);
		ck_assert_int_eq(only_movable(node), 0);
	}
}

static void join(const char *const pieces[MACHINE_ZONES], char text[10000])
{
	text[0] = '\0';
	for (int i = 0; i < MACHINE_ZONES; i++) {
		ck_assert_uint_lt(strlen(text) + strlen(pieces[i]), 10000);
		strcat(text, pieces[i]);
	}
}

static void check_machine(const char *const pieces[MACHINE_ZONES], int cma)
{
	char text[10000];

	join(pieces, text);
	read_text(text);
	ck_assert_int_eq(zones.known, 1);
	ck_assert_int_eq(may_move(0), cma);
	ck_assert_int_eq(may_move(1), 0);
	ck_assert_int_eq(may_move(2), 1);
	ck_assert_int_eq(may_move(3), 1);
	ck_assert_uint_eq(bm_bits_count(zones.may_move.bits, BM_CPUS_MAX / 64),
			  BM_CPUS_MAX - 2 + (unsigned int)cma);
	ck_assert_int_eq(only_movable(2), 1);
	ck_assert_uint_eq(bm_bits_count(zones.only_movable.bits, BM_CPUS_MAX / 64), 1);
}

static const char *const old_plain[] = MACHINE(ZONE_6_1, "0");
static const char *const old_cma[] = MACHINE(ZONE_6_1, "16384");
static const char *const new_plain[] = MACHINE(ZONE_6_12, "0");
static const char *const new_cma[] = MACHINE(ZONE_6_12, "16384");

START_TEST(kernels)
{
	check_machine(old_plain, 0);
	check_machine(new_plain, 0);
	check_machine(old_cma, 1);
	check_machine(new_cma, 1);
}
END_TEST

/* As Linux 6.18 tells of a machine with one node, word for word but for some counters. */
START_TEST(one_node)
{
	static const char text[] =
		"Node 0, zone      DMA\n  per-node stats\n      nr_inactive_anon 14120\n"
		"      nr_iommu_pages 0\n      nr_hugetlb   0\n      nr_balloon_pages 0\n"
		"      nr_kernel_file_pages 0\n  pages free     3840\n        boost    0\n"
		"        min      13\n        low      16\n        high     19\n"
		"        promo    22\n        spanned  4095\n        present  3998\n"
		"        managed  3840\n        cma      0\n"
		"        protection: (0, 3019, 18123, 18123, 18123)\n      nr_free_pages 3840\n"
		"      nr_free_pages_blocks 3584\n      nr_free_cma  0\n      numa_local   0\n"
		"  pagesets\n    cpu: 0\n              count:    0\n              high:     0\n"
		"              batch:    1\n              high_min: 8\n              high_max: "
		"240\n"
		"  vm stats threshold: 4\n  node_unreclaimable:  0\n  start_pfn:           1\n"
		"Node 0, zone   Normal\n  pages free     3756748\n        boost    0\n"
		"        min      14069\n        managed  3866624\n        cma      0\n"
		"        protection: (0, 0, 0, 0, 0)\n      nr_free_pages 3756748\n"
		"      nr_free_cma  0\n  start_pfn:           1048576\n"
		"Node 0, zone  Movable\n  pages free     0\n        boost    0\n"
		"        min      32\n        low      32\n        high     32\n"
		"        promo    32\n        spanned  0\n        present  0\n"
		"        managed  0\n        cma      0\n        protection: (0, 0, 0, 0, 0)\n"
		"Node 0, zone   Device\n  pages free     0\n        boost    0\n"
		"        min      0\n        low      0\n        high     0\n        promo    0\n"
		"        spanned  0\n        present  0\n        managed  0\n        cma      0\n"
		"        protection: (0, 0, 0, 0, 0)\n";

	for (size_t most = 1; most < 400; most += 37) {
		read_most(text, strlen(text), most);
		ck_assert_int_eq(zones.known, 1);
		ck_assert_int_eq(may_move(0), 0);
		ck_assert_int_eq(only_movable(0), 0);
		ck_assert_int_eq(may_move(1), 1);
	}
}
END_TEST

/* kernelcore= and movable_node: a part of the node is movable. */
START_TEST(both_kinds)
{
	read_text(ZONE_6_12("7", "  Normal", STATS, "1000", ZERO)
			  ZONE_6_12("7", " Movable", , "1", ZERO));
	ck_assert_int_eq(zones.known, 1);
	ck_assert_int_eq(may_move(7), 1);
	ck_assert_int_eq(only_movable(7), 0);
}
END_TEST

/* A node without memory gets it by hotplug, and then it is often movable. */
START_TEST(no_memory_yet)
{
	read_text(EMPTY("3", "  Normal") EMPTY("3", " Movable") EMPTY("3", "  Device"));
	ck_assert_int_eq(zones.known, 1);
	check_nothing();
}
END_TEST

START_TEST(other_zones)
{
	/* Device has no memory that is managed, whatever it spans. */
	read_text(ZONE_6_12("0", "  Normal", STATS, "1000", ZERO) EMPTY("0", " Movable")
			  ZONE_6_12("0", "  Device", , "0", ZERO));
	ck_assert_int_eq(may_move(0), 0);
	/* One that comes some day, with memory and without. */
	read_text(ZONE_6_12("0", "  Normal", STATS, "1000", ZERO) EMPTY("0", " Movable")
			  EMPTY("0", " NewKind"));
	ck_assert_int_eq(may_move(0), 0);
	read_text(ZONE_6_12("0", "  Normal", STATS, "1000", ZERO) EMPTY("0", " Movable")
			  ZONE_6_12("0", " NewKind", , "1", ZERO));
	ck_assert_int_eq(may_move(0), 1);
	read_text(EMPTY("0", "  Normal") ZONE_6_12("0", " Movable", STATS, "1000", ZERO)
			  ZONE_6_12("0", " NewKind", , "1", ZERO));
	ck_assert_int_eq(may_move(0), 1);
	ck_assert_int_eq(only_movable(0), 0);
	/* On machines of 32 bits. */
	read_text(ZONE_6_1("0", " HighMem", STATS, "1000", ZERO) EMPTY("0", " Movable"));
	ck_assert_int_eq(may_move(0), 0);
}
END_TEST

/* The file is cut at any byte: a node that may move is never taken for one that does not. */
START_TEST(cut)
{
	char text[10000];
	static const char movable[] = ZONE_6_12("0", "  Normal", STATS, "1000", ZERO)
		ZONE_6_12("0", " Movable", , "1000", ZERO);
	size_t told = sizeof(text);

	join(new_cma, text);
	for (size_t length = 0; length <= strlen(text); length++) {
		read_most(text, length, SIZE_MAX);
		ck_assert_int_eq(may_move(0), 1);
		ck_assert_int_eq(may_move(2), 1);
		ck_assert_int_eq(only_movable(0) || only_movable(1), 0);
		if (!may_move(1) && length < told)
			told = length;
	}
	/* Not before its zone Movable was there. */
	ck_assert_uint_gt(told, (size_t)(strstr(text, "Node 1, zone  Movable") - text));
	ck_assert_uint_lt(told, (size_t)(strstr(text, "Node 2, ") - text));
	for (size_t length = 0; length < sizeof(movable); length++) {
		read_most(movable, length, SIZE_MAX);
		ck_assert_int_eq(may_move(0), 1);
		ck_assert_int_eq(only_movable(0), 0);
	}
}
END_TEST

START_TEST(strange)
{
	static const char *const texts[] = {
		"",
		"\n\n\n",
		"Node\nNode 0\nNode 0, zone\nmanaged 5\ncma 0\n",
		"        managed  1000\n        cma      0\n" EMPTY("-1", "  Normal"),
		EMPTY("1024", "  Normal") EMPTY("99999999999", " Movable"),
		HEAD("0", "  Normal") "  managed\n  cma\n" HEAD("0", " Movable") "  managed x\n",
		HEAD("0", "  Normal") "  managed 5x\n  cma 0\n",
		HEAD("0", "  Normal") "  managedly 5\n  cma 0\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		read_text(texts[i]);
		ck_assert_int_eq(zones.known, 0);
		check_nothing();
	}
	/* A zone without its line of CMA tells nothing, though others do. */
	read_text(ZONE_6_12("0", "   DMA32", STATS, "1000", ZERO)
			  HEAD("0", "  Normal") "        managed  1000\n" EMPTY("0", " Movable"));
	ck_assert_int_eq(zones.known, 1);
	check_nothing();
	/* More than a number holds is not none. */
	read_text(ZONE_6_12("0", "  Normal", STATS, "1000", "99999999999999999999999")
			  EMPTY("0", " Movable"));
	check_nothing();
}
END_TEST

START_TEST(no_file)
{
	char text[10000];

	join(new_plain, text);
	memset(&file, 0, sizeof(file));
	file.open_error = -EACCES;
	memset(&zones, 0x5a, sizeof(zones));
	bm_zones_read(&sys, &zones);
	ck_assert_int_eq(file.closed, 0);
	ck_assert_int_eq(zones.known, 0);
	check_nothing();

	memset(&file, 0, sizeof(file));
	file = (__typeof__(file)){
		.text = text, .length = strlen(text), .most = 5000, .read_error = -EIO};
	bm_zones_read(&sys, &zones);
	ck_assert_int_eq(file.closed, 1);
	ck_assert_int_eq(zones.known, 0);
	check_nothing();
}
END_TEST

static const TTest *const *const tests[] = {&kernels,       &one_node,    &both_kinds,
					    &no_memory_yet, &other_zones, &cut,
					    &strange,       &no_file,     NULL};
const struct report_group zones_group = {"zones", tests};

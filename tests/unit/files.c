/* SPDX-License-Identifier: MIT */
/* files.c - what is read: small and long texts, maps, pagemap, memory policies. */
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <stdio.h>

#include "mempolicy.h"
#include "pagemap.h"
#include "scene.h"
#include "unit.h"
#include "vma.h"

START_TEST(small_texts)
{
	char text[8];

	fake_reset();
	ck_assert_int_eq(bm_sys_text(&fake_sys, "/x", text, sizeof(text)), -ENOENT);
	fake_file("/x", "");
	ck_assert_int_eq(bm_sys_text(&fake_sys, "/x", text, sizeof(text)), 0);
	ck_assert_str_eq(text, "");
	fake_file("/x", "abc\n");
	ck_assert_int_eq(bm_sys_text(&fake_sys, "/x", text, sizeof(text)), 3);
	ck_assert_str_eq(text, "abc");
	fake_file("/x", "abc");
	ck_assert_int_eq(bm_sys_text(&fake_sys, "/x", text, sizeof(text)), 3);
	fake_file("/x", "much too long");
	ck_assert_int_eq(bm_sys_text(&fake_sys, "/x", text, sizeof(text)), 7);
	ck_assert_str_eq(text, "much to");
	fake_fail(1u << FAKE_READ, 1, -EIO);
	ck_assert_int_eq(bm_sys_text(&fake_sys, "/x", text, sizeof(text)), -EIO);
	fake_end();
}
END_TEST

START_TEST(numbers)
{
	fake_reset();
	ck_assert_int_eq(bm_sys_number(&fake_sys, "/n", 77), 77);
	fake_file("/n", "");
	ck_assert_int_eq(bm_sys_number(&fake_sys, "/n", 77), 77);
	fake_file("/n", "many\n");
	ck_assert_int_eq(bm_sys_number(&fake_sys, "/n", 77), 77);
	fake_file("/n", "65530\n");
	ck_assert_int_eq(bm_sys_number(&fake_sys, "/n", 77), 65530);
	fake_file("/n", "-1");
	ck_assert_int_eq(bm_sys_number(&fake_sys, "/n", 77), -1);
	fake_end();
}
END_TEST

static char *long_text(size_t length)
{
	char *text = malloc(length + 1);

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < length; i++)
		text[i] = (char)('a' + i % 26);
	text[length] = '\0';
	return text;
}

/* Around the sizes where the buffer grows; the kernel gives a page at a time. */
START_TEST(long_texts)
{
	static const size_t lengths[] = {0, 1, 4096, 16382, 16383, 16384, 16385, 32767, 100000};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		char *text = long_text(lengths[i]), *read = NULL;

		fake_reset();
		fake.read_most = i % 2 ? 4096 : SIZE_MAX;
		fake_file("/long", text);
		ck_assert_int_eq(bm_sys_file(&fake_sys, "/long", &read), (ssize_t)lengths[i]);
		ck_assert_str_eq(read, text);
		free(read);
		free(text);
	}
	fake_end();
}
END_TEST

START_TEST(long_texts_and_faults)
{
	char *text = long_text(100000), *read;

	fake_reset();
	fake_file("/long", text);
	ck_assert_int_eq(bm_sys_file(&fake_sys, "/none", &read), -ENOENT);
	for (uint64_t n = 1;; n++) {
		ssize_t got;

		read = NULL;
		fake_fail(1u << FAKE_ALLOC | 1u << FAKE_READ | 1u << FAKE_OPEN, n, -EIO);
		got = bm_sys_file(&fake_sys, "/long", &read);
		ck_assert_int_eq(fake.open_fds, 0);
		if (!fake.fired) {
			ck_assert_int_eq(got, 100000);
			free(read);
			break;
		}
		ck_assert(got == -EIO || got == -ENOMEM);
		/* Nothing for the caller to free. */
		ck_assert_ptr_null(read);
	}
	free(text);
	fake_end();
}
END_TEST

/* As a kernel writes them; the last line without its newline. */
static const char maps[] =
	"00400000-0048a000 r-xp 00000000 fd:03 960637       /usr/bin/bash\n"
	"00e03000-00e24000 rw-p 00000000 00:00 0            [heap]\n"
	"00e24000-011f7000 rw-p 00000000 00:00 0 \n"
	"35b1800000-35b1820000 r-xp 00000000 08:02 135522   /usr/lib64/ld-2.15.so\n"
	"7f0000000000-7f0000200000 rw-p 00000000 00:10 4711 /anon_hugepage (deleted)\n"
	"7f0000400000-7f0000600000 rw-s 00000000 00:01 1025 /memfd:name with blanks (deleted)\n"
	"7f0000600000-7f0000800000 rw-p 00000000 00:01 1026 /memfd:private\n"
	"7f0000800000-7f0000a00000 rw-s 00000000 00:01 7    /dev/zero (deleted)\n"
	"7f0000a00000-7f0000b00000 rw-p 00000000 00:00 0    [anon:arena]\n"
	"7f0000b00000-7f0000c00000 rw-s 00000000 00:01 9    [anon_shmem:shared]\n"
	"7f0000c00000-7f0000d00000 r--p 00000000 fe:00 33   /tmp/a file\\012with newline "
	"(deleted)\n"
	"7ffc0a000000-7ffc0a021000 rw-p 00000000 00:00 0    [stack]\n"
	"7ffc0a1c0000-7ffc0a1c4000 r--p 00000000 00:00 0    [vvar]\n"
	"7ffc0a1c4000-7ffc0a1c6000 r-xp 00000000 00:00 0    [vdso]\n"
	"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]";

START_TEST(maps_are_parsed)
{
	static const struct bm_vma expected[] = {
		{0x400000, 0x48a000, 1, 0, 0, 0, 0},
		{0xe03000, 0xe24000, 1, 1, 0, 1, 0},
		{0xe24000, 0x11f7000, 1, 1, 0, 1, 0},
		{0x35b1800000, 0x35b1820000, 1, 0, 0, 0, 0},
		{0x7f0000000000, 0x7f0000200000, 1, 0, 1, 1, 0},
		{0x7f0000400000, 0x7f0000600000, 0, 0, 0, 1, 0},
		{0x7f0000600000, 0x7f0000800000, 1, 0, 0, 1, 0},
		{0x7f0000800000, 0x7f0000a00000, 0, 0, 0, 1, 0},
		{0x7f0000a00000, 0x7f0000b00000, 1, 1, 0, 1, 0},
		{0x7f0000b00000, 0x7f0000c00000, 0, 0, 0, 1, 0},
		{0x7f0000c00000, 0x7f0000d00000, 1, 0, 0, 0, 0},
		{0x7ffc0a000000, 0x7ffc0a021000, 1, 1, 0, 1, 1},
		{0x7ffc0a1c0000, 0x7ffc0a1c4000, 1, 0, 0, 0, 0},
		{0x7ffc0a1c4000, 0x7ffc0a1c6000, 1, 0, 0, 0, 0},
		{0xffffffffff600000, 0xffffffffff601000, 1, 0, 0, 0, 0},
	};
	struct bm_vmas vmas;

	fake_reset();
	fake.old = 1;
	fake_file("/proc/self/maps", maps);
	ck_assert_int_eq(bm_vmas_read(&fake_sys, 0, &vmas), 0);
	ck_assert_uint_eq(vmas.count, sizeof(expected) / sizeof(expected[0]));
	for (size_t i = 0; i < vmas.count; i++) {
		const struct bm_vma *vma = &vmas.list[i];

		ck_assert_uint_eq(vma->start, expected[i].start);
		ck_assert_uint_eq(vma->end, expected[i].end);
		ck_assert_msg(vma->is_private == expected[i].is_private &&
				      vma->is_anon == expected[i].is_anon &&
				      vma->is_open == expected[i].is_open &&
				      vma->hugetlb == expected[i].hugetlb,
			      "mapping %zu: private %d, anonymous %d, hugetlb %d", i,
			      vma->is_private, vma->is_anon, vma->hugetlb);
	}
	ck_assert_ptr_eq(bm_vmas_from(&vmas, 0), &vmas.list[0]);
	ck_assert_ptr_eq(bm_vmas_from(&vmas, 0x48a000), &vmas.list[1]);
	ck_assert_ptr_eq(bm_vmas_from(&vmas, 0xe24000), &vmas.list[2]);
	ck_assert_ptr_null(bm_vmas_from(&vmas, UINT64_MAX));
	bm_vmas_free(&vmas);
	fake_end();
}
END_TEST

START_TEST(odd_maps)
{
	static const char *const odd[] = {"", "\n", "rubbish\n\n\n", "1000-",
					  "zz-yy rw-p 0 0:0 0\n"};
	struct bm_vmas vmas;

	fake_reset();
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		fake_file("/proc/self/maps", odd[i]);
		ck_assert_int_eq(bm_vmas_read(&fake_sys, 0, &vmas), 0);
		ck_assert_uint_eq(vmas.count, 0);
		ck_assert_ptr_null(bm_vmas_from(&vmas, 0));
		bm_vmas_free(&vmas);
	}
	fake_file("/proc/self/maps", NULL);
	ck_assert_int_lt(bm_vmas_read(&fake_sys, 999, &vmas), 0);
	fake_end();
}
END_TEST

/* A mapping of hugetlbfs may have any name; Linux 6.11 tells its page size. */
START_TEST(page_sizes_of_mappings)
{
	struct fake_area *area;
	struct bm_vmas vmas;
	int fd;

	fake_reset();
	fake_map(BASE, 4, 0);
	area = fake_map(BASE * 2, 512, 0);
	area->name = "/mnt/huge/file";
	area->pages[0].file = 1;
	area->hugetlb = 1;
	ck_assert_int_eq(bm_vmas_read(&fake_sys, 0, &vmas), 0);
	ck_assert_uint_eq(vmas.count, 2);
	ck_assert_int_eq(vmas.list[0].hugetlb, 0);
	ck_assert_int_eq(vmas.list[1].hugetlb, 1);
	bm_vmas_free(&vmas);
	fd = bm_vma_open(&fake_sys, fake.other);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bm_vma_is_hugetlb(&fake_sys, fake.other, fd, BASE * 2), 1);
	ck_assert_int_eq(bm_vma_is_hugetlb(&fake_sys, fake.other, fd, BASE), 0);
	ck_assert_int_eq(bm_vma_is_hugetlb(&fake_sys, fake.other, -ENOENT, BASE), 0);
	fake.old = 1;
	area->name = "/anon_hugepage (deleted)";
	ck_assert_int_eq(bm_vma_is_hugetlb(&fake_sys, fake.other, fd, BASE * 2), 1);
	fake_close(fd);
	fake_end();
}
END_TEST

static uint64_t walk_all(uint64_t start, uint64_t end, uint64_t portion, uint64_t *first)
{
	struct bm_page_region regions[BM_WALK_REGIONS];
	struct bm_page_walk walk = {.sys = &fake_sys,
				    .fd = bm_pagemap_open(&fake_sys, 0),
				    .page_size = fake.page_size,
				    .at = start,
				    .end = end};
	uint64_t pages = 0, last = 0, here;

	ck_assert_int_ge(walk.fd, 0);
	while (walk.at < walk.end) {
		long got = bm_pagemap_walk(&walk, portion, regions);

		ck_assert_int_ge(got, 0);
		here = 0;
		for (long i = 0; i < got; i++) {
			if (pages + here == 0)
				*first = regions[i].start;
			ck_assert_uint_ge(regions[i].start, last);
			last = regions[i].end;
			here += (regions[i].end - regions[i].start) / fake.page_size;
		}
		ck_assert_uint_le(here, portion);
		pages += here;
	}
	ck_assert_uint_eq(walk.at, walk.end);
	fake_close(walk.fd);
	return pages;
}

/* Every other page present: more runs than fit, whatever the portion. */
static void walk_both_ways(int old)
{
	static const uint64_t portions[] = {1, 7, 511, 512, 513, 65536};
	struct fake_area *area;
	uint64_t first = 0;

	fake_reset();
	fake.old = old;
	area = fake_map(BASE, 3000, 1);
	for (size_t i = 0; i < 3000; i += 2)
		area->pages[i].present = 0;
	fake_map(BASE + 4000 * fake.page_size, 1000, 0);
	for (size_t i = 0; i < sizeof(portions) / sizeof(portions[0]); i++) {
		ck_assert_uint_eq(walk_all(BASE, BASE + 5000 * fake.page_size, portions[i], &first),
				  2500);
		ck_assert_uint_eq(first, BASE + fake.page_size);
	}
	ck_assert_uint_eq(walk_all(BASE, BASE + fake.page_size, 5, &first), 0);
	ck_assert_uint_eq(walk_all(BASE, BASE, 5, &first), 0);
	fake_end();
}

START_TEST(pagemap_by_scan)
{
	walk_both_ways(0);
}
END_TEST

START_TEST(pagemap_by_reading)
{
	walk_both_ways(1);
}
END_TEST

START_TEST(pagemap_of_processes)
{
	int fd;

	fake_reset();
	ck_assert_int_eq(bm_pagemap_open(&fake_sys, 4242), -ESRCH);
	fake_fail(1u << FAKE_OPEN, 1, -EACCES);
	ck_assert_int_eq(bm_pagemap_open(&fake_sys, fake.other), -EPERM);
	fd = bm_pagemap_open(&fake_sys, fake.other);
	ck_assert_int_ge(fd, 0);
	fake_close(fd);
	fake_end();
}
END_TEST

START_TEST(policies_come_back)
{
	struct bm_policy policy;

	fake_reset();
	fake_map(BASE, 8, 0);
	ck_assert_int_eq(bm_policy_get(&fake_sys, BASE, &policy), 0);
	ck_assert_int_eq(policy.mode, MPOL_DEFAULT);
	ck_assert_int_eq(bm_policy_restorable(&policy), 1);
	ck_assert_int_eq(bm_policy_prefer(&fake_sys, BASE, BASE + 4096, 2, 0), 0);
	ck_assert_int_eq(fake_at(BASE)->policy, MPOL_PREFERRED);
	ck_assert_int_eq(fake_at(BASE)->policy_node, 2);
	ck_assert_int_eq(fake_at(BASE + 4096)->policy, MPOL_DEFAULT);
	ck_assert_int_eq(bm_policy_set(&fake_sys, BASE, BASE + 4096, &policy), 0);
	ck_assert_int_eq(fake_at(BASE)->policy, MPOL_DEFAULT);
	ck_assert_int_eq(bm_policy_get(&fake_sys, 0, &policy), -EFAULT);
	ck_assert_int_lt(bm_policy_prefer(&fake_sys, BASE, BASE + 4096, BM_NODES_MAX - 1, 0), 0);
	policy.mode = MPOL_BIND;
	ck_assert_int_eq(bm_policy_restorable(&policy), 0);
	policy.mode = MPOL_PREFERRED | MPOL_F_STATIC_NODES;
	ck_assert_int_eq(bm_policy_restorable(&policy), 0);
	policy.mode = MPOL_INTERLEAVE;
	ck_assert_int_eq(bm_policy_restorable(&policy), 1);
	fake_end();
}
END_TEST

static const TTest *const *const tests[] = {&small_texts,
					    &numbers,
					    &long_texts,
					    &long_texts_and_faults,
					    &maps_are_parsed,
					    &odd_maps,
					    &page_sizes_of_mappings,
					    &pagemap_by_scan,
					    &pagemap_by_reading,
					    &pagemap_of_processes,
					    &policies_come_back,
					    NULL};
const struct report_group files_group = {"files", tests};

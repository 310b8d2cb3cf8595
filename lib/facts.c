/* SPDX-License-Identifier: MIT */
/* facts.c - asks the kernel what it is and what this process may do. */
#include "facts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "error.h"
#include "pagemap.h"

#define THP_ENABLED "/sys/kernel/mm/transparent_hugepage/enabled"
#define HUGE_SIZES  "/sys/kernel/mm/hugepages"
#define UFFD_SYSCTL "/proc/sys/vm/unprivileged_userfaultfd"
#define UFFD_DEVICE "/dev/userfaultfd"
#define BALANCING   "/proc/sys/kernel/numa_balancing"
#define DEMOTION    "/sys/kernel/mm/numa/demotion_enabled"
#define MAX_MAPS    "/proc/sys/vm/max_map_count"
#define CAP_PTRACE  19 /* linux/capability.h */
#define CAP_NICE    23
#define UFFD_API    UINT64_C(0xAA)
#define UFFD_MOVE   (UINT64_C(1) << 16) /* Linux 6.8 */

struct uffd_api {
	uint64_t api, features, ioctls;
};
#define UFFD_API_IOCTL _IOWR(0xAA, 0x3F, struct uffd_api)

static void add(struct bm_info *info, const char *name, const char *value, const char *note)
{
	if (info->fact_count < BM_FACTS_MAX)
		info->facts[info->fact_count++] = (struct bm_fact){name, value, note};
}

static const struct bm_sys *sys_of(const struct bm_info *info)
{
	return info->context->sys;
}

/* The text of a file as a fact, "unknown" when it cannot be read. */
static const char *file_value(struct bm_info *info, const char *path)
{
	char text[256];

	if (bm_sys_text(sys_of(info), path, text, sizeof(text)) <= 0)
		return "unknown";
	return bm_info_text(info, "%s", text);
}

static int has_capability(const struct bm_info *info, unsigned int capability)
{
	char value[32];

	return bm_sys_status(sys_of(info), "CapEff", value, sizeof(value)) &&
	       strtoull(value, NULL, 16) >> capability & 1;
}

static const char *yes_no(int value)
{
	return value ? "yes" : "no";
}

static void add_capabilities(struct bm_info *info)
{
	add(info, "CAP_SYS_NICE", yes_no(has_capability(info, CAP_NICE)),
	    "BM_MOVE_ALL needs it: pages shared with other processes");
	add(info, "CAP_SYS_PTRACE", yes_no(has_capability(info, CAP_PTRACE)),
	    "lets one reach processes of other users, and a full userfaultfd");
}

static void add_seccomp(struct bm_info *info)
{
	static const char *const modes[] = {"off", "strict", "filter"};
	char value[8];
	unsigned long mode = 0;

	if (bm_sys_status(sys_of(info), "Seccomp", value, sizeof(value)))
		mode = strtoul(value, NULL, 10);
	add(info, "seccomp", mode < 3 ? modes[mode] : "unknown",
	    mode ? "a filter may forbid move_pages, mbind and userfaultfd" : "");
}

static void add_userfaultfd(struct bm_info *info)
{
	const struct bm_sys *sys = sys_of(info);
	struct uffd_api api = {.api = UFFD_API};
	long fd = sys->userfaultfd(O_CLOEXEC | O_NONBLOCK);
	const char *who = "full, for this process";
	int device = sys->access(UFFD_DEVICE, R_OK | W_OK) == 0;

	if (fd < 0 && !device) {
		fd = sys->userfaultfd(O_CLOEXEC | O_NONBLOCK | 1 /* UFFD_USER_MODE_ONLY */);
		who = fd < 0 ? bm_info_text(info, "no: %s", bm_error_text((int)fd))
			     : "user mode only";
	} else if (fd < 0) {
		who = "full, by " UFFD_DEVICE;
		fd = sys->userfaultfd(O_CLOEXEC | O_NONBLOCK | 1);
	}
	add(info, "userfaultfd", who,
	    "full needs CAP_SYS_PTRACE, vm.unprivileged_userfaultfd=1 or access to " UFFD_DEVICE);
	if (fd >= 0 && sys->ioctl((int)fd, UFFD_API_IOCTL, &api) < 0)
		api.features = 0;
	add(info, "UFFDIO_MOVE", yes_no((api.features & UFFD_MOVE) != 0 && fd >= 0),
	    "Linux >= 6.8, cheap from 6.18 on");
	if (fd >= 0)
		sys->close((int)fd);
}

static void add_pagemap_scan(struct bm_info *info)
{
	struct bm_page_scan scan = {0, info->context->page_size, BM_SCAN_PRESENT, 1};
	struct bm_page_region region;
	int fd = bm_pagemap_open(sys_of(info), 0), works = 0;

	if (fd >= 0) {
		works = bm_pagemap_scan(sys_of(info), fd, &scan, &region, 1) >= 0;
		sys_of(info)->close(fd);
	}
	add(info, "PAGEMAP_SCAN", yes_no(works),
	    works ? "" : "Linux >= 6.7; without it huge pages are found by trying");
}

static int by_number(const void *a, const void *b)
{
	long left = *(const long *)a, right = *(const long *)b;

	return (left > right) - (left < right);
}

static void add_huge_sizes(struct bm_info *info)
{
	char names[1024], text[256] = "";
	ssize_t length = sys_of(info)->list(HUGE_SIZES, names, sizeof(names));
	long kilobytes[16];
	size_t count = 0, used = 0;

	for (ssize_t at = 0; at < length && count < 16; at += (ssize_t)strlen(names + at) + 1)
		count += sscanf(names + at, "hugepages-%ldkB", &kilobytes[count]) == 1;
	qsort(kilobytes, count, sizeof(kilobytes[0]), by_number);
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%ld kB",
					 i ? ", " : "", kilobytes[i]);
	add(info, "hugetlb_sizes", count ? bm_info_text(info, "%s", text) : "none", "");
}

/* Set at boot, else by the kernel's configuration where Debian keeps it. */
static const char *init_on_alloc(struct bm_info *info, const char *release)
{
	char line[2048], path[512];
	const char *value = "unknown", *at;
	char *config = NULL;

	if (bm_sys_text(sys_of(info), "/proc/cmdline", line, sizeof(line)) > 0) {
		at = strstr(line, "init_on_alloc=");
		if (at)
			return yes_no(!strchr("0nN", at[14]) && strncasecmp(at + 14, "of", 2) != 0);
	}
	snprintf(path, sizeof(path), "/boot/config-%s", release);
	if (bm_sys_file(sys_of(info), path, &config) < 0)
		return value;
	value = yes_no(strstr(config, "CONFIG_INIT_ON_ALLOC_DEFAULT_ON=y") != NULL);
	free(config);
	return value;
}

static void add_profile(struct bm_info *info)
{
	const struct bm_context *context = info->context;

	if (context->has_profile)
		add(info, "profile", "used", "what batchmig tune has measured");
	else if (*context->profile_said)
		add(info, "profile", "not used", bm_info_text(info, "%s", context->profile_said));
	else
		add(info, "profile", "none", "measured shortly at first use: see batchmig tune");
}

void bm_facts_fill(struct bm_info *info)
{
	const struct bm_context *context = info->context;
	const char *release = file_value(info, BM_RELEASE_FILE);

	add(info, "release", release, "");
	add(info, "page_size", bm_info_text(info, "%llu", (unsigned long long)context->page_size),
	    "bytes");
	add(info, "huge_page_size",
	    bm_info_text(info, "%llu", (unsigned long long)context->huge_size),
	    "bytes; of a page mapped by one PMD entry, 0 without");
	add(info, "large_folio_size",
	    bm_info_text(info, "%llu", (unsigned long long)context->large_size),
	    "bytes; largest mTHP in use, 0 without");
	add(info, "transparent_hugepage", file_value(info, THP_ENABLED), "");
	add_huge_sizes(info);
	add_pagemap_scan(info);
	add_userfaultfd(info);
	add(info, "init_on_alloc", init_on_alloc(info, release),
	    "yes: the kernel zeroes each target page before it copies");
	add(info, "numa_balancing", file_value(info, BALANCING),
	    "not 0: pages may be moved back to where they are used; BM_BIND prevents it");
	add(info, "demotion", file_value(info, DEMOTION),
	    "true: reclaim may move pages to a slower tier");
	add(info, "max_map_count", file_value(info, MAX_MAPS), "mappings a process may have");
	add_seccomp(info);
	add_capabilities(info);
	add_profile(info);
}

static void add_mover(struct bm_info *info, const char *name, const char *what, long rc)
{
	struct bm_facility *mover = &info->movers[info->mover_count++];

	mover->name = name;
	mover->usable = rc >= 0;
	mover->why = what;
	mover->remedy = "";
	if (rc >= 0)
		return;
	mover->why = bm_info_text(info, "%s(2): %s", name, bm_error_text((int)rc));
	if (rc == -EPERM)
		mover->remedy = "a seccomp profile that allows it; the default ones of "
				"containers do not";
	else
		mover->remedy = "a kernel with CONFIG_NUMA and CONFIG_MIGRATION";
}

/* Why a userfaultfd of this kind cannot be had, and what would help. */
static void explain_swap(const struct bm_info *info, struct bm_facility *swap, int rc)
{
	int seccomp = 0;
	char value[8];

	if (bm_sys_status(sys_of(info), "Seccomp", value, sizeof(value)))
		seccomp = value[0] == '2';
	swap->why = "a userfaultfd could not be opened";
	swap->remedy = "see the error in the log";
	if (rc == -EOPNOTSUPP) {
		swap->why = "UFFDIO_MOVE: not in this kernel";
		swap->remedy = "Linux >= 6.8; 6.18 or newer to be fast with base pages";
	} else if (rc == -ENOSYS && seccomp) {
		swap->why = "userfaultfd(2): refused by a seccomp filter";
		swap->remedy =
			"a seccomp profile that allows userfaultfd, or access to " UFFD_DEVICE;
	} else if (rc == -ENOSYS) {
		swap->why = "userfaultfd(2): not in this kernel, or not on this architecture";
		swap->remedy = "a kernel with CONFIG_USERFAULTFD, on x86-64 or arm64";
	} else if (rc == -EPERM) {
		swap->why = seccomp ? "userfaultfd(2): refused, by privilege or a seccomp filter"
				    : "userfaultfd(2): not for this user";
		swap->remedy = "sysctl vm.unprivileged_userfaultfd=1, or CAP_SYS_PTRACE, or "
			       "read and write access to " UFFD_DEVICE
			       " (udev rule in the documentation), or the option quiet=strict";
	} else if (rc == -EMFILE || rc == -ENFILE) {
		swap->why = "no descriptor is free for a userfaultfd";
		swap->remedy = "a higher RLIMIT_NOFILE";
	}
}

static void add_swap(struct bm_info *info)
{
	struct bm_facility *swap = &info->movers[info->mover_count++];
	const struct bm_context *context = info->context;
	struct bm_uffd_wish wish = {.sys = context->sys,
				    .page_size = context->page_size,
				    .huge_size = context->huge_size,
				    .strict = context->config.value[BM_OPTION_QUIET] ==
					      BM_QUIET_STRICT};
	int rc = bm_uffd_probe(&wish);

	*swap = (struct bm_facility){
		"swap", rc == 0,
		"private anonymous memory of the own process, under the quiet promise", ""};
	if (rc < 0)
		explain_swap(info, swap, rc);
}

void bm_facts_movers(struct bm_info *info)
{
	const struct bm_sys *sys = sys_of(info);

	/* Calls that do nothing but pass the filters and the checks. */
	add_mover(info, "move_pages", "any pages, own and other processes",
		  sys->move_pages(0, 0, NULL, NULL, NULL, 0));
	add_mover(info, "mbind", "runs of private anonymous memory of the own process",
		  sys->mbind(0, 0, MPOL_DEFAULT, NULL, 0, 0));
	add_swap(info);
}

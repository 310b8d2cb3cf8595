/* SPDX-License-Identifier: MIT */
/* fake_mm.c - move_pages(2), mbind(2) and get_mempolicy(2) as Linux does them. */
#include "fake.h"

#include <linux/mempolicy.h>
#include <sys/mman.h>

/* Pages of one target that wait to be migrated together. */
struct list {
	struct fake_page **heads;
	size_t count;
	size_t start; /* first entry of the caller in it */
	int node;     /* -1: none */
};

static int take_room(int node, struct fake_page *head, uint32_t pages)
{
	if (fake.room[node] < pages || (pages > 1 && fake.no_huge))
		return 0;
	fake.room[node] -= pages;
	fake.room[head->node] += pages;
	for (uint32_t i = 0; i < pages; i++)
		head[i].node = node;
	fake.migrated += pages;
	return 1;
}

/* A huge page for which there is none on the target is split and moves in parts. */
static int migrate_folio(struct fake_page *head, int node)
{
	uint32_t pages = head->length;

	if (head->pinned) {
		head->pinned -= head->pinned > 0;
		return 1;
	}
	if (take_room(node, head, pages))
		return 0;
	if (pages == 1)
		return -ENOMEM;
	fake_split(head);
	for (uint32_t i = 0; i < pages; i++) {
		if (!take_room(node, head + i, 1))
			return -ENOMEM;
	}
	return 0;
}

/* The number of folios that did not move, or -ENOMEM; the list is empty afterwards. */
static long migrate(struct list *list)
{
	long failed = 0, rc = 0;

	for (size_t i = 0; i < list->count && rc >= 0; i++) {
		rc = migrate_folio(list->heads[i], list->node);
		failed += rc > 0;
	}
	for (size_t i = 0; i < list->count; i++)
		list->heads[i]->isolated = 0;
	list->count = 0;
	return rc < 0 ? rc : failed;
}

static long flush(struct list *list, int *status, size_t at, size_t count)
{
	long rc;

	if (list->count == 0)
		return 0;
	rc = migrate(list);
	if (rc > 0)
		rc += (long)(count - at);
	for (size_t i = list->start; rc == 0 && i < at; i++)
		status[i] = list->node;
	return rc;
}

/* Where move_pages(2) says that a page is. */
static int node_seen(uint64_t addr)
{
	struct fake_page *page = fake_at(addr);

	if (page && fake_head(page)->passing) {
		fake_head(page)->passing &= 2;
		return -ENOENT;
	}
	return fake.old && page && page->hinted && fake_node(addr) >= 0 ? -ENOENT : fake_node(addr);
}

/* 1 when queued, 0 when on the target, or -errno. */
static int add(uint64_t addr, struct list *list, int all)
{
	struct fake_page *page = fake_at(addr), *head;
	int node = node_seen(addr);

	if (node < 0)
		return node;
	if (node == list->node)
		return 0;
	head = fake_head(page);
	if (head->shared && !all)
		return -EACCES;
	if (head->stuck || head->isolated)
		return -EBUSY;
	head->isolated = 1;
	list->heads[list->count++] = head;
	return 1;
}

static int check_node(int node)
{
	if (node < 0 || node >= FAKE_NODES || !(fake.memory >> node & 1))
		return -ENODEV;
	return fake.allowed >> node & 1 ? 0 : -EACCES;
}

static long move(size_t count, void *const *pages, const int *nodes, int *status, int all,
		 struct list *list)
{
	long rc = 0, last;
	size_t i;

	for (i = 0; i < count; i++) {
		rc = check_node(nodes[i]);
		if (rc < 0)
			break;
		if (list->node >= 0 && nodes[i] != list->node) {
			rc = flush(list, status, i, count);
			if (rc)
				return rc;
			list->node = -1;
		}
		if (list->node < 0) {
			list->node = nodes[i];
			list->start = i;
		}
		rc = add((uint64_t)(uintptr_t)pages[i], list, all);
		if (rc > 0) {
			rc = 0;
			continue;
		}
		status[i] = rc < 0 ? (int)rc : list->node;
		rc = flush(list, status, i, count);
		if (rc)
			return rc > 0 ? rc - 1 : rc;
		list->node = -1;
	}
	last = flush(list, status, i, count);
	return rc < 0 ? rc : last;
}

static long query(size_t count, void *const *pages, int *status)
{
	fake.asked += count;
	for (size_t i = 0; i < count; i++)
		status[i] = node_seen((uint64_t)(uintptr_t)pages[i]);
	return 0;
}

static long move_pages_locked(pid_t pid, size_t count, void *const *pages, const int *nodes,
			      int *status, int flags)
{
	enum fake_call call = nodes ? FAKE_MOVE : FAKE_QUERY;
	struct list list = {.node = -1};
	long rc;

	if (fake_fails(call))
		return fake.fail_error;
	if (fake.refuse)
		return fake.refuse;
	if (flags & ~(MPOL_MF_MOVE | MPOL_MF_MOVE_ALL))
		return -EINVAL;
	if (flags & MPOL_MF_MOVE_ALL && !fake.capable)
		return -EPERM;
	if (pid != 0 && pid != fake.pid && pid != fake.other)
		return -ESRCH;
	if (fake.gone_from && ++fake.kernel_seen >= fake.gone_from)
		return -ESRCH;
	if (call == FAKE_QUERY)
		return query(count, pages, status);
	list.heads = malloc((count + 1) * sizeof(*list.heads));
	if (!list.heads)
		abort();
	rc = move(count, pages, nodes, status, (flags & MPOL_MF_MOVE_ALL) != 0, &list);
	free(list.heads);
	return rc;
}

long fake_move_pages(pid_t pid, size_t count, void *const *pages, const int *nodes, int *status,
		     int flags)
{
	enum fake_call call = nodes ? FAKE_MOVE : FAKE_QUERY;
	long rc;

	fake_lock(call);
	rc = move_pages_locked(pid, count, pages, nodes, status, flags);
	fake_unlock();
	return rc;
}

int fake_msync(uint64_t addr, size_t length, int flags)
{
	int rc = flags == MS_ASYNC ? 0 : -EINVAL;

	fake_lock(FAKE_MSYNC);
	for (uint64_t at = addr; rc == 0 && at < addr + length; at += fake.page_size)
		rc = fake_at(at) ? 0 : -ENOMEM;
	if (fake_fails(FAKE_MSYNC))
		rc = fake.fail_error;
	fake_unlock();
	return rc;
}

int fake_mincore(uint64_t addr, size_t length, unsigned char *resident)
{
	int rc = 0;

	fake_lock(FAKE_MINCORE);
	if (fake_fails(FAKE_MINCORE))
		rc = fake.fail_error;
	for (uint64_t at = addr; rc == 0 && at < addr + length; at += fake.page_size) {
		const struct fake_page *page = fake_at(at);

		rc = page ? 0 : -ENOMEM;
		*resident++ = page && page->present && !page->swapped;
	}
	fake_unlock();
	return rc;
}

static ssize_t readv_locked(pid_t pid, size_t room, const struct iovec *remote, size_t count)
{
	ssize_t got = 0;

	if (fake_fails(FAKE_READV))
		return fake.fail_error;
	if (pid != fake.pid && pid != fake.other)
		return -ESRCH;
	for (size_t i = 0; i < count && (size_t)got < room; i++) {
		struct fake_page *page = fake_at((uint64_t)(uintptr_t)remote[i].iov_base);

		if (!page || page->sealed || !page->present || page->poisoned)
			return got ? got : -EFAULT;
		page->hinted = 0;
		fake_head(page)->passing = 0;
		got += (ssize_t)remote[i].iov_len;
	}
	return got;
}

ssize_t fake_vm_readv(pid_t pid, const struct iovec *local, const struct iovec *remote,
		      size_t count)
{
	ssize_t got;

	fake_lock(FAKE_READV);
	got = readv_locked(pid, local->iov_len, remote, count);
	fake_unlock();
	return got;
}

/* Only of MPOL_PREFERRED the node is kept: the first of the mask. */
static int first_node(const unsigned long *mask)
{
	return mask && mask[0] ? __builtin_ctzl(mask[0]) : -1;
}

static void split_mapping(uint64_t addr)
{
	struct fake_page *page = fake_at(addr), *head = page ? fake_head(page) : NULL;

	/* A policy on a part of a huge page: PTEs map it from now on. */
	for (uint32_t i = 0; page && page->back && i < head->length; i++)
		head[i].pmd = 0;
}

static void mbind_page(uint64_t addr, int mode, int node, unsigned int flags, int first)
{
	struct fake_page *page = fake_at(addr), *head = fake_head(page);

	page->policy = mode;
	page->policy_node = node;
	if (!(flags & (MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)) || fake_node(addr) < 0 ||
	    page->node == node || head->stuck || (page->back && !first))
		return;
	if (head->shared && !(flags & MPOL_MF_MOVE_ALL))
		return;
	/* Preferred is not strict: any node that has room. */
	for (int other = 0; migrate_folio(head, node) == -ENOMEM && other < FAKE_NODES; other++)
		node = other;
}

static long mbind_locked(uint64_t addr, size_t length, int mode, const unsigned long *mask,
			 unsigned int flags)
{
	int node = first_node(mask);
	uint64_t end = addr + ((length + fake.page_size - 1) & ~(fake.page_size - 1));

	if (fake_fails(FAKE_MBIND))
		return fake.fail_error;
	if (addr % fake.page_size || (mode != MPOL_DEFAULT && mode != MPOL_LOCAL && node < 0))
		return -EINVAL;
	if (flags & MPOL_MF_MOVE_ALL && !fake.capable)
		return -EPERM;
	if (mode == MPOL_PREFERRED && check_node(node) < 0)
		return -EINVAL;
	for (uint64_t at = addr; at < end; at += fake.page_size) {
		if (!fake_at(at))
			return -EFAULT;
	}
	split_mapping(addr);
	split_mapping(end);
	for (uint64_t at = addr; at < end; at += fake.page_size)
		mbind_page(at, mode, node, flags, at == addr);
	return 0;
}

long fake_mbind(uint64_t addr, size_t length, int mode, const unsigned long *mask,
		unsigned long maxnode, unsigned int flags)
{
	long rc;

	(void)maxnode;
	fake_lock(FAKE_MBIND);
	rc = mbind_locked(addr, length, mode, mask, flags);
	fake_unlock();
	return rc;
}

long fake_get_mempolicy(int *mode, unsigned long *mask, unsigned long maxnode, uint64_t addr,
			unsigned long flags)
{
	const struct fake_page *page;
	long rc = 0;

	fake_lock(FAKE_POLICY);
	page = fake_at(addr);
	if (fake_fails(FAKE_POLICY))
		rc = fake.fail_error;
	else if (!page)
		rc = -EFAULT;
	else if (maxnode <= FAKE_NODES || flags != MPOL_F_ADDR)
		rc = -EINVAL;
	if (rc == 0) {
		*mode = page->policy;
		mask[0] = page->policy && page->policy_node >= 0 ? 1ul << page->policy_node : 0;
	}
	fake_unlock();
	return rc;
}

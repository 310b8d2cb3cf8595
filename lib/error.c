/* SPDX-License-Identifier: MIT */
/* error.c - what an errno and a reason mean, in words; and from one to the other. */
#include "error.h"

#include <errno.h>
#include <stddef.h>

#define STRINGIFY(x)          #x
#define VERSION_TEXT(a, b, c) STRINGIFY(a) "." STRINGIFY(b) "." STRINGIFY(c)
#define COUNT_OF(a)           (sizeof(a) / sizeof((a)[0]))

const char *bm_version(void)
{
	return VERSION_TEXT(BM_VERSION_MAJOR, BM_VERSION_MINOR, BM_VERSION_PATCH);
}

static const struct {
	int error;
	const char *text;
} errors[] = {
	{0, "no error"},
	{ENOENT, "no page there: never touched, or swapped out"},
	{EFAULT, "not mapped, the zero page, or a mapping the kernel does not migrate"},
	{EACCES, "shared with another process, outside the cpuset, or /proc not readable"},
	{EBUSY, "in use in a way that forbids to move it: pinned, or under I/O"},
	{ENOMEM, "no free page on the target node, or no memory for the library"},
	{ENODEV, "no such node with memory, or no such backend on this machine"},
	{EPERM, "refused: missing privilege, or a seccomp filter"},
	{EIO, "the kernel could not migrate it"},
	{EHWPOISON, "the page's memory is broken"},
	{ESRCH, "no such process, or it has no memory"},
	{EINVAL, "an argument, option or flag has a value that is not allowed"},
	{E2BIG, "more than can be handled: entries, runs to bind, or a newer struct"},
	{ENOSYS, "the kernel was built without page migration"},
	{ESTALE, "the handle is from before a fork"},
	{ETIMEDOUT, "not complete within the given time"},
	{EMFILE, "too many open files in this process"},
	{ENFILE, "too many open files in the system"},
	{EAGAIN, "not now; trying again may help"},
	{ECANCELED, "not tried: the batch was cancelled before"},
	{ETIME, "not tried: it would be out of reach for longer than max_stall_us"},
	{EDEADLK, "in a callback nothing can wait for another batch of the context"},
	{ESHUTDOWN, "the context is being freed"},
	{EBADF, "event_fd is not open, or no eventfd"},
};

const char *bm_error_text(int error)
{
	unsigned int value = error < 0 ? 0u - (unsigned int)error : (unsigned int)error;

	for (size_t i = 0; i < COUNT_OF(errors); i++) {
		if ((unsigned int)errors[i].error == value)
			return errors[i].text;
	}
	return "an error of the kernel";
}

static const struct {
	const char *name;
	const char *text;
} reasons[BM_REASON_COUNT] = {
	[BM_REASON_NONE] = {"moved", "moved as asked"},
	[BM_REASON_ALREADY] = {"already", "was on its target before"},
	[BM_REASON_ABSENT] = {"absent", "never touched, or swapped out"},
	[BM_REASON_UNMAPPED] = {"unmapped", "not mapped, the zero page, or a special mapping"},
	[BM_REASON_SHARED] = {"shared", "mapped by others too, and BM_MOVE_ALL was not given"},
	[BM_REASON_BUSY] = {"busy", "pinned or under I/O, also after all retries"},
	[BM_REASON_TARGET_FULL] = {"target-full", "the target node has no free page"},
	[BM_REASON_NO_NODE] = {"no-node", "the target is no node with memory"},
	[BM_REASON_CPUSET] = {"cpuset", "the target is outside the process's cpuset"},
	[BM_REASON_REFUSED] = {"refused", "the kernel refused the call: privilege or seccomp"},
	[BM_REASON_CONTRADICTED] = {"contradicted", "another entry asked for another node"},
	[BM_REASON_MOVED_AWAY] = {"moved-away", "reached its target, then was moved on"},
	[BM_REASON_NO_BIND] = {"no-bind", "moved, but its range could not be bound"},
	[BM_REASON_POISONED] = {"poisoned", "the page's memory is broken"},
	[BM_REASON_GONE] = {"gone", "the process ended"},
	[BM_REASON_OTHER] = {"other", "the kernel gave another error"},
	[BM_REASON_NO_PROMISE] = {"no-promise", "swap was named without the quiet promise"},
	[BM_REASON_NO_PRIVILEGE] = {"no-privilege", "no userfaultfd for this process"},
	[BM_REASON_OLD_KERNEL] = {"old-kernel", "swap needs UFFDIO_MOVE, Linux 6.8"},
	[BM_REASON_FOREIGN] = {"foreign", "page of another process"},
	[BM_REASON_PINNED] = {"pinned", "pinned for DMA, or unwritten since a child went away"},
	[BM_REASON_COW_SHARED] = {"cow-shared",
				  "shared with a forked child, perhaps merged by KSM"},
	[BM_REASON_FILE] = {"file", "of a file, or shared memory"},
	[BM_REASON_HUGETLB] = {"hugetlb", "of hugetlbfs"},
	[BM_REASON_LARGE_FOLIO] = {"large-folio", "may be of a large folio that swap would split"},
	[BM_REASON_READ_ONLY] = {"read-only", "its mapping is not both readable and writable"},
	[BM_REASON_LOCKED] = {"locked", "locked in memory, and the pool could not be locked"},
	[BM_REASON_OTHER_UFFD] = {"other-uffd", "its mapping has another userfaultfd"},
	[BM_REASON_OWN_MEMORY] = {"own-memory", "of the library, or a stack of a migrating thread"},
	[BM_REASON_NO_POOL] = {"no-pool", "the pool had no page of the target and got none"},
	[BM_REASON_CHEAPER] = {"cheaper", "the kernel was expected to be faster"},
	[BM_REASON_CHANGED] = {"changed", "unmapped, remapped, locked or protected meanwhile"},
	[BM_REASON_NO_MAPS] = {"no-maps", "could not be registered: vm.max_map_count"},
	[BM_REASON_BACKEND] = {"backend", "the backend did not copy it"},
	[BM_REASON_CANCELED] = {"canceled", "not tried: the batch was cancelled before"},
	[BM_REASON_BOUND] = {"bound", "would be out of reach for longer than max_stall_us"},
	[BM_REASON_KSM] = {"ksm", "merged with other pages by KSM"},
};

const char *bm_reason_name(int reason)
{
	return reason >= 0 && reason < BM_REASON_COUNT ? reasons[reason].name : "unknown";
}

const char *bm_reason_text(int reason)
{
	return reason >= 0 && reason < BM_REASON_COUNT ? reasons[reason].text : "unknown";
}

enum bm_reason bm_reason_of(int status)
{
	switch (status) {
	case -ENOENT:
		return BM_REASON_ABSENT;
	case -EFAULT:
		return BM_REASON_UNMAPPED;
	case -EACCES:
		return BM_REASON_SHARED;
	case -EBUSY:
	case -EAGAIN:
		return BM_REASON_BUSY;
	case -ENOMEM:
		return BM_REASON_TARGET_FULL;
	case -ENODEV:
		return BM_REASON_NO_NODE;
	case -EPERM:
		return BM_REASON_REFUSED;
	case -EHWPOISON:
		return BM_REASON_POISONED;
	case -ESRCH:
		return BM_REASON_GONE;
	case -ECANCELED:
		return BM_REASON_CANCELED;
	case -ETIME:
		return BM_REASON_BOUND;
	default:
		return BM_REASON_OTHER;
	}
}

int bm_error_transient(int error)
{
	return error == -EBUSY || error == -EAGAIN || error == -ENOMEM;
}

int bm_error_passes(int error)
{
	return error == -ENOMEM || error == -EMFILE || error == -ENFILE || error == -EAGAIN;
}

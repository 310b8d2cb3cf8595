/* SPDX-License-Identifier: MIT */
/*
 * lease.h - which mappings are registered, and by how many windows.
 *
 * A mapping is registered whole: a part of it would be a mapping of its own
 * for that time, and mremap(2) of the application across its ends would fail,
 * from Linux 6.17 on after it has moved the first half. The last window on a
 * mapping unregisters it. First touches outside of windows are served by the
 * reader meanwhile.
 */
#ifndef BM_LEASE_H
#define BM_LEASE_H

#include "uffd.h"
#include "uffd_abi.h"

/*
 * Registers the mapping that holds [start, end); where the kernel does not
 * tell its bounds (before Linux 6.11) they are [low, high). A lease, or -errno
 * of the registration: -EBUSY, -EINVAL, -ENOMEM; -ESTALE. *whole is 0 after an
 * mremap(2) of the application between the question for the bounds and REGISTER:
 * a part of a mapping may be registered, and the lease is to be ended.
 */
struct bm_lease_wish {
	uint64_t start, end;
	uint64_t low, high;
};
int bm_lease_take(struct bm_uffd *uffd, const struct bm_lease_wish *wish, int *whole);

/* Wakes all who wait there; not inside the gate. */
void bm_lease_wake(struct bm_uffd *uffd, uint64_t start, uint64_t end);

/* Wakes all who wait in [start, end). */
void bm_lease_end(struct bm_uffd *uffd, int lease, uint64_t start, uint64_t end);

/* Pages of a window have ended up in a mapping at [start, end): unregisters that. */
void bm_lease_end_moved(struct bm_uffd *uffd, uint64_t start, uint64_t end);
/*
 * The same where no window knows of it; by the reader, with the gate open.
 * -EAGAIN: not while the application changes mappings; *stray is what is to be
 * tried again.
 */
int bm_lease_end_stray(struct bm_uffd *uffd, struct bm_uffd_range *stray);

#endif

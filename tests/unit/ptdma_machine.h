/* SPDX-License-Identifier: MIT */
/* ptdma_machine.h - a machine with a software PTDMA and an AE4DMA, for the tests of it. */
#ifndef UNIT_PTDMA_MACHINE_H
#define UNIT_PTDMA_MACHINE_H

#include <sys/types.h>

#include "models/ptdma_sys.h"

#define UIO_BLOCK (2u << 20)
#define VFIO_BOTH (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)

struct uio {
	struct bm_sys sys;
	struct ptdma *ptdma;
	char *memory; /* two blocks, aligned, with pages */
	void *mapped;
	int pagemap, pinner;
};

/* A function in use: as a driver would have it. */
struct vfio {
	struct bm_sys sys;
	struct ptdma *ptdma;
	int container, group, device;
	char *memory; /* 64 pages */
};

void uio_use(struct uio *uio, struct ptdma_sys_how how);
void uio_end(struct uio *uio);
struct ptdma_sys_held machine_held(void);
/* That the page map tells of this page. */
uint64_t uio_frame(const struct uio *uio, const void *at);
int uio_pin(const struct uio *uio, int pinner, void *at, size_t length);
void vfio_use(struct vfio *vfio, struct ptdma_sys_how how);
int vfio_control(const struct vfio *vfio, int fd, unsigned long request, void *arg);
/* What is an argument by itself. */
void *vfio_number(long value);
/* The first function is open then, with an IOMMU. */
void vfio_attach(struct vfio *vfio, struct ptdma_sys_how how);
void vfio_detach(struct vfio *vfio);
int vfio_map(const struct vfio *vfio, uint64_t iova, const void *at, size_t size);
/* Bytes, or -errno. */
int64_t vfio_unmap(const struct vfio *vfio, uint64_t iova, size_t size);

#endif

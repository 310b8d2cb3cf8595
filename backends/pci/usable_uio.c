/* SPDX-License-Identifier: MIT */
/* usable_uio.c - what must be so that raw frames are safe bus addresses, and can be had. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "pins.h"
#include "usable.h"

#define LOCKDOWN "/sys/kernel/security/lockdown"

/* ---------------------------------------------------------------- safe */

/* A word of a text in which words stand between white space. */
static int has_word(const char *text, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
		if ((at == text || strchr(" \t\n", at[-1])) && strchr(" \t\n", at[length]))
			return 1;
	return 0;
}

/* The flags of the first CPU in `text`, which is cut off behind them; "" without. */
static const char *flags_of(char *text)
{
	char *flags = strstr(text, "\nflags");

	if (!flags)
		return "";
	flags[1 + strcspn(flags + 1, "\n")] = '\0';
	return flags + 1;
}

/* The last one counts. */
static int is_asked_for(const struct bm_sys *sys)
{
	char *text = NULL;
	int on = 0;

	if (bm_sys_file(sys, "/proc/cmdline", &text) < 0)
		return 0;
	for (const char *at = text; at; at = strchr(at, ' ')) {
		at += strspn(at, " ");
		if (strncmp(at, "mem_encrypt=", 12) == 0)
			on = strncmp(at + 12, "on", 2) == 0;
	}
	free(text);
	return on;
}

/*
 * On a host the kernel shows sme where the firmware has turned it on, and uses it when
 * asked to; sev there only tells that guests could have it. In a guest it has it.
 */
static int is_encrypted(const struct bm_sys *sys)
{
	const char *flags;
	char *text = NULL;
	int is;

	if (bm_sys_file(sys, "/proc/cpuinfo", &text) < 0)
		return 0;
	flags = flags_of(text);
	is = (has_word(flags, "sme") && is_asked_for(sys)) ||
	     (has_word(flags, "hypervisor") && has_word(flags, "sev")) ||
	     has_word(flags, "tdx_guest");
	free(text);
	return is;
}

/* The type of a group changes only while no function in it has a driver. */
static int tell_group(const struct bm_pci_verdict *verdict)
{
	const struct bm_pci_found *found = verdict->found;

	if (!found->group_type[0]) {
		bm_pci_why(verdict,
			   "whether its IOMMU group %d translates addresses cannot be told",
			   found->group);
		bm_pci_remedy(verdict, "boot Linux 5.11 or later with iommu=pt");
		return -ENOTSUP;
	}
	bm_pci_why(verdict, "its IOMMU group %d has the type %s, not identity", found->group,
		   found->group_type);
	if (*found->driver)
		bm_pci_remedy(verdict,
			      "echo %s > " BM_PCI_DEVICES "/%s/driver/unbind && "
			      "echo identity > /sys/kernel/iommu_groups/%d/type",
			      found->address, found->address, found->group);
	else
		bm_pci_remedy(verdict, "echo identity > /sys/kernel/iommu_groups/%d/type",
			      found->group);
	return -EPERM;
}

int bm_pci_uio_is_safe(const struct bm_pci_verdict *verdict)
{
	if (is_encrypted(verdict->sys)) {
		bm_pci_why(verdict, "memory is encrypted: by uio the function would copy what "
				    "the CPU cannot read");
		bm_pci_remedy(verdict, "use it by vfio, or boot Linux with mem_encrypt=off");
		return -ENOTSUP;
	}
	if (verdict->found->group >= 0 && strcmp(verdict->found->group_type, "identity") != 0)
		return tell_group(verdict);
	return 0;
}

/* ---------------------------------------------------------------- allowed */

/* "[none] integrity confidentiality": the one in brackets. */
static int is_locked_down(const struct bm_sys *sys)
{
	char text[128];

	return bm_sys_text(sys, LOCKDOWN, text, sizeof(text)) > 0 && strchr(text, '[') &&
	       !strstr(text, "[none]");
}

/* Of a page of our own: any other one may be out of reach just now. */
static int read_frame(const struct bm_sys *sys, int pagemap, size_t page_size)
{
	struct bm_pci_space space = {.sys = sys, .fd = pagemap, .page_size = page_size};
	uint64_t addr, frame;
	int rc = sys->map(page_size, 1, &addr);

	if (rc < 0)
		return rc;
	*(volatile unsigned char *)(uintptr_t)addr = 0;
	rc = bm_pci_frames(&space, addr, &frame, 1);
	sys->unmap(addr, page_size);
	return rc;
}

static int sees_frames(const struct bm_sys *sys)
{
	int fd = sys->open(BM_PCI_PAGEMAP, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return 0;
	rc = read_frame(sys, fd, (size_t)sys->page_size());
	sys->close(fd);
	return rc == 0;
}

static int can_pin(const struct bm_pci_verdict *verdict)
{
	int fd = verdict->sys->pinner();

	if (fd >= 0) {
		verdict->sys->close(fd);
		return 0;
	}
	bm_pci_why(verdict, "pages cannot be pinned: io_uring is not allowed (error %d)", -fd);
	bm_pci_remedy(verdict, "sysctl kernel.io_uring_disabled=0");
	return fd;
}

int bm_pci_uio_can(const struct bm_pci_verdict *verdict)
{
	if (is_locked_down(verdict->sys)) {
		bm_pci_why(verdict, "Linux is locked down: configuration space cannot be written");
		bm_pci_remedy(verdict,
			      "use it by vfio, or boot without lockdown (Secure Boot off)");
		return -EPERM;
	}
	if (!sees_frames(verdict->sys)) {
		bm_pci_why(verdict, BM_PCI_PAGEMAP " tells no frames: that takes CAP_SYS_ADMIN");
		bm_pci_remedy(verdict, "run as root, or use it by vfio");
		return -EPERM;
	}
	return can_pin(verdict);
}

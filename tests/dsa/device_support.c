/* SPDX-License-Identifier: MIT */
/* device_support.c - begins and ends processes of dsa_cuse, and writes their files in sysfs. */
#include "device_support.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEVICES_MOST   4
#define ARGUMENTS_MOST 24
#define BEGIN_MS       20000
#define END_MS         20000
#define TREE           "/sys/bus/dsa"

static struct device {
	char name[16];
	pid_t pid;
} devices[DEVICES_MOST];

uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct device *find(const char *name)
{
	for (size_t i = 0; i < DEVICES_MOST; i++)
		if (devices[i].pid && strcmp(devices[i].name, name) == 0)
			return &devices[i];
	return NULL;
}

static struct device *find_free(void)
{
	for (size_t i = 0; i < DEVICES_MOST; i++)
		if (!devices[i].pid)
			return &devices[i];
	ck_abort_msg("too many devices");
}

static void counts_file(const char *name, char *path, size_t size)
{
	snprintf(path, size, "/tmp/dsa-counts-%s", name);
}

static int is_there(const char *name)
{
	char path[64];
	struct stat seen;

	snprintf(path, sizeof(path), "/dev/dsa/%s", name);
	return stat(path, &seen) == 0 && S_ISCHR(seen.st_mode);
}

static void wait_until(const char *name, int there, unsigned int limit_ms)
{
	uint64_t limit = now_ms() + limit_ms;

	while (is_there(name) != there) {
		ck_assert_msg(now_ms() < limit, "/dev/dsa/%s: %s", name,
			      there ? "does not appear" : "stays");
		usleep(1000);
	}
}

static void run_server(char **arguments)
{
	/* Its parent is this very thread: it does not outlive the tests. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execv(arguments[0], arguments);
	_exit(127);
}

void device_begin(const char *name, ...)
{
	char *arguments[ARGUMENTS_MOST + 1] = {(char[]){DSA_CUSE}};
	char counts[64] = "--counts=", path[64], *text;
	struct device *device;
	size_t count = 1;
	va_list given;

	if (find(name))
		device_kill(name);
	device = find_free();
	counts_file(name, path, sizeof(path));
	unlink(path);
	strcat(counts, path);
	arguments[count++] = counts;
	va_start(given, name);
	while (count < ARGUMENTS_MOST - 1 && (text = va_arg(given, char *)))
		arguments[count++] = text;
	va_end(given);
	snprintf(device->name, sizeof(device->name), "%s", name);
	arguments[count] = device->name;
	device->pid = fork();
	ck_assert_int_ge(device->pid, 0);
	if (device->pid == 0)
		run_server(arguments);
	wait_until(name, 1, BEGIN_MS);
}

static void reap(struct device *device, int with)
{
	uint64_t limit = now_ms() + END_MS;
	int status;

	kill(device->pid, with);
	while (waitpid(device->pid, &status, WNOHANG) == 0) {
		if (now_ms() > limit) {
			kill(device->pid, SIGKILL);
			waitpid(device->pid, &status, 0);
			device->pid = 0;
			ck_abort_msg("the device %s does not end", device->name);
		}
		usleep(1000);
	}
	device->pid = 0;
	wait_until(device->name, 0, END_MS);
	ck_assert(with == SIGKILL || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
}

void device_end(const char *name)
{
	struct device *device = find(name);

	ck_assert_ptr_nonnull(device);
	reap(device, SIGTERM);
}

void device_kill(const char *name)
{
	struct device *device = find(name);

	ck_assert_ptr_nonnull(device);
	reap(device, SIGKILL);
}

void device_end_all(void)
{
	for (size_t i = 0; i < DEVICES_MOST; i++)
		if (devices[i].pid) {
			kill(devices[i].pid, SIGKILL);
			waitpid(devices[i].pid, NULL, 0);
		}
}

unsigned long device_count(const char *name, const char *what)
{
	char path[64], line[1024] = "", wanted[32];
	const char *at;
	FILE *file;

	counts_file(name, path, sizeof(path));
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), file));
	fclose(file);
	snprintf(wanted, sizeof(wanted), "%s=", what);
	at = strstr(line, wanted);
	while (at && at > line && at[-1] != ' ')
		at = strstr(at + 1, wanted);
	ck_assert_msg(at != NULL, "%s is not counted", what);
	return strtoul(at + strlen(wanted), NULL, 10);
}

/* ---------------------------------------------------------------- sysfs */

static void make_folder(const char *path)
{
	ck_assert_msg(mkdir(path, 0755) == 0 || errno == EEXIST, "%s: %s", path, strerror(errno));
}

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[160];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	fprintf(file, "%s\n", text);
	ck_assert_int_eq(fclose(file), 0);
}

static void write_number(const char *folder, const char *name, unsigned int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", number);
	write_file(folder, name, text);
}

static void describe_device(const char *folder)
{
	write_file(folder, "state", "enabled");
	write_file(folder, "version", "0x100");
	write_file(folder, "numa_node", "0");
	write_file(folder, "pasid_enabled", "1");
	write_file(folder, "max_batch_size", "1024");
	write_file(folder, "max_transfer_size", "2147483648");
}

void device_describe(const char *name, const char *mode, unsigned int size)
{
	char folder[96];

	snprintf(folder, sizeof(folder), TREE "/devices/dsa%d", atoi(name + 2));
	make_folder(TREE);
	make_folder(TREE "/devices");
	make_folder(folder);
	describe_device(folder);
	snprintf(folder, sizeof(folder), TREE "/devices/dsa%d/%s", atoi(name + 2), name);
	make_folder(folder);
	write_file(folder, "type", "user");
	write_file(folder, "state", "enabled");
	write_file(folder, "driver_name", "user");
	write_file(folder, "mode", mode);
	write_number(folder, "size", size);
	write_number(folder, "threshold", strcmp(mode, "shared") == 0 ? size : 0);
	write_number(folder, "max_batch_size", 32);
	write_number(folder, "max_transfer_size", 2u << 20);
}

void device_stops(const char *name)
{
	char folder[96];

	snprintf(folder, sizeof(folder), TREE "/devices/dsa%d", atoi(name + 2));
	write_file(folder, "state", "halted");
}

void device_hide(void)
{
	ck_assert_int_eq(system("rm -rf " TREE), 0);
}

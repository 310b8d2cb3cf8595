/* SPDX-License-Identifier: MIT */
/* tune.c - batchmig tune: measures the machine into a profile, and says how to use it. */
#include "tool.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Cut to fit: a name that is too long is refused by the kernel, not here. */
struct path {
	char text[PATH_MAX + 32];
};

/* $XDG_CONFIG_HOME, which counts only where it is absolute, or ~/.config. Returns 0 or EXIT_FAILED. */
static int default_path(struct path *path)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (config && config[0] == '/') {
		snprintf(path->text, sizeof(path->text), "%s/batchmig/profile", config);
	} else if (home && home[0] == '/') {
		snprintf(path->text, sizeof(path->text), "%s/.config/batchmig/profile", home);
	} else {
		complain(
			"tune: neither HOME nor XDG_CONFIG_HOME is an absolute path: say where the "
			"profile is to be with --output FILE");
		return EXIT_FAILED;
	}
	return 0;
}

static int complain_of(const char *path, int error)
{
	complain("tune: %s: %s; another file can be named with --output", path, strerror(error));
	return EXIT_FAILED;
}

/* The folders of a file, as far as they are missing. */
static int make_folders(struct path *path)
{
	for (char *slash = strchr(path->text + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int failed;

		*slash = '\0';
		failed = mkdir(path->text, 0700) < 0 && errno != EEXIST;
		if (failed)
			return complain_of(path->text, errno);
		*slash = '/';
	}
	return 0;
}

/* Measuring takes long: what would keep the file from being written is told before. */
static int check_writable(const struct path *path)
{
	struct path folder = *path;
	char *slash = strrchr(folder.text, '/');
	struct stat found;

	if (slash)
		slash[slash == folder.text] = '\0';
	else
		strcpy(folder.text, ".");
	if (stat(folder.text, &found) < 0 || access(folder.text, W_OK) < 0)
		return complain_of(folder.text, errno);
	if (!S_ISDIR(found.st_mode))
		return complain_of(folder.text, ENOTDIR);
	if (stat(path->text, &found) == 0 && S_ISDIR(found.st_mode))
		return complain_of(path->text, EISDIR);
	return 0;
}

static int choose_path(const struct arguments *arguments, struct path *path)
{
	int rc = 0;

	if (arguments->output)
		snprintf(path->text, sizeof(path->text), "%s", arguments->output);
	else
		rc = default_path(path);
	if (rc == 0 && !arguments->output)
		rc = make_folders(path);
	return rc ? rc : check_writable(path);
}

static void show_line(void *user, int level, const char *line)
{
	(void)user;
	(void)level;
	complain("%s", line);
}

static int open_context(const struct arguments *arguments, struct bm_context **context)
{
	struct bm_options options;

	bm_options_init(&options, sizeof(options));
	options.log_level = arguments->quiet ? "none" : "info";
	options.log = show_line;
	/* What an old profile says must not come into the new one. */
	options.profile = "";
	return bm_context_new(&options, context);
}

/* What keeps the mover swap from working here; NULL: nothing does. */
static const struct bm_facility *find_obstacle(const struct bm_info *info)
{
	const struct bm_facility *mover;

	for (size_t i = 0; (mover = bm_info_mover(info, i)); i++) {
		if (strcmp(mover->name, "swap") == 0)
			return mover->usable ? NULL : mover;
	}
	return NULL;
}

/* The errno alone would not say whether it is the machine or the file. */
static int tell_failure(struct bm_context *context, const char *path, int error)
{
	const struct bm_facility *swap = NULL;
	struct bm_info *info = NULL;

	if (bm_info_new(context, &info) == 0)
		swap = find_obstacle(info);
	if (swap)
		complain("tune measures the mover swap, which is not usable here: %s; what helps: "
			 "%s",
			 swap->why, swap->remedy);
	else if (error == -EOPNOTSUPP || error == -ENOSYS)
		complain("tune: %s: see batchmig info", bm_error_text(error));
	else if (error == -ENOMEM)
		complain("tune: not enough memory: it moves some 64 MiB to and fro, and twice that "
			 "has to be free on each node");
	else
		complain_of(path, -error);
	bm_info_free(info);
	return EXIT_FAILED;
}

/* For a shell: whatever is not plain is quoted. */
static void print_quoted(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "/._-+,:@%";

	if (*text && strspn(text, plain) == strlen(text)) {
		fputs(text, stdout);
		return;
	}
	putchar('\'');
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*text);
	}
	putchar('\'');
}

/* Programs run elsewhere: the name has to be absolute. */
static void print_use(const char *path)
{
	char *absolute = realpath(path, NULL);

	printf("# The profile of this machine is written. Programs use it with:\nexport "
	       "BATCHMIG_PROFILE=");
	print_quoted(absolute ? absolute : path);
	putchar('\n');
	free(absolute);
}

int run_tune(const struct arguments *arguments)
{
	struct bm_context *context;
	struct path path;
	int rc = choose_path(arguments, &path);

	if (rc)
		return rc;
	rc = open_context(arguments, &context);
	if (rc < 0)
		return report_error(arguments, rc);
	rc = bm_tune(context, path.text);
	if (rc < 0)
		rc = tell_failure(context, path.text, rc);
	else
		print_use(path.text);
	bm_context_free(context);
	return rc;
}

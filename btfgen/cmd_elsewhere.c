// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Linked into btfgen in the place of cmd_ingest.c, cmd_crawl.c and cmd_bundle.c. What these need
 * (libarchive, curl and forty libraries behind them) takes longer to start than a kernel takes to
 * minimise, so they live in a program of their own, beside this one and with the same arguments.
 */
#include "cmd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM "btfgen-more"

static int run_elsewhere(const struct options *o)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof(PROGRAM));
	char *slash;

	if (n > 0) {
		path[n] = '\0';
		slash = strrchr(path, '/');
		memcpy(slash + 1, PROGRAM, sizeof(PROGRAM));
		execv(path, o->argv);
	}
	fprintf(stderr, "btfgen: cannot start %s, which belongs beside btfgen: %s\n", PROGRAM,
		strerror(errno));
	return EXIT_FAILED;
}

int cmd_ingest(const struct options *o, char **args, int n)
{
	(void)args;
	(void)n;
	return run_elsewhere(o);
}

int cmd_crawl(const struct options *o, char **args, int n)
{
	(void)args;
	(void)n;
	return run_elsewhere(o);
}

int cmd_bundle(const struct options *o, char **args, int n)
{
	(void)args;
	(void)n;
	return run_elsewhere(o);
}

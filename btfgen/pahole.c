// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "pahole.h"

#include "btfs/archive.h"
#include "btfs/fail.h"
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_WORDS	  4096 /* bytes of what it says */
#define VERSION_TIMEOUT_S 60
#define NOT_FOUND	  127 /* exit status, as shells have it */

struct call {
	int in, out; /* files, or -1 for both: only its version is wanted */
};

/* A descriptor that exec does not close, as a path. */
static int name_fd(int fd, const char *option, char *ret_path, size_t size)
{
	int kept = fcntl(fd, F_DUPFD, 3);

	snprintf(ret_path, size, "%s/proc/self/fd/%d", option, kept);
	return kept < 0;
}

/* In the child: stdin from nowhere, what it says to the parent. */
static int become_pahole(void *ctx, int out)
{
	const struct call *call = ctx;
	char name[] = "pahole", in_path[64] = "--version", out_option[96] = "";
	char *args[] = { name, in_path, NULL, NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (call->in >= 0) {
		args[1] = out_option;
		args[2] = in_path;
		if (name_fd(call->in, "", in_path, sizeof(in_path)) ||
		    name_fd(call->out, "--btf_encode_detached=", out_option, sizeof(out_option)))
			return 1;
	}
	if (null < 0 || dup2(null, 0) < 0 || dup2(call->in < 0 ? out : null, 1) < 0 ||
	    dup2(out, 2) < 0)
		return 1;
	execvp(args[0], args);
	return errno == ENOENT ? NOT_FOUND : 1;
}

/* Runs it; its words, cut to the first line that is not empty, in ret_line. */
static int run(struct call *call, unsigned timeout_s, char ret_line[MAX_WORDS], struct fail *f)
{
	const struct child child = { become_pahole, call, timeout_s, ARCHIVE_MAX_BTF };
	struct child_said said = { .text = ret_line, .size = MAX_WORDS - 1 };
	size_t start;
	int err;

	err = child_run(&child, &said, f);
	if (err)
		return fail_in(f, err, "pahole");
	ret_line[said.n] = '\0';
	start = strspn(ret_line, "\r\n\t ");
	memmove(ret_line, ret_line + start, strlen(ret_line + start) + 1);
	ret_line[strcspn(ret_line, "\r\n")] = '\0';
	if (WIFSIGNALED(said.status))
		return fail(f, -EBADMSG, "pahole was ended by signal %d", WTERMSIG(said.status));
	if (WEXITSTATUS(said.status) == NOT_FOUND)
		return fail(f, -ENOENT,
			    "it has only DWARF, and pahole is not installed (package "
			    "dwarves)");
	if (WEXITSTATUS(said.status))
		return fail(f, -EBADMSG, "pahole failed: %.200s",
			    *ret_line ? ret_line : "it does not say why");
	return 0;
}

int pahole_version(char ret_version[PAHOLE_VERSION_SIZE], struct fail *f)
{
	struct call call = { -1, -1 };
	char line[MAX_WORDS], *p = line;
	int err;

	err = run(&call, VERSION_TIMEOUT_S, line, f);
	if (err)
		return err;
	p += *p == 'v';
	p[strspn(p, "0123456789.")] = '\0';
	if (!*p || strlen(p) >= PAHOLE_VERSION_SIZE)
		return fail(f, -EBADMSG, "pahole does not say its version");
	memcpy(ret_version, p, strlen(p) + 1);
	return 0;
}

int pahole_encode(int fd, struct mapping *ret_btf, struct fail *f)
{
	struct mapping btf = MAPPING_NONE;
	struct call call = { fd, -1 };
	char line[MAX_WORDS];
	int err;

	err = mapping_scratch(&btf, f);
	if (err)
		return err;
	call.out = btf.fd;
	err = run(&call, PAHOLE_TIMEOUT_S, line, f);
	if (!err && mapping_map(&btf, NULL))
		err = fail(f, -EBADMSG, "pahole made no BTF%s%.200s", *line ? ": " : "", line);
	if (err)
		mapping_close(&btf);
	else
		*ret_btf = btf;
	return err;
}

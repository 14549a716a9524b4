// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Work in a process of its own: what it says, how it ends, and that it ends. */
#include "btfgen/child.h"
#include "btfs/fail.h"
#include "tests/tap.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int say(void *ctx, int out)
{
	return write(out, ctx, strlen(ctx)) < 0;
}

static int say_much(void *ctx, int out)
{
	char block[4096];

	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 100; i++)
		if (write(out, block, sizeof(block)) < 0)
			return 1;
	return 7;
}

static int crash(void *ctx, int out)
{
	signal(SIGSEGV, SIG_DFL); /* a sanitizer's is not wanted */
	return raise(SIGSEGV);
}

static int hang(void *ctx, int out)
{
	while (pause() < 0)
		;
	return 0;
}

static int spin(void *ctx, int out)
{
	for (volatile unsigned i = 1; i; i |= 1)
		;
	return 0;
}

/* The pipe is held open by another that outlives it. */
static int leave_one_behind(void *ctx, int out)
{
	if (fork() == 0)
		hang(ctx, out);
	return 0;
}

static int write_file(void *ctx, int out)
{
	char name[] = "/tmp/child-XXXXXX", block[4096] = "";
	int fd = mkstemp(name);

	signal(SIGXFSZ, SIG_IGN);
	unlink(name);
	for (int i = 0; i < 4; i++)
		if (write(fd, block, sizeof(block)) != sizeof(block))
			return errno == EFBIG ? 3 : 4;
	return 0;
}

static int run(int (*work)(void *ctx, int out), void *ctx, unsigned timeout_s,
	       struct child_said *said, struct fail *f)
{
	const struct child child = { work, ctx, timeout_s, 8192 };

	return child_run(&child, said, f);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

int main(void)
{
	char text[16] = "";
	struct child_said said = { .text = text, .size = sizeof(text) - 1 };
	struct fail f = { .text = "" };
	char hello[] = "hello";
	double start;

	tap_is_int(run(say, hello, 60, &said, &f), 0, "ends%s", f.text);
	text[said.n] = '\0';
	tap_is_str(text, "hello", "says");
	tap_ok(WIFEXITED(said.status) && !WEXITSTATUS(said.status), "with status 0");
	tap_is_int(run(say_much, NULL, 60, &said, &f), 0, "says more than there is room for");
	tap_is_int(said.n, sizeof(text) - 1, "as much as there is room for is kept");
	tap_is_int(WEXITSTATUS(said.status), 7, "and its status is told");
	tap_is_int(run(crash, NULL, 60, &said, &f), 0, "crashes");
	tap_ok(WIFSIGNALED(said.status) && WTERMSIG(said.status) == SIGSEGV, "which is told");
	tap_is_int(said.n, 0, "it said nothing");
	tap_is_int(run(write_file, NULL, 60, &said, &f), 0, "writes too much");
	tap_is_int(WEXITSTATUS(said.status), 3, "which it can't");
	start = seconds();
	tap_is_int(run(leave_one_behind, NULL, 60, &said, &f), 0, "leaves one behind");
	tap_ok(seconds() - start < 30, "which is not waited for");
	tap_is_int(run(hang, NULL, 1, &said, &f), -ETIMEDOUT, "hangs: %s", f.text);
	tap_is_str(f.text, "took more than 1 seconds", "a sentence");
	tap_is_int(run(spin, NULL, 1, &said, &f), -ETIMEDOUT, "spins: %s", f.text);
	tap_is_int(waitpid(-1, NULL, WNOHANG), -1, "no child is left");
	return tap_done();
}

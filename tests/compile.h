/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * BPF objects compiled while the test runs:
 *
 *	struct compiled o = compile(COMPILE_HEAD "SEC int f(...) ...", "-g");
 *	if (!o.data)	no clang here
 *	... o.data, o.size ...
 *	free(o.data);
 */
#ifndef TESTS_COMPILE_H
#define TESTS_COMPILE_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define COMPILE_HEAD                                         \
	"#define R __attribute__((preserve_access_index))\n" \
	"#define PROG __attribute__((section(\"raw_tp/a\"), used)) long\n"

struct compiled {
	uint8_t *data;
	size_t size;
};

static inline int compile_run(const char *path, const char *debug, int in[2])
{
	pid_t pid = fork();

	if (pid == 0) {
		dup2(in[0], 0);
		close(in[0]);
		close(in[1]);
		execlp("clang", "clang", "-x", "c", debug, "-O2", "-target", "bpf",
		       "-Wno-everything", "-c", "-o", path, "-", (char *)NULL);
		_exit(127);
	}
	return pid;
}

/* The compiler puts another file in the place of the one that was made for its name. */
static inline struct compiled compile_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct compiled o = { 0 };
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		abort();
	o.data = malloc(st.st_size);
	if (!o.data || read(fd, o.data, st.st_size) != st.st_size)
		abort();
	o.size = st.st_size;
	close(fd);
	return o;
}

static inline struct compiled compile(const char *source, const char *debug)
{
	char path[] = "/tmp/btfdepot-compile-XXXXXX";
	struct compiled o = { 0 };
	int fd = mkstemp(path), in[2], status = 0;
	size_t size = strlen(source);
	pid_t pid;

	if (fd < 0 || pipe2(in, O_CLOEXEC))
		abort();
	pid = compile_run(path, debug, in);
	close(in[0]);
	if (pid < 0 || write(in[1], source, size) != (ssize_t)size)
		size = 0;
	close(in[1]);
	if (pid > 0)
		waitpid(pid, &status, 0);
	if (pid > 0 && size && status == 0)
		o = compile_read(path);
	else
		fprintf(stderr, "# clang gives %d for:\n%s\n", status, source);
	unlink(path);
	close(fd);
	return o;
}

#endif

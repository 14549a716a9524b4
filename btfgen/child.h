/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Work in a process of its own: other programs, and libraries that a hostile file can make crash
 * or run for ever. What it does to itself, its parent survives; it never outlives its parent.
 */
#ifndef BTFGEN_CHILD_H
#define BTFGEN_CHILD_H

#include <stddef.h>
#include <stdint.h>

struct fail;

struct child {
	/* Runs in the child; its result is the exit status. What it writes to out, the parent
	 * gets. It must not print, nor take locks that other threads may hold. */
	int (*run)(void *ctx, int out);
	void *ctx;
	unsigned timeout_s;	 /* of wall time, and of cpu time */
	uint64_t max_file_bytes; /* that it may write to one file */
};

struct child_said {
	char *text; /* room for size bytes, given by the caller; what is over is dropped */
	size_t size;
	size_t n;   /* bytes that came */
	int status; /* waitpid(2)'s */
};

/* 0: it ended by itself, whatever its status. -ETIMEDOUT: it was killed; else the errno of what
 * kept it from being started. */
int child_run(const struct child *child, struct child_said *said, struct fail *f);

#endif

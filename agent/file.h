/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A regular file into memory: never a FIFO, a device or more than was allowed. */
#ifndef AGENT_FILE_H
#define AGENT_FILE_H

#include <stddef.h>

struct fail;

/*
 * Reads the open file fd, which stays open, from where it stands to its end. The caller frees
 * ret_data. -EINVAL: not a regular file; -E2BIG: more than max_bytes; the system call's errno.
 */
int file_read_fd(int fd, size_t max_bytes, void **ret_data, size_t *ret_size, struct fail *f);

/* The same by path; symbolic links are followed. -ENOENT and -ENOTDIR are given as -ENOENT. */
int file_read(const char *path, size_t max_bytes, void **ret_data, size_t *ret_size,
	      struct fail *f);

/* Writes all of data, whatever short counts and signals come. */
int file_write_fd(int fd, const void *data, size_t size, struct fail *f);

#endif

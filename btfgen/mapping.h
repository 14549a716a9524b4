/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Files of gigabytes that are looked at here and there: those of others, and scratch files that
 * have no name, so that nothing stays behind when the program is killed.
 */
#ifndef BTFGEN_MAPPING_H
#define BTFGEN_MAPPING_H

#include <stddef.h>
#include <stdint.h>

struct fail;

#define MAPPING_MAX (4ull << 30) /* bytes: a vmlinux with DWARF has up to 1.5 GB */

struct mapping {
	int fd;
	const uint8_t *data; /* NULL until mapped */
	size_t size;	     /* bytes */
};

#define MAPPING_NONE ((struct mapping){ .fd = -1 })

/* A regular file, read only; never waits for a FIFO. -ENOENT, -EBADMSG: not a regular file, or
 * empty; -E2BIG: over MAPPING_MAX. */
int mapping_open(const char *path, struct mapping *ret_mapping, struct fail *f);

/* An empty scratch file in $TMPDIR, or /var/tmp. */
int mapping_scratch(struct mapping *ret_mapping, struct fail *f);

/* Appends to a scratch file that is not mapped. */
int mapping_write(const struct mapping *mapping, const void *data, size_t size, struct fail *f);

/* Maps what a scratch file holds by now. -EBADMSG: nothing. */
int mapping_map(struct mapping *mapping, struct fail *f);

void mapping_close(struct mapping *mapping);

#endif

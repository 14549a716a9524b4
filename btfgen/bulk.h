/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Thousands of small files, most of them equal: each content is written once, the others become
 * hard links of it, and instead of each file the file system is synced, before names appear and
 * after. A reader sees whole files only; what a killed process leaves has temporary names.
 *
 *	bulk_new(root, &bulk, f);		a folder on the file system of all the paths
 *	bulk_put(bulk, &file, f);		as often as there are files; threads may
 *	bulk_flush(bulk, f);			now they are there
 *	bulk_free(bulk);			what was not flushed never appears
 */
#ifndef BTFGEN_BULK_H
#define BTFGEN_BULK_H

#include <stddef.h>

struct bulk;
struct fail;

#define BULK_MAX_PENDING 2048 /* files that wait for a sync; more are flushed by themselves */

struct bulk_file {
	const char *path;
	const char *digest; /* 64 hex digits, of data */
	const void *data;
	size_t size; /* bytes */
};

/* root is made if it is missing. */
int bulk_new(const char *root, struct bulk **ret_bulk, struct fail *f);
void bulk_free(struct bulk *bulk);

/* Replaces what stands at path. Folders above it are made. */
int bulk_put(struct bulk *bulk, const struct bulk_file *file, struct fail *f);

/* A file stands already: others may be linked to it. Costs nothing if that is forgotten. */
void bulk_know(struct bulk *bulk, const char *digest, const char *path);

int bulk_flush(struct bulk *bulk, struct fail *f);

#endif

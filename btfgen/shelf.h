/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A tree's needs, and the files of one of them as its index.tsv lists them. */
#ifndef BTFGEN_SHELF_H
#define BTFGEN_SHELF_H

#include "btfs/digest.h"
#include "btfs/index.h"
#include "btfs/kernel.h"

#include <stddef.h>

struct fail;

#define SHELF_MAX_NEEDS 65536

struct shelf_needs {
	char (*ids)[DIGEST_HEX_SIZE]; /* sorted */
	size_t n;
};

/* Those that have a folder below root's min/. A root without min/ has none. */
int shelf_needs(const char *root, struct shelf_needs *ret_needs, struct fail *f);
void shelf_needs_free(struct shelf_needs *needs);

struct shelf_file {
	const struct index_row *row;
	struct kernel kernel;
	char *path; /* root included */
};

struct shelf {
	char need[DIGEST_HEX_SIZE];
	struct index index;
	struct shelf_file *files; /* those that the filter leaves, in the index's order */
	size_t n;
};

struct shelf_filter {
	const char *kernels; /* file with a list, as for scan_select; NULL: all */
	const char *arch;    /* NULL: any */
};

/* -ENOENT: no index.tsv there; else what index_parse says. Free with shelf_free. */
int shelf_open(const char *root, const char *need, const struct shelf_filter *filter,
	       struct shelf *ret_shelf, struct fail *f);
void shelf_free(struct shelf *shelf);

/* A file's bytes, which are what the index says of them; the caller frees. -EBADMSG: they aren't.
 */
int shelf_read(const struct shelf_file *file, char **ret_data, struct fail *f);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * An index.tsv: which kernels a need has files for, and what they are. docs/formats.md describes
 * it; index_put writes a row as index_parse reads it.
 *
 *	err = index_parse(text, size, &index, f);
 *	for (i = 0; i < index.n; i++)
 *		puts(index.rows[i].release);
 *	index_free(&index);
 */
#ifndef BTFS_INDEX_H
#define BTFS_INDEX_H

#include <stddef.h>

struct fail;
struct kernel;
struct text;

#define INDEX_MAX_TEXT (256u << 20) /* bytes */
#define INDEX_MAX_ROWS (1u << 20)
#define INDEX_HEADER   "arch\tdistro\tdistro_version\trelease\tbuild_id\tversion\tsha256\tsize"

/* Decoded; "" for what is not known. arch, release and sha256 always are. */
struct index_row {
	const char *arch, *distro, *distro_version, *release, *build_id, *version;
	const char *sha256; /* 64 hex digits: digest.h */
	size_t size;	    /* bytes */
};

struct index {
	struct index_row *rows; /* in the order of the text's bytes */
	size_t n;
	char *text; /* what rows point into */
};

/*
 * Reads a copy of the text. Only the canonical form is taken: sorted, no kernel twice, values
 * encoded where they have to be and nowhere else. Columns behind the known ones are passed over.
 * -EBADMSG: line and rule are named; -ENOTSUP: another header; -E2BIG; -ENOMEM.
 * Free with index_free.
 */
int index_parse(const char *text, size_t size, struct index *ret_index, struct fail *f);
void index_free(struct index *index);

void index_kernel(const struct index_row *row, struct kernel *ret_kernel);

/* Appends the row with its newline; a document is INDEX_HEADER, a newline and the rows, sorted. */
void index_put(struct text *t, const struct kernel *kernel, const char *sha256, size_t size);

#endif

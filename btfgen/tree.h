/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Writing the tree: min/<need>/... below a root. Kernels come in any order and from several
 * processes; equal files become hard links of each other. tree_index then makes what needs to see
 * all of them: by-release and index.tsv.
 */
#ifndef BTFGEN_TREE_H
#define BTFGEN_TREE_H

#include <stddef.h>

struct bulk;
struct fail;
struct need;
struct scan_entry;
struct text;
struct tree;

/*
 * One need's part of the tree below root; makes its folder, need.txt and, unless json is NULL,
 * need.json of that text. Kernels' files go through bulk, which is shared and must outlive it.
 * Free with tree_close.
 */
struct tree_place {
	const char *root;
	struct bulk *bulk;
};
int tree_open(const struct tree_place *place, const struct need *need, const struct text *json,
	      struct tree **ret_tree, struct fail *f);
void tree_close(struct tree *tree);

enum tree_written { TREE_NEW, TREE_SAME }; /* the second: it stood there already, byte for byte */

/* One kernel's minimised BTF; it is there after bulk_flush. Threads may call it at once. */
int tree_put(struct tree *tree, const struct scan_entry *kernel, const void *btf, size_t size,
	     enum tree_written *ret_written, struct fail *f);

/*
 * by-release and index.tsv, from all files that stand there once bulk is flushed, which it does.
 * What the index before said of a kernel's build-id and version is kept while its file is the same.
 */
int tree_index(struct tree *tree, struct fail *f);

/* index.tsv of the full BTFs in an archive, if there are any: digests and sizes of the files. */
int tree_index_archive(const char *root, struct fail *f);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Writing the tree: min/<need>/... below a root. Kernels come in any order and from several
 * processes; equal files become hard links of each other. tree_index then makes what needs to see
 * all of them: by-release and index.tsv.
 */
#ifndef BTFGEN_TREE_H
#define BTFGEN_TREE_H

#include <stddef.h>

struct fail;
struct kernel;
struct need;
struct text;
struct tree;

/*
 * One need's part of the tree; makes its folder, need.txt and, unless json is NULL, need.json of
 * that text. Free with tree_close.
 */
int tree_open(const char *root, const struct need *need, const struct text *json,
	      struct tree **ret_tree, struct fail *f);
void tree_close(struct tree *tree);

enum tree_written { TREE_NEW, TREE_SAME }; /* the second: it stood there already, byte for byte */

/* Publishes one kernel's minimised BTF. Threads may call it at once. */
int tree_put(struct tree *tree, const struct kernel *kernel, const void *btf, size_t size,
	     enum tree_written *ret_written, struct fail *f);

/* by-release and index.tsv, from all files that stand there. */
int tree_index(struct tree *tree, struct fail *f);

#endif

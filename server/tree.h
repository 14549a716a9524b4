/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What a tree's folder held when it was read: an immutable snapshot, path -> bytes, size, sha256
 * and type. Small files are held in memory; big ones are opened again when they are sent, under the
 * name that the snapshot has, and refused if they are not what was read. No byte of a request ever
 * reaches open().
 *
 *	err = tree_load("/srv/btf", NULL, &tree, &notes, f);
 *	file = tree_find(tree, "min/.../need.txt");
 *	tree_unref(tree);
 *
 * Listed are regular files with a known suffix whose path has only bytes that names in a tree may
 * have; not what starts with a dot (so no half-written .tmp-*), nothing behind a symbolic link.
 */
#ifndef SERVER_TREE_H
#define SERVER_TREE_H

#include <pthread.h>
#include <stddef.h>

struct fail;
struct tree;

#define TREE_MAX_PATH  640 /* bytes of a path below the root, with its NUL */
#define TREE_MAX_DEPTH 8   /* folders below each other; the layout needs 6 */
#define TREE_MAX_FILES (1u << 21)
#define TREE_MAX_FILE \
	(1u << 30) /* bytes of one file; it is read into memory once, for its digest */
#define TREE_MAX_HELD	(64u << 10)  /* bytes of a file that is kept in memory */
#define TREE_HELD_TOTAL (256u << 20) /* bytes of all of these together; the rest stays on disk */

struct tree_file {
	const char *path;	/* relative to the root */
	const char *type;	/* Content-Type */
	const char *sha256;	/* of the bytes, in hex */
	const void *data;	/* NULL: to be opened with tree_open */
	size_t size;		/* bytes */
	int is_named_by_digest; /* its sha256 is in its path: other bytes can't ever be there */
	const struct tree_blob *blob;
};

struct tree_notes {
	size_t skipped;	 /* files and folders that are not listed and not hidden */
	char first[512]; /* why the first of them, "" if there are none */
};

/*
 * Reads the folder. What previous (NULL: nothing) knows of an unchanged file is taken from there,
 * so that reading again costs a stat for each file. The caller owns one reference.
 * -ENOENT, -ENOTDIR, -EACCES: the root itself; -E2BIG: more than TREE_MAX_FILES.
 */
int tree_load(const char *root, const struct tree *previous, struct tree **ret_tree,
	      struct tree_notes *ret_notes, struct fail *f);

/* Any thread may take and give back references. tree_unref takes NULL. */
struct tree *tree_ref(struct tree *tree);
void tree_unref(struct tree *tree);

/* NULL: not there. The file lives as long as the tree. */
const struct tree_file *tree_find(const struct tree *tree, const char *path);

size_t tree_count(const struct tree *tree); /* files */
size_t tree_bytes(const struct tree *tree); /* of all files, each name counted */

/* A descriptor to the file's bytes. -ESTALE: not the file that was read any more. */
int tree_open(const struct tree *tree, const struct tree_file *file, struct fail *f);

/* The snapshot that is served now, changed while others read it. */
struct tree_slot {
	pthread_mutex_t lock;
	struct tree *tree;
};

struct tree *tree_slot_get(struct tree_slot *slot);	       /* a new reference */
void tree_slot_put(struct tree_slot *slot, struct tree *tree); /* takes the caller's reference */

#endif

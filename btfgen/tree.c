// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "tree.h"

#include "btfs/digest.h"
#include "btfs/fail.h"
#include "btfs/hostfile.h"
#include "btfs/index.h"
#include "btfs/layout.h"
#include "btfs/need.h"
#include "btfs/publish.h"
#include "btfs/text.h"
#include "btfs/view.h"
#include "scan.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MODE   0644
#define FOLDER_MODE 0755

/* Where content that was published stands, to link to. */
struct content {
	char digest[DIGEST_HEX_SIZE];
	char *path;
};

struct tree {
	char *root;
	char need[DIGEST_HEX_SIZE];
	pthread_mutex_t lock; /* of contents */
	struct content *contents;
	size_t n_contents, contents_room;
};

/* NULL: no memory. */
static char *join(const char *root, const char *rel)
{
	struct text t = { 0 };

	text_add(&t, "%s/%s", root, rel);
	if (t.failed)
		text_free(&t);
	return t.p;
}

static bool stands_there(const char *path, const void *data, size_t size)
{
	char *old = NULL;
	size_t old_size = 0;
	bool same;

	if (hostfile_read(NULL, path, size, &old, &old_size, NULL))
		return false;
	same = old_size == size && !memcmp(old, data, size);
	free(old);
	return same;
}

static int put_named(struct tree *tree, const char *name, const void *data, size_t size,
		     struct fail *f)
{
	char rel[LAYOUT_PATH_SIZE], *path;
	int err = 0;

	snprintf(rel, sizeof(rel), "min/%s/%s", tree->need, name);
	path = join(tree->root, rel);
	if (!path)
		return fail(f, -ENOMEM, "no memory");
	if (!stands_there(path, data, size)) {
		err = publish_parents(path, FOLDER_MODE, f);
		if (!err)
			err = publish_file(path, data, size, FILE_MODE, f);
	}
	free(path);
	return err;
}

int tree_open(const char *root, const struct need *need, const struct text *json,
	      struct tree **ret_tree, struct fail *f)
{
	struct tree *tree = calloc(1, sizeof(*tree));
	const char *text;
	size_t size;
	int err;

	if (!tree)
		return fail(f, -ENOMEM, "no memory");
	pthread_mutex_init(&tree->lock, NULL);
	tree->root = strdup(root);
	memcpy(tree->need, need_id(need), sizeof(tree->need));
	text = need_text(need, &size);
	err = tree->root ? put_named(tree, "need.txt", text, size, f)
			 : fail(f, -ENOMEM, "no memory");
	if (!err && json)
		err = put_named(tree, "need.json", json->p, json->size, f);
	if (err)
		tree_close(tree);
	else
		*ret_tree = tree;
	return err;
}

void tree_close(struct tree *tree)
{
	if (!tree)
		return;
	for (size_t i = 0; i < tree->n_contents; i++)
		free(tree->contents[i].path);
	free(tree->contents);
	pthread_mutex_destroy(&tree->lock);
	free(tree->root);
	free(tree);
}

/* Under the lock. A path that was replaced since holds other content: whoever links looks again. */
static const char *find_content(const struct tree *tree, const char *digest)
{
	for (size_t i = 0; i < tree->n_contents; i++)
		if (!strcmp(tree->contents[i].digest, digest))
			return tree->contents[i].path;
	return NULL;
}

static void remember(struct tree *tree, const char *digest, const char *path)
{
	struct content *c;

	if (find_content(tree, digest))
		return;
	if (tree->n_contents == tree->contents_room) {
		size_t room = tree->contents_room ? tree->contents_room * 2 : 64;

		c = reallocarray(tree->contents, room, sizeof(*c));
		if (!c)
			return; /* costs a link, no more */
		tree->contents = c;
		tree->contents_room = room;
	}
	c = &tree->contents[tree->n_contents];
	c->path = strdup(path);
	if (!c->path)
		return;
	memcpy(c->digest, digest, sizeof(c->digest));
	tree->n_contents++;
}

/* Links to an equal file of this run, or writes. ENOENT, EMLINK and their like make a copy do. */
static int place(struct tree *tree, const char *digest, const char *path, const void *data,
		 size_t size, struct fail *f)
{
	const char *twin;
	int err;

	err = publish_parents(path, FOLDER_MODE, f);
	if (err)
		return err;
	pthread_mutex_lock(&tree->lock);
	twin = find_content(tree, digest);
	if (!twin || publish_link(twin, path, NULL))
		err = publish_file(path, data, size, FILE_MODE, f);
	if (!err)
		remember(tree, digest, path);
	pthread_mutex_unlock(&tree->lock);
	return err;
}

static int put_at(struct tree *tree, const char *rel, const void *data, size_t size,
		  enum tree_written *ret_written, struct fail *f)
{
	char digest[DIGEST_HEX_SIZE], *path = join(tree->root, rel);
	enum tree_written written = TREE_SAME;
	int err = 0;

	if (!path)
		return fail(f, -ENOMEM, "no memory");
	digest_hex(data, size, digest);
	if (stands_there(path, data, size)) {
		pthread_mutex_lock(&tree->lock);
		remember(tree, digest, path);
		pthread_mutex_unlock(&tree->lock);
	} else {
		written = TREE_NEW;
		err = place(tree, digest, path, data, size, f);
	}
	free(path);
	if (!err && ret_written)
		*ret_written = written;
	return err;
}

int tree_put(struct tree *tree, const struct kernel *kernel, const void *btf, size_t size,
	     enum tree_written *ret_written, struct fail *f)
{
	char rel[LAYOUT_PATH_SIZE];
	int err;

	err = layout_min_path(tree->need, kernel, rel, f);
	if (!err)
		err = put_at(tree, rel, btf, size, ret_written, f);
	/* a name's second build carries only the head of its build-id: no path by that */
	if (!err && strlen(kernel->build_id) > 12 &&
	    !layout_min_build_id(tree->need, kernel, rel, NULL))
		err = put_at(tree, rel, btf, size, NULL, f);
	return err;
}

struct row {
	const struct kernel *kernel;
	char digest[DIGEST_HEX_SIZE];
	void *data;
	size_t size;
	char *line;
};

static int read_row(const struct scan_entry *entry, struct row *row, struct fail *f)
{
	struct text t = { 0 };
	char *data = NULL;
	int err;

	err = hostfile_read(NULL, entry->path, VIEW_MAX_SIZE, &data, &row->size, f);
	if (err)
		return err;
	row->data = data;
	row->kernel = &entry->kernel;
	digest_hex(data, row->size, row->digest);
	index_put(&t, row->kernel, row->digest, row->size);
	row->line = t.p;
	return t.failed ? fail(f, -ENOMEM, "no memory") : 0;
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return strcmp(x->line, y->line);
}

static int compare_names(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = strcmp(x->kernel->arch, y->kernel->arch);

	if (!order)
		order = strcmp(x->kernel->release, y->kernel->release);
	return order ? order : strcmp(x->digest, y->digest);
}

/* Rows of one arch and release, n of them: one answer is published, several are none. */
static int index_name(struct tree *tree, const struct row *rows, size_t n, struct fail *f)
{
	char rel[LAYOUT_PATH_SIZE], *path;
	int err = 0;

	if (layout_min_release(tree->need, rows[0].kernel, rel, NULL))
		return 0;
	if (!strcmp(rows[0].digest, rows[n - 1].digest))
		return put_at(tree, rel, rows[0].data, rows[0].size, NULL, f);
	path = join(tree->root, rel);
	if (!path)
		return fail(f, -ENOMEM, "no memory");
	if (unlink(path) && errno != ENOENT && errno != ENOTDIR)
		err = fail(f, -errno, "cannot remove %s, which is ambiguous now", path);
	free(path);
	return err;
}

static int write_index(struct tree *tree, struct row *rows, size_t n, struct fail *f)
{
	struct text t = { 0 };
	int err = 0;

	qsort(rows, n, sizeof(*rows), compare_rows);
	text_add(&t, INDEX_HEADER "\n");
	for (size_t i = 0; i < n; i++)
		text_add(&t, "%s", rows[i].line);
	if (t.failed)
		err = fail(f, -ENOMEM, "no memory");
	if (!err)
		err = put_named(tree, "index.tsv", t.p, t.size, f);
	text_free(&t);
	qsort(rows, n, sizeof(*rows), compare_names);
	for (size_t i = 0, end; !err && i < n; i = end) {
		for (end = i + 1; end < n; end++)
			if (strcmp(rows[i].kernel->arch, rows[end].kernel->arch) ||
			    strcmp(rows[i].kernel->release, rows[end].kernel->release))
				break;
		err = index_name(tree, rows + i, end - i, f);
	}
	return err;
}

int tree_index(struct tree *tree, struct fail *f)
{
	char rel[LAYOUT_PATH_SIZE], *root;
	struct scan scan = { 0 };
	struct row *rows = NULL;
	int err;

	snprintf(rel, sizeof(rel), "min/%s", tree->need);
	root = join(tree->root, rel);
	if (!root)
		return fail(f, -ENOMEM, "no memory");
	err = scan_archive(root, &scan, f);
	free(root);
	if (err)
		return err;
	rows = calloc(scan.n + 1, sizeof(*rows));
	if (!rows)
		err = fail(f, -ENOMEM, "no memory");
	for (size_t i = 0; !err && i < scan.n; i++)
		err = read_row(&scan.entries[i], &rows[i], f);
	if (!err)
		err = write_index(tree, rows, scan.n, f);
	for (size_t i = 0; rows && i < scan.n; i++) {
		free(rows[i].data);
		free(rows[i].line);
	}
	free(rows);
	scan_free(&scan);
	return err;
}

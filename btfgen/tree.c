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
#include "bulk.h"
#include "scan.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MODE   0644
#define FOLDER_MODE 0755

/* What is known of a kernel beyond its path. */
struct identity {
	char *rel;
	struct kernel kernel;
};

struct tree {
	char *root;
	char need[DIGEST_HEX_SIZE];
	struct bulk *bulk;
	pthread_mutex_t lock; /* of the identities */
	struct identity *identities;
	size_t n_identities, identities_room;
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

int tree_open(const struct tree_place *place, const struct need *need, const struct text *json,
	      struct tree **ret_tree, struct fail *f)
{
	struct tree *tree = calloc(1, sizeof(*tree));
	const char *text;
	size_t size;
	int err;

	if (!tree)
		return fail(f, -ENOMEM, "no memory");
	pthread_mutex_init(&tree->lock, NULL);
	tree->bulk = place->bulk;
	tree->root = strdup(place->root);
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
	for (size_t i = 0; i < tree->n_identities; i++)
		free(tree->identities[i].rel);
	free(tree->identities);
	pthread_mutex_destroy(&tree->lock);
	free(tree->root);
	free(tree);
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
		bulk_know(tree->bulk, digest, path);
	} else {
		struct bulk_file file = { path, digest, data, size };

		written = TREE_NEW;
		err = bulk_put(tree->bulk, &file, f);
	}
	free(path);
	if (!err && ret_written)
		*ret_written = written;
	return err;
}

static void remember(struct tree *tree, const char *rel, const struct kernel *kernel)
{
	struct identity *all;

	pthread_mutex_lock(&tree->lock);
	if (tree->n_identities == tree->identities_room) {
		size_t room = tree->identities_room ? tree->identities_room * 2 : 64;

		all = reallocarray(tree->identities, room, sizeof(*all));
		if (!all)
			goto out; /* the index will know less */
		tree->identities = all;
		tree->identities_room = room;
	}
	all = &tree->identities[tree->n_identities];
	*all = (struct identity){ strdup(rel), *kernel };
	tree->n_identities += all->rel != NULL;
out:
	pthread_mutex_unlock(&tree->lock);
}

/* A second build of a release has "@" and its build-id's first digits in its name here, too. */
static int min_path(const struct tree *tree, const struct scan_entry *e,
		    char ret_rel[LAYOUT_PATH_SIZE], struct fail *f)
{
	int err = layout_min_path(tree->need, &e->kernel, ret_rel, f);
	size_t len = err ? 0 : strlen(ret_rel) - strlen(".btf");

	if (!err && e->second)
		snprintf(ret_rel + len, LAYOUT_PATH_SIZE - len, "@%.12s.btf", e->kernel.build_id);
	return err;
}

int tree_put(struct tree *tree, const struct scan_entry *kernel, const void *btf, size_t size,
	     enum tree_written *ret_written, struct fail *f)
{
	const struct kernel *k = &kernel->kernel;
	char rel[LAYOUT_PATH_SIZE];
	int err;

	err = min_path(tree, kernel, rel, f);
	if (!err)
		err = put_at(tree, rel, btf, size, ret_written, f);
	if (err)
		return err;
	if (k->build_id[0] || k->version[0])
		remember(tree, rel, k);
	/* a name carries only the head of a build-id: no path by that */
	if (strlen(k->build_id) > 12 && !layout_min_build_id(tree->need, k, rel, NULL))
		err = put_at(tree, rel, btf, size, NULL, f);
	return err;
}

struct row {
	struct kernel kernel;
	char digest[DIGEST_HEX_SIZE];
	void *data;
	size_t size;
	char *line;
};

static int compare_identities(const void *a, const void *b)
{
	const struct identity *x = a, *y = b;

	return strcmp(x->rel, y->rel);
}

static bool is_row_of(const struct index_row *row, const struct row *now)
{
	return !strcmp(row->release, now->kernel.release) && !strcmp(row->sha256, now->digest) &&
	       !strcmp(row->arch, now->kernel.arch) && !strcmp(row->distro, now->kernel.distro) &&
	       !strcmp(row->distro_version, now->kernel.distro_version);
}

/* From this run, or from the index before. */
static void identify(const struct tree *tree, const struct index *before, const char *path,
		     struct row *row)
{
	struct identity key = { 0 }, *found = NULL;

	if (tree)
		key.rel = (char *)path + strlen(tree->root) + 1;
	if (tree && tree->n_identities)
		found = bsearch(&key, tree->identities, tree->n_identities, sizeof(key),
				compare_identities);
	if (found) {
		row->kernel = found->kernel;
		return;
	}
	for (size_t i = 0; i < before->n; i++)
		if (is_row_of(&before->rows[i], row)) {
			index_kernel(&before->rows[i], &row->kernel);
			return;
		}
}

static int read_row(const struct tree *tree, const struct index *before,
		    const struct scan_entry *entry, struct row *row, struct fail *f)
{
	struct text t = { 0 };
	char *data = NULL;
	int err;

	err = hostfile_read(NULL, entry->path, VIEW_MAX_SIZE, &data, &row->size, f);
	if (err)
		return err;
	row->data = data;
	row->kernel = entry->kernel;
	digest_hex(data, row->size, row->digest);
	identify(tree, before, entry->path, row);
	index_put(&t, &row->kernel, row->digest, row->size);
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
	int order = strcmp(x->kernel.arch, y->kernel.arch);

	if (!order)
		order = strcmp(x->kernel.release, y->kernel.release);
	return order ? order : strcmp(x->digest, y->digest);
}

/* Rows of one arch and release, n of them: one answer is published, several are none. */
static int index_name(struct tree *tree, const struct row *rows, size_t n, struct fail *f)
{
	char rel[LAYOUT_PATH_SIZE], *path;
	int err = 0;

	if (layout_min_release(tree->need, &rows[0].kernel, rel, NULL))
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

static int write_index(const char *path, struct row *rows, size_t n, struct fail *f)
{
	struct text t = { 0 };
	int err = 0;

	qsort(rows, n, sizeof(*rows), compare_rows);
	text_add(&t, INDEX_HEADER "\n");
	for (size_t i = 0; i < n; i++)
		text_add(&t, "%s", rows[i].line);
	if (t.failed)
		err = fail(f, -ENOMEM, "no memory");
	else if (!stands_there(path, t.p, t.size))
		err = publish_file(path, t.p, t.size, FILE_MODE, f);
	text_free(&t);
	return err;
}

/* by-release */
static int index_names(struct tree *tree, struct row *rows, size_t n, struct fail *f)
{
	int err = 0;

	qsort(rows, n, sizeof(*rows), compare_names);
	for (size_t i = 0, end; !err && i < n; i = end) {
		for (end = i + 1; end < n; end++)
			if (strcmp(rows[i].kernel.arch, rows[end].kernel.arch) ||
			    strcmp(rows[i].kernel.release, rows[end].kernel.release))
				break;
		err = index_name(tree, rows + i, end - i, f);
	}
	return err;
}

/* One that cannot be read is as good as none: it is about to be written anew. */
static void read_index(const char *path, struct index *ret)
{
	char *data = NULL;
	size_t size;

	if (!hostfile_read(NULL, path, INDEX_MAX_TEXT, &data, &size, NULL))
		index_parse(data, size, ret, NULL);
	free(data);
}

/* tree NULL: of whole files; no names are published then. */
static int index_scan(struct tree *tree, const char *path, const struct scan *scan, struct fail *f)
{
	struct row *rows = calloc(scan->n + 1, sizeof(*rows));
	struct index before = { 0 };
	int err = rows ? 0 : fail(f, -ENOMEM, "no memory");

	read_index(path, &before);
	for (size_t i = 0; !err && i < scan->n; i++) {
		err = read_row(tree, &before, &scan->entries[i], &rows[i], f);
		if (!tree) {
			free(rows[i].data);
			rows[i].data = NULL;
		}
	}
	if (!err)
		err = write_index(path, rows, scan->n, f);
	if (!err && tree)
		err = index_names(tree, rows, scan->n, f);
	for (size_t i = 0; rows && i < scan->n; i++) {
		free(rows[i].data);
		free(rows[i].line);
	}
	index_free(&before);
	free(rows);
	return err;
}

static int index_folder(struct tree *tree, const char *folder, struct fail *f)
{
	struct text path = { 0 };
	struct scan scan = { 0 };
	int err;

	text_add(&path, "%s/index.tsv", folder);
	err = path.failed ? fail(f, -ENOMEM, "no memory") : scan_archive(folder, &scan, f);
	if (!err && (tree || scan.n))
		err = index_scan(tree, path.p, &scan, f);
	scan_free(&scan);
	text_free(&path);
	return err;
}

int tree_index(struct tree *tree, struct fail *f)
{
	char rel[LAYOUT_PATH_SIZE], *folder;
	int err;

	snprintf(rel, sizeof(rel), "min/%s", tree->need);
	folder = join(tree->root, rel);
	if (!folder)
		return fail(f, -ENOMEM, "no memory");
	if (tree->n_identities)
		qsort(tree->identities, tree->n_identities, sizeof(*tree->identities),
		      compare_identities);
	err = bulk_flush(tree->bulk, f);
	if (!err)
		err = index_folder(tree, folder, f);
	if (!err)
		err = bulk_flush(tree->bulk, f);
	free(folder);
	return err;
}

int tree_index_archive(const char *root, struct fail *f)
{
	return index_folder(NULL, root, f);
}

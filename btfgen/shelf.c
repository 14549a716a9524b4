// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "shelf.h"

#include "btfs/fail.h"
#include "btfs/hostfile.h"
#include "btfs/layout.h"
#include "btfs/text.h"
#include "scan.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int add_need(struct shelf_needs *needs, const char *id, struct fail *f)
{
	char(*ids)[DIGEST_HEX_SIZE];

	if (needs->n == SHELF_MAX_NEEDS)
		return fail(f, -E2BIG, "tree has more than %d needs", SHELF_MAX_NEEDS);
	/* a power of two is full */
	if (!(needs->n & (needs->n - 1))) {
		ids = reallocarray(needs->ids, needs->n ? needs->n * 2 : 1, sizeof(*ids));
		if (!ids)
			return fail(f, -ENOMEM, "no memory");
		needs->ids = ids;
	}
	memcpy(needs->ids[needs->n++], id, DIGEST_HEX_SIZE);
	return 0;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(a, b);
}

int shelf_needs(const char *root, struct shelf_needs *ret_needs, struct fail *f)
{
	struct shelf_needs needs = { 0 };
	struct text path = { 0 };
	const struct dirent *d;
	DIR *dir = NULL;
	int err = 0;

	text_add(&path, "%s/min", root);
	if (path.failed)
		return fail(f, -ENOMEM, "no memory");
	dir = opendir(path.p);
	if (!dir && (errno != ENOENT || access(root, F_OK)))
		err = fail(f, -errno, "cannot read folder %s", path.p);
	while (dir && !err && (d = readdir(dir)))
		if (digest_is_hex(d->d_name))
			err = add_need(&needs, d->d_name, f);
	if (dir)
		closedir(dir);
	text_free(&path);
	if (err) {
		shelf_needs_free(&needs);
		return err;
	}
	if (needs.n)
		qsort(needs.ids, needs.n, sizeof(*needs.ids), compare_ids);
	*ret_needs = needs;
	return 0;
}

void shelf_needs_free(struct shelf_needs *needs)
{
	free(needs->ids);
	*needs = (struct shelf_needs){ 0 };
}

static int read_index(const char *root, struct shelf *shelf, struct fail *f)
{
	struct text path = { 0 };
	char *data = NULL;
	size_t size;
	int err;

	text_add(&path, "%s/min/%s/index.tsv", root, shelf->need);
	if (path.failed)
		return fail(f, -ENOMEM, "no memory");
	err = hostfile_read(NULL, path.p, INDEX_MAX_TEXT, &data, &size, f);
	if (!err) {
		err = index_parse(data, size, &shelf->index, f);
		if (err)
			fail_in(f, err, "%s", path.p);
	}
	free(data);
	text_free(&path);
	return err;
}

/* A second build of a release has its build-id's first digits in its name, and is there. */
static int find_file(const char *root, const char *need, const struct kernel *kernel,
		     struct text *path, struct fail *f)
{
	char rel[LAYOUT_PATH_SIZE];
	int err;

	err = layout_min_path(need, kernel, rel, f);
	if (err)
		return fail_in(f, err, "index of need %.12s...", need);
	rel[strlen(rel) - strlen(".btf")] = '\0';
	text_add(path, "%s/%s@%.12s.btf", root, rel, kernel->build_id);
	if (path->failed || (*kernel->build_id && !access(path->p, F_OK)))
		return path->failed ? fail(f, -ENOMEM, "no memory") : 0;
	text_cut(path, 0);
	text_add(path, "%s/%s.btf", root, rel);
	return path->failed ? fail(f, -ENOMEM, "no memory") : 0;
}

static int add_files(const char *root, const struct shelf *shelf, struct scan *scan, struct fail *f)
{
	scan->entries = calloc(shelf->index.n + 1, sizeof(*scan->entries));
	if (!scan->entries)
		return fail(f, -ENOMEM, "no memory");
	for (size_t i = 0; i < shelf->index.n; i++) {
		struct scan_entry *e = &scan->entries[i];
		struct text path = { 0 };
		int err;

		index_kernel(&shelf->index.rows[i], &e->kernel);
		err = find_file(root, shelf->need, &e->kernel, &path, f);
		if (err) {
			text_free(&path);
			return err;
		}
		e->path = path.p;
		scan->n++;
	}
	return 0;
}

static int apply(const struct shelf_filter *filter, struct scan *scan, struct fail *f)
{
	struct text unused = { 0 };
	int err = 0;

	if (filter->kernels)
		err = scan_select(scan, filter->kernels, &unused, f);
	if (!err && filter->arch)
		scan_select_arch(scan, filter->arch);
	text_free(&unused);
	return err;
}

static int select_files(const char *root, const struct shelf_filter *filter, struct shelf *shelf,
			struct fail *f)
{
	struct scan scan = { 0 };
	char **paths;
	int err;

	paths = calloc(shelf->index.n + 1, sizeof(*paths));
	shelf->files = calloc(shelf->index.n + 1, sizeof(*shelf->files));
	err = paths && shelf->files ? add_files(root, shelf, &scan, f)
				    : fail(f, -ENOMEM, "no memory");
	for (size_t i = 0; !err && i < scan.n; i++)
		paths[i] = scan.entries[i].path;
	if (!err)
		err = apply(filter, &scan, f);
	/* what is left stands in the old order, each with its old path */
	for (size_t i = 0, row = 0; !err && i < scan.n; i++) {
		struct shelf_file *file = &shelf->files[shelf->n++];

		while (paths[row] != scan.entries[i].path)
			row++;
		file->row = &shelf->index.rows[row];
		file->kernel = scan.entries[i].kernel;
		file->path = scan.entries[i].path;
		scan.entries[i].path = NULL;
	}
	scan_free(&scan);
	free(paths);
	return err;
}

int shelf_open(const char *root, const char *need, const struct shelf_filter *filter,
	       struct shelf *ret_shelf, struct fail *f)
{
	struct shelf shelf = { 0 };
	int err;

	memcpy(shelf.need, need, DIGEST_HEX_SIZE);
	err = read_index(root, &shelf, f);
	if (!err)
		err = select_files(root, filter, &shelf, f);
	if (err)
		shelf_free(&shelf);
	else
		*ret_shelf = shelf;
	return err;
}

void shelf_free(struct shelf *shelf)
{
	for (size_t i = 0; i < shelf->n; i++)
		free(shelf->files[i].path);
	free(shelf->files);
	index_free(&shelf->index);
	*shelf = (struct shelf){ 0 };
}

int shelf_read(const struct shelf_file *file, char **ret_data, struct fail *f)
{
	char digest[DIGEST_HEX_SIZE], *data = NULL;
	size_t size = 0;
	int err;

	err = hostfile_read(NULL, file->path, file->row->size, &data, &size, f);
	if (err && err != -E2BIG)
		return err;
	if (!err)
		digest_hex(data, size, digest);
	if (err || size != file->row->size || strcmp(digest, file->row->sha256)) {
		free(data);
		return fail(f, -EBADMSG, "%s: not what index.tsv says; run btfgen min again",
			    file->path);
	}
	*ret_data = data;
	return 0;
}

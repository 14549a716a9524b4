// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "btfs/fail.h"
#include "btfs/hostfile.h"
#include "btfs/layout.h"
#include "btfs/need.h"
#include "btfs/text.h"
#include "cmd.h"
#include "scan.h"
#include "shelf.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_JSON (16u << 20) /* bytes of a need.json */

static long long file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : (long long)st.st_size;
}

static int list_archive(const struct options *o)
{
	struct fail f = { .text = "" };
	struct scan scan = { 0 };
	struct text t = { 0 };

	if (read_kernels(o, o->arch, &scan, &f))
		return complain(&f);
	for (size_t i = 0; i < scan.n; i++) {
		const struct scan_entry *e = &scan.entries[i];

		if (o->json) {
			text_add(&t, "{");
			put_kernel(&t, &e->kernel);
			text_add(&t, ", \"file\": ");
			text_json(&t, e->path);
			text_add(&t, ", \"bytes\": %lld}\n", file_size(e->path));
		} else {
			put_path(&t, &e->kernel);
			text_add(&t, "  %lld\n", file_size(e->path));
		}
	}
	scan_free(&scan);
	return print(&t);
}

/* What is known of a need beside its files. */
struct about {
	size_t n_relocs;
	json_t *json; /* need.json, or NULL */
};

static int read_part(const char *tree, const char *need, const char *name, char **ret_data,
		     size_t *ret_size, struct fail *f)
{
	struct text path = { 0 };
	int err;

	text_add(&path, "%s/min/%s/%s", tree, need, name);
	err = path.failed ? fail(f, -ENOMEM, "no memory")
			  : hostfile_read(NULL, path.p, MAX_JSON, ret_data, ret_size, f);
	text_free(&path);
	return err;
}

static int read_about(const char *tree, const char *id, struct about *ret, struct fail *f)
{
	struct need *need = NULL;
	char *data = NULL;
	size_t size = 0;
	int err;

	err = read_part(tree, id, "need.txt", &data, &size, f);
	if (!err)
		err = need_parse(data, size, &need, f);
	free(data);
	if (err)
		return fail_in(f, err, "need %.12s...", id);
	ret->n_relocs = need_count(need);
	need_free(need);
	data = NULL;
	/* it is for people, and may be missing */
	if (!read_part(tree, id, "need.json", &data, &size, NULL))
		ret->json = json_loadb(data, size, 0, NULL);
	free(data);
	return 0;
}

/* NULL: no i-th object. */
static const char *object_name(const struct about *about, size_t i)
{
	const json_t *object = json_array_get(json_object_get(about->json, "objects"), i);
	const char *name = json_string_value(json_object_get(object, "name"));

	return object && !name ? "?" : name;
}

static int compare_digests(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t count_answers(const struct shelf *shelf)
{
	const char **digests = calloc(shelf->n + 1, sizeof(*digests));
	size_t n = 0;

	if (!digests)
		return 0;
	for (size_t i = 0; i < shelf->n; i++)
		digests[i] = shelf->files[i].row->sha256;
	qsort(digests, shelf->n, sizeof(*digests), compare_digests);
	for (size_t i = 0; i < shelf->n; i++)
		n += !i || strcmp(digests[i - 1], digests[i]);
	free(digests);
	return n;
}

static void put_need(struct text *t, const struct shelf *shelf, const struct about *about)
{
	const char *name;

	text_add(t, "%s  %zu kernels, %zu answers, %zu relocations", shelf->need, shelf->n,
		 count_answers(shelf), about->n_relocs);
	for (size_t i = 0; (name = object_name(about, i)); i++)
		text_add(t, "%s %s", i ? "," : ":", name);
	text_add(t, "\n");
}

static void put_files(struct text *t, const struct shelf *shelf)
{
	for (size_t i = 0; i < shelf->n; i++) {
		text_add(t, "  ");
		put_path(t, &shelf->files[i].kernel);
		text_add(t, "  %zu  %.12s\n", shelf->files[i].row->size,
			 shelf->files[i].row->sha256);
	}
}

static void put_need_json(struct text *t, const struct shelf *shelf, const struct about *about)
{
	const char *name;

	text_add(t, "{\"need\": \"%s\", \"relocations\": %zu, \"objects\": [", shelf->need,
		 about->n_relocs);
	for (size_t i = 0; (name = object_name(about, i)); i++) {
		text_add(t, i ? ", " : "");
		text_json(t, name);
	}
	text_add(t, "], \"answers\": %zu, \"kernels\": [", count_answers(shelf));
	for (size_t i = 0; i < shelf->n; i++) {
		const struct shelf_file *file = &shelf->files[i];

		text_add(t, i ? ", {" : "{");
		put_kernel(t, &file->kernel);
		text_add(t, ", \"build_id\": ");
		text_json(t, file->row->build_id);
		text_add(t, ", \"version\": ");
		text_json(t, file->row->version);
		text_add(t, ", \"sha256\": \"%s\", \"bytes\": %zu}", file->row->sha256,
			 file->row->size);
	}
	text_add(t, "]}\n");
}

static int list_need(const struct options *o, const char *id)
{
	const struct shelf_filter filter = { o->kernels, o->arch };
	struct fail f = { .text = "" };
	struct shelf shelf = { 0 };
	struct about about = { 0 };
	struct text t = { 0 };
	int err;

	err = shelf_open(o->tree, id, &filter, &shelf, &f);
	if (!err)
		err = read_about(o->tree, id, &about, &f);
	if (!err && o->json) {
		put_need_json(&t, &shelf, &about);
	} else if (!err) {
		put_need(&t, &shelf, &about);
		if (o->verbose)
			put_files(&t, &shelf);
	}
	json_decref(about.json);
	shelf_free(&shelf);
	return err ? complain(&f) : print(&t);
}

/* A need that cannot be read does not hide the others. */
static int list_tree(const struct options *o)
{
	struct shelf_needs needs = { 0 };
	struct fail f = { .text = "" };
	int status = EXIT_DONE;

	if (shelf_needs(o->tree, &needs, &f))
		return complain(&f);
	for (size_t i = 0; i < needs.n; i++)
		if (list_need(o, needs.ids[i]))
			status = EXIT_FAILED;
	shelf_needs_free(&needs);
	return status;
}

int cmd_list(const struct options *o, char **args, int n)
{
	int status = EXIT_DONE;

	if (n || (!o->archive && !o->tree))
		return misuse("list wants --archive DIR or --tree TREE, and no more");
	if (o->archive)
		status = list_archive(o);
	if (o->tree && list_tree(o))
		status = EXIT_FAILED;
	return finish(status);
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "scan.h"

#include "btfs/fail.h"
#include "btfs/hostfile.h"
#include "btfs/layout.h"
#include "btfs/names.h"
#include "btfs/publish.h"
#include "btfs/text.h"
#include "sidecar.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECOND_DIGITS 12 /* of a build-id, behind "@" */
#define DEPTH	      4	 /* distro/version/arch/file */

/* What stands beside it tells more of the kernel than its path; without, the path has to do. */
static void know_more(struct scan *scan, struct scan_entry *e)
{
	struct sidecar about;
	int err = sidecar_read(e->path, &e->kernel, &about, NULL);

	if (err && err != -ENOENT)
		scan->n_odd++;
	if (err)
		return;
	memcpy(e->kernel.build_id, about.kernel.build_id, sizeof(e->kernel.build_id));
	memcpy(e->kernel.version, about.kernel.version, sizeof(e->kernel.version));
}

static bool is_sidecar(const char *rel)
{
	size_t n = strlen(rel);

	return n > 5 && !strcmp(rel + n - 5, ".json");
}

static int add(struct scan *scan, const char *root, const char *rel, struct fail *f)
{
	struct scan_entry *e;
	enum layout_kind kind;
	struct text path = { 0 };

	if (scan->n == SCAN_MAX_KERNELS)
		return fail(f, -E2BIG, "%s: more than %u kernels", root, SCAN_MAX_KERNELS);
	if (scan->n == scan->room) {
		size_t room = scan->room ? scan->room * 2 : 256;

		e = reallocarray(scan->entries, room, sizeof(*e));
		if (!e)
			return fail(f, -ENOMEM, "no memory");
		scan->entries = e;
		scan->room = room;
	}
	if (is_sidecar(rel))
		return 0;
	e = &scan->entries[scan->n];
	if (layout_parse(rel, &e->kernel, &kind, NULL)) {
		scan->n_odd++;
		return 0;
	}
	if (kind != LAYOUT_FULL && kind != LAYOUT_RAW)
		return 0;
	text_add(&path, "%s/%s", root, rel);
	if (path.failed)
		return fail(f, -ENOMEM, "no memory");
	e->path = path.p;
	e->second = strchr(rel, '@') && strlen(e->kernel.build_id) == SECOND_DIGITS;
	know_more(scan, e);
	scan->n++;
	return 0;
}

static bool is_hidden(const char *name)
{
	return name[0] == '.';
}

/* The folders from the root down to the one that is being read. */
struct level {
	DIR *dir;
	size_t path_len;
};

static int open_level(struct level *level, const char *root, const struct text *rel, struct fail *f)
{
	struct text path = { 0 };
	int fd, err = 0;

	text_add(&path, "%s/%s", root, rel->size ? rel->p : "");
	if (path.failed)
		return fail(f, -ENOMEM, "no memory");
	fd = open(path.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (rel->size ? O_NOFOLLOW : 0));
	level->dir = fd < 0 ? NULL : fdopendir(fd);
	if (!level->dir) {
		err = fail(f, -errno, "cannot read folder %s", path.p);
		if (fd >= 0)
			close(fd);
	}
	level->path_len = rel->size;
	text_free(&path);
	return err;
}

/* A tree keeps its answers beside the archive, and sorted in other ways beside each other. */
static bool is_passed_over(const struct dirent *d, size_t depth)
{
	return is_hidden(d->d_name) || d->d_type == DT_LNK ||
	       (depth == 1 && (!strcmp(d->d_name, "min") || !strncmp(d->d_name, "by-", 3)));
}

/* Where walk stands. */
struct walker {
	struct scan *scan;
	const char *root;
	struct level levels[DEPTH];
	size_t depth;
	struct text rel;
};

static int visit(struct walker *w, const struct dirent *d, struct fail *f)
{
	int err;

	if (is_passed_over(d, w->depth))
		return 0;
	text_cut(&w->rel, w->levels[w->depth - 1].path_len);
	text_add(&w->rel, "%s%s", w->rel.size ? "/" : "", d->d_name);
	if (w->rel.failed)
		return fail(f, -ENOMEM, "no memory");
	if (w->depth == DEPTH || d->d_type == DT_REG)
		return add(w->scan, w->root, w->rel.p, f);
	err = open_level(&w->levels[w->depth], w->root, &w->rel, f);
	if (err == -ENOTDIR)
		return add(w->scan, w->root, w->rel.p, f);
	w->depth += !err;
	return err;
}

static int walk(struct scan *scan, const char *root, struct fail *f)
{
	struct walker w = { .scan = scan, .root = root };
	int err;

	err = open_level(&w.levels[0], root, &w.rel, f);
	w.depth = !err;
	while (!err && w.depth) {
		struct level *level = &w.levels[w.depth - 1];
		const struct dirent *d;

		errno = 0;
		/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): it is open */
		d = readdir(level->dir);
		if (d) {
			err = visit(&w, d, f);
		} else if (errno) {
			err = fail(f, -errno, "cannot read a folder below %s", root);
		} else {
			closedir(level->dir);
			w.depth--;
		}
	}
	while (w.depth)
		closedir(w.levels[--w.depth].dir);
	text_free(&w.rel);
	return err;
}

static int compare(const void *a, const void *b)
{
	const struct scan_entry *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* "x.btf" stands before "x.btf.tar.xz": of both, the later stays. */
static void drop_twins(struct scan *scan)
{
	size_t n = 0;

	for (size_t i = 0; i < scan->n; i++) {
		size_t len = strlen(scan->entries[i].path);

		if (i + 1 < scan->n &&
		    !strncmp(scan->entries[i].path, scan->entries[i + 1].path, len) &&
		    !strcmp(scan->entries[i + 1].path + len, ".tar.xz"))
			free(scan->entries[i].path);
		else
			scan->entries[n++] = scan->entries[i];
	}
	scan->n = n;
}

int scan_archive(const char *root, struct scan *ret_scan, struct fail *f)
{
	struct scan scan = { 0 };
	int err;

	err = walk(&scan, root, f);
	if (err) {
		scan_free(&scan);
		return err;
	}
	if (scan.n)
		qsort(scan.entries, scan.n, sizeof(*scan.entries), compare);
	drop_twins(&scan);
	*ret_scan = scan;
	return 0;
}

void scan_free(struct scan *scan)
{
	for (size_t i = 0; i < scan->n; i++)
		free(scan->entries[i].path);
	free(scan->entries);
	*scan = (struct scan){ 0 };
}

static bool covers(const char *pattern, const struct kernel *k)
{
	char path[LAYOUT_PATH_SIZE];

	if (!strchr(pattern, '/'))
		return !fnmatch(pattern, k->release, FNM_PATHNAME);
	if (layout_path(k, LAYOUT_RAW, path, NULL))
		return false;
	path[strlen(path) - strlen(".btf")] = '\0';
	return !fnmatch(pattern, path, FNM_PATHNAME);
}

static void apply(const struct scan *scan, const char *pattern, bool *keep, struct text *unused)
{
	bool used = false;

	for (size_t i = 0; i < scan->n; i++) {
		if (!covers(pattern, &scan->entries[i].kernel))
			continue;
		keep[i] = true;
		used = true;
	}
	if (!used)
		text_add(unused, "%s\n", pattern);
}

static void keep_only(struct scan *scan, const bool *keep)
{
	size_t n = 0;

	for (size_t i = 0; i < scan->n; i++) {
		if (keep[i])
			scan->entries[n++] = scan->entries[i];
		else
			free(scan->entries[i].path);
	}
	scan->n = n;
}

int scan_select(struct scan *scan, const char *list, struct text *ret_unused, struct fail *f)
{
	char *data = NULL, *save, *line;
	size_t size;
	struct text text = { 0 };
	bool *keep;
	int err;

	err = hostfile_read(NULL, list, SCAN_MAX_LIST, &data, &size, f);
	if (err)
		return err;
	keep = calloc(scan->n + 1, sizeof(*keep));
	text_bytes(&text, data, size);
	free(data);
	if (!keep || text.failed) {
		free(keep);
		text_free(&text);
		return fail(f, -ENOMEM, "no memory");
	}
	for (line = strtok_r(text.p, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save)) {
		line += strspn(line, " \t");
		line[strcspn(line, " \t")] = '\0';
		if (*line && *line != '#')
			apply(scan, line, keep, ret_unused);
	}
	keep_only(scan, keep);
	free(keep);
	text_free(&text);
	return ret_unused->failed ? fail(f, -ENOMEM, "no memory") : 0;
}

void scan_select_arch(struct scan *scan, const char *arch)
{
	size_t n = 0;

	for (size_t i = 0; i < scan->n; i++) {
		if (!strcmp(scan->entries[i].kernel.arch, arch))
			scan->entries[n++] = scan->entries[i];
		else
			free(scan->entries[i].path);
	}
	scan->n = n;
}

void scan_select_shard(struct scan *scan, const char *root, unsigned shard, unsigned n_shards)
{
	size_t n = 0;

	for (size_t i = 0; i < scan->n; i++) {
		const char *rel = scan->entries[i].path + strlen(root);

		if (names_hash(rel, strlen(rel)) % n_shards == shard - 1)
			scan->entries[n++] = scan->entries[i];
		else
			free(scan->entries[i].path);
	}
	scan->n = n;
}

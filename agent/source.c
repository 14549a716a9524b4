// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "source.h"
#include "accept.h"
#include "cache.h"
#include "depot.h"
#include "file.h"
#include "identity.h"
#include "place.h"
#include "btfs/archive.h"
#include "btfs/fetch.h"
#include "btfs/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOURCE_KERNEL_BTF "/sys/kernel/btf/vmlinux"

/*
 * The kernel made this file itself, so only its beginning is looked at: a header newer than this
 * library is no reason to fetch something else.
 */
static int look_at_kernel_btf(const char *path, struct fail *f)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	uint16_t magic = 0;
	ssize_t n;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return -ENOENT;
	if (fd < 0)
		return fail(f, -EACCES, "cannot be read: %s", strerror(errno));
	n = read(fd, &magic, sizeof(magic));
	close(fd);
	if (n != sizeof(magic) || magic != 0xeb9f)
		return fail(f, -EBADMSG, "is not a BTF of this machine");
	return 0;
}

static int kernel_has_none(struct btfdepot *depot, const char *path, uint64_t since)
{
	char where[PATH_MAX];

	if (identity_config(depot->opts.host_root, &depot->kernel, where, sizeof(where)) ==
	    IDENTITY_BTF_INVISIBLE)
		return depot_answer(depot, "kernel", path, since, -ENOENT,
				    "is not visible, but %s says that this kernel has BTF: "
				    "is /sys mounted here?",
				    where);
	return depot_answer(depot, "kernel", path, since, -ENOENT,
			    *where ? "is not there: this kernel was built without BTF"
				   : "is not there");
}

/* Of another kernel than the running one nothing can be seen, unless the options name its BTF. */
int source_kernel(struct btfdepot *depot, struct found *ret_found)
{
	const char *given = depot->opts.kernel_btf, *path = given ? given : SOURCE_KERNEL_BTF;
	struct found found = { .verdict = BTFDEPOT_NATIVE };
	uint64_t since = fetch_now_ms();
	struct fail f = { "" };
	int err;

	if (!given && identity_is_foreign(&depot->opts))
		return -ENOENT;
	err = look_at_kernel_btf(path, &f);
	if (err == -ENOENT)
		return kernel_has_none(depot, path, since);
	if (err)
		return depot_answer(depot, "kernel", path, since, err, "%s", f.text);
	found.path = strdup(path);
	if (!found.path)
		return -ENOMEM;
	*ret_found = found;
	depot->own_elsewhere = given && strcmp(given, SOURCE_KERNEL_BTF);
	return depot_answer(depot, "kernel", path, since, 0, "the kernel's own BTF");
}

int source_path(struct btfdepot *depot, struct found *ret_found)
{
	struct found found = { .verdict = BTFDEPOT_EXPLICIT };
	const char *path = depot->opts.btf_path;
	uint64_t since = fetch_now_ms();
	struct fail f = { "" };
	void *data;
	size_t size;
	int err;

	if (!path || !*path)
		return -ENOENT;
	err = file_read(path, ARCHIVE_MAX_FILE, &data, &size, &f);
	if (!err) {
		err = depot_unpack(depot, data, size, &found, &f);
		free(data);
	}
	if (err)
		return depot_answer(depot, "path", path, since, err, "%s", f.text);
	*ret_found = found;
	return depot_answer(depot, "path", path, since, 0,
			    "%zu bytes, as told; not checked whether "
			    "they are for this kernel",
			    found.size);
}

int source_cache(struct btfdepot *depot, struct found *ret_found)
{
	uint64_t since = fetch_now_ms();
	struct fail f = { "" };
	int err;

	if (!*depot->opts.cache_dir)
		return -ENOENT;
	err = cache_open(depot->opts.cache_dir, depot->opts.cache_max_bytes, &depot->kernel,
			 depot->need_id, &depot->cache, &f);
	if (err)
		return depot_answer(depot, "cache", depot->opts.cache_dir, since, err, "%s",
				    f.text);
	err = cache_get(depot->cache, depot->opts.max_btf_bytes, ret_found, &f);
	if (err == -ENOENT)
		return depot_answer(depot, "cache", depot->opts.cache_dir, since, err, "%s",
				    f.text);
	if (err)
		return depot_answer(depot, "cache", depot->opts.cache_dir, since, err,
				    "%s: entry removed", f.text);
	return depot_answer(depot, "cache", depot->opts.cache_dir, since, 0, "%zu bytes (%s)",
			    ret_found->size, btfdepot__verdict_name(ret_found->verdict));
}

static int read_place(struct btfdepot *depot, const char *path, const struct place *place,
		      struct found *ret_found, struct fail *f)
{
	size_t max = place->form == PLACE_FULL ? ARCHIVE_MAX_BTF : depot->opts.max_btf_bytes;
	struct found found = { .verdict = place->verdict };
	size_t size;
	void *data;
	int err;

	err = file_read(path, max, &data, &size, f);
	if (err)
		return err;
	if (place->form == PLACE_FULL) {
		err = depot_unpack(depot, data, size, &found, f);
		free(data);
	} else {
		found.data = data;
		found.size = size;
		err = accept_btf(data, size, depot->kernel.arch, f);
	}
	if (err && place->form == PLACE_MIN)
		free(data);
	if (!err)
		*ret_found = found;
	return err;
}

/* The marker of archives for kernels that need no file here. */
static int tree_has_none(struct btfdepot *depot, const char *tree, uint64_t since)
{
	char path[LAYOUT_PATH_SIZE], full[PATH_MAX];

	if (!layout_path(&depot->kernel, LAYOUT_HASBTF, path, NULL) &&
	    snprintf(full, sizeof(full), "%s/%s", tree, path) < (int)sizeof(full) &&
	    !access(full, F_OK))
		return depot_answer(
			depot, "tree", tree, since, -ENOENT,
			"says that this kernel ships its own BTF: is /sys mounted here?");
	if (access(tree, F_OK))
		return depot_answer(depot, "tree", tree, since, -ENOENT, "%s", strerror(errno));
	return depot_answer(depot, "tree", tree, since, -ENOENT, "has none for %s %s",
			    depot->kernel.arch, depot->kernel.release);
}

static int ask_tree(struct btfdepot *depot, const char *tree, struct found *ret_found)
{
	struct place places[PLACE_MAX];
	size_t i, n = place_list(&depot->kernel, depot->need_id, places);
	uint64_t since = fetch_now_ms();
	struct fail f = { "" };
	char path[PATH_MAX];
	int err;

	for (i = 0; i < n; i++) {
		if (snprintf(path, sizeof(path), "%s/%s", tree, places[i].path) >=
		    (int)sizeof(path))
			break;
		err = read_place(depot, path, &places[i], ret_found, &f);
		depot_log(depot, BTFDEPOT_LOG_DEBUG, "%s: %s", path, err ? f.text : "accepted");
		if (err == -ENOENT)
			continue;
		if (err)
			return depot_answer(depot, "tree", tree, since, err, "%s: %s",
					    places[i].path, f.text);
		return depot_answer(depot, "tree", tree, since, 0, "%s, %zu bytes (%s)",
				    places[i].path, ret_found->size,
				    btfdepot__verdict_name(ret_found->verdict));
	}
	return tree_has_none(depot, tree, since);
}

int source_trees(struct btfdepot *depot, struct found *ret_found)
{
	const char *const *tree = depot->opts.trees;
	int err = -ENOENT;

	for (; tree && *tree; tree++) {
		err = ask_tree(depot, *tree, ret_found);
		if (!err || err == -ENOMEM)
			return err;
	}
	return err;
}

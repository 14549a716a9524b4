// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "tree.h"
#include "btfs/digest.h"
#include "btfs/fail.h"
#include "btfs/kernel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The bytes behind one or more names (equal minimised files are hard links), shared by snapshots.
 */
struct tree_blob {
	atomic_uint refs;
	dev_t dev;
	ino_t ino;
	size_t size;
	struct timespec mtime, ctime;
	char sha256[DIGEST_HEX_SIZE];
	void *data; /* NULL: not held */
};

struct tree {
	atomic_uint refs;
	int root_fd;
	struct tree_file *files; /* sorted by path */
	size_t n_files, max_files;
	struct tree_blob *
		*blobs; /* open addressing by device and inode; max_blobs is a power of 2 */
	size_t n_blobs, max_blobs;
	size_t held_bytes, bytes;
};

struct load {
	struct tree *tree;
	const struct tree *previous;
	struct tree_notes notes;
	struct fail *f;
};

/* What a name ends in, and how that is told to clients. The first that fits counts. */
static const struct {
	const char *suffix;
	const char *type;
} types[] = {
	{ ".btf", "application/octet-stream" },
	{ ".btf.tar.xz", "application/x-xz" },
	{ ".json", "application/json" },
	{ ".tsv", "text/tab-separated-values" },
	{ ".txt", "text/plain; charset=utf-8" },
	{ ".minisig", "text/plain; charset=utf-8" },
	{ ".hasbtf", "text/plain; charset=utf-8" },
	{ ".failed", "text/plain; charset=utf-8" },
};

static const char *type_of(const char *name)
{
	size_t length = strlen(name), i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		size_t n = strlen(types[i].suffix);

		if (length > n && strcmp(name + length - n, types[i].suffix) == 0)
			return types[i].type;
	}
	return NULL;
}

static void blob_unref(struct tree_blob *blob)
{
	if (!blob || atomic_fetch_sub(&blob->refs, 1) != 1)
		return;
	free(blob->data);
	free(blob);
}

static size_t blob_slot(const struct tree *tree, dev_t dev, ino_t ino)
{
	uint64_t hash = ((uint64_t)ino ^ (uint64_t)dev << 40) * 0x9e3779b97f4a7c15u;
	size_t i = (size_t)(hash >> 20) & (tree->max_blobs - 1);

	while (tree->blobs[i] && (tree->blobs[i]->ino != ino || tree->blobs[i]->dev != dev))
		i = (i + 1) & (tree->max_blobs - 1);
	return i;
}

static int same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static int blob_is(const struct tree_blob *blob, const struct stat *st)
{
	return blob->dev == st->st_dev && blob->ino == st->st_ino &&
	       blob->size == (size_t)st->st_size && same_time(blob->mtime, st->st_mtim) &&
	       same_time(blob->ctime, st->st_ctim);
}

static struct tree_blob *blob_known(const struct tree *tree, const struct stat *st)
{
	struct tree_blob *blob;

	if (!tree || !tree->max_blobs)
		return NULL;
	blob = tree->blobs[blob_slot(tree, st->st_dev, st->st_ino)];
	return blob && blob_is(blob, st) ? blob : NULL;
}

static int blobs_grow(struct tree *tree)
{
	struct tree_blob **old = tree->blobs;
	size_t n = tree->max_blobs, i;

	if (tree->n_blobs * 2 < n)
		return 0;
	tree->blobs = calloc(n ? n * 2 : 64, sizeof(*tree->blobs));
	if (!tree->blobs) {
		tree->blobs = old;
		return -ENOMEM;
	}
	tree->max_blobs = n ? n * 2 : 64;
	for (i = 0; i < n; i++)
		if (old[i])
			tree->blobs[blob_slot(tree, old[i]->dev, old[i]->ino)] = old[i];
	free(old);
	return 0;
}

/* Takes the reference. A blob of the same inode that was changed in between gives way; names that
 * were given to it keep it alive through their own references. */
static int blobs_add(struct tree *tree, struct tree_blob *blob)
{
	size_t i;

	if (blobs_grow(tree)) {
		blob_unref(blob);
		return -ENOMEM;
	}
	i = blob_slot(tree, blob->dev, blob->ino);
	if (tree->blobs[i])
		blob_unref(tree->blobs[i]);
	else
		tree->n_blobs++;
	tree->blobs[i] = blob;
	return 0;
}

static int skip(struct load *load, const char *path, const char *why)
{
	if (load->notes.skipped++ == 0)
		snprintf(load->notes.first, sizeof(load->notes.first), "%.400s %s", path, why);
	return 0;
}

/* Exactly size bytes and then the end; anything else means that somebody writes to it. */
static int read_whole(int fd, void *data, size_t size)
{
	size_t have = 0;
	ssize_t n;
	char more;

	while (have < size) {
		n = read(fd, (char *)data + have, size - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ESTALE;
		have += n;
	}
	n = read(fd, &more, 1);
	return n == 0 ? 0 : n < 0 ? -errno : -ESTALE;
}

/* The blob of an open file. -ESTALE: it changes while it is read. */
static int blob_read(struct tree *tree, int fd, const struct stat *st, struct tree_blob **ret_blob)
{
	struct tree_blob *blob = calloc(1, sizeof(*blob));
	size_t size = st->st_size;
	struct stat after;
	int err = -ENOMEM;

	if (!blob)
		return err;
	atomic_init(&blob->refs, 1);
	blob->dev = st->st_dev;
	blob->ino = st->st_ino;
	blob->size = size;
	blob->mtime = st->st_mtim;
	blob->ctime = st->st_ctim;
	blob->data = malloc(size ? size : 1);
	if (!blob->data)
		goto out;
	err = read_whole(fd, blob->data, size);
	if (err)
		goto out;
	err = fstat(fd, &after) ? -errno : same_time(after.st_mtim, st->st_mtim) ? 0 : -ESTALE;
	if (err)
		goto out;
	digest_hex(blob->data, size, blob->sha256);
	if (size > TREE_MAX_HELD || tree->held_bytes + size > TREE_HELD_TOTAL) {
		free(blob->data);
		blob->data = NULL;
	}
	*ret_blob = blob;
	blob = NULL;
out:
	blob_unref(blob);
	return err;
}

/* The blob of this file: known in this snapshot, in the one before, or read now. */
static int blob_get(struct load *load, int fd, const struct stat *st, struct tree_blob **ret_blob)
{
	struct tree *tree = load->tree;
	struct tree_blob *blob = blob_known(tree, st);
	int err;

	if (blob) {
		*ret_blob = blob;
		return 0;
	}
	blob = blob_known(load->previous, st);
	if (blob) {
		atomic_fetch_add(&blob->refs, 1);
	} else {
		err = blob_read(tree, fd, st, &blob);
		if (err)
			return err;
	}
	err = blobs_add(tree, blob);
	if (err)
		return err;
	tree->held_bytes += blob->data ? blob->size : 0;
	*ret_blob = blob;
	return 0;
}

/* Whether one component of the path, up to a suffix, is this digest. */
static int is_named(const char *path, const char *sha256)
{
	const char *at = strstr(path, sha256);
	size_t n = DIGEST_HEX_SIZE - 1;

	return at && (at == path || at[-1] == '/') && (at[n] == '/' || at[n] == '.');
}

static int add_file(struct load *load, const char *path, struct tree_blob *blob)
{
	struct tree *tree = load->tree;
	struct tree_file *files = tree->files;
	size_t n = tree->max_files;

	if (tree->n_files == TREE_MAX_FILES)
		return fail(load->f, -E2BIG, "more than %u files; serve parts of the tree apart",
			    TREE_MAX_FILES);
	if (tree->n_files == n) {
		n = n ? n * 2 : 256;
		files = reallocarray(files, n, sizeof(*files));
		if (!files)
			return fail(load->f, -ENOMEM, "no memory for %zu files", n);
		tree->files = files;
		tree->max_files = n;
	}
	files += tree->n_files;
	*files = (struct tree_file){ .type = type_of(path),
				     .blob = blob,
				     .size = blob->size,
				     .sha256 = blob->sha256,
				     .data = blob->data };
	files->path = strdup(path);
	if (!files->path)
		return fail(load->f, -ENOMEM, "no memory for %s", path);
	files->is_named_by_digest = is_named(path, blob->sha256);
	atomic_fetch_add(&blob->refs, 1);
	tree->n_files++;
	tree->bytes += blob->size;
	return 0;
}

static int load_file(struct load *load, int dir_fd, const char *name, const char *path)
{
	struct tree_blob *blob;
	struct stat st;
	int fd, err;

	/* O_NONBLOCK: a FIFO must not hold us up. */
	fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? 0 : skip(load, path, "can't be read");
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		err = skip(load, path, "is no regular file");
	else if (st.st_size > TREE_MAX_FILE)
		err = skip(load, path, "is too big");
	else if ((err = blob_get(load, fd, &st, &blob)) == 0)
		err = add_file(load, path, blob);
	else if (err == -ENOMEM)
		err = fail(load->f, err, "no memory for %s", path);
	else
		err = skip(load, path, "changes while it is read; files must appear by rename");
	close(fd);
	return err;
}

static int load_folder(struct load *load, int fd, const char *path, unsigned int depth);

static int load_entry(struct load *load, int dir_fd, const char *folder, const char *name,
		      unsigned int depth)
{
	char path[TREE_MAX_PATH];
	struct stat st;
	int fd;

	if (name[0] == '.')
		return 0;
	if (snprintf(path, sizeof(path), "%s%s%s", folder, *folder ? "/" : "", name) >=
	    (int)sizeof(path))
		return skip(load, folder, "holds a name that is too long");
	if (!kernel_name_ok(name))
		return skip(load, path, "has bytes that no name in a tree may have");
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : skip(load, path, "can't be read");
	if (S_ISLNK(st.st_mode))
		return skip(load, path, "is a symbolic link, which are not followed");
	if (!S_ISDIR(st.st_mode) && !type_of(name))
		return skip(load, path, "has a suffix that is not served");
	if (!S_ISDIR(st.st_mode))
		return load_file(load, dir_fd, name, path);
	if (depth == TREE_MAX_DEPTH)
		return skip(load, path, "lies too deep");
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : skip(load, path, "can't be read");
	return load_folder(load, fd, path, depth + 1);
}

/* Takes fd. Recursion ends at TREE_MAX_DEPTH. */
static int load_folder(struct load *load, int fd, const char *path, unsigned int depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int err = 0;

	if (!dir) {
		close(fd);
		return skip(load, path, "can't be read");
	}
	while (!err && (errno = 0, entry = readdir(dir)) != NULL)
		err = load_entry(load, fd, path, entry->d_name, depth);
	if (!err && errno)
		err = skip(load, *path ? path : "the root", "can't be read to its end");
	closedir(dir);
	return err;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct tree_file *)a)->path, ((const struct tree_file *)b)->path);
}

static void tree_free(struct tree *tree)
{
	size_t i;

	if (!tree)
		return;
	for (i = 0; i < tree->n_files; i++) {
		free((char *)tree->files[i].path);
		blob_unref((struct tree_blob *)tree->files[i].blob);
	}
	for (i = 0; i < tree->max_blobs; i++)
		blob_unref(tree->blobs[i]);
	if (tree->root_fd >= 0)
		close(tree->root_fd);
	free(tree->files);
	free(tree->blobs);
	free(tree);
}

int tree_load(const char *root, const struct tree *previous, struct tree **ret_tree,
	      struct tree_notes *ret_notes, struct fail *f)
{
	struct load load = { .previous = previous, .f = f };
	struct tree *tree = calloc(1, sizeof(*tree));
	int fd, err;

	if (!tree)
		return fail(f, -ENOMEM, "no memory");
	atomic_init(&tree->refs, 1);
	load.tree = tree;
	tree->root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = tree->root_fd < 0 ? -1
			       : openat(tree->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		err = fail(f, -errno, "can't open the folder %s: %s", root, strerror(errno));
		goto out;
	}
	err = load_folder(&load, fd, "", 0);
	if (err)
		goto out;
	if (tree->n_files)
		qsort(tree->files, tree->n_files, sizeof(*tree->files), by_path);
	*ret_notes = load.notes;
	*ret_tree = tree;
	tree = NULL;
out:
	tree_free(tree);
	return err;
}

struct tree *tree_ref(struct tree *tree)
{
	atomic_fetch_add(&tree->refs, 1);
	return tree;
}

void tree_unref(struct tree *tree)
{
	if (tree && atomic_fetch_sub(&tree->refs, 1) == 1)
		tree_free(tree);
}

const struct tree_file *tree_find(const struct tree *tree, const char *path)
{
	struct tree_file key = { .path = path };

	if (!tree->n_files)
		return NULL;
	return bsearch(&key, tree->files, tree->n_files, sizeof(key), by_path);
}

size_t tree_count(const struct tree *tree)
{
	return tree->n_files;
}

size_t tree_bytes(const struct tree *tree)
{
	return tree->bytes;
}

/* Folder by folder: O_NOFOLLOW speaks of the last component only. */
static int open_below(int root_fd, const char *path)
{
	char part[TREE_MAX_PATH];
	int at = root_fd, fd;

	for (;;) {
		size_t n = strcspn(path, "/");
		int more = path[n] == '/';

		memcpy(part, path, n);
		part[n] = '\0';
		fd = openat(at, part,
			    O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK |
				    (more ? O_DIRECTORY : 0));
		if (fd < 0)
			fd = -errno;
		if (at != root_fd)
			close(at);
		if (fd < 0 || !more)
			return fd;
		at = fd;
		path += n + 1;
	}
}

int tree_open(const struct tree *tree, const struct tree_file *file, struct fail *f)
{
	const struct tree_blob *blob = file->blob;
	struct stat st;
	int fd = open_below(tree->root_fd, file->path);

	if (fd < 0 && fd != -ENOENT && fd != -ELOOP && fd != -ENOTDIR)
		return fail(f, fd, "can't open %s: %s", file->path, strerror(-fd));
	/* Not ctime: it also moves when another name is linked to the same bytes. */
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_dev == blob->dev && st.st_ino == blob->ino &&
	    (size_t)st.st_size == blob->size && same_time(st.st_mtim, blob->mtime))
		return fd;
	if (fd >= 0)
		close(fd);
	return fail(f, -ESTALE, "%s is not the file that was read", file->path);
}

struct tree *tree_slot_get(struct tree_slot *slot)
{
	struct tree *tree;

	pthread_mutex_lock(&slot->lock);
	tree = tree_ref(slot->tree);
	pthread_mutex_unlock(&slot->lock);
	return tree;
}

void tree_slot_put(struct tree_slot *slot, struct tree *tree)
{
	struct tree *old;

	pthread_mutex_lock(&slot->lock);
	old = slot->tree;
	slot->tree = tree;
	pthread_mutex_unlock(&slot->lock);
	tree_unref(old);
}

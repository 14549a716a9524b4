// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "work.h"

#include "btfs/digest.h"
#include "btfs/fail.h"
#include "btfs/text.h"
#include "btfs/view.h"
#include "bulk.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "btfgenw1"

/* What stands behind the BTF in a copy: of which file it was made, and what it is. */
struct footer {
	char magic[8];
	uint64_t source_size, source_inode;
	int64_t source_mtime_ns, source_ctime_ns;
	uint64_t size; /* bytes of the BTF */
	uint32_t modules_from, unused;
};

struct work {
	char *folder;
	size_t archive_len; /* of the archive's path, which starts every source's */
	struct bulk *bulk;
	atomic_uint_fast64_t bytes; /* of all copies */
	uint64_t max_bytes;
};

static int64_t nanoseconds(struct timespec t)
{
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static int describe(const char *source, struct footer *ret)
{
	struct stat st;

	if (stat(source, &st))
		return -errno;
	*ret = (struct footer){
		.source_size = st.st_size,
		.source_inode = st.st_ino,
		.source_mtime_ns = nanoseconds(st.st_mtim),
		.source_ctime_ns = nanoseconds(st.st_ctim),
	};
	memcpy(ret->magic, MAGIC, sizeof(ret->magic));
	return 0;
}

/* Copies are found by root or by the one who made them only: what they hold is not checked again.
 */
static bool is_ours(const char *folder)
{
	struct stat st;

	return !lstat(folder, &st) && S_ISDIR(st.st_mode) && !(st.st_mode & 022) &&
	       (st.st_uid == geteuid() || st.st_uid == 0);
}

static void cache_folder(const char *archive, struct text *t)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char *real = realpath(archive, NULL), digest[DIGEST_HEX_SIZE];

	if (!real)
		return;
	digest_hex(real, strlen(real), digest);
	if (cache && *cache == '/')
		text_add(t, "%s/btfgen/%.16s", cache, digest);
	else if (home && *home == '/')
		text_add(t, "%s/.cache/btfgen/%.16s", home, digest);
	free(real);
}

/* What has no write permission is not meant to be written, not even by root, who could. */
static bool is_writable(const char *folder)
{
	struct stat st;

	return !stat(folder, &st) && (st.st_mode & 0222) && !access(folder, W_OK);
}

/* The folder that was named, or the first of the usual two that can be written. */
static struct bulk *open_folder(const struct work_options *o, struct text *folder)
{
	struct bulk *bulk = NULL;

	if (o->folder) {
		text_add(folder, "%s", o->folder);
	} else if (is_writable(o->archive)) {
		text_add(folder, "%s/" WORK_FOLDER, o->archive);
	} else {
		cache_folder(o->archive, folder);
	}
	if (!folder->size || folder->failed || bulk_new(folder->p, &bulk, NULL))
		return NULL;
	if (is_ours(folder->p))
		return bulk;
	bulk_free(bulk);
	return NULL;
}

static _Thread_local uint64_t counted; /* nftw gives its callback no context */

static int count(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)path;
	(void)at;
	if (type == FTW_F)
		counted += st->st_size;
	return 0;
}

int work_open(const struct work_options *options, struct work **ret_work, struct fail *f)
{
	struct work *work = calloc(1, sizeof(*work));
	struct text folder = { 0 };

	if (!work)
		return fail(f, -ENOMEM, "no memory");
	work->bulk = open_folder(options, &folder);
	if (!work->bulk) {
		free(work);
		text_free(&folder);
		if (options->folder)
			return fail(f, -EACCES,
				    "%s: cannot keep copies there; it has to be a folder that only "
				    "its owner, you or root, can write",
				    options->folder);
		*ret_work = NULL;
		return 0;
	}
	work->folder = folder.p;
	work->archive_len = strlen(options->archive);
	work->max_bytes = (options->max_mib ? options->max_mib : WORK_MAX_MIB) << 20;
	counted = 0;
	nftw(work->folder, count, 16, FTW_PHYS);
	work->bytes = counted;
	*ret_work = work;
	return 0;
}

void work_close(struct work *work)
{
	if (!work)
		return;
	bulk_flush(work->bulk, NULL);
	bulk_free(work->bulk);
	free(work->folder);
	free(work);
}

/* NULL: no memory. */
static char *copy_path(const struct work *work, const char *source)
{
	struct text t = { 0 };

	text_add(&t, "%s%s", work->folder, source + work->archive_len);
	if (t.failed)
		text_free(&t);
	return t.p;
}

static bool is_current(const struct footer *is, const struct footer *want, uint64_t file_size)
{
	struct footer same = *want;

	same.size = is->size;
	same.modules_from = is->modules_from;
	return !memcmp(is, &same, sizeof(same)) && is->size == file_size - sizeof(same);
}

static int map_copy(const char *path, const struct footer *want, struct work_copy *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), err = -ENOENT;
	struct footer is;
	struct stat st;
	void *map;

	if (fd < 0)
		return -ENOENT;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size <= (off_t)sizeof(is) ||
	    pread(fd, &is, sizeof(is), st.st_size - sizeof(is)) != sizeof(is) ||
	    !is_current(&is, want, st.st_size))
		goto out;
	map = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		goto out;
	*ret = (struct work_copy){ map, st.st_size, is.size, is.modules_from };
	err = 0;
out:
	close(fd);
	return err;
}

int work_find(struct work *work, const char *source, struct work_copy *ret_copy)
{
	struct footer want;
	char *path;
	int err;

	if (!work || describe(source, &want))
		return -ENOENT;
	path = copy_path(work, source);
	err = path ? map_copy(path, &want, ret_copy) : -ENOENT;
	free(path);
	return err;
}

void work_add(struct work *work, const char *source, const struct view *view)
{
	char digest[DIGEST_HEX_SIZE], *path;
	struct text data = { 0 };
	struct footer footer;

	if (!work || work->bytes + view->size > work->max_bytes || describe(source, &footer))
		return;
	footer.size = view->size;
	footer.modules_from = view->modules_from;
	text_bytes(&data, view->data, view->size);
	text_bytes(&data, &footer, sizeof(footer));
	path = copy_path(work, source);
	if (path && !data.failed) {
		struct bulk_file file = { path, digest, data.p, data.size };

		/* no two copies are equal: their footers differ, so the path's digest will do */
		digest_hex(path, strlen(path), digest);
		if (!bulk_put(work->bulk, &file, NULL))
			work->bytes += data.size;
	}
	free(path);
	text_free(&data);
}

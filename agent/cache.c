// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "cache.h"
#include "accept.h"
#include "depot.h"
#include "file.h"
#include "btfs/digest.h"
#include "btfs/fail.h"
#include "btfs/kernel.h"
#include "btfs/publish.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CACHE_MAX_WHO	1024 /* bytes of an identity, all fields full */
#define CACHE_MAX_TEXT	2048 /* bytes of an index or neg file */
#define CACHE_TMP_OLD_S 3600 /* a temporary file as old as this has nobody who writes it */

enum folder { INDEX, BLOB, NEG, N_FOLDERS };

static const char *const folder_names[N_FOLDERS] = { "index", "blob", "neg" };

struct cache {
	char *dir;
	int fds[N_FOLDERS];
	uint64_t max_bytes;
	const struct kernel *kernel;
	char who[CACHE_MAX_WHO]; /* the identity, as an index file begins */
	char key[DIGEST_HEX_SIZE];
};

/* What an index file says after the identity. */
struct entry {
	enum btfdepot_verdict verdict;
	char sha256[DIGEST_HEX_SIZE];
	size_t size;
};

static int check_folder(int fd, struct fail *f)
{
	struct stat st;

	if (fstat(fd, &st))
		return fail(f, -errno, "%s", strerror(errno));
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return fail(f, -EPERM, "belongs to user %u, not to us: not used",
			    (unsigned)st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return fail(f, -EPERM, "is writable for others (mode %04o): not used",
			    st.st_mode & 07777u);
	return 0;
}

/* O_NOFOLLOW with O_DIRECTORY: a symbolic link gives ENOTDIR. */
static int open_folder(int at, const char *name, int *ret_fd, struct fail *f)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int err;

	if (fd < 0 && errno == ENOTDIR)
		return fail(f, -EPERM, "is a symbolic link or no folder: not used");
	if (fd < 0)
		return fail(f, -errno, "%s", strerror(errno));
	err = check_folder(fd, f);
	if (err) {
		close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

static int open_folders(struct cache *cache, int dir, struct fail *f)
{
	size_t i;
	int err;

	for (i = 0; i < N_FOLDERS; i++) {
		if (mkdirat(dir, folder_names[i], 0700) && errno != EEXIST)
			return fail(f, -errno, "cannot make %s: %s", folder_names[i],
				    strerror(errno));
		err = open_folder(dir, folder_names[i], &cache->fds[i], f);
		if (err)
			return fail_in(f, err, "%s", folder_names[i]);
	}
	return 0;
}

static void describe(struct cache *cache, const char *need_id)
{
	const struct kernel *k = cache->kernel;

	snprintf(cache->who, sizeof(cache->who),
		 "btfdepot-cache 1\narch %s\nrelease %s\nversion %s\nbuild-id %s\nneed %s\n",
		 k->arch, k->release, k->version, k->build_id, need_id);
	digest_hex(cache->who, strlen(cache->who), cache->key);
}

int cache_open(const char *dir, uint64_t max_bytes, const struct kernel *kernel,
	       const char *need_id, struct cache **ret_cache, struct fail *f)
{
	struct cache *cache = calloc(1, sizeof(*cache));
	char inside[PATH_MAX];
	int fd = -1, err;

	if (!cache)
		return fail(f, -ENOMEM, "no memory");
	memset(cache->fds, -1, sizeof(cache->fds));
	cache->max_bytes = max_bytes ? max_bytes : CACHE_DEFAULT_BYTES;
	cache->kernel = kernel;
	cache->dir = strdup(dir);
	err = cache->dir ? 0 : fail(f, -ENOMEM, "no memory");
	snprintf(inside, sizeof(inside), "%s/.", dir);
	if (!err && access(dir, F_OK) && errno == ENOENT)
		err = publish_parents(inside, 0700, f);
	if (!err)
		err = open_folder(AT_FDCWD, dir, &fd, f);
	if (!err)
		err = open_folders(cache, fd, f);
	if (fd >= 0)
		close(fd);
	if (err) {
		cache_free(cache);
		return err;
	}
	describe(cache, need_id);
	*ret_cache = cache;
	return 0;
}

void cache_free(struct cache *cache)
{
	size_t i;

	if (!cache)
		return;
	for (i = 0; i < N_FOLDERS; i++)
		if (cache->fds[i] >= 0)
			close(cache->fds[i]);
	free(cache->dir);
	free(cache);
}

static int check_entry(int fd, struct fail *f)
{
	struct stat st;

	if (fstat(fd, &st))
		return fail(f, -errno, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fail(f, -EPERM, "is not a regular file");
	if (st.st_nlink != 1)
		return fail(f, -EPERM, "has %lu names", (unsigned long)st.st_nlink);
	return check_folder(fd, f);
}

/* O_NONBLOCK: a planted FIFO must not hold us. */
static int open_entry(struct cache *cache, enum folder folder, const char *name, int *ret_fd,
		      struct fail *f)
{
	int fd = openat(cache->fds[folder], name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int err;

	if (fd < 0 && errno == ENOENT)
		return fail(f, -ENOENT, "%s file is missing", folder_names[folder]);
	if (fd < 0 && errno == ELOOP)
		return fail(f, -EPERM, "%s file is a symbolic link", folder_names[folder]);
	if (fd < 0)
		return fail(f, -errno, "%s file: %s", folder_names[folder], strerror(errno));
	err = check_entry(fd, f);
	if (err) {
		close(fd);
		return fail_in(f, err, "%s file", folder_names[folder]);
	}
	*ret_fd = fd;
	return 0;
}

/* Reads a small text; NUL bytes inside end it, which makes it malformed. */
static int read_text(struct cache *cache, enum folder folder, const char *name,
		     char text[CACHE_MAX_TEXT], struct fail *f)
{
	size_t size;
	void *data;
	int fd, err;

	err = open_entry(cache, folder, name, &fd, f);
	if (err)
		return err;
	err = file_read_fd(fd, CACHE_MAX_TEXT - 1, &data, &size, f);
	close(fd);
	if (err)
		return fail_in(f, err, "%s file", folder_names[folder]);
	memcpy(text, data, size);
	text[size] = '\0';
	free(data);
	return 0;
}

static int put_text(struct cache *cache, enum folder folder, const char *name, const char *text,
		    struct fail *f)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s/%s", cache->dir, folder_names[folder], name);
	return publish_file(path, text, strlen(text), 0400, f);
}

static void entry_text(const struct cache *cache, const struct entry *entry,
		       char text[CACHE_MAX_TEXT])
{
	snprintf(text, CACHE_MAX_TEXT, "%sverdict %s\nsha256 %s\nsize %zu\n", cache->who,
		 btfdepot__verdict_name(entry->verdict), entry->sha256, entry->size);
}

/*
 * There is one way to write an entry: what was read is scanned, then written again and compared,
 * so that the scan may be lenient. Only verdicts that a tree or a server can give are taken.
 */
static int parse_entry(const struct cache *cache, const char *text, struct entry *ret_entry,
		       struct fail *f)
{
	static const enum btfdepot_verdict kept[] = { BTFDEPOT_EXACT, BTFDEPOT_ATTESTED,
						      BTFDEPOT_NAMED };
	size_t i, who = strlen(cache->who);
	char again[CACHE_MAX_TEXT], verdict[16];
	struct entry entry;

	if (strncmp(text, cache->who, who))
		return fail(f, -EBADMSG, "index file is for another kernel or need");
	if (sscanf(text + who, "verdict %15[a-z]\nsha256 %64[0-9a-f]\nsize %zu\n", verdict,
		   entry.sha256, &entry.size) != 3)
		return fail(f, -EBADMSG, "index file is damaged");
	for (i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		if (strcmp(verdict, btfdepot__verdict_name(kept[i])))
			continue;
		entry.verdict = kept[i];
		entry_text(cache, &entry, again);
		if (strcmp(again, text))
			break;
		*ret_entry = entry;
		return 0;
	}
	return fail(f, -EBADMSG, "index file is damaged");
}

static int read_blob(struct cache *cache, const struct entry *entry, size_t max_bytes,
		     struct found *ret_found, struct fail *f)
{
	struct found found = { .verdict = entry->verdict };
	char sha256[DIGEST_HEX_SIZE];
	int fd, err;

	err = open_entry(cache, BLOB, entry->sha256, &fd, f);
	if (err)
		return err;
	err = file_read_fd(fd, max_bytes, &found.data, &found.size, f);
	close(fd);
	if (err)
		return fail_in(f, err, "blob file");
	digest_hex(found.data, found.size, sha256);
	if (found.size != entry->size)
		err = fail(f, -EBADMSG, "blob file has %zu bytes, its index says %zu", found.size,
			   entry->size);
	else if (strcmp(sha256, entry->sha256))
		err = fail(f, -EBADMSG, "blob file's sha256 is not its name");
	else
		err = accept_btf(found.data, found.size, cache->kernel->arch, f);
	if (!err && asprintf(&found.path, "%s/blob/%s", cache->dir, sha256) < 0)
		err = fail(f, -ENOMEM, "no memory");
	if (err) {
		free(found.data);
		return err;
	}
	*ret_found = found;
	return 0;
}

void cache_drop(struct cache *cache)
{
	unlinkat(cache->fds[INDEX], cache->key, 0);
}

int cache_get(struct cache *cache, size_t max_bytes, struct found *ret_found, struct fail *f)
{
	char text[CACHE_MAX_TEXT];
	struct entry entry = { .sha256 = "" };
	int err;

	err = read_text(cache, INDEX, cache->key, text, f);
	if (err == -ENOENT)
		return fail(f, -ENOENT, "has no entry for this kernel and need");
	if (!err)
		err = parse_entry(cache, text, &entry, f);
	if (!err)
		err = read_blob(cache, &entry, max_bytes, ret_found, f);
	if (!err) {
		utimensat(cache->fds[BLOB], entry.sha256, NULL, 0);
		return 0;
	}
	cache_drop(cache);
	if (entry.sha256[0])
		unlinkat(cache->fds[BLOB], entry.sha256, 0);
	return err == -ENOENT ? -EBADMSG : err;
}

struct aged {
	char name[DIGEST_HEX_SIZE];
	struct timespec used;
	off_t size;
};

static int by_age(const void *a, const void *b)
{
	const struct aged *x = a, *y = b;

	if (x->used.tv_sec != y->used.tv_sec)
		return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
	if (x->used.tv_nsec != y->used.tv_nsec)
		return x->used.tv_nsec < y->used.tv_nsec ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Leftovers of killed writers go; other foreign names are not ours to touch. */
static bool is_entry(int folder, const char *name, const struct stat *st)
{
	if (digest_is_hex(name))
		return true;
	if (!strncmp(name, PUBLISH_TMP_PREFIX, strlen(PUBLISH_TMP_PREFIX)) &&
	    S_ISREG(st->st_mode) && st->st_mtime < time(NULL) - CACHE_TMP_OLD_S)
		unlinkat(folder, name, 0);
	return false;
}

/* Beyond room files the rest is left for the next time. NULL: not readable, or no memory. */
static struct aged *list_folder(int folder, size_t room, size_t *ret_n)
{
	struct aged *list = calloc(room, sizeof(*list));
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;
	struct stat st;
	size_t n = 0;

	if (!dir && fd >= 0)
		close(fd);
	while (list && dir && n < room && (d = readdir(dir))) {
		if (fstatat(folder, d->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
		    !is_entry(folder, d->d_name, &st))
			continue;
		memcpy(list[n].name, d->d_name, DIGEST_HEX_SIZE);
		list[n].used = st.st_mtim;
		list[n++].size = st.st_size;
	}
	if (!dir) {
		free(list);
		return NULL;
	}
	closedir(dir);
	*ret_n = n;
	return list;
}

/* Removes the files used longest ago until both bounds hold; the one named keep stays. */
static void trim(int folder, uint64_t max_bytes, size_t max_files, const char *keep)
{
	uint64_t bytes = 0;
	size_t i, n = 0, left;
	struct aged *list = list_folder(folder, 4 * CACHE_MAX_FILES, &n);

	if (!list)
		return;
	qsort(list, n, sizeof(*list), by_age);
	for (i = 0; i < n; i++)
		bytes += list[i].size;
	left = n;
	for (i = 0; i < n && (bytes > max_bytes || left > max_files); i++) {
		if (!strcmp(list[i].name, keep) || unlinkat(folder, list[i].name, 0))
			continue;
		bytes -= list[i].size;
		left--;
	}
	free(list);
}

int cache_put(struct cache *cache, struct found *found, struct fail *f)
{
	struct entry entry = { .verdict = found->verdict, .size = found->size };
	char text[CACHE_MAX_TEXT], *path = NULL;
	int err;

	if (found->size > cache->max_bytes)
		return fail(f, -E2BIG, "not kept: %zu bytes, the whole cache may have %llu",
			    found->size, (unsigned long long)cache->max_bytes);
	digest_hex(found->data, found->size, entry.sha256);
	if (asprintf(&path, "%s/blob/%s", cache->dir, entry.sha256) < 0)
		return fail(f, -ENOMEM, "no memory");
	err = publish_file(path, found->data, found->size, 0400, f);
	if (!err) {
		entry_text(cache, &entry, text);
		err = put_text(cache, INDEX, cache->key, text, f);
	}
	trim(cache->fds[BLOB], cache->max_bytes, CACHE_MAX_FILES, entry.sha256);
	trim(cache->fds[INDEX], UINT64_MAX, CACHE_MAX_FILES, cache->key);
	if (err) {
		free(path);
		return err;
	}
	free(found->path);
	found->path = path;
	return 0;
}

static void neg_key(const struct cache *cache, enum cache_neg what, const char *url,
		    char ret_key[DIGEST_HEX_SIZE])
{
	char text[4 * CACHE_MAX_TEXT];

	snprintf(text, sizeof(text), "%s %s\n%s", what == CACHE_NEG_SERVER ? "server" : "none", url,
		 what == CACHE_NEG_SERVER ? "" : cache->who);
	digest_hex(text, strlen(text), ret_key);
}

/* Without randomness the clock's last digits have to do: this only spreads, it hides nothing. */
static uint32_t jitter_s(void)
{
	struct timespec now;
	uint32_t x;

	if (getrandom(&x, sizeof(x), GRND_NONBLOCK) != sizeof(x)) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		x = now.tv_nsec;
	}
	return x % (CACHE_NEG_JITTER_S + 1);
}

void cache_neg_put(struct cache *cache, enum cache_neg what, const char *url, int err,
		   uint32_t seconds, const char *said)
{
	char text[CACHE_MAX_TEXT], key[DIGEST_HEX_SIZE];
	uint64_t until;

	if (!cache)
		return;
	seconds = seconds ? seconds : CACHE_NEG_S;
	seconds = seconds < CACHE_NEG_MAX_S ? seconds : CACHE_NEG_MAX_S;
	until = (uint64_t)time(NULL) + seconds + jitter_s();
	neg_key(cache, what, url, key);
	snprintf(text, sizeof(text), "btfdepot-neg 1\nuntil %llu\nerr %d\nsaid %.*s\n",
		 (unsigned long long)until, -err, FAIL_TEXT_MAX, said);
	put_text(cache, NEG, key, text, NULL);
	trim(cache->fds[NEG], UINT64_MAX, CACHE_MAX_FILES, key);
}

int cache_neg_get(struct cache *cache, enum cache_neg what, const char *url, struct fail *f)
{
	char text[CACHE_MAX_TEXT], key[DIGEST_HEX_SIZE], *said;
	unsigned long long until = 0;
	int64_t left;
	int err = 0;

	if (!cache)
		return 0;
	neg_key(cache, what, url, key);
	if (read_text(cache, NEG, key, text, NULL))
		return 0;
	said = strstr(text, "\nsaid ");
	left = -1;
	if (said && sscanf(text, "btfdepot-neg 1\nuntil %llu\nerr %d\n", &until, &err) == 2)
		left = (int64_t)(until - (uint64_t)time(NULL));
	/* A time further off than any that is written: the clock was put back. */
	if (left <= 0 || left > CACHE_NEG_MAX_S + CACHE_NEG_JITTER_S || err <= 0 || err > 4095) {
		unlinkat(cache->fds[NEG], key, 0);
		return 0;
	}
	said += strlen("\nsaid ");
	said[strcspn(said, "\n")] = '\0';
	return fail(f, -err, "%s; not asked again for %lld s (remembered in the cache)", said,
		    (long long)left);
}

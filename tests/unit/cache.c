// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "agent/cache.h"
#include "agent/depot.h"
#include "btfs/fail.h"
#include "tests/tap.h"

#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NEED "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define MAX  (1u << 20)

static const struct kernel kernel = {
	.arch = "x86_64",
	.release = "5.10.0-test",
	.version = "#1 SMP Mon / 2024",
	.build_id = "00112233445566778899aabbccddeeff00112233",
};

/* A BTF with a struct whose name is of the given length: sizes differ, all are valid. */
static struct found make_btf(size_t name_len)
{
	struct found found = { .verdict = BTFDEPOT_NAMED };
	struct btf *btf = btf__new_empty();
	char name[1024];
	const void *data;
	__u32 size;

	memset(name, 'n', sizeof(name));
	name[name_len] = '\0';
	btf__add_int(btf, "long unsigned int", 8, 0);
	btf__add_struct(btf, name, 8);
	btf__add_field(btf, "member", 1, 0, 0);
	data = btf__raw_data(btf, &size);
	found.data = malloc(size);
	memcpy(found.data, data, size);
	found.size = size;
	btf__free(btf);
	return found;
}

static char *new_folder(void)
{
	char *dir = strdup("/tmp/btfdepot-cache-XXXXXX");

	if (!dir || !mkdtemp(dir))
		abort();
	return dir;
}

static void remove_folder(char *dir)
{
	static const char *const patterns[] = { "/*/*", "/*/.tmp-*", "/*" };
	char pattern[128];
	size_t i, j;
	glob_t g;

	for (i = 0; i < 3; i++) {
		snprintf(pattern, sizeof(pattern), "%s%s", dir, patterns[i]);
		if (glob(pattern, 0, NULL, &g))
			continue;
		for (j = 0; j < g.gl_pathc; j++)
			if (unlink(g.gl_pathv[j]))
				rmdir(g.gl_pathv[j]);
		globfree(&g);
	}
	rmdir(dir);
	free(dir);
}

static size_t count_files(const char *dir, const char *folder)
{
	char pattern[128];
	size_t n = 0;
	glob_t g;

	snprintf(pattern, sizeof(pattern), "%s/%s/*", dir, folder);
	if (!glob(pattern, 0, NULL, &g)) {
		n = g.gl_pathc;
		globfree(&g);
	}
	return n;
}

/* The first file of a folder. */
static void only_file(const char *dir, const char *folder, char ret_path[256])
{
	char pattern[128];
	glob_t g;

	snprintf(pattern, sizeof(pattern), "%s/%s/*", dir, folder);
	ret_path[0] = '\0';
	if (!glob(pattern, 0, NULL, &g)) {
		snprintf(ret_path, 256, "%s", g.gl_pathv[0]);
		globfree(&g);
	}
}

static struct cache *open_cache(const char *dir, const struct kernel *k, const char *need)
{
	struct cache *cache = NULL;
	struct fail f = { "" };

	if (cache_open(dir, 0, k, need, &cache, &f))
		printf("# %s\n", f.text);
	return cache;
}

static int get(const char *dir, const struct kernel *k, const char *need, struct found *ret,
	       struct fail *f)
{
	struct cache *cache = open_cache(dir, k, need);
	int err = cache ? cache_get(cache, MAX, ret, f) : -EIO;

	cache_free(cache);
	return err;
}

static void put(const char *dir)
{
	struct cache *cache = open_cache(dir, &kernel, NEED);
	struct found found = make_btf(10);
	struct fail f = { "" };

	if (!cache || cache_put(cache, &found, &f))
		printf("# put: %s\n", f.text);
	found_free(&found);
	cache_free(cache);
}

static void test_round_trip(void)
{
	char *dir = new_folder();
	struct found want = make_btf(10), found = { 0 };
	struct kernel other = kernel;
	struct fail f;

	tap_is_int(get(dir, &kernel, NEED, &found, &f), -ENOENT, "an empty cache has none: %s",
		   f.text);
	put(dir);
	tap_is_int(get(dir, &kernel, NEED, &found, &f), 0, "gives what was put");
	tap_ok(found.size == want.size && !memcmp(found.data, want.data, want.size), "same bytes");
	tap_is_int(found.verdict, BTFDEPOT_NAMED, "same verdict");
	tap_ok(found.path && !access(found.path, R_OK), "names the file");
	found_free(&found);

	tap_is_int(get(dir, &kernel, "", &found, &f), -ENOENT, "not for another need");
	snprintf(other.release, sizeof(other.release), "5.10.0-other");
	tap_is_int(get(dir, &other, NEED, &found, &f), -ENOENT, "not for another release");
	other = kernel;
	snprintf(other.version, sizeof(other.version), "#2");
	tap_is_int(get(dir, &other, NEED, &found, &f), -ENOENT, "not for another version");
	other = kernel;
	other.build_id[0] = 'f';
	tap_is_int(get(dir, &other, NEED, &found, &f), -ENOENT, "not for another build-id");
	tap_is_int(get(dir, &kernel, NEED, &found, &f), 0, "and is still there");
	found_free(&found);
	found_free(&want);
	remove_folder(dir);
}

/* Changes byte at of path, whatever its mode. */
static void flip(const char *path, size_t at)
{
	int fd;
	char c;

	chmod(path, 0600);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (pread(fd, &c, 1, at) == 1) {
		c ^= 1;
		if (pwrite(fd, &c, 1, at) != 1)
			printf("# cannot write %s\n", path);
	}
	close(fd);
}

/* Every byte of both files: none may be believed when it was changed, and nothing stays. */
static void test_flips(const char *folder)
{
	char *dir = new_folder(), path[256];
	size_t at, size = 1, accepted = 0, left = 0;
	struct stat st;

	for (at = 0; at < size; at++) {
		struct found found = { 0 };
		struct fail f;

		put(dir);
		only_file(dir, folder, path);
		size = stat(path, &st) ? 0 : st.st_size;
		flip(path, at);
		if (!get(dir, &kernel, NEED, &found, &f)) {
			accepted++;
			printf("# byte %zu of %s\n", at, folder);
		}
		found_free(&found);
		left += count_files(dir, "index");
	}
	tap_ok(at > 100, "%s: %zu bytes were changed, one at a time", folder, at);
	tap_is_int(accepted, 0, "%s: none was accepted", folder);
	tap_is_int(left, 0, "%s: no damaged entry stays", folder);
	remove_folder(dir);
}

enum plant { SYMLINK, FIFO, HARDLINK, FOLDER, WRITABLE, EMPTY, LONGER, N_PLANTS };

static void plant(enum plant what, const char *path)
{
	char aside[300];
	FILE *f;

	snprintf(aside, sizeof(aside), "%s.aside", path);
	if (what == SYMLINK && !rename(path, aside) && symlink(aside, path))
		printf("# symlink: %m\n");
	if (what == FIFO && !unlink(path) && mkfifo(path, 0600))
		printf("# mkfifo: %m\n");
	if (what == HARDLINK && link(path, aside))
		printf("# link: %m\n");
	if (what == FOLDER && !unlink(path) && mkdir(path, 0700))
		printf("# mkdir: %m\n");
	if (what == WRITABLE)
		chmod(path, 0666);
	if (what == EMPTY && truncate(path, 0))
		printf("# truncate: %m\n");
	if (what == LONGER) {
		chmod(path, 0600);
		f = fopen(path, "a");
		if (!f || fputs("sha256", f) < 0 || fclose(f))
			printf("# append: %m\n");
	}
}

static void test_planted(const char *folder)
{
	static const char *const names[] = { "a symbolic link", "a FIFO",	    "a hard link",
					     "a folder",	"writable for all", "empty",
					     "longer" };
	int what;

	for (what = 0; what < N_PLANTS; what++) {
		char *dir = new_folder(), path[256];
		struct found found = { 0 };
		struct fail f = { "" };

		put(dir);
		only_file(dir, folder, path);
		plant(what, path);
		tap_ok(get(dir, &kernel, NEED, &found, &f) < 0, "%s file that is %s: %s", folder,
		       names[what], f.text);
		found_free(&found);
		put(dir);
		if (what == FOLDER) /* rename cannot replace it, and that is a miss again */
			tap_ok(get(dir, &kernel, NEED, &found, &f) < 0, "a folder stays refused");
		else
			tap_is_int(get(dir, &kernel, NEED, &found, &f), 0, "put repairs it (%s)",
				   f.text);
		found_free(&found);
		remove_folder(dir);
	}
}

static void test_folders(void)
{
	char *dir = new_folder(), other[64];
	struct cache *cache = NULL;
	struct fail f;

	chmod(dir, 0777);
	tap_is_int(cache_open(dir, 0, &kernel, NEED, &cache, &f), -EPERM, "writable for others: %s",
		   f.text);
	chmod(dir, 0700);
	snprintf(other, sizeof(other), "%s.link", dir);
	tap_is_int(symlink(dir, other), 0, "a link");
	tap_is_int(cache_open(other, 0, &kernel, NEED, &cache, &f), -EPERM, "a link: %s", f.text);
	unlink(other);
	tap_is_int(cache_open("/dev/null", 0, &kernel, NEED, &cache, &f), -EPERM, "no folder: %s",
		   f.text);
	if (geteuid()) {
		tap_skip("a folder of another user needs root");
	} else {
		tap_ok(!chown(dir, 65534, 65534), "chown");
		tap_is_int(cache_open(dir, 0, &kernel, NEED, &cache, &f), -EPERM,
			   "of another user: %s", f.text);
		tap_ok(!chown(dir, 0, 0), "chown");
	}
	tap_is_int(cache_open(dir, 0, &kernel, NEED, &cache, &f), 0, "then it is used");
	cache_free(cache);
	cache_free(NULL);
	remove_folder(dir);
	dir = new_folder();
	rmdir(dir);
	put(dir);
	tap_is_int(count_files(dir, "index"), 1, "a missing folder is made");
	remove_folder(dir);
}

/* Room for three: the oldest goes, the one just put stays. */
static void test_trim(void)
{
	char *dir = new_folder(), path[256];
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct found found = { 0 };
	struct fail f = { "" };
	size_t i, size = 0;

	for (i = 0; i < 5; i++) {
		struct kernel k = kernel;
		struct found btf = make_btf(10 + i);
		struct cache *cache = NULL;

		size = size ? size : btf.size;
		snprintf(k.release, sizeof(k.release), "release-%zu", i);
		cache_open(dir, 3 * size + size / 2, &k, NEED, &cache, &f);
		tap_is_int(cache_put(cache, &btf, &f), 0, "put %zu (%s)", i, f.text);
		if (i == 0) {
			only_file(dir, "blob", path);
			utimensat(AT_FDCWD, path, old, 0);
		}
		tap_is_int(cache_get(cache, MAX, &found, &f), 0, "the one just put stays");
		found_free(&found);
		found_free(&btf);
		cache_free(cache);
	}
	tap_ok(count_files(dir, "blob") == 3, "%zu blobs are left", count_files(dir, "blob"));
	tap_ok(access(path, F_OK) != 0, "the oldest has gone");
	remove_folder(dir);
}

static void test_too_large(void)
{
	char *dir = new_folder();
	struct found btf = make_btf(1000);
	struct cache *cache = NULL;
	struct fail f;

	cache_open(dir, btf.size - 1, &kernel, NEED, &cache, &f);
	tap_is_int(cache_put(cache, &btf, &f), -E2BIG, "larger than the cache: %s", f.text);
	tap_is_int(count_files(dir, "blob"), 0, "nothing was written");
	found_free(&btf);
	cache_free(cache);
	remove_folder(dir);
}

static void test_neg(void)
{
	static const char url[] = "http://127.0.0.1:1/tree";
	struct kernel other = kernel;
	char *dir = new_folder(), path[256];
	struct cache *cache = open_cache(dir, &kernel, NEED), *second;
	struct fail f;

	snprintf(other.release, sizeof(other.release), "5.10.0-other");
	second = open_cache(dir, &other, NEED);
	tap_is_int(cache_neg_get(cache, CACHE_NEG_NONE, url, &f), 0, "nothing is remembered yet");
	cache_neg_put(cache, CACHE_NEG_NONE, url, -ENOENT, 0, "has none");
	tap_is_int(cache_neg_get(cache, CACHE_NEG_NONE, url, &f), -ENOENT, "none: %s", f.text);
	tap_is_int(cache_neg_get(second, CACHE_NEG_NONE, url, &f), 0, "but for this kernel only");
	tap_is_int(cache_neg_get(cache, CACHE_NEG_SERVER, url, &f), 0, "the server did not fail");
	cache_neg_put(second, CACHE_NEG_SERVER, url, -ETIMEDOUT, 600, "is slow");
	tap_is_int(cache_neg_get(cache, CACHE_NEG_SERVER, url, &f), -ETIMEDOUT, "failed: %s",
		   f.text);
	tap_is_int(cache_neg_get(NULL, CACHE_NEG_SERVER, url, &f), 0, "no cache, no memory");
	cache_neg_put(NULL, CACHE_NEG_SERVER, url, -ETIMEDOUT, 600, "is slow");
	cache_free(second);
	while (only_file(dir, "neg", path), *path)
		unlink(path);
	tap_is_int(cache_neg_get(cache, CACHE_NEG_SERVER, url, &f), 0, "gone with its file");
	cache_free(cache);
	remove_folder(dir);
}

/* Memories that are over, too far off or damaged are none, and go. */
static void test_neg_times(void)
{
	static const struct {
		const char *name, *head, *tail;
		long long in_s;
	} rows[] = {
		{ "over", "btfdepot-neg 1\nuntil ", "\nerr 2\nsaid x\n", -1 },
		{ "in a year", "btfdepot-neg 1\nuntil ", "\nerr 2\nsaid x\n", 365 * 86400 },
		{ "no error", "btfdepot-neg 1\nuntil ", "\nerr 0\nsaid x\n", 50 },
		{ "absurd error", "btfdepot-neg 1\nuntil ", "\nerr 99999\nsaid x\n", 50 },
		{ "no sentence", "btfdepot-neg 1\nuntil ", "\nerr 2\n", 50 },
		{ "another format", "btfdepot-neg 2\nuntil ", "\nerr 2\nsaid x\n", 50 },
	};
	static const char url[] = "http://127.0.0.1:1/tree";
	char *dir = new_folder(), path[256];
	struct cache *cache = open_cache(dir, &kernel, NEED);
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct fail f;
		FILE *file;

		cache_neg_put(cache, CACHE_NEG_SERVER, url, -EPROTO, 0, "x");
		only_file(dir, "neg", path);
		chmod(path, 0600);
		file = fopen(path, "w");
		fprintf(file, "%s%lld%s", rows[i].head, (long long)time(NULL) + rows[i].in_s,
			rows[i].tail);
		fclose(file);
		tap_is_int(cache_neg_get(cache, CACHE_NEG_SERVER, url, &f), 0, "memory: %s",
			   rows[i].name);
		tap_ok(access(path, F_OK) != 0, "and has gone");
	}
	cache_free(cache);
	remove_folder(dir);
}

int main(void)
{
	test_round_trip();
	test_flips("index");
	test_flips("blob");
	test_planted("index");
	test_planted("blob");
	test_folders();
	test_trim();
	test_too_large();
	test_neg();
	test_neg_times();
	return tap_done();
}

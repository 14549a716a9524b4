// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "repo.h"

#include "btfs/fail.h"
#include "btfs/fetch.h"
#include "btfs/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int repo_open_url(const char *url, struct repo *ret_repo, struct fail *f)
{
	struct repo repo = { .base = url, .fetch = fetch_new() };

	if (!repo.fetch)
		return fail(f, -errno, "cannot start to fetch: %m");
	*ret_repo = repo;
	return 0;
}

int repo_open_folder(const char *folder, struct repo *ret_repo, struct fail *f)
{
	struct stat st;

	if (stat(folder, &st) < 0)
		return fail(f, -errno, "%s: %m", folder);
	if (!S_ISDIR(st.st_mode))
		return fail(f, -ENOTDIR, "%s: not a folder", folder);
	*ret_repo = (struct repo){ .base = folder, .folder = true };
	return 0;
}

void repo_close(struct repo *repo)
{
	if (!repo)
		return;
	fetch_free(repo->fetch);
	*repo = (struct repo){ .base = NULL };
}

/* An index may be anybody's: its paths stay inside. */
static bool path_ok(const char *path)
{
	if (!*path || *path == '/' || strlen(path) > REPO_MAX_PATH)
		return false;
	for (const char *p = path; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f || *p == '\\' || *p == '?' || *p == '#')
			return false;
	for (const char *p = path; p; p = strchr(p, '/')) {
		p += *p == '/';
		if (!strncmp(p, "..", 2) && (p[2] == '/' || !p[2]))
			return false;
	}
	return true;
}

static int keep(const struct fetch_answer *answer, struct mapping *ret_file, struct fail *f)
{
	struct mapping file = MAPPING_NONE;
	int err;

	err = mapping_scratch(&file, f);
	if (!err)
		err = mapping_write(&file, answer->data, answer->size, f);
	if (!err)
		err = mapping_map(&file, f);
	if (err)
		mapping_close(&file);
	else
		*ret_file = file;
	return err;
}

static int get_url(struct repo *repo, const char *path, uint64_t max_bytes,
		   struct mapping *ret_file, struct fail *f)
{
	struct fetch_request request = {
		.url = fetch_url(repo->base, path),
		.max_bytes = max_bytes,
		.deadline_ms = fetch_now_ms() + REPO_TIMEOUT_S * 1000ull,
	};
	struct fetch_answer answer = { .data = NULL };
	int err;

	if (!request.url)
		return fail(f, -ENOMEM, "no memory");
	err = fetch_get(repo->fetch, &request, &answer, f);
	if (err)
		fail_in(f, err, "%s", request.url);
	else if (answer.status != 200)
		err = fail(f, answer.status == 404 ? -ENOENT : -EPROTO, "%s: the server says %ld",
			   request.url, answer.status);
	else
		err = keep(&answer, ret_file, f);
	fetch_answer_free(&answer);
	free((char *)request.url);
	return err;
}

static int get_file(const struct repo *repo, const char *path, uint64_t max_bytes,
		    struct mapping *ret_file, struct fail *f)
{
	struct mapping file = MAPPING_NONE;
	struct text name = { 0 };
	int err;

	text_add(&name, "%s/%s", repo->base, path);
	if (name.failed)
		err = fail(f, -ENOMEM, "no memory");
	else
		err = mapping_open(name.p, &file, f);
	if (!err && file.size > max_bytes)
		err = fail(f, -E2BIG, "it has %zu bytes, the limit is %llu", file.size,
			   (unsigned long long)max_bytes);
	if (err) {
		mapping_close(&file);
		fail_in(f, err, "%s", name.p ? name.p : path);
	} else {
		*ret_file = file;
	}
	text_free(&name);
	return err;
}

int repo_get(struct repo *repo, const char *path, uint64_t max_bytes, const char *sha256,
	     struct mapping *ret_file, struct fail *f)
{
	struct mapping file = MAPPING_NONE;
	char hex[DIGEST_HEX_SIZE];
	int err;

	if (!path_ok(path))
		return fail(f, -EBADMSG, "%s: the index has a path \"%.200s\", which leads out",
			    repo->base, path);
	err = repo->folder ? get_file(repo, path, max_bytes, &file, f)
			   : get_url(repo, path, max_bytes, &file, f);
	if (err)
		return err;
	digest_hex(file.data, file.size, hex);
	if (sha256 && strcmp(hex, sha256)) {
		mapping_close(&file);
		return fail(f, -EBADMSG, "%s: its sha256 is %s, the index says %.64s", path, hex,
			    sha256);
	}
	*ret_file = file;
	return 0;
}

int repo_add(struct repo_packages *packages, const struct repo_package *package, struct fail *f)
{
	struct repo_package *list;

	if (package->size < REPO_MIN_BYTES || !package->path || !kernel_name_ok(package->release) ||
	    !digest_is_hex(package->sha256))
		return 0;
	if (packages->n == REPO_MAX_PACKAGES)
		return fail(f, -E2BIG, "more than %u kernels in it", REPO_MAX_PACKAGES);
	if (packages->n == packages->room) {
		list = reallocarray(packages->list, packages->room * 2 + 16, sizeof(*list));
		if (!list)
			return fail(f, -ENOMEM, "no memory");
		packages->list = list;
		packages->room = packages->room * 2 + 16;
	}
	packages->list[packages->n] = *package;
	packages->list[packages->n].path = strdup(package->path);
	if (!packages->list[packages->n].path)
		return fail(f, -ENOMEM, "no memory");
	packages->n++;
	return 0;
}

void repo_packages_free(struct repo_packages *packages)
{
	for (size_t i = 0; i < packages->n; i++)
		free(packages->list[i].path);
	free(packages->list);
	*packages = (struct repo_packages){ .list = NULL };
}

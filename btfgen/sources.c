// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "sources.h"

#include "btfs/fail.h"

#include <errno.h>
#include <fnmatch.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int add(struct sources *s, const char *path, bool named, struct fail *f)
{
	struct source *list;

	if (s->n == SOURCES_MAX)
		return fail(f, -E2BIG, "more than %u files", SOURCES_MAX);
	if (s->n == s->room) {
		list = reallocarray(s->list, s->room * 2 + 16, sizeof(*list));
		if (!list)
			return fail(f, -ENOMEM, "no memory");
		s->list = list;
		s->room = s->room * 2 + 16;
	}
	s->list[s->n].path = strdup(path);
	if (!s->list[s->n].path)
		return fail(f, -ENOMEM, "no memory");
	s->list[s->n++].named = named;
	return 0;
}

static bool is_wanted(const char *name)
{
	static const char *const patterns[] = {
		"*.deb",   "*.ddeb",	 "*.rpm",	"vmlinux",	"vmlinux[-.]*",
		"vmlinuz", "vmlinuz-*",	 "vmlinuz.efi", "bzImage",	"bzImage-*",
		"Image",   "Image[-.]*", "*.btf",	"*.btf.tar.xz",
	};

	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++)
		if (!fnmatch(patterns[i], name, FNM_PERIOD))
			return true;
	return false;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int walk(struct sources *s, const char *folder, struct fail *f)
{
	char *roots[] = { (char *)folder, NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
	FTSENT *e;
	int err = 0;

	if (!fts)
		return fail(f, -errno, "cannot read folder %s: %m", folder);
	for (errno = 0; !err && (e = fts_read(fts)); errno = 0) {
		switch (e->fts_info) {
		case FTS_F:
			if (is_wanted(e->fts_name))
				err = add(s, e->fts_path, false, f);
			break;
		case FTS_DNR:
		case FTS_ERR:
		case FTS_NS:
			errno = e->fts_errno;
			err = fail(f, -errno, "cannot read %s: %m", e->fts_path);
			break;
		default:
			break;
		}
	}
	if (!err && errno)
		err = fail(f, -errno, "cannot read folder %s: %m", folder);
	fts_close(fts);
	return err;
}

int sources_find(char *const *paths, size_t n, struct sources *ret_sources, struct fail *f)
{
	struct sources s = { 0 };
	struct stat st;
	int err = 0;

	for (size_t i = 0; !err && i < n; i++) {
		if (stat(paths[i], &st) == 0 && S_ISDIR(st.st_mode))
			err = walk(&s, paths[i], f);
		else
			err = add(&s, paths[i], true, f);
	}
	if (err)
		sources_free(&s);
	else
		*ret_sources = s;
	return err;
}

void sources_free(struct sources *sources)
{
	for (size_t i = 0; i < sources->n; i++)
		free(sources->list[i].path);
	free(sources->list);
	*sources = (struct sources){ 0 };
}

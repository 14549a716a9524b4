// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "source.h"

#include "btfs/fail.h"
#include "btfs/names.h"
#include "btfs/text.h"
#include "btfs/view.h"
#include "work.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Up to here a whole check costs nothing beside the start of a process. Beyond, a raw file is
 * looked at where it is used: the rest of it cannot move an answer. */
#define CHECK_WHOLE (512u << 10)

static int merge(struct source *s, const struct archive *modules, struct fail *f)
{
	int err;

	if (!modules->n_modules)
		return 0;
	if (s->base->lazy) { /* all of it is copied, so all of it has to be sound */
		view_close(s->base);
		s->view = s->base = NULL;
		err = view_open(s->map, s->map_size, NULL, &s->base, f);
		if (err)
			return err;
	}
	err = merge_modules(s->base, modules->modules, modules->n_modules, &s->merged, f);
	if (!err)
		s->view = s->merged.view;
	return err;
}

/*
 * A file that is the BTF itself need not be copied: mapped, it costs what is looked at. Whoever
 * shortens it meanwhile ends us by SIGBUS; files of an archive are replaced, not shortened. What
 * cannot be mapped (older kernels' sysfs) goes the long way.
 */
static void map_raw(const char *path, struct source *s)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	uint16_t magic = 0;
	struct stat st;
	void *map;

	if (fd < 0)
		return;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0 &&
	    st.st_size <= ARCHIVE_MAX_BTF && pread(fd, &magic, sizeof(magic), 0) == sizeof(magic) &&
	    (magic == BTF_MAGIC || magic == __builtin_bswap16(BTF_MAGIC))) {
		map = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (map != MAP_FAILED) {
			s->map = map;
			s->map_size = st.st_size;
		}
	}
	close(fd);
}

/* A copy was checked when it was made. */
static int open_copy(const struct work_copy *copy, struct source *s, struct fail *f)
{
	int err;

	s->map = (void *)copy->map;
	s->map_size = copy->map_size;
	err = view_open_lazy(copy->map, copy->size, &s->base, f);
	if (!err)
		s->base->modules_from = copy->modules_from;
	return err;
}

static int open_file(const char *path, struct source *s, struct fail *f)
{
	int err;

	map_raw(path, s);
	if (s->map && s->map_size > CHECK_WHOLE)
		return view_open_lazy(s->map, s->map_size, &s->base, f);
	if (s->map)
		return view_open(s->map, s->map_size, NULL, &s->base, f);
	err = archive_read(path, &s->archive, f);
	if (err)
		return err;
	return view_open(s->archive.btf.data, s->archive.btf.size, NULL, &s->base, f);
}

int source_open(const char *path, struct work *work, struct source *ret_source, struct fail *f)
{
	struct source s = { 0 };
	struct work_copy copy;
	int err;

	if (!work_find(work, path, &copy)) {
		err = open_copy(&copy, &s, f);
		s.view = s.base;
	} else {
		err = open_file(path, &s, f);
		s.view = s.base;
		if (!err)
			err = merge(&s, &s.archive, f);
		if (!err && !s.map)
			work_add(work, path, s.view);
	}
	if (err)
		source_close(&s);
	else
		*ret_source = s;
	return err;
}

int source_index_names(struct source *source, struct fail *f)
{
	struct view *view = source->merged.view ? source->merged.view : source->base;
	int err;

	err = names_new(view, &source->names, f);
	view->names = source->names;
	return err;
}

void source_close(struct source *source)
{
	names_free(source->names);
	merged_free(&source->merged);
	view_close(source->base);
	if (source->map)
		munmap(source->map, source->map_size);
	archive_free(&source->archive);
	archive_free(&source->extra);
	*source = (struct source){ 0 };
}

static int add_file(struct source *s, const char *path, struct fail *f)
{
	struct archive *extra = &s->extra, one = { 0 };
	struct archive_part *parts;
	const char *slash = strrchr(path, '/');
	int err;

	if (extra->n_modules == SOURCE_MAX_MODULES)
		return fail(f, -E2BIG, "more than %u modules", SOURCE_MAX_MODULES);
	parts = reallocarray(extra->modules, extra->n_modules + 1, sizeof(*parts));
	if (!parts)
		return fail(f, -ENOMEM, "no memory");
	extra->modules = parts;
	err = archive_read(path, &one, f);
	if (err)
		return err;
	free(one.btf.name);
	one.btf.name = strdup(slash ? slash + 1 : path);
	if (!one.btf.name || one.n_modules) {
		archive_free(&one);
		return fail(f, -EBADMSG, "%s: not one module's BTF", path);
	}
	parts[extra->n_modules++] = one.btf;
	return 0;
}

static int is_module(const struct dirent *d)
{
	return d->d_name[0] != '.' && strcmp(d->d_name, "vmlinux") != 0;
}

static int add_folder(struct source *s, const char *path, struct fail *f)
{
	struct dirent **entries = NULL;
	int n = scandir(path, &entries, is_module, alphasort), err = 0;

	if (n < 0)
		return fail(f, -errno, "cannot read folder %s", path);
	for (int i = 0; i < n; i++) {
		struct text file = { 0 };

		text_add(&file, "%s/%s", path, entries[i]->d_name);
		if (!err)
			err = file.failed ? fail(f, -ENOMEM, "no memory") : add_file(s, file.p, f);
		text_free(&file);
		free(entries[i]);
	}
	free(entries);
	return err;
}

/* Those of the archive stay in: all are merged anew, in one order. */
static int merge_all(struct source *s, struct fail *f)
{
	size_t n = s->archive.n_modules, n_extra = s->extra.n_modules;
	struct archive all = { .n_modules = n + n_extra };
	int err;

	all.modules = calloc(n + n_extra + 1, sizeof(*all.modules));
	if (!all.modules)
		return fail(f, -ENOMEM, "no memory");
	for (size_t i = 0; i < n + n_extra; i++)
		all.modules[i] = i < n ? s->archive.modules[i] : s->extra.modules[i - n];
	merged_free(&s->merged);
	s->view = s->base;
	err = merge(s, &all, f);
	free(all.modules);
	return err;
}

int source_add_modules(struct source *source, const char *const *paths, size_t n, struct fail *f)
{
	struct stat st;
	int err = 0;

	for (size_t i = 0; !err && i < n; i++) {
		if (!stat(paths[i], &st) && S_ISDIR(st.st_mode))
			err = add_folder(source, paths[i], f);
		else
			err = add_file(source, paths[i], f);
	}
	return err ? err : merge_all(source, f);
}

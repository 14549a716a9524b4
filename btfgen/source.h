/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* One kernel's whole BTF, its modules' included, read, checked and ready to be matched. */
#ifndef BTFGEN_SOURCE_H
#define BTFGEN_SOURCE_H

#include "btfs/archive.h"
#include "merge.h"

struct fail;
struct names;
struct view;
struct work;

#define SOURCE_MAX_MODULES ARCHIVE_MAX_MODULES

struct source {
	struct archive archive; /* unused where the file is the BTF itself: */
	void *map;		/* then it is mapped, of map_size bytes */
	size_t map_size;
	struct archive extra; /* modules from files of their own; its btf is unused */
	struct view *base;
	struct merged merged;
	const struct view *view; /* base, or merged.view */
	struct names *names;	 /* of view, once source_index_names was called */
};

/*
 * Errors are archive_read's and view_open's. work, which may be NULL, saves decoding. Close with
 * source_close, once opened.
 */
int source_open(const char *path, struct work *work, struct source *ret_source, struct fail *f);
void source_close(struct source *source);

/* For a view that many needs will be matched against. */
int source_index_names(struct source *source, struct fail *f);

/*
 * Adds split BTF from files: each raw, or an ELF module (.ko) with a .BTF section. A folder stands
 * for all its regular files but one named vmlinux, as in /sys/kernel/btf. Files are taken in the
 * order given, those of a folder sorted by name. To be called once.
 */
int source_add_modules(struct source *source, const char *const *paths, size_t n, struct fail *f);

#endif

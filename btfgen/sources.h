/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Files to make BTF from, as a command line names them: folders stand for all below that is named
 * like a kernel or a package. */
#ifndef BTFGEN_SOURCES_H
#define BTFGEN_SOURCES_H

#include <stdbool.h>
#include <stddef.h>

struct fail;

#define SOURCES_MAX (1u << 20)

struct source {
	char *path;
	bool named; /* by the user, not found in a folder */
};

struct sources {
	struct source *list; /* folders' content sorted by path, the same on every machine */
	size_t n, room;
};

/* -ENOENT: a path does not exist; -E2BIG. Free with sources_free. */
int sources_find(char *const *paths, size_t n, struct sources *ret_sources, struct fail *f);
void sources_free(struct sources *sources);

#endif

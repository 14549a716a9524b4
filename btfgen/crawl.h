/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Which kernels a repository has and an archive lacks. */
#ifndef BTFGEN_CRAWL_H
#define BTFGEN_CRAWL_H

#include <stdbool.h>
#include <stddef.h>

struct fail;
struct repo_package;
struct repo_packages;
struct scan;

/* One build of a kernel: its packages, either of which may be missing. */
struct crawl_kernel {
	const struct repo_package *image, *debug;
	bool there; /* the archive has it */
};

struct crawl {
	struct crawl_kernel *list; /* sorted by release and version */
	size_t n;
};

/*
 * The kernels whose release matches the wildcards of glob (NULL: all). archive may be NULL. A
 * kernel is there if the archive has one of its architecture and release, and does not say that it
 * is of another version of the package. packages must outlive it. Free with crawl_free.
 */
int crawl_compare(const struct repo_packages *packages, const char *arch, const char *glob,
		  const struct scan *archive, struct crawl *ret_crawl, struct fail *f);
void crawl_free(struct crawl *crawl);

#endif

// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "crawl.h"

#include "btfs/fail.h"
#include "repo.h"
#include "scan.h"
#include "sidecar.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

/* Beside each other what is of one build; of several images the smallest, then the first name. */
static int compare(const void *a, const void *b)
{
	const struct repo_package *x = *(const struct repo_package *const *)a;
	const struct repo_package *y = *(const struct repo_package *const *)b;
	int order = strverscmp(x->release, y->release);

	if (!order)
		order = strverscmp(x->version, y->version);
	if (!order)
		order = x->debug - y->debug;
	if (!order && x->size != y->size)
		order = x->size < y->size ? -1 : 1;
	return order ? order : strcmp(x->path, y->path);
}

static bool one_build(const struct crawl_kernel *k, const struct repo_package *p)
{
	const struct repo_package *has = k->image ? k->image : k->debug;

	return !strcmp(has->release, p->release) && !strcmp(has->version, p->version);
}

static bool is_there(const struct scan *archive, const char *arch, const struct repo_packages *all,
		     const struct repo_package *p)
{
	struct sidecar about;

	for (size_t i = 0; archive && i < archive->n; i++) {
		const struct kernel *k = &archive->entries[i].kernel;

		if (strcmp(k->release, p->release) || strcmp(k->arch, arch) ||
		    (*all->distro && strcmp(k->distro, all->distro)))
			continue;
		if (sidecar_read(archive->entries[i].path, k, &about, NULL) ||
		    !*about.package_version || !strcmp(about.package_version, p->version))
			return true;
	}
	return false;
}

int crawl_compare(const struct repo_packages *packages, const char *arch, const char *glob,
		  const struct scan *archive, struct crawl *ret_crawl, struct fail *f)
{
	const struct repo_package **sorted = calloc(packages->n + 1, sizeof(*sorted));
	struct crawl crawl = { .list = calloc(packages->n + 1, sizeof(*crawl.list)) };
	size_t n = 0;

	if (!sorted || !crawl.list) {
		free(sorted);
		free(crawl.list);
		return fail(f, -ENOMEM, "no memory");
	}
	for (size_t i = 0; i < packages->n; i++)
		if (!glob || !fnmatch(glob, packages->list[i].release, 0))
			sorted[n++] = &packages->list[i];
	qsort(sorted, n, sizeof(*sorted), compare);
	for (size_t i = 0; i < n; i++) {
		struct crawl_kernel *k = &crawl.list[crawl.n];

		if (crawl.n && one_build(k - 1, sorted[i])) {
			k--;
		} else {
			k->there = is_there(archive, arch, packages, sorted[i]);
			crawl.n++;
		}
		if (sorted[i]->debug && !k->debug)
			k->debug = sorted[i];
		else if (!sorted[i]->debug && !k->image)
			k->image = sorted[i];
	}
	free(sorted);
	*ret_crawl = crawl;
	return 0;
}

void crawl_free(struct crawl *crawl)
{
	free(crawl->list);
	*crawl = (struct crawl){ .list = NULL };
}

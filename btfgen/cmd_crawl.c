// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "aptindex.h"
#include "btfs/fail.h"
#include "btfs/text.h"
#include "cmd.h"
#include "crawl.h"
#include "ingest.h"
#include "repo.h"
#include "scan.h"
#include "yumindex.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_ARCH "x86_64"

static void json_package(struct text *t, const char *key, const struct repo_package *p)
{
	if (!p)
		return;
	text_add(t, ", \"%s\": ", key);
	text_json(t, p->path);
	text_add(t, ", \"%s_bytes\": %llu", key, (unsigned long long)p->size);
}

static void show_json(const struct crawl_kernel *k, const char *arch)
{
	const struct repo_package *p = k->image ? k->image : k->debug;
	struct text t = { 0 };

	text_add(&t, "{\"kernel_version\": ");
	text_json(&t, p->release);
	text_add(&t, ", \"arch\": \"%s\", \"package_version\": ", arch);
	text_json(&t, p->version);
	text_add(&t, ", \"status\": \"%s\"", k->there ? "there" : "lacking");
	json_package(&t, "image", k->image);
	json_package(&t, "debug", k->debug);
	text_add(&t, "}\n");
	fputs(t.failed ? "{}\n" : t.p, stdout);
	text_free(&t);
}

static void show(const struct crawl_kernel *k, const char *arch, const struct options *o)
{
	const struct repo_package *p = k->image ? k->image : k->debug;

	if (o->json) {
		show_json(k, arch);
		return;
	}
	if (k->there && !o->verbose)
		return;
	printf("%-7s  %s  %s", k->there ? "there" : "lacking", p->release, p->version);
	if (k->image)
		printf("  image %.1f MB", k->image->size / 1e6);
	if (k->debug)
		printf("  debug %.1f MB", k->debug->size / 1e6);
	putchar('\n');
}

/* What one crawl works with. */
struct work {
	const struct options *o;
	const char *arch;
	struct repo repo;
	struct repo_packages packages;
	struct scan archive;
	struct crawl crawl;
};

static int get_one(struct work *w, const struct repo_package *p, struct ingest_report *ret_report,
		   struct fail *f)
{
	const struct options *o = w->o;
	const struct identify_given given = {
		.distro = o->distro ? o->distro : w->packages.distro,
		.distro_version =
			o->distro_version ? o->distro_version : w->packages.distro_version,
	};
	struct mapping file = MAPPING_NONE;
	int err;

	*ret_report = (struct ingest_report){ .source = p->path, .status = INGEST_FAILED };
	if (!o->quiet && isatty(STDERR_FILENO))
		fprintf(stderr, "%s, %.1f MB ...\r\033[K", p->path, p->size / 1e6);
	err = repo_get(&w->repo, p->path, REPO_MAX_PACKAGE, p->sha256, &file, f);
	if (!err)
		err = ingest_file(o->archive, &given, p->path, &file, ret_report, f);
	mapping_close(&file);
	return err;
}

/* The image first, which is small; the debug package where that carries no BTF. */
static int get_kernel(struct work *w, const struct crawl_kernel *k)
{
	struct ingest_report report;
	struct fail f = { .text = "" };
	int err = -ENODATA;

	if (k->image)
		err = get_one(w, k->image, &report, &f);
	if ((err == -ENODATA || err == -ENOENT) && k->debug)
		err = get_one(w, k->debug, &report, &f);
	report.why = f.text;
	show_ingested(&report, w->o);
	fflush(stdout);
	return err;
}

static int show_or_get(struct work *w)
{
	size_t lacking = 0, failed = 0;

	for (size_t i = 0; i < w->crawl.n; i++) {
		const struct crawl_kernel *k = &w->crawl.list[i];

		lacking += !k->there;
		if (!w->o->fetch)
			show(k, w->arch, w->o);
		else if (!k->there)
			failed += get_kernel(w, k) != 0;
	}
	if (!w->o->quiet)
		fprintf(stderr, "btfgen: %zu kernels, %zu of them lacking%s\n", w->crawl.n, lacking,
			!w->o->archive		  ? " (no --archive to compare with)"
			: !w->o->fetch && lacking ? "; --fetch gets them"
						  : "");
	if (failed)
		fprintf(stderr, "btfgen: %zu failed\n", failed);
	return finish(failed ? EXIT_FAILED : EXIT_DONE);
}

/* A folder with repodata is yum's, another is apt's. */
static bool is_yum(const struct options *o)
{
	struct text path = { 0 };
	struct stat st;
	bool yum;

	if (!o->dir)
		return o->yum != NULL;
	text_add(&path, "%s/repodata/repomd.xml", o->dir);
	yum = !path.failed && stat(path.p, &st) == 0;
	text_free(&path);
	return yum;
}

static int prepare(struct work *w, struct fail *f)
{
	const struct options *o = w->o;
	int err;

	err = o->dir ? repo_open_folder(o->dir, &w->repo, f)
		     : repo_open_url(o->apt ? o->apt : o->yum, &w->repo, f);
	if (!err)
		err = is_yum(o) ? yumindex_read(&w->repo, w->arch, &w->packages, f)
				: aptindex_read(&w->repo, o->suite, w->arch, &w->packages, f);
	if (!err && o->archive) {
		err = scan_archive(o->archive, &w->archive, f);
		/* nothing is there yet */
		err = err == -ENOENT ? 0 : err;
	}
	if (!err)
		err = crawl_compare(&w->packages, w->arch, o->match,
				    o->archive ? &w->archive : NULL, &w->crawl, f);
	return err;
}

int cmd_crawl(const struct options *o, char **args, int n)
{
	struct work w = { .o = o, .arch = o->arch ? o->arch : DEFAULT_ARCH };
	struct fail f = { .text = "" };
	int status;

	if (n)
		return misuse("crawl takes no other arguments");
	if (!!o->apt + !!o->yum + !!o->dir != 1)
		return misuse("crawl wants one of --apt URL, --yum URL, --dir DIR");
	if (!is_yum(o) && !o->suite)
		return misuse("an apt repository wants --suite, such as bookworm");
	if (o->fetch && !o->archive)
		return misuse("--fetch wants --archive DIR");
	status = prepare(&w, &f) ? complain(&f) : show_or_get(&w);
	crawl_free(&w.crawl);
	scan_free(&w.archive);
	repo_packages_free(&w.packages);
	repo_close(&w.repo);
	return status;
}

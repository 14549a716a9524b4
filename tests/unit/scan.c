// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Which files of a folder are kernels, and which of them a list covers. */
#include "btfgen/scan.h"
#include "btfs/fail.h"
#include "btfs/text.h"
#include "tests/tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[128];

static void make(const char *rel, const char *content)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", root, rel);
	for (char *slash = strchr(path + strlen(root) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	file = fopen(path, "we");
	if (!file || fputs(content, file) < 0 || fclose(file))
		abort();
}

static void link_to(const char *target, const char *rel)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", root, rel);
	if (symlink(target, path))
		abort();
}

/* The kernels as one text, a line each: path below the root. */
static const char *found(const struct scan *s)
{
	static char text[4096];
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < s->n; i++)
		n += snprintf(text + n, sizeof(text) - n, "%s\n",
			      s->entries[i].path + strlen(root) + 1);
	return text;
}

static void test_scan(void)
{
	struct scan s = { 0 };
	struct fail f = { .text = "" };

	make("ubuntu/20.04/x86_64/5.4.0-42-generic.btf.tar.xz", "");
	make("ubuntu/20.04/x86_64/5.4.0-42-generic.btf", "");
	make("ubuntu/20.04/x86_64/5.4.0-42-generic.json", "");
	make("ubuntu/20.04/x86_64/5.4.0-42-generic.btf.tar.xz.minisig", "");
	make("ubuntu/20.04/x86_64/5.4.0-9-generic.failed", "");
	make("ubuntu/20.04/x86_64/5.13.0-9-generic.hasbtf", "");
	make("ubuntu/20.04/x86_64/.tmp-5.4.0-1.btf.tar.xz-1-2", "");
	make("ubuntu/20.04/x86_64/too/deep.btf", "");
	make("ubuntu/20.04/arm64/5.4.0-42-generic@0123456789ab.btf.tar.xz", "");
	make("debian/11/x86_64/5.10.0-30-amd64.btf", "");
	make("centos/8/aarch64/4.18.0-1.el8.aarch64.btf.tar.xz", "");
	make("index.tsv", "");
	make("min/aa/debian/11/x86_64/5.10.0-30-amd64.btf", "");
	make("by-release/x86_64/r/5.10.0-30-amd64.btf", "");
	make(".git/11/x86_64/5.10.0-30-amd64.btf", "");
	link_to("20.04", "ubuntu/focal");
	link_to("5.10.0-30-amd64.btf", "debian/11/x86_64/5.10.0-31-amd64.btf");
	link_to("/etc", "debian/12");
	tap_is_int(scan_archive(root, &s, &f), 0, "read%s", f.text);
	tap_is_str(found(&s),
		   "centos/8/aarch64/4.18.0-1.el8.aarch64.btf.tar.xz\n"
		   "debian/11/x86_64/5.10.0-30-amd64.btf\n"
		   "ubuntu/20.04/arm64/5.4.0-42-generic@0123456789ab.btf.tar.xz\n"
		   "ubuntu/20.04/x86_64/5.4.0-42-generic.btf.tar.xz\n",
		   "kernels, sorted; packed before plain, links and leftovers not");
	tap_ok(s.n_odd >= 3, "%zu files are of no kernel", s.n_odd);
	if (s.n == 4) {
		tap_is_str(s.entries[0].kernel.arch, "arm64", "other names of an arch are known");
		tap_is_str(s.entries[2].kernel.build_id, "0123456789ab", "and a second build");
		tap_is_str(s.entries[3].kernel.distro_version, "20.04", "and versions");
	}
	scan_select_arch(&s, "arm64");
	tap_is_int(s.n, 2, "two of them for arm64");
	scan_free(&s);
	scan_free(&s);
}

static void test_no_folder(void)
{
	struct scan s = { .n = 7 };
	struct fail f = { .text = "" };
	char path[256];

	snprintf(path, sizeof(path), "%s/none", root);
	tap_is_int(scan_archive(path, &s, &f), -ENOENT, "no folder: %s", f.text);
	snprintf(path, sizeof(path), "%s/index.tsv", root);
	tap_is_int(scan_archive(path, &s, &f), -ENOTDIR, "a file: %s", f.text);
	tap_is_int(s.n, 7, "the output is untouched");
}

static const struct choice {
	const char *list, *kept, *unused;
} choices[] = {
	{ "", "", "" },
	{ "# all\n\n5.4.0-42-generic\n", "ua ux", "" },
	{ "ubuntu/20.04/x86_64/5.4.0-42-generic\n", "ux", "" },
	{ "  5.10.0-30-amd64  # comment\r\n", "d", "" },
	{ "*/*/*/*\n", "c d ua ux", "" },
	{ "*\n", "c d ua ux", "" },
	{ "*/*\nubuntu/*\n", "", "*/*\nubuntu/*\n" },
	{ "ubuntu/*/*/5.4.*\n", "ua ux", "" },
	{ "centos/8/arm64/*\n", "c", "" },
	{ "centos/8/aarch64/*\n", "", "centos/8/aarch64/*\n" },
	{ "5.4.0-42\n", "", "5.4.0-42\n" },
	{ "5.[0-9]*.0-[34]*-[ag]*\n5.10.0-30-amd64\nnone\n", "d ua ux", "none\n" },
	{ "[\n5.10.0-30-amd64", "d", "[\n" },
};

static const char *short_names(const struct scan *s)
{
	static char text[64];

	text[0] = '\0';
	for (size_t i = 0; i < s->n; i++) {
		const struct kernel *k = &s->entries[i].kernel;
		size_t n = strlen(text);

		snprintf(text + n, sizeof(text) - n, "%s%c%s", n ? " " : "", k->distro[0],
			 k->distro[0] != 'u'	     ? ""
			 : !strcmp(k->arch, "arm64") ? "a"
						     : "x");
	}
	return text;
}

static void test_select(void)
{
	char list[256];

	snprintf(list, sizeof(list), "%s/list", root);
	for (size_t i = 0; i < sizeof(choices) / sizeof(*choices); i++) {
		const struct choice *c = &choices[i];
		struct text unused = { 0 };
		struct scan s = { 0 };

		make("list", c->list);
		if (scan_archive(root, &s, NULL))
			abort();
		tap_is_int(scan_select(&s, list, &unused, NULL), 0, "list %zu is read", i);
		tap_is_str(short_names(&s), c->kept, "it covers \"%s\"", c->kept);
		tap_is_str(unused.p ? unused.p : "", c->unused, "and of its lines nothing else");
		text_free(&unused);
		scan_free(&s);
	}
}

static void test_no_list(void)
{
	struct text unused = { 0 };
	struct scan s = { 0 };
	struct fail f = { .text = "" };
	char list[256];

	snprintf(list, sizeof(list), "%s/no-list", root);
	if (scan_archive(root, &s, NULL))
		abort();
	tap_is_int(scan_select(&s, list, &unused, &f), -ENOENT, "no list: %s", f.text);
	tap_is_int(s.n, 4, "leaves all kernels");
	scan_free(&s);
}

int main(void)
{
	const char *tmp = getenv("TMP");

	snprintf(root, sizeof(root), "%s/scan-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(root))
		abort();
	test_scan();
	test_no_folder();
	test_select();
	test_no_list();
	return tap_done();
}

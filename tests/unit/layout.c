// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "btfs/layout.h"
#include "btfs/fail.h"
#include "tests/tap.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define NEED	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define BUILD_ID    "e4f18d9dc1d0e6fc2b17e93e885a647b3c0a6fc1"
#define MAX_ALIASES 8

/* Every path under which a kernel is looked for, in order. */
static const struct {
	struct kernel kernel;
	const char *paths[MAX_ALIASES];
} aliases[] = {
	{ { "x86_64", "5.4.0-42-generic", "", "", "ubuntu", "20.04" },
	  { "ubuntu/20.04/x86_64/5.4.0-42-generic", "ubuntu/focal/x86_64/5.4.0-42-generic",
	    "ubuntu/20.04/5.4.0-42-generic" } },
	{ { "arm64", "5.4.0-42-generic", "", "", "ubuntu", "18.04" },
	  { "ubuntu/18.04/arm64/5.4.0-42-generic", "ubuntu/bionic/arm64/5.4.0-42-generic",
	    "ubuntu/18.04/aarch64/5.4.0-42-generic", "ubuntu/bionic/aarch64/5.4.0-42-generic" } },
	{ { "arm64", "5.10.0-30-arm64", "", BUILD_ID, "debian", "11" },
	  { "debian/11/arm64/5.10.0-30-arm64", "debian/11/arm64/5.10.0-30-arm64@e4f18d9dc1d0",
	    "debian/bullseye/arm64/5.10.0-30-arm64", "debian/11/aarch64/5.10.0-30-arm64",
	    "debian/bullseye/aarch64/5.10.0-30-arm64" } },
	{ { "i386", "6.1.0-50-686-pae", "", "", "debian", "12" },
	  { "debian/12/i386/6.1.0-50-686-pae", "debian/bookworm/i386/6.1.0-50-686-pae" } },
	{ { "x86_64", "4.18.0-305.el8.x86_64", "", "", "rhel", "8.4" },
	  { "rhel/8.4/x86_64/4.18.0-305.el8.x86_64", "rhel/8/x86_64/4.18.0-305.el8.x86_64",
	    "rhel/8.4/4.18.0-305.el8.x86_64" } },
	{ { "aarch64", "4.14.35-1.el7uek.aarch64", "", "", "ol", "7.9" },
	  { "ol/7.9/arm64/4.14.35-1.el7uek.aarch64", "ol/7/arm64/4.14.35-1.el7uek.aarch64",
	    "ol/7.9/aarch64/4.14.35-1.el7uek.aarch64", "ol/7/aarch64/4.14.35-1.el7uek.aarch64" } },
	{ { "x86_64", "3.10.0-1160.el7.x86_64", "", "", "centos", "7" },
	  { "centos/7/x86_64/3.10.0-1160.el7.x86_64", "centos/7/x86_64/3.10.0-1160.el7",
	    "centos/7/3.10.0-1160.el7.x86_64" } },
	{ { "arm64", "4.18.0-147.5.1.el8_1.aarch64", "", "", "centos", "8" },
	  { "centos/8/arm64/4.18.0-147.5.1.el8_1.aarch64", "centos/8/arm64/4.18.0-147.5.1.el8_1",
	    "centos/8/aarch64/4.18.0-147.5.1.el8_1.aarch64" } },
	{ { "x86_64", "4.14.77-70.59.amzn1.x86_64", "", "", "amzn", "2018.03" },
	  { "amzn/2018.03/x86_64/4.14.77-70.59.amzn1.x86_64",
	    "amzn/2018/x86_64/4.14.77-70.59.amzn1.x86_64",
	    "amzn/1/x86_64/4.14.77-70.59.amzn1.x86_64", "amzn/2018.03/4.14.77-70.59.amzn1.x86_64",
	    "1/x86_64/4.14.77-70.59.amzn1.x86_64" } },
	{ { "x86_64", "4.4.103-6.33-default", "", "", "sles", "12.3" },
	  { "sles/12.3/x86_64/4.4.103-6.33-default", "sles/12.3/x86_64/4.4.103-6.33.1-default",
	    "sles/12.3/4.4.103-6.33-default" } },
	{ { "s390x", "6.12.117+deb13-s390x", "", "", "debian", "13" },
	  { "debian/13/s390x/6.12.117+deb13-s390x", "debian/trixie/s390x/6.12.117+deb13-s390x" } },
	{ { "arm64", "4.19.90-24.4.v2101.ky10.aarch64", "", "", "kylin", "V10" },
	  { "kylin/V10/arm64/4.19.90-24.4.v2101.ky10.aarch64",
	    "kylin/V10/aarch64/4.19.90-24.4.v2101.ky10.aarch64" } },
};

static void test_aliases(void)
{
	for (size_t i = 0; i < COUNT(aliases); i++) {
		const struct kernel *k = &aliases[i].kernel;
		char path[LAYOUT_PATH_SIZE], want[LAYOUT_PATH_SIZE];
		size_t n;

		for (n = 0; n < MAX_ALIASES && aliases[i].paths[n]; n++) {
			path[0] = '\0';
			snprintf(want, sizeof(want), "%s.btf.tar.xz", aliases[i].paths[n]);
			layout_alias(k, LAYOUT_FULL, n, path, NULL);
			tap_is_str(path, want, "%s %s, path %zu", k->distro, k->release, n);
		}
		tap_is_int(layout_alias(k, LAYOUT_FULL, n, path, NULL), -ENOENT, "and no more");
		layout_path(k, LAYOUT_FULL, path, NULL);
		snprintf(want, sizeof(want), "%s.btf.tar.xz", aliases[i].paths[0]);
		tap_is_str(path, want, "the first is where it is written");
	}
}

/* No alias twice, and each is read back as a kernel that has it among its own. */
static void test_aliases_parse(void)
{
	char paths[MAX_ALIASES + 1][LAYOUT_PATH_SIZE];
	struct kernel parsed;
	enum layout_kind kind;
	int twice = 0, unread = 0;

	for (size_t i = 0; i < COUNT(aliases); i++) {
		size_t n = 0;

		while (n < MAX_ALIASES &&
		       !layout_alias(&aliases[i].kernel, LAYOUT_RAW, n, paths[n], NULL)) {
			for (size_t j = 0; j < n; j++)
				twice += !strcmp(paths[n], paths[j]);
			unread += layout_parse(paths[n], &parsed, &kind, NULL) ||
				  kind != LAYOUT_RAW ||
				  strcmp(parsed.release, aliases[i].kernel.release);
			n++;
		}
	}
	tap_is_int(twice, 0, "no alias comes twice");
	tap_is_int(unread, 0, "each is read back as the same release");
}

static const struct {
	const char *path;
	struct kernel kernel; /* arch "": not told */
	enum layout_kind kind;
} parses[] = {
	{ "ubuntu/20.04/x86_64/5.4.0-42-generic.btf.tar.xz",
	  { "x86_64", "5.4.0-42-generic", "", "", "ubuntu", "20.04" },
	  LAYOUT_FULL },
	{ "ubuntu/20.04/x86_64/5.4.0-42-generic.btf",
	  { "x86_64", "5.4.0-42-generic", "", "", "ubuntu", "20.04" },
	  LAYOUT_RAW },
	{ "ubuntu/20.04/x86_64/5.4.0-110-generic.hasbtf",
	  { "x86_64", "5.4.0-110-generic", "", "", "ubuntu", "20.04" },
	  LAYOUT_HASBTF },
	{ "ubuntu/20.04/x86_64/5.4.0-1-generic.failed",
	  { "x86_64", "5.4.0-1-generic", "", "", "ubuntu", "20.04" },
	  LAYOUT_FAILED },
	{ "ubuntu/focal/aarch64/5.4.0-42-generic.btf.tar.xz",
	  { "arm64", "5.4.0-42-generic", "", "", "ubuntu", "20.04" },
	  LAYOUT_FULL },
	{ "debian/bullseye/amd64/5.10.0-30-amd64.btf.tar.xz",
	  { "x86_64", "5.10.0-30-amd64", "", "", "debian", "11" },
	  LAYOUT_FULL },
	{ "debian/12/x86_64/6.12.117+deb12-amd64@e4f18d9dc1d0.btf.tar.xz",
	  { "x86_64", "6.12.117+deb12-amd64", "", "e4f18d9dc1d0", "debian", "12" },
	  LAYOUT_FULL },
	{ "debian/12/x86_64/6.1@e4f18d9dc1d.btf",
	  { "x86_64", "6.1@e4f18d9dc1d", "", "", "debian", "12" },
	  LAYOUT_RAW },
	{ "debian/12/x86_64/6.1@E4F18D9DC1D0.btf",
	  { "x86_64", "6.1@E4F18D9DC1D0", "", "", "debian", "12" },
	  LAYOUT_RAW },
	{ "debian/12/x86_64/@e4f18d9dc1d0.btf",
	  { "x86_64", "@e4f18d9dc1d0", "", "", "debian", "12" },
	  LAYOUT_RAW },
	{ "amzn/2018/x86_64/4.14.77-70.59.amzn1.x86_64.btf",
	  { "x86_64", "4.14.77-70.59.amzn1.x86_64", "", "", "amzn", "2018.03" },
	  LAYOUT_RAW },
	{ "amzn/2/x86_64/4.14.77-81.59.amzn2.x86_64.btf",
	  { "x86_64", "4.14.77-81.59.amzn2.x86_64", "", "", "amzn", "2" },
	  LAYOUT_RAW },
	{ "1/x86_64/4.14.77-70.59.amzn1.x86_64.btf.tar.xz",
	  { "x86_64", "4.14.77-70.59.amzn1.x86_64", "", "", "amzn", "2018.03" },
	  LAYOUT_FULL },
	{ "ubuntu/20.04/5.4.0-42-generic.btf.tar.xz",
	  { "", "5.4.0-42-generic", "", "", "ubuntu", "20.04" },
	  LAYOUT_FULL },
	{ "debian/10/4.19.0-17-arm64.btf.tar.xz",
	  { "arm64", "4.19.0-17-arm64", "", "", "debian", "10" },
	  LAYOUT_FULL },
	{ "centos/7/x86_64/3.10.0-1160.el7.btf.tar.xz",
	  { "x86_64", "3.10.0-1160.el7.x86_64", "", "", "centos", "7" },
	  LAYOUT_FULL },
	{ "centos/7/x86_64/3.10.0-1160.el7.x86_64.debug.btf.tar.xz",
	  { "x86_64", "3.10.0-1160.el7.x86_64.debug", "", "", "centos", "7" },
	  LAYOUT_FULL },
	{ "sles/12.3/x86_64/4.4.103-6.33.1-default.btf.tar.xz",
	  { "x86_64", "4.4.103-6.33-default", "", "", "sles", "12.3" },
	  LAYOUT_FULL },
	{ "sles/15.2/x86_64/5.3.18-24.9-default.btf.tar.xz",
	  { "x86_64", "5.3.18-24.9-default", "", "", "sles", "15.2" },
	  LAYOUT_FULL },
	{ "sles/15.3/x86_64/5.3.18-150300.59.43-default.btf.tar.xz",
	  { "x86_64", "5.3.18-150300.59.43-default", "", "", "sles", "15.3" },
	  LAYOUT_FULL },
	{ "sles/15.3/x86_64/5.3.18-150300.59.43.1-default.btf.tar.xz",
	  { "x86_64", "5.3.18-150300.59.43-default", "", "", "sles", "15.3" },
	  LAYOUT_FULL },
	{ "opensuse-leap/15.2/x86_64/5.3.18-lp152.20.7-default.btf.tar.xz",
	  { "x86_64", "5.3.18-lp152.20.7-default", "", "", "opensuse-leap", "15.2" },
	  LAYOUT_FULL },
	{ "openEuler/20.03/x86_64/4.19.90.btf.tar.xz",
	  { "x86_64", "4.19.90", "", "", "openeuler", "20.03" },
	  LAYOUT_FULL },
};

static void test_parse(void)
{
	for (size_t i = 0; i < COUNT(parses); i++) {
		const struct kernel *want = &parses[i].kernel;
		enum layout_kind kind = -1;
		struct kernel k = { 0 };
		struct fail f = { 0 };

		tap_is_int(layout_parse(parses[i].path, &k, &kind, &f), 0, "%s %s", parses[i].path,
			   f.text);
		tap_is_int(kind, parses[i].kind, "kind");
		tap_is_str(k.arch, want->arch, "arch");
		tap_is_str(k.release, want->release, "release");
		tap_is_str(k.build_id, want->build_id, "build-id");
		tap_is_str(k.distro, want->distro, "distro");
		tap_is_str(k.distro_version, want->distro_version, "distro version");
	}
}

static void test_parse_bad(void)
{
	static const char *const bad[] = {
		"",
		"x",
		".btf",
		"ubuntu/20.04/x86_64/.btf",
		"ubuntu/20.04/x86_64/5.4.0",
		"ubuntu/20.04/x86_64/5.4.0.btf.tar.gz",
		"ubuntu/20.04/x86_64/5.4.0.btf.tar.xz.minisig",
		"ubuntu/20.04/pdp11/5.4.0.btf",
		"ubuntu/20.04/x86_64/a/5.4.0.btf",
		"centos/7/nobpf/3.10.0-1.el7.x86_64.btf.tar.xz",
		"/ubuntu/20.04/x86_64/5.4.0.btf",
		"./ubuntu/20.04/x86_64/5.4.0.btf",
		"ubuntu//x86_64/5.4.0.btf",
		"../20.04/x86_64/5.4.0.btf",
		"ubuntu/../x86_64/5.4.0.btf",
		"ubuntu/20.04/x86_64/...btf",
		"ubuntu/20.04/x86_64/5.4.0 x.btf",
		"ubuntu/20.04/x86_64/5.4.0%20x.btf",
		"ubuntu/20.04/x86_64/5.4.0\n.btf",
		"ubuntu/20.04/x86_64/\xc3\xa9.btf",
		"2/x86_64/5.4.0.btf",
		"common-android12-5.10/a12-5.10-2021-09-arm64.btf.tar.xz",
		"min/" NEED "/ubuntu/20.04/x86_64/5.4.0.btf",
	};
	char lengthy[1024];
	enum layout_kind kind = 77;
	struct kernel k = { .release = "untouched" };
	struct fail f = { 0 };

	for (size_t i = 0; i < COUNT(bad); i++)
		tap_is_int(layout_parse(bad[i], &k, &kind, &f), -EINVAL, "refused: %s", f.text);
	snprintf(lengthy, sizeof(lengthy), "ubuntu/20.04/x86_64/%0900d.btf", 1);
	tap_is_int(layout_parse(lengthy, &k, &kind, &f), -EINVAL, "a path too long");
	snprintf(lengthy, sizeof(lengthy), "ubuntu/20.04/x86_64/%0128d.btf", 1);
	tap_is_int(layout_parse(lengthy, &k, &kind, &f), -EINVAL, "a name too long");
	tap_is_str(k.release, "untouched", "nothing was given");
	tap_is_int(kind, 77, "nothing at all");
}

static void test_path_bad(void)
{
	static const struct kernel bad[] = {
		{ "x86_64", "5.4.0", "", "", "ubuntu", "" },
		{ "x86_64", "5.4.0", "", "", "", "20.04" },
		{ "x86_64", "", "", "", "ubuntu", "20.04" },
		{ "", "5.4.0", "", "", "ubuntu", "20.04" },
		{ "pdp11", "5.4.0", "", "", "ubuntu", "20.04" },
		{ "x86_64", "../5.4.0", "", "", "ubuntu", "20.04" },
		{ "x86_64", "5.4.0", "", "", "..", "20.04" },
		{ "x86_64", "5.4.0", "", "", "ubuntu", "20/04" },
	};
	char path[LAYOUT_PATH_SIZE] = "untouched";
	struct fail f = { 0 };

	for (size_t i = 0; i < COUNT(bad); i++) {
		tap_is_int(layout_path(&bad[i], LAYOUT_FULL, path, &f), -EINVAL, "refused: %s",
			   f.text);
		tap_is_int(layout_alias(&bad[i], LAYOUT_FULL, 1, path, &f), -EINVAL,
			   "and no alias either");
		tap_is_int(layout_min_path(NEED, &bad[i], path, &f), -EINVAL, "nor a minimal one");
	}
	tap_is_str(path, "untouched", "nothing was given");
}

/* The longest fields that there are: every path fits, and every alias is a name. */
static void test_longest(void)
{
	char path[LAYOUT_PATH_SIZE], parsed_path[LAYOUT_PATH_SIZE];
	struct kernel k = { .arch = "arm64", .build_id = BUILD_ID }, parsed;
	enum layout_kind kind;
	size_t n = 0;

	memset(k.release, 'r', KERNEL_FIELD_SIZE - 1);
	memcpy(k.release, "1-1-", 4);
	memset(k.distro, 'd', KERNEL_FIELD_SIZE - 1);
	memset(k.distro_version, 'v', KERNEL_FIELD_SIZE - 1);
	tap_is_int(layout_path(&k, LAYOUT_FULL, path, NULL), 0, "fields of 127 bytes");
	tap_is_int(layout_parse(path, &parsed, &kind, NULL), 0, "are read back");
	layout_path(&parsed, LAYOUT_FULL, parsed_path, NULL);
	tap_is_str(parsed_path, path, "to the same path");
	memcpy(k.distro, "sles", 5);
	while (!layout_alias(&k, LAYOUT_FULL, n, path, NULL)) {
		tap_is_int(layout_parse(path, &parsed, &kind, NULL), 0, "alias %zu is a path", n);
		n++;
	}
	tap_is_int(n, 2, "those that got too long are left out");
	tap_is_int(layout_min_path(NEED, &k, path, NULL), 0, "a need's path fits too");
	tap_ok(strlen(path) > 300 && !strcmp(path + strlen(path) - 4, ".btf"), "and is whole");
}

static void test_min(void)
{
	struct kernel k = { "amd64", "5.4.0-42-generic", "", BUILD_ID, "ubuntu", "20.04" };
	char path[LAYOUT_PATH_SIZE] = "untouched";
	struct fail f = { 0 };

	tap_is_int(layout_min_path("abc", &k, path, &f), -EINVAL, "%s", f.text);
	tap_is_int(layout_min_build_id("../" NEED, &k, path, &f), -EINVAL, "%s", f.text);
	tap_is_int(layout_min_release("", &k, path, &f), -EINVAL, "%s", f.text);
	tap_is_str(path, "untouched", "nothing was given");
	tap_is_int(layout_min_path(NEED, &k, path, &f), 0, "a need's file");
	tap_is_str(path, "min/" NEED "/ubuntu/20.04/x86_64/5.4.0-42-generic.btf", "its path");
	tap_is_int(layout_min_build_id(NEED, &k, path, &f), 0, "by build-id");
	tap_is_str(path, "min/" NEED "/by-build-id/" BUILD_ID ".btf", "its path");
	tap_is_int(layout_min_release(NEED, &k, path, &f), 0, "by release");
	tap_is_str(path, "min/" NEED "/by-release/x86_64/5.4.0-42-generic.btf", "its path");
	memcpy(k.build_id, "e4f18d9dc1d0", 13);
	tap_is_int(layout_min_build_id(NEED, &k, path, &f), -EINVAL, "%s", f.text);
	memcpy(k.build_id, "../../../../../../x", 20);
	tap_is_int(layout_min_build_id(NEED, &k, path, &f), -EINVAL, "%s", f.text);
}

static struct {
	size_t root_len;
	int n, wrong;
} walked;

/* The path is among the kernel's own, and is the first unless the archive has a quirk. */
static void check_real(const char *path)
{
	char again[LAYOUT_PATH_SIZE];
	enum layout_kind kind;
	struct kernel k;
	size_t i = 0;

	walked.n++;
	if (layout_parse(path, &k, &kind, NULL))
		goto wrong;
	while (!layout_alias(&k, kind, i++, again, NULL))
		if (!strcmp(again, path))
			return;
wrong:
	walked.wrong++;
	printf("# not read back: %s\n", path);
}

static int visit(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	if (flag == FTW_F)
		check_real(path + walked.root_len);
	return 0;
}

static const char *shared(const char *name, char path[512])
{
	const char *dir = getenv("BTFDEPOT_SHARED");

	snprintf(path, 512, "%s/%s", dir ? dir : "../shared", name);
	return access(path, R_OK) ? NULL : path;
}

static void test_archive(void)
{
	char path[512];

	if (!shared("archive", path)) {
		tap_skip("no %s", path);
		return;
	}
	walked.n = walked.wrong = 0;
	walked.root_len = strlen(path) + 1;
	nftw(path, visit, 16, FTW_PHYS);
	tap_ok(walked.n > 0, "%d full files of real kernels", walked.n);
	tap_is_int(walked.wrong, 0, "each path is read and given again");
}

static void test_fleet(void)
{
	char path[512], command[600], line[1024];
	FILE *names;

	if (!shared("fleet/minimised-1999.tar.xz", path)) {
		tap_skip("no %s", path);
		return;
	}
	snprintf(command, sizeof(command), "tar -tJf '%s'", path);
	names = popen(command, "re");
	walked.n = walked.wrong = 0;
	while (names && fgets(line, sizeof(line), names)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] && line[strlen(line) - 1] != '/')
			check_real(line + (strncmp(line, "./", 2) ? 0 : 2));
	}
	tap_ok(names && pclose(names) == 0, "names of minimised files are listed");
	tap_is_int(walked.n, 1999, "of 1,999 real kernels");
	tap_is_int(walked.wrong, 0, "each path is read and given again");
}

int main(void)
{
	test_aliases();
	test_aliases_parse();
	test_parse();
	test_parse_bad();
	test_path_bad();
	test_longest();
	test_min();
	test_archive();
	test_fleet();
	return tap_done();
}

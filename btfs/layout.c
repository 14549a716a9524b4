// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "layout.h"

#include "digest.h"
#include "fail.h"
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define BUILD_DIGITS 12 /* of a build-id, in "<release>@<digits>" */
#define MAX_FORMS    16 /* more than the aliases that one kernel can have */

static const struct {
	const char *suffix;
	enum layout_kind kind;
} suffixes[] = {
	{ ".btf.tar.xz", LAYOUT_FULL },
	{ ".btf", LAYOUT_RAW },
	{ ".hasbtf", LAYOUT_HASBTF },
	{ ".failed", LAYOUT_FAILED },
};

/* Names that archives give to a version of os-release(5); the first of them is the likelier one. */
static const struct {
	const char *distro, *version, *alias;
} versions[] = {
	{ "ubuntu", "14.04", "trusty" }, { "ubuntu", "16.04", "xenial" },
	{ "ubuntu", "18.04", "bionic" }, { "ubuntu", "20.04", "focal" },
	{ "ubuntu", "22.04", "jammy" },	 { "ubuntu", "24.04", "noble" },
	{ "debian", "8", "jessie" },	 { "debian", "9", "stretch" },
	{ "debian", "10", "buster" },	 { "debian", "11", "bullseye" },
	{ "debian", "12", "bookworm" },	 { "debian", "13", "trixie" },
	{ "amzn", "2018.03", "2018" },	 { "amzn", "2018.03", "1" },
};

/* os-release(5) has the minor number, archives have not. */
static const char *const trimmed[] = { "rhel", "ol", "centos", "rocky", "almalinux" };

/* One way to write a kernel's path. */
struct form {
	const char *distro, *version; /* "": left out */
	const char *arch;	      /* "": left out */
	char release[KERNEL_FIELD_SIZE];
};

struct forms {
	struct form list[MAX_FORMS];
	size_t n;
	char trimmed[KERNEL_FIELD_SIZE];
};

static const char *suffix_of(enum layout_kind kind)
{
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (suffixes[i].kind == kind)
			return suffixes[i].suffix;
	return "";
}

static bool starts(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

static int check(const struct kernel *k, struct fail *f)
{
	if (!kernel_name_ok(k->release))
		return fail(f, -EINVAL, "no path for a kernel release \"%s\"", k->release);
	if (!kernel_arch(k->arch))
		return fail(f, -EINVAL, "no path for an architecture \"%s\"", k->arch);
	if (!kernel_name_ok(k->distro) || !kernel_name_ok(k->distro_version))
		return fail(f, -EINVAL, "no path for distribution \"%s\", version \"%s\"",
			    k->distro, k->distro_version);
	return 0;
}

static void add_form(struct forms *forms, struct form form, const char *version)
{
	form.version = version;
	if (forms->n < MAX_FORMS)
		forms->list[forms->n++] = form;
}

/* The i-th other name of the kernel's distro version, in buf where it is in no table; or NULL. */
static const char *version_alias(const struct kernel *k, size_t i, char buf[KERNEL_FIELD_SIZE])
{
	size_t len = strcspn(k->distro_version, ".");

	for (size_t v = 0; v < sizeof(versions) / sizeof(versions[0]); v++)
		if (!strcmp(k->distro, versions[v].distro) &&
		    !strcmp(k->distro_version, versions[v].version) && i-- == 0)
			return versions[v].alias;
	for (size_t d = 0; d < sizeof(trimmed) / sizeof(trimmed[0]); d++)
		if (!strcmp(k->distro, trimmed[d]) && k->distro_version[len] && len > 0 &&
		    i-- == 0) {
			memcpy(buf, k->distro_version, len);
			buf[len] = '\0';
			return buf;
		}
	return NULL;
}

static void add_versions(struct forms *forms, const struct kernel *k, struct form form)
{
	const char *version;

	for (size_t i = 0; (version = version_alias(k, i, forms->trimmed)); i++)
		add_form(forms, form, version);
}

static bool is_suse(const struct kernel *k)
{
	return starts(k->distro, "sles") || starts(k->distro, "opensuse");
}

/* What RPM calls the architecture, which kernel names of its distributions end in. */
static const char *rpm_arch(const struct kernel *k)
{
	return !strcmp(k->arch, "arm64") ? "aarch64" : k->arch;
}

/*
 * SUSE's kernel is called VERSION-RELEASE-FLAVOR, its package's release has a build counter more:
 * early archives took the latter (btfhub#106). Gives where that release ends, or 0.
 */
static size_t suse_release_end(const char *release, size_t *ret_start)
{
	size_t start = strcspn(release, "-") + 1, end;

	if (start > strlen(release))
		return 0;
	end = start + strcspn(release + start, "-");
	*ret_start = start;
	return release[end] ? end : 0;
}

/* The name that archives with a quirk have for this release, or 0. */
static bool quirk_release(const struct kernel *k, char ret_release[KERNEL_FIELD_SIZE])
{
	size_t len = strlen(k->release), start, end, arch_len = strlen(rpm_arch(k));

	if (is_suse(k)) {
		end = suse_release_end(k->release, &start);
		if (end == 0 || len + 2 >= KERNEL_FIELD_SIZE)
			return false;
		snprintf(ret_release, KERNEL_FIELD_SIZE, "%.*s.1%s", (int)end, k->release,
			 k->release + end);
		return true;
	}
	if (strcmp(k->distro, "centos") || len < arch_len + 2 ||
	    k->release[len - arch_len - 1] != '.' ||
	    strcmp(k->release + len - arch_len, rpm_arch(k)))
		return false;
	memcpy(ret_release, k->release, len - arch_len - 1);
	ret_release[len - arch_len - 1] = '\0';
	return true;
}

/* Likeliest first, no two alike. */
static void list_forms(const struct kernel *k, struct forms *forms)
{
	struct form form = { .distro = k->distro, .arch = kernel_arch(k->arch) }, other;

	memcpy(form.release, k->release, sizeof(form.release));
	add_form(forms, form, k->distro_version);
	other = form;
	if (strlen(k->build_id) >= BUILD_DIGITS &&
	    snprintf(other.release, sizeof(other.release), "%s@%.*s", k->release, BUILD_DIGITS,
		     k->build_id) < (int)sizeof(other.release))
		add_form(forms, other, k->distro_version);
	add_versions(forms, k, form);
	other = form;
	if (quirk_release(k, other.release))
		add_form(forms, other, k->distro_version);
	other = form;
	if (!strcmp(form.arch, "arm64")) {
		other.arch = "aarch64";
		add_form(forms, other, k->distro_version);
		add_versions(forms, k, other);
	}
	/* Archives without a folder for the architecture had only this one. */
	if (!strcmp(form.arch, "x86_64")) {
		other.arch = "";
		add_form(forms, other, k->distro_version);
	}
	other = form;
	other.distro = "";
	if (!strcmp(k->distro, "amzn") && !strcmp(k->distro_version, "2018.03"))
		add_form(forms, other, "1");
}

static void print_form(const struct form *form, enum layout_kind kind,
		       char ret_path[LAYOUT_PATH_SIZE])
{
	snprintf(ret_path, LAYOUT_PATH_SIZE, "%s%s%s/%s%s%s%s", form->distro,
		 *form->distro ? "/" : "", form->version, form->arch, *form->arch ? "/" : "",
		 form->release, suffix_of(kind));
}

int layout_alias(const struct kernel *kernel, enum layout_kind kind, size_t i,
		 char ret_path[LAYOUT_PATH_SIZE], struct fail *f)
{
	struct forms forms = { .n = 0 };
	int err;

	err = check(kernel, f);
	if (err)
		return err;
	list_forms(kernel, &forms);
	if (i >= forms.n)
		return fail(f, -ENOENT, "no more paths for %s", kernel->release);
	print_form(&forms.list[i], kind, ret_path);
	return 0;
}

int layout_path(const struct kernel *kernel, enum layout_kind kind, char ret_path[LAYOUT_PATH_SIZE],
		struct fail *f)
{
	return layout_alias(kernel, kind, 0, ret_path, f);
}

/* Splits a copy of the path in place. Gives the number of its parts, or 0 if there are over four.
 */
static size_t split(char *path, const char *parts[4])
{
	size_t n = 0;
	char *p = path;

	for (;;) {
		if (n == 4)
			return 0;
		parts[n++] = p;
		p = strchr(p, '/');
		if (!p)
			return n;
		*p++ = '\0';
	}
}

/* 1 if name, cut at its end, was one of ours. */
static bool take_suffix(char *name, enum layout_kind *ret_kind)
{
	size_t len = strlen(name), end;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		end = strlen(suffixes[i].suffix);
		if (len <= end || strcmp(name + len - end, suffixes[i].suffix))
			continue;
		name[len - end] = '\0';
		*ret_kind = suffixes[i].kind;
		return true;
	}
	return false;
}

static void set(char field[KERNEL_FIELD_SIZE], const char *value)
{
	snprintf(field, KERNEL_FIELD_SIZE, "%s", value);
}

static void set_distro(struct kernel *k, const char *distro, const char *version)
{
	set(k->distro, distro);
	for (char *p = k->distro; *p; p++)
		*p = tolower((unsigned char)*p);
	set(k->distro_version, version);
	for (size_t v = 0; v < sizeof(versions) / sizeof(versions[0]); v++)
		if (!strcmp(k->distro, versions[v].distro) && !strcmp(version, versions[v].alias))
			set(k->distro_version, versions[v].version);
}

/* "R@123456789abc" */
static void set_release(struct kernel *k, const char *name)
{
	const char *digits = strrchr(name, '@');

	set(k->release, name);
	if (!digits || digits == name || strlen(digits + 1) != BUILD_DIGITS ||
	    digits[1 + strspn(digits + 1, "0123456789abcdef")])
		return;
	k->release[digits - name] = '\0';
	set(k->build_id, digits + 1);
}

/* Many names end in their architecture: 4.19.0-17-amd64, 3.10.0-1160.el7.x86_64. */
static void set_arch_from_release(struct kernel *k)
{
	const char *dot = strrchr(k->release, '.'), *dash = strrchr(k->release, '-');
	const char *last = dot > dash ? dot : dash;
	const char *arch = last ? kernel_arch(last + 1) : NULL;

	if (arch)
		set(k->arch, arch);
}

/*
 * A build counter is cut off only where it can be nothing else: releases have at most two numbers,
 * or three behind a product's (150300, lp152).
 */
static void fix_suse(struct kernel *k)
{
	size_t start, end = suse_release_end(k->release, &start), last, dots = 0, limit;

	if (end == 0)
		return;
	last = end;
	for (size_t i = start; i < end; i++)
		if (k->release[i] == '.') {
			dots++;
			last = i;
		}
	limit = starts(k->release + start, "lp") || strcspn(k->release + start, ".-") == 6 ? 2 : 1;
	if (dots == limit + 1)
		memmove(k->release + last, k->release + end, strlen(k->release + end) + 1);
}

/* Some CentOS archives leave ".x86_64" out of the name. */
static void fix_centos(struct kernel *k)
{
	char suffix[KERNEL_FIELD_SIZE + 1];
	size_t len = strlen(k->release);

	snprintf(suffix, sizeof(suffix), ".%s", rpm_arch(k));
	if (!*k->arch || !strstr(k->release, ".el") || strstr(k->release, suffix) ||
	    len + strlen(suffix) >= sizeof(k->release))
		return;
	memcpy(k->release + len, suffix, strlen(suffix) + 1);
}

static bool fill(struct kernel *k, const char *parts[4], size_t n)
{
	const char *arch = n > 2 ? kernel_arch(parts[n - 2]) : NULL;

	for (size_t i = 0; i < n; i++)
		if (!kernel_name_ok(parts[i]))
			return false;
	if (n < 3 || (n == 4 && !arch))
		return false;
	/* Three parts lack the architecture, or the distribution: "1" is Amazon's. */
	if (n == 3 && arch && strcmp(parts[0], "1"))
		return false;
	if (n == 3 && arch)
		set_distro(k, "amzn", "1");
	else
		set_distro(k, parts[0], parts[1]);
	set_release(k, parts[n - 1]);
	if (arch)
		set(k->arch, arch);
	else
		set_arch_from_release(k);
	if (is_suse(k))
		fix_suse(k);
	if (!strcmp(k->distro, "centos"))
		fix_centos(k);
	return kernel_name_ok(k->release);
}

int layout_parse(const char *path, struct kernel *ret_kernel, enum layout_kind *ret_kind,
		 struct fail *f)
{
	struct kernel kernel = { 0 };
	char copy[LAYOUT_PATH_SIZE];
	enum layout_kind kind;
	const char *parts[4];

	if (strlen(path) >= sizeof(copy))
		return fail(f, -EINVAL, "path has %zu bytes, the limit is %d", strlen(path),
			    LAYOUT_PATH_SIZE - 1);
	memcpy(copy, path, strlen(path) + 1);
	if (!take_suffix(copy, &kind))
		return fail(f, -EINVAL, "%s: not the name of a file with BTF", path);
	if (!fill(&kernel, parts, split(copy, parts)))
		return fail(f, -EINVAL, "%s: not <distro>/<version>/<arch>/<release>", path);
	*ret_kernel = kernel;
	*ret_kind = kind;
	return 0;
}

static int check_need(const char *need, struct fail *f)
{
	return digest_is_hex(need) ? 0 : fail(f, -EINVAL, "\"%s\" is no name of a need", need);
}

int layout_min_path(const char *need, const struct kernel *kernel, char ret_path[LAYOUT_PATH_SIZE],
		    struct fail *f)
{
	char path[LAYOUT_PATH_SIZE];
	int err;

	err = check_need(need, f);
	if (!err)
		err = layout_path(kernel, LAYOUT_RAW, path, f);
	if (!err &&
	    snprintf(ret_path, LAYOUT_PATH_SIZE, "min/%s/%s", need, path) >= LAYOUT_PATH_SIZE)
		err = fail(f, -EINVAL, "path of %s is too long", kernel->release);
	return err;
}

int layout_min_build_id(const char *need, const struct kernel *kernel,
			char ret_path[LAYOUT_PATH_SIZE], struct fail *f)
{
	size_t len = strspn(kernel->build_id, "0123456789abcdef");
	int err;

	err = check_need(need, f);
	if (err)
		return err;
	if (len < 16 || len > 64 || kernel->build_id[len])
		return fail(f, -EINVAL, "no path for a build-id \"%s\"", kernel->build_id);
	snprintf(ret_path, LAYOUT_PATH_SIZE, "min/%s/by-build-id/%s.btf", need, kernel->build_id);
	return 0;
}

int layout_min_release(const char *need, const struct kernel *kernel,
		       char ret_path[LAYOUT_PATH_SIZE], struct fail *f)
{
	const char *arch = kernel_arch(kernel->arch);
	int err;

	err = check_need(need, f);
	if (err)
		return err;
	if (!arch || !kernel_name_ok(kernel->release))
		return fail(f, -EINVAL, "no path for release \"%s\" on \"%s\"", kernel->release,
			    kernel->arch);
	snprintf(ret_path, LAYOUT_PATH_SIZE, "min/%s/by-release/%s/%s.btf", need, arch,
		 kernel->release);
	return 0;
}

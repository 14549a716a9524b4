// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "aptindex.h"

#include "btfs/fail.h"
#include "repo.h"
#include "unpack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMAGE	   "linux-image-"
#define MAX_SUITE  128
#define MAX_NUMBER 20 /* digits */

/* A line, without its end. */
struct line {
	const char *p;
	size_t n;
};

/* False at the end. */
static bool next_line(const char **pos, const char *end, struct line *ret)
{
	const char *nl;

	if (*pos >= end)
		return false;
	nl = memchr(*pos, '\n', end - *pos);
	ret->p = *pos;
	ret->n = (nl ? nl : end) - *pos;
	*pos = nl ? nl + 1 : end;
	if (ret->n && ret->p[ret->n - 1] == '\r')
		ret->n--;
	return true;
}

/* The value, if the line is "name: value". */
static bool field(const struct line *line, const char *name, struct line *ret_value)
{
	size_t len = strlen(name);

	if (line->n <= len || memcmp(line->p, name, len) || line->p[len] != ':')
		return false;
	for (len++; len < line->n && line->p[len] == ' '; len++)
		;
	*ret_value = (struct line){ line->p + len, line->n - len };
	return true;
}

static void copy(const struct line *value, char *ret_field, size_t size)
{
	ret_field[0] = '\0';
	if (value->n < size && !memchr(value->p, 0, value->n)) {
		memcpy(ret_field, value->p, value->n);
		ret_field[value->n] = '\0';
	}
}

static uint64_t number(const struct line *value)
{
	char digits[MAX_NUMBER];

	copy(value, digits, sizeof(digits));
	return strtoull(digits, NULL, 10);
}

static bool cut(char *s, const char *suffix)
{
	size_t n = strlen(s), len = strlen(suffix);

	if (n <= len || strcmp(s + n - len, suffix))
		return false;
	s[n - len] = '\0';
	return true;
}

/* linux-image-R, linux-image-unsigned-R, linux-image-R-unsigned, each with -dbg or -dbgsym behind
 * it where it is debug information. */
static void set_release(struct repo_package *p)
{
	const char *name = p->name;

	if (strncmp(name, IMAGE, strlen(IMAGE)))
		return;
	name += strlen(IMAGE);
	if (!strncmp(name, "unsigned-", 9))
		name += 9;
	if (*name < '0' || *name > '9')
		return;
	snprintf(p->release, sizeof(p->release), "%s", name);
	p->debug = cut(p->release, "-dbg") || cut(p->release, "-dbgsym");
	cut(p->release, "-unsigned");
}

static int end_stanza(struct repo_packages *packages, struct repo_package *p, const char *path,
		      struct fail *f)
{
	int err;

	set_release(p);
	p->path = (char *)path;
	err = repo_add(packages, p, f);
	*p = (struct repo_package){ .path = NULL };
	return err;
}

int aptindex_parse(const char *text, size_t size, struct repo_packages *packages, struct fail *f)
{
	const char *pos = text, *end = text + size;
	struct repo_package p = { .path = NULL };
	char path[REPO_MAX_PATH] = "";
	struct line line, value;
	int err = 0;

	while (!err && next_line(&pos, end, &line)) {
		if (line.n == 0)
			err = end_stanza(packages, &p, path, f);
		else if (field(&line, "Package", &value))
			copy(&value, p.name, sizeof(p.name));
		else if (field(&line, "Version", &value))
			copy(&value, p.version, sizeof(p.version));
		else if (field(&line, "Architecture", &value))
			copy(&value, p.arch, sizeof(p.arch));
		else if (field(&line, "Filename", &value))
			copy(&value, path, sizeof(path));
		else if (field(&line, "SHA256", &value))
			copy(&value, p.sha256, sizeof(p.sha256));
		else if (field(&line, "Size", &value))
			p.size = number(&value);
	}
	return err ? err : end_stanza(packages, &p, path, f);
}

/* Which distribution's release it is, as os-release(5) will say on its machines. */
static void set_distro(const struct line *origin, const struct line *version,
		       struct repo_packages *packages)
{
	if (origin->n >= 6 && !memcmp(origin->p, "Debian", 6)) {
		memcpy(packages->distro, "debian", sizeof("debian"));
		copy(version, packages->distro_version, sizeof(packages->distro_version));
		/* point releases are no versions of their own */
		packages->distro_version[strcspn(packages->distro_version, ".")] = '\0';
	} else if (origin->n == 6 && !memcmp(origin->p, "Ubuntu", 6)) {
		memcpy(packages->distro, "ubuntu", sizeof("ubuntu"));
		copy(version, packages->distro_version, sizeof(packages->distro_version));
	}
}

/* " <sha256> <size> <path>" */
static bool parse_sum(const struct line *line, const char *path, char ret_sha256[DIGEST_HEX_SIZE])
{
	const size_t hex = DIGEST_HEX_SIZE - 1, len = strlen(path);

	if (line->n < 1 + hex + 1 + len || line->p[0] != ' ' || line->p[1 + hex] != ' ' ||
	    memcmp(line->p + line->n - len, path, len) || line->p[line->n - len - 1] != ' ')
		return false;
	memcpy(ret_sha256, line->p + 1, hex);
	ret_sha256[hex] = '\0';
	return digest_is_hex(ret_sha256);
}

/* The digest that Release has for a path of the suite. */
static bool find_sum(const struct mapping *release, const char *path,
		     char ret_sha256[DIGEST_HEX_SIZE])
{
	const char *pos = (const char *)release->data, *end = pos + release->size;
	bool sums = false;
	struct line line;

	while (next_line(&pos, end, &line)) {
		if (line.n && line.p[0] != ' ')
			sums = line.n == 7 && !memcmp(line.p, "SHA256:", 7);
		else if (sums && parse_sum(&line, path, ret_sha256))
			return true;
	}
	return false;
}

static int read_release(struct repo *repo, const char *suite, struct mapping *ret_release,
			struct repo_packages *packages, struct fail *f)
{
	struct line line, origin = { "", 0 }, version = { "", 0 };
	char path[MAX_SUITE + 32];
	const char *pos, *end;
	int err;

	snprintf(path, sizeof(path), "dists/%s/Release", suite);
	err = repo_get(repo, path, REPO_MAX_INDEX, NULL, ret_release, f);
	if (err == -ENOENT) {
		snprintf(path, sizeof(path), "dists/%s/InRelease", suite);
		err = repo_get(repo, path, REPO_MAX_INDEX, NULL, ret_release, f);
	}
	if (err)
		return err;
	pos = (const char *)ret_release->data;
	end = pos + ret_release->size;
	while (next_line(&pos, end, &line))
		if (!field(&line, "Origin", &origin))
			field(&line, "Version", &version);
	set_distro(&origin, &version, packages);
	return 0;
}

static int read_packages(struct repo *repo, const char *path, const char *sha256,
			 struct repo_packages *packages, struct fail *f)
{
	struct mapping file = MAPPING_NONE, text = MAPPING_NONE;
	const struct mapping *m = &file;
	int err;

	err = repo_get(repo, path, REPO_MAX_INDEX, sha256, &file, f);
	if (err)
		return err;
	if (unpack_knows(file.data, file.size)) {
		err = unpack(file.data, file.size, &text, f);
		m = &text;
	}
	if (!err)
		err = aptindex_parse((const char *)m->data, m->size, packages, f);
	if (err)
		fail_in(f, err, "%s", path);
	mapping_close(&text);
	mapping_close(&file);
	return err;
}

int aptindex_read(struct repo *repo, const char *suite, const char *arch,
		  struct repo_packages *ret_packages, struct fail *f)
{
	static const char *const suffixes[] = { ".xz", ".gz", "" };
	const char *debian = strcmp(arch, "x86_64") ? arch : "amd64";
	struct repo_packages packages = { .list = NULL };
	struct mapping release = MAPPING_NONE;
	char path[2 * MAX_SUITE + 64], sha256[DIGEST_HEX_SIZE];
	const char *below;
	bool found = false;
	int err;

	if (strlen(suite) >= MAX_SUITE)
		return fail(f, -EINVAL, "no suite has such a long name");
	err = read_release(repo, suite, &release, &packages, f);
	for (size_t i = 0; !err && !found && i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		snprintf(path, sizeof(path), "dists/%s/main/binary-%s/Packages%s", suite, debian,
			 suffixes[i]);
		below = path + strlen("dists/") + strlen(suite) + 1;
		found = find_sum(&release, below, sha256);
		if (found)
			err = read_packages(repo, path, sha256, &packages, f);
	}
	if (!err && !found)
		err = fail(f, -ENOENT, "%s: suite %s has no packages for %s", repo->base, suite,
			   arch);
	mapping_close(&release);
	if (err)
		repo_packages_free(&packages);
	else
		*ret_packages = packages;
	return err;
}

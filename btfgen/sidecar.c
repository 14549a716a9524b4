// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "sidecar.h"

#include "btfs/fail.h"
#include "btfs/hostfile.h"
#include "btfs/text.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum type { STRING, NUMBER };

#define MEMBER(type, name, member)                            \
	{                                                     \
		name, type, offsetof(struct sidecar, member), \
			sizeof(((struct sidecar *)0)->member) \
	}

/* In the order of the file. */
static const struct member {
	const char *name;
	enum type type;
	size_t offset, size;
} members[] = {
	MEMBER(STRING, "distribution", kernel.distro),
	MEMBER(STRING, "distribution_version", kernel.distro_version),
	MEMBER(STRING, "arch", kernel.arch),
	MEMBER(STRING, "kernel_version", kernel.release),
	MEMBER(STRING, "uname_version", kernel.version),
	MEMBER(STRING, "build_id", kernel.build_id),
	MEMBER(STRING, "package", package),
	MEMBER(STRING, "package_version", package_version),
	MEMBER(STRING, "package_arch", package_arch),
	MEMBER(STRING, "btf_from", btf_from),
	MEMBER(STRING, "btf_sha256", sha256),
	MEMBER(NUMBER, "btf_bytes", bytes),
	MEMBER(NUMBER, "btf_types", types),
	MEMBER(NUMBER, "btf_types_before", types_before),
	MEMBER(STRING, "btf_duplicated", duplicated),
	MEMBER(NUMBER, "btf_duplicates", duplicates),
	MEMBER(STRING, "btfgen", btfgen),
	MEMBER(STRING, "pahole", pahole),
};

void sidecar_members(const struct sidecar *sidecar, const char *between, struct text *t)
{
	const char *before = "";

	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		const struct member *m = &members[i];
		const char *p = (const char *)sidecar + m->offset;
		uint64_t number = 0;

		if (m->type == NUMBER)
			memcpy(&number, p, sizeof(number));
		if (m->type == NUMBER ? !number : !*p)
			continue;
		text_add(t, "%s\"%s\": ", before, m->name);
		if (m->type == NUMBER)
			text_add(t, "%" PRIu64, number);
		else
			text_json(t, p);
		before = between;
	}
}

void sidecar_text(const struct sidecar *sidecar, struct text *t)
{
	text_add(t, "{\n  ");
	sidecar_members(sidecar, ",\n  ", t);
	text_add(t, "\n}\n");
}

static int take(const struct member *m, const json_t *value, struct sidecar *s, struct fail *f)
{
	char *p = (char *)s + m->offset;
	uint64_t number;

	if (m->type == NUMBER) {
		if (!json_is_integer(value) || json_integer_value(value) < 0)
			return fail(f, -EBADMSG, "%s is not a number", m->name);
		number = json_integer_value(value);
		memcpy(p, &number, sizeof(number));
		return 0;
	}
	if (!json_is_string(value))
		return fail(f, -EBADMSG, "%s is not a string", m->name);
	if (json_string_length(value) >= m->size)
		return fail(f, -E2BIG, "%s has more than %zu bytes", m->name, m->size - 1);
	memcpy(p, json_string_value(value), json_string_length(value) + 1);
	for (; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return fail(f, -EBADMSG, "%s has control bytes", m->name);
	return 0;
}

/* What struct kernel promises of its fields. */
static int check(const struct sidecar *s, struct fail *f)
{
	const struct kernel *k = &s->kernel;
	size_t digits = strspn(k->build_id, "0123456789abcdef");
	const struct {
		const char *name, *value;
	} names[] = {
		{ "kernel_version", k->release },
		{ "distribution", k->distro },
		{ "distribution_version", k->distro_version },
		{ "arch", k->arch },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (*names[i].value && !kernel_name_ok(names[i].value))
			return fail(f, -EBADMSG, "%s can't be \"%s\"", names[i].name,
				    names[i].value);
	if (*k->build_id && (k->build_id[digits] || digits < 16 || digits > 64 || digits % 2))
		return fail(f, -EBADMSG, "build_id can't be \"%s\"", k->build_id);
	if (*s->sha256 && !digest_is_hex(s->sha256))
		return fail(f, -EBADMSG, "btf_sha256 can't be \"%s\"", s->sha256);
	return 0;
}

int sidecar_parse(const char *text, size_t size, struct sidecar *ret_sidecar, struct fail *f)
{
	struct sidecar s = { .bytes = 0 };
	json_error_t why;
	json_t *root, *value;
	int err = 0;

	if (size > SIDECAR_MAX)
		return fail(f, -E2BIG, "more than %u bytes", SIDECAR_MAX);
	root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
	if (!root)
		return fail(f, -EBADMSG, "line %d: %s", why.line, why.text);
	if (!json_is_object(root))
		err = fail(f, -EBADMSG, "not a JSON object");
	for (size_t i = 0; !err && i < sizeof(members) / sizeof(*members); i++) {
		value = json_object_get(root, members[i].name);
		if (value)
			err = take(&members[i], value, &s, f);
	}
	if (!err)
		err = check(&s, f);
	json_decref(root);
	if (!err)
		*ret_sidecar = s;
	return err;
}

static bool cut_suffix(struct text *path, const char *suffix)
{
	size_t n = strlen(suffix);

	if (path->failed || path->size < n || strcmp(path->p + path->size - n, suffix))
		return false;
	path->size -= n;
	path->p[path->size] = '\0';
	return true;
}

/* A second build of a name has the first digits of its build-id in its path. */
static bool is_of(const struct kernel *a, const struct kernel *path)
{
	return !strcmp(a->arch, path->arch) && !strcmp(a->release, path->release) &&
	       !strncmp(a->build_id, path->build_id, strlen(path->build_id));
}

int sidecar_read(const char *archive_path, const struct kernel *identity,
		 struct sidecar *ret_sidecar, struct fail *f)
{
	struct text path = { 0 };
	struct sidecar s;
	char *data = NULL;
	size_t size;
	int err;

	text_add(&path, "%s", archive_path);
	if (!cut_suffix(&path, ".btf.tar.xz"))
		cut_suffix(&path, ".btf");
	text_add(&path, ".json");
	if (path.failed) {
		text_free(&path);
		return fail(f, -ENOMEM, "no memory");
	}
	err = hostfile_read(NULL, path.p, SIDECAR_MAX, &data, &size, f);
	if (!err) {
		err = sidecar_parse(data, size, &s, f);
		if (!err && !is_of(&s.kernel, identity))
			err = fail(f, -EBADMSG, "it is of another kernel than its path says");
		if (err)
			fail_in(f, err, "%s", path.p);
		else
			*ret_sidecar = s;
	}
	free(data);
	text_free(&path);
	return err;
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "lint.h"

#include "btfs/archive.h"
#include "btfs/fail.h"
#include "btfs/layout.h"
#include "btfs/view.h"
#include "census.h"
#include "flavour.h"
#include "identify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct linter {
	const struct lint *lint;
	const char *name; /* of the file, without folders */
	struct kernel kernel;
	bool known; /* kernel is */
};

__attribute__((format(printf, 4, 5))) static void
found(const struct linter *l, enum lint_level level, const char *rule, const char *fmt, ...)
{
	char text[FAIL_TEXT_MAX];
	struct fail clean;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fail(&clean, 0, "%s", text);
	l->lint->found(l->lint->ctx, level, rule, clean.text);
}

static void identify_path(struct linter *l, const char *path)
{
	const char *slash = strrchr(path, '/'), *start = path + strlen(path);
	enum layout_kind kind;

	l->name = slash ? slash + 1 : path;
	for (int parts = 4; parts && start > path;) {
		start--;
		if (start == path || start[-1] == '/')
			parts--;
	}
	l->known = !layout_parse(start, &l->kernel, &kind, NULL);
}

static bool is_one_of(const char *arch, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(arch, *list))
			return true;
	return false;
}

static void check_machine(const struct linter *l, const struct view *v)
{
	static const char *const big[] = { "ppc64", "s390x", "mips", NULL };
	static const char *const narrow[] = { "i386", "armhf", "armel", "mips", "mipsel", NULL };
	const char *arch = l->kernel.arch;
	uint32_t ptr_size;

	if (!l->known || !*arch)
		return;
	if (v->big_endian != is_one_of(arch, big))
		found(l, LINT_ERROR, "machine", "it is %s, %s is not",
		      v->big_endian ? "big-endian" : "little-endian", arch);
	ptr_size = is_one_of(arch, narrow) ? 4 : 8;
	if (v->ptr_size && v->ptr_size != ptr_size)
		found(l, LINT_ERROR, "machine", "its pointers have %u bytes, those of %s %u",
		      v->ptr_size, arch, ptr_size);
	if (!v->ptr_size)
		found(l, LINT_NOTE, "machine",
		      "without an int named long libbpf takes pointers for 8 bytes");
}

/* Which of libbpf's releases began to read a kind; the whole file is refused before. */
static void check_kinds(const struct linter *l, const struct census *c)
{
	static const struct {
		uint8_t kind;
		const char *since;
	} newer[] = {
		{ BTF_KIND_FLOAT, "0.4" },
		{ BTF_KIND_DECL_TAG, "0.6" },
		{ BTF_KIND_TYPE_TAG, "0.6" },
		{ VIEW_KIND_ENUM64, "1.0" },
	};

	for (size_t i = 0; i < sizeof(newer) / sizeof(*newer); i++)
		if (c->kinds[newer[i].kind])
			found(l, LINT_NOTE, "new-kind",
			      "%zu of kind %s: libbpf before %s does not read the file",
			      c->kinds[newer[i].kind], view_kind_name(newer[i].kind),
			      newer[i].since);
}

static bool has_struct(const struct view *v, const char *name)
{
	for (uint32_t id = v->first_id; id < v->n_types; id++)
		if (view_kind(v, id) == BTF_KIND_STRUCT &&
		    !strcmp(view_name(v, view_type(v, id).name_off), name))
			return true;
	return false;
}

static void check_contents(const struct linter *l, const struct view *v, const struct census *c)
{
	if (c->most >= LINT_MAX_REPEATED)
		found(l, LINT_ERROR, "duplicates",
		      "%s stands there %u times: it was not deduplicated", c->most_name, c->most);
	if (!has_struct(v, "task_struct"))
		found(l, LINT_NOTE, "part", "no struct task_struct: not a whole kernel's");
	else if (v->size < LINT_SMALL)
		found(l, LINT_NOTE, "size", "%zu bytes are few for a whole kernel", v->size);
	if (v->size > LINT_LARGE)
		found(l, LINT_NOTE, "size", "%zu bytes are many for a kernel", v->size);
	if (!c->kinds[BTF_KIND_FUNC])
		found(l, LINT_NOTE, "no-functions", "no FUNC: functions cannot be looked up in it");
	if (!c->kinds[BTF_KIND_VAR])
		found(l, LINT_NOTE, "no-variables", "no VAR: per-CPU variables are not in it");
	check_kinds(l, c);
}

/* BTFHub's rule is "<uname -r>.btf"; with modules beside it, it is "vmlinux". */
static void check_member(const struct linter *l, const char *member)
{
	size_t len = strlen(l->name), n = strlen(member);
	const char *suffix = ".btf.tar.xz";

	if (!*member || !strcmp(member, "vmlinux") || !l->known)
		return;
	if (len > strlen(suffix) && !strcmp(l->name + len - strlen(suffix), suffix) &&
	    n == len - strlen(".tar.xz") && !memcmp(member, l->name, n))
		return;
	if (n == strlen(l->kernel.release) + 4 && !strcmp(member + n - 4, ".btf") &&
	    !memcmp(member, l->kernel.release, n - 4))
		return;
	found(l, LINT_ERROR, "member", "the archive's member is %s, not %s.btf", member,
	      l->kernel.release);
}

static void check_modules(const struct linter *l, const struct archive *a, const struct view *base)
{
	for (size_t i = 0; i < a->n_modules; i++) {
		struct view *view = NULL;
		struct fail why = { .text = "" };

		if (view_open(a->modules[i].data, a->modules[i].size, base, &view, &why))
			found(l, LINT_ERROR, "module", "%s: %s", a->modules[i].name, why.text);
		view_close(view);
	}
}

static int lint_view(const struct linter *l, const struct view *v, struct fail *f)
{
	struct census c;
	int err;

	if (v->n_types <= 1) {
		found(l, LINT_ERROR, "empty", "not one type is in it");
		return 0;
	}
	err = census_of(v, &c, f);
	if (err)
		return err;
	check_machine(l, v);
	check_contents(l, v, &c);
	return 0;
}

int lint_file(const char *path, const struct lint *lint, struct fail *f)
{
	struct linter l = { .lint = lint };
	struct archive archive = { 0 };
	struct view *view = NULL;
	struct fail why = { .text = "" };
	const char *flavour;
	int err;

	identify_path(&l, path);
	flavour = l.known ? flavour_of_debug(l.kernel.release, "") : NULL;
	if (flavour)
		found(&l, LINT_NOTE, "debug", "%s: a kernel built to be debugged has other layouts",
		      flavour);
	err = archive_read(path, &archive, &why);
	if (err) {
		found(&l, LINT_ERROR, "unreadable", "%s", why.text);
		return err == -ENOMEM ? fail(f, err, "no memory") : 0;
	}
	check_member(&l, archive.btf.name);
	err = view_open(archive.btf.data, archive.btf.size, NULL, &view, &why);
	if (err) {
		found(&l, LINT_ERROR, "refused", "%s", why.text);
		err = err == -ENOMEM ? fail(f, err, "no memory") : 0;
	} else {
		err = lint_view(&l, view, f);
		check_modules(&l, &archive, view);
	}
	view_close(view);
	archive_free(&archive);
	return err;
}

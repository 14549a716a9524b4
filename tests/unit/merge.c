// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Types that only a module has come out of one file, and libbpf takes it. */
#include "btfgen/merge.h"
#include "btfgen/minimize.h"
#include "btfgen/plan.h"
#include "btfs/archive.h"
#include "btfs/fail.h"
#include "btfs/need.h"
#include "btfs/view.h"
#include "tests/tap.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HEADER "btfdepot-need 1\n"

/* A copy: libbpf drops its own as soon as a BTF is used as base. Each name has one, reused. */
static struct archive_part part(struct btf *btf, const char *name)
{
	static char copies[8][4096], names[8][16];
	static size_t n;
	__u32 size;
	const void *raw = btf__raw_data(btf, &size);

	n = (n + 1) % 8;
	memcpy(copies[n], raw, size);
	snprintf(names[n], sizeof(names[n]), "%s", name);
	return (struct archive_part){ names[n], copies[n], size };
}

/* vmlinux: int and struct shared { int a; } */
static struct btf *make_vmlinux(void)
{
	struct btf *btf = btf__new_empty();

	btf__add_int(btf, "int", 4, BTF_INT_SIGNED); /* 1 */
	btf__add_struct(btf, "shared", 8);	     /* 2 */
	btf__add_field(btf, "a", 1, 32, 0);
	btf__add_int(btf, "long unsigned int", 8, 0); /* 3 */
	return btf;
}

/* A module's struct of that name: { struct shared *s; int own; } at offset bits. */
static struct btf *make_module(struct btf *vmlinux, const char *name, __u32 offset)
{
	struct btf *btf = btf__new_empty_split(vmlinux);

	btf__add_ptr(btf, 2);		/* 4 */
	btf__add_struct(btf, name, 32); /* 5 */
	btf__add_field(btf, "s", 4, 0, 0);
	btf__add_field(btf, "own", 1, offset, 0);
	btf__add_enum(btf, "module_enum", 4); /* 6 */
	btf__add_enum_value(btf, "FIRST", 7);
	return btf;
}

static int cut(const struct view *view, const char *text, struct minimized *ret, struct fail *f)
{
	struct need *need = NULL;
	struct plan *plan = NULL;
	int err;

	err = need_parse(text, strlen(text), &need, f);
	if (!err)
		err = plan_new(need, &plan, f);
	if (!err)
		err = minimize(plan, view, MINIMIZE_SERVED, ret, f);
	plan_free(plan);
	need_free(need);
	return err;
}

static void test_modules(const struct view *base, struct btf *vmlinux)
{
	static const char both[] = HEADER "byte_off\tstruct\tfirst\t0.own\tint\n"
					  "byte_off\tstruct\tsecond\t0.own\tint\n"
					  "byte_off\tstruct\tshared\t0.a\tint\n";
	struct btf *first = make_module(vmlinux, "first", 64);
	struct btf *second = make_module(vmlinux, "second", 96);
	struct archive_part parts[] = { part(first, "first"), part(second, "second") };
	struct minimized m = { 0 };
	struct merged merged = { 0 };
	struct fail f = { .text = "" };
	struct btf *out;

	tap_is_int(merge_modules(base, parts, 2, &merged, &f), 0, "two modules merge: %s", f.text);
	if (!merged.view)
		return;
	tap_is_int(merged.view->n_types, 10, "types of vmlinux and both modules");
	tap_is_int(merged.view->modules_from, 4, "modules' types start behind vmlinux's");
	tap_is_int(cut(merged.view, both, &m, &f), 0, "cut: %s", f.text);
	if (!m.match.values)
		return;
	tap_is_int(m.match.values[0].value, 8, "the first module's offset");
	tap_is_int(m.match.values[1].value, 12, "the second module's offset");
	tap_is_int(m.match.values[2].value, 4, "vmlinux's offset");
	out = btf__new(m.btf, m.size);
	tap_ok(out != NULL, "libbpf takes the result");
	tap_ok(btf__find_by_name_kind(out, "second", BTF_KIND_STRUCT) > 0, "it holds the struct");
	btf__free(out);
	minimized_free(&m);
	merged_free(&merged);
	btf__free(first);
	btf__free(second);
}

/* A module's struct named like one of vmlinux is no candidate, though it would be ambiguous. */
static void test_vmlinux_first(const struct view *base, struct btf *vmlinux)
{
	static const char text[] = HEADER "byte_off\tstruct\tshared\t0.a\tint\n";
	struct btf *btf = btf__new_empty_split(vmlinux);
	struct archive_part parts[2];
	struct minimized m = { 0 };
	struct merged merged = { 0 };
	struct fail f = { .text = "" };

	btf__add_struct(btf, "shared", 64);
	btf__add_field(btf, "a", 1, 128, 0);
	parts[0] = parts[1] = part(btf, "twin");
	tap_is_int(merge_modules(base, parts, 1, &merged, &f), 0, "a twin merges: %s", f.text);
	if (!merged.view)
		return;
	tap_is_int(cut(merged.view, text, &m, &f), 0, "and is no candidate: %s", f.text);
	if (!m.match.values)
		return;
	tap_is_int(m.match.values[0].value, 4, "vmlinux's offset stands");
	minimized_free(&m);
	merged_free(&merged);
	btf__free(btf);
}

static void test_disagreeing(const struct view *base, struct btf *vmlinux)
{
	static const char text[] = HEADER "byte_off\tstruct\tonly\t0.own\tint\n";
	struct btf *a = make_module(vmlinux, "only", 64), *b = make_module(vmlinux, "only", 96);
	struct archive_part parts[] = { part(a, "a"), part(b, "b") };
	struct minimized m = { 0 };
	struct merged merged = { 0 };
	struct fail f = { .text = "" };

	tap_is_int(merge_modules(base, parts, 2, &merged, &f), 0, "two of a name merge");
	tap_is_int(cut(merged.view, text, &m, &f), -ENOTUNIQ, "modules that disagree: %s", f.text);
	merged_free(&merged);
	btf__free(a);
	btf__free(b);
}

static void test_odd(const struct view *base, struct btf *vmlinux)
{
	struct btf_header empty = { .magic = BTF_MAGIC, .version = 1, .hdr_len = sizeof(empty) };
	char name[] = "empty";
	struct archive_part header = { name, &empty, sizeof(empty) };
	struct btf *other = make_module(vmlinux, "first", 64);
	struct archive_part cut_off = part(other, "cut");
	struct merged merged = { 0 };
	struct fail f = { .text = "" };

	tap_is_int(merge_modules(base, &header, 1, &merged, &f), 0, "a header alone: %s", f.text);
	if (!merged.view)
		return;
	tap_is_int(merged.view->n_types, base->n_types, "adds nothing");
	merged_free(&merged);
	cut_off.size -= 4;
	tap_is_int(merge_modules(base, &cut_off, 1, &merged, &f), -EBADMSG, "cut off: %s", f.text);
	btf__free(other);
}

int main(void)
{
	struct btf *vmlinux = make_vmlinux();
	struct archive_part raw = part(vmlinux, "vmlinux");
	struct fail f = { .text = "" };
	struct view *base = NULL;

	tap_is_int(view_open(raw.data, raw.size, NULL, &base, &f), 0, "vmlinux: %s", f.text);
	test_modules(base, vmlinux);
	test_vmlinux_first(base, vmlinux);
	test_disagreeing(base, vmlinux);
	test_odd(base, vmlinux);
	view_close(base);
	btf__free(vmlinux);
	return tap_done();
}

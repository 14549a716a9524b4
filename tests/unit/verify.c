// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The oracle must be able to say no: it is given BTF that is wrong in one place. */
#include "btfgen/verify.h"
#include "btfs/fail.h"
#include "tests/compile.h"
#include "tests/tap.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>

static const char source[] = COMPILE_HEAD
	"struct task_struct { int pid; struct { long x; } in; unsigned f : 3; void *gone; } R;\n"
	"enum e { A = 1, B };\n"
	"typedef int there_t;\n"
	"PROG reads(struct task_struct *t) { return t->pid + t->in.x; }\n"
	"PROG asks(struct task_struct *t)\n"
	"{ return __builtin_preserve_field_info(t->gone, 2) +\n"
	"  __builtin_preserve_field_info(t->f, 4) + __builtin_preserve_field_info(t->f, 0) +\n"
	"  __builtin_preserve_type_info(*(struct task_struct *)0, 1) +\n"
	"  __builtin_preserve_type_info(*(there_t *)0, 0) +\n"
	"  __builtin_preserve_enum_value(*(enum e *)A, 1); }\n"
	"PROG ids(struct task_struct *t)\n"
	"{ return __builtin_btf_type_id(*(struct task_struct *)0, 1); }\n"
	"PROG poisoned(struct task_struct *t) { return (long)t->gone; }\n";

/* What a kernel may look like; each field is one thing that can be wrong. */
struct shape {
	unsigned int pid_bit, x_bit, f_bit, f_bits, size;
	int value;
	bool gone, there, second, shifted;
};

static const struct shape right = { 32, 64, 160, 3, 64, 7, false, true, false, false };

static struct btf *build(const struct shape *s)
{
	struct btf *b = btf__new_empty();
	int u32, u64, in, ptr;

	if (!b)
		abort();
	if (s->shifted)
		btf__add_struct(b, "first", 1);
	u32 = btf__add_int(b, "unsigned int", 4, 0);
	u64 = btf__add_int(b, "long", 8, BTF_INT_SIGNED);
	ptr = btf__add_ptr(b, 0);
	in = btf__add_struct(b, "in", 8);
	btf__add_field(b, "x", u64, 0, 0);
	btf__add_struct(b, "task_struct", s->size);
	btf__add_field(b, "pid", u32, s->pid_bit, 0);
	btf__add_field(b, "in", in, s->x_bit, 0);
	btf__add_field(b, "f", u32, s->f_bit, s->f_bits);
	if (s->gone)
		btf__add_field(b, "gone", ptr, 256, 0);
	btf__add_enum(b, "e", 4);
	btf__add_enum_value(b, "A", s->value);
	if (s->there)
		btf__add_typedef(b, "there_t", u32);
	if (s->second) {
		btf__add_struct(b, "task_struct", s->size);
		btf__add_field(b, "pid", u32, 96, 0);
		btf__add_field(b, "in", in, 128, 0);
	}
	return b;
}

static int verify(const struct compiled *o, const struct shape *full, const struct shape *min,
		  struct verify_result *ret, struct fail *f)
{
	const struct verify_btf object = { o->data, o->size };
	struct btf *a = build(full), *b = build(min);
	struct verify_btf one, two;
	__u32 size;
	int err;

	one.data = btf__raw_data(a, &size);
	one.size = size;
	two.data = btf__raw_data(b, &size);
	two.size = size;
	err = verify_object(&object, &one, &two, ret, f);
	btf__free(a);
	btf__free(b);
	return err;
}

static const struct wrong {
	const char *what;
	struct shape shape;
	const char *said;
} wrong[] = {
	{ "a field moved by a byte",
	  { 40, 64, 160, 3, 64, 7, false, true, false, false },
	  "reads" },
	{ "a nested one moved by 16",
	  { 32, 192, 160, 3, 64, 7, false, true, false, false },
	  "reads" },
	{ "a bitfield moved by a bit",
	  { 32, 64, 161, 3, 64, 7, false, true, false, false },
	  "asks" },
	{ "a bitfield of 4 bits", { 32, 64, 160, 4, 64, 7, false, true, false, false }, "" },
	{ "a size of 72", { 32, 64, 160, 3, 72, 7, false, true, false, false }, "asks" },
	{ "another enumerator's value",
	  { 32, 64, 160, 3, 64, 8, false, true, false, false },
	  "asks" },
	{ "a field that should not be there",
	  { 32, 64, 160, 3, 64, 7, true, true, false, false },
	  "" },
	{ "a type that is not there",
	  { 32, 64, 160, 3, 64, 7, false, false, false, false },
	  "asks" },
	{ "a second struct that disagrees",
	  { 32, 64, 160, 3, 64, 7, false, true, true, false },
	  "libbpf gives 0" },
};

static void test_wrong(const struct compiled *o)
{
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		const struct wrong *w = &wrong[i];
		struct verify_result r = { 0 };
		struct fail f = { .text = "" };

		tap_is_int(verify(o, &right, &w->shape, &r, &f), 0, "%s: asked%s", w->what, f.text);
		tap_is_int(r.verdict, VERIFY_DIFFERENT, "%s: differs", w->what);
		tap_ok(r.note[0] && strstr(r.note, w->said), "%s: %s", w->what, r.note);
		tap_is_int(verify(o, &w->shape, &right, &r, &f), 0, "the other way round");
		tap_is_int(r.verdict, VERIFY_DIFFERENT, "%s: differs, too", w->what);
	}
}

static void test_right(const struct compiled *o)
{
	struct shape twins = right, shifted = right;
	struct verify_result r = { 0 };
	struct fail f = { .text = "" };

	tap_is_int(verify(o, &right, &right, &r, &f), 0, "the same BTF%s", f.text);
	tap_is_int(r.verdict, VERIFY_SAME, "gives the same %s", r.note);
	tap_is_int(r.n_programs, 4, "in four programs");
	tap_ok(r.n_insns >= 12, "%zu instructions", r.n_insns);
	tap_ok(r.n_poisoned >= 1, "%zu poisoned", r.n_poisoned);
	tap_is_int(r.n_type_ids, 0, "no ids that differ");
	shifted.shifted = true;
	tap_is_int(verify(o, &right, &shifted, &r, &f), 0, "other ids");
	tap_is_int(r.verdict, VERIFY_SAME, "are the same still %s", r.note);
	tap_is_int(r.n_type_ids, 1, "and counted");
	twins.second = true;
	tap_is_int(verify(o, &twins, &twins, &r, &f), 0, "what is ambiguous in both");
	tap_is_int(r.verdict, VERIFY_REFUSED, "is refused with both");
	tap_ok(strstr(r.note, "ambiguity") != NULL, "by libbpf: %s", r.note);
}

static void test_unasked(const struct compiled *o)
{
	const struct verify_btf object = { o->data, o->size }, junk = { "junk", 4 };
	struct verify_result r = { .verdict = VERIFY_DIFFERENT };
	struct fail f = { .text = "" };

	tap_is_int(verify_object(&junk, &junk, &junk, &r, &f), -EINVAL, "no object: %s", f.text);
	tap_is_int(r.verdict, VERIFY_DIFFERENT, "leaves the result alone");
	tap_is_int(verify_object(&object, &junk, &junk, &r, &f), 0, "junk for BTF%s", f.text);
	tap_is_int(r.verdict, VERIFY_REFUSED, "is refused with both: %s", r.note);
}

int main(void)
{
	struct compiled o = compile(source, "-g");
	struct verify_result r = { 0 };
	struct fail f = { .text = "" };

	if (!o.data) {
		tap_skip("no clang for BPF");
		return tap_done();
	}
	if (verify(&o, &right, &right, &r, &f) == -EPERM) {
		tap_skip("%s", f.text);
		free(o.data);
		return tap_done();
	}
	test_right(&o);
	test_wrong(&o);
	test_unasked(&o);
	free(o.data);
	return tap_done();
}

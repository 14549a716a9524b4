// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What is left of a kernel's BTF, as text. */
#include "btfgen/minimize.h"
#include "btfgen/plan.h"
#include "btfs/text.h"
#include "tests/fixture.h"
#include "tests/tap.h"

#include <bpf/libbpf.h>
#include <errno.h>

static void show_members(const struct view *v, const struct view_type *t, struct text *out)
{
	for (uint32_t i = 0; i < t->vlen; i++) {
		struct view_member m = view_member(v, t, i);

		text_add(out, " %s:%u@%u", view_name(v, m.name_off), m.type, m.bit_offset);
		if (m.bit_size)
			text_add(out, "/%u", m.bit_size);
	}
}

static void show_type(const struct view *v, uint32_t id, struct text *out)
{
	struct view_type t = view_type(v, id);
	const char *name = view_name(v, t.name_off);
	struct view_array a;

	text_add(out, "%u %s%s%s", id, view_kind_name(t.kind), *name ? " " : "", name);
	if (view_is_composite(t.kind)) {
		text_add(out, " %u%s", t.size, t.kflag ? " bitfields" : "");
		show_members(v, &t, out);
	} else if (view_is_enum(t.kind)) {
		for (uint32_t i = 0; i < t.vlen; i++) {
			struct view_enumerator e = view_enumerator(v, &t, i);

			text_add(out, " %s=%lld", view_name(v, e.name_off), (long long)e.value);
		}
	} else if (t.kind == BTF_KIND_ARRAY) {
		a = view_array(v, &t);
		text_add(out, " %u[%u] by %u", a.type, a.nelems, a.index_type);
	} else if (t.kind == BTF_KIND_FUNC_PROTO) {
		text_add(out, " %u(", t.type);
		for (uint32_t i = 0; i < t.vlen; i++)
			text_add(out, "%s%u", i ? "," : "", view_param(v, &t, i).type);
		text_add(out, ")");
	} else if (t.kind == BTF_KIND_INT || t.kind == BTF_KIND_FLOAT) {
		text_add(out, " %u", t.size);
	} else if (t.kind != BTF_KIND_FWD) {
		text_add(out, " %u", t.type);
	}
	text_add(out, "\n");
}

#define TASK(kind, path, type) kind "\tstruct\ttask_struct\t" path "\t" type "\n"
#define LONG		       "1 int long unsigned int 8\n"

static const struct cut {
	const char *what, *lines, *want; /* served, from 64 bits; without long where it is first */
} cuts[] = {
	{ "nothing", "", LONG },
	{ "nothing that is there", TASK("byte_off", "0.none", "int"), LONG },
	{ "a field and its modifiers", TASK("byte_off", "0.pid", "int"),
	  "1 int unsigned int 4\n2 int long unsigned int 8\n3 const 1\n"
	  "4 struct task_struct 192 pid:3@32\n" },
	{ "a pointer's target is left out", TASK("byte_off", "0.mm", "ptr"),
	  LONG "2 ptr 0\n3 struct task_struct 192 mm:2@256\n" },
	{ "unless it is asked for by itself",
	  TASK("byte_off", "0.mm", "ptr") "byte_off\tstruct\tmm_struct\t0.start\tint\n",
	  LONG "2 struct mm_struct 64 start:1@128\n3 ptr 2\n"
	       "4 struct task_struct 192 mm:3@256\n" },
	{ "the way through an anonymous union", TASK("byte_off", "0.tgid", "int"),
	  "1 int unsigned int 4\n2 int long unsigned int 8\n3 union 8 tgid:1@0\n"
	  "4 struct task_struct 192 :3@64\n" },
	{ "a struct by value without its members", TASK("byte_off", "0.tasks", "composite"),
	  LONG "2 struct list_head 16\n3 struct task_struct 192 tasks:2@320\n" },
	{ "and with one", TASK("byte_off", "0.tasks.prev", "composite,ptr"),
	  LONG "2 struct list_head 16 prev:3@64\n3 ptr 2\n"
	       "4 struct task_struct 192 tasks:2@320\n" },
	{ "an array's element", TASK("byte_off", "0.comm[2]", "array(int)"),
	  "1 int unsigned int 4\n2 int long unsigned int 8\n3 int char 1\n4 array 3[16] by 1\n"
	  "5 struct task_struct 192 comm:4@128\n" },
	{ "a bitfield", TASK("byte_sz", "0.flag", "int"),
	  "1 int unsigned int 4\n2 int long unsigned int 8\n"
	  "3 struct task_struct 192 bitfields flag:1@450/3\n" },
	{ "a whole enum", TASK("byte_off", "0.state", "enum"),
	  LONG "2 struct task_struct 192 state:3@704\n3 enum state RUNNING=0 DEAD=-1\n" },
	{ "a wide one", "enumval_value\tenum\tbig\tBIG\t-\n",
	  LONG "2 enum64 big BIG=1099511627776\n" },
	{ "a type alone", TASK("type_size", "-", "struct"), LONG "2 struct task_struct 192\n" },
	{ "a typedef through its pointer", "type_exists\ttypedef\tkey_t\t-\tptr(fwd)\n",
	  LONG "2 fwd opaque\n3 ptr 2\n4 typedef key_t 3\n" },
	{ "the same as a field's type", TASK("byte_off", "0.key", "ptr"),
	  LONG "2 ptr 0\n3 typedef key_t 2\n4 struct task_struct 192 key:3@512\n" },
	{ "what its absence hangs on",
	  TASK("byte_off", "0.key", "ptr") "type_exists\ttypedef\tkey_t\t-\tptr(void)\n",
	  LONG "2 fwd opaque\n3 ptr 2\n4 typedef key_t 3\n"
	       "5 struct task_struct 192 key:4@512\n" },
	{ "an array that is not last must not become it",
	  "byte_off\tstruct\tgap\t0.zero\tarray(int)\n"
	  "byte_off\tstruct\tgap\t0.zero[1]\tarray(int)\n",
	  "1 int unsigned int 4\n2 int long unsigned int 8\n3 array 1[0] by 1\n"
	  "4 struct gap 8 zero:3@0 again:3@0 after:1@0\n" },
	{ "a function's types", "type_exists\ttypedef\tfunc_t\t-\tptr(func(ptr(struct),int,int))\n",
	  "1 int unsigned int 4\n2 int long unsigned int 8\n3 struct mm_struct 64\n4 ptr 3\n"
	  "5 func_proto 1(4,2)\n6 ptr 5\n7 typedef func_t 6\n" },
	{ "every member that is compared",
	  "type_matches\tstruct\tlist_head\t-\tstruct:list_head(member:next(ptr(struct:list_head)))"
	  "\n",
	  LONG "2 struct list_head 16 next:3@0 prev:3@64\n3 ptr 2\n" },
	{ "the first of several that agree", "byte_off\tstruct\ttwin\t0.same\tint\n",
	  "1 int unsigned int 4\n2 int long unsigned int 8\n3 struct twin 16 same:1@0\n" },
	{ "all where they are pruned",
	  "byte_off\tstruct\ttwin\t0.moved\tint\nbyte_off\tstruct\ttwin\t0.only_b\tint\n",
	  "1 int unsigned int 4\n2 int long unsigned int 8\n3 struct twin 16 moved:1@64\n"
	  "4 struct twin 12 moved:1@32 only_b:1@64\n" },
};

/* The cut as text; from a kernel whose longs have long_size bytes, of either byte order. */
static void cut(const char *lines, size_t long_size, int swapped, enum minimize_form form,
		struct text *ret)
{
	struct btf *kernel = fixture_new(long_size);
	struct need *need = fixture_need(lines);
	struct minimized m = { 0 };
	struct plan *plan = NULL;
	struct view *view, *result;
	struct fail f = { .text = "" };
	const void *data;
	__u32 size;

	if (swapped)
		btf__set_endianness(kernel, btf__endianness(kernel) == BTF_LITTLE_ENDIAN
						    ? BTF_BIG_ENDIAN
						    : BTF_LITTLE_ENDIAN);
	data = btf__raw_data(kernel, &size);
	view = fixture_view(data, size);
	if (plan_new(need, &plan, NULL))
		abort();
	if (minimize(plan, view, form, &m, &f)) {
		text_add(ret, "%s", f.text);
	} else {
		result = fixture_view(m.btf, m.size);
		for (uint32_t id = 1; id < result->n_types; id++)
			show_type(result, id, ret);
		tap_is_int(result->swapped, swapped, "the kernel's byte order");
		view_close(result);
	}
	minimized_free(&m);
	plan_free(plan);
	view_close(view);
	need_free(need);
	btf__free(kernel);
}

static void check_cut(const struct cut *c, int swapped)
{
	struct text text = { 0 };

	cut(c->lines, 8, swapped, MINIMIZE_SERVED, &text);
	tap_is_str(text.p, c->want, "%s", c->what);
	text_free(&text);
}

static void check_long(size_t long_size, enum minimize_form form, const char *want)
{
	struct text text = { 0 };

	cut(TASK("byte_sz", "0.mm", "ptr"), long_size, 0, form, &text);
	tap_is_str(text.p, want, "%zu bytes of long, %s", long_size,
		   form == MINIMIZE_SERVED ? "served" : "for comparison");
	text_free(&text);
}

/* Pointers are told by long alone: it stays where it is not 8 bytes, whatever the form. */
static void test_pointers(void)
{
	static const char without[] = "1 ptr 0\n2 struct task_struct 192 mm:1@256\n";
	static const char with_4[] = "1 int long unsigned int 4\n2 ptr 0\n"
				     "3 struct task_struct 192 mm:2@256\n";

	check_long(8, MINIMIZE_NO_PROBE, without);
	check_long(8, MINIMIZE_SERVED, LONG "2 ptr 0\n3 struct task_struct 192 mm:2@256\n");
	check_long(4, MINIMIZE_NO_PROBE, with_4);
	check_long(4, MINIMIZE_SERVED, with_4);
	/* a kernel that tells nothing */
	check_long(2, MINIMIZE_SERVED, without);
}

static void test_refused(void)
{
	struct text text = { 0 };

	cut("byte_off\tstruct\ttwin\t0.moved\tint\n", 8, 0, MINIMIZE_SERVED, &text);
	tap_ok(text.p && strstr(text.p, "ambiguous: byte_off struct twin 0.moved"), "%s", text.p);
	text_free(&text);
	minimized_free(&(struct minimized){ 0 });
}

int main(void)
{
	libbpf_set_print(NULL);
	for (size_t i = 0; i < sizeof(cuts) / sizeof(*cuts); i++)
		for (int swapped = 0; swapped < 2; swapped++)
			check_cut(&cuts[i], swapped);
	test_pointers();
	test_refused();
	return tap_done();
}

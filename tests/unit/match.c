// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * What each relocation gives with the whole BTF, and again with the minimised: both must agree. In
 * both byte orders.
 */
#include "btfgen/match.h"
#include "btfgen/minimize.h"
#include "btfgen/plan.h"
#include "tests/fixture.h"
#include "tests/tap.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>

#define POISON		       UINT64_MAX
#define TASK(kind, path, type) kind "\tstruct\ttask_struct\t" path "\t" type "\n"

static const struct reloc_case {
	const char *line;
	uint64_t value; /* or POISON */
	int kept;	/* candidates */
} cases[] = {
	{ TASK("byte_off", "0.pid", "int"), 4, 1 },
	{ TASK("byte_off", "1.pid", "int"), 196, 1 },
	{ TASK("byte_off", "3", "-"), 576, 1 },
	{ TASK("byte_sz", "0", "-"), 192, 1 },
	{ TASK("byte_sz", "0.pid", "int"), 4, 1 },
	{ TASK("signed", "0.pid", "int"), 0, 1 },
	{ TASK("field_exists", "0.pid", "int"), 1, 1 },
	{ TASK("field_exists", "0.pid", "ptr"), 0, 0 },
	{ TASK("byte_off", "0.pid", "ptr"), POISON, 0 },
	{ TASK("byte_off", "0.pid", "composite"), POISON, 0 },
	{ TASK("byte_off", "0.pid", "none"), POISON, 0 },
	{ TASK("byte_off", "0.none", "int"), POISON, 0 },
	{ TASK("field_exists", "0.none", "int"), 0, 0 },
	/* within anonymous members, arrays, structs */
	{ TASK("byte_off", "0.tgid", "int"), 8, 1 },
	{ TASK("byte_off", "0.both", "int"), 8, 1 },
	{ TASK("byte_off", "0.comm", "array(int)"), 16, 1 },
	{ TASK("byte_off", "0.comm[5]", "array(int)"), 21, 1 },
	{ TASK("byte_sz", "0.comm[5]", "array(int)"), 1, 1 },
	{ TASK("byte_sz", "0.comm", "array(int)"), 16, 1 },
	{ TASK("byte_off", "0.comm[16]", "array(int)"), POISON, 0 },
	{ TASK("byte_off", "0.comm", "array(ptr)"), POISON, 0 },
	{ TASK("byte_off", "0.tasks.prev", "composite,ptr"), 48, 1 },
	{ TASK("byte_off", "0.tasks", "composite"), 40, 1 },
	{ TASK("byte_off", "0.mm", "ptr"), 32, 1 },
	{ TASK("byte_sz", "0.mm", "ptr"), 8, 1 },
	{ "byte_off\tstruct\tpid\t0.numbers[3].nr\tarray(composite),int\n", 20, 1 },
	{ "byte_off\tstruct\tgap\t0.zero[1]\tarray(int)\n", POISON, 0 }, /* not the last */
	{ "byte_off\tstruct\tgap\t0.zero\tarray(int)\n", 0, 1 },
	/* fields of other kinds */
	{ TASK("byte_off", "0.flag", "int"), 56, 1 },
	{ TASK("byte_sz", "0.flag", "int"), 4, 1 },
	{ TASK("rshift_u64", "0.flag", "int"), 61, 1 },
	{ TASK("byte_off", "0.key", "ptr"), 64, 1 },
	{ TASK("byte_off", "0.ratio", "float"), 72, 1 },
	{ TASK("byte_off", "0.run", "ptr"), 80, 1 },
	{ TASK("byte_off", "0.state", "enum"), 88, 1 },
	{ TASK("byte_off", "0.state", "enum:state"), 88, 1 },
	{ TASK("byte_off", "0.state", "enum:other"), POISON, 0 },
	/* types */
	{ TASK("type_exists", "-", "struct"), 1, 1 },
	{ TASK("type_size", "-", "struct"), 192, 1 },
	{ "type_exists\tunion\ttask_struct\t-\tunion\n", 0, 0 },
	{ "type_size\tstruct\tnone\t-\tstruct\n", 0, 0 },
	{ "type_exists\tstruct\topaque\t-\tstruct\n", 0, 0 },
	{ "type_exists\ttypedef\tkey_t\t-\tptr(fwd)\n", 1, 1 },
	{ "type_exists\ttypedef\tkey_t\t-\tptr(void)\n", 0, 0 },
	{ "type_size\ttypedef\tkey_t\t-\tptr(fwd)\n", 8, 1 },
	{ "type_exists\ttypedef\tfunc_t\t-\tptr(func(ptr(struct),int,int))\n", 1, 1 },
	{ "type_exists\ttypedef\tfunc_t\t-\tptr(func(ptr(struct),int,void))\n", 0, 0 },
	{ "type_exists\ttypedef\tfunc_t\t-\tptr(func(ptr(struct),int))\n", 0, 0 },
	{ "type_exists\tint\tchar\t-\tint\n", 1, 1 },
	{ "type_exists\tfloat\tdouble\t-\tnone\n", 0, 0 },
	{ "target_type_id\tstruct\ttask_struct\t-\tstruct\n", F_TASK, 1 },
	{ "target_type_id\tstruct\tnone\t-\tstruct\n", 0, 0 },
	{ "type_matches\tstruct\tmm_struct\t-\tstruct:mm_struct(member:start(int:long%20unsigned%20"
	  "int/8))\n",
	  1, 1 },
	{ "type_matches\tstruct\tmm_struct\t-\tstruct:mm_struct(member:start(int:long%20unsigned%20"
	  "int/4))\n",
	  0, 0 },
	{ "type_matches\tstruct\tmm_struct\t-\tstruct:mm_struct\n", 1, 1 },
	{ "type_matches\tstruct\tlist_head\t-\tstruct:list_head(member:next(ptr(struct:list_head)),"
	  "member:prev(ptr(struct:list_head)))\n",
	  1, 1 },
	{ "type_matches\tstruct\tlist_head\t-\tstruct:list_head(member:next(ptr(struct:other)))\n",
	  0, 0 },
	{ "type_matches\tenum\tstate\t-\tenum:state(enumerator:DEAD)\n", 1, 1 },
	{ "type_matches\tenum\tstate\t-\tenum:state(enumerator:NONE)\n", 0, 0 },
	/* enumerators */
	{ "enumval_value\tenum\tstate\tDEAD\t-\n", UINT64_MAX, 1 },
	{ "enumval_value\tenum\tbig\tBIG\t-\n", 1ull << 40, 1 },
	{ "enumval_exists\tenum\tbig\tBIG\t-\n", 1, 1 },
	{ "enumval_exists\tenum\tstate\tNONE\t-\n", 0, 0 },
	{ "enumval_value\tenum\tstate\tNONE\t-\n", POISON, 0 },
	{ "enumval_value\tstruct\ttask_struct\tDEAD\t-\n", POISON, 0 },
	/* several of a name: the first stands for those that agree */
	{ "byte_off\tstruct\ttwin\t0.same\tint\n", 0, 1 },
	{ "byte_off\tstruct\ttwin\t0.only_b\tint\n", 8, 1 },
	{ "byte_off\tstruct\ttwin\t0.only_c\tint\n", 0, 1 },
	{ "type_exists\tstruct\ttwin\t-\tstruct\n", 1, 1 },
};

static struct btf *kernel[2]; /* native and swapped */
static struct view *views[2];

static void check_values(const struct reloc_case *c, const struct match *m, const char *which)
{
	bool poison = c->value == POISON && !c->kept;

	tap_ok(m->values[0].poison == poison && (poison || m->values[0].value == c->value),
	       "%s: %.*s: %s%llu, wanted %lld", which, (int)strlen(c->line) - 1, c->line,
	       m->values[0].poison ? "poison " : "", (unsigned long long)m->values[0].value,
	       (long long)c->value);
}

static void check_case(const struct reloc_case *c, const struct view *view)
{
	struct need *need = fixture_need(c->line);
	struct minimized m = { 0 };
	struct match again = { 0 };
	struct plan *plan = NULL;
	struct view *cut = NULL;
	struct fail f = { .text = "" };

	if (plan_new(need, &plan, NULL))
		abort();
	if (minimize(plan, view, MINIMIZE_SERVED, &m, &f)) {
		tap_ok(0, "%s: %s", c->line, f.text);
		goto out;
	}
	check_values(c, &m.match, view->swapped ? "swapped" : "whole");
	tap_is_int(m.match.kept[0], c->kept, "candidates");
	tap_is_int(m.match.n_unmatched, !c->kept, "and those without");
	cut = fixture_view(m.btf, m.size);
	if (match_kernel(plan, cut, &again, &f))
		tap_ok(0, "minimised: %s: %s", c->line, f.text);
	else if (strncmp(c->line, "target_type_id", 14) != 0) /* ids have to differ */
		check_values(c, &again, "minimised");
out:
	match_free(&again);
	view_close(cut);
	minimized_free(&m);
	plan_free(plan);
	need_free(need);
}

/* Shifts are told from the other end in the other byte order. */
static void test_shifts(void)
{
	static const char line[] = TASK("lshift_u64", "0.flag", "int");

	for (int order = 0; order < 2; order++) {
		struct need *need = fixture_need(line);
		struct plan *plan = NULL;
		struct match m = { 0 };

		if (plan_new(need, &plan, NULL) || match_kernel(plan, views[order], &m, NULL))
			abort();
		/* bit 450 is the third of a word of 4 bytes at 56 */
		tap_is_int(m.values[0].value, views[order]->big_endian ? 32 + 2 : 64 - 2 - 3,
			   "left shift, %s", views[order]->big_endian ? "big" : "little");
		match_free(&m);
		plan_free(plan);
		need_free(need);
	}
}

#define TWIN(field) "byte_off\tstruct\ttwin\t0." field "\tint\n"
static const struct several {
	const char *what, *lines;
	int err;
	const char *said;
	int kept[4]; /* of the lines in order */
} severals[] = {
	{ "what disagrees is refused",
	  TWIN("moved"),
	  -ENOTUNIQ,
	  "bit offset is 64 in type",
	  { 0 } },
	{ "sizes too", "type_size\tstruct\ttwin\t-\tstruct\n", -ENOTUNIQ, "answer is 16", { 0 } },
	{ "and ids", "target_type_id\tstruct\ttwin\t-\tstruct\n", -ENOTUNIQ, "answer is", { 0 } },
	{ "unless another prunes it", TWIN("moved") TWIN("only_a"), 0, "", { 2, 1 } },
	{ "or leaves it nothing", TWIN("moved") TWIN("only_c"), 0, "", { 2, 1 } },
	{ "or leaves another nothing", TWIN("only_a") TWIN("only_b"), 0, "", { 1, 1 } },
	{ "not one that leaves all", TWIN("moved") TWIN("same"), -ENOTUNIQ, "0.moved", { 0 } },
	{ "not one that matches none", TWIN("moved") TWIN("none"), -ENOTUNIQ, "0.moved", { 0 } },
	{ "one set of candidates: the first", TWIN("same") TWIN("none"), 0, "", { 0, 1 } },
	{ "several sets: all", TWIN("same") TWIN("only_b"), 0, "", { 1, 2 } },
};

static void test_several(const struct several *s)
{
	struct need *need = fixture_need(s->lines);
	struct plan *plan = NULL;
	struct match m = { 0 };
	struct fail f = { .text = "" };

	if (plan_new(need, &plan, NULL))
		abort();
	tap_is_int(match_kernel(plan, views[0], &m, &f), s->err, "%s: %s", s->what, f.text);
	tap_ok(strstr(f.text, s->said) != NULL, "it says \"%s\"", s->said);
	for (size_t i = 0; !s->err && i < need_count(need); i++)
		tap_is_int(m.kept[i], s->kept[i], "candidates of line %zu", i);
	match_free(&m);
	plan_free(plan);
	need_free(need);
}

int main(void)
{
	libbpf_set_print(NULL);
	for (int order = 0; order < 2; order++) {
		const void *data;
		__u32 size;

		kernel[order] = fixture_new(8);
		if (order)
			btf__set_endianness(kernel[order],
					    btf__endianness(kernel[0]) == BTF_LITTLE_ENDIAN
						    ? BTF_BIG_ENDIAN
						    : BTF_LITTLE_ENDIAN);
		data = btf__raw_data(kernel[order], &size);
		views[order] = fixture_view(data, size);
		for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
			check_case(&cases[i], views[order]);
	}
	test_shifts();
	for (size_t i = 0; i < sizeof(severals) / sizeof(*severals); i++)
		test_several(&severals[i]);
	for (int order = 0; order < 2; order++) {
		view_close(views[order]);
		btf__free(kernel[order]);
	}
	return tap_done();
}

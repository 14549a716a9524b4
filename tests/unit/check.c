// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Every rule about types, each broken alone, in both byte orders; and what must not be refused. */
#include "btfs/check.h"
#include "btfs/fail.h"
#include "btfs/view.h"
#include "tests/raw.h"
#include "tests/tap.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>

static const struct bad {
	const char *what;
	const uint32_t *words;
	size_t n;
	int err;
	const char *said;
} bad[] = {
	/* the record itself */
	{ "kind 0", RAW_WORDS(RAW(0, UNKN, 0, 0, 0)), -ENOTSUP, "newer" },
	{ "kind 20", RAW_WORDS(RAW_INT, RAW_KIND(0, 20, 0, 0, 0)), -ENOTSUP, "type 2 has info" },
	{ "kind 31", RAW_WORDS(RAW_KIND(0, 31, 0, 0, 0)), -ENOTSUP, "newer" },
	{ "a reserved bit", RAW_WORDS(S_INT, 0x01000000 | 0x20000000, 4, 32), -ENOTSUP, "newer" },
	{ "a count of 24 bits", RAW_WORDS(S_A, 0x04010000, 4), -ENOTSUP, "newer" },
	{ "a head cut off", RAW_WORDS(RAW_INT, S_A, 0x08000000), -EBADMSG, "type 2 is cut off" },
	{ "an int cut off", RAW_WORDS(RAW(S_INT, INT, 0, 0, 4)), -EBADMSG, "cut off" },
	{ "an array cut off", RAW_WORDS(RAW_INT, RAW(0, ARRAY, 0, 0, 0), 1, 1), -EBADMSG, "cut" },
	{ "65535 members in 12 bytes", RAW_WORDS(RAW(S_A, STRUCT, 0, 65535, 4), 0, 0, 0), -EBADMSG,
	  "cut off" },
	/* names */
	{ "a name past the end", RAW_WORDS(RAW(S_END, INT, 0, 0, 4), 32), -EBADMSG,
	  "name outside of the string section" },
	{ "the last name", RAW_WORDS(RAW(UINT32_MAX, INT, 0, 0, 4), 32), -EBADMSG, "outside" },
	{ "a pointer's name", RAW_WORDS(RAW_INT, RAW(S_A, PTR, 0, 0, 1)), -EBADMSG, "has a name" },
	{ "an array's name", RAW_WORDS(RAW_INT, RAW(S_A, ARRAY, 0, 0, 0), 1, 1, 2), -EBADMSG,
	  "has a name" },
	{ "a const's name", RAW_WORDS(RAW_INT, RAW(S_A, CONST, 0, 0, 1)), -EBADMSG, "has a name" },
	{ "a prototype's name", RAW_WORDS(RAW(S_A, FUNC_PROTO, 0, 0, 0)), -EBADMSG, "has a name" },
	{ "a typedef without", RAW_WORDS(RAW_INT, RAW(0, TYPEDEF, 0, 0, 1)), -EBADMSG, "no name" },
	{ "a function without", RAW_WORDS(RAW(0, FUNC_PROTO, 0, 0, 0), RAW(0, FUNC, 0, 0, 1)),
	  -EBADMSG, "has no name" },
	{ "a variable without", RAW_WORDS(RAW_INT, RAW(0, VAR, 0, 0, 1), 0), -EBADMSG, "no name" },
	{ "a section without", RAW_WORDS(RAW(0, DATASEC, 0, 0, 0)), -EBADMSG, "has no name" },
	{ "a tag without", RAW_WORDS(RAW_INT, RAW(0, TYPE_TAG, 0, 0, 1)), -EBADMSG, "no name" },
	{ "bad-name", RAW_WORDS(RAW(S_DASH, STRUCT, 0, 0, 4)), -EBADMSG, "no identifier" },
	{ "7up", RAW_WORDS(RAW(S_DIGIT, UNION, 0, 0, 4)), -EBADMSG, "no identifier" },
	{ "a newline in a name", RAW_WORDS(RAW(S_NEWLINE, FWD, 0, 0, 0)), -EBADMSG, "identifier" },
	{ "UTF-8 in a name", RAW_WORDS(RAW(S_UTF8, ENUM, 0, 0, 4)), -EBADMSG, "identifier" },
	{ "a typedef bad-name", RAW_WORDS(RAW_INT, RAW(S_DASH, TYPEDEF, 0, 0, 1)), -EBADMSG,
	  "no identifier" },
	{ "a member bad-name", RAW_WORDS(RAW_INT, RAW(S_A, STRUCT, 0, 1, 4), S_DASH, 1, 0),
	  -EBADMSG, "member whose name" },
	{ "a member named outside", RAW_WORDS(RAW_INT, RAW(S_A, STRUCT, 0, 1, 4), S_END, 1, 0),
	  -EBADMSG, "member whose name" },
	{ "an enumerator without a name", RAW_WORDS(RAW(S_A, ENUM, 0, 1, 4), 0, 0), -EBADMSG,
	  "enumerator" },
	{ "an enumerator bad-name", RAW_WORDS(RAW(S_A, ENUM, 0, 1, 4), S_DASH, 0), -EBADMSG,
	  "enumerator" },
	{ "the same of an enum64", RAW_WORDS(RAW_KIND(S_A, RAW_ENUM64, 0, 1, 8), S_END, 0, 0),
	  -EBADMSG, "enumerator" },
	{ "a parameter 7up", RAW_WORDS(RAW_INT, RAW(0, FUNC_PROTO, 0, 1, 0), S_DIGIT, 1), -EBADMSG,
	  "parameter whose name" },
	/* counts and flags of kinds that have none */
	{ "an int's count", RAW_WORDS(RAW(S_INT, INT, 0, 1, 4), 32), -EBADMSG, "has a count" },
	{ "a pointer's count", RAW_WORDS(RAW_INT, RAW(0, PTR, 0, 1, 1)), -EBADMSG, "a count" },
	{ "an array's count", RAW_WORDS(RAW_INT, RAW(0, ARRAY, 0, 1, 0), 1, 1, 1), -EBADMSG,
	  "a count" },
	{ "a typedef's count", RAW_WORDS(RAW_INT, RAW(S_A, TYPEDEF, 0, 1, 1)), -EBADMSG,
	  "a count" },
	{ "an int's flag", RAW_WORDS(RAW(S_INT, INT, 1, 0, 4), 32), -EBADMSG, "has a kind flag" },
	{ "a pointer's flag", RAW_WORDS(RAW_INT, RAW(0, PTR, 1, 0, 1)), -EBADMSG, "kind flag" },
	{ "a float's flag", RAW_WORDS(RAW(S_A, FLOAT, 1, 0, 4)), -EBADMSG, "kind flag" },
	{ "a function's flag", RAW_WORDS(RAW(0, FUNC_PROTO, 0, 0, 0), RAW(S_A, FUNC, 1, 0, 1)),
	  -EBADMSG, "kind flag" },
	/* references */
	{ "an id past the end", RAW_WORDS(RAW_INT, RAW(0, PTR, 0, 0, 3)), -EBADMSG, "no type of" },
	{ "the last id", RAW_WORDS(RAW_INT, RAW(0, CONST, 0, 0, UINT32_MAX)), -EBADMSG, "no type" },
	{ "a pointer to a variable",
	  RAW_WORDS(RAW_INT, RAW(S_A, VAR, 0, 0, 1), 0, RAW(0, PTR, 0, 0, 2)), -EBADMSG,
	  "no type of values" },
	{ "a pointer to a section", RAW_WORDS(RAW(S_A, DATASEC, 0, 0, 0), RAW(0, PTR, 0, 0, 1)),
	  -EBADMSG, "no type of values" },
	{ "a pointer to a function",
	  RAW_WORDS(RAW(0, FUNC_PROTO, 0, 0, 0), RAW(S_A, FUNC, 0, 0, 1), RAW(0, PTR, 0, 0, 2)),
	  -EBADMSG, "no type of values" },
	{ "a member past the end", RAW_WORDS(RAW_INT, RAW(S_A, STRUCT, 0, 1, 4), S_B, 9, 0),
	  -EBADMSG, "member of no type" },
	{ "a void member", RAW_WORDS(RAW_INT, RAW(S_A, STRUCT, 0, 1, 4), S_B, 0, 0), -EBADMSG,
	  "member of no type" },
	{ "an array of void", RAW_WORDS(RAW_INT, RAW(0, ARRAY, 0, 0, 0), 0, 1, 2), -EBADMSG,
	  "elements of no type" },
	{ "an array indexed by void", RAW_WORDS(RAW_INT, RAW(0, ARRAY, 0, 0, 0), 1, 0, 2), -EBADMSG,
	  "index of no type" },
	{ "an array with a size", RAW_WORDS(RAW_INT, RAW(0, ARRAY, 0, 0, 8), 1, 1, 2), -EBADMSG,
	  "size in its head" },
	{ "a function of an int", RAW_WORDS(RAW_INT, RAW(S_A, FUNC, 0, 0, 1)), -EBADMSG,
	  "no func_proto" },
	{ "a function of nothing there", RAW_WORDS(RAW_INT, RAW(S_A, FUNC, 0, 0, 7)), -EBADMSG,
	  "no func_proto" },
	{ "a linkage of 3", RAW_WORDS(RAW(0, FUNC_PROTO, 0, 0, 0), RAW(S_A, FUNC, 0, 3, 1)),
	  -EBADMSG, "unknown linkage" },
	{ "void in the middle", RAW_WORDS(RAW_INT, RAW(0, FUNC_PROTO, 0, 2, 0), 0, 0, S_A, 1),
	  -EBADMSG, "void parameter" },
	{ "void with a name", RAW_WORDS(RAW_INT, RAW(0, FUNC_PROTO, 0, 1, 0), S_A, 0), -EBADMSG,
	  "void parameter" },
	{ "a parameter past the end", RAW_WORDS(RAW(0, FUNC_PROTO, 0, 1, 0), S_A, 2), -EBADMSG,
	  "parameter of no type" },
	{ "a result past the end", RAW_WORDS(RAW(0, FUNC_PROTO, 0, 0, 2)), -EBADMSG, "no type of" },
	{ "a void variable", RAW_WORDS(RAW(S_A, VAR, 0, 0, 0), 0), -EBADMSG, "type void" },
	{ "a variable's linkage", RAW_WORDS(RAW_INT, RAW(S_A, VAR, 0, 0, 1), 3), -EBADMSG,
	  "unknown linkage" },
	/* sizes */
	{ "an int of no bytes", RAW_WORDS(RAW(S_INT, INT, 0, 0, 0), 32), -EBADMSG, "no integer" },
	{ "an int of 3 bytes", RAW_WORDS(RAW(S_INT, INT, 0, 0, 3), 8), -EBADMSG, "no integer" },
	{ "an int of 255 bytes", RAW_WORDS(RAW(S_INT, INT, 0, 0, 255), 8), -EBADMSG, "no integer" },
	{ "an int of 32 bytes", RAW_WORDS(RAW(S_INT, INT, 0, 0, 32), 8), -EBADMSG, "no integer" },
	{ "an int of no bits", RAW_WORDS(RAW(S_INT, INT, 0, 0, 4), 0), -EBADMSG, "more bits" },
	{ "an int of 33 bits", RAW_WORDS(RAW(S_INT, INT, 0, 0, 4), 33), -EBADMSG, "more bits" },
	{ "an int of 129 bits", RAW_WORDS(RAW(S_INT, INT, 0, 0, 16), 129), -EBADMSG, "more bits" },
	{ "an int that starts late", RAW_WORDS(RAW(S_INT, INT, 0, 0, 4), 1 << 16 | 32), -EBADMSG,
	  "more bits" },
	{ "a float of 3 bytes", RAW_WORDS(RAW(S_A, FLOAT, 0, 0, 3)), -EBADMSG, "no float" },
	{ "an enum of 3 bytes", RAW_WORDS(RAW(S_A, ENUM, 0, 0, 3)), -EBADMSG, "no enum" },
	{ "an enum of no bytes", RAW_WORDS(RAW(S_A, ENUM, 0, 0, 0)), -EBADMSG, "no enum" },
	{ "an enum64 of 16", RAW_WORDS(RAW_KIND(S_A, RAW_ENUM64, 0, 0, 16)), -EBADMSG, "no enum" },
	{ "a struct of 4 GiB", RAW_WORDS(RAW(S_A, STRUCT, 0, 0, UINT32_MAX)), -EBADMSG, "16 MiB" },
	{ "a forward with a size", RAW_WORDS(RAW(S_A, FWD, 0, 0, 4)), -EBADMSG, "has a size" },
	{ "an array of 281 TB",
	  RAW_WORDS(RAW_INT, RAW(S_A, STRUCT, 0, 0, 0xffff), RAW(0, ARRAY, 0, 0, 0), 2, 1,
		    UINT32_MAX),
	  -EBADMSG, "larger than 4 GiB" },
	{ "arrays that multiply",
	  RAW_WORDS(RAW_INT, RAW(0, ARRAY, 0, 0, 0), 1, 1, 1 << 16, RAW(0, ARRAY, 0, 0, 0), 2, 1,
		    1 << 16),
	  -EBADMSG, "larger than 4 GiB" },
	/* members */
	{ "a member beyond the end", RAW_WORDS(RAW_INT, RAW(S_A, STRUCT, 0, 1, 4), S_B, 1, 8),
	  -EBADMSG, "beyond its end" },
	{ "a member at the last offset",
	  RAW_WORDS(RAW_INT, RAW(S_A, STRUCT, 0, 1, 4), S_B, 1, UINT32_MAX), -EBADMSG,
	  "beyond its end" },
	{ "a bitfield beyond the end",
	  RAW_WORDS(RAW_INT, RAW(S_A, STRUCT, 1, 1, 4), S_B, 1, 5 << 24 | 28), -EBADMSG,
	  "beyond its end" },
	{ "a bitfield of 129 bits",
	  RAW_WORDS(RAW_INT, RAW(S_A, STRUCT, 1, 1, 64), S_B, 1, 129u << 24), -EBADMSG,
	  "more than 128 bits" },
	{ "a bitfield of pointers",
	  RAW_WORDS(RAW_INT, RAW(0, PTR, 0, 0, 1), RAW(S_A, STRUCT, 1, 1, 8), S_B, 2, 3 << 24),
	  -EBADMSG, "no integer" },
	{ "a member without a size",
	  RAW_WORDS(RAW_INT, RAW(S_C, FWD, 0, 0, 0), RAW(S_A, STRUCT, 0, 1, 8), S_B, 2, 0),
	  -EBADMSG, "without a size" },
	{ "a member that is a prototype",
	  RAW_WORDS(RAW(0, FUNC_PROTO, 0, 0, 0), RAW(S_A, STRUCT, 0, 1, 8), S_B, 1, 0), -EBADMSG,
	  "without a size" },
	{ "an array of forwards",
	  RAW_WORDS(RAW_INT, RAW(S_A, FWD, 0, 0, 0), RAW(0, ARRAY, 0, 0, 0), 2, 1, 2), -EBADMSG,
	  "without a size" },
	/* sections */
	{ "a section of an int", RAW_WORDS(RAW_INT, RAW(S_RODATA, DATASEC, 0, 1, 8), 1, 0, 4),
	  -EBADMSG, "no variable" },
	{ "a section of nothing", RAW_WORDS(RAW(S_RODATA, DATASEC, 0, 1, 8), 9, 0, 4), -EBADMSG,
	  "no variable" },
	{ "a variable beyond its section",
	  RAW_WORDS(RAW_INT, RAW(S_A, VAR, 0, 0, 1), 0, RAW(S_RODATA, DATASEC, 0, 1, 8), 2, 5, 4),
	  -EBADMSG, "beyond its end" },
	{ "one whose end wraps",
	  RAW_WORDS(RAW_INT, RAW(S_A, VAR, 0, 0, 1), 0, RAW(S_RODATA, DATASEC, 0, 1, 8), 2,
		    UINT32_MAX, 4),
	  -EBADMSG, "beyond its end" },
	/* tags */
	{ "a tag on a tag",
	  RAW_WORDS(RAW_INT, RAW(S_A, TYPEDEF, 0, 0, 1), RAW(S_B, DECL_TAG, 0, 0, 2), UINT32_MAX,
		    RAW(S_B, DECL_TAG, 0, 0, 3), UINT32_MAX),
	  -EBADMSG, "cannot be tagged" },
	{ "a tag on void", RAW_WORDS(RAW(S_B, DECL_TAG, 0, 0, 0), UINT32_MAX), -EBADMSG,
	  "tags nothing" },
	{ "a tag on what is not there", RAW_WORDS(RAW(S_B, DECL_TAG, 0, 0, 5), 0), -EBADMSG,
	  "tags nothing" },
	{ "a tag on member 1 of 1",
	  RAW_WORDS(RAW_INT, RAW(S_A, STRUCT, 0, 1, 4), S_B, 1, 0, RAW(S_B, DECL_TAG, 0, 0, 2), 1),
	  -EBADMSG, "not there" },
	{ "a tag on member -2",
	  RAW_WORDS(RAW_INT, RAW(S_A, STRUCT, 0, 1, 4), S_B, 1, 0, RAW(S_B, DECL_TAG, 0, 0, 2),
		    (uint32_t)-2),
	  -EBADMSG, "not there" },
	{ "a tag on a variable's member",
	  RAW_WORDS(RAW_INT, RAW(S_A, VAR, 0, 0, 1), 0, RAW(S_B, DECL_TAG, 0, 0, 2), 0), -EBADMSG,
	  "not there" },
	{ "a tag on a function of nothing",
	  RAW_WORDS(RAW(S_B, DECL_TAG, 0, 0, 2), 0, RAW(S_A, FUNC, 0, 0, 9)), -EBADMSG,
	  "without a prototype" },
	/* cycles */
	{ "a typedef of itself", RAW_WORDS(RAW(S_A, TYPEDEF, 0, 0, 1)), -EBADMSG,
	  "contains itself" },
	{ "const and volatile of each other",
	  RAW_WORDS(RAW(0, CONST, 0, 0, 2), RAW(0, VOLATILE, 0, 0, 1)), -EBADMSG,
	  "contains itself" },
	{ "restrict and a type tag",
	  RAW_WORDS(RAW(0, RESTRICT, 0, 0, 2), RAW(S_A, TYPE_TAG, 0, 0, 1)), -EBADMSG,
	  "contains itself" },
	{ "an array of itself", RAW_WORDS(RAW_INT, RAW(0, ARRAY, 0, 0, 0), 2, 1, 1), -EBADMSG,
	  "contains itself" },
	{ "an empty array of itself", RAW_WORDS(RAW_INT, RAW(0, ARRAY, 0, 0, 0), 2, 1, 0), -EBADMSG,
	  "contains itself" },
	{ "a struct of itself", RAW_WORDS(RAW(S_A, STRUCT, 0, 1, 8), S_B, 1, 0), -EBADMSG,
	  "contains itself" },
	{ "a struct of a typedef of an array of it",
	  RAW_WORDS(RAW_INT, RAW(S_A, STRUCT, 0, 1, 8), S_B, 3, 0, RAW(S_C, TYPEDEF, 0, 0, 4),
		    RAW(0, ARRAY, 0, 0, 0), 2, 1, 0),
	  -EBADMSG, "contains itself" },
	{ "two unions of each other",
	  RAW_WORDS(RAW(S_A, UNION, 0, 1, 8), 0, 2, 0, RAW(S_B, UNION, 0, 1, 8), 0, 1, 0), -EBADMSG,
	  "contains itself" },
};

/* What kernels, compilers and pahole do write. */
static const struct good {
	const char *what;
	const uint32_t *words;
	size_t n;
} good[] = {
	{ "no types", NULL, 0 },
	{ "an int without a name", RAW_WORDS(RAW(0, INT, 0, 0, 4), 32) },
	{ "an int with a space in its name", RAW_WORDS(RAW(S_NEWLINE, INT, 0, 0, 1), 8) },
	{ "a legacy bitfield's int", RAW_WORDS(RAW(S_INT, INT, 0, 0, 4), 3 << 16 | 5) },
	{ "an int of 128 bits", RAW_WORDS(RAW(S_INT, INT, 0, 0, 16), 128) },
	{ "an empty enum", RAW_WORDS(RAW(S_A, ENUM, 0, 0, 4)) },
	{ "an empty enum64", RAW_WORDS(RAW_KIND(S_A, RAW_ENUM64, 0, 0, 8)) },
	{ "a signed enum of a byte", RAW_WORDS(RAW(0, ENUM, 1, 1, 1), S_A, UINT32_MAX) },
	{ "an empty struct", RAW_WORDS(RAW(S_A, STRUCT, 0, 0, 0)) },
	{ "a void *", RAW_WORDS(RAW(0, PTR, 0, 0, 0)) },
	{ "a pointer to itself", RAW_WORDS(RAW(0, PTR, 0, 0, 1)) },
	{ "a list_head",
	  RAW_WORDS(RAW(S_A, STRUCT, 0, 2, 16), S_B, 2, 0, S_C, 2, 64, RAW(0, PTR, 0, 0, 1)) },
	{ "a prototype that takes a pointer to itself",
	  RAW_WORDS(RAW_INT, RAW(0, PTR, 0, 0, 3), RAW(0, FUNC_PROTO, 0, 1, 1), S_A, 2) },
	{ "an ellipsis", RAW_WORDS(RAW_INT, RAW(0, FUNC_PROTO, 0, 2, 1), S_A, 1, 0, 0) },
	{ "a union forward", RAW_WORDS(RAW(S_A, FWD, 1, 0, 0)) },
	{ "a flexible array", RAW_WORDS(RAW_INT, RAW(0, ARRAY, 0, 0, 0), 1, 1, 0,
					RAW(S_A, STRUCT, 0, 2, 4), S_B, 1, 0, S_C, 2, 32) },
	{ "a zero-width bitfield's neighbour",
	  RAW_WORDS(RAW_INT, RAW(S_A, STRUCT, 1, 2, 4), S_B, 1, 31 << 24, S_C, 1, 1 << 24 | 31) },
	{ "an extern function in .ksyms",
	  RAW_WORDS(RAW(0, FUNC_PROTO, 0, 0, 0), RAW(S_A, FUNC, 0, 2, 1),
		    RAW(S_RODATA, DATASEC, 0, 1, 0), 2, 0, 0) },
	{ "a tag on a parameter",
	  RAW_WORDS(RAW_INT, RAW(0, FUNC_PROTO, 0, 1, 1), S_A, 1, RAW(S_B, FUNC, 0, 1, 2),
		    RAW(S_DASH, DECL_TAG, 0, 0, 3), 0) },
	{ "an attribute that is a tag", RAW_WORDS(RAW_INT, RAW(S_DASH, TYPE_TAG, 1, 0, 1)) },
	{ "a float of 12 bytes", RAW_WORDS(RAW(S_LONG, FLOAT, 0, 0, 12)) },
};

static void check_bad(const struct bad *b, enum raw_order order)
{
	const char *which = order == RAW_SWAPPED ? " (swapped)" : "";
	struct raw r = raw_btf(b->words, b->n, order);
	struct view *view = (struct view *)1;
	struct fail f = { .text = "" };
	int err = view_open(r.data, r.size, NULL, &view, &f);

	tap_is_int(err, b->err, "refuses %s%s", b->what, which);
	tap_ok(strstr(f.text, b->said) != NULL, "%s%s: %s", b->what, which, f.text);
	tap_ok(view == (void *)1, "%s%s: the output is untouched", b->what, which);
	free(r.data);
}

static void check_good(const struct good *g, enum raw_order order)
{
	const char *which = order == RAW_SWAPPED ? " (swapped)" : "";
	struct raw r = raw_btf(g->words, g->n, order);
	struct view *view = NULL;
	struct fail f = { .text = "" };
	struct btf *btf;

	tap_is_int(view_open(r.data, r.size, NULL, &view, &f), 0, "takes %s%s%s", g->what, which,
		   f.text);
	view_close(view);
	btf = btf__new(r.data, r.size);
	tap_ok(btf != NULL, "so does libbpf");
	btf__free(btf);
	free(r.data);
}

/* depth types of one kind above an int, each referring to the one before it. */
static int open_chain(uint8_t kind, size_t depth, struct fail *f)
{
	uint32_t name = kind == BTF_KIND_TYPEDEF || kind == BTF_KIND_TYPE_TAG ? S_A : 0;
	size_t words = kind == BTF_KIND_ARRAY ? 6 : 3, n = 4 + depth * words;
	uint32_t *types = calloc(n, sizeof(*types)), *p = types + 4;
	struct view *view = NULL;
	struct raw r;
	int err;

	if (!types)
		abort();
	memcpy(types, (const uint32_t[]){ RAW_INT }, 16);
	for (size_t i = 1; i <= depth; i++, p += words) {
		p[0] = name;
		p[1] = (uint32_t)kind << 24;
		p[2] = kind == BTF_KIND_ARRAY ? 0 : i;
		if (kind != BTF_KIND_ARRAY)
			continue;
		p[3] = i;
		p[4] = p[5] = 1;
	}
	r = raw_btf(types, n, RAW_NATIVE);
	err = view_open(r.data, r.size, NULL, &view, f);
	view_close(view);
	free(r.data);
	free(types);
	return err;
}

static void test_chains(void)
{
	static const uint8_t kinds[] = { BTF_KIND_TYPEDEF,  BTF_KIND_CONST,    BTF_KIND_VOLATILE,
					 BTF_KIND_RESTRICT, BTF_KIND_TYPE_TAG, BTF_KIND_ARRAY };
	struct fail f = { .text = "" };

	tap_is_int(open_chain(BTF_KIND_PTR, 10000, &f), 0, "takes 10,000 pointers%s", f.text);
	for (size_t i = 0; i < sizeof(kinds); i++) {
		const char *name = view_kind_name(kinds[i]);

		tap_is_int(open_chain(kinds[i], VIEW_MAX_DEPTH, &f), 0, "takes %d x %s",
			   VIEW_MAX_DEPTH, name);
		tap_is_int(open_chain(kinds[i], VIEW_MAX_DEPTH + 1, &f), -EBADMSG,
			   "refuses %d x %s", VIEW_MAX_DEPTH + 1, name);
		tap_ok(strstr(f.text, "more than 32") != NULL, "%s", f.text);
		tap_is_int(open_chain(kinds[i], 10000, &f), -EBADMSG, "refuses 10,000 x %s", name);
	}
}

/* depth structs, each within the next. The outermost comes first where the order is reversed. */
static int open_nested(size_t depth, int reversed, struct fail *f)
{
	uint32_t *types = calloc(depth, 6 * sizeof(*types));
	struct view *view = NULL;
	struct raw r;
	int err;

	if (!types)
		abort();
	for (size_t i = 0; i < depth; i++) {
		uint32_t inner = reversed ? i + 2 : i;
		int leaf = inner == 0 || inner > depth;

		memcpy(types + i * 6, (const uint32_t[]){ RAW(S_A, STRUCT, 0, 1, 4), 0, inner, 0 },
		       24);
		if (leaf) /* the same length, two types: an empty struct, and one more */
			memcpy(types + i * 6,
			       (const uint32_t[]){ RAW(S_A, STRUCT, 0, 0, 4),
						   RAW(S_B, STRUCT, 0, 0, 4) },
			       24);
	}
	/* the leaf's second type shifts the ids of those behind it */
	for (size_t i = 1; !reversed && i < depth; i++)
		types[i * 6 + 4] = i == 1 ? 1 : i + 1;
	r = raw_btf(types, depth * 6, RAW_NATIVE);
	err = view_open(r.data, r.size, NULL, &view, f);
	view_close(view);
	free(r.data);
	free(types);
	return err;
}

static void test_nesting(void)
{
	struct fail f = { .text = "" };

	for (int reversed = 0; reversed < 2; reversed++) {
		const char *order = reversed ? "outermost first" : "innermost first";

		tap_is_int(open_nested(VIEW_MAX_NESTING, reversed, &f), 0,
			   "takes 64 structs within each other, %s%s", order, f.text);
		tap_is_int(open_nested(VIEW_MAX_NESTING + 1, reversed, &f), -EBADMSG,
			   "refuses 65, %s", order);
		tap_is_int(open_nested(100000, reversed, &f), -EBADMSG, "and 100,000, %s", order);
		tap_ok(strstr(f.text, "deep") != NULL, "%s", f.text);
		f.text[0] = '\0';
	}
}

/* Two typedefs that point at each other and a struct: libbpf opens it and never comes back. */
static void test_97_bytes(void)
{
	static const uint32_t words[] = {
		RAW(1, TYPEDEF, 0, 0, 2), RAW(1, TYPEDEF, 0, 0, 1), RAW(3, STRUCT, 0, 1, 4), 1, 1, 0
	};
	static const char strs[] = "\0a\0task_struct\0mm\0\0\0\0\0\0\0";
	struct raw r = raw_sections(words, sizeof(words) / 4, strs, 97 - RAW_HEADER - sizeof(words),
				    RAW_NATIVE);
	struct fail f = { .text = "" };
	struct view *view = NULL;
	struct btf *btf;

	tap_is_int(r.size, 97, "97 bytes");
	tap_is_int(view_open(r.data, r.size, NULL, &view, &f), -EBADMSG, "are refused");
	tap_ok(strstr(f.text, "cycle") != NULL, "%s", f.text);
	btf = btf__new(r.data, r.size);
	tap_ok(btf != NULL, "which libbpf takes");
	btf__free(btf);
	free(r.data);
}

int main(void)
{
	libbpf_set_print(NULL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		check_bad(&bad[i], RAW_NATIVE);
		check_bad(&bad[i], RAW_SWAPPED);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		check_good(&good[i], RAW_NATIVE);
		check_good(&good[i], RAW_SWAPPED);
	}
	test_chains();
	test_nesting();
	test_97_bytes();
	return tap_done();
}

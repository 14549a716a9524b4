/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A small kernel's BTF for the tests of matching and cutting, and needs out of lines. */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

#include "btfs/fail.h"
#include "btfs/need.h"
#include "btfs/view.h"

#include <bpf/btf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ids, in the order in which fixture_new adds the types. */
enum {
	F_UINT = 1,
	F_LONG,
	F_CHAR,
	F_COMM,
	F_MM,
	F_MM_PTR,
	F_LIST,
	F_LIST_PTR,
	F_ANON,
	F_CONST,
	F_OPAQUE,
	F_OPAQUE_PTR,
	F_KEY,
	F_PROTO,
	F_PROTO_PTR,
	F_FUNC,
	F_FLOAT,
	F_UPID,
	F_NUMBERS,
	F_TASK,
	F_PID,
	F_STATE,
	F_BIG,
	F_TWIN_A,
	F_TWIN_B,
	F_TWIN_C,
	F_VOID_KEY,
	F_ZERO,
	F_GAP,
	F_END
};

static inline void fixture_simple(struct btf *b, size_t long_size)
{
	btf__add_int(b, "unsigned int", 4, 0);
	btf__add_int(b, "long unsigned int", long_size, 0);
	btf__add_int(b, "char", 1, BTF_INT_SIGNED);
	btf__add_array(b, F_UINT, F_CHAR, 16);
	btf__add_struct(b, "mm_struct", 64);
	btf__add_field(b, "start", F_LONG, 128, 0);
	btf__add_ptr(b, F_MM);
	btf__add_struct(b, "list_head", 16);
	btf__add_field(b, "next", F_LIST_PTR, 0, 0);
	btf__add_field(b, "prev", F_LIST_PTR, 64, 0);
	btf__add_ptr(b, F_LIST);
	btf__add_union(b, NULL, 8);
	btf__add_field(b, "tgid", F_UINT, 0, 0);
	btf__add_field(b, "both", F_LONG, 0, 0);
	btf__add_const(b, F_UINT);
	btf__add_fwd(b, "opaque", BTF_FWD_STRUCT);
	btf__add_ptr(b, F_OPAQUE);
	btf__add_typedef(b, "key_t", F_OPAQUE_PTR);
	btf__add_func_proto(b, F_UINT);
	btf__add_func_param(b, "t", F_MM_PTR);
	btf__add_func_param(b, "n", F_LONG);
	btf__add_ptr(b, F_PROTO);
	btf__add_typedef(b, "func_t", F_PROTO_PTR);
	btf__add_float(b, "double", 8);
	btf__add_struct(b, "upid", 4);
	btf__add_field(b, "nr", F_UINT, 0, 0);
	btf__add_array(b, F_UINT, F_UPID, 0);
}

static inline void fixture_task(struct btf *b)
{
	btf__add_struct(b, "task_struct", 192);
	btf__add_field(b, "pid", F_CONST, 32, 0);
	btf__add_field(b, NULL, F_ANON, 64, 0);
	btf__add_field(b, "comm", F_COMM, 128, 0);
	btf__add_field(b, "mm", F_MM_PTR, 256, 0);
	btf__add_field(b, "tasks", F_LIST, 320, 0);
	btf__add_field(b, "flag", F_UINT, 450, 3);
	btf__add_field(b, "key", F_KEY, 512, 0);
	btf__add_field(b, "ratio", F_FLOAT, 576, 0);
	btf__add_field(b, "run", F_FUNC, 640, 0);
	btf__add_field(b, "state", F_STATE, 704, 0);
	btf__add_struct(b, "pid", 8);
	btf__add_field(b, "level", F_UINT, 0, 0);
	btf__add_field(b, "numbers", F_NUMBERS, 64, 0);
	btf__add_enum(b, "state", 4);
	btf__add_enum_value(b, "RUNNING", 0);
	btf__add_enum_value(b, "DEAD", -1);
	btf__add_enum64(b, "big", 8, false);
	btf__add_enum64_value(b, "BIG", 1ull << 40);
}

/* The bytes are of btf__raw_data. */
static inline struct btf *fixture_new(size_t long_size)
{
	struct btf *b = btf__new_empty();

	if (!b)
		abort();
	fixture_simple(b, long_size);
	fixture_task(b);
	btf__add_struct(b, "twin", 16);
	btf__add_field(b, "same", F_UINT, 0, 0);
	btf__add_field(b, "only_a", F_UINT, 32, 0);
	btf__add_field(b, "moved", F_UINT, 64, 0);
	btf__add_struct(b, "twin", 12);
	btf__add_field(b, "same", F_UINT, 0, 0);
	btf__add_field(b, "moved", F_UINT, 32, 0);
	btf__add_field(b, "only_b", F_UINT, 64, 0);
	btf__add_struct(b, "twin___c", 4);
	btf__add_field(b, "only_c", F_UINT, 0, 0);
	btf__add_typedef(b, "void_key", F_OPAQUE_PTR);
	btf__add_array(b, F_UINT, F_UINT, 0);
	btf__add_struct(b, "gap", 8);
	btf__add_field(b, "zero", F_ZERO, 0, 0);
	btf__add_field(b, "again", F_ZERO, 0, 0);
	btf__add_field(b, "after", F_UINT, 0, 0);
	btf__add_field(b, "more", F_UINT, 32, 0);
	if (btf__type_cnt(b) != F_END)
		abort();
	return b;
}

static inline struct view *fixture_view(const void *data, size_t size)
{
	struct fail f = { .text = "" };
	struct view *view = NULL;

	if (view_open(data, size, NULL, &view, &f)) {
		printf("Bail out! %s\n", f.text);
		abort();
	}
	return view;
}

/* Lines with their newlines, in any order: they are sorted here. */
static inline struct need *fixture_need(const char *lines)
{
	char text[4096] = "btfdepot-need 1\n", *all[64], *copy = strdup(lines), *save, *line;
	struct fail f = { .text = "" };
	struct need *need = NULL;
	size_t n = 0, size = strlen(text);

	for (line = copy ? strtok_r(copy, "\n", &save) : NULL; line && n < 64;
	     line = strtok_r(NULL, "\n", &save)) {
		size_t at = n++;

		for (; at && strcmp(all[at - 1], line) > 0; at--)
			all[at] = all[at - 1];
		all[at] = line;
	}
	for (size_t i = 0; i < n; i++)
		size += snprintf(text + size, sizeof(text) - size, "%s\n", all[i]);
	free(copy);
	if (size >= sizeof(text) || need_parse(text, size, &need, &f)) {
		printf("Bail out! %s\n", f.text);
		abort();
	}
	return need;
}

#endif

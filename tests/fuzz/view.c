// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The door for BTF. What is let in must be safe to walk in every way that we do, and in libbpf too,
 * which is given it next: it opens, and the size of every type is found.
 */
#include "btfs/view.h"
#include "btfs/fail.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads everything; the sanitizers watch. */
static size_t walk_rest(const struct view *v, const struct view_type *t)
{
	size_t sum = 0;

	for (uint32_t i = 0; i < t->vlen; i++) {
		if (view_is_composite(t->kind))
			sum += strlen(view_name(v, view_member(v, t, i).name_off));
		else if (view_is_enum(t->kind))
			sum += strlen(view_name(v, view_enumerator(v, t, i).name_off));
		else if (t->kind == BTF_KIND_FUNC_PROTO)
			sum += strlen(view_name(v, view_param(v, t, i).name_off));
	}
	if (t->kind == BTF_KIND_INT)
		sum += view_int(v, t).bits;
	if (t->kind == BTF_KIND_ARRAY)
		sum += view_array(v, t).nelems;
	return sum;
}

static size_t walk(const struct view *v)
{
	size_t sum = view_find_long(v);

	for (uint32_t id = 0; id < v->n_types; id++) {
		struct view_type t = view_type(v, id);

		sum += strlen(view_name(v, t.name_off)) + strlen(view_kind_name(t.kind));
		sum += view_size(v, id) + view_skip_modifiers(v, id) + walk_rest(v, &t);
	}
	return sum;
}

/* libbpf 1.1 takes no longer header than it knows in the other byte order. */
static int libbpf_takes(const struct view *v)
{
	return !v->swapped || view_u32(v, v->data + 4) == 24;
}

static void hand_on(const struct view *v)
{
	struct btf *btf = btf__new(v->data, v->size);

	if (!btf && libbpf_takes(v))
		abort();
	for (uint32_t id = 1; btf && id < v->n_types; id++) {
		int64_t own = view_size(v, id), theirs = btf__resolve_size(btf, id);

		if (own != theirs && (own >= 0 || theirs >= 0))
			abort();
	}
	btf__free(btf);
}

/* The same again as split BTF upon itself. */
static void open_upon(const struct view *base, const uint8_t *data, size_t size)
{
	struct view *split = NULL;

	if (view_open(data, size, base, &split, NULL))
		return;
	walk(split);
	view_close(split);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view *view = NULL;
	struct fail f = { .text = "" };

	libbpf_set_print(NULL);
	if (view_open(data, size, NULL, &view, &f)) {
		if (!f.text[0] || view)
			abort();
		return 0;
	}
	walk(view);
	hand_on(view);
	open_upon(view, data, size);
	view_close(view);
	return 0;
}

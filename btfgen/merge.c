// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "merge.h"

#include "btfs/archive.h"
#include "btfs/fail.h"
#include "btfs/text.h"
#include "btfs/view.h"

#include <errno.h>
#include <stdlib.h>

#define HEADER_SIZE 24u

struct merger {
	const struct view *base;
	struct text types, strs;
	uint32_t n_types; /* with void */
};

/* A module's record while it is moved: its own ids and names shift, those of the base stay. */
struct move {
	const struct view *v;
	uint8_t *p;
	uint32_t id_shift, name_shift;
};

static void write_u32(const struct view *v, uint8_t *p, uint32_t x)
{
	if (v->swapped)
		x = __builtin_bswap32(x);
	memcpy(p, &x, sizeof(x));
}

static void move_id(const struct move *m, size_t at)
{
	uint32_t id = view_u32(m->v, m->p + at);

	if (id >= m->v->first_id)
		write_u32(m->v, m->p + at, id + m->id_shift);
}

static void move_name(const struct move *m, size_t at)
{
	uint32_t off = view_u32(m->v, m->p + at);

	if (off >= m->v->first_str)
		write_u32(m->v, m->p + at, off + m->name_shift);
}

/* Trailing entries of size bytes each, with a name and an id at these places; -1: none. */
struct entries {
	int8_t size, name, id;
};

static const struct moved_kind {
	bool refers; /* the head's last word is an id */
	struct entries entries;
} moved_kinds[VIEW_KIND_MAX + 1] = {
	[BTF_KIND_PTR] = { .refers = true },
	[BTF_KIND_ARRAY] = { .entries = { 4, -1, 0 } }, /* element and index: two of these */
	[BTF_KIND_STRUCT] = { .entries = { 12, 0, 4 } },
	[BTF_KIND_UNION] = { .entries = { 12, 0, 4 } },
	[BTF_KIND_ENUM] = { .entries = { 8, 0, -1 } },
	[BTF_KIND_TYPEDEF] = { .refers = true },
	[BTF_KIND_VOLATILE] = { .refers = true },
	[BTF_KIND_CONST] = { .refers = true },
	[BTF_KIND_RESTRICT] = { .refers = true },
	[BTF_KIND_FUNC] = { .refers = true },
	[BTF_KIND_FUNC_PROTO] = { .refers = true, .entries = { 8, 0, 4 } },
	[BTF_KIND_VAR] = { .refers = true },
	[BTF_KIND_DATASEC] = { .entries = { 12, -1, 0 } },
	[BTF_KIND_DECL_TAG] = { .refers = true },
	[BTF_KIND_TYPE_TAG] = { .refers = true },
	[VIEW_KIND_ENUM64] = { .entries = { 12, 0, -1 } },
};

static void move_type(struct move *m, uint32_t id)
{
	struct view_type t = view_type(m->v, id);
	const struct moved_kind *kind = &moved_kinds[t.kind];
	uint32_t n = t.kind == BTF_KIND_ARRAY ? 2 : kind->entries.size ? t.vlen : 0;

	move_name(m, 0);
	if (kind->refers)
		move_id(m, 8);
	for (uint32_t i = 0; i < n; i++) {
		size_t at = 12 + i * (size_t)kind->entries.size;

		if (kind->entries.name >= 0)
			move_name(m, at + kind->entries.name);
		if (kind->entries.id >= 0)
			move_id(m, at + kind->entries.id);
	}
}

static int add_view(struct merger *g, const struct view *v)
{
	size_t types_at = g->types.size;
	struct move m = {
		.v = v,
		.id_shift = g->n_types - v->first_id,
		.name_shift = g->strs.size - v->first_str,
	};

	text_bytes(&g->types, v->types, v->types_len);
	text_bytes(&g->strs, v->strs, v->strs_len);
	if (g->types.failed || g->strs.failed)
		return -ENOMEM;
	for (uint32_t id = v->first_id; v->base && id < v->n_types; id++) {
		m.p = (uint8_t *)g->types.p + types_at + v->offsets[id - v->first_id];
		move_type(&m, id);
	}
	g->n_types += v->n_types - v->first_id;
	return 0;
}

static int add_module(struct merger *g, const struct archive_part *module, struct fail *f)
{
	struct view *v = NULL;
	int err;

	err = view_open(module->data, module->size, g->base, &v, f);
	if (!err && v->types_len && add_view(g, v))
		err = fail(f, -ENOMEM, "no memory");
	view_close(v);
	return err ? fail_in(f, err, "module %s", module->name) : 0;
}

static int assemble(const struct merger *g, struct text *out)
{
	const uint32_t words[] = { HEADER_SIZE, 0, g->types.size, g->types.size, g->strs.size };
	uint8_t header[HEADER_SIZE];

	memcpy(header, g->base->data, 4); /* magic, version, flags */
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		write_u32(g->base, header + 4 + 4 * i, words[i]);
	text_bytes(out, header, sizeof(header));
	text_bytes(out, g->types.p, g->types.size);
	text_bytes(out, g->strs.p, g->strs.size);
	return out->failed ? -ENOMEM : 0;
}

int merge_modules(const struct view *base, const struct archive_part *modules, size_t n,
		  struct merged *ret_merged, struct fail *f)
{
	struct merger g = { .base = base, .n_types = 1 };
	struct view *view = NULL;
	struct text out = { 0 };
	int err;

	err = add_view(&g, base) ? fail(f, -ENOMEM, "no memory") : 0;
	for (size_t i = 0; !err && i < n; i++)
		err = add_module(&g, &modules[i], f);
	if (!err && assemble(&g, &out))
		err = fail(f, -ENOMEM, "no memory");
	if (!err)
		err = view_open(out.p, out.size, NULL, &view, f);
	text_free(&g.types);
	text_free(&g.strs);
	if (err) {
		text_free(&out);
		return err;
	}
	view->modules_from = base->n_types;
	*ret_merged = (struct merged){ out.p, view };
	return 0;
}

void merged_free(struct merged *merged)
{
	view_close(merged->view);
	free(merged->data);
	*merged = (struct merged){ 0 };
}

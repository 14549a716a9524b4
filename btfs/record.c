// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "record.h"

#include "fail.h"
#include "object.h"
#include "reloc.h"
#include "view.h"

#include <errno.h>
#include <stdlib.h>

#define PENDING_ROOM 256 /* to begin with */

static uint32_t add_essential(struct reloc *r, const char *name)
{
	return reloc_add_name(r, name, reloc_essential_len(name));
}

/* A local type that waits to be written down, in libbpf's terms of recursion. */
struct pending {
	const char *member; /* NULL, or the member that the type belongs to */
	uint32_t id;
	int8_t level; /* calls that may still nest */
	int8_t depth; /* types that may still follow within this call */
	bool behind_ptr;
};

struct builder {
	const struct view *v;
	struct reloc *r;
	struct pending *pending; /* a stack */
	size_t n, room;
	bool matches; /* type_matches: names, sizes and members count too */
};

static int push(struct builder *b, struct pending p)
{
	if (b->n == b->room) {
		size_t room = b->room ? b->room * 2 : PENDING_ROOM;
		struct pending *all;

		if (room > RELOC_MAX_NODES)
			return -E2BIG;
		all = realloc(b->pending, room * sizeof(*all));
		if (!all)
			return -ENOMEM;
		b->pending = all;
		b->room = room;
	}
	b->pending[b->n++] = p;
	return 0;
}

static int push_params(struct builder *b, const struct view_type *t, const struct pending *p)
{
	struct pending next = *p;
	int err;

	next.id = t->type;
	err = push(b, next);
	for (uint32_t i = t->vlen; !err && i-- > 0;) {
		next.id = view_param(b->v, t, i).type;
		next.level = p->level - 1;
		next.depth = RELOC_MAX_LEVEL;
		err = push(b, next);
	}
	return err;
}

static int push_members(struct builder *b, const struct view_type *t, const struct pending *p)
{
	int err = 0;

	for (uint32_t i = t->vlen; !err && i-- > 0;) {
		struct view_member m = view_member(b->v, t, i);

		err = push(b, (struct pending){ .member = view_name(b->v, m.name_off),
						.id = m.type,
						.level = p->level - 1,
						.depth = RELOC_MAX_LEVEL });
	}
	return err;
}

static int add_enumerators(struct builder *b, const struct view_type *t)
{
	for (uint32_t i = 0; i < t->vlen; i++) {
		struct reloc_node *node = reloc_add_node(b->r, RELOC_ENUMERATOR);

		if (!node)
			return -E2BIG;
		node->name =
			add_essential(b->r, view_name(b->v, view_enumerator(b->v, t, i).name_off));
	}
	return 0;
}

/* What libbpf looks at when it asks whether a type exists, or has the same size. */
static enum reloc_word compat_word(const struct view *v, const struct view_type *t)
{
	switch (t->kind) {
	case BTF_KIND_UNKN:
		return RELOC_VOID;
	case BTF_KIND_INT:
		return view_int(v, t).bit_offset ? RELOC_NONE : RELOC_INT;
	case BTF_KIND_PTR:
		return RELOC_PTR;
	case BTF_KIND_ARRAY:
		return RELOC_ARRAY;
	case BTF_KIND_STRUCT:
		return RELOC_STRUCT;
	case BTF_KIND_UNION:
		return RELOC_UNION;
	case BTF_KIND_ENUM:
	case VIEW_KIND_ENUM64:
		return RELOC_ENUM;
	case BTF_KIND_FWD:
		return RELOC_FWD;
	case BTF_KIND_FUNC_PROTO:
		return RELOC_FUNC;
	default:
		return RELOC_NONE; /* floats included: libbpf knows no compatible ones */
	}
}

/* type_matches compares names and numbers too. */
static void describe(struct builder *b, struct reloc_node *node, const struct view_type *t)
{
	if (t->kind == BTF_KIND_INT) {
		node->word = view_int(b->v, t).encoding & BTF_INT_SIGNED ? RELOC_SINT : RELOC_INT;
		node->number = t->size;
	} else if (t->kind == BTF_KIND_FWD) {
		node->number = t->kflag;
	} else if (t->kind == BTF_KIND_ARRAY) {
		node->number = view_array(b->v, t).nelems;
	}
	node->name = add_essential(b->r, view_name(b->v, t->name_off));
}

static int add_children(struct builder *b, struct reloc_node *node, const struct view_type *t,
			struct pending *p)
{
	switch (node->word) {
	case RELOC_PTR:
		node->n_children = 1;
		p->id = t->type;
		p->behind_ptr = true;
		return push(b, *p);
	case RELOC_ARRAY:
		node->n_children = 1;
		p->id = view_array(b->v, t).type;
		return push(b, *p);
	case RELOC_FUNC:
		node->n_children = t->vlen + 1;
		return push_params(b, t, p);
	case RELOC_STRUCT:
	case RELOC_UNION:
		if (!b->matches || p->behind_ptr)
			return 0;
		node->n_children = t->vlen;
		return push_members(b, t, p);
	case RELOC_ENUM:
		if (!b->matches)
			return 0;
		node->n_children = t->vlen;
		return add_enumerators(b, t);
	default:
		return 0;
	}
}

static int add_type(struct builder *b, struct pending p)
{
	bool too_deep = p.depth-- <= 0 || p.level < 0 || (b->matches && p.level == 0);
	struct view_type t = view_type(b->v, view_skip_modifiers(b->v, p.id));
	struct reloc_node *node;

	if (p.member) {
		node = reloc_add_node(b->r, RELOC_MEMBER);
		if (!node)
			return -E2BIG;
		node->n_children = 1;
		node->name = add_essential(b->r, p.member);
		p.member = NULL;
	}
	node = reloc_add_node(b->r, too_deep ? RELOC_DEEP : compat_word(b->v, &t));
	if (!node)
		return -E2BIG;
	if (too_deep || node->word == RELOC_NONE)
		return 0;
	if (b->matches)
		describe(b, node, &t);
	return add_children(b, node, &t, &p);
}

static int add_types(const struct view *v, uint32_t id, struct reloc *r)
{
	struct builder b = { .v = v, .r = r, .matches = r->kind == BPF_CORE_TYPE_MATCHES };
	int err;

	err = push(&b, (struct pending){
			       .id = id, .level = RELOC_MAX_LEVEL, .depth = RELOC_MAX_LEVEL });
	while (!err && b.n)
		err = add_type(&b, b.pending[--b.n]);
	free(b.pending);
	if (!err)
		reloc_close(r, 0);
	return err;
}

/* What libbpf compares of a field's type (bpf_core_fields_are_compat). */
static int add_field_type(const struct view *v, uint32_t id, struct reloc *r)
{
	uint32_t first = r->n_nodes;
	struct reloc_node *node;
	struct view_type t;

	do {
		t = view_type(v, view_skip_modifiers(v, id));
		node = reloc_add_node(r, compat_word(v, &t));
		if (!node)
			return -E2BIG;
		node->n_children = t.kind == BTF_KIND_ARRAY;
		if (t.kind == BTF_KIND_ARRAY)
			id = view_array(v, &t).type;
	} while (t.kind == BTF_KIND_ARRAY);
	if (view_is_composite(t.kind))
		node->word = RELOC_COMPOSITE;
	else if (t.kind == BTF_KIND_FLOAT)
		node->word = RELOC_FLOAT;
	else if (t.kind == BTF_KIND_FUNC_PROTO || t.kind == BTF_KIND_UNKN)
		node->word = RELOC_NONE;
	else if (t.kind == BTF_KIND_FWD || view_is_enum(t.kind))
		node->name = add_essential(r, view_name(v, t.name_off));
	reloc_close(r, first);
	return 0;
}

/* "0:1:2" into indexes. Signs and spaces, which libbpf's sscanf takes, no compiler writes. */
static int read_access(const char *s, struct spec *spec, struct fail *f)
{
	uint32_t index = 0;
	bool digits = false;

	for (const char *p = s;; p++) {
		if (*p >= '0' && *p <= '9') {
			digits = true;
			if (__builtin_mul_overflow(index, 10u, &index) ||
			    __builtin_add_overflow(index, (uint32_t)(*p - '0'), &index) ||
			    index > INT32_MAX)
				return fail(f, -EBADMSG, "access string %.64s is out of range", s);
			continue;
		}
		if (!digits || (*p && *p != ':'))
			return fail(f, -EBADMSG, "access string \"%.64s\" is malformed", s);
		if (spec->raw_len == SPEC_MAX_LEN)
			return fail(f, -EBADMSG, "access string %.64s is too long", s);
		spec->raw[spec->raw_len++] = index;
		if (!*p)
			return 0;
		index = 0;
		digits = false;
	}
}

static struct reloc_step *add_step(struct reloc *r, uint32_t index)
{
	r->steps[r->n_steps] = (struct reloc_step){ .index = index };
	return &r->steps[r->n_steps++];
}

static int step_into_array(const struct view *v, const struct view_type *t, uint32_t index,
			   struct reloc *r, struct spec *s)
{
	struct view_array a = view_array(v, t);
	uint32_t id = view_skip_modifiers(v, a.type);
	int64_t size = view_size(v, id);

	if (index >= a.nelems && !spec_is_flexible(v, s, &a))
		return -ERANGE;
	if (size < 0)
		return -EINVAL;
	add_step(r, index);
	s->last_type = id;
	s->last_named = false;
	s->bit_offset += index * (uint32_t)size * 8;
	return 0;
}

static int step_into_member(const struct view *v, uint32_t id, uint32_t index, struct reloc *r,
			    struct spec *s)
{
	struct view_type t = view_type(v, id);
	struct view_member m;
	struct reloc_step *step;
	const char *name;

	if (index >= t.vlen)
		return -ERANGE;
	m = view_member(v, &t, index);
	name = view_name(v, m.name_off);
	s->bit_offset += m.bit_offset;
	if (!*name)
		return 0;
	s->last_type = id;
	s->last_index = index;
	s->last_named = true;
	step = add_step(r, 0);
	step->name = reloc_add_name(r, name, strlen(name));
	step->node = r->n_nodes;
	return add_field_type(v, m.type, r);
}

/* Follows the access string through the object's own types (bpf_core_parse_spec). */
static int add_field(const struct view *v, struct spec *s, struct reloc *r)
{
	uint32_t id = view_skip_modifiers(v, s->root_id);
	int64_t size = view_size(v, id);
	int err = 0;

	if (size < 0)
		return -EINVAL;
	s->last_type = id;
	s->bit_offset = s->raw[0] * (uint32_t)size * 8;
	add_step(r, s->raw[0]);
	for (uint32_t i = 1; !err && i < s->raw_len; i++) {
		struct view_type t;

		id = view_skip_modifiers(v, id);
		t = view_type(v, id);
		if (view_is_composite(t.kind)) {
			err = step_into_member(v, id, s->raw[i], r, s);
			id = err ? id : view_member(v, &t, s->raw[i]).type;
		} else if (t.kind == BTF_KIND_ARRAY) {
			err = step_into_array(v, &t, s->raw[i], r, s);
			id = view_array(v, &t).type;
		} else {
			err = -EINVAL;
		}
	}
	return err;
}

static int add_enumerator(const struct view *v, struct spec *s, struct reloc *r)
{
	uint32_t id = view_skip_modifiers(v, s->root_id);
	struct view_type t = view_type(v, id);
	struct view_enumerator e;

	if (!view_is_enum(t.kind) || s->raw_len != 1 || s->raw[0] >= t.vlen)
		return -ERANGE;
	e = view_enumerator(v, &t, s->raw[0]);
	s->last_type = id;
	s->last_index = s->raw[0];
	add_step(r, 0)->name = add_essential(r, view_name(v, e.name_off));
	return 0;
}

static int follow(const struct view *v, const struct object_record *record, struct reloc *r,
		  struct fail *f)
{
	struct spec s = { .root_id = record->type_id };
	struct spec_value value;
	int err;

	err = read_access(record->access, &s, f);
	if (err)
		return err;
	if (spec_is_type(record->kind))
		err = s.raw_len == 1 && s.raw[0] == 0 ? add_types(v, record->type_id, r) : -ERANGE;
	else if (spec_is_enumerator(record->kind))
		err = add_enumerator(v, &s, r);
	else
		err = add_field(v, &s, r);
	if (!err)
		err = spec_value(v, record->kind, &s, &value);
	if (err == -ENOMEM || err == -E2BIG)
		return fail(f, err, "its types are too large");
	if (err)
		return fail(f, -EBADMSG, "access string %.64s does not fit its type",
			    record->access);
	return 0;
}

int record_to_reloc(const struct view *view, const struct object_record *record,
		    struct reloc *ret_reloc, struct fail *f)
{
	struct view_type root = view_type(view, record->type_id);
	const char *name = view_name(view, root.name_off);
	struct reloc r;
	int err;

	err = reloc_begin(&r);
	if (err)
		return fail(f, err, "no memory");
	r.kind = record->kind;
	r.root_kind = root.kind == VIEW_KIND_ENUM64 ? BTF_KIND_ENUM : root.kind;
	r.root = add_essential(&r, name);
	if (!r.root && record->kind != BPF_CORE_TYPE_ID_LOCAL)
		err = fail(f, -EBADMSG, "its type has no name, so no kernel can be asked for it");
	if (!err)
		err = follow(view, record, &r, f);
	if (!err && r.names.failed)
		err = fail(f, -ENOMEM, "no memory");
	if (err) {
		reloc_free(&r);
		return fail_in(f, err, "%s relocation of %.64s at %.64s byte %u",
			       reloc_kind_name(record->kind), name, record->section,
			       record->insn_off);
	}
	*ret_reloc = r;
	return 0;
}

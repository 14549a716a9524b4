// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "closure.h"

#include "btfs/fail.h"
#include "btfs/need.h"
#include "btfs/reloc.h"
#include "btfs/view.h"
#include "match.h"
#include "plan.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>

/* How far a type is kept. */
enum extent {
	SHAPE,	     /* modifiers, array elements, no members, not what pointers point to */
	FOLLOW,	     /* the same, through pointers */
	WHOLE,	     /* every member too, but not behind pointers */
	WHOLE_BEHIND /* the same, already behind one */
};

static bool test_and_set(uint64_t *bits, uint32_t id)
{
	uint64_t bit = 1ull << id % 64;
	bool was = bits[id / 64] & bit;

	bits[id / 64] |= bit;
	return was;
}

/* Puts a type on the list of those to look at, unless it was there to that extent before. */
static int keep(struct closure *c, uint32_t id, enum extent extent)
{
	bool was;
	int err;

	if (id == 0)
		return 0;
	err = view_reach(c->view, id, c->f);
	if (err)
		return err;
	was = test_and_set(c->kept, id);
	if (extent == FOLLOW)
		was = test_and_set(c->followed, id);
	else if (extent == WHOLE)
		was = test_and_set(c->whole, id);
	else if (extent == WHOLE_BEHIND)
		was = test_and_set(c->behind, id);
	if (was)
		return 0;
	if (c->n_pending + 2 > c->pending_room) {
		size_t room = c->pending_room ? c->pending_room * 2 : 256;
		uint32_t *pending = reallocarray(c->pending, room, sizeof(*pending));

		if (!pending)
			return fail(c->f, -ENOMEM, "no memory");
		c->pending = pending;
		c->pending_room = room;
	}
	c->pending[c->n_pending++] = id;
	c->pending[c->n_pending++] = extent;
	return 0;
}

static int keep_member(struct closure *c, uint32_t id, uint32_t member)
{
	if (c->n_members == c->members_room) {
		size_t room = c->members_room ? c->members_room * 2 : 256;
		uint64_t *members = reallocarray(c->members, room, sizeof(*members));

		if (!members)
			return fail(c->f, -ENOMEM, "no memory");
		c->members = members;
		c->members_room = room;
	}
	c->members[c->n_members++] = (uint64_t)id << 32 | member;
	return 0;
}

static int look_at_prototype(struct closure *c, const struct view_type *t, enum extent extent)
{
	int err = keep(c, t->type, extent);

	for (uint32_t i = 0; !err && i < t->vlen; i++)
		err = keep(c, view_param(c->view, t, i).type, extent);
	return err;
}

static int look_at_members(struct closure *c, uint32_t id, const struct view_type *t)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < t->vlen; i++) {
		err = keep_member(c, id, i);
		if (!err)
			err = keep(c, view_member(c->view, t, i).type, WHOLE);
	}
	return err;
}

static int look_at(struct closure *c, uint32_t id, enum extent extent)
{
	struct view_type t = view_type(c->view, id);
	/* libbpf compares array elements and parameters behind a pointer by name only; bpftool
	 * keeps their members all the same, and the two outputs are to be comparable */
	enum extent part = extent == WHOLE_BEHIND ? WHOLE : extent;
	struct view_array a;
	int err;

	switch (t.kind) {
	case BTF_KIND_PTR:
		if (extent == SHAPE)
			return 0;
		return keep(c, t.type, extent == FOLLOW ? FOLLOW : WHOLE_BEHIND);
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_TYPE_TAG:
		return keep(c, t.type, extent);
	case BTF_KIND_ARRAY:
		a = view_array(c->view, &t);
		err = keep(c, a.type, part);
		return err ? err : keep(c, a.index_type, part);
	case BTF_KIND_FUNC_PROTO:
		return look_at_prototype(c, &t, part);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return extent == WHOLE ? look_at_members(c, id, &t) : 0;
	default:
		return 0;
	}
}

static int look_at_pending(struct closure *c)
{
	int err = 0;

	while (!err && c->n_pending) {
		c->n_pending -= 2;
		err = look_at(c, c->pending[c->n_pending], c->pending[c->n_pending + 1]);
	}
	return err;
}

static enum extent type_extent(uint32_t kind)
{
	return kind == BPF_CORE_TYPE_MATCHES ? WHOLE : FOLLOW;
}

static int add_hit(struct closure *c, const struct match *match, const struct match_hit *hit,
		   uint32_t kind)
{
	int err = keep(c, hit->root, spec_is_type(kind) ? type_extent(kind) : SHAPE);

	for (uint32_t i = 0; !err && i < hit->n_steps; i++) {
		const struct match_step *s = &match->steps[hit->first_step + i];
		struct view_type t = view_type(c->view, s->type);

		if (!view_is_composite(t.kind))
			continue;
		err = keep_member(c, s->type, s->index);
		if (!err)
			err = keep(c, view_member(c->view, &t, s->index).type, SHAPE);
	}
	return err ? err : look_at_pending(c);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void sort_members(struct closure *c)
{
	size_t n = 0;

	if (c->n_members)
		qsort(c->members, c->n_members, sizeof(*c->members), compare);
	for (size_t i = 0; i < c->n_members; i++)
		if (!n || c->members[n - 1] != c->members[i])
			c->members[n++] = c->members[i];
	c->n_members = n;
}

int closure_of(const struct plan *plan, const struct match *match, struct closure *closure)
{
	size_t words = closure->view->n_types / 64 + 1;
	struct closure *c = closure;
	int err = 0;

	c->kept = calloc(words, sizeof(*c->kept));
	c->followed = calloc(words, sizeof(*c->followed));
	c->whole = calloc(words, sizeof(*c->whole));
	c->behind = calloc(words, sizeof(*c->behind));
	if (!c->kept || !c->followed || !c->whole || !c->behind)
		return fail(c->f, -ENOMEM, "no memory");
	for (size_t i = 0; !err && i < match->n_hits; i++)
		err = add_hit(c, match, &match->hits[i],
			      need_reloc(plan->need, match->hits[i].reloc)->kind);
	sort_members(c);
	return err;
}

static int keep_candidate(struct closure *c, const struct plan *plan, const struct plan_root *root,
			  uint32_t id)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < root->n_relocs; i++) {
		uint32_t kind = need_reloc(plan->need, root->relocs[i])->kind;

		if (spec_is_type(kind))
			err = keep(c, id, type_extent(kind));
	}
	return err ? err : look_at_pending(c);
}

static bool is_without_elements(const struct view *v, const struct view_type *t, uint32_t member)
{
	uint32_t id = view_skip_modifiers(v, view_member(v, t, member).type);
	struct view_type type = view_type(v, id);

	return type.kind == BTF_KIND_ARRAY && view_array(v, &type).nelems == 0;
}

/* An array without elements that comes to stand last would have no bounds any more. */
static int keep_successors(struct closure *c)
{
	size_t n = c->n_members;
	int err = 0;

	for (size_t i = 0; !err && i < n; i++) {
		uint32_t id = c->members[i] >> 32, member = (uint32_t)c->members[i];
		struct view_type t = view_type(c->view, id);

		if (i + 1 < n && c->members[i + 1] >> 32 == id)
			continue;
		for (; !err && is_without_elements(c->view, &t, member) && member + 1 < t.vlen;
		     member++) {
			err = keep_member(c, id, member + 1);
			if (!err)
				err = keep(c, view_member(c->view, &t, member + 1).type, SHAPE);
		}
	}
	return err ? err : look_at_pending(c);
}

int closure_widen(const struct plan *plan, struct closure *c)
{
	const struct view *v = c->view;
	int err = 0;

	for (uint32_t id = 1; !err && id < v->n_types; id++) {
		struct view_type t = view_type(v, id);
		uint32_t root = plan_find(plan, t.kind, view_name(v, t.name_off));

		if (root != PLAN_NONE)
			err = keep_candidate(c, plan, &plan->roots[root], id);
	}
	sort_members(c);
	if (!err)
		err = keep_successors(c);
	sort_members(c);
	return err;
}

void closure_free(struct closure *closure)
{
	free(closure->members);
	free(closure->kept);
	free(closure->followed);
	free(closure->whole);
	free(closure->behind);
	free(closure->pending);
	*closure = (struct closure){ 0 };
}

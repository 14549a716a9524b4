// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "relate.h"

#include "btfs/reloc.h"
#include "btfs/view.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>

static bool same_essential(const char *essential, const char *name)
{
	size_t len = strlen(essential);

	return !strncmp(essential, name, len) && reloc_essential_len(name) == len;
}

int relate_field(const struct reloc *reloc, uint32_t node, const struct view *view, uint32_t id)
{
	for (;; node++) {
		const struct reloc_node *local = &reloc->nodes[node];
		struct view_type t;
		const char *name;

		id = view_skip_modifiers(view, id);
		t = view_type(view, id);
		switch (local->word) {
		case RELOC_COMPOSITE:
			return view_is_composite(t.kind);
		case RELOC_PTR:
			return t.kind == BTF_KIND_PTR;
		case RELOC_FLOAT:
			return t.kind == BTF_KIND_FLOAT;
		case RELOC_INT:
			return t.kind == BTF_KIND_INT && !view_int(view, &t).bit_offset;
		case RELOC_ENUM:
		case RELOC_FWD:
			if (local->word == RELOC_ENUM ? !view_is_enum(t.kind)
						      : t.kind != BTF_KIND_FWD)
				return 0;
			name = view_name(view, t.name_off);
			/* an anonymous one fits every other */
			return !local->name || !*name ||
			       same_essential(reloc_name(reloc, local->name), name);
		case RELOC_ARRAY:
			if (t.kind != BTF_KIND_ARRAY)
				return 0;
			id = view_array(view, &t).type;
			break;
		default:
			return 0;
		}
	}
}

/* A comparison that waits for those of its parts. */
struct frame {
	uint32_t node, id; /* local and kernel's type */
	uint32_t child;	   /* of the local type: the next to compare */
	uint32_t done;	   /* children that fitted */
	uint32_t other;	   /* the kernel's member that is being tried */
	bool behind_ptr;   /* libbpf does not look into structs then */
	bool entered;
};

struct relation {
	const struct reloc *reloc;
	const struct view *view;
	struct fail *f;
	struct frame *frames;
	size_t n;
	uint32_t steps;
	bool matches; /* type_matches: names, sizes and members count too */
};

enum { PENDING = 2 }; /* beside 0 and 1: the answer needs more frames */

static int push(struct relation *r, uint32_t node, uint32_t id, bool behind_ptr)
{
	if (r->n == RELOC_MAX_DEPTH)
		return -E2BIG;
	r->frames[r->n++] = (struct frame){ .node = node, .id = id, .behind_ptr = behind_ptr };
	return PENDING;
}

static int relate_int(const struct relation *r, const struct reloc_node *local,
		      const struct view_type *t)
{
	struct view_int x;

	if (t->kind != BTF_KIND_INT)
		return 0;
	x = view_int(r->view, t);
	if (!r->matches)
		return x.bit_offset == 0;
	return t->size == local->number &&
	       !(x.encoding & BTF_INT_SIGNED) == (local->word == RELOC_INT);
}

static int relate_fwd(const struct relation *r, const struct frame *frame,
		      const struct reloc_node *local, const struct view_type *t)
{
	if (t->kind == BTF_KIND_FWD)
		return !r->matches || t->kflag == local->number;
	if (!r->matches || !frame->behind_ptr)
		return 0;
	return t->kind == (local->number ? BTF_KIND_UNION : BTF_KIND_STRUCT);
}

static bool has_enumerator(const struct view *v, const struct view_type *t, const char *essential)
{
	for (uint32_t i = 0; i < t->vlen; i++)
		if (same_essential(essential, view_name(v, view_enumerator(v, t, i).name_off)))
			return true;
	return false;
}

static int relate_enum(const struct relation *r, uint32_t node, const struct view_type *t)
{
	const struct reloc_node *local = &r->reloc->nodes[node];

	if (!view_is_enum(t->kind))
		return 0;
	if (!r->matches)
		return 1;
	if (local->n_children > t->vlen)
		return 0;
	for (uint32_t i = node + 1; i < local->end; i++)
		if (!has_enumerator(r->view, t, reloc_name(r->reloc, r->reloc->nodes[i].name)))
			return 0;
	return 1;
}

static int relate_composite(const struct relation *r, struct frame *frame,
			    const struct reloc_node *local, const struct view_type *t)
{
	uint8_t kind = local->word == RELOC_UNION ? BTF_KIND_UNION : BTF_KIND_STRUCT;

	if (r->matches && frame->behind_ptr && t->kind == BTF_KIND_FWD)
		return (local->word == RELOC_UNION) == t->kflag;
	if (t->kind != kind)
		return 0;
	if (!r->matches || frame->behind_ptr)
		return 1;
	if (local->n_children > t->vlen)
		return 0;
	return local->n_children ? PENDING : 1;
}

/* The first look at a pair of types; pointers and arrays go on in the same frame. */
static int enter(struct relation *r, struct frame *frame)
{
	for (;;) {
		const struct reloc_node *local = &r->reloc->nodes[frame->node];
		struct view_type t;

		if (++r->steps > RELATE_MAX_STEPS)
			return -E2BIG;
		if (local->word == RELOC_DEEP)
			return -EINVAL;
		if (view_reach(r->view, frame->id, r->f))
			return -EBADMSG;
		frame->id = view_skip_modifiers(r->view, frame->id);
		t = view_type(r->view, frame->id);
		if (r->matches && !same_essential(reloc_name(r->reloc, local->name),
						  view_name(r->view, t.name_off)))
			return 0;
		frame->child = frame->node + 1;
		switch (local->word) {
		case RELOC_VOID:
			return t.kind == BTF_KIND_UNKN;
		case RELOC_INT:
		case RELOC_SINT:
			return relate_int(r, local, &t);
		case RELOC_ENUM:
			return relate_enum(r, frame->node, &t);
		case RELOC_FWD:
			return relate_fwd(r, frame, local, &t);
		case RELOC_STRUCT:
		case RELOC_UNION:
			return relate_composite(r, frame, local, &t);
		case RELOC_PTR:
			if (t.kind != BTF_KIND_PTR)
				return 0;
			frame->behind_ptr = true;
			frame->id = t.type;
			break;
		case RELOC_ARRAY:
			if (t.kind != BTF_KIND_ARRAY ||
			    (r->matches && view_array(r->view, &t).nelems != local->number))
				return 0;
			frame->id = view_array(r->view, &t).type;
			break;
		case RELOC_FUNC:
			return t.kind == BTF_KIND_FUNC_PROTO && t.vlen + 1 == local->n_children
				       ? PENDING
				       : 0;
		default:
			return 0;
		}
		frame->node = frame->child;
	}
}

/* Every parameter in turn, then what is returned. last: how the one before came out. */
static int next_param(struct relation *r, struct frame *frame, int last)
{
	const struct reloc_node *local = &r->reloc->nodes[frame->node];
	struct view_type t = view_type(r->view, frame->id);
	uint32_t child = frame->child;

	if (last <= 0 || frame->done == local->n_children)
		return last;
	frame->child = r->reloc->nodes[child].end;
	if (++frame->done == local->n_children)
		return push(r, child, t.type, frame->behind_ptr);
	return push(r, child, view_param(r->view, &t, frame->done - 1).type, frame->behind_ptr);
}

/* Every local member must fit one of the kernel's of that name; anonymous ones have several. */
static int next_member(struct relation *r, struct frame *frame, int last)
{
	const struct reloc_node *local = &r->reloc->nodes[frame->node], *member;
	struct view_type t = view_type(r->view, frame->id);

	if (last < 0)
		return last;
	if (last > 0) {
		frame->child = r->reloc->nodes[frame->child].end;
		frame->other = 0;
		if (++frame->done == local->n_children)
			return 1;
	}
	member = &r->reloc->nodes[frame->child];
	while (frame->other < t.vlen) {
		struct view_member m = view_member(r->view, &t, frame->other++);

		if (++r->steps > RELATE_MAX_STEPS)
			return -E2BIG;
		if (same_essential(reloc_name(r->reloc, member->name),
				   view_name(r->view, m.name_off)))
			return push(r, frame->child + 1, m.type, frame->behind_ptr);
	}
	return 0;
}

static int run(struct relation *r)
{
	int answer = PENDING;

	while (r->n) {
		struct frame *frame = &r->frames[r->n - 1];
		bool is_func;

		if (!frame->entered) {
			frame->entered = true;
			answer = enter(r, frame);
			if (answer != PENDING) {
				r->n--;
				continue;
			}
			/* nothing came before the first part: a parameter goes on, a member starts
			 */
			is_func = r->reloc->nodes[frame->node].word == RELOC_FUNC;
			answer = is_func ? next_param(r, frame, 1) : next_member(r, frame, 0);
		} else {
			is_func = r->reloc->nodes[frame->node].word == RELOC_FUNC;
			answer = is_func ? next_param(r, frame, answer)
					 : next_member(r, frame, answer);
		}
		if (answer != PENDING)
			r->n--;
	}
	return answer;
}

int relate_root(const struct reloc *reloc, const struct view *view, uint32_t id, struct fail *f)
{
	struct relation r = {
		.reloc = reloc,
		.view = view,
		.f = f,
		.matches = reloc->kind == BPF_CORE_TYPE_MATCHES,
	};
	int answer;

	r.frames = malloc(RELOC_MAX_DEPTH * sizeof(*r.frames));
	if (!r.frames)
		return -ENOMEM;
	push(&r, 0, id, false);
	answer = run(&r);
	free(r.frames);
	return answer;
}

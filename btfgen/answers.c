// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "answers.h"

#include "btfs/fail.h"
#include "btfs/need.h"
#include "btfs/reloc.h"
#include "btfs/spec.h"
#include "btfs/view.h"
#include "match.h"
#include "plan.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdlib.h>

_Static_assert(sizeof(struct answer) == 16, "no padding");

/* The field that a path ends at: an array's element, or a member. */
static void measure(const struct view *v, const struct match *m, const struct match_hit *hit,
		    struct answer *a)
{
	const struct match_step *last = &m->steps[hit->first_step + hit->n_steps - 1];
	struct view_member member = { .type = hit->root };
	struct view_type t;
	int64_t size;

	if (hit->n_steps) {
		t = view_type(v, last->type);
		if (view_is_composite(t.kind))
			member = view_member(v, &t, last->index);
		else if (t.kind == BTF_KIND_ARRAY)
			member.type = view_array(v, &t).type;
	}
	size = view_size(v, member.type);
	a->bytes = size > 0 ? size : 0;
	a->bits = member.bit_size;
}

int answers_of(const struct plan *plan, const struct view *view, struct answer **ret_answers,
	       struct fail *f)
{
	size_t n = need_count(plan->need);
	struct match m = { 0 };
	struct answer *answers;
	int err;

	answers = calloc(n + 1, sizeof(*answers));
	if (!answers)
		return fail(f, -ENOMEM, "no memory");
	err = match_kernel(plan, view, &m, f);
	if (err) {
		free(answers);
		return err;
	}
	for (size_t i = 0; i < n; i++) {
		uint32_t kind = need_reloc(plan->need, i)->kind;

		answers[i].found = m.kept[i] != 0;
		answers[i].poison = m.values[i].poison;
		if (kind != BPF_CORE_TYPE_ID_TARGET && !m.values[i].poison)
			answers[i].value = m.values[i].value;
	}
	for (size_t i = m.n_hits; i-- > 0;) /* of several, the first counts */
		if (need_reloc(plan->need, m.hits[i].reloc)->kind == BPF_CORE_FIELD_BYTE_OFFSET)
			measure(view, &m, &m.hits[i], &answers[m.hits[i].reloc]);
	match_free(&m);
	*ret_answers = answers;
	return 0;
}

void answers_put_reloc(struct text *t, const struct reloc *r)
{
	text_add(t, "%s %s %s", reloc_kind_name(r->kind), view_kind_name(r->root_kind),
		 reloc_name(r, r->root));
	if (spec_is_field(r->kind) && r->n_steps && r->steps[0].index)
		text_add(t, "[%u]", r->steps[0].index);
	for (uint32_t i = spec_is_field(r->kind); i < r->n_steps; i++) {
		if (r->steps[i].name)
			text_add(t, ".%s", reloc_name(r, r->steps[i].name));
		else
			text_add(t, "[%u]", r->steps[i].index);
	}
}

void answers_put(struct text *t, const struct reloc *reloc, const struct answer *a)
{
	if (!a->found) {
		text_add(t, "is not there");
		return;
	}
	switch (reloc->kind) {
	case BPF_CORE_FIELD_BYTE_OFFSET:
		text_add(t, "offset %" PRIu64 ", %u bytes", a->value, a->bytes);
		if (a->bits)
			text_add(t, ", %u bits of them", a->bits);
		break;
	case BPF_CORE_FIELD_BYTE_SIZE:
	case BPF_CORE_TYPE_SIZE:
		text_add(t, "%" PRIu64 " bytes", a->value);
		break;
	case BPF_CORE_FIELD_SIGNED:
		text_add(t, a->value ? "signed" : "unsigned");
		break;
	case BPF_CORE_FIELD_LSHIFT_U64:
	case BPF_CORE_FIELD_RSHIFT_U64:
		text_add(t, "by %" PRIu64, a->value);
		break;
	case BPF_CORE_ENUMVAL_VALUE:
		text_add(t, "%" PRId64, (int64_t)a->value);
		break;
	default:
		text_add(t, "is there");
	}
}

void answers_put_json(struct text *t, const struct answer *a)
{
	text_add(t, "{\"found\": %s, \"poison\": %s, \"value\": %" PRId64,
		 a->found ? "true" : "false", a->poison ? "true" : "false", (int64_t)a->value);
	if (a->bytes)
		text_add(t, ", \"bytes\": %u", a->bytes);
	if (a->bits)
		text_add(t, ", \"bits\": %u", a->bits);
	text_add(t, "}");
}

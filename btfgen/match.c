// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "match.h"

#include "btfs/fail.h"
#include "btfs/names.h"
#include "btfs/need.h"
#include "btfs/reloc.h"
#include "btfs/view.h"
#include "plan.h"
#include "relate.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>

/* One candidate's answer to one relocation. */
struct answer {
	struct spec_value value;
	uint32_t bit_offset;
	uint32_t first_step, n_steps;
	bool matched;
};

struct matcher {
	const struct plan *plan;
	const struct view *view;
	struct match *out;
	struct fail *f;
	uint32_t *first; /* of each root: index of its first candidate; one more at the end */
	uint32_t *candidates;
	struct answer *answers; /* of one root: relocation by candidate */
	size_t answers_room;
	size_t steps_room, hits_room;
	uint32_t steps; /* members looked at for the candidate at hand */
};

static bool grow(void *array, size_t *room, size_t want, size_t size)
{
	size_t n = *room ? *room : 64;
	void *p;

	if (want <= *room)
		return true;
	while (n < want)
		n *= 2;
	p = reallocarray(*(void **)array, n, size);
	if (!p)
		return false;
	*(void **)array = p;
	*room = n;
	return true;
}

static int add_step(struct matcher *m, uint32_t type, uint32_t index)
{
	if (!grow(&m->out->steps, &m->steps_room, m->out->n_steps + 1, sizeof(*m->out->steps)))
		return -ENOMEM;
	m->out->steps[m->out->n_steps++] = (struct match_step){ type, index };
	return 0;
}

/* Where the search for a member stands: in a struct, and in the anonymous ones around it. */
struct level {
	uint32_t type, next; /* member to look at next */
};

/* Leaves an anonymous member in which the search ended: what it added to the spec goes, too. */
static void leave(const struct matcher *m, struct spec *s, const struct level *outer)
{
	struct view_type t = view_type(m->view, outer->type);

	s->bit_offset -= view_member(m->view, &t, outer->next - 1).bit_offset;
	s->raw_len--;
}

/*
 * The member that is named like the local one, searched depth first through anonymous structs
 * (bpf_core_match_member). libbpf forgets to take back the offset of a member of the right name
 * and the wrong type inside of an anonymous struct; so do we, since its result counts.
 * 1: found, the path to it is added; 0: there is none that fits.
 */
static int find_member(struct matcher *m, const struct reloc *r, const struct reloc_step *local,
		       uint32_t *id, struct spec *s)
{
	const char *want = reloc_name(r, local->name);
	struct level levels[SPEC_MAX_LEN + 1];
	size_t n = 1;
	int err;

	levels[0] = (struct level){ .type = view_skip_modifiers(m->view, *id) };
	while (n) {
		struct level *at = &levels[n - 1];
		struct view_type t = view_type(m->view, at->type);
		struct view_member member;
		const char *name;

		if (!view_is_composite(t.kind) || at->next == t.vlen) {
			if (--n)
				leave(m, s, &levels[n - 1]);
			continue;
		}
		if (s->raw_len == SPEC_MAX_LEN || ++m->steps > MATCH_MAX_STEPS)
			return -E2BIG;
		member = view_member(m->view, &t, at->next++);
		name = view_name(m->view, member.name_off);
		if (*name && (*name != *want || strcmp(name, want)))
			continue;
		s->bit_offset += member.bit_offset;
		s->raw_len++;
		if (!*name) {
			levels[n++] =
				(struct level){ .type = view_skip_modifiers(m->view, member.type) };
			continue;
		}
		err = relate_field(r, local->node, m->view, member.type);
		if (err < 0)
			return err;
		if (err == 0) {
			if (--n)
				leave(m, s, &levels[n - 1]);
			continue;
		}
		for (size_t i = 0; i < n; i++)
			if (add_step(m, levels[i].type, levels[i].next - 1))
				return -ENOMEM;
		s->last_type = at->type;
		s->last_index = at->next - 1;
		s->last_named = true;
		*id = member.type;
		return 1;
	}
	return 0;
}

static int find_element(struct matcher *m, const struct reloc_step *local, uint32_t *id,
			struct spec *s)
{
	uint32_t array = view_skip_modifiers(m->view, *id);
	struct view_type t = view_type(m->view, array);
	struct view_array a;

	if (t.kind != BTF_KIND_ARRAY)
		return 0;
	a = view_array(m->view, &t);
	if (local->index >= a.nelems && !spec_is_flexible(m->view, s, &a))
		return 0;
	*id = view_skip_modifiers(m->view, a.type);
	return add_step(m, array, 0) ? -ENOMEM : 1;
}

static int match_field(struct matcher *m, const struct reloc *r, uint32_t id, struct spec *s)
{
	for (uint32_t i = 0; i < r->n_steps; i++) {
		const struct reloc_step *local = &r->steps[i];
		int64_t size;
		int found;

		if (local->name) {
			found = find_member(m, r, local, &id, s);
			if (found <= 0)
				return found;
			continue;
		}
		/* the first index is of the root, as if it were an element already */
		found = i ? find_element(m, local, &id, s) : 1;
		if (found <= 0)
			return found;
		id = view_skip_modifiers(m->view, id);
		if (s->raw_len == SPEC_MAX_LEN)
			return -E2BIG;
		s->raw_len++;
		s->last_type = id;
		s->last_named = false;
		size = view_size(m->view, id);
		if (size < 0)
			return size;
		s->bit_offset += local->index * (uint32_t)size * 8;
	}
	return 1;
}

static int match_enumerator(struct matcher *m, const struct reloc *r, uint32_t id, struct spec *s)
{
	const char *want = reloc_name(r, r->steps[0].name);
	size_t len = strlen(want);
	struct view_type t;

	id = view_skip_modifiers(m->view, id);
	t = view_type(m->view, id);
	if (!view_is_enum(t.kind))
		return 0;
	for (uint32_t i = 0; i < t.vlen; i++) {
		const char *name = view_name(m->view, view_enumerator(m->view, &t, i).name_off);

		if (!strncmp(name, want, len) && reloc_essential_len(name) == len) {
			s->last_type = id;
			s->last_index = i;
			return 1;
		}
	}
	return 0;
}

static int answer(struct matcher *m, const struct reloc *r, uint32_t id, struct answer *ret)
{
	struct spec s = { .root_id = id };
	struct answer a = { .first_step = m->out->n_steps };
	int found;

	m->steps = 0;
	found = view_reach(m->view, id, m->f);
	if (found)
		return found;
	if (spec_is_type(r->kind))
		found = relate_root(r, m->view, id, m->f);
	else if (spec_is_enumerator(r->kind))
		found = match_enumerator(m, r, id, &s);
	else
		found = match_field(m, r, id, &s);
	if (found > 0) {
		a.matched = true;
		a.bit_offset = s.bit_offset;
		a.n_steps = m->out->n_steps - a.first_step;
		found = spec_value(m->view, r->kind, &s, &a.value);
	} else {
		m->out->n_steps = a.first_step;
	}
	*ret = a;
	return found < 0 ? found : 0;
}

static void describe(const struct reloc *r, struct text *t)
{
	reloc_format(r, t);
	if (t->failed)
		return;
	t->p[--t->size] = '\0';
	for (size_t i = 0, tabs = 0; i < t->size; i++) {
		if (t->p[i] == '\t' && ++tabs == 4)
			t->p[i] = '\0';
		else if (t->p[i] == '\t')
			t->p[i] = ' ';
	}
}

static int refuse(const struct matcher *m, const struct reloc *r, uint32_t id, int err)
{
	struct text t = { 0 };

	describe(r, &t);
	err = fail(m->f, err, "libbpf gives up on %s at candidate [%u]", t.failed ? "" : t.p, id);
	text_free(&t);
	return err;
}

static int refuse_ambiguous(const struct matcher *m, const struct reloc *r, const uint32_t ids[2],
			    const struct answer *const answers[2])
{
	bool offsets = answers[0]->bit_offset != answers[1]->bit_offset;
	struct text t = { 0 };
	int err;

	describe(r, &t);
	err = fail(m->f, -ENOTUNIQ, "ambiguous: %s: %s %llu in type [%u] but %llu in [%u]",
		   t.failed ? "" : t.p, offsets ? "bit offset is" : "answer is",
		   (unsigned long long)(offsets ? answers[0]->bit_offset : answers[0]->value.value),
		   ids[0],
		   (unsigned long long)(offsets ? answers[1]->bit_offset : answers[1]->value.value),
		   ids[1]);
	text_free(&t);
	return err;
}

static bool agree(const struct answer *a, const struct answer *b)
{
	return a->bit_offset == b->bit_offset && a->value.poison == b->value.poison &&
	       a->value.value == b->value.value;
}

/* The candidates of one root and what they answer to its relocations, as a table. */
struct table {
	const struct plan_root *root;
	const uint32_t *ids;
	uint32_t n; /* candidates */
	const struct answer *answers;
};

static const struct answer *at(const struct table *t, uint32_t reloc, uint32_t candidate)
{
	return &t->answers[(size_t)reloc * t->n + candidate];
}

static bool matches_any(const struct table *t, uint32_t reloc)
{
	for (uint32_t c = 0; c < t->n; c++)
		if (at(t, reloc, c)->matched)
			return true;
	return false;
}

static bool same_set(const struct table *t, uint32_t a, uint32_t b)
{
	for (uint32_t c = 0; c < t->n; c++)
		if (at(t, a, c)->matched != at(t, b, c)->matched)
			return false;
	return true;
}

/* Whether all relocations that match anything match the same candidates. */
static bool is_uniform(const struct table *t)
{
	uint32_t first = PLAN_NONE;

	for (uint32_t r = 0; r < t->root->n_relocs; r++) {
		if (!matches_any(t, r))
			continue;
		if (first == PLAN_NONE)
			first = r;
		else if (!same_set(t, first, r))
			return false;
	}
	return true;
}

enum verdict { NONE, AGREED, SPLIT };

/*
 * What a relocation makes of the candidates that two others leave it: it matches none, those that
 * it matches agree, or two don't, which go to ret_pair.
 */
static enum verdict judge(const struct table *t, uint32_t reloc, uint32_t first, uint32_t second,
			  uint32_t ret_pair[2])
{
	enum verdict verdict = NONE;

	for (uint32_t c = 0; c < t->n; c++) {
		if (!at(t, reloc, c)->matched || !at(t, first, c)->matched ||
		    !at(t, second, c)->matched)
			continue;
		ret_pair[verdict == NONE ? 0 : 1] = c;
		if (verdict != NONE && !agree(at(t, reloc, ret_pair[0]), at(t, reloc, c)))
			return SPLIT;
		verdict = AGREED;
	}
	return verdict;
}

/*
 * Whether libbpf can get past an ambiguous relocation: others come first and prune its candidates
 * until those that are left agree, or it matches none of them. Two are looked for; that it should
 * take three of different opinions is left out.
 */
static bool can_be_pruned(const struct table *t, uint32_t reloc)
{
	uint32_t pair[2], n = t->root->n_relocs;

	for (uint32_t first = 0; first < n; first++) {
		if (first == reloc || judge(t, first, first, first, pair) != AGREED)
			continue;
		for (uint32_t second = 0; second < n; second++)
			if (second != reloc && judge(t, second, first, first, pair) == AGREED &&
			    judge(t, reloc, first, second, pair) != SPLIT)
				return true;
	}
	return false;
}

static int check_agreement(const struct matcher *m, const struct table *t, uint32_t reloc)
{
	const struct answer *answers[2];
	uint32_t pair[2], ids[2];

	if (judge(t, reloc, reloc, reloc, pair) != SPLIT || can_be_pruned(t, reloc))
		return 0;
	for (int i = 0; i < 2; i++) {
		answers[i] = at(t, reloc, pair[i]);
		ids[i] = t->ids[pair[i]];
	}
	return refuse_ambiguous(m, need_reloc(m->plan->need, t->root->relocs[reloc]), ids, answers);
}

static int keep(struct matcher *m, const struct table *t, uint32_t reloc, uint32_t candidate)
{
	const struct answer *a = at(t, reloc, candidate);
	uint32_t index = t->root->relocs[reloc];
	struct match *out = m->out;

	if (!grow(&out->hits, &m->hits_room, out->n_hits + 1, sizeof(*out->hits)))
		return fail(m->f, -ENOMEM, "no memory");
	out->hits[out->n_hits++] = (struct match_hit){
		.reloc = index,
		.root = t->ids[candidate],
		.first_step = a->first_step,
		.n_steps = a->n_steps,
	};
	if (!out->kept[index])
		out->values[index] = a->value;
	if (out->kept[index] < 255)
		out->kept[index]++;
	return 0;
}

static int decide(struct matcher *m, const struct table *t)
{
	bool uniform = is_uniform(t);
	int err = 0;

	for (uint32_t r = 0; !err && r < t->root->n_relocs; r++) {
		if (!matches_any(t, r))
			continue;
		err = check_agreement(m, t, r);
		for (uint32_t c = 0; !err && c < t->n; c++) {
			if (!at(t, r, c)->matched)
				continue;
			err = keep(m, t, r, c);
			if (uniform)
				break;
		}
	}
	return err;
}

static int match_root(struct matcher *m, uint32_t index)
{
	const struct plan_root *root = &m->plan->roots[index];
	struct table t = { .root = root, .ids = m->candidates + m->first[index] };
	int err;

	t.n = m->first[index + 1] - m->first[index];
	if (!t.n)
		return 0;
	/* libbpf looks into modules only for what the kernel itself has no candidate for */
	while (t.ids[0] < m->view->modules_from && t.ids[t.n - 1] >= m->view->modules_from)
		t.n--;
	if (!grow(&m->answers, &m->answers_room, (size_t)t.n * root->n_relocs, sizeof(*m->answers)))
		return fail(m->f, -ENOMEM, "no memory for %u candidates", t.n);
	t.answers = m->answers;
	for (uint32_t r = 0; r < root->n_relocs; r++) {
		const struct reloc *reloc = need_reloc(m->plan->need, root->relocs[r]);

		for (uint32_t c = 0; c < t.n; c++) {
			err = answer(m, reloc, t.ids[c], &m->answers[(size_t)r * t.n + c]);
			if (err == -ENOMEM)
				return fail(m->f, err, "no memory");
			if (err == -EBADMSG) /* was said where it was found */
				return err;
			if (err)
				return refuse(m, reloc, t.ids[c], err);
		}
	}
	return decide(m, &t);
}

struct found {
	uint32_t root, id;
};

struct finds {
	struct found *all;
	size_t n, room;
};

/* Types whose names are on their way from memory: the search for names waits for little else. */
struct fetched {
	uint32_t ids[32];
	const char *names[32];
	size_t n;
};

static int look_up(const struct matcher *m, struct fetched *names, struct finds *finds)
{
	for (size_t i = 0; i < names->n; i++) {
		uint32_t id = names->ids[i];
		uint32_t root = plan_find(m->plan, view_kind(m->view, id), names->names[i]);

		if (root == PLAN_NONE)
			continue;
		if (!grow(&finds->all, &finds->room, finds->n + 1, sizeof(*finds->all)))
			return fail(m->f, -ENOMEM, "no memory");
		finds->all[finds->n++] = (struct found){ root, id };
		m->first[root + 2]++;
	}
	names->n = 0;
	return 0;
}

/* Every type that has the name and kind of a root, in the order of ids. */
static int find_all(const struct matcher *m, struct finds *finds)
{
	const struct view *v = m->view;
	struct fetched names = { .n = 0 };
	int err = 0;

	for (uint32_t id = 1; !err && id < v->n_types; id++) {
		uint32_t off;

		if (!(m->plan->kinds >> view_kind(v, id) & 1))
			continue;
		off = view_u32(v, view_raw_type(v, id));
		if (off >= v->strs_len) /* in a view that was opened lazily */
			return view_reach(v, id, m->f);
		if (!off)
			continue;
		names.ids[names.n] = id;
		names.names[names.n] = view_name(v, off);
		__builtin_prefetch(names.names[names.n++]);
		if (names.n == sizeof(names.ids) / sizeof(*names.ids))
			err = look_up(m, &names, finds);
	}
	return err ? err : look_up(m, &names, finds);
}

/* The same by way of the view's index of names. */
static int find_indexed(const struct matcher *m, struct finds *finds)
{
	const struct names *names = m->view->names;

	for (uint32_t r = 0; r < m->plan->n_roots; r++) {
		const struct plan_root *root = &m->plan->roots[r];

		for (uint32_t i = names_first(names, root->hash); i < names_end(names, root->hash);
		     i++) {
			struct view_type t = view_type(m->view, names->ids[i]);
			const char *name = view_name(m->view, t.name_off);

			if (!plan_is_root(root, t.kind, name, reloc_essential_len(name)))
				continue;
			if (!grow(&finds->all, &finds->room, finds->n + 1, sizeof(*finds->all)))
				return fail(m->f, -ENOMEM, "no memory");
			finds->all[finds->n++] = (struct found){ r, names->ids[i] };
			m->first[r + 2]++;
		}
	}
	return 0;
}

/* Sorts the finds by root; first is to be counted up to hold where each root's begin. */
static int find_candidates(struct matcher *m)
{
	struct finds finds = { 0 };
	int err;

	m->first = calloc(m->plan->n_roots + 2, sizeof(*m->first));
	if (!m->first)
		return fail(m->f, -ENOMEM, "no memory");
	err = m->view->names ? find_indexed(m, &finds) : find_all(m, &finds);
	m->candidates = calloc(finds.n + 1, sizeof(*m->candidates));
	if (!err && !m->candidates)
		err = fail(m->f, -ENOMEM, "no memory");
	for (uint32_t i = 2; !err && i < m->plan->n_roots + 2; i++)
		m->first[i] += m->first[i - 1];
	for (size_t i = 0; !err && i < finds.n; i++)
		m->candidates[m->first[finds.all[i].root + 1]++] = finds.all[i].id;
	free(finds.all);
	return err;
}

static void set_defaults(struct matcher *m)
{
	size_t n = need_count(m->plan->need);

	for (size_t i = 0; i < n; i++)
		spec_value(m->view, need_reloc(m->plan->need, i)->kind, NULL, &m->out->values[i]);
}

int match_kernel(const struct plan *plan, const struct view *view, struct match *ret_match,
		 struct fail *f)
{
	size_t n = need_count(plan->need);
	struct match out = { 0 };
	struct matcher m = { .plan = plan, .view = view, .out = &out, .f = f };
	int err;

	out.values = calloc(n + 1, sizeof(*out.values));
	out.kept = calloc(n + 1, 1);
	err = out.values && out.kept ? find_candidates(&m) : fail(f, -ENOMEM, "no memory");
	if (!err)
		set_defaults(&m);
	for (uint32_t i = 0; !err && i < plan->n_roots; i++)
		err = match_root(&m, i);
	for (size_t i = 0; !err && i < n; i++)
		out.n_unmatched += !out.kept[i];
	free(m.first);
	free(m.candidates);
	free(m.answers);
	if (err)
		match_free(&out);
	else
		*ret_match = out;
	return err;
}

void match_free(struct match *match)
{
	free(match->hits);
	free(match->steps);
	free(match->values);
	free(match->kept);
	*match = (struct match){ 0 };
}

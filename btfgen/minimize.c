// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "minimize.h"

#include "btfs/fail.h"
#include "btfs/need.h"
#include "btfs/reloc.h"
#include "btfs/text.h"
#include "btfs/view.h"
#include "closure.h"
#include "plan.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>

#define HEADER_SIZE 24u

/* The BTF that is being written. Words are swapped when they are put in. */
struct emitter {
	const struct view *v;
	bool old_readers;
	const struct closure *c;
	struct text types, strs;
	uint32_t
		*ids; /* the kernel's ids that are kept, in order: each one's new id is its place */
	uint32_t n_ids;
	uint32_t *slots; /* hash of the strings by content: offset into strs, 0 if free */
	uint32_t mask, n_strings;
	size_t member; /* the closure's next */
};

static void put(struct emitter *e, uint32_t x)
{
	if (e->v->swapped)
		x = __builtin_bswap32(x);
	text_bytes(&e->types, &x, sizeof(x));
}

static bool rehash(struct emitter *e)
{
	uint32_t mask = e->mask * 2 + 1;
	uint32_t *slots = calloc(mask + 1, sizeof(*slots));

	if (!slots)
		return false;
	for (uint32_t i = 0; i <= e->mask; i++) {
		uint32_t h = 5381;

		if (!e->slots || !e->slots[i])
			continue;
		for (const char *p = e->strs.p + e->slots[i]; *p; p++)
			h = h * 33 + (uint8_t)*p;
		while (slots[h & mask])
			h++;
		slots[h & mask] = e->slots[i];
	}
	free(e->slots);
	e->slots = slots;
	e->mask = mask;
	return true;
}

/* The offset of a string in the new section, each there once, in the order they come. */
static uint32_t string(struct emitter *e, const char *s)
{
	uint32_t h = 5381, at;

	if (!*s)
		return 0;
	if (2 * e->n_strings >= e->mask && !rehash(e)) {
		e->strs.failed = true;
		return 0;
	}
	for (const char *p = s; *p; p++)
		h = h * 33 + (uint8_t)*p;
	for (; (at = e->slots[h & e->mask]); h++)
		if (!strcmp(e->strs.p + at, s))
			return at;
	at = e->strs.size;
	text_bytes(&e->strs, s, strlen(s) + 1);
	e->slots[h & e->mask] = at;
	e->n_strings++;
	return at;
}

static uint32_t name(struct emitter *e, uint32_t name_off)
{
	return string(e, view_name(e->v, name_off));
}

static void put_head(struct emitter *e, const struct view_type *t, bool kflag, uint32_t vlen,
		     uint32_t word)
{
	put(e, name(e, t->name_off));
	put(e, (uint32_t)kflag << 31 | (uint32_t)t->kind << 24 | vlen);
	put(e, word);
}

/* 0, void, for a type that is left out. */
static uint32_t new_id(const struct emitter *e, uint32_t id)
{
	uint32_t low = 0, high = e->n_ids;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (e->ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < e->n_ids && e->ids[low] == id ? low + 1 : 0;
}

/* A struct's kind flag says that some member is a bitfield: of those that are left. */
static void put_composite(struct emitter *e, uint32_t id, const struct view_type *t)
{
	const struct closure *c = e->c;
	uint32_t n = 0;
	bool kflag = false;

	while (e->member + n < c->n_members && c->members[e->member + n] >> 32 == id)
		kflag |= view_member(e->v, t, (uint32_t)c->members[e->member + n++]).bit_size > 0;
	put_head(e, t, kflag, n, t->size);
	for (uint32_t i = 0; i < n; i++) {
		struct view_member m = view_member(e->v, t, (uint32_t)c->members[e->member + i]);

		put(e, name(e, m.name_off));
		put(e, new_id(e, m.type));
		put(e, m.bit_offset | m.bit_size << 24);
	}
	e->member += n;
}

static void put_enum(struct emitter *e, const struct view_type *t)
{
	put_head(e, t, t->kflag, t->vlen, t->size);
	for (uint32_t i = 0; i < t->vlen; i++) {
		struct view_enumerator x = view_enumerator(e->v, t, i);

		put(e, name(e, x.name_off));
		put(e, (uint32_t)x.value);
		if (t->kind == VIEW_KIND_ENUM64)
			put(e, (uint32_t)(x.value >> 32));
	}
}

static bool fits_enum(const struct view_type *t, uint64_t value)
{
	return t->kflag ? (int64_t)value >= INT32_MIN && (int64_t)value <= INT32_MAX
			: value <= UINT32_MAX;
}

/* An enum64 by the values that an enum can hold. */
static void put_old_enum(struct emitter *e, const struct view_type *t)
{
	struct view_type old = *t;
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->vlen; i++)
		n += fits_enum(t, view_enumerator(e->v, t, i).value);
	old.kind = BTF_KIND_ENUM;
	put_head(e, &old, t->kflag, n, t->size);
	for (uint32_t i = 0; i < t->vlen; i++) {
		struct view_enumerator x = view_enumerator(e->v, t, i);

		if (!fits_enum(t, x.value))
			continue;
		put(e, name(e, x.name_off));
		put(e, (uint32_t)x.value);
	}
}

/* Kinds newer than libbpf 0.3, in older terms. */
static bool put_old(struct emitter *e, const struct view_type *t)
{
	struct view_type old = *t;

	switch (t->kind) {
	case VIEW_KIND_ENUM64:
		put_old_enum(e, t);
		return true;
	case BTF_KIND_FLOAT:
		old.kind = BTF_KIND_STRUCT;
		put_head(e, &old, false, 0, t->size);
		return true;
	case BTF_KIND_TYPE_TAG:
		old.kind = BTF_KIND_CONST;
		old.name_off = 0;
		put_head(e, &old, false, 0, new_id(e, t->type));
		return true;
	default:
		return false;
	}
}

static void put_type(struct emitter *e, uint32_t id)
{
	struct view_type t = view_type(e->v, id);
	struct view_array a;

	if (e->old_readers && put_old(e, &t))
		return;

	switch (t.kind) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		put_composite(e, id, &t);
		break;
	case BTF_KIND_ENUM:
	case VIEW_KIND_ENUM64:
		put_enum(e, &t);
		break;
	case BTF_KIND_INT:
		put_head(e, &t, t.kflag, t.vlen, t.size);
		put(e, view_u32(e->v, t.rest));
		break;
	case BTF_KIND_ARRAY:
		a = view_array(e->v, &t);
		put_head(e, &t, t.kflag, t.vlen, t.size);
		put(e, new_id(e, a.type));
		put(e, new_id(e, a.index_type));
		put(e, a.nelems);
		break;
	case BTF_KIND_FUNC_PROTO:
		put_head(e, &t, t.kflag, t.vlen, new_id(e, t.type));
		for (uint32_t i = 0; i < t.vlen; i++) {
			struct view_param p = view_param(e->v, &t, i);

			put(e, name(e, p.name_off));
			put(e, new_id(e, p.type));
		}
		break;
	case BTF_KIND_FLOAT:
	case BTF_KIND_FWD:
		put_head(e, &t, t.kflag, t.vlen, t.size);
		break;
	default: /* pointers, modifiers, typedefs: the closure holds nothing else */
		put_head(e, &t, t.kflag, t.vlen, new_id(e, t.type));
		break;
	}
}

static void put_header(struct emitter *e, struct text *out)
{
	const uint32_t words[] = { HEADER_SIZE, 0, e->types.size, e->types.size, e->strs.size };
	uint16_t magic = e->v->swapped ? __builtin_bswap16(BTF_MAGIC) : BTF_MAGIC;

	text_bytes(out, &magic, sizeof(magic));
	text_bytes(out, (uint8_t[]){ BTF_VERSION, 0 }, 2);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		uint32_t x = e->v->swapped ? __builtin_bswap32(words[i]) : words[i];

		text_bytes(out, &x, sizeof(x));
	}
}

/* The ids that are set, in order, by way of the words that are not zero. */
static uint32_t next_kept(const struct closure *c, uint32_t id, uint32_t n_types)
{
	while (++id < n_types) {
		uint64_t word = c->kept[id / 64] >> id % 64;

		if (word)
			return id + __builtin_ctzll(word);
		id |= 63;
	}
	return n_types;
}

static int list_kept(struct emitter *e)
{
	uint32_t n_types = e->v->n_types, n = 0;

	for (uint32_t id = 0; (id = next_kept(e->c, id, n_types)) < n_types;)
		n++;
	e->ids = calloc(n + 1, sizeof(*e->ids));
	if (!e->ids)
		return -ENOMEM;
	for (uint32_t id = 0; (id = next_kept(e->c, id, n_types)) < n_types;)
		e->ids[e->n_ids++] = id;
	return 0;
}

static int emit(const struct closure *c, enum minimize_form form, struct text *ret_out)
{
	struct emitter e = {
		.v = c->view,
		.c = c,
		.old_readers = form == MINIMIZE_OLD_READERS,
		.mask = 31,
	};
	struct text out = { 0 };
	int err;

	err = list_kept(&e);
	if (!err && !rehash(&e))
		err = -ENOMEM;
	if (err)
		goto out;
	text_bytes(&e.strs, "", 1);
	for (uint32_t i = 0; i < e.n_ids; i++)
		put_type(&e, e.ids[i]);
	put_header(&e, &out);
	text_bytes(&out, e.types.p, e.types.size);
	text_bytes(&out, e.strs.p, e.strs.size);
	if (e.types.failed || e.strs.failed || out.failed)
		err = -ENOMEM;
out:
	free(e.ids);
	free(e.slots);
	text_free(&e.types);
	text_free(&e.strs);
	if (err)
		text_free(&out);
	else
		*ret_out = out;
	return err;
}

/*
 * libbpf takes the size of pointers from the first int named long, and from itself where there is
 * none. A 64-bit consumer is right by chance for a 64-bit kernel, a 32-bit one is not.
 */
static void keep_long(const struct view *v, struct closure *c, enum minimize_form form)
{
	uint32_t id = view_find_long(v);

	if (id && (form != MINIMIZE_NO_PROBE || v->ptr_size != 8))
		closure_keep(c, id);
}

/*
 * More candidates may match than were kept: a second struct of a root's name can be there because
 * another path leads through it. It agreed in the whole BTF, and what it still holds agrees here.
 */
static bool same_answers(const struct plan *plan, const struct match *a, const struct match *b)
{
	for (size_t i = 0; i < need_count(plan->need); i++) {
		if (!a->kept[i] != !b->kept[i] || a->values[i].poison != b->values[i].poison)
			return false;
		/* the one answer that has to change: the type's id is another */
		if (need_reloc(plan->need, i)->kind == BPF_CORE_TYPE_ID_TARGET)
			continue;
		if (a->values[i].value != b->values[i].value)
			return false;
	}
	return true;
}

/* What was written is read, checked and asked like any other BTF. */
static int prove(const struct plan *plan, const struct text *out, const struct match *match,
		 struct fail *f)
{
	struct view *view = NULL;
	struct match again = { 0 };
	int err;

	err = view_open(out->p, out->size, NULL, &view, f);
	if (!err)
		err = match_kernel(plan, view, &again, f);
	if (!err && !same_answers(plan, match, &again))
		err = fail(f, -EPROTO, "its answers are not those of the whole BTF");
	if (err)
		err = fail_in(f, err, "the minimised BTF failed its proof, please report this");
	match_free(&again);
	view_close(view);
	return err;
}

struct job {
	const struct plan *plan;
	const struct match *match;
	enum minimize_form form;
};

static int emit_proven(const struct job *job, const struct closure *c, struct text *ret_out,
		       struct fail *f)
{
	int err = emit(c, job->form, ret_out);

	return err ? fail(f, err, "no memory") : prove(job->plan, ret_out, job->match, f);
}

/* What moves an answer is taken back: first the older terms, then what pointers lost. */
static int emit_at_last(struct job *job, struct closure *c, struct text *ret_out, struct fail *f)
{
	int err = emit_proven(job, c, ret_out, f);

	if (err == -EPROTO && job->form == MINIMIZE_OLD_READERS) {
		text_free(ret_out);
		job->form = MINIMIZE_SERVED;
		err = emit_proven(job, c, ret_out, f);
	}
	/* seldom: the answer hung on what a pointer points to */
	if (err == -EPROTO && !closure_widen(job->plan, c)) {
		text_free(ret_out);
		err = emit_proven(job, c, ret_out, f);
	}
	return err;
}

int minimize(const struct plan *plan, const struct view *view, enum minimize_form form,
	     struct minimized *ret, struct fail *f)
{
	struct minimized m = { 0 };
	struct closure c = { .view = view, .f = f };
	struct text out = { 0 };
	int err;

	err = match_kernel(plan, view, &m.match, f);
	if (err)
		return err;
	err = closure_of(plan, &m.match, &c);
	if (!err) {
		struct job job = { plan, &m.match, form };

		keep_long(view, &c, form);
		err = emit_at_last(&job, &c, &out, f);
	}
	closure_free(&c);
	m.btf = out.p;
	m.size = out.size;
	if (err)
		minimized_free(&m);
	else
		*ret = m;
	return err;
}

void minimized_free(struct minimized *minimized)
{
	free(minimized->btf);
	match_free(&minimized->match);
	*minimized = (struct minimized){ 0 };
}

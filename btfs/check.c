// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "check.h"

#include "fail.h"
#include "view.h"

#include <errno.h>
#include <stdlib.h>

/*
 * By-value containment is walked with a stack of this many types: a longer path must break one of
 * the two bounds, so what is deeper need not be followed.
 */
#define STACK_SIZE ((VIEW_MAX_DEPTH + 1) * (VIEW_MAX_NESTING + 1))

enum state { NEW, OPEN, DONE };

struct shape {
	uint64_t size; /* bytes of a value; 0 where it has none */
	uint8_t state;
	uint8_t depth;	 /* modifiers, typedefs and arrays in a row, this one included */
	uint8_t nesting; /* structs and unions within each other, this one included */
	bool sized;	 /* may be a member or an array's element */
};

struct check {
	const struct view *v;
	struct fail *f;
	uint8_t *
		name_ok; /* of each byte of the string section: an identifier starts here, or NUL */
	struct shape *shapes; /* of type first_id + i */
};

struct frame {
	uint32_t id;
	uint32_t next; /* member to look at */
};

static int bad(const struct check *c, uint32_t id, const char *rule)
{
	struct view_type t = view_type(c->v, id);
	const char *name = "";

	if (t.name_off < c->v->first_str + c->v->strs_len)
		name = view_name(c->v, t.name_off);
	return fail(c->f, -EBADMSG, "BTF type %u (%s %.64s) %s", id, view_kind_name(t.kind), name,
		    rule);
}

static bool is_identifier_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.' || c == '$';
}

/* Backwards over the strings, so that each byte is looked at once however often it is named. */
static int find_identifiers(struct check *c)
{
	const char *strs = c->v->strs;
	bool tail_ok = true;

	c->name_ok = malloc(c->v->strs_len + 1);
	if (!c->name_ok)
		return fail(c->f, -ENOMEM, "no memory for %u bytes of strings", c->v->strs_len);
	for (uint32_t i = c->v->strs_len; i-- > 0;) {
		uint8_t b = strs[i];

		tail_ok = b == '\0' || (tail_ok && is_identifier_byte(b));
		c->name_ok[i] = tail_ok && !(b >= '0' && b <= '9');
	}
	return 0;
}

static bool in_strings(const struct check *c, uint32_t off)
{
	return off < c->v->first_str + c->v->strs_len;
}

static bool is_identifier(const struct check *c, uint32_t off)
{
	if (!in_strings(c, off))
		return false;
	/* names in the base were looked at when it was opened */
	return off < c->v->first_str || c->name_ok[off - c->v->first_str];
}

static bool is_empty(const struct check *c, uint32_t off)
{
	return view_name(c->v, off)[0] == '\0';
}

/* What each kind allows in its record's head. */
enum name_rule {
	NAME_NONE,	 /* must be empty */
	NAME_FREE,	 /* base types: "long unsigned int"; old pahole left some without a name */
	NAME_TEXT,	 /* tags and sections: any text, but some */
	NAME_IDENTIFIER, /* must be one */
	NAME_OPTIONAL,	 /* an identifier or nothing */
};

enum ref_rule {
	REF_NONE, /* the word is a size, or is looked at by the kind's own function */
	REF_VOID, /* void or a type of values */
};

static const struct head_rule {
	uint8_t name, ref;
	bool vlen, kflag; /* may be other than 0 */
} head_rules[VIEW_KIND_MAX + 1] = {
	[BTF_KIND_INT] = { .name = NAME_FREE },
	[BTF_KIND_PTR] = { .name = NAME_NONE, .ref = REF_VOID },
	[BTF_KIND_ARRAY] = { .name = NAME_NONE },
	[BTF_KIND_STRUCT] = { .name = NAME_OPTIONAL, .vlen = true, .kflag = true },
	[BTF_KIND_UNION] = { .name = NAME_OPTIONAL, .vlen = true, .kflag = true },
	[BTF_KIND_ENUM] = { .name = NAME_OPTIONAL, .vlen = true, .kflag = true },
	[BTF_KIND_FWD] = { .name = NAME_OPTIONAL, .kflag = true },
	[BTF_KIND_TYPEDEF] = { .name = NAME_IDENTIFIER, .ref = REF_VOID },
	[BTF_KIND_VOLATILE] = { .name = NAME_NONE, .ref = REF_VOID },
	[BTF_KIND_CONST] = { .name = NAME_NONE, .ref = REF_VOID },
	[BTF_KIND_RESTRICT] = { .name = NAME_NONE, .ref = REF_VOID },
	[BTF_KIND_FUNC] = { .name = NAME_IDENTIFIER, .vlen = true },
	[BTF_KIND_FUNC_PROTO] = { .name = NAME_NONE, .ref = REF_VOID, .vlen = true },
	[BTF_KIND_VAR] = { .name = NAME_IDENTIFIER, .ref = REF_VOID },
	[BTF_KIND_DATASEC] = { .name = NAME_TEXT, .vlen = true },
	[BTF_KIND_FLOAT] = { .name = NAME_FREE },
	/* a tag's kflag: the text is a whole attribute (Linux 6.15) */
	[BTF_KIND_DECL_TAG] = { .name = NAME_TEXT, .kflag = true },
	[BTF_KIND_TYPE_TAG] = { .name = NAME_TEXT, .ref = REF_VOID, .kflag = true },
	[VIEW_KIND_ENUM64] = { .name = NAME_OPTIONAL, .vlen = true, .kflag = true },
};

static bool is_value_kind(uint8_t kind)
{
	return kind != BTF_KIND_FUNC && kind != BTF_KIND_VAR && kind != BTF_KIND_DATASEC &&
	       kind != BTF_KIND_DECL_TAG;
}

/* void (id 0) included */
static bool is_value_type(const struct check *c, uint32_t id)
{
	return id < c->v->n_types && is_value_kind(view_type(c->v, id).kind);
}

static int check_head(const struct check *c, uint32_t id, const struct view_type *t)
{
	const struct head_rule *rule = &head_rules[t->kind];

	if (!in_strings(c, t->name_off))
		return bad(c, id, "has a name outside of the string section");
	if (rule->name == NAME_NONE && t->name_off)
		return bad(c, id, "has a name, which its kind cannot");
	if ((rule->name == NAME_TEXT || rule->name == NAME_IDENTIFIER) && is_empty(c, t->name_off))
		return bad(c, id, "has no name");
	if (rule->name >= NAME_IDENTIFIER && !is_identifier(c, t->name_off))
		return bad(c, id, "has a name that is no identifier");
	if (rule->ref == REF_VOID && !is_value_type(c, t->type))
		return bad(c, id, "refers to what is no type of values");
	if (!rule->vlen && t->vlen)
		return bad(c, id, "has a count, which its kind cannot");
	if (!rule->kflag && t->kflag)
		return bad(c, id, "has a kind flag, which its kind cannot");
	return 0;
}

static int check_int(const struct check *c, uint32_t id, const struct view_type *t)
{
	struct view_int x = view_int(c->v, t);

	if (t->size == 0 || t->size > 16 || (t->size & (t->size - 1)))
		return bad(c, id, "has a size that no integer has");
	if (x.bits == 0 || x.bits + x.bit_offset > t->size * 8 || x.bits > 128)
		return bad(c, id, "has more bits than bytes");
	return 0;
}

static int check_array(const struct check *c, uint32_t id, const struct view_type *t)
{
	struct view_array a = view_array(c->v, t);

	if (t->size)
		return bad(c, id, "has a size in its head");
	if (!a.type || !is_value_type(c, a.type))
		return bad(c, id, "has elements of no type of values");
	if (!a.index_type || !is_value_type(c, a.index_type))
		return bad(c, id, "has an index of no type of values");
	return 0;
}

static int check_composite(const struct check *c, uint32_t id, const struct view_type *t)
{
	if (t->size > CHECK_MAX_STRUCT)
		return bad(c, id, "is larger than 16 MiB");
	for (uint32_t i = 0; i < t->vlen; i++) {
		struct view_member m = view_member(c->v, t, i);

		if (!is_identifier(c, m.name_off))
			return bad(c, id, "has a member whose name is no identifier");
		if (!m.type || !is_value_type(c, m.type))
			return bad(c, id, "has a member of no type of values");
	}
	return 0;
}

static int check_enum(const struct check *c, uint32_t id, const struct view_type *t)
{
	if (t->size != 1 && t->size != 2 && t->size != 4 && t->size != 8)
		return bad(c, id, "has a size that no enum has");
	for (uint32_t i = 0; i < t->vlen; i++) {
		uint32_t off = view_enumerator(c->v, t, i).name_off;

		if (!is_identifier(c, off) || is_empty(c, off))
			return bad(c, id, "has an enumerator whose name is no identifier");
	}
	return 0;
}

static int check_fwd(const struct check *c, uint32_t id, const struct view_type *t)
{
	return t->type ? bad(c, id, "has a size, which its kind cannot") : 0;
}

static int check_func(const struct check *c, uint32_t id, const struct view_type *t)
{
	if (t->vlen > BTF_FUNC_EXTERN)
		return bad(c, id, "has an unknown linkage");
	if (t->type >= c->v->n_types || view_type(c->v, t->type).kind != BTF_KIND_FUNC_PROTO)
		return bad(c, id, "refers to what is no func_proto");
	return 0;
}

/* void stands last and unnamed: "..." */
static int check_func_proto(const struct check *c, uint32_t id, const struct view_type *t)
{
	for (uint32_t i = 0; i < t->vlen; i++) {
		struct view_param p = view_param(c->v, t, i);

		if (!is_identifier(c, p.name_off))
			return bad(c, id, "has a parameter whose name is no identifier");
		if (!is_value_type(c, p.type))
			return bad(c, id, "has a parameter of no type of values");
		if (!p.type && (i + 1 < t->vlen || p.name_off))
			return bad(c, id, "has a void parameter before its last");
	}
	return 0;
}

static int check_var(const struct check *c, uint32_t id, const struct view_type *t)
{
	if (!t->type)
		return bad(c, id, "is of type void");
	if (view_u32(c->v, t->rest) > BTF_VAR_GLOBAL_EXTERN)
		return bad(c, id, "has an unknown linkage");
	return 0;
}

/* Compilers leave sizes and offsets 0 for the linker to fill; functions stand in ".ksyms". */
static int check_datasec(const struct check *c, uint32_t id, const struct view_type *t)
{
	for (uint32_t i = 0; i < t->vlen; i++) {
		const uint8_t *p = t->rest + i * 12u;
		uint32_t type = view_u32(c->v, p);
		uint64_t end = (uint64_t)view_u32(c->v, p + 4) + view_u32(c->v, p + 8);
		uint8_t kind;

		if (type >= c->v->n_types)
			return bad(c, id, "holds what is no variable");
		kind = view_type(c->v, type).kind;
		if (kind != BTF_KIND_VAR && kind != BTF_KIND_FUNC)
			return bad(c, id, "holds what is no variable");
		if (t->size && end > t->size)
			return bad(c, id, "holds a variable beyond its end");
	}
	return 0;
}

static int check_float(const struct check *c, uint32_t id, const struct view_type *t)
{
	if (t->size != 2 && t->size != 4 && t->size != 8 && t->size != 12 && t->size != 16)
		return bad(c, id, "has a size that no float has");
	return 0;
}

static int check_decl_tag(const struct check *c, uint32_t id, const struct view_type *t)
{
	int32_t index = (int32_t)view_u32(c->v, t->rest);
	struct view_type on;

	if (!t->type || t->type >= c->v->n_types)
		return bad(c, id, "tags nothing");
	on = view_type(c->v, t->type);
	if (on.kind == BTF_KIND_FUNC) {
		if (on.type >= c->v->n_types)
			return bad(c, id, "tags a function without a prototype");
		on = view_type(c->v, on.type);
	} else if (on.kind == BTF_KIND_VAR || on.kind == BTF_KIND_TYPEDEF) {
		on.vlen = 0;
	} else if (!view_is_composite(on.kind)) {
		return bad(c, id, "tags what cannot be tagged");
	}
	if (index < -1 || (index >= 0 && (uint32_t)index >= on.vlen))
		return bad(c, id, "tags a member or parameter that is not there");
	return 0;
}

static int (*const kind_checks[VIEW_KIND_MAX + 1])(const struct check *, uint32_t,
						   const struct view_type *) = {
	[BTF_KIND_INT] = check_int,	     [BTF_KIND_ARRAY] = check_array,
	[BTF_KIND_STRUCT] = check_composite, [BTF_KIND_UNION] = check_composite,
	[BTF_KIND_ENUM] = check_enum,	     [BTF_KIND_FWD] = check_fwd,
	[BTF_KIND_FUNC] = check_func,	     [BTF_KIND_FUNC_PROTO] = check_func_proto,
	[BTF_KIND_VAR] = check_var,	     [BTF_KIND_DATASEC] = check_datasec,
	[BTF_KIND_FLOAT] = check_float,	     [BTF_KIND_DECL_TAG] = check_decl_tag,
	[VIEW_KIND_ENUM64] = check_enum,
};

static int check_records(const struct check *c)
{
	for (uint32_t id = c->v->first_id; id < c->v->n_types; id++) {
		struct view_type t = view_type(c->v, id);
		int err = check_head(c, id, &t);

		if (!err && kind_checks[t.kind])
			err = kind_checks[t.kind](c, id, &t);
		if (err)
			return err;
	}
	return 0;
}

/*
 * What a type is by value if that needs no look at other types. Pointers count as 4 bytes here:
 * their size is not known yet, and a lower bound is all that is needed.
 */
static bool leaf_shape(const struct check *c, uint32_t id, struct shape *ret)
{
	struct view_type t = view_type(c->v, id);
	int64_t size;

	*ret = (struct shape){ .state = DONE, .size = t.size, .sized = true };
	if (id && id < c->v->first_id) { /* was checked with the base */
		size = view_size(c->v->base, id);
		ret->sized = size >= 0;
		ret->size = size >= 0 ? size : 0;
		return true;
	}
	switch (t.kind) {
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
	case BTF_KIND_ENUM:
	case VIEW_KIND_ENUM64:
		return true;
	case BTF_KIND_PTR:
		ret->size = 4;
		return true;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_ARRAY:
		*ret = c->shapes[id - c->v->first_id];
		return ret->state == DONE;
	default:
		if (view_is_modifier(t.kind)) {
			*ret = c->shapes[id - c->v->first_id];
			return ret->state == DONE;
		}
		ret->sized = false;
		ret->size = 0;
		return true;
	}
}

/* The bits that a member takes from its offset; legacy bitfields are ints of fewer bits. */
static uint64_t member_bits(const struct check *c, const struct view_member *m,
			    const struct shape *s)
{
	struct view_type t;

	if (m->bit_size)
		return m->bit_size;
	t = view_type(c->v, m->type);
	if (t.kind == BTF_KIND_INT)
		return view_int(c->v, &t).bits;
	return s->size * 8;
}

static bool holds_bits(const struct view *v, uint32_t id)
{
	uint8_t kind = view_type(v, view_skip_modifiers(v, id)).kind;

	return kind == BTF_KIND_INT || view_is_enum(kind);
}

static int add_member(const struct check *c, uint32_t id, const struct view_type *t,
		      const struct view_member *m, const struct shape *s)
{
	struct shape *own = &c->shapes[id - c->v->first_id];
	uint64_t bits = member_bits(c, m, s);

	if (!s->sized)
		return bad(c, id, "has a member of a type without a size");
	if (m->bit_size > CHECK_MAX_BITFIELD)
		return bad(c, id, "has a bitfield of more than 128 bits");
	if (m->bit_size && !holds_bits(c->v, m->type))
		return bad(c, id, "has a bitfield of a type that is no integer");
	if (m->bit_offset + bits > (uint64_t)t->size * 8)
		return bad(c, id, "has a member beyond its end");
	if (s->nesting >= VIEW_MAX_NESTING)
		return bad(c, id, "holds types by value too deep for libbpf (64)");
	if (own->nesting <= s->nesting)
		own->nesting = s->nesting + 1;
	return 0;
}

/* A modifier or array takes its shape from what it refers to. */
static int add_referred(const struct check *c, uint32_t id, const struct view_type *t,
			const struct shape *s)
{
	struct shape *own = &c->shapes[id - c->v->first_id];

	if (s->depth >= VIEW_MAX_DEPTH)
		return bad(c, id, "starts a chain of more than 32 modifiers, typedefs and arrays");
	own->depth = s->depth + 1;
	own->nesting = s->nesting;
	own->sized = s->sized;
	own->size = s->size;
	if (t->kind != BTF_KIND_ARRAY)
		return 0;
	if (!s->sized)
		return bad(c, id, "has elements of a type without a size");
	own->size = s->size * view_array(c->v, t).nelems;
	if (own->size > UINT32_MAX)
		return bad(c, id, "is larger than 4 GiB");
	return 0;
}

/* Looks at the frame's next type by value. 1: *ret_next must be walked first; 0: this one is done.
 */
static int step(const struct check *c, struct frame *frame, uint32_t *ret_next)
{
	struct view_type t = view_type(c->v, frame->id);
	struct shape s;
	int err;

	if (!view_is_composite(t.kind)) {
		uint32_t to = t.kind == BTF_KIND_ARRAY ? view_array(c->v, &t).type : t.type;

		*ret_next = to;
		return leaf_shape(c, to, &s) ? add_referred(c, frame->id, &t, &s) : 1;
	}
	for (; frame->next < t.vlen; frame->next++) {
		struct view_member m = view_member(c->v, &t, frame->next);

		*ret_next = m.type;
		if (!leaf_shape(c, m.type, &s))
			return 1;
		err = add_member(c, frame->id, &t, &m, &s);
		if (err)
			return err;
	}
	return 0;
}

static int push(const struct check *c, struct frame *stack, size_t *n, uint32_t id)
{
	struct shape *s = &c->shapes[id - c->v->first_id];
	struct view_type t = view_type(c->v, id);

	if (s->state == OPEN)
		return bad(c, id, "contains itself by value: a cycle that never ends");
	if (*n == STACK_SIZE)
		return bad(c, id, "is nested too deep");
	s->state = OPEN;
	if (view_is_composite(t.kind)) {
		s->size = t.size;
		s->sized = true;
		s->nesting = 1;
	}
	stack[(*n)++] = (struct frame){ .id = id };
	return 0;
}

/*
 * Depth first over "contains by value" (typedef, modifiers, array elements, members), with a stack
 * of our own; a type met while it is still open closes a cycle. Pointers and function prototypes
 * end a path: lists that lead back to themselves through them are everyday.
 */
static int walk(const struct check *c, struct frame *stack, uint32_t root)
{
	size_t n = 0;
	uint32_t next = root;
	int err = 1;

	do {
		err = err ? push(c, stack, &n, next) : 0;
		if (!err)
			err = step(c, &stack[n - 1], &next);
		if (!err)
			c->shapes[stack[--n].id - c->v->first_id].state = DONE;
	} while (err >= 0 && n);
	return err;
}

static int check_containment(const struct check *c)
{
	struct frame *stack = malloc(STACK_SIZE * sizeof(*stack));
	struct shape s;
	int err = 0;

	if (!stack)
		return fail(c->f, -ENOMEM, "no memory");
	for (uint32_t id = c->v->first_id; !err && id < c->v->n_types; id++)
		if (!leaf_shape(c, id, &s))
			err = walk(c, stack, id);
	free(stack);
	return err;
}

int check_types(const struct view *view, struct fail *f)
{
	struct check c = { .v = view, .f = f };
	int err;

	c.shapes = calloc(view->n_types - view->first_id + 1, sizeof(*c.shapes));
	if (!c.shapes)
		return fail(f, -ENOMEM, "no memory for %u types", view->n_types);
	err = find_identifiers(&c);
	if (!err)
		err = check_records(&c);
	if (!err)
		err = check_containment(&c);
	free(c.name_ok);
	free(c.shapes);
	return err;
}

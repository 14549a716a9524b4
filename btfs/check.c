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

/* What a type is by value. */
struct shape {
	uint32_t size; /* bytes of a value; 0 where it has none */
	uint8_t state;
	uint8_t depth;	 /* modifiers, typedefs and arrays in a row, this one included */
	uint8_t nesting; /* structs and unions within each other, this one included */
	bool sized;	 /* may be a member or an array's element */
};

#define BLOCK 64 /* bytes of the string section that share a bit */

struct frame {
	uint32_t id;
	uint32_t next; /* member to look at */
};

struct check {
	const struct view *v;
	struct fail *f;
	struct shape *shapes; /* of type first_id + i */
	struct frame *stack;
	uint64_t
		*odd_blocks; /* a bit for each block in which some name is no identifier, or NULL */
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
	return (uint8_t)((c | 0x20) - 'a') < 26 || (uint8_t)(c - '0') < 10 || c == '_' ||
	       c == '.' || c == '$';
}

typedef uint8_t bytes16 __attribute__((vector_size(16)));

/* Whether some of the bytes is neither NUL nor an identifier's; 16 at a time. */
static bool has_odd_byte(const uint8_t *p, size_t n)
{
	bytes16 odd = { 0 }, x, ok;
	size_t i = 0;

	for (; n - i >= sizeof(x); i += sizeof(x)) {
		memcpy(&x, p + i, sizeof(x));
		ok = (bytes16)((x | 0x20) - 'a' < 26) | (bytes16)(x - '0' < 10) |
		     (bytes16)(x == '_') | (bytes16)(x == '.') | (bytes16)(x == '$') |
		     (bytes16)(x == 0);
		odd |= ~ok;
	}
	for (; i < n; i++)
		odd[0] |= p[i] && !is_identifier_byte(p[i]);
	for (i = 1; i < sizeof(odd); i++)
		odd[0] |= odd[i];
	return odd[0];
}

/*
 * Nearly every string is an identifier. So each byte is looked at once and in order; the blocks
 * with another byte, and those before them up to the start of its string, are remembered, and only
 * names that start there are looked at again, one by one.
 */
static int find_odd_names(struct check *c)
{
	const uint8_t *strs = (const uint8_t *)c->v->strs;
	size_t len = c->v->strs_len, n_blocks = len / BLOCK + 1;

	c->odd_blocks = calloc(n_blocks / 64 + 1, sizeof(*c->odd_blocks));
	if (!c->odd_blocks)
		return fail(c->f, -ENOMEM, "no memory for %zu bytes of strings", len);
	for (size_t b = 0; b < n_blocks; b++) {
		size_t start = b * BLOCK, n = len - start < BLOCK ? len - start : BLOCK;
		size_t first = b;

		if (!has_odd_byte(strs + start, n))
			continue;
		/* back to the block in which the string starts that reaches into this one */
		do
			first -= first > 0;
		while (first && !memchr(strs + first * BLOCK, '\0', BLOCK));
		for (; first <= b; first++)
			c->odd_blocks[first / 64] |= 1ull << first % 64;
	}
	return 0;
}

static bool in_strings(const struct check *c, uint32_t off)
{
	return off < c->v->first_str + c->v->strs_len;
}

static bool is_identifier_slowly(const char *name)
{
	for (; *name; name++)
		if (!is_identifier_byte(*name))
			return false;
	return true;
}

/* An identifier, or nothing; names in the base were looked at when it was opened. */
static bool is_identifier(const struct check *c, uint32_t off)
{
	uint32_t at = off - c->v->first_str, block = at / BLOCK;

	if (off < c->v->first_str)
		return true;
	if (at >= c->v->strs_len || (uint8_t)(c->v->strs[at] - '0') < 10)
		return false;
	if (c->odd_blocks && !(c->odd_blocks[block / 64] >> block % 64 & 1))
		return true;
	return is_identifier_slowly(c->v->strs + at);
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

/* void (id 0) included */
static bool is_value_type(const struct check *c, uint32_t id)
{
	const uint32_t others = 1u << BTF_KIND_FUNC | 1u << BTF_KIND_VAR | 1u << BTF_KIND_DATASEC |
				1u << BTF_KIND_DECL_TAG;

	return id < c->v->n_types && !(others >> view_kind(c->v, id) & 1);
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
	if (t->type >= c->v->n_types || view_kind(c->v, t->type) != BTF_KIND_FUNC_PROTO)
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
		kind = view_kind(c->v, type);
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

static int check_record(const struct check *c, uint32_t id)
{
	struct view_type t = view_type(c->v, id);
	int err = check_head(c, id, &t);

	if (!err && kind_checks[t.kind])
		err = kind_checks[t.kind](c, id, &t);
	return err;
}

/* The shape of a type in the base, which was checked before. */
static struct shape base_shape(const struct check *c, uint32_t id)
{
	int64_t size = view_size(c->v->base, id);

	return (struct shape){ .state = DONE, .size = size < 0 ? 0 : size, .sized = size >= 0 };
}

/* Whether a kind's shape follows from that of another type. */
static bool is_made_of_others(uint8_t kind)
{
	const uint32_t kinds = 1u << BTF_KIND_STRUCT | 1u << BTF_KIND_UNION | 1u << BTF_KIND_ARRAY |
			       1u << BTF_KIND_CONST | 1u << BTF_KIND_VOLATILE |
			       1u << BTF_KIND_RESTRICT | 1u << BTF_KIND_TYPEDEF |
			       1u << BTF_KIND_TYPE_TAG;

	return kinds >> kind & 1;
}

/*
 * What a type is by value: 0, once it is known; 1: it has to be walked first. Pointers count as 4
 * bytes here: their size is not known yet, and a lower bound is all that is needed.
 */
static int find_shape(const struct check *c, uint32_t id, struct shape *ret)
{
	const uint32_t sized = 1u << BTF_KIND_INT | 1u << BTF_KIND_FLOAT | 1u << BTF_KIND_ENUM |
			       1u << VIEW_KIND_ENUM64;
	uint8_t kind = view_kind(c->v, id);
	struct shape *s;
	int err;

	if (id < c->v->first_id) {
		*ret = id ? base_shape(c, id) : (struct shape){ .state = DONE };
		return 0;
	}
	s = &c->shapes[id - c->v->first_id];
	if (s->state != DONE) {
		if (is_made_of_others(kind))
			return 1;
		err = check_record(c, id);
		if (err)
			return err;
		s->state = DONE;
		s->sized = kind == BTF_KIND_PTR || sized >> kind & 1;
		s->size = kind == BTF_KIND_PTR ? 4 : s->sized ? view_type(c->v, id).size : 0;
	}
	*ret = *s;
	return 0;
}

/* The bits that a member takes from its offset; legacy bitfields are ints of fewer bits. */
static uint64_t member_bits(const struct check *c, const struct view_member *m,
			    const struct shape *s)
{
	struct view_type t;

	if (m->bit_size)
		return m->bit_size;
	if (view_kind(c->v, m->type) != BTF_KIND_INT)
		return (uint64_t)s->size * 8;
	t = view_type(c->v, m->type);
	return view_int(c->v, &t).bits;
}

static bool holds_bits(const struct view *v, uint32_t id)
{
	uint8_t kind = view_kind(v, view_skip_modifiers(v, id));

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
	if (__builtin_mul_overflow(s->size, view_array(c->v, t).nelems, &own->size))
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
		err = find_shape(c, to, &s);
		return err ? err : add_referred(c, frame->id, &t, &s);
	}
	for (; frame->next < t.vlen; frame->next++) {
		struct view_member m = view_member(c->v, &t, frame->next);

		*ret_next = m.type;
		err = find_shape(c, m.type, &s);
		if (!err)
			err = add_member(c, frame->id, &t, &m, &s);
		if (err)
			return err;
	}
	return 0;
}

static int push(const struct check *c, size_t *n, uint32_t id)
{
	struct shape *s = &c->shapes[id - c->v->first_id];
	struct view_type t = view_type(c->v, id);
	int err;

	if (s->state == OPEN)
		return bad(c, id, "contains itself by value: a cycle that never ends");
	if (*n == STACK_SIZE)
		return bad(c, id, "is nested too deep");
	err = check_record(c, id);
	if (err)
		return err;
	s->state = OPEN;
	if (view_is_composite(t.kind)) {
		s->size = t.size;
		s->sized = true;
		s->nesting = 1;
	}
	c->stack[(*n)++] = (struct frame){ .id = id };
	return 0;
}

/*
 * Depth first over "contains by value" (typedef, modifiers, array elements, members), with a stack
 * of our own; a type met while it is still open closes a cycle. Pointers and function prototypes
 * end a path: lists that lead back to themselves through them are everyday.
 */
static int walk(const struct check *c, uint32_t root)
{
	size_t n = 0;
	uint32_t next = root;
	int err = 1;

	do {
		err = err ? push(c, &n, next) : 0;
		if (!err)
			err = step(c, &c->stack[n - 1], &next);
		if (!err)
			c->shapes[c->stack[--n].id - c->v->first_id].state = DONE;
	} while (err >= 0 && n);
	return err;
}

int check_new(const struct view *view, struct check **ret_check, struct fail *f)
{
	struct check *c = calloc(1, sizeof(*c));

	if (c) {
		c->v = view;
		c->shapes = calloc(view->n_types - view->first_id + 1, sizeof(*c->shapes));
		c->stack = malloc(STACK_SIZE * sizeof(*c->stack));
	}
	if (!c || !c->shapes || !c->stack) {
		check_free(c);
		return fail(f, -ENOMEM, "no memory for %u types", view->n_types);
	}
	*ret_check = c;
	return 0;
}

void check_free(struct check *check)
{
	if (!check)
		return;
	free(check->odd_blocks);
	free(check->stack);
	free(check->shapes);
	free(check);
}

int check_type(struct check *check, uint32_t id, struct fail *f)
{
	struct shape s;
	int err;

	check->f = f;
	err = find_shape(check, id, &s);
	return err > 0 ? walk(check, id) : err;
}

int check_all(struct check *check, struct fail *f)
{
	int err;

	check->f = f;
	err = find_odd_names(check);
	for (uint32_t id = check->v->first_id; !err && id < check->v->n_types; id++)
		err = check_type(check, id, f);
	return err;
}

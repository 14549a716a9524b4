/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Raw BTF, read in place (Documentation/bpf/btf.rst). view_open proves everything that the
 * accessors rely on and everything that makes libbpf hang or misread: once a view is open, every
 * id, offset and name in it is in range, every chain of modifiers ends within VIEW_MAX_DEPTH, and
 * no type contains itself by value. Either byte order; accessors give native numbers.
 *
 *	err = view_open(data, size, NULL, &view, f);	the data must outlive the view
 *	for (id = 1; id < view->n_types; id++) {
 *		struct view_type t = view_type(view, id);
 *		puts(view_name(view, t.name_off));
 *	}
 *	view_close(view);
 *
 * An open view never changes; any number of threads may read it.
 */
#ifndef BTFS_VIEW_H
#define BTFS_VIEW_H

#include <linux/btf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct check;
struct fail;
struct names;

#define VIEW_MAX_SIZE	 (64u << 20) /* bytes of one BTF */
#define VIEW_MAX_TYPES	 (1u << 20)
#define VIEW_MAX_DEPTH	 32 /* modifiers, typedefs and arrays in a row: libbpf's own bound */
#define VIEW_MAX_NESTING 64 /* types that contain each other by value: libbpf's spec length */

/* UAPI headers older than 6.0 lack it. */
#define VIEW_KIND_ENUM64 19
#define VIEW_KIND_MAX	 19

struct view {
	const struct view *base; /* of split BTF, or NULL; must outlive this view */
	const uint8_t *data;	 /* the whole file */
	size_t size;		 /* bytes */
	const uint8_t *types;
	const char *strs;
	uint32_t types_len, strs_len; /* bytes */
	uint32_t first_id;	      /* 1, or the base's n_types */
	uint32_t first_str;	      /* 0, or where the base's strings end */
	uint32_t n_types;      /* ids run from 0 (void) to n_types - 1, the base's included */
	uint32_t modules_from; /* ids from here on came from modules; n_types if none did */
	uint32_t ptr_size;     /* 4 or 8, from the size of long as libbpf does; 0 if not told */
	bool swapped;	       /* its byte order is not this machine's */
	bool big_endian;
	const uint32_t *offsets;   /* of type first_id + i within types */
	const uint8_t *kinds;	   /* of type first_id + i */
	const struct names *names; /* names.h, for those who set it and free it; NULL: none */
	struct check *lazy;	   /* NULL: every type was checked when it was opened */
};

/*
 * -EBADMSG: not BTF, or a rule is broken (the sentence names the type and the rule); -E2BIG: over
 * a limit above; -ENOTSUP: a kind, flag or header field newer than this library; -ENOMEM.
 */
int view_open(const void *data, size_t size, const struct view *base, struct view **ret_view,
	      struct fail *f);
/*
 * The same for those who look at few types of many, and only read files that their owner made:
 * records are in bounds, but the rules hold only for types that view_reach has found sound, and
 * for what they hold by value. Names must be within strs_len before they are used. One thread at a
 * time.
 */
int view_open_lazy(const void *data, size_t size, struct view **ret_view, struct fail *f);
void view_close(struct view *view);

struct view_type {
	const uint8_t *rest; /* members, parameters, enumerators ... */
	uint32_t name_off;
	uint32_t size; /* bytes; the same word is the id in the next field for kinds that refer */
	uint32_t type; /* id */
	uint32_t vlen;
	uint8_t kind; /* BTF_KIND_* */
	bool kflag;
};

struct view_member {
	uint32_t name_off, type;
	uint32_t bit_offset;
	uint32_t bit_size; /* of a bitfield, else 0 */
};

struct view_array {
	uint32_t type, index_type, nelems;
};

struct view_int {
	uint8_t encoding; /* BTF_INT_SIGNED, ... */
	uint8_t bit_offset, bits;
};

struct view_enumerator {
	uint32_t name_off;
	uint64_t value; /* sign-extended where the enumerator is 32 bits wide, as libbpf does */
};

struct view_param {
	uint32_t name_off, type;
};

static inline uint32_t view_u32(const struct view *v, const void *p)
{
	uint32_t x;

	memcpy(&x, p, sizeof(x));
	return v->swapped ? __builtin_bswap32(x) : x;
}

/* Ids and names below the view's own are told to compilers and analysers to be its base's. */
static inline const struct view *view_base(const struct view *v)
{
	if (!v->base)
		__builtin_unreachable();
	return v->base;
}

static inline const uint8_t *view_raw_type(const struct view *v, uint32_t id)
{
	if (id < v->first_id)
		v = view_base(v);
	return v->types + v->offsets[id - v->first_id];
}

/* BTF_KIND_UNKN for void. The id must be below n_types. */
static inline uint8_t view_kind(const struct view *v, uint32_t id)
{
	if (id >= v->first_id)
		return v->kinds[id - v->first_id];
	return id ? view_base(v)->kinds[id - v->base->first_id] : BTF_KIND_UNKN;
}

/* id 0 gives kind BTF_KIND_UNKN (void). The id must be below n_types. */
static inline struct view_type view_type(const struct view *v, uint32_t id)
{
	struct view_type t = { .rest = v->data };
	const uint8_t *p;
	uint32_t info;

	if (id == 0)
		return t;
	p = view_raw_type(v, id);
	info = view_u32(v, p + 4);
	t.rest = p + 12;
	t.name_off = view_u32(v, p);
	t.size = t.type = view_u32(v, p + 8);
	t.vlen = info & 0xffff;
	t.kind = info >> 24 & 0x1f;
	t.kflag = info >> 31;
	return t;
}

static inline const char *view_name(const struct view *v, uint32_t name_off)
{
	if (name_off < v->first_str)
		v = view_base(v);
	return v->strs + (name_off - v->first_str);
}

static inline struct view_member view_member(const struct view *v, const struct view_type *t,
					     uint32_t i)
{
	const uint8_t *p = t->rest + i * 12u;
	uint32_t offset = view_u32(v, p + 8);

	return (struct view_member){
		.name_off = view_u32(v, p),
		.type = view_u32(v, p + 4),
		.bit_offset = t->kflag ? offset & 0xffffff : offset,
		.bit_size = t->kflag ? offset >> 24 : 0,
	};
}

static inline struct view_array view_array(const struct view *v, const struct view_type *t)
{
	return (struct view_array){ view_u32(v, t->rest), view_u32(v, t->rest + 4),
				    view_u32(v, t->rest + 8) };
}

static inline struct view_int view_int(const struct view *v, const struct view_type *t)
{
	uint32_t x = view_u32(v, t->rest);

	return (struct view_int){ x >> 24 & 0xf, x >> 16 & 0xff, x & 0xff };
}

static inline struct view_enumerator view_enumerator(const struct view *v,
						     const struct view_type *t, uint32_t i)
{
	const uint8_t *p;

	if (t->kind == BTF_KIND_ENUM) {
		p = t->rest + i * 8u;
		return (struct view_enumerator){ view_u32(v, p),
						 (uint64_t)(int32_t)view_u32(v, p + 4) };
	}
	p = t->rest + i * 12u;
	return (struct view_enumerator){ view_u32(v, p),
					 view_u32(v, p + 4) | (uint64_t)view_u32(v, p + 8) << 32 };
}

static inline struct view_param view_param(const struct view *v, const struct view_type *t,
					   uint32_t i)
{
	return (struct view_param){ view_u32(v, t->rest + i * 8u),
				    view_u32(v, t->rest + i * 8u + 4) };
}

static inline bool view_is_composite(uint8_t kind)
{
	return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION;
}

static inline bool view_is_enum(uint8_t kind)
{
	return kind == BTF_KIND_ENUM || kind == VIEW_KIND_ENUM64;
}

/* const, volatile, restrict, type tag and typedef */
static inline bool view_is_modifier(uint8_t kind)
{
	return kind == BTF_KIND_CONST || kind == BTF_KIND_VOLATILE || kind == BTF_KIND_RESTRICT ||
	       kind == BTF_KIND_TYPE_TAG || kind == BTF_KIND_TYPEDEF;
}

int view_reach_lazily(const struct view *v, uint32_t id, struct fail *f);

/* -EBADMSG: the type breaks a rule. The id must be below n_types. Costs nothing but for a view that
 * was opened lazily. */
static inline int view_reach(const struct view *v, uint32_t id, struct fail *f)
{
	return v->lazy ? view_reach_lazily(v, id, f) : 0;
}

/* The id behind modifiers and typedefs. */
uint32_t view_skip_modifiers(const struct view *v, uint32_t id);

/* The first int named long, from whose size libbpf derives that of pointers; 0: there is none. Not
 * looked for in the base. */
uint32_t view_find_long(const struct view *v);

/* Bytes of a value of this type, as libbpf's btf__resolve_size. -EINVAL: it has no size. */
int64_t view_size(const struct view *v, uint32_t id);

/* "struct", "typedef", ...; "unknown" for kinds that are not known. */
const char *view_kind_name(uint8_t kind);

#endif

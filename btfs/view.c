// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "view.h"

#include "check.h"
#include "fail.h"

#include <errno.h>
#include <stdlib.h>

#define HEADER_MIN    24u /* struct btf_header up to str_len */
#define HEADER_LAYOUT 32u /* with layout_off and layout_len, Linux 7.1 */

struct header {
	uint32_t len;
	uint32_t types_off, types_len;
	uint32_t strs_off, strs_len;
	uint32_t layout_off, layout_len;
};

static const char *const kind_names[] = {
	[BTF_KIND_UNKN] = "void",	  [BTF_KIND_INT] = "int",
	[BTF_KIND_PTR] = "ptr",		  [BTF_KIND_ARRAY] = "array",
	[BTF_KIND_STRUCT] = "struct",	  [BTF_KIND_UNION] = "union",
	[BTF_KIND_ENUM] = "enum",	  [BTF_KIND_FWD] = "fwd",
	[BTF_KIND_TYPEDEF] = "typedef",	  [BTF_KIND_VOLATILE] = "volatile",
	[BTF_KIND_CONST] = "const",	  [BTF_KIND_RESTRICT] = "restrict",
	[BTF_KIND_FUNC] = "func",	  [BTF_KIND_FUNC_PROTO] = "func_proto",
	[BTF_KIND_VAR] = "var",		  [BTF_KIND_DATASEC] = "datasec",
	[BTF_KIND_FLOAT] = "float",	  [BTF_KIND_DECL_TAG] = "decl_tag",
	[BTF_KIND_TYPE_TAG] = "type_tag", [VIEW_KIND_ENUM64] = "enum64",
};

const char *view_kind_name(uint8_t kind)
{
	return kind <= VIEW_KIND_MAX ? kind_names[kind] : "unknown";
}

static int read_magic(struct view *v, struct fail *f)
{
	uint16_t magic;

	memcpy(&magic, v->data, sizeof(magic));
	if (magic != BTF_MAGIC && magic != __builtin_bswap16(BTF_MAGIC))
		return fail(f, -EBADMSG, "not BTF: it starts with bytes %02x %02x", v->data[0],
			    v->data[1]);
	v->swapped = magic != BTF_MAGIC;
	v->big_endian = v->swapped != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
	if (v->data[2] != BTF_VERSION)
		return fail(f, v->data[2] > BTF_VERSION ? -ENOTSUP : -EBADMSG,
			    "BTF version is %u, not %d", v->data[2], BTF_VERSION);
	if (v->data[3])
		return fail(f, -ENOTSUP, "BTF header flags 0x%x are newer than this library",
			    v->data[3]);
	return 0;
}

static int read_header(struct view *v, struct header *ret, struct fail *f)
{
	const uint8_t *p = v->data;
	int err;

	if (v->size < HEADER_MIN)
		return fail(f, -EBADMSG, "not BTF: %zu bytes are less than a header", v->size);
	if (v->size > VIEW_MAX_SIZE)
		return fail(f, -E2BIG, "BTF has %zu bytes, the limit is %u", v->size,
			    VIEW_MAX_SIZE);
	err = read_magic(v, f);
	if (err)
		return err;
	*ret = (struct header){
		.len = view_u32(v, p + 4),
		.types_off = view_u32(v, p + 8),
		.types_len = view_u32(v, p + 12),
		.strs_off = view_u32(v, p + 16),
		.strs_len = view_u32(v, p + 20),
	};
	if (ret->len < HEADER_MIN || ret->len > v->size || ret->len % 4)
		return fail(f, -EBADMSG, "BTF header claims %u bytes, the file has %zu", ret->len,
			    v->size);
	if (ret->len >= HEADER_LAYOUT) {
		ret->layout_off = view_u32(v, p + 24);
		ret->layout_len = view_u32(v, p + 28);
	}
	for (uint32_t i = HEADER_LAYOUT; i < ret->len; i++)
		if (p[i])
			return fail(f, -ENOTSUP,
				    "BTF header of %u bytes has fields newer than this library",
				    ret->len);
	return 0;
}

struct section {
	uint64_t off, len;
};

static size_t sort_sections(const struct header *h, struct section ret[3])
{
	const struct section all[3] = { { h->types_off, h->types_len },
					{ h->strs_off, h->strs_len },
					{ h->layout_off, h->layout_len } };
	size_t n = 0;

	for (size_t i = 0; i < 3; i++) {
		size_t at = n;

		if (!all[i].len)
			continue;
		for (; at && ret[at - 1].off > all[i].off; at--)
			ret[at] = ret[at - 1];
		ret[at] = all[i];
		n++;
	}
	return n;
}

/*
 * Sections stand one after another and fill the file, as the kernel demands: what hides between
 * or behind them would be read by nobody and signed by somebody. Only padding to 4 bytes may.
 */
static int check_sections(const struct view *v, const struct header *h, struct fail *f)
{
	struct section s[3];
	size_t n = sort_sections(h, s);
	uint64_t end = 0;

	if (h->types_off % 4 || h->types_len % 4)
		return fail(f, -EBADMSG, "BTF type section is not aligned to 4 bytes");
	/* the kernel does not mind, libbpf does */
	if ((uint64_t)h->types_off + h->types_len > h->strs_off)
		return fail(f, -EBADMSG, "BTF string section does not stand behind the types");
	for (size_t i = 0; i < n; i++) {
		if (s[i].off < end || s[i].off - end > 3)
			return fail(f, -EBADMSG, "BTF sections overlap or leave a gap");
		end = s[i].off + s[i].len;
	}
	if (end != v->size - h->len)
		return fail(f, -EBADMSG,
			    "BTF header and sections end at byte %llu, the file at %zu",
			    (unsigned long long)(end + h->len), v->size);
	return 0;
}

static int check_strings(const struct view *v, struct fail *f)
{
	if (v->base && v->strs_len == 0)
		return 0;
	if (v->strs_len == 0 || v->strs[v->strs_len - 1])
		return fail(f, -EBADMSG, "BTF string section does not end with a NUL");
	if (!v->base && v->strs[0])
		return fail(f, -EBADMSG, "BTF string section does not start with a NUL");
	return 0;
}

/* Bytes of the record at p with its trailing data. 0: the kind is not known. */
static size_t record_size(const struct view *v, const uint8_t *p)
{
	uint32_t info = view_u32(v, p + 4);
	size_t vlen = info & 0xffff;

	switch (info >> 24 & 0x1f) {
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG:
		return 12;
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 12 + 4;
	case BTF_KIND_ARRAY:
		return 12 + 12;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_DATASEC:
	case VIEW_KIND_ENUM64:
		return 12 + 12 * vlen;
	case BTF_KIND_ENUM:
	case BTF_KIND_FUNC_PROTO:
		return 12 + 8 * vlen;
	default:
		return 0;
	}
}

static int find_types(struct view *v, struct fail *f)
{
	size_t max = v->types_len / 12, n = 0, size;
	uint32_t *offsets;
	uint8_t *kinds;

	if (max > VIEW_MAX_TYPES)
		max = VIEW_MAX_TYPES;
	v->offsets = offsets = malloc((max + 1) * sizeof(*offsets));
	v->kinds = kinds = malloc(max + 1);
	if (!offsets || !kinds)
		return fail(f, -ENOMEM, "no memory for %zu types", max);
	for (size_t at = 0; at < v->types_len; at += size) {
		const uint8_t *p = v->types + at;
		size_t left = v->types_len - at;
		size_t id = v->first_id + n;

		if (n == VIEW_MAX_TYPES)
			return fail(f, -E2BIG, "BTF has more than %u types", VIEW_MAX_TYPES);
		if (left < 12)
			return fail(f, -EBADMSG, "BTF type %zu is cut off", id);
		size = record_size(v, p);
		if (!size || view_u32(v, p + 4) & 0x60ff0000)
			return fail(f, -ENOTSUP,
				    "BTF type %zu has info 0x%08x, newer than this library", id,
				    view_u32(v, p + 4));
		if (size > left)
			return fail(f, -EBADMSG, "BTF type %zu is cut off", id);
		kinds[n] = view_u32(v, p + 4) >> 24 & 0x1f;
		offsets[n++] = at;
	}
	v->n_types = v->modules_from = v->first_id + n;
	return 0;
}

/* The names that libbpf knows long by (determine_ptr_size in btf.c): BTF tells no pointer size. */
static bool is_long(const char *name)
{
	static const char *const aliases[] = {
		"long",
		"long int",
		"int long",
		"unsigned long",
		"long unsigned",
		"unsigned long int",
		"unsigned int long",
		"long unsigned int",
		"long int unsigned",
		"int unsigned long",
		"int long unsigned",
	};

	for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++)
		if (!strcmp(name, aliases[i]))
			return true;
	return false;
}

uint32_t view_find_long(const struct view *v)
{
	for (uint32_t id = v->first_id; id < v->n_types; id++) {
		struct view_type t;

		if (view_kind(v, id) != BTF_KIND_INT)
			continue;
		t = view_type(v, id);
		if ((t.size == 4 || t.size == 8) && is_long(view_name(v, t.name_off)))
			return id;
	}
	return 0;
}

static uint32_t pointer_size(const struct view *v)
{
	uint32_t id;

	if (v->base && v->base->ptr_size)
		return v->base->ptr_size;
	id = view_find_long(v);
	return id ? view_type(v, id).size : 0;
}

static int open_sections(struct view *v, struct fail *f)
{
	struct header h = { 0 };
	int err;

	err = read_header(v, &h, f);
	if (!err)
		err = check_sections(v, &h, f);
	if (err)
		return err;
	v->types = v->data + h.len + h.types_off;
	v->types_len = h.types_len;
	v->strs = (const char *)v->data + h.len + h.strs_off;
	v->strs_len = h.strs_len;
	if (v->base && v->base->swapped != v->swapped)
		return fail(f, -EBADMSG, "BTF has not the byte order of its base");
	return check_strings(v, f);
}

static int open_view(const void *data, size_t size, const struct view *base, struct view **ret_view,
		     struct fail *f)
{
	struct view *v;
	int err;

	if (base && base->base)
		return fail(f, -ENOTSUP, "the base of split BTF is split itself");
	v = calloc(1, sizeof(*v));
	if (!v)
		return fail(f, -ENOMEM, "no memory");
	v->data = data;
	v->size = size;
	v->base = base;
	v->first_id = base ? base->n_types : 1;
	v->first_str = base ? base->first_str + base->strs_len : 0;
	err = open_sections(v, f);
	if (!err)
		err = find_types(v, f);
	if (!err)
		err = check_new(v, &v->lazy, f);
	if (err)
		view_close(v);
	else
		*ret_view = v;
	return err;
}

int view_open(const void *data, size_t size, const struct view *base, struct view **ret_view,
	      struct fail *f)
{
	struct view *v = NULL;
	int err;

	err = open_view(data, size, base, &v, f);
	if (!err)
		err = check_all(v->lazy, f);
	if (err) {
		view_close(v);
		return err;
	}
	check_free(v->lazy);
	v->lazy = NULL;
	v->ptr_size = pointer_size(v);
	*ret_view = v;
	return 0;
}

/* Base types come first, and there are few: they are all looked at here, for the size of long. */
static int reach_ints(const struct view *v, struct fail *f)
{
	int err = 0;

	for (uint32_t id = v->first_id; !err && id < v->n_types; id++)
		if (view_kind(v, id) == BTF_KIND_INT)
			err = view_reach(v, id, f);
	return err;
}

int view_open_lazy(const void *data, size_t size, struct view **ret_view, struct fail *f)
{
	struct view *v = NULL;
	int err;

	err = open_view(data, size, NULL, &v, f);
	if (!err)
		err = reach_ints(v, f);
	if (err) {
		view_close(v);
		return err;
	}
	v->ptr_size = pointer_size(v);
	*ret_view = v;
	return 0;
}

int view_reach_lazily(const struct view *v, uint32_t id, struct fail *f)
{
	return check_type(v->lazy, id, f);
}

void view_close(struct view *view)
{
	if (!view)
		return;
	free((void *)view->offsets);
	free((void *)view->kinds);
	check_free(view->lazy);
	free(view);
}

uint32_t view_skip_modifiers(const struct view *v, uint32_t id)
{
	struct view_type t = view_type(v, id);

	while (view_is_modifier(t.kind)) {
		id = t.type;
		t = view_type(v, id);
	}
	return id;
}

int64_t view_size(const struct view *v, uint32_t id)
{
	uint64_t nelems = 1;

	for (int depth = 0; depth < VIEW_MAX_DEPTH; depth++) {
		struct view_type t = view_type(v, id);
		struct view_array a;
		uint64_t size = t.size;

		switch (t.kind) {
		case BTF_KIND_PTR:
			size = v->ptr_size ? v->ptr_size : sizeof(void *);
			/* fallthrough */
		case BTF_KIND_INT:
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
		case BTF_KIND_ENUM:
		case VIEW_KIND_ENUM64:
		case BTF_KIND_DATASEC:
		case BTF_KIND_FLOAT:
			if (nelems && size > UINT32_MAX / nelems)
				return -E2BIG;
			return nelems * size;
		case BTF_KIND_ARRAY:
			a = view_array(v, &t);
			if (nelems && a.nelems > UINT32_MAX / nelems)
				return -E2BIG;
			nelems *= a.nelems;
			id = a.type;
			break;
		case BTF_KIND_TYPEDEF:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_CONST:
		case BTF_KIND_RESTRICT:
		case BTF_KIND_VAR:
		case BTF_KIND_DECL_TAG:
		case BTF_KIND_TYPE_TAG:
			id = t.type;
			break;
		default:
			return -EINVAL;
		}
	}
	return -EINVAL;
}

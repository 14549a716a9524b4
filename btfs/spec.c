// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "spec.h"

#include "view.h"

#include <errno.h>
#include <linux/bpf.h>

bool spec_is_field(uint32_t kind)
{
	return kind <= BPF_CORE_FIELD_RSHIFT_U64;
}

bool spec_is_type(uint32_t kind)
{
	return (kind >= BPF_CORE_TYPE_ID_LOCAL && kind <= BPF_CORE_TYPE_SIZE) ||
	       kind == BPF_CORE_TYPE_MATCHES;
}

bool spec_is_enumerator(uint32_t kind)
{
	return kind == BPF_CORE_ENUMVAL_EXISTS || kind == BPF_CORE_ENUMVAL_VALUE;
}

bool spec_is_flexible(const struct view *view, const struct spec *spec,
		      const struct view_array *array)
{
	return spec->last_named && array->nelems == 0 &&
	       spec->last_index + 1 == view_type(view, spec->last_type).vlen;
}

/* a[n] as the last accessor has an offset and a size, but no other property of a field. */
static int element_value(const struct view *v, uint32_t kind, const struct spec *s, uint64_t *ret)
{
	int64_t size = view_size(v, s->last_type);

	if (kind != BPF_CORE_FIELD_BYTE_OFFSET && kind != BPF_CORE_FIELD_BYTE_SIZE)
		return -EINVAL;
	if (size < 0)
		return -EINVAL;
	*ret = kind == BPF_CORE_FIELD_BYTE_SIZE ? (uint64_t)size : s->bit_offset / 8;
	return 0;
}

struct place {
	uint32_t bit_offset, bit_size;
	uint32_t byte_offset, byte_size; /* of the load that fetches it */
};

/* The smallest naturally aligned load that covers a bitfield, at most 8 bytes. */
static int place_bitfield(struct place *p, uint32_t byte_size)
{
	uint32_t offset;

	if (!byte_size)
		return -EINVAL;
	offset = p->bit_offset / 8 / byte_size * byte_size;
	while (p->bit_offset + p->bit_size - offset * 8 > byte_size * 8) {
		if (byte_size >= 8)
			return -E2BIG;
		byte_size *= 2;
		offset = p->bit_offset / 8 / byte_size * byte_size;
	}
	p->byte_offset = offset;
	p->byte_size = byte_size;
	return 0;
}

static int place_field(const struct view *v, const struct spec *s, const struct view_member *m,
		       struct place *ret)
{
	struct place p = { .bit_offset = s->bit_offset, .bit_size = m->bit_size };
	uint32_t id = view_skip_modifiers(v, m->type);
	int64_t size;
	int err;

	if (m->bit_size) {
		err = place_bitfield(&p, view_type(v, id).size);
		if (err)
			return err;
	} else {
		size = view_size(v, id);
		if (size < 0)
			return -EINVAL;
		p.byte_size = size;
		p.byte_offset = s->bit_offset / 8;
		p.bit_size = p.byte_size * 8;
	}
	*ret = p;
	return 0;
}

static bool is_signed(const struct view *v, uint32_t id)
{
	struct view_type t = view_type(v, view_skip_modifiers(v, id));

	if (view_is_enum(t.kind))
		return t.kflag;
	return t.kind == BTF_KIND_INT && view_int(v, &t).encoding & BTF_INT_SIGNED;
}

static int member_value(const struct view *v, uint32_t kind, const struct spec *s, uint64_t *ret)
{
	struct view_type t = view_type(v, s->last_type);
	struct view_member m = view_member(v, &t, s->last_index);
	struct place p = { 0 };
	int err;

	err = place_field(v, s, &m, &p);
	if (err)
		return err;
	switch (kind) {
	case BPF_CORE_FIELD_BYTE_OFFSET:
		*ret = p.byte_offset;
		return 0;
	case BPF_CORE_FIELD_BYTE_SIZE:
		*ret = p.byte_size;
		return 0;
	case BPF_CORE_FIELD_SIGNED:
		*ret = is_signed(v, m.type);
		return 0;
	case BPF_CORE_FIELD_LSHIFT_U64:
		/* in 32 bits, as libbpf computes it */
		*ret = v->big_endian ? (8 - p.byte_size) * 8 + (p.bit_offset - p.byte_offset * 8)
				     : 64 - (p.bit_offset + p.bit_size - p.byte_offset * 8);
		return 0;
	case BPF_CORE_FIELD_RSHIFT_U64:
		*ret = 64 - p.bit_size;
		return 0;
	default:
		return -EINVAL;
	}
}

static int type_value(const struct view *v, uint32_t kind, const struct spec *s, uint64_t *ret)
{
	int64_t size;

	switch (kind) {
	case BPF_CORE_TYPE_ID_LOCAL:
	case BPF_CORE_TYPE_ID_TARGET:
		*ret = s->root_id;
		return 0;
	case BPF_CORE_TYPE_SIZE:
		size = view_size(v, s->root_id);
		if (size < 0)
			return -EINVAL;
		*ret = size;
		return 0;
	default:
		*ret = 1;
		return 0;
	}
}

int spec_value(const struct view *view, uint32_t kind, const struct spec *spec,
	       struct spec_value *ret_value)
{
	struct spec_value r = { 0 };
	struct view_type t;
	int err = 0;

	if (kind == BPF_CORE_FIELD_EXISTS || kind == BPF_CORE_ENUMVAL_EXISTS) {
		r.value = spec != NULL;
	} else if (!spec) {
		r.poison = !spec_is_type(kind);
	} else if (spec_is_type(kind)) {
		err = type_value(view, kind, spec, &r.value);
	} else if (spec_is_enumerator(kind)) {
		t = view_type(view, spec->last_type);
		r.value = view_enumerator(view, &t, spec->last_index).value;
	} else if (spec->last_named) {
		err = member_value(view, kind, spec, &r.value);
	} else {
		err = element_value(view, kind, spec, &r.value);
	}
	if (!err)
		*ret_value = r;
	return err;
}

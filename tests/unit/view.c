// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The file around the types, and the accessors, which are held against libbpf's. */
#include "btfs/view.h"
#include "btfs/fail.h"
#include "tests/raw.h"
#include "tests/tap.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>

#define LIVE_BTF "/sys/kernel/btf/vmlinux"

/* A BTF with one type of every kind, from libbpf. */
static struct btf *new_every_kind(void)
{
	struct btf *b = btf__new_empty();
	int u32, u64, s, proto, var;

	if (!b)
		abort();
	u32 = btf__add_int(b, "unsigned int", 4, 0);
	u64 = btf__add_int(b, "long unsigned int", 8, 0);
	btf__add_ptr(b, 0);
	btf__add_array(b, u32, u32, 7);
	s = btf__add_struct(b, "task_struct", 32);
	btf__add_field(b, "pid", u32, 0, 0);
	btf__add_field(b, "flags", u32, 32, 5);
	btf__add_field(b, "next", 3, 64, 0);
	btf__add_union(b, NULL, 8);
	btf__add_field(b, "x", u64, 0, 0);
	btf__add_enum(b, "state", 4);
	btf__add_enum_value(b, "RUNNING", 0);
	btf__add_enum_value(b, "DEAD", -1);
	btf__add_enum64(b, "big", 8, false);
	btf__add_enum64_value(b, "BIG", 1ull << 40 | 3);
	btf__add_fwd(b, "later", BTF_FWD_UNION);
	btf__add_typedef(b, "task_t", s);
	btf__add_volatile(b, u32);
	btf__add_const(b, u32);
	btf__add_restrict(b, 3);
	btf__add_float(b, "double", 8);
	proto = btf__add_func_proto(b, u32);
	btf__add_func_param(b, "a", u32);
	btf__add_func_param(b, NULL, 0);
	btf__add_func(b, "do_it", BTF_FUNC_GLOBAL, proto);
	var = btf__add_var(b, "counter", BTF_VAR_GLOBAL_ALLOCATED, u32);
	btf__add_datasec(b, ".data", 8);
	btf__add_datasec_var_info(b, var, 4, 4);
	btf__add_decl_tag(b, "tag", s, 1);
	btf__add_type_tag(b, "user", u32);
	return b;
}

/* The bytes, which belong to the BTF; in the other byte order if it is to be swapped. */
static const void *bytes_of(struct btf *b, enum raw_order order, __u32 *ret_size)
{
	enum btf_endianness other =
		btf__endianness(b) == BTF_LITTLE_ENDIAN ? BTF_BIG_ENDIAN : BTF_LITTLE_ENDIAN;
	const void *data;

	if (order == RAW_SWAPPED)
		btf__set_endianness(b, other);
	data = btf__raw_data(b, ret_size);
	if (!data)
		abort();
	return data;
}

static int opens(const void *data, size_t size, struct fail *f)
{
	struct view *view = NULL;
	int err = view_open(data, size, NULL, &view, f);

	view_close(view);
	return err;
}

static const uint32_t small[] = {
	RAW_INT, RAW(S_LONG, INT, 0, 0, 8), 64, RAW(S_A, STRUCT, 0, 1, 4), S_B, 1, 0
};
#define SMALL_TYPES 56u /* bytes */
_Static_assert(sizeof(small) == SMALL_TYPES, "words of the small BTF");

/* One field of the header of a small BTF changed. */
static const struct patch {
	const char *what;
	uint32_t at, width, value;
	int err;
	const char *said;
} patches[] = {
	{ "the magic", 0, 2, 0xeb9e, -EBADMSG, "not BTF: it starts with" },
	{ "an ELF's first bytes", 0, 4, 0x464c457f, -EBADMSG, "not BTF: it starts with" },
	{ "version 0", 2, 1, 0, -EBADMSG, "version is 0" },
	{ "version 2", 2, 1, 2, -ENOTSUP, "version is 2" },
	{ "version 255", 2, 1, 255, -ENOTSUP, "version is 255" },
	{ "flags", 3, 1, 1, -ENOTSUP, "flags 0x1" },
	{ "hdr_len 0", 4, 4, 0, -EBADMSG, "claims 0 bytes" },
	{ "hdr_len 8", 4, 4, 8, -EBADMSG, "claims 8 bytes" },
	{ "hdr_len 23", 4, 4, 23, -EBADMSG, "claims 23 bytes" },
	{ "hdr_len 25", 4, 4, 25, -EBADMSG, "claims 25 bytes" },
	{ "hdr_len 28", 4, 4, 28, -EBADMSG, "end at byte" },
	{ "hdr_len 0xffffffff", 4, 4, UINT32_MAX, -EBADMSG, "claims 4294967295" },
	{ "hdr_len 0xfffffffc", 4, 4, UINT32_MAX - 3, -EBADMSG, "claims" },
	{ "types that are not aligned", 8, 4, 1, -EBADMSG, "aligned" },
	{ "types behind a gap", 8, 4, 4, -EBADMSG, "" },
	{ "types far away", 8, 4, UINT32_MAX - 3, -EBADMSG, "behind the types" },
	{ "types of odd length", 12, 4, SMALL_TYPES + 2, -EBADMSG, "aligned" },
	{ "types too short", 12, 4, SMALL_TYPES - 4, -EBADMSG, "gap" },
	{ "types within the strings", 12, 4, SMALL_TYPES + 4, -EBADMSG, "behind the types" },
	{ "types without end", 12, 4, UINT32_MAX - 3, -EBADMSG, "behind the types" },
	{ "strings within the types", 16, 4, SMALL_TYPES - 4, -EBADMSG, "behind the types" },
	{ "strings at the start", 16, 4, 0, -EBADMSG, "behind the types" },
	{ "strings behind a gap", 16, 4, SMALL_TYPES + 4, -EBADMSG, "gap" },
	{ "strings far away", 16, 4, UINT32_MAX, -EBADMSG, "gap" },
	{ "no strings", 20, 4, 0, -EBADMSG, "end at byte" },
	{ "strings too short", 20, 4, S_END - 1, -EBADMSG, "end at byte" },
	{ "strings too long", 20, 4, S_END + 1, -EBADMSG, "end at byte" },
	{ "strings without end", 20, 4, UINT32_MAX, -EBADMSG, "end at byte" },
};

static void test_header(void)
{
	struct raw good = raw_btf(small, sizeof(small) / 4, RAW_NATIVE);
	uint8_t *data = malloc(good.size);

	if (!data)
		abort();
	tap_is_int(opens(good.data, good.size, NULL), 0, "the small BTF is good");
	for (size_t i = 0; i < sizeof(patches) / sizeof(*patches); i++) {
		const struct patch *p = &patches[i];
		struct fail f = { .text = "" };

		memcpy(data, good.data, good.size);
		memcpy(data + p->at, &p->value, p->width);
		tap_is_int(opens(data, good.size, &f), p->err, "refuses %s", p->what);
		tap_ok(f.text[0] && strstr(f.text, p->said), "%s: %s", p->what, f.text);
	}
	free(data);
	free(good.data);
}

/* Size is right for each of them; what follows or lacks is not. */
static void test_ends(void)
{
	struct raw good = raw_btf(small, sizeof(small) / 4, RAW_NATIVE);
	uint8_t *data = calloc(1, good.size + 1);
	size_t taken = 0;

	if (!data)
		abort();
	for (size_t size = 0; size < good.size; size++) {
		uint8_t *cut = malloc(size ? size : 1); /* exact: a read past the end is seen */
		struct fail f = { .text = "" };

		if (!cut)
			abort();
		memcpy(cut, good.data, size);
		taken += opens(cut, size, &f) != -EBADMSG || !f.text[0];
		free(cut);
	}
	tap_is_int(taken, 0, "each of %zu truncations is refused with a reason", good.size);
	memcpy(data, good.data, good.size);
	tap_is_int(opens(data, good.size + 1, NULL), -EBADMSG, "so is a byte more");
	memcpy(data, good.data, good.size);
	data[good.size - 1] = 'x';
	tap_is_int(opens(data, good.size, NULL), -EBADMSG, "and strings without their last NUL");
	memcpy(data, good.data, good.size);
	data[RAW_HEADER + SMALL_TYPES] = 'x';
	tap_is_int(opens(data, good.size, NULL), -EBADMSG, "or the first");
	free(data);
	free(good.data);
}

static void test_limits(void)
{
	uint32_t *types = calloc(VIEW_MAX_TYPES + 1, 12);
	struct fail f = { .text = "" };
	struct view *view = NULL;
	struct raw r;
	void *large;

	if (!types)
		abort();
	for (size_t i = 0; i <= VIEW_MAX_TYPES; i++) {
		types[i * 3] = S_A;
		types[i * 3 + 1] = (uint32_t)BTF_KIND_STRUCT << 24;
	}
	r = raw_btf(types, 3ul * VIEW_MAX_TYPES, RAW_NATIVE);
	tap_is_int(view_open(r.data, r.size, NULL, &view, &f), 0, "a million structs%s", f.text);
	tap_is_int(view ? view->n_types : 0, VIEW_MAX_TYPES + 1, "are all there");
	view_close(view);
	free(r.data);
	r = raw_btf(types, 3ul * (VIEW_MAX_TYPES + 1), RAW_NATIVE);
	tap_is_int(opens(r.data, r.size, &f), -E2BIG, "one more is too many: %s", f.text);
	free(r.data);
	free(types);
	large = calloc(1, VIEW_MAX_SIZE + 1);
	if (!large)
		abort();
	r = raw_btf(small, sizeof(small) / 4, RAW_NATIVE);
	memcpy(large, r.data, r.size);
	tap_is_int(opens(large, VIEW_MAX_SIZE + 1, &f), -E2BIG, "64 MiB and a byte: %s", f.text);
	free(large);
	free(r.data);
}

/* The layout section of 2026 and what may come after it. */
static void test_newer_headers(void)
{
	static const uint32_t head[] = { 0x00010000u | BTF_MAGIC, 32, 16, 16, 32, S_END, 0,
					 /* layout */ 16 };
	uint8_t data[40 + 16 + 16 + 64] = { 0 };
	size_t size = 32 + 16 + 16 + S_END;
	struct fail f = { .text = "" };
	uint32_t x;

	memcpy(data, head, sizeof(head));
	memcpy(data + 32 + 16, (const uint32_t[]){ RAW_INT }, 16);
	memcpy(data + 32 + 32, raw_strings, S_END);
	tap_is_int(opens(data, size, &f), 0, "a header of 32 bytes with a layout section%s",
		   f.text);
	x = 8; /* the layout overlaps the types */
	memcpy(data + 24, &x, 4);
	tap_is_int(opens(data, size, NULL), -EBADMSG, "which may not overlap");
	memset(data, 0, sizeof(data));
	memcpy(data, (const uint32_t[]){ 0x00010000u | BTF_MAGIC, 36, 0, 16, 16, S_END, 0, 0, 0 },
	       36);
	memcpy(data + 36, (const uint32_t[]){ RAW_INT }, 16);
	memcpy(data + 36 + 16, raw_strings, S_END);
	tap_is_int(opens(data, 36 + 16 + S_END, NULL), 0, "empty fields behind it may stand");
	data[32] = 1;
	tap_is_int(opens(data, 36 + 16 + S_END, &f), -ENOTSUP, "others not: %s", f.text);
}

static void test_split(void)
{
	static const uint32_t on_base[] = { RAW(S_A, STRUCT, 0, 1, 4), S_END + 1, 1, 0,
					    RAW(0, PTR, 0, 0, 4) };
	static const uint32_t too_far[] = { RAW(0, PTR, 0, 0, 5) };
	struct raw base_raw = raw_btf(small, sizeof(small) / 4, RAW_NATIVE);
	struct raw none = raw_sections(NULL, 0, "", 0, RAW_NATIVE);
	struct raw split = raw_sections(on_base, sizeof(on_base) / 4, "\0own", 5, RAW_NATIVE);
	struct raw far = raw_sections(too_far, 3, "", 0, RAW_NATIVE);
	struct raw swapped = raw_sections(NULL, 0, "", 0, RAW_SWAPPED);
	struct view *base = NULL, *view = NULL, *third = NULL;
	struct fail f = { .text = "" };
	struct view_type t;

	tap_is_int(view_open(base_raw.data, base_raw.size, NULL, &base, &f), 0, "the base opens");
	if (!base)
		abort();
	tap_is_int(opens(none.data, none.size, NULL), -EBADMSG, "a header alone is no BTF");
	tap_is_int(view_open(none.data, none.size, base, &view, &f), 0, "but split BTF%s", f.text);
	tap_is_int(view ? view->n_types : 0, 4, "with the base's types");
	tap_is_int(view ? view->ptr_size : 0, 8, "and pointers");
	view_close(view);
	view = NULL;
	tap_is_int(view_open(split.data, split.size, base, &view, &f), 0, "split%s", f.text);
	if (!view)
		abort();
	t = view_type(view, 4);
	tap_is_str(view_name(view, t.name_off), "a", "names of the base");
	tap_is_str(view_name(view, view_member(view, &t, 0).name_off), "own", "and its own");
	tap_is_str(view_name(view, view_type(view, 1).name_off), "int", "types of the base");
	tap_is_int(view_size(view, 4), 4, "and sizes");
	tap_is_int(view_size(view, 5), 8, "of pointers too");
	tap_is_int(view_open(none.data, none.size, view, &third, &f), -ENOTSUP,
		   "split BTF is no base: %s", f.text);
	tap_is_int(view_open(far.data, far.size, base, &third, NULL), -EBADMSG, "ids have an end");
	tap_is_int(view_open(swapped.data, swapped.size, base, &third, &f), -EBADMSG,
		   "byte orders must be the same: %s", f.text);
	tap_is_int(opens(split.data, split.size, NULL), -EBADMSG, "split BTF does not stand alone");
	view_close(view);
	view_close(base);
	free(base_raw.data);
	free(none.data);
	free(split.data);
	free(far.data);
	free(swapped.data);
}

static bool same_members(const struct view *v, const struct view_type *t, const struct btf *b,
			 const struct btf_type *bt)
{
	const struct btf_member *m = btf_members(bt);

	for (uint32_t i = 0; i < t->vlen; i++) {
		struct view_member own = view_member(v, t, i);

		if (own.type != m[i].type || own.bit_offset != btf_member_bit_offset(bt, i) ||
		    own.bit_size != btf_member_bitfield_size(bt, i) ||
		    strcmp(view_name(v, own.name_off), btf__name_by_offset(b, m[i].name_off)) != 0)
			return false;
	}
	return true;
}

static bool same_enumerators(const struct view *v, const struct view_type *t, const struct btf *b,
			     const struct btf_type *bt)
{
	for (uint32_t i = 0; i < t->vlen; i++) {
		struct view_enumerator own = view_enumerator(v, t, i);
		bool narrow = t->kind == BTF_KIND_ENUM;
		uint32_t name = narrow ? btf_enum(bt)[i].name_off : btf_enum64(bt)[i].name_off;
		uint64_t value = narrow ? (uint64_t)btf_enum(bt)[i].val
					: btf_enum64_value(&btf_enum64(bt)[i]);

		if (own.value != value ||
		    strcmp(view_name(v, own.name_off), btf__name_by_offset(b, name)) != 0)
			return false;
	}
	return true;
}

static bool same_params(const struct view *v, const struct view_type *t, const struct btf *b,
			const struct btf_type *bt)
{
	for (uint32_t i = 0; i < t->vlen; i++) {
		struct view_param own = view_param(v, t, i);

		if (own.type != btf_params(bt)[i].type ||
		    strcmp(view_name(v, own.name_off),
			   btf__name_by_offset(b, btf_params(bt)[i].name_off)) != 0)
			return false;
	}
	return true;
}

static bool same_rest(const struct view *v, const struct view_type *t, const struct btf *b,
		      const struct btf_type *bt)
{
	struct view_array a;
	struct view_int x;

	switch (t->kind) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return same_members(v, t, b, bt);
	case BTF_KIND_ENUM:
	case VIEW_KIND_ENUM64:
		return same_enumerators(v, t, b, bt);
	case BTF_KIND_FUNC_PROTO:
		return same_params(v, t, b, bt);
	case BTF_KIND_ARRAY:
		a = view_array(v, t);
		return a.type == btf_array(bt)->type && a.index_type == btf_array(bt)->index_type &&
		       a.nelems == btf_array(bt)->nelems;
	case BTF_KIND_INT:
		x = view_int(v, t);
		return x.encoding == btf_int_encoding(bt) && x.bits == btf_int_bits(bt) &&
		       x.bit_offset == btf_int_offset(bt);
	default:
		return true;
	}
}

static bool same_size(int64_t own, int64_t theirs)
{
	return own == theirs || (own < 0 && theirs < 0);
}

static bool same_type(const struct view *v, uint32_t id, const struct btf *b)
{
	const struct btf_type *bt = btf__type_by_id(b, id);
	struct view_type t = view_type(v, id);

	return bt && t.kind == btf_kind(bt) && t.kflag == btf_kflag(bt) && t.vlen == btf_vlen(bt) &&
	       t.size == bt->size &&
	       strcmp(view_name(v, t.name_off), btf__name_by_offset(b, bt->name_off)) == 0 &&
	       same_size(view_size(v, id), btf__resolve_size(b, id)) && same_rest(v, &t, b, bt);
}

static void hold_against_libbpf(const void *data, size_t size, const char *what)
{
	struct btf *b = btf__new(data, size);
	struct view *view = NULL;
	struct fail f = { .text = "" };
	uint32_t n = 0, differ = 0;

	tap_is_int(view_open(data, size, NULL, &view, &f), 0, "%s: opens%s", what, f.text);
	if (!b || !view)
		abort();
	n = btf__type_cnt(b);
	tap_is_int(view->n_types, n, "%s: the same number of types", what);
	tap_is_int(view->ptr_size, btf__pointer_size(b), "%s: the same pointers", what);
	tap_is_int(view->big_endian, btf__endianness(b) == BTF_BIG_ENDIAN, "%s: byte order", what);
	for (uint32_t id = 1; id < n && id < view->n_types; id++)
		differ += !same_type(view, id, b);
	tap_is_int(differ, 0, "%s: %u types as libbpf reads them", what, n);
	view_close(view);
	btf__free(b);
}

static void test_accessors(void)
{
	struct btf *b = new_every_kind(), *live;
	const void *data;
	__u32 size;

	data = bytes_of(b, RAW_NATIVE, &size);
	hold_against_libbpf(data, size, "every kind");
	data = bytes_of(b, RAW_SWAPPED, &size);
	hold_against_libbpf(data, size, "every kind, swapped");
	btf__free(b);
	live = btf__parse(LIVE_BTF, NULL);
	if (!live) {
		tap_skip("%s cannot be read", LIVE_BTF);
		return;
	}
	data = bytes_of(live, RAW_NATIVE, &size);
	hold_against_libbpf(data, size, "this kernel");
	data = bytes_of(live, RAW_SWAPPED, &size);
	hold_against_libbpf(data, size, "this kernel, swapped");
	btf__free(live);
}

/* Any one bit turned: what view takes libbpf takes. */
static void test_flips(void)
{
	struct btf *b = new_every_kind(), *again;
	const void *data;
	uint8_t *copy;
	size_t taken = 0, bad = 0;
	__u32 size;

	data = bytes_of(b, RAW_NATIVE, &size);
	copy = malloc(size);
	if (!copy)
		abort();
	for (size_t bit = 0; bit < size * 8ul; bit++) {
		memcpy(copy, data, size);
		copy[bit / 8] ^= 1 << bit % 8;
		if (opens(copy, size, NULL))
			continue;
		taken++;
		again = btf__new(copy, size);
		bad += !again;
		btf__free(again);
	}
	tap_ok(taken > 0 && taken < size * 8ul, "%zu of %u turned bits are seen", size * 8 - taken,
	       size * 8);
	tap_is_int(bad, 0, "libbpf takes the other %zu", taken);
	free(copy);
	btf__free(b);
}

static void test_names(void)
{
	tap_is_str(view_kind_name(BTF_KIND_STRUCT), "struct", "kinds have names");
	tap_is_str(view_kind_name(VIEW_KIND_MAX), "enum64", "up to the last");
	tap_is_str(view_kind_name(VIEW_KIND_MAX + 1), "unknown", "and no further");
	for (uint8_t kind = 0; kind <= VIEW_KIND_MAX; kind++)
		tap_ok(view_kind_name(kind)[0], "kind %u is %s", kind, view_kind_name(kind));
	view_close(NULL);
}

int main(void)
{
	libbpf_set_print(NULL);
	test_header();
	test_ends();
	test_limits();
	test_newer_headers();
	test_split();
	test_accessors();
	test_flips();
	test_names();
	return tap_done();
}

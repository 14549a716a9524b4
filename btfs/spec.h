/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * An access spec: where a CO-RE relocation leads in one BTF, and the value that libbpf computes
 * from it (bpf_core_calc_relo in relo_core.c). The same for an object's own BTF and a kernel's.
 */
#ifndef BTFS_SPEC_H
#define BTFS_SPEC_H

#include <stdbool.h>
#include <stdint.h>

struct view;
struct view_array;

#define SPEC_MAX_LEN 64 /* accessors: BPF_CORE_SPEC_MAX_LEN */

struct spec {
	uint32_t root_id;
	uint32_t bit_offset; /* wraps at 32 bits, as libbpf's */
	uint32_t last_type;  /* composite that holds the last member, or an array's element */
	uint32_t last_index; /* of that member, or of the enumerator */
	bool last_named;     /* the last accessor is a named member */
	uint32_t raw_len;
	uint32_t raw[SPEC_MAX_LEN]; /* member and element indexes, anonymous ones included */
};

struct spec_value {
	uint64_t value;
	bool poison; /* libbpf replaces the instruction by an invalid one */
};

bool spec_is_field(uint32_t kind); /* enum bpf_core_relo_kind */
bool spec_is_type(uint32_t kind);
bool spec_is_enumerator(uint32_t kind);

/* Whether an array that the spec has come to may be indexed without bound: it has no elements and
 * ends its struct (is_flex_arr). */
bool spec_is_flexible(const struct view *view, const struct spec *spec,
		      const struct view_array *array);

/* spec NULL: nothing matched. -EINVAL, -E2BIG: libbpf refuses the whole object. */
int spec_value(const struct view *view, uint32_t kind, const struct spec *spec,
	       struct spec_value *ret_value);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* How a relocation's local types relate to a kernel's, by libbpf's three sets of rules. */
#ifndef BTFGEN_RELATE_H
#define BTFGEN_RELATE_H

#include <stdint.h>

struct fail;
struct reloc;
struct view;

#define RELATE_MAX_STEPS \
	(1u << 22) /* types compared for one candidate: hostile input is cut here */

/* 1: they fit; 0: they don't; -EINVAL, -E2BIG: libbpf, or we, give up; -EBADMSG: view_reach found a
 * broken type, f says which. */

/* A field's type (bpf_core_fields_are_compat). */
int relate_field(const struct reloc *reloc, uint32_t node, const struct view *view, uint32_t id);
/* The relocation's root for type_exists, type_size, target_type_id, type_matches
 * (bpf_core_types_are_compat, bpf_core_types_match). */
int relate_root(const struct reloc *reloc, const struct view *view, uint32_t id, struct fail *f);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Where a need's relocations lead in one kernel's BTF, by libbpf's rules (bpf_core_add_cands,
 * bpf_core_spec_match, bpf_core_calc_relo_insn).
 *
 * libbpf prunes a list of candidates in the order of relocations, which a need does not have. So:
 * where all relocations of a root that match agree on one set of candidates, the first of them
 * stands for all; where they don't, all that match are kept and libbpf prunes for itself.
 *
 *	plan_new(need, &plan, f);			once for all kernels
 *	match_kernel(plan, view, &match, f);		for each; -ENOTUNIQ: libbpf would refuse
 *	for (i = 0; i < match.n_hits; i++) ...
 *	match_free(&match);
 */
#ifndef BTFGEN_MATCH_H
#define BTFGEN_MATCH_H

#include "btfs/spec.h"

#include <stddef.h>
#include <stdint.h>

struct fail;
struct plan;
struct view;

#define MATCH_MAX_STEPS \
	(1u << 22) /* members looked at for one candidate: hostile input is cut here */

/* One accessor of a path through the kernel's types. */
struct match_step {
	uint32_t type;	/* struct, union or array, behind modifiers */
	uint32_t index; /* member; unused in an array */
};

/* A relocation that leads somewhere. Several of the same reloc where candidates are kept. */
struct match_hit {
	uint32_t reloc;		      /* index into the need */
	uint32_t root;		      /* candidate's id */
	uint32_t first_step, n_steps; /* into steps */
};

struct match {
	struct match_hit *hits;
	size_t n_hits;
	struct match_step *steps;
	size_t n_steps;
	struct spec_value *values; /* of each of the need's relocations, what libbpf computes */
	uint8_t *kept;		   /* of each: candidates kept for it, 255 for more */
	size_t n_unmatched; /* relocations that lead nowhere: poisoned, or "does not exist" */
};

/*
 * -ENOTUNIQ: candidates disagree, the sentence names the types and both answers; -EINVAL, -E2BIG:
 * libbpf would give up on a candidate; -ENOMEM.
 */
int match_kernel(const struct plan *plan, const struct view *view, struct match *ret_match,
		 struct fail *f);
void match_free(struct match *match);

#endif

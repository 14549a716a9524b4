/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What libbpf computes for each of a need's relocations in one kernel, in a form in which kernels
 * can be compared: two with the same answers run the same instructions.
 */
#ifndef BTFGEN_ANSWERS_H
#define BTFGEN_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fail;
struct need;
struct plan;
struct reloc;
struct text;
struct view;

/* Without padding, so that an array of them compares by memcmp. */
struct answer {
	uint64_t value; /* 0 of target_type_id, which differs between all kernels */
	uint32_t bytes; /* of byte_off: the field's, which decides how wide it is loaded */
	uint16_t bits;	/* of byte_off: the bitfield's, or 0 */
	uint8_t found;	/* 1: it leads somewhere */
	uint8_t poison; /* 1: the instruction is made invalid */
};

/* One for each relocation of the need; the caller frees. Errors are match_kernel's. */
int answers_of(const struct plan *plan, const struct view *view, struct answer **ret_answers,
	       struct fail *f);

/* "byte_off struct task_struct.children.next" */
void answers_put_reloc(struct text *t, const struct reloc *reloc);
/* "offset 40, 8 bytes"; "is not there" */
void answers_put(struct text *t, const struct reloc *reloc, const struct answer *answer);
/* {"found": true, "value": 40, ...} */
void answers_put_json(struct text *t, const struct answer *answer);

#endif

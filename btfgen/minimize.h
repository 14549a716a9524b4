/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The part of a kernel's BTF that a need's relocations lead to, as a BTF of its own: libbpf gives
 * the same answers with it as with the whole. Types keep their order, structs lose the members
 * that nobody asks for, pointers lose what they point to unless it is kept for another reason.
 */
#ifndef BTFGEN_MINIMIZE_H
#define BTFGEN_MINIMIZE_H

#include <stddef.h>

struct fail;
struct match;
struct plan;
struct view;

enum minimize_form {
	MINIMIZE_SERVED,   /* with what makes it fit for every consumer; the form for trees */
	MINIMIZE_NO_PROBE, /* the bare closure, to be compared with bpftool's */
};

/*
 * Matches and cuts; *ret_match, if not NULL, tells what was matched (match_free). The result, in
 * the kernel's byte order, has passed view_open and was matched again: its answers are those of
 * the whole BTF. The caller frees ret_data. Errors are match_kernel's.
 */
int minimize(const struct plan *plan, const struct view *view, enum minimize_form form,
	     void **ret_data, size_t *ret_size, struct match *ret_match, struct fail *f);

#endif

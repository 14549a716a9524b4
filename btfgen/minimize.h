/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The part of a kernel's BTF that a need's relocations lead to, as a BTF of its own: libbpf gives
 * the same answers with it as with the whole. Types keep their order, structs lose the members
 * that nobody asks for, pointers lose what they point to unless it is kept for another reason.
 */
#ifndef BTFGEN_MINIMIZE_H
#define BTFGEN_MINIMIZE_H

#include "match.h"

#include <stddef.h>

struct fail;
struct plan;
struct view;

enum minimize_form {
	MINIMIZE_SERVED,   /* with what makes it fit for every consumer; the form for trees */
	MINIMIZE_NO_PROBE, /* the bare closure, to be compared with bpftool's */
	/*
	 * MINIMIZE_SERVED for libbpf before 1.0, which refuses a whole file for one kind that it
	 * does not know: an enum64 becomes an enum of the values that fit one, a float an empty
	 * struct, a type tag a const. Where that would change an answer, they stay.
	 */
	MINIMIZE_OLD_READERS,
};

struct minimized {
	void *btf; /* in the kernel's byte order */
	size_t size;
	struct match match; /* against the whole BTF */
};

/*
 * Matches and cuts. The result has passed view_open and was matched again: its answers are those
 * of the whole BTF. Free it with minimized_free. Errors are match_kernel's.
 */
int minimize(const struct plan *plan, const struct view *view, enum minimize_form form,
	     struct minimized *ret, struct fail *f);
void minimized_free(struct minimized *minimized);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* How many of what a BTF has, and what of a BPF object needs the kernel's own BTF. */
#ifndef BTFGEN_CENSUS_H
#define BTFGEN_CENSUS_H

#include "btfs/view.h"

#include <stddef.h>
#include <stdint.h>

struct elf;
struct fail;
struct text;

struct census {
	size_t n_types;			 /* without void */
	size_t kinds[VIEW_KIND_MAX + 1]; /* of each BTF_KIND_* */
	size_t named;			 /* structs and unions with a name */
	size_t repeated;		 /* names that several structs or several unions have */
	uint32_t most;			 /* of the same name and kind */
	const char *most_name;		 /* which; in the view's strings */
};

/* Of the view's own types, not its base's. -ENOMEM. */
int census_of(const struct view *view, struct census *ret_census, struct fail *f);

/*
 * Adds, one per line, what of the object can only be loaded with the BTF that the kernel itself
 * has: fentry and its like, told by their sections, struct_ops, typed kernel symbols and functions.
 */
void census_native(const struct elf *object, struct text *t);

#endif

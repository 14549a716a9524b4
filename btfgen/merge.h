/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A kernel's BTF and the split BTF of its modules made one. libbpf never looks for modules beside a
 * btf_custom_path, so what only a module satisfies has to come out of one file.
 */
#ifndef BTFGEN_MERGE_H
#define BTFGEN_MERGE_H

#include <stddef.h>

struct archive_part;
struct fail;
struct view;

struct merged {
	void *data;
	struct view *view; /* over data; modules_from says where the modules' types start */
};

/*
 * Each module's ids follow those of the one before it. A module without types (header only, as
 * OpenWrt and Ubuntu have them) adds nothing. -EBADMSG: a module is damaged, or was not made on
 * this base; the sentence names it. Free with merged_free.
 */
int merge_modules(const struct view *base, const struct archive_part *modules, size_t n,
		  struct merged *ret_merged, struct fail *f);
void merged_free(struct merged *merged);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A view's types by essential name, for those who ask one BTF for many names: making it costs as
 * much as looking for one need's names without. It borrows the view.
 *
 *	names_new(view, &names, f);
 *	for (i = names_first(names, hash); i < names_end(names, hash); i++)
 *		id = names->ids[i];		in order of ids; compare its name
 */
#ifndef BTFS_NAMES_H
#define BTFS_NAMES_H

#include <stddef.h>
#include <stdint.h>

struct fail;
struct view;

struct names {
	uint32_t *ids;	 /* sorted by bucket, then by id */
	uint32_t *begin; /* of each bucket: index into ids; one more at the end */
	uint32_t mask;	 /* number of buckets less one */
};

/* Kinds that a CO-RE relocation can find: base types, structs, unions, enums, typedefs, forwards.
 */
#define NAMES_KINDS                                                                                \
	(1u << BTF_KIND_INT | 1u << BTF_KIND_STRUCT | 1u << BTF_KIND_UNION | 1u << BTF_KIND_ENUM | \
	 1u << VIEW_KIND_ENUM64 | 1u << BTF_KIND_TYPEDEF | 1u << BTF_KIND_FWD |                    \
	 1u << BTF_KIND_FLOAT)

/* -EBADMSG: a name of a view that was opened lazily lies outside of its strings; -ENOMEM. */
int names_new(const struct view *view, struct names **ret_names, struct fail *f);
void names_free(struct names *names);

/* Of a name's first len bytes; names_hash_essential: of what a flavor leaves. */
uint32_t names_hash(const char *name, size_t len);
uint32_t names_hash_essential(const char *name, size_t *ret_len);

static inline uint32_t names_first(const struct names *n, uint32_t hash)
{
	return n->begin[hash & n->mask];
}

static inline uint32_t names_end(const struct names *n, uint32_t hash)
{
	return n->begin[(hash & n->mask) + 1];
}

#endif

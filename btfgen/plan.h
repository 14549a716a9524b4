/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A need made ready for matching, once for all kernels: its relocations grouped by root, and the
 * lookup of roots by name. It never changes, so that threads may share it; it borrows the need.
 */
#ifndef BTFGEN_PLAN_H
#define BTFGEN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fail;
struct need;

/* One name and kind that relocations start from. libbpf's candidates are found by these two. */
struct plan_root {
	const char *name; /* essential */
	uint32_t name_len;
	uint32_t hash;		/* names_hash of it */
	uint8_t kind;		/* BTF_KIND_*, ENUM for both enums */
	const uint32_t *relocs; /* indexes into the need */
	uint32_t n_relocs;
	uint32_t next; /* root with the same hash, or PLAN_NONE */
};

#define PLAN_NONE UINT32_MAX

struct plan {
	const struct need *need;
	struct plan_root *roots;
	uint32_t n_roots;
	uint32_t *relocs;
	uint32_t *buckets;
	uint32_t mask;	/* number of buckets less one */
	uint32_t kinds; /* a bit for each kind that is some root's */
};

int plan_new(const struct need *need, struct plan **ret_plan, struct fail *f);
void plan_free(struct plan *plan);

/* Whether a type of this kind and name, len bytes of which are essential, is a candidate for it. */
bool plan_is_root(const struct plan_root *root, uint8_t kind, const char *name, size_t len);

/* The root that a type of this kind and (whole) name is a candidate for, or PLAN_NONE. */
uint32_t plan_find(const struct plan *plan, uint8_t kind, const char *name);

#endif

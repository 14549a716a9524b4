// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "names.h"

#include "fail.h"
#include "reloc.h"
#include "view.h"

#include <errno.h>
#include <stdlib.h>

#define BUCKETS	  (1u << 15) /* a kernel has some 30,000 such names */
#define AHEAD	  16	     /* names that are fetched before they are hashed */
#define FNV_START 2166136261u
#define FNV_PRIME 16777619u

uint32_t names_hash(const char *name, size_t len)
{
	uint32_t h = FNV_START;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)name[i]) * FNV_PRIME;
	return h ^ h >> 15;
}

uint32_t names_hash_essential(const char *name, size_t *ret_len)
{
	uint32_t h = FNV_START;
	size_t len = 0;

	for (; name[len]; len++) {
		if (name[len] == '_' && name[len + 1] == '_' && name[len + 2] == '_') {
			*ret_len = reloc_essential_len(name);
			return names_hash(name, *ret_len);
		}
		h = (h ^ (uint8_t)name[len]) * FNV_PRIME;
	}
	*ret_len = len;
	return h ^ h >> 15;
}

/* The ids that have a name of interest, and room for their hashes. */
struct found {
	uint32_t *ids, *hashes;
	size_t n;
};

static int find_named(const struct view *v, struct found *found, struct fail *f)
{
	for (uint32_t id = 1; id < v->n_types; id++) {
		uint32_t off;

		if (!(NAMES_KINDS >> view_kind(v, id) & 1))
			continue;
		off = view_u32(v, view_raw_type(v, id));
		if (off >= v->first_str + v->strs_len)
			return view_reach(v, id, f);
		if (off)
			found->ids[found->n++] = id;
	}
	return 0;
}

static void hash_all(const struct view *v, struct found *found)
{
	size_t len;

	for (size_t i = 0; i < found->n; i++) {
		const char *name;

		if (i + AHEAD < found->n)
			__builtin_prefetch(
				view_name(v, view_u32(v, view_raw_type(v, found->ids[i + AHEAD]))));
		name = view_name(v, view_u32(v, view_raw_type(v, found->ids[i])));
		found->hashes[i] = names_hash_essential(name, &len);
	}
}

static void sort(const struct found *found, struct names *n)
{
	for (size_t i = 0; i < found->n; i++)
		n->begin[(found->hashes[i] & n->mask) + 1]++;
	for (size_t i = 1; i <= n->mask + 1u; i++)
		n->begin[i] += n->begin[i - 1];
	/* filling moves each begin to its end, which is the next one's begin */
	for (size_t i = 0; i < found->n; i++)
		n->ids[n->begin[found->hashes[i] & n->mask]++] = found->ids[i];
	memmove(n->begin + 1, n->begin, (n->mask + 1u) * sizeof(*n->begin));
	n->begin[0] = 0;
}

int names_new(const struct view *view, struct names **ret_names, struct fail *f)
{
	struct names *n = calloc(1, sizeof(*n));
	struct found found = { 0 };
	int err = 0;

	found.ids = calloc(view->n_types, sizeof(*found.ids));
	found.hashes = calloc(view->n_types, sizeof(*found.hashes));
	if (n && found.ids && found.hashes)
		err = find_named(view, &found, f);
	if (n && !err) {
		n->mask = BUCKETS - 1;
		n->ids = calloc(found.n + 1, sizeof(*n->ids));
		n->begin = calloc(BUCKETS + 1, sizeof(*n->begin));
	}
	if (!err && (!n || !found.ids || !found.hashes || !n->ids || !n->begin))
		err = fail(f, -ENOMEM, "no memory for %u names", view->n_types);
	if (!err) {
		hash_all(view, &found);
		sort(&found, n);
		*ret_names = n;
		n = NULL;
	}
	free(found.ids);
	free(found.hashes);
	names_free(n);
	return err;
}

void names_free(struct names *names)
{
	if (!names)
		return;
	free(names->ids);
	free(names->begin);
	free(names);
}

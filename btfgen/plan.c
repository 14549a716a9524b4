// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "plan.h"

#include "btfs/fail.h"
#include "btfs/names.h"
#include "btfs/need.h"
#include "btfs/reloc.h"
#include "btfs/view.h"

#include <errno.h>
#include <stdlib.h>

static int compare_relocs(const void *a, const void *b, void *arg)
{
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	const struct reloc *x = need_reloc(arg, i), *y = need_reloc(arg, j);
	int order = (int)x->root_kind - y->root_kind;

	if (!order)
		order = strcmp(reloc_name(x, x->root), reloc_name(y, y->root));
	return order ? order : (i > j) - (i < j);
}

static bool same_root(const struct plan_root *root, const struct reloc *r)
{
	return root->kind == r->root_kind && !strcmp(root->name, reloc_name(r, r->root));
}

static void group_roots(struct plan *plan, size_t n)
{
	struct plan_root *root = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct reloc *r = need_reloc(plan->need, plan->relocs[i]);

		if (!root || !same_root(root, r)) {
			root = &plan->roots[plan->n_roots++];
			root->name = reloc_name(r, r->root);
			root->name_len = strlen(root->name);
			root->kind = r->root_kind;
			root->relocs = &plan->relocs[i];
			plan->kinds |= 1u << r->root_kind;
			if (r->root_kind == BTF_KIND_ENUM)
				plan->kinds |= 1u << VIEW_KIND_ENUM64;
		}
		root->n_relocs++;
	}
}

static void fill_buckets(struct plan *plan)
{
	memset(plan->buckets, 0xff, (plan->mask + 1) * sizeof(*plan->buckets));
	for (uint32_t i = 0; i < plan->n_roots; i++) {
		struct plan_root *root = &plan->roots[i];
		uint32_t *bucket;

		root->hash = names_hash(root->name, root->name_len);
		bucket = &plan->buckets[root->hash & plan->mask];
		root->next = *bucket;
		*bucket = i;
	}
}

int plan_new(const struct need *need, struct plan **ret_plan, struct fail *f)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	size_t n = need_count(need);

	if (!plan)
		return fail(f, -ENOMEM, "no memory");
	plan->need = need;
	plan->mask = 63;
	while (plan->mask < 4 * n)
		plan->mask = plan->mask * 2 + 1;
	plan->relocs = calloc(n + 1, sizeof(*plan->relocs));
	plan->roots = calloc(n + 1, sizeof(*plan->roots));
	plan->buckets = calloc(plan->mask + 1, sizeof(*plan->buckets));
	if (!plan->relocs || !plan->roots || !plan->buckets) {
		plan_free(plan);
		return fail(f, -ENOMEM, "no memory for %zu relocations", n);
	}
	for (size_t i = 0; i < n; i++)
		plan->relocs[i] = i;
	qsort_r(plan->relocs, n, sizeof(*plan->relocs), compare_relocs, (void *)need);
	group_roots(plan, n);
	fill_buckets(plan);
	*ret_plan = plan;
	return 0;
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	free(plan->relocs);
	free(plan->roots);
	free(plan->buckets);
	free(plan);
}

uint32_t plan_find(const struct plan *plan, uint8_t kind, const char *name)
{
	uint32_t i, h;
	size_t len;

	if (!(plan->kinds >> kind & 1))
		return PLAN_NONE;
	h = names_hash_essential(name, &len);
	for (i = plan->buckets[h & plan->mask]; i != PLAN_NONE; i = plan->roots[i].next)
		if (plan_is_root(&plan->roots[i], kind, name, len))
			break;
	return i;
}

bool plan_is_root(const struct plan_root *root, uint8_t kind, const char *name, size_t len)
{
	if (kind == VIEW_KIND_ENUM64)
		kind = BTF_KIND_ENUM;
	return root->kind == kind && root->name_len == len && !memcmp(root->name, name, len);
}

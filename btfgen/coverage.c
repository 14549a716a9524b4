// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "coverage.h"

#include "answers.h"
#include "batch.h"
#include "btfs/fail.h"
#include "btfs/need.h"
#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct survey {
	const struct plan *plan;
	const struct scan *scan;
	struct coverage_kernel *kernels; /* each thread writes into those that it visits */
};

static void visit(void *ctx, const struct scan_entry *entry, const struct view *view, int err,
		  const char *why)
{
	struct survey *s = ctx;
	struct coverage_kernel *k = &s->kernels[entry - s->scan->entries];
	struct fail f = { .text = "" };

	k->entry = entry;
	if (!err) {
		err = answers_of(s->plan, view, &k->answers, &f);
		k->refused = err != 0;
		why = f.text;
	}
	if (err)
		k->why = strdup(why);
}

static int compare_kernels(const void *a, const void *b)
{
	const struct scan_entry *x = ((const struct coverage_kernel *)a)->entry;
	const struct scan_entry *y = ((const struct coverage_kernel *)b)->entry;
	int order = strcmp(x->kernel.distro, y->kernel.distro);

	if (!order)
		order = strverscmp(x->kernel.distro_version, y->kernel.distro_version);
	if (!order)
		order = strcmp(x->kernel.arch, y->kernel.arch);
	if (!order)
		order = strverscmp(x->kernel.release, y->kernel.release);
	return order ? order : strcmp(x->path, y->path);
}

/* Sorted by answers, so that equal ones are neighbours; then in the order of kernels. */
static int compare_answers(const void *a, const void *b, void *ctx)
{
	const struct coverage *c = ctx;
	size_t i = *(const size_t *)a, k = *(const size_t *)b;
	int order = memcmp(c->kernels[i].answers, c->kernels[k].answers,
			   c->n_relocs * sizeof(struct answer));

	return order ? order : i < k ? -1 : i > k;
}

static int compare_classes(const void *a, const void *b)
{
	const struct coverage_class *x = a, *y = b;

	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	return x->example < y->example ? -1 : x->example > y->example;
}

static bool same(const struct coverage *c, size_t i, size_t k)
{
	return !memcmp(c->kernels[i].answers, c->kernels[k].answers,
		       c->n_relocs * sizeof(struct answer));
}

static size_t class_of(const struct coverage *c, size_t example)
{
	size_t k = 0;

	while (c->classes[k].example != example)
		k++;
	return k;
}

/* sorted: the kernels that have answers, n of them; those of a class stand together. */
static void classify(struct coverage *c, const size_t *sorted, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		if (!i || !same(c, sorted[i - 1], sorted[i]))
			c->classes[c->n_classes++].example = sorted[i];
		c->classes[c->n_classes - 1].n++;
	}
	if (c->n_classes)
		qsort(c->classes, c->n_classes, sizeof(*c->classes), compare_classes);
	for (size_t i = 0; i < n; i++) {
		if (!i || !same(c, sorted[i - 1], sorted[i]))
			k = class_of(c, sorted[i]);
		c->kernels[sorted[i]].index_class = k;
	}
}

static int finish(struct coverage *c, struct fail *f)
{
	size_t *sorted = calloc(c->n + 1, sizeof(*sorted)), n = 0;

	c->classes = calloc(c->n + 1, sizeof(*c->classes));
	if (!sorted || !c->classes) {
		free(sorted);
		return fail(f, -ENOMEM, "no memory for %zu kernels", c->n);
	}
	if (c->n)
		qsort(c->kernels, c->n, sizeof(*c->kernels), compare_kernels);
	for (size_t i = 0; i < c->n; i++) {
		if (c->kernels[i].answers)
			sorted[n++] = i;
		else if (c->kernels[i].refused)
			c->n_refused++;
		else
			c->n_unreadable++;
	}
	qsort_r(sorted, n, sizeof(*sorted), compare_answers, c);
	classify(c, sorted, n);
	free(sorted);
	return 0;
}

int coverage_of(const struct plan *plan, const struct scan *scan, unsigned n_threads,
		struct coverage *ret_coverage, struct fail *f)
{
	struct coverage c = { .n_relocs = need_count(plan->need), .n = scan->n };
	struct survey survey = { .plan = plan, .scan = scan };
	const struct batch_visitor visitor = { .visit = visit, .ctx = &survey };
	int err;

	c.kernels = calloc(scan->n + 1, sizeof(*c.kernels));
	if (!c.kernels)
		return fail(f, -ENOMEM, "no memory for %zu kernels", scan->n);
	survey.kernels = c.kernels;
	batch_kernels(scan, n_threads, &visitor);
	err = finish(&c, f);
	if (err)
		coverage_free(&c);
	else
		*ret_coverage = c;
	return err;
}

void coverage_free(struct coverage *coverage)
{
	for (size_t i = 0; i < coverage->n; i++) {
		free(coverage->kernels[i].answers);
		free(coverage->kernels[i].why);
	}
	free(coverage->kernels);
	free(coverage->classes);
	*coverage = (struct coverage){ 0 };
}

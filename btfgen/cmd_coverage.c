// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "answers.h"
#include "btfs/fail.h"
#include "btfs/need.h"
#include "btfs/text.h"
#include "cmd.h"
#include "coverage.h"
#include "inputs.h"
#include "plan.h"
#include "scan.h"

#include <stdio.h>
#include <string.h>

#define MAX_WIDTH   96 /* columns of a row of the picture, beside its number */
#define MAX_CLASSES 20 /* that are listed without -v */

/* What a picture says of a relocation and a kernel. */
static char mark_of(const struct coverage_kernel *k, size_t reloc)
{
	if (!k->answers)
		return '!';
	return k->answers[reloc].poison ? 'x' : k->answers[reloc].found ? '.' : '-';
}

static size_t count_lacking(const struct coverage *c, size_t reloc)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += c->kernels[i].answers && !c->kernels[i].answers[reloc].found;
	return n;
}

static bool is_new_group(const struct coverage *c, size_t i)
{
	const struct kernel *a = &c->kernels[i - 1].entry->kernel;
	const struct kernel *b = &c->kernels[i].entry->kernel;

	return strcmp(a->distro, b->distro) || strcmp(a->distro_version, b->distro_version) ||
	       strcmp(a->arch, b->arch);
}

/* a, b, ... z, ba, bb, ... */
static void put_letters(struct text *t, size_t group)
{
	if (group >= 26)
		put_letters(t, group / 26);
	text_add(t, "%c", (int)('a' + group % 26));
}

/* Kernels first to end, the groups' letters above them; group is that of the first. */
static void put_heads(struct text *t, const struct coverage *c, size_t first, size_t end,
		      size_t group)
{
	size_t left = t->size + 4, at = left;

	text_add(t, "%4s", "");
	for (size_t i = first; i < end; i++) {
		if (i > first && is_new_group(c, i)) {
			group++;
			at++;
		}
		if (i == first || is_new_group(c, i)) {
			text_add(t, "%*s", t->size < at ? (int)(at - t->size) : 0, "");
			put_letters(t, group);
		}
		at++;
	}
	text_add(t, "\n");
}

static void put_row(struct text *t, const struct coverage *c, size_t reloc, size_t first,
		    size_t end)
{
	for (size_t i = first; i < end; i++) {
		if (i > first && is_new_group(c, i))
			text_add(t, " ");
		text_add(t, "%c", mark_of(&c->kernels[i], reloc));
	}
	text_add(t, "\n");
}

/* As many kernels as a row has room for, from first on; those groups are not cut that fit. */
static size_t find_end(const struct coverage *c, size_t first)
{
	size_t i = first, width = 0, group = first;

	for (; i < c->n; i++) {
		if (i > first && is_new_group(c, i)) {
			group = i;
			width++;
		}
		if (++width > MAX_WIDTH)
			return group > first ? group : i;
	}
	return i;
}

static void put_picture(struct text *t, const struct coverage *c)
{
	size_t group = 0, number;

	for (size_t first = 0, end; first < c->n; first = end) {
		end = find_end(c, first);
		if (first && is_new_group(c, first))
			group++;
		text_add(t, "\n");
		put_heads(t, c, first, end, group);
		number = 0;
		for (size_t r = 0; r < c->n_relocs; r++)
			if (count_lacking(c, r)) {
				text_add(t, "%3zu ", ++number);
				put_row(t, c, r, first, end);
			}
		for (size_t i = first + 1; i < end; i++)
			group += is_new_group(c, i);
	}
}

static void put_groups(struct text *t, const struct coverage *c)
{
	size_t group = 0, n = 0;

	text_add(t, "\nfrom left to right:\n");
	for (size_t i = 0; i < c->n; i++) {
		const struct kernel *k = &c->kernels[i].entry->kernel;

		n++;
		if (i + 1 < c->n && !is_new_group(c, i + 1))
			continue;
		text_add(t, "  ");
		put_letters(t, group++);
		text_add(t, "  %s/%s/%s: %zu\n", k->distro, k->distro_version, k->arch, n);
		n = 0;
	}
}

static void put_lacking(struct text *t, const struct coverage *c, const struct need *need)
{
	size_t number = 0, n;

	text_add(t, "\nrelocations that lead nowhere in some kernels; x: an instruction becomes "
		    "invalid,\n-: the program is told so, .: it is there, !: no answer at all\n");
	for (size_t r = 0; r < c->n_relocs; r++) {
		n = count_lacking(c, r);
		if (!n)
			continue;
		text_add(t, "%4zu  ", ++number);
		answers_put_reloc(t, need_reloc(need, r));
		text_add(t, ": %zu of %zu\n", n, c->n);
	}
}

/* The numbers of the relocations that this class lacks. */
static void put_class_lacks(struct text *t, const struct coverage *c, const struct answer *answers)
{
	const char *before = ", without ";
	size_t number = 0;

	for (size_t r = 0; r < c->n_relocs; r++) {
		if (!count_lacking(c, r))
			continue;
		number++;
		if (answers[r].found)
			continue;
		text_add(t, "%s%zu", before, number);
		before = " ";
	}
}

static void put_members(struct text *t, const struct coverage *c, size_t k)
{
	for (size_t i = 0; i < c->n; i++) {
		if (!c->kernels[i].answers || c->kernels[i].index_class != k)
			continue;
		text_add(t, "      ");
		put_path(t, &c->kernels[i].entry->kernel);
		text_add(t, "\n");
	}
}

static void put_classes(struct text *t, const struct coverage *c, const struct options *o)
{
	size_t n = o->verbose || c->n_classes < MAX_CLASSES ? c->n_classes : MAX_CLASSES;

	text_add(t, "\nkernels with the same answers:\n");
	for (size_t k = 0; k < n; k++) {
		const struct coverage_kernel *example = &c->kernels[c->classes[k].example];

		text_add(t, "  %zu as ", c->classes[k].n);
		put_path(t, &example->entry->kernel);
		put_class_lacks(t, c, example->answers);
		text_add(t, "\n");
		if (o->verbose)
			put_members(t, c, k);
	}
	if (n < c->n_classes)
		text_add(t, "  and %zu classes more; -v lists all\n", c->n_classes - n);
}

static void put_failed(struct text *t, const struct coverage *c)
{
	if (c->n_refused + c->n_unreadable)
		text_add(t, "\nno answers for:\n");
	for (size_t i = 0; i < c->n; i++) {
		const struct coverage_kernel *k = &c->kernels[i];

		if (k->answers)
			continue;
		text_add(t, "  ");
		put_path(t, &k->entry->kernel);
		text_add(t, ": %s\n", k->why ? k->why : "no memory");
	}
}

static void put_report(struct text *t, const struct coverage *c, const struct need *need,
		       const struct options *o)
{
	size_t lacking = 0;

	for (size_t r = 0; r < c->n_relocs; r++)
		lacking += count_lacking(c, r) != 0;
	text_add(t,
		 "%zu kernels, %zu classes of same answers; of %zu relocations %zu lead nowhere "
		 "in some kernel\n",
		 c->n, c->n_classes, c->n_relocs, lacking);
	if (lacking) {
		put_lacking(t, c, need);
		put_picture(t, c);
		put_groups(t, c);
	}
	put_classes(t, c, o);
	put_failed(t, c);
}

static void put_json_relocs(struct text *t, const struct need *need)
{
	for (size_t r = 0; r < need_count(need); r++) {
		struct text name = { 0 };

		answers_put_reloc(&name, need_reloc(need, r));
		t->failed |= name.failed;
		text_add(t, r ? ", " : "");
		text_json(t, name.failed ? "" : name.p);
		text_free(&name);
	}
}

static void put_json_kernels(struct text *t, const struct coverage *c, size_t k)
{
	const char *comma = "";

	for (size_t i = 0; i < c->n; i++) {
		if (!c->kernels[i].answers || c->kernels[i].index_class != k)
			continue;
		text_add(t, "%s{", comma);
		put_kernel(t, &c->kernels[i].entry->kernel);
		text_add(t, "}");
		comma = ", ";
	}
}

static void put_json_failed(struct text *t, const struct coverage *c)
{
	const char *comma = "";

	for (size_t i = 0; i < c->n; i++) {
		const struct coverage_kernel *k = &c->kernels[i];

		if (k->answers)
			continue;
		text_add(t, "%s{", comma);
		put_kernel(t, &k->entry->kernel);
		text_add(t, ", \"refused\": %s, \"why\": ", k->refused ? "true" : "false");
		text_json(t, k->why ? k->why : "no memory");
		text_add(t, "}");
		comma = ", ";
	}
}

static void put_json(struct text *t, const struct coverage *c, const struct need *need)
{
	text_add(t, "{\"need\": \"%s\", \"relocations\": [", need_id(need));
	put_json_relocs(t, need);
	text_add(t, "], \"classes\": [");
	for (size_t k = 0; k < c->n_classes; k++) {
		const struct answer *answers = c->kernels[c->classes[k].example].answers;

		text_add(t, "%s{\"kernels\": [", k ? ", " : "");
		put_json_kernels(t, c, k);
		text_add(t, "], \"answers\": [");
		for (size_t r = 0; r < c->n_relocs; r++) {
			text_add(t, r ? ", " : "");
			answers_put_json(t, &answers[r]);
		}
		text_add(t, "]}");
	}
	text_add(t, "], \"failed\": [");
	put_json_failed(t, c);
	text_add(t, "]}\n");
}

static int cover(const struct options *o, const struct inputs *in, struct coverage *ret,
		 struct scan *kernels, struct fail *f)
{
	struct plan *plan = NULL;
	int err;

	err = read_kernels(o, o->arch ? o->arch : in->arch, kernels, f);
	if (!err)
		err = plan_new(in->need, &plan, f);
	if (!err)
		err = coverage_of(plan, kernels, o->jobs, ret, f);
	plan_free(plan);
	return err;
}

int cmd_coverage(const struct options *o, char **args, int n)
{
	struct coverage coverage = { 0 };
	struct fail f = { .text = "" };
	struct inputs in = { 0 };
	struct scan kernels = { 0 };
	struct text t = { 0 };
	int err, status;

	if (!o->archive)
		return misuse("coverage wants --archive DIR");
	if (!n && !o->need)
		return misuse("coverage wants BPF objects, or --need FILE");
	err = read_inputs(o, args, n, &in, &f);
	if (!err) {
		note_empty(&in, o);
		err = cover(o, &in, &coverage, &kernels, &f);
	}
	if (!err && o->json)
		put_json(&t, &coverage, in.need);
	else if (!err)
		put_report(&t, &coverage, in.need, o);
	status = err ? complain(&f) : print(&t);
	if (coverage.n_unreadable)
		status = EXIT_FAILED;
	coverage_free(&coverage);
	scan_free(&kernels);
	inputs_free(&in);
	return finish(status);
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "btfs/fail.h"
#include "btfs/publish.h"
#include "btfs/text.h"
#include "cmd.h"
#include "pack.h"
#include "shelf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The shelves that are packed, sorted by need. */
struct choice {
	struct shelf *shelves;
	size_t n, n_files;
};

static bool is_asked_for(const struct options *o, const char *id)
{
	for (size_t i = 0; i < o->n_needs; i++)
		if (!strncmp(id, o->needs[i], strlen(o->needs[i])))
			return true;
	return !o->n_needs;
}

/* Each --need is one need's fingerprint, or enough of its beginning. */
static int check_needs(const struct options *o, const struct shelf_needs *needs, struct fail *f)
{
	for (size_t i = 0; i < o->n_needs; i++) {
		size_t n = 0;

		for (size_t k = 0; k < needs->n; k++)
			n += !strncmp(needs->ids[k], o->needs[i], strlen(o->needs[i]));
		if (n != 1)
			return fail(f, n ? -ENOTUNIQ : -ENOENT, "--need %s fits %zu needs of %s",
				    o->needs[i], n, o->tree);
	}
	return 0;
}

static int open_shelves(const struct options *o, const struct shelf_needs *needs,
			struct choice *choice, struct fail *f)
{
	const struct shelf_filter filter = { o->kernels, o->arch };
	int err = 0;

	choice->shelves = calloc(needs->n + 1, sizeof(*choice->shelves));
	if (!choice->shelves)
		return fail(f, -ENOMEM, "no memory");
	for (size_t i = 0; !err && i < needs->n; i++) {
		struct shelf *shelf = &choice->shelves[choice->n];

		if (!is_asked_for(o, needs->ids[i]))
			continue;
		err = shelf_open(o->tree, needs->ids[i], &filter, shelf, f);
		if (!err && shelf->n) {
			choice->n_files += shelf->n;
			choice->n++;
		} else if (!err) {
			shelf_free(shelf);
		}
	}
	if (!err && !choice->n)
		err = fail(f, -ENOENT, "%s: no kernel to pack", o->tree);
	return err;
}

static int choose(const struct options *o, struct choice *choice, struct fail *f)
{
	struct shelf_needs needs = { 0 };
	int err;

	err = shelf_needs(o->tree, &needs, f);
	if (!err)
		err = check_needs(o, &needs, f);
	if (!err)
		err = open_shelves(o, &needs, choice, f);
	shelf_needs_free(&needs);
	return err;
}

static int check_single(const struct choice *c, struct fail *f)
{
	return c->n == 1 ? 0
			 : fail(f, -EINVAL,
				"this form has room for one need of %zu: name it with "
				"--need",
				c->n);
}

static int write_file(const struct options *o, const struct text *t, struct fail *f)
{
	return publish_file(o->out, t->p, t->size, 0644, f);
}

static int make_bundle(const struct options *o, const struct choice *c, struct fail *f)
{
	struct text t = { 0 };
	int err;

	err = pack_bundle(c->shelves, c->n, &t, f);
	if (!err)
		err = write_file(o, &t, f);
	text_free(&t);
	return err;
}

/* After the rest was written. */
static int check_left_out(const struct options *o, const struct text *left_out, struct fail *f)
{
	if (!left_out->size)
		return 0;
	fprintf(stderr, "btfgen: left out, since their names are too long or have two answers:\n%s",
		left_out->p);
	return fail(f, -ENOTUNIQ, "%s: some kernels are not in it", o->out);
}

static int make_bcc(const struct options *o, const struct choice *c, struct fail *f)
{
	struct text t = { 0 }, left_out = { 0 };
	int err;

	err = check_single(c, f);
	if (!err)
		err = pack_bcc(c->shelves, &t, &left_out, f);
	if (!err)
		err = write_file(o, &t, f);
	if (!err)
		err = check_left_out(o, &left_out, f);
	text_free(&t);
	text_free(&left_out);
	return err;
}

static int make_flat(const struct options *o, const struct choice *c, struct fail *f)
{
	struct text left_out = { 0 };
	int err;

	err = check_single(c, f);
	if (!err)
		err = pack_flat(c->shelves, o->out, &left_out, f);
	if (!err)
		err = check_left_out(o, &left_out, f);
	text_free(&left_out);
	return err;
}

static const struct form {
	const char *name;
	int (*make)(const struct options *o, const struct choice *c, struct fail *f);
} forms[] = {
	{ "bundle", make_bundle },
	{ "bcc", make_bcc },
	{ "flat", make_flat },
};

int cmd_bundle(const struct options *o, char **args, int n)
{
	struct options with_tree = *o;
	const struct form *form = NULL;
	struct fail f = { .text = "" };
	struct choice choice = { 0 };
	int err;

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
		if (!strcmp(o->format ? o->format : "bundle", forms[i].name))
			form = &forms[i];
	if (!form)
		return misuse("--format is not bundle, bcc or flat");
	if (!o->out || n != 1)
		return misuse("bundle wants one TREE and --out FILE");
	with_tree.tree = args[0];
	err = choose(&with_tree, &choice, &f);
	if (!err)
		err = form->make(&with_tree, &choice, &f);
	if (!err && !o->quiet)
		printf("%s: kernels %zu, needs %zu\n", o->out, choice.n_files, choice.n);
	for (size_t i = 0; i < choice.n; i++)
		shelf_free(&choice.shelves[i]);
	free(choice.shelves);
	return err ? complain(&f) : finish(EXIT_DONE);
}

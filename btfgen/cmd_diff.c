// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "answers.h"
#include "btfs/fail.h"
#include "btfs/need.h"
#include "btfs/reloc.h"
#include "btfs/text.h"
#include "cmd.h"
#include "inputs.h"
#include "plan.h"
#include "source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_answers(const char *path, const struct plan *plan, struct answer **ret,
			struct fail *f)
{
	struct source source = { 0 };
	int err;

	err = source_open(path, NULL, &source, f);
	if (err)
		return err;
	err = answers_of(plan, source.view, ret, f);
	if (err)
		fail_in(f, err, "%s", path);
	source_close(&source);
	return err;
}

static void put_pair(struct text *t, const struct reloc *r, const struct answer *a,
		     const struct answer *b)
{
	bool same = !memcmp(a, b, sizeof(*a));

	text_add(t, same ? "  " : "! ");
	answers_put_reloc(t, r);
	text_add(t, ": ");
	answers_put(t, r, a);
	if (!same) {
		text_add(t, " -> ");
		answers_put(t, r, b);
	}
	text_add(t, "\n");
}

static void put_pair_json(struct text *t, const struct reloc *r, const struct answer *a,
			  const struct answer *b)
{
	struct text name = { 0 };

	answers_put_reloc(&name, r);
	t->failed |= name.failed;
	text_add(t, "{\"relocation\": ");
	text_json(t, name.failed ? "" : name.p);
	text_add(t, ", \"same\": %s, \"a\": ", memcmp(a, b, sizeof(*a)) ? "false" : "true");
	answers_put_json(t, a);
	text_add(t, ", \"b\": ");
	answers_put_json(t, b);
	text_add(t, "}\n");
	text_free(&name);
}

/* Gives the number of relocations that differ. */
static size_t compare(const struct options *o, const struct need *need,
		      struct answer *const answers[2], struct text *t)
{
	size_t differ = 0;

	for (size_t i = 0; i < need_count(need); i++) {
		const struct answer *a = &answers[0][i], *b = &answers[1][i];
		bool same = !memcmp(a, b, sizeof(*a));

		differ += !same;
		if (same && !o->verbose)
			continue;
		if (o->json)
			put_pair_json(t, need_reloc(need, i), a, b);
		else
			put_pair(t, need_reloc(need, i), a, b);
	}
	if (!o->json && !o->quiet)
		text_add(t, "%zu of %zu relocations differ\n", differ, need_count(need));
	return differ;
}

int cmd_diff(const struct options *o, char **args, int n)
{
	struct answer *answers[2] = { NULL, NULL };
	struct fail f = { .text = "" };
	struct inputs in = { 0 };
	struct plan *plan = NULL;
	struct text t = { 0 };
	int err, status = EXIT_DONE;

	if (n < 3 && !o->need)
		return misuse("diff wants two BTFs and BPF objects, or --need FILE");
	err = read_inputs(o, args + 2, n - 2, &in, &f);
	if (!err) {
		note_empty(&in, o);
		err = plan_new(in.need, &plan, &f);
	}
	for (int i = 0; !err && i < 2; i++)
		err = read_answers(args[i], plan, &answers[i], &f);
	if (err)
		status = complain(&f);
	else if (compare(o, in.need, answers, &t))
		status = EXIT_FAILED;
	if (!err && print(&t))
		status = EXIT_FAILED;
	free(answers[0]);
	free(answers[1]);
	plan_free(plan);
	inputs_free(&in);
	return finish(status);
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "btfs/fail.h"
#include "btfs/publish.h"
#include "cmd.h"
#include "inputs.h"
#include "minimize.h"
#include "plan.h"
#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int write_result(const char *path, const void *data, size_t size, struct fail *f)
{
	if (strcmp(path, "-"))
		return publish_file(path, data, size, 0644, f);
	if (fwrite(data, 1, size, stdout) != size)
		return fail(f, -EIO, "cannot write to standard output");
	return 0;
}

static int cut(const struct options *o, const struct inputs *in, char **args, struct fail *f)
{
	struct source source = { 0 };
	struct plan *plan = NULL;
	struct minimized m = { 0 };
	int err;

	err = plan_new(in->need, &plan, f);
	if (!err)
		err = source_open(args[0], NULL, &source, f);
	if (!err && o->n_modules)
		err = source_add_modules(&source, o->modules, o->n_modules, f);
	if (!err)
		err = minimize(plan, source.view, form_of(o), &m, f);
	if (err && source.view)
		err = fail_in(f, err, "%s", args[0]);
	if (!err)
		err = write_result(args[1], m.btf, m.size, f);
	minimized_free(&m);
	source_close(&source);
	plan_free(plan);
	return err;
}

int cmd_cut(const struct options *o, char **args, int n)
{
	struct fail f = { .text = "" };
	struct inputs in = { 0 };
	int err;

	if (n < 3 && !o->need)
		return misuse("cut wants BPF objects, or --need FILE");
	err = read_inputs(o, args + 2, n - 2, &in, &f);
	if (!err) {
		note_empty(&in, o);
		err = cut(o, &in, args, &f);
	}
	inputs_free(&in);
	return err ? complain(&f) : finish(EXIT_DONE);
}

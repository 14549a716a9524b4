// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "btfs/fail.h"
#include "btfs/need.h"
#include "cmd.h"
#include "inputs.h"

#include <stdio.h>

int cmd_need(const struct options *o, char **args, int n)
{
	struct fail f = { .text = "" };
	struct inputs in = { 0 };
	const char *text;
	size_t size;

	if (read_inputs(o, args, n, &in, &f))
		return complain(&f);
	note_empty(&in, o);
	text = need_text(in.need, &size);
	if (o->id)
		printf("%s\n", need_id(in.need));
	else
		fwrite(text, 1, size, stdout);
	inputs_free(&in);
	return finish(EXIT_DONE);
}

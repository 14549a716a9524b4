// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "btfs/fail.h"
#include "btfs/text.h"
#include "cmd.h"
#include "lint.h"
#include "scan.h"

#include <stdio.h>
#include <string.h>

struct state {
	const struct options *o;
	const char *path;
	size_t n_errors;
	int status;
};

static void show(void *ctx, enum lint_level level, const char *rule, const char *says)
{
	const char *word = level == LINT_ERROR ? "error" : "note";
	struct state *s = ctx;
	struct text t = { 0 };

	s->n_errors += level == LINT_ERROR;
	if (level == LINT_NOTE && s->o->quiet)
		return;
	if (s->o->json) {
		text_add(&t, "{\"file\": ");
		text_json(&t, s->path);
		text_add(&t, ", \"level\": \"%s\", \"rule\": \"%s\", \"says\": ", word, rule);
		text_json(&t, says);
		text_add(&t, "}\n");
	} else {
		size_t len = strlen(s->path);

		/* what cannot be read is often said with its path */
		if (!strncmp(says, s->path, len) && !strncmp(says + len, ": ", 2))
			says += len + 2;
		text_add(&t, "%s: %s: %s [%s]\n", s->path, word, says, rule);
	}
	if (print(&t))
		s->status = EXIT_FAILED;
}

static void look_at(struct state *s, const char *path)
{
	const struct lint lint = { show, s };
	struct fail f = { .text = "" };

	s->path = path;
	if (lint_file(path, &lint, &f))
		s->status = complain(&f);
}

int cmd_lint(const struct options *o, char **args, int n)
{
	struct state s = { .o = o };
	struct fail f = { .text = "" };
	struct scan scan = { 0 };

	if (!n && !o->archive)
		return misuse("lint wants files, or --archive DIR");
	for (int i = 0; i < n; i++)
		look_at(&s, args[i]);
	if (o->archive && read_kernels(o, o->arch, &scan, &f))
		return complain(&f);
	for (size_t i = 0; i < scan.n; i++)
		look_at(&s, scan.entries[i].path);
	scan_free(&scan);
	return finish(s.n_errors ? EXIT_FAILED : s.status);
}

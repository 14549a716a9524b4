// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "dedup.h"

#include "btfs/archive.h"
#include "btfs/fail.h"
#include "btfs/view.h"
#include "child.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int dedup_worst(const struct view *view, const char **ret_name, uint32_t *ret_times, struct fail *f)
{
	const char **names = calloc(view->n_types, sizeof(*names)), *worst = "";
	uint32_t n = 0, times = 0, run = 0;

	if (!names)
		return fail(f, -ENOMEM, "no memory for %u names", view->n_types);
	for (uint32_t id = view->first_id; id < view->n_types; id++) {
		struct view_type t = view_type(view, id);

		if (t.kind == BTF_KIND_STRUCT && *view_name(view, t.name_off))
			names[n++] = view_name(view, t.name_off);
	}
	qsort(names, n, sizeof(*names), compare);
	for (uint32_t i = 0; i < n; i++) {
		run = i && !strcmp(names[i], names[i - 1]) ? run + 1 : 1;
		if (run > times) {
			times = run;
			worst = names[i];
		}
	}
	free(names);
	*ret_name = worst;
	*ret_times = times;
	return 0;
}

struct job {
	const struct view *view;
	const struct mapping *out;
};

static int silent(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return 0;
}

/* In the child: no memory is given back, it ends anyway. */
static int run(void *ctx, int out)
{
	const struct job *job = ctx;
	const void *data;
	struct btf *btf;
	uint32_t size;

	libbpf_set_print(silent);
	btf = btf__new(job->view->data, (uint32_t)job->view->size);
	if (libbpf_get_error(btf) || btf__dedup(btf, NULL))
		return 1;
	data = btf__raw_data(btf, &size);
	return !data || mapping_write(job->out, data, size, NULL);
}

int dedup(const struct view *view, struct mapping *ret_btf, struct fail *f)
{
	struct mapping out = MAPPING_NONE;
	struct job job = { view, &out };
	const struct child child = { run, &job, DEDUP_TIMEOUT_S, ARCHIVE_MAX_BTF };
	struct child_said said = { .size = 0 };
	int err;

	err = mapping_scratch(&out, f);
	if (!err)
		err = child_run(&child, &said, f);
	if (!err && (!WIFEXITED(said.status) || WEXITSTATUS(said.status)))
		err = fail(f, -EBADMSG, "libbpf refuses to deduplicate it");
	if (!err)
		err = mapping_map(&out, f);
	if (err)
		mapping_close(&out);
	else
		*ret_btf = out;
	return err;
}

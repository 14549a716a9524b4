// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "cmd.h"

#include "btfs/fail.h"
#include "btfs/hostfile.h"
#include "btfs/kernel.h"
#include "btfs/need.h"
#include "btfs/text.h"
#include "inputs.h"
#include "scan.h"
#include "work.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int complain(const struct fail *f)
{
	fprintf(stderr, "btfgen: %s\n", f->text);
	return EXIT_FAILED;
}

int misuse(const char *what)
{
	fprintf(stderr, "btfgen: %s; try btfgen --help\n", what);
	return EXIT_USAGE;
}

/* Results that could not be written are no results. */
int finish(int status)
{
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "btfgen: cannot write to standard output\n");
		return EXIT_FAILED;
	}
	return status;
}

int print(struct text *t)
{
	bool failed = t->failed;

	if (failed)
		fprintf(stderr, "btfgen: no memory for the report\n");
	else if (t->size)
		fwrite(t->p, 1, t->size, stdout);
	text_free(t);
	return failed ? EXIT_FAILED : EXIT_DONE;
}

void put_path(struct text *t, const struct kernel *k)
{
	text_add(t, "%s/%s/%s/%s", k->distro, k->distro_version, k->arch, k->release);
}

void put_kernel(struct text *t, const struct kernel *k)
{
	text_add(t, "\"distribution\": ");
	text_json(t, k->distro);
	text_add(t, ", \"distribution_version\": ");
	text_json(t, k->distro_version);
	text_add(t, ", \"arch\": ");
	text_json(t, k->arch);
	text_add(t, ", \"kernel_version\": ");
	text_json(t, k->release);
}

void note_empty(const struct inputs *in, const struct options *o)
{
	for (size_t i = 0; !o->quiet && i < in->n; i++)
		if (!in->files[i].n_records)
			fprintf(stderr, "btfgen: %s: no CO-RE relocations, nothing to do for it\n",
				in->files[i].path);
}

/* From --need, or from the objects. */
int read_inputs(const struct options *o, char **args, int n, struct inputs *ret, struct fail *f)
{
	struct inputs in = { 0 };
	char *text = NULL;
	size_t size;
	int err;

	if (!o->need)
		return inputs_read(args, n, ret, f);
	if (n)
		return fail(f, -EINVAL, "--need stands for the objects: give one or the other");
	err = hostfile_read(NULL, o->need, NEED_MAX_TEXT, &text, &size, f);
	if (!err)
		err = need_parse(text, size, &in.need, f);
	free(text);
	if (err)
		return fail_in(f, err, "%s", o->need);
	*ret = in;
	return 0;
}

int read_kernels(const struct options *o, const char *arch, struct scan *ret, struct fail *f)
{
	struct text unused = { 0 };
	int err;

	err = scan_archive(o->archive, ret, f);
	if (err)
		return err;
	if (o->kernels)
		err = scan_select(ret, o->kernels, &unused, f);
	if (!err && unused.size && !o->quiet)
		fprintf(stderr, "btfgen: %s: these lines cover no kernel of the archive:\n%s",
			o->kernels, unused.p);
	text_free(&unused);
	if (!err && arch)
		scan_select_arch(ret, arch);
	if (!err && o->n_shards)
		scan_select_shard(ret, o->archive, o->shard, o->n_shards);
	if (!err && !ret->n)
		err = fail(f, -ENOENT, "%s: no kernel to work on", o->archive);
	if (err)
		scan_free(ret);
	return err;
}

int open_work(const struct options *o, struct work **ret, struct fail *f)
{
	const struct work_options options = { .archive = o->archive, .folder = o->work };

	*ret = NULL;
	return o->no_work ? 0 : work_open(&options, ret, f);
}

enum minimize_form form_of(const struct options *o)
{
	if (o->no_probe)
		return MINIMIZE_NO_PROBE;
	return o->old_readers ? MINIMIZE_OLD_READERS : MINIMIZE_SERVED;
}

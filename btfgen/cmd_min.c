// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "batch.h"
#include "btfs/fail.h"
#include "btfs/layout.h"
#include "btfs/need.h"
#include "btfs/text.h"
#include "bulk.h"
#include "cmd.h"
#include "cmd_progress.h"
#include "inputs.h"
#include "plan.h"
#include "work.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reports come as threads finish; they are shown in the order of kernels. */
struct outcome {
	struct batch_report report;
	char *why;
};

struct outcomes {
	struct outcome *all;
	size_t n, room;
	struct progress progress;
	bool failed; /* out of memory: shown as such */
};

static void collect(void *ctx, const struct batch_report *report)
{
	struct outcomes *outcomes = ctx;
	struct outcome *o;

	progress_step(&outcomes->progress);
	if (outcomes->n == outcomes->room) {
		size_t room = outcomes->room ? outcomes->room * 2 : 256;

		o = reallocarray(outcomes->all, room, sizeof(*o));
		if (!o) {
			outcomes->failed = true;
			return;
		}
		outcomes->all = o;
		outcomes->room = room;
	}
	o = &outcomes->all[outcomes->n];
	o->report = *report;
	o->why = strdup(report->why ? report->why : "");
	outcomes->failed |= !o->why;
	outcomes->n += o->why != NULL;
}

static int compare_outcomes(const void *a, const void *b)
{
	const struct batch_report *x = &((const struct outcome *)a)->report;
	const struct batch_report *y = &((const struct outcome *)b)->report;

	if (x->job != y->job)
		return x->job < y->job ? -1 : 1;
	return strcmp(x->kernel->path, y->kernel->path);
}

static void show_json(const struct outcome *o, const char *need)
{
	const struct batch_report *r = &o->report;
	const struct kernel *k = &r->kernel->kernel;
	struct text t = { 0 };

	text_add(&t, "{\"distribution\": ");
	text_json(&t, k->distro);
	text_add(&t, ", \"distribution_version\": ");
	text_json(&t, k->distro_version);
	text_add(&t, ", \"arch\": ");
	text_json(&t, k->arch);
	text_add(&t, ", \"kernel_version\": ");
	text_json(&t, k->release);
	text_add(&t, ", \"need\": \"%s\", \"status\": \"%s\"", need,
		 r->err			   ? "failed"
		 : r->written == TREE_SAME ? "reused"
					   : "done");
	if (r->err) {
		text_add(&t, ", \"why\": ");
		text_json(&t, o->why);
	} else {
		text_add(&t, ", \"full_bytes\": %zu, \"bytes\": %zu, \"unmatched\": %zu",
			 r->full_size, r->size, r->n_unmatched);
	}
	text_add(&t, "}\n");
	fputs(t.failed ? "{}\n" : t.p, stdout);
	text_free(&t);
}

static void show(const struct outcome *o, const char *need, const struct options *opts)
{
	const struct batch_report *r = &o->report;
	char path[LAYOUT_PATH_SIZE] = "?";

	if (opts->json) {
		show_json(o, need);
		return;
	}
	layout_path(&r->kernel->kernel, LAYOUT_RAW, path, NULL);
	path[strcspn(path, "\n") - strlen(".btf")] = '\0';
	if (r->err) {
		printf("failed  %s: %s\n", path, o->why);
		return;
	}
	if (opts->quiet)
		return;
	printf("%s  %s: %zu -> %zu bytes", r->written == TREE_SAME ? "reused" : "done  ", path,
	       r->full_size, r->size);
	if (r->n_unmatched)
		printf(", %zu relocations lead nowhere", r->n_unmatched);
	if (opts->verbose)
		printf(", %.2f ms", r->took_ms);
	putchar('\n');
}

static int show_all(struct outcomes *outcomes, const struct batch_job *jobs,
		    const struct options *o)
{
	size_t failed = 0;

	if (outcomes->n)
		qsort(outcomes->all, outcomes->n, sizeof(*outcomes->all), compare_outcomes);
	for (size_t i = 0; i < outcomes->n; i++) {
		const struct outcome *x = &outcomes->all[i];

		failed += x->report.err != 0;
		show(x, need_id(jobs[x->report.job].plan->need), o);
	}
	if (outcomes->failed) {
		fprintf(stderr, "btfgen: no memory for the report\n");
		return EXIT_FAILED;
	}
	if (failed)
		fprintf(stderr, "btfgen: %zu of %zu failed\n", failed, outcomes->n);
	return finish(failed ? EXIT_FAILED : EXIT_DONE);
}

/* The needs of one run, each with its plan and its part of the tree. */
struct jobs {
	struct bulk *bulk;
	struct inputs *inputs;
	struct batch_job *jobs;
	size_t n;
};

static int add_job(const struct options *o, struct jobs *jobs, char **args, int n, struct fail *f)
{
	struct inputs *in = &jobs->inputs[jobs->n];
	struct batch_job *job = &jobs->jobs[jobs->n];
	const struct tree_place place = { o->out, jobs->bulk };
	struct plan *plan = NULL;
	struct text json = { 0 };
	int err;

	err = read_inputs(o, args, n, in, f);
	if (err)
		return err;
	jobs->n++;
	note_empty(in, o);
	if (!need_count(in->need))
		return 0;
	job->arch = o->arch ? o->arch : in->arch;
	err = plan_new(in->need, &plan, f);
	if (err)
		return err;
	job->plan = plan;
	inputs_json(in, &json);
	err = json.failed ? fail(f, -ENOMEM, "no memory")
			  : tree_open(&place, in->need, o->need ? NULL : &json, &job->tree, f);
	text_free(&json);
	return err;
}

static int add_jobs(const struct options *o, struct jobs *jobs, char **args, int n, struct fail *f)
{
	int err;

	err = bulk_new(o->out, &jobs->bulk, f);
	if (err)
		return err;
	jobs->inputs = calloc(n + 1, sizeof(*jobs->inputs));
	jobs->jobs = calloc(n + 1, sizeof(*jobs->jobs));
	if (!jobs->inputs || !jobs->jobs)
		return fail(f, -ENOMEM, "no memory");
	if (!o->each)
		return add_job(o, jobs, args, n, f);
	for (int i = 0; !err && i < n; i++)
		err = add_job(o, jobs, args + i, 1, f);
	return err;
}

/* Objects without relocations need no file; their jobs, which have no plan, are left out. */
static size_t drop_empty(struct jobs *jobs)
{
	size_t n = 0;

	for (size_t i = 0; i < jobs->n; i++)
		if (jobs->jobs[i].plan)
			jobs->jobs[n++] = jobs->jobs[i];
	return n;
}

static void free_jobs(struct jobs *jobs, size_t n_jobs)
{
	for (size_t i = 0; jobs->jobs && i < n_jobs; i++) {
		tree_close(jobs->jobs[i].tree);
		plan_free((struct plan *)jobs->jobs[i].plan);
	}
	for (size_t i = 0; jobs->inputs && i < jobs->n; i++)
		inputs_free(&jobs->inputs[i]);
	free(jobs->inputs);
	free(jobs->jobs);
	bulk_free(jobs->bulk);
}

static int run_jobs(const struct options *o, const struct jobs *jobs, size_t n_jobs)
{
	const char *arch = o->arch ? o->arch : n_jobs == 1 ? jobs->jobs[0].arch : NULL;
	struct outcomes outcomes = { 0 };
	struct fail f = { .text = "" };
	struct scan kernels = { 0 };
	struct batch batch = {
		.kernels = &kernels,
		.jobs = jobs->jobs,
		.n_jobs = n_jobs,
		.form = form_of(o),
		.n_threads = o->jobs,
		.report = collect,
		.ctx = &outcomes,
	};
	int status;

	if (read_kernels(o, arch, &kernels, &f))
		return complain(&f);
	if (open_work(o, &batch.work, &f)) {
		scan_free(&kernels);
		return complain(&f);
	}
	progress_start(&outcomes.progress, kernels.n * n_jobs, o->quiet);
	batch_run(&batch);
	progress_end(&outcomes.progress);
	status = show_all(&outcomes, jobs->jobs, o);
	/* by-release and index.tsv are made of all shards together, by btfgen index */
	if (o->n_shards ? bulk_flush(jobs->bulk, &f) : batch_index(&batch, &f))
		status = complain(&f);
	for (size_t i = 0; i < outcomes.n; i++)
		free(outcomes.all[i].why);
	free(outcomes.all);
	work_close(batch.work);
	scan_free(&kernels);
	return status;
}

int cmd_min(const struct options *o, char **args, int n)
{
	struct fail f = { .text = "" };
	struct jobs jobs = { 0 };
	size_t n_jobs;
	int status = EXIT_DONE;

	if (!o->out || !o->archive)
		return misuse("min wants --out TREE and --archive DIR");
	if (!n && !o->need)
		return misuse("min wants BPF objects, or --need FILE");
	if (add_jobs(o, &jobs, args, n, &f))
		status = complain(&f);
	n_jobs = status ? jobs.n : drop_empty(&jobs);
	if (!status && n_jobs)
		status = run_jobs(o, &jobs, n_jobs);
	free_jobs(&jobs, n_jobs);
	return status;
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "batch.h"

#include "btfs/fail.h"
#include "btfs/view.h"
#include "source.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_THREADS 256
#define MANY_NEEDS  6 /* an index of names pays from here on */

struct run {
	const struct batch *batch;
	pthread_mutex_t lock; /* of the report callback and failed */
	int failed;
};

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void report(struct run *run, const struct batch_report *r)
{
	pthread_mutex_lock(&run->lock);
	if (r->err && run->failed < INT_MAX)
		run->failed++;
	if (run->batch->report)
		run->batch->report(run->batch->ctx, r);
	pthread_mutex_unlock(&run->lock);
}

static int cut(const struct batch *b, const struct view *view, struct batch_report *r,
	       struct fail *f)
{
	const struct batch_job *job = &b->jobs[r->job];
	double start = now_ms();
	struct minimized m = { 0 };
	int err;

	err = minimize(job->plan, view, b->form, &m, f);
	r->took_ms = now_ms() - start;
	if (err)
		return err;
	r->size = m.size;
	r->n_unmatched = m.match.n_unmatched;
	err = tree_put(job->tree, r->kernel, m.btf, m.size, &r->written, f);
	minimized_free(&m);
	return err;
}

static void cut_all(void *ctx, const struct scan_entry *kernel, const struct view *view, int err,
		    const char *why)
{
	struct run *run = ctx;
	const struct batch *b = run->batch;

	for (size_t i = 0; i < b->n_jobs; i++) {
		struct batch_report r = { .kernel = kernel, .job = i, .err = err, .why = why };
		struct fail f = { .text = "" };

		if (b->jobs[i].arch && strcmp(b->jobs[i].arch, kernel->kernel.arch))
			continue;
		if (!err) {
			r.full_size = view->size;
			r.err = cut(b, view, &r, &f);
			r.why = f.text;
		}
		report(run, &r);
	}
}

int batch_run(const struct batch *batch)
{
	struct run run = { .batch = batch, .lock = PTHREAD_MUTEX_INITIALIZER };
	const struct batch_visitor visitor = {
		.visit = cut_all,
		.ctx = &run,
		.work = batch->work,
		.needs = batch->n_jobs < MANY_NEEDS ? BATCH_FEW : BATCH_MANY,
	};

	batch_kernels(batch->kernels, batch->n_threads, &visitor);
	pthread_mutex_destroy(&run.lock);
	return run.failed;
}

/* Threads that take one piece of work after the other. */
struct crew {
	void (*work)(void *ctx, size_t i);
	void *ctx;
	size_t n;
	atomic_size_t next;
};

static void *take_work(void *arg)
{
	struct crew *crew = arg;
	size_t i;

	while ((i = atomic_fetch_add(&crew->next, 1)) < crew->n)
		crew->work(crew->ctx, i);
	return NULL;
}

static void run_crew(struct crew *crew, unsigned n_threads)
{
	size_t want = n_threads ? n_threads : (size_t)sysconf(_SC_NPROCESSORS_ONLN), n = 0;
	pthread_t threads[MAX_THREADS];

	if (want > crew->n)
		want = crew->n;
	if (want > MAX_THREADS)
		want = MAX_THREADS;
	/* this thread works too: one that can't be had only makes it slower */
	while (n + 1 < want && !pthread_create(&threads[n], NULL, take_work, crew))
		n++;
	take_work(crew);
	while (n)
		pthread_join(threads[--n], NULL);
}

struct visiting {
	const struct scan *kernels;
	const struct batch_visitor *visitor;
};

static void visit_kernel(void *ctx, size_t i)
{
	const struct visiting *v = ctx;
	const struct scan_entry *kernel = &v->kernels->entries[i];
	struct source source = { 0 };
	struct fail f = { .text = "" };
	int err;

	err = source_open(kernel->path, v->visitor->work, &source, &f);
	if (!err && v->visitor->needs == BATCH_MANY)
		err = source_index_names(&source, &f);
	v->visitor->visit(v->visitor->ctx, kernel, err ? NULL : source.view, err, f.text);
	source_close(&source);
}

void batch_kernels(const struct scan *kernels, unsigned n_threads,
		   const struct batch_visitor *visitor)
{
	struct visiting v = { kernels, visitor };
	struct crew crew = { .work = visit_kernel, .ctx = &v, .n = kernels->n };

	run_crew(&crew, n_threads);
}

struct indexing {
	const struct batch *batch;
	struct fail *f;
	pthread_mutex_t lock; /* of f and err */
	int err;
};

static void index_tree(void *ctx, size_t i)
{
	struct indexing *x = ctx;
	struct fail f = { .text = "" };
	int err = tree_index(x->batch->jobs[i].tree, &f);

	pthread_mutex_lock(&x->lock);
	if (err && !x->err) {
		x->err = err;
		fail(x->f, err, "%s", f.text);
	}
	pthread_mutex_unlock(&x->lock);
}

int batch_index(const struct batch *batch, struct fail *f)
{
	struct indexing x = { .batch = batch, .f = f, .lock = PTHREAD_MUTEX_INITIALIZER };
	struct crew crew = { .work = index_tree, .ctx = &x, .n = batch->n_jobs };

	run_crew(&crew, batch->n_threads);
	pthread_mutex_destroy(&x.lock);
	return x.err;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Many kernels through one or several needs, on all cores. One bad kernel never stops the others.
 */
#ifndef BTFGEN_BATCH_H
#define BTFGEN_BATCH_H

#include "minimize.h"
#include "scan.h"
#include "tree.h"

#include <stdint.h>

struct fail;
struct plan;
struct view;
struct work;

/* One need and where its answers go. */
struct batch_job {
	const struct plan *plan;
	struct tree *tree;
	const char *arch; /* NULL: kernels of any */
};

/* What became of one kernel and one need. */
struct batch_report {
	const struct scan_entry *kernel;
	size_t job; /* index */
	int err;    /* 0, or negative: why says it in a sentence */
	const char *why;
	enum tree_written written;
	size_t full_size, size; /* bytes */
	size_t n_unmatched;	/* relocations that lead nowhere in this kernel */
	double took_ms;		/* matching and cutting, not the reading */
};

struct batch {
	const struct scan *kernels;
	const struct batch_job *jobs;
	size_t n_jobs;
	struct work *work; /* or NULL */
	enum minimize_form form;
	unsigned n_threads; /* 0: one per core */
	/* Called from one thread at a time, in any order. */
	void (*report)(void *ctx, const struct batch_report *report);
	void *ctx;
};

/* The number of reports with an error. */
int batch_run(const struct batch *batch);

/* tree_index of every job's tree. The first error. */
int batch_index(const struct batch *batch, struct fail *f);

/*
 * The same for other work: every kernel is read and checked, then visited, by n_threads at once
 * (0: one per core). view is NULL where that failed: err and why tell.
 */
struct batch_visitor {
	void (*visit)(void *ctx, const struct scan_entry *kernel, const struct view *view, int err,
		      const char *why);
	void *ctx;
	struct work *work;		      /* or NULL */
	enum { BATCH_FEW, BATCH_MANY } needs; /* that each view will be matched against */
};
void batch_kernels(const struct scan *kernels, unsigned n_threads,
		   const struct batch_visitor *visitor);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Every object against every kernel, asked of libbpf: what btfgen verify does. */
#ifndef BTFGEN_AUDIT_H
#define BTFGEN_AUDIT_H

#include "verify.h"

struct fail;
struct inputs;
struct scan;
struct scan_entry;
struct work;

/* One object and one kernel. */
struct audit_report {
	const struct scan_entry *kernel;
	const char
		*object; /* its path; of a program with several inside, "path#2" from the second */
	int err;	 /* the oracle could not be asked; result.note says why */
	struct verify_result result;
};

enum audit_scope {
	AUDIT_TOGETHER, /* one minimised BTF for the union of the objects' needs */
	AUDIT_EACH,	/* one for each */
};

struct audit {
	const struct scan *kernels;
	const struct inputs *inputs;
	struct work *work; /* or NULL */
	enum audit_scope scope;
	unsigned n_threads; /* 0: one per core */
	/* Called from one thread at a time, in any order. */
	void (*report)(void *ctx, const struct audit_report *report);
	void *ctx;
};

/* -EBADMSG and so on: the objects have no need. Differences are told by reports alone. */
int audit_run(const struct audit *audit, struct fail *f);

#endif

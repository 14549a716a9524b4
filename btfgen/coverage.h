/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Which kernels give a need the same answers. Kernels are grouped by distro, version and arch and
 * come in the order of their versions; classes have the same answers, the largest comes first.
 */
#ifndef BTFGEN_COVERAGE_H
#define BTFGEN_COVERAGE_H

#include <stdbool.h>
#include <stddef.h>

struct answer;
struct fail;
struct plan;
struct scan;
struct scan_entry;

struct coverage_kernel {
	const struct scan_entry *entry;
	struct answer *answers; /* NULL: there are none, why says it */
	char *why;
	bool refused;	    /* by libbpf's rules, while the BTF itself is good */
	size_t index_class; /* with answers */
};

struct coverage_class {
	size_t example, n; /* index of its first kernel; how many it has */
};

struct coverage {
	struct coverage_kernel *kernels;
	size_t n;
	struct coverage_class *classes;
	size_t n_classes;
	size_t n_relocs;
	size_t n_refused, n_unreadable;
};

/* n_threads 0: one per core. The scan must outlive it. -ENOMEM. Free with coverage_free. */
int coverage_of(const struct plan *plan, const struct scan *scan, unsigned n_threads,
		struct coverage *ret_coverage, struct fail *f);
void coverage_free(struct coverage *coverage);

#endif

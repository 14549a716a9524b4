/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Which kernel a source is of, from all that says something about it: they must agree. */
#ifndef BTFGEN_IDENTIFY_H
#define BTFGEN_IDENTIFY_H

#include "btfs/kernel.h"

struct fail;
struct package;

/* What is known before a source is opened; NULL where it is not. */
struct identify_given {
	const char *distro, *distro_version, *arch, *release;
};

/*
 * inside: what the kernel says of itself, package: its package ("" without one), path: the
 * source's, whose name or place in BTFHub's layout may tell. Given comes first, but may not
 * contradict the kernel. -EBADMSG: they disagree; -EINVAL: something is told by none.
 */
int identify(const struct identify_given *given, const struct kernel *inside,
	     const struct package *package, const char *path, struct kernel *ret_kernel,
	     struct fail *f);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What is wrong with a file that is to be a kernel's BTF, or worth knowing of it. */
#ifndef BTFGEN_LINT_H
#define BTFGEN_LINT_H

#include <stddef.h>
#include <stdint.h>

struct fail;

#define LINT_MAX_REPEATED 32 /* types of one name: good files have up to 8, bad ones hundreds */
#define LINT_SMALL	  (1u << 20)  /* bytes: the smallest whole kernel known has 2 MB */
#define LINT_LARGE	  (16u << 20) /* the largest that was deduplicated has 12 MB */

enum lint_level {
	LINT_NOTE,
	LINT_ERROR, /* it should not be served */
};

struct lint {
	void (*found)(void *ctx, enum lint_level level, const char *rule, const char *says);
	void *ctx;
};

/*
 * Calls found for each finding. The file's last four parts of a path tell which kernel it should be
 * of, where they are of BTFHub's layout. 0, whatever is found; -ENOMEM.
 */
int lint_file(const char *path, const struct lint *lint, struct fail *f);

#endif

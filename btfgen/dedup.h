/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * BTF in which a type stands hundreds of times, since the tool that made it did not deduplicate:
 * right, but 27 MB where 4 are enough, and slow to relocate against.
 */
#ifndef BTFGEN_DEDUP_H
#define BTFGEN_DEDUP_H

#include "mapping.h"

#include <stdint.h>

struct fail;
struct view;

#define DEDUP_MANY	32  /* structs of one name; kernels have up to 8 that differ */
#define DEDUP_TIMEOUT_S 900 /* the worst known takes 200 s of cpu */

/* The struct name that occurs most often; "" if there is none. Lies in the view's strings. -ENOMEM.
 */
int dedup_worst(const struct view *view, const char **ret_name, uint32_t *ret_times,
		struct fail *f);

/* libbpf's deduplication, in a process of its own, into a scratch file that is made and mapped.
 * -ETIMEDOUT; -EBADMSG: libbpf refused. */
int dedup(const struct view *view, struct mapping *ret_btf, struct fail *f);

#endif

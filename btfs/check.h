/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The rules that a BTF's types must keep, stricter than libbpf's and modelled on the kernel's own
 * (kernel/bpf/btf.c). For view_open alone: everybody else gets a view that has passed.
 */
#ifndef BTFS_CHECK_H
#define BTFS_CHECK_H

#include <stdint.h>

struct check;
struct fail;
struct view;

#define CHECK_MAX_STRUCT   (16u << 20) /* bytes of a struct or union */
#define CHECK_MAX_BITFIELD 128	       /* bits; s390x has some of __int128 */

/*
 * Every record lies inside its section already. What was found sound is remembered; one thread at
 * a time. Free with check_free.
 */
int check_new(const struct view *view, struct check **ret_check, struct fail *f);
void check_free(struct check *check);

/* All types. Linear in the BTF's size, without recursion. */
int check_all(struct check *check, struct fail *f);

/* One type of the view, id included in its range, and all that it holds by value. */
int check_type(struct check *check, uint32_t id, struct fail *f);

#endif

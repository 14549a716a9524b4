// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Types asked for as a whole: whether they exist, how large they are, what id they have. */
#include "corner.h"

struct task_struct {
	int x;
} RELOCATED;

struct no_such_struct {
	int x;
} RELOCATED;

struct no_such_struct___flavor {
	int x;
} RELOCATED;

struct task_struct___flavor {
	int y;
} RELOCATED;

/* the kernel's is a struct */
union task_struct___union {
	int x;
};

struct __key_reference_with_attributes;
typedef struct __key_reference_with_attributes *key_ref_t;

union bpf_attr___local {
	int x;
};

enum pid_type { PIDTYPE_ANY };
enum no_such_enum { NONE };

typedef int pid_t;
typedef unsigned long size_t;
typedef unsigned long long sector_t;
typedef struct task_struct *no_such_typedef;
typedef int (*work_func_t)(struct task_struct *); /* returns void in the kernel */
typedef void (*rcu_callback_t)(struct no_such_struct *);
typedef int (*filler_t)(void *, struct no_such_struct *);
typedef void (*exitcall_t)(void);
typedef unsigned int (*nf_hookfn___local)(void *, void *, const struct task_struct *);
typedef unsigned long pgprot_t; /* a struct in the kernel */
typedef unsigned long kernel_ulong_t;
typedef struct {
	int counter;
} atomic_t;
typedef int fpb_t[4];
typedef double no_such_double;

PROGRAM exist(void *ctx)
{
	long sum = 0;

	sum += bpf_core_type_exists(struct task_struct);
	sum += bpf_core_type_exists(struct task_struct___flavor);
	sum += bpf_core_type_exists(struct no_such_struct);
	sum += bpf_core_type_exists(struct no_such_struct___flavor);
	sum += bpf_core_type_exists(union task_struct___union);
	sum += bpf_core_type_exists(union bpf_attr___local);
	sum += bpf_core_type_exists(enum pid_type) + bpf_core_type_exists(enum no_such_enum);
	sum += bpf_core_type_exists(pid_t) + bpf_core_type_exists(no_such_typedef);
	sum += bpf_core_type_exists(key_ref_t) + bpf_core_type_exists(size_t);
	sum += bpf_core_type_exists(work_func_t) + bpf_core_type_exists(rcu_callback_t);
	sum += bpf_core_type_exists(filler_t) + bpf_core_type_exists(exitcall_t);
	sum += bpf_core_type_exists(nf_hookfn___local) + bpf_core_type_exists(pgprot_t);
	sum += bpf_core_type_exists(atomic_t) + bpf_core_type_exists(fpb_t);
	sum += bpf_core_type_exists(no_such_double) + bpf_core_type_exists(kernel_ulong_t);
	return sum;
}

PROGRAM size(void *ctx)
{
	long sum = 0;

	sum += bpf_core_type_size(struct task_struct);
	sum += bpf_core_type_size(struct no_such_struct);
	sum += bpf_core_type_size(union bpf_attr___local);
	sum += bpf_core_type_size(enum pid_type) + bpf_core_type_size(pid_t);
	sum += bpf_core_type_size(sector_t) + bpf_core_type_size(rcu_callback_t);
	sum += bpf_core_type_size(key_ref_t) + bpf_core_type_size(atomic_t);
	sum += bpf_core_type_size(size_t) + bpf_core_type_size(no_such_double);
	return sum;
}

/*
 * The kernel's points to a struct, so there is no such type. Cut to what the field needs it would
 * point to void, and be there.
 */
typedef void *opaque_t;

struct uses_opaque {
	opaque_t o;
} RELOCATED;

PROGRAM opaque(struct uses_opaque *u)
{
	return (long)BPF_CORE_READ(u, o) + bpf_core_type_exists(opaque_t);
}

PROGRAM local_ids(void *ctx)
{
	return bpf_core_type_id_local(struct task_struct) + bpf_core_type_id_local(pid_t) +
	       bpf_core_type_id_local(struct no_such_struct);
}

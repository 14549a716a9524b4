// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Modifiers, typedefs and type tags on the way; programs that are optional, or called. */
#include "corner.h"

#define TAG(text) __attribute__((btf_type_tag(text)))

typedef const volatile unsigned int cv_uint;

struct cred {
	const unsigned int TAG("a") *volatile *const no_such_pointer;
	struct {
		unsigned int val;
	} uid;
} RELOCATED;

struct task_struct {
	const struct cred TAG("rcu") * cred;
	const struct cred TAG("b") TAG("c") * real_cred;
	const volatile cv_uint flags;
	struct task_struct *restrict parent;
} RELOCATED;

struct tagged {
	int TAG("user") * TAG("rcu") * one;
	const char TAG("user") *const *restrict two;
	float three;
	double four[2];
	cv_uint five[3];
} RELOCATED;

static __attribute__((noinline)) long called(const volatile struct task_struct *t)
{
	return BPF_CORE_READ(t, cred, uid.val) + BPF_CORE_READ(t, real_cred, uid.val);
}

PROGRAM follow(struct task_struct *t)
{
	struct tagged *x = (void *)t;

	return called(t) + BPF_CORE_READ(t, flags) + (long)BPF_CORE_READ(t, parent) +
	       (long)BPF_CORE_READ(x, one) + (long)BPF_CORE_READ(x, two) +
	       BPF_CORE_READ(x, five[1]) + bpf_core_field_size(x->three) +
	       bpf_core_field_size(x->four) + bpf_core_field_offset(x->four[1]);
}

SEC("?raw_tp/sys_exit") int optional(struct task_struct *t)
{
	struct cred *c = (void *)t;

	return bpf_core_field_exists(c->no_such_pointer) + bpf_core_type_exists(struct tagged);
}

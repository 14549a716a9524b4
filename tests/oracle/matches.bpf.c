// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* bpf_core_type_matches; clang 14 cannot compile it. */
#include "corner.h"

struct list_head {
	struct list_head *next, *prev;
} RELOCATED;

struct hlist_node {
	struct hlist_node *next;
} RELOCATED;

/* a member of another type */
struct hlist_head {
	int first;
} RELOCATED;

struct callback_head {
	struct callback_head *next;
	void (*func)(struct callback_head *head);
} RELOCATED;

struct rb_node {
	unsigned long __rb_parent_color;
	struct rb_node *rb_right;
} RELOCATED;

struct rb_root___flavor {
	struct rb_node *rb_node___flavor;
} RELOCATED;

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
} RELOCATED;

struct timespec64 {
	long long tv_sec;
	long tv_nsec;
} RELOCATED;

struct upid {
	int nr;
	struct pid_namespace *ns;
} RELOCATED;

union sigval {
	int sival_int;
	void *sival_ptr;
};

union ktime___other {
	int x;
};

enum pid_type {
	PIDTYPE_PID,
	PIDTYPE_TGID___flavored,
};

enum pid_type___more {
	PIDTYPE_NO_SUCH,
};

struct work_struct;

typedef int pid_t;
typedef unsigned int dev_t;
typedef int (*no_such_func_t)(int);
typedef struct {
	int counter;
} atomic_t;
typedef void (*work_func_t)(struct work_struct *work);
typedef struct wrapped {
	int a[3];
	struct inner {
		unsigned char b;
		struct inner *self;
	} in[2];
	union {
		int u;
		float f;
	};
} wrapped_t;

struct nosuch;
/* of the kernel's p only that it is a pointer is needed by who reads it */
struct uses_opaque {
	void *p;
} RELOCATED;
typedef struct nosuch *opaque_t;
struct __key_reference_with_attributes;
typedef struct __key_reference_with_attributes *key_ref_t;

PROGRAM match(struct uses_opaque *u)
{
	long sum = (long)BPF_CORE_READ(u, p) + bpf_core_type_matches(struct uses_opaque);

	sum += bpf_core_type_matches(struct list_head) + bpf_core_type_matches(struct hlist_node);
	sum += bpf_core_type_matches(struct hlist_head) + bpf_core_type_matches(struct rb_node);
	sum += bpf_core_type_matches(struct rb_root___flavor) + bpf_core_type_matches(struct path);
	sum += bpf_core_type_matches(struct callback_head) + bpf_core_type_matches(struct upid);
	sum += bpf_core_type_matches(struct timespec64) + bpf_core_type_matches(union sigval);
	sum += bpf_core_type_matches(union ktime___other) + bpf_core_type_matches(enum pid_type);
	sum += bpf_core_type_matches(enum pid_type___more) + bpf_core_type_matches(pid_t);
	sum += bpf_core_type_matches(dev_t) + bpf_core_type_matches(no_such_func_t);
	sum += bpf_core_type_matches(atomic_t) + bpf_core_type_matches(work_func_t);
	sum += bpf_core_type_matches(wrapped_t) + bpf_core_type_matches(struct wrapped);
	sum += bpf_core_type_matches(opaque_t) + bpf_core_type_matches(key_ref_t);
	sum += bpf_core_type_matches(struct inner);
	return sum;
}

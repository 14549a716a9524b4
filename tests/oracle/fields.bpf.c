// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Fields: offsets, sizes, existence, signs and shifts of every sort of member. */
#include "corner.h"

struct mm_struct {
	struct {
		unsigned long start_code, end_code; /* one level deeper in the kernel */
		unsigned long no_such_member;
	};
} RELOCATED;

struct list_head {
	struct list_head *next, *prev;
} RELOCATED;

struct upid {
	int nr;
} RELOCATED;

struct pid {
	unsigned int level;
	struct upid numbers[]; /* [1] before 6.8, [] since */
} RELOCATED;

struct task_struct {
	int pid;
	int tgid;
	unsigned char comm[16];
	struct task_struct *real_parent, *group_leader;
	struct mm_struct *mm;
	struct list_head tasks;
	struct pid *thread_pid;
	unsigned int in_execve : 1;
	unsigned int in_iowait : 1;
	unsigned long long start_time;
	int prio; /* plain in all kernels */
	long long no_such_field;
	struct list_head *mems_allowed_seq; /* it is a struct: no match */
	volatile long state;		    /* before 5.14 */
	unsigned int __state;
} RELOCATED;

/* Another kernel's view of the same. */
struct task_struct___flavor {
	unsigned int __state;
	struct list_head children;
} RELOCATED;

struct task_struct___a___b {
	int exit_code;
} RELOCATED;

struct sk_buff {
	unsigned char pkt_type : 3;
	unsigned char cloned : 1;
	unsigned short protocol;
	union {
		unsigned int mark;
		unsigned int reserved_tailroom;
	};
} RELOCATED;

struct tcp_sock {
	unsigned int nonagle : 4;
	unsigned char repair : 1;
	unsigned char is_sack_reneg : 1;
} RELOCATED;

struct net_device {
	char name[16];
	int ifindex;
	unsigned int mtu;
} RELOCATED;

struct file_operations {
	long (*read)(void *);
	int (*no_such_operation)(void);
} RELOCATED;

struct inode {
	unsigned short i_mode;
	const struct file_operations *i_fop;
} RELOCATED;

struct no_such_struct {
	int x;
	struct list_head list[2];
} RELOCATED;

PROGRAM read_fields(struct task_struct **ctx)
{
	struct task_struct *t = ctx[0];
	unsigned char c;
	long sum = 0;

	sum += BPF_CORE_READ(t, pid) + BPF_CORE_READ(t, group_leader, real_parent, tgid);
	sum += BPF_CORE_READ(t, mm, start_code) + BPF_CORE_READ(t, mm, end_code);
	sum += BPF_CORE_READ(t, start_time) + BPF_CORE_READ(t, prio);
	bpf_core_read(&c, 1, &t->comm[3]);
	sum += (long)BPF_CORE_READ(t, tasks.next) + c;
	sum += BPF_CORE_READ(t, thread_pid, numbers[0].nr);
	sum += BPF_CORE_READ(t, thread_pid, numbers[1].nr);
	return sum;
}

PROGRAM load_fields(struct task_struct **ctx)
{
	struct task_struct *t = ctx[0];

	return t->pid + t->tgid + t->comm[0] + t->start_time + (t->real_parent == t->group_leader);
}

PROGRAM elements(struct upid *ctx)
{
	struct upid *third = &ctx[3]; /* the root as an array */

	return third->nr + ctx[1].nr;
}

PROGRAM exists(struct task_struct *t)
{
	struct task_struct___flavor *flavored = (void *)t;
	long sum = 0;

	sum += bpf_core_field_exists(t->pid) + bpf_core_field_exists(t->no_such_field) * 2;
	sum += bpf_core_field_exists(t->state) * 4 + bpf_core_field_exists(t->__state) * 8;
	sum += bpf_core_field_exists(flavored->__state) * 16;
	sum += bpf_core_field_exists(t->mems_allowed_seq) * 32;
	sum += bpf_core_field_exists(t->tasks.next) * 64;
	sum += bpf_core_field_exists(t->comm[15]) * 128;
	return sum;
}

PROGRAM sizes(struct task_struct *t)
{
	struct task_struct___a___b *two = (void *)t;
	struct file_operations *f = (void *)t;
	struct inode *i = (void *)t;
	long sum = 0;

	sum += bpf_core_field_size(t->comm) + bpf_core_field_size(t->comm[2]);
	sum += bpf_core_field_size(t->tasks) + bpf_core_field_size(t->real_parent);
	sum += bpf_core_field_size(two->exit_code) + bpf_core_field_size(f->read);
	sum += bpf_core_field_size(i->i_mode) + bpf_core_field_size(i->i_fop);
	sum += INFO(t->pid, SIGNED) + INFO(t->start_time, SIGNED);
	sum += INFO(t->in_execve, SIGNED) + INFO(i->i_mode, BYTE_OFFSET);
	sum += INFO(t->pid, LSHIFT_U64) + INFO(t->pid, RSHIFT_U64);
	sum += INFO(i->i_mode, LSHIFT_U64) + INFO(i->i_mode, RSHIFT_U64);
	return sum;
}

PROGRAM bitfields(struct task_struct *t)
{
	struct tcp_sock *tp = (void *)t;
	struct sk_buff *skb = (void *)t;
	long sum = 0;

	sum += BPF_CORE_READ_BITFIELD_PROBED(t, in_execve);
	sum += BPF_CORE_READ_BITFIELD_PROBED(t, in_iowait);
	sum += BPF_CORE_READ_BITFIELD_PROBED(skb, pkt_type);
	sum += BPF_CORE_READ_BITFIELD_PROBED(skb, cloned);
	sum += BPF_CORE_READ_BITFIELD_PROBED(skb, protocol); /* none, read as if it were */
	sum += BPF_CORE_READ_BITFIELD_PROBED(tp, nonagle);
	sum += BPF_CORE_READ_BITFIELD_PROBED(tp, repair);
	sum += BPF_CORE_READ_BITFIELD(tp, is_sack_reneg);
	return sum;
}

PROGRAM anonymous(struct sk_buff *skb)
{
	struct net_device *dev = (void *)skb;

	return BPF_CORE_READ(skb, mark) + BPF_CORE_READ(skb, reserved_tailroom) +
	       BPF_CORE_READ(dev, ifindex) + BPF_CORE_READ(dev, mtu) + BPF_CORE_READ(dev, name[5]);
}

/* libbpf makes the instructions invalid: the verifier would not let them be reached. */
PROGRAM poisoned(struct task_struct **ctx)
{
	struct no_such_struct *none = (void *)ctx;
	struct file_operations *f = (void *)ctx;
	struct mm_struct *mm = (void *)ctx;
	struct task_struct *t = ctx[0];
	long sum = 0;

	sum += BPF_CORE_READ(t, no_such_field) + t->no_such_field;
	sum += BPF_CORE_READ(none, x) + (long)BPF_CORE_READ(none, list[1].next);
	sum += bpf_core_field_size(none->list) + bpf_core_field_exists(none->x);
	sum += (long)BPF_CORE_READ(f, no_such_operation) + BPF_CORE_READ(mm, no_such_member);
	return sum;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's types, as far as our programs read them: only the fields used, in no particular
 * order, since libbpf moves every access to where the running kernel has the field (CO-RE). A type
 * that kernels of different age spell differently has flavors: NAME___since is the kernel's NAME.
 *
 * Also the UAPI's integers. linux/types.h is not taken, as it needs the machine's own asm/ folder.
 */
#ifndef BPF_KERNEL_TYPES_H
#define BPF_KERNEL_TYPES_H

typedef unsigned char __u8;
typedef signed short __s16;
typedef unsigned short __u16;
typedef signed int __s32;
typedef unsigned int __u32;
typedef signed long long __s64;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

#define TASK_COMM_LEN 16

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	__u32 val;
} kuid_t;

struct cred {
	kuid_t uid;
	kuid_t euid;
};

struct task_struct {
	__s32 pid;
	__s32 tgid;
	__s32 exit_code;
	__u64 start_time;     /* CLOCK_MONOTONIC, nanoseconds since 3.17 */
	__u64 start_boottime; /* CLOCK_BOOTTIME */
	char comm[TASK_COMM_LEN];
	struct task_struct *real_parent;
	const struct cred *cred;
};

/* Until 5.5, cf25e24db61c "time: Rename tsk->real_start_time to ->start_boottime". */
struct task_struct___pre55 {
	__u64 real_start_time;
};

#pragma clang attribute pop

#endif

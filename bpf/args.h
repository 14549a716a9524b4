/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Arguments of a probed kernel function, out of the registers that a kprobe program is given.
 *
 *	SEC("kprobe/commit_creds")
 *	int on_commit(struct pt_regs *regs)
 *	{
 *		struct cred *new = (struct cred *)ARG1(regs);
 *
 * Which register holds which argument is the architecture's calling convention; where in pt_regs
 * the register lies is asked of the kernel's BTF. An architecture is a struct and a list of fields.
 */
#ifndef BPF_ARGS_H
#define BPF_ARGS_H

#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#if defined(__TARGET_ARCH_x86)

/* System V ABI for AMD64, 3.2.3. */
#define ARGS_FIELD_1	  di
#define ARGS_FIELD_2	  si
#define ARGS_FIELD_3	  dx
#define ARGS_FIELD_4	  cx
#define ARGS_FIELD_5	  r8
#define ARGS_FIELD_6	  r9
#define ARGS_FIELD_RETURN ax
#define ARGS_FIELD_IP	  ip

struct pt_regs {
	unsigned long di, si, dx, cx, r8, r9, ax, ip;
} __attribute__((preserve_access_index));

#elif defined(__TARGET_ARCH_arm64)

/* AAPCS64, 6.8.2. In the kernel's pt_regs these are members of an anonymous struct. */
#define ARGS_FIELD_1	  regs[0]
#define ARGS_FIELD_2	  regs[1]
#define ARGS_FIELD_3	  regs[2]
#define ARGS_FIELD_4	  regs[3]
#define ARGS_FIELD_5	  regs[4]
#define ARGS_FIELD_6	  regs[5]
#define ARGS_FIELD_RETURN regs[0]
#define ARGS_FIELD_IP	  pc

struct pt_regs {
	__u64 regs[31];
	__u64 pc;
} __attribute__((preserve_access_index));

#else
#error "no calling convention is known for this architecture"
#endif

#define ARG1(regs)	 BPF_CORE_READ(regs, ARGS_FIELD_1)
#define ARG2(regs)	 BPF_CORE_READ(regs, ARGS_FIELD_2)
#define ARG3(regs)	 BPF_CORE_READ(regs, ARGS_FIELD_3)
#define ARG4(regs)	 BPF_CORE_READ(regs, ARGS_FIELD_4)
#define ARG5(regs)	 BPF_CORE_READ(regs, ARGS_FIELD_5)
#define ARG6(regs)	 BPF_CORE_READ(regs, ARGS_FIELD_6)
#define ARG_RETURN(regs) BPF_CORE_READ(regs, ARGS_FIELD_RETURN) /* in a kretprobe */
#define ARG_IP(regs)	 BPF_CORE_READ(regs, ARGS_FIELD_IP)

#endif

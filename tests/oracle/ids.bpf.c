// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Ids of kernel types: the one answer that cannot be kept. */
#include "corner.h"

struct task_struct {
	int pid;
} RELOCATED;

struct no_such_struct {
	int x;
} RELOCATED;

typedef int pid_t;

PROGRAM ids(struct task_struct *t)
{
	return bpf_core_type_id_kernel(struct task_struct) + bpf_core_type_id_kernel(pid_t) +
	       bpf_core_type_id_kernel(struct no_such_struct) + BPF_CORE_READ(t, pid);
}

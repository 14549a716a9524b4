// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * For programs.t, one object for each macro: programs that no BTF but the kernel's own serves, and
 * programs of which this kernel can run some.
 */
#include "bpf/kernel_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#ifdef TYPED_TRACEPOINT
SEC("tp_btf/sched_process_exec") int typed(void *ctx)
{
	return 0;
}
#endif

#ifdef FUNCTION_ENTRY
SEC("fentry/commit_creds") int entry(void *ctx)
{
	return 0;
}
#endif

#ifdef TYPED_SYMBOL
extern const int runqueues __ksym;

SEC("raw_tp/sched_process_exec") int symbol(void *ctx)
{
	return runqueues != 0;
}
#endif

#ifdef SOME
struct task_struct___never {
	int no_such_field;
} __attribute__((preserve_access_index));

SEC("raw_tp/sched_process_exit") int missing(void *ctx)
{
	struct task_struct___never *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, no_such_field);
}

SEC("tp/sched/no_such_tracepoint") int nowhere(void *ctx)
{
	return 0;
}

SEC("raw_tp/sched_process_fork") int good(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, tgid);
}
#endif

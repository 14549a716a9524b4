// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Collector "kernel": processes that start a program, end, or change their user.
 *
 * exec and exit come from the scheduler's tracepoints: raw ones where they can be had, as these
 * need neither tracefs nor the right to read it. No tracepoint tells of credentials: a kprobe does.
 */
#include "kernel_types.h"
#include "args.h"
#include "emit.h"
#include "events.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline __u64 started_boot_ns(struct task_struct *task)
{
	struct task_struct___pre55 *old = (void *)task;

	if (bpf_core_field_exists(task->start_boottime))
		return BPF_CORE_READ(task, start_boottime);
	return BPF_CORE_READ(old, real_start_time);
}

static __always_inline void fill(struct event_header *header, struct event_process *process,
				 struct task_struct *task, __u32 type)
{
	struct task_struct *parent = BPF_CORE_READ(task, real_parent);

	header->type = type;
	header->time_ns = bpf_ktime_get_ns();
	process->started_boot_ns = started_boot_ns(task);
	process->pid = BPF_CORE_READ(task, tgid);
	process->ppid = BPF_CORE_READ(parent, tgid);
	process->uid = BPF_CORE_READ(task, cred, uid.val);
	bpf_core_read(process->comm, sizeof(process->comm), &task->comm);
	bpf_core_read(process->parent_comm, sizeof(process->parent_comm), &parent->comm);
}

static __always_inline int on_exec(void *ctx, enum emit_way way)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct event_exec e = {};

	e.header.size = sizeof(e);
	fill(&e.header, &e.process, task, EVENT_EXEC);
	return emit(ctx, way, &e, sizeof(e));
}

EMIT_PROGRAM("raw_tp/sched_process_exec", exec__raw, void, on_exec)
EMIT_PROGRAM("tp/sched/sched_process_exec", exec__tp, void, on_exec)

static __always_inline int on_exit(void *ctx, enum emit_way way)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct event_exit e = {};

	if (BPF_CORE_READ(task, pid) != BPF_CORE_READ(task, tgid))
		return 0;
	e.header.size = sizeof(e);
	fill(&e.header, &e.process, task, EVENT_EXIT);
	e.duration_ns = e.header.time_ns - BPF_CORE_READ(task, start_time);
	e.wait_status = BPF_CORE_READ(task, exit_code);
	return emit(ctx, way, &e, sizeof(e));
}

EMIT_PROGRAM("raw_tp/sched_process_exit", exit__raw, void, on_exit)
EMIT_PROGRAM("tp/sched/sched_process_exit", exit__tp, void, on_exit)

/* int commit_creds(struct cred *new): every change of credentials ends here, exec's too. */
static __always_inline int on_creds(struct pt_regs *regs, enum emit_way way)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct cred *new = (void *)ARG1(regs);
	struct event_creds e = {};

	e.new_uid = BPF_CORE_READ(new, uid.val);
	e.new_euid = BPF_CORE_READ(new, euid.val);
	e.euid = BPF_CORE_READ(task, cred, euid.val);
	if (e.new_uid == BPF_CORE_READ(task, cred, uid.val) && e.new_euid == e.euid)
		return 0;
	e.header.size = sizeof(e);
	fill(&e.header, &e.process, task, EVENT_CREDS);
	return emit(regs, way, &e, sizeof(e));
}

EMIT_PROGRAM("kprobe/commit_creds", creds__kprobe, struct pt_regs, on_creds)

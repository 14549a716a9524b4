/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the collectors tell user space, shared by both sides. An event is fixed in size and begins
 * with its type and its size in bytes: a newer sender appends fields and keeps the type, a reader
 * takes as many bytes as it knows. No field depends on the word size of either side.
 */
#ifndef BPF_EVENTS_H
#define BPF_EVENTS_H

#ifdef __bpf__
#include "kernel_types.h"
#else
#include <linux/types.h>
#endif

#define EVENTS_COMM_SIZE 16 /* the kernel's TASK_COMM_LEN: 15 bytes of any value and a NUL */

enum event_type {
	EVENT_EXEC = 1,
	EVENT_EXIT = 2,
	EVENT_CREDS = 3,
};

struct event_header {
	__u32 type;    /* enum event_type */
	__u32 size;    /* bytes, of the header too */
	__u64 time_ns; /* CLOCK_MONOTONIC */
};

/* Who did it. Numbers are those of the initial namespaces. */
struct event_process {
	__u64 started_boot_ns; /* CLOCK_BOOTTIME; with the pid it names the process for ever */
	__u32 pid;	       /* of the process: the kernel's tgid */
	__u32 ppid;
	__u32 uid; /* real */
	__u32 reserved;
	char comm[EVENTS_COMM_SIZE];
	char parent_comm[EVENTS_COMM_SIZE];
};

/* A process runs a new program; comm is already the new one. */
struct event_exec {
	struct event_header header;
	struct event_process process;
};

/* The first thread of a process ended, which is the process's end in all but rare cases. */
struct event_exit {
	struct event_header header;
	struct event_process process;
	__u64 duration_ns; /* since its start */
	__u32 wait_status; /* as wait(2) gives it */
	__u32 reserved;
};

/* A process changes its real or effective user; process.uid is the one before. */
struct event_creds {
	struct event_header header;
	struct event_process process;
	__u32 euid; /* before */
	__u32 new_uid;
	__u32 new_euid;
	__u32 reserved;
};

#endif

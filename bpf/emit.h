/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Events to user space: by the ring buffer (kernel 5.8) or, on older kernels, a perf buffer.
 *
 *	static __always_inline int on_exec(void *ctx, enum emit_way way)
 *	{
 *		struct event_exec e = { ... };
 *
 *		return emit(ctx, way, &e, sizeof(e));
 *	}
 *	EMIT_PROGRAM("raw_tp/sched_process_exec", exec__raw, void, on_exec)
 *
 * makes two programs of the one source, exec__raw_ring and exec__raw_perf; the loader takes those
 * whose map the kernel can make. A flag in .rodata would need just one, but there is no global data
 * before 5.2. Programs whose names agree up to "__" are alternatives: the first one that can be
 * attached is used.
 */
#ifndef BPF_EMIT_H
#define BPF_EMIT_H

#include "kernel_types.h"
#include <bpf/bpf_helpers.h>

#define EMIT_RING_BYTES (256 * 1024)

/* linux/bpf.h */
#define EMIT_MAP_PERF_EVENT_ARRAY 4
#define EMIT_MAP_PERCPU_ARRAY	  6
#define EMIT_MAP_RINGBUF	  27
#define EMIT_CURRENT_CPU	  0xffffffffULL

enum emit_way { EMIT_RING, EMIT_PERF };

struct {
	__uint(type, EMIT_MAP_RINGBUF);
	__uint(max_entries, EMIT_RING_BYTES);
} events_ring SEC(".maps");

struct {
	__uint(type, EMIT_MAP_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} events_perf SEC(".maps");

/* Events that found no room, by CPU. */
struct {
	__uint(type, EMIT_MAP_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} events_lost SEC(".maps");

static __always_inline int emit(void *ctx, enum emit_way way, void *event, __u32 size)
{
	__u32 zero = 0;
	__u64 *lost;
	long err;

	if (way == EMIT_RING)
		err = bpf_ringbuf_output(&events_ring, event, size, 0);
	else
		err = bpf_perf_event_output(ctx, &events_perf, EMIT_CURRENT_CPU, event, size);
	if (!err)
		return 0;
	lost = bpf_map_lookup_elem(&events_lost, &zero);
	if (lost)
		(*lost)++;
	return 0;
}

#define EMIT_PROGRAM(section, name, context, body) \
	SEC(section) int name##_ring(context *ctx) \
	{                                          \
		return body(ctx, EMIT_RING);       \
	}                                          \
	SEC(section) int name##_perf(context *ctx) \
	{                                          \
		return body(ctx, EMIT_PERF);       \
	}

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Events of a loaded object, out of the ring buffer or the perf buffer that bpf/emit.h fills. The
 * ring buffer keeps their order, the perf buffer only that of each CPU.
 */
#ifndef AGENT_STREAM_H
#define AGENT_STREAM_H

#include <stddef.h>
#include <stdint.h>

struct fail;
struct load;
struct stream;

#define STREAM_PERF_PAGES 64 /* of each CPU */

/* One event's bytes, as they came. */
typedef void stream_event_fn(void *ctx, const void *data, size_t size);

/* -ENOENT: the object has no maps of bpf/emit.h. load must outlive the stream. */
int stream_new(const struct load *load, stream_event_fn *event, void *ctx,
	       struct stream **ret_stream, struct fail *f);
void stream_free(struct stream *stream); /* takes NULL */

/* Readable when events wait; for poll(2). */
int stream_fd(const struct stream *stream);
/* Hands over what waits and returns. */
void stream_read(struct stream *stream);
/* Events that found no room so far. */
uint64_t stream_lost(const struct stream *stream);

#endif

// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "stream.h"
#include "load.h"
#include "btfs/fail.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct stream {
	struct ring_buffer *ring; /* or */
	struct perf_buffer *perf;
	int lost_fd; /* of the map where programs count; negative: none */
	int n_cpus;
	uint64_t lost_reported; /* by the perf buffer's own records */
	stream_event_fn *event;
	void *ctx;
};

static int ring_event(void *ctx, void *data, size_t size)
{
	struct stream *stream = ctx;

	stream->event(stream->ctx, data, size);
	return 0;
}

static void perf_event(void *ctx, int cpu, void *data, __u32 size)
{
	struct stream *stream = ctx;

	stream->event(stream->ctx, data, size);
}

static void perf_lost(void *ctx, int cpu, __u64 n)
{
	struct stream *stream = ctx;

	stream->lost_reported += n;
}

static int open_buffer(struct stream *stream, enum load_buffer kind, int fd)
{
	if (kind == LOAD_BUFFER_RING)
		stream->ring = ring_buffer__new(fd, ring_event, stream, NULL);
	else
		stream->perf = perf_buffer__new(fd, STREAM_PERF_PAGES, perf_event, perf_lost,
						stream, NULL);
	return stream->ring || stream->perf ? 0 : -errno;
}

int stream_new(const struct load *load, stream_event_fn *event, void *ctx,
	       struct stream **ret_stream, struct fail *f)
{
	enum load_buffer kind = load_buffer(load);
	int err, fd = load_map_fd(load, kind == LOAD_BUFFER_RING ? LOAD_MAP_RING : LOAD_MAP_PERF);
	struct stream *stream;

	if (kind == LOAD_BUFFER_ANY || fd < 0)
		return fail(f, -ENOENT, "the object has no maps %s and %s, so it tells no events",
			    LOAD_MAP_RING, LOAD_MAP_PERF);
	stream = calloc(1, sizeof(*stream));
	if (!stream)
		return fail(f, -ENOMEM, "no memory to read events");
	stream->event = event;
	stream->ctx = ctx;
	stream->lost_fd = load_map_fd(load, LOAD_MAP_LOST);
	stream->n_cpus = libbpf_num_possible_cpus();
	err = open_buffer(stream, kind, fd);
	if (err) {
		stream_free(stream);
		return fail(f, err, "the %s buffer cannot be opened: %s",
			    kind == LOAD_BUFFER_RING ? "ring" : "perf", strerror(-err));
	}
	*ret_stream = stream;
	return 0;
}

void stream_free(struct stream *stream)
{
	if (!stream)
		return;
	ring_buffer__free(stream->ring);
	perf_buffer__free(stream->perf);
	free(stream);
}

int stream_fd(const struct stream *stream)
{
	return stream->ring ? ring_buffer__epoll_fd(stream->ring)
			    : perf_buffer__epoll_fd(stream->perf);
}

/*
 * All buffers, ready or not: a poll of stream_fd clears the mark that makes a perf buffer ready
 * (perf_poll takes it, as of 5.10), so that libbpf's own poll would find none.
 */
void stream_read(struct stream *stream)
{
	if (stream->ring)
		ring_buffer__consume(stream->ring);
	else
		perf_buffer__consume(stream->perf);
}

/* The program sees each failure itself from 5.1 on; before, the perf buffer alone reports. */
uint64_t stream_lost(const struct stream *stream)
{
	uint64_t *values, sum = 0;
	uint32_t zero = 0;
	int i;

	if (stream->lost_fd < 0 || stream->n_cpus <= 0)
		return stream->lost_reported;
	values = calloc((size_t)stream->n_cpus, sizeof(*values));
	if (values && !bpf_map_lookup_elem(stream->lost_fd, &zero, values)) {
		for (i = 0; i < stream->n_cpus; i++)
			sum += values[i];
	}
	free(values);
	return sum > stream->lost_reported ? sum : stream->lost_reported;
}

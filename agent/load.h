/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Loads a BPF object with the BTF that was provisioned and attaches what this kernel can run.
 *
 * Programs whose names agree up to "__" (exec__raw_ring, exec__tp_ring) are alternatives, tried in
 * the object's order: one of them is attached. Where an object has both maps of bpf/emit.h, those
 * named "..._ring" or "..._perf" are for one kind of buffer and the others are left out. What the
 * kernel refuses is switched off with its reason, and the rest runs.
 *
 *	struct load_opts opts = { .object = object, .btf_path = btfdepot__path(depot) };
 *	struct load *load;
 *
 *	err = load_new(&opts, &load, f);
 *	fd = load_map_fd(load, LOAD_MAP_RING);	who reads events begins here
 *	err = load_attach(load, f);
 *	for (i = 0; i < load_n_events(load); i++)
 *		... load_event(load, i)->by ...
 *	load_free(load);	detaches
 */
#ifndef AGENT_LOAD_H
#define AGENT_LOAD_H

#include "btfdepot.h"

struct fail;
struct load;

#define LOAD_MAX_PROGRAMS 256
#define LOAD_NAME_SIZE	  64 /* bytes with the NUL; longer names are cut */
#define LOAD_WHY_SIZE	  256

#define LOAD_MAP_RING "events_ring"
#define LOAD_MAP_PERF "events_perf"
#define LOAD_MAP_LOST "events_lost"

enum load_buffer {
	LOAD_BUFFER_ANY, /* the ring buffer where the kernel has it */
	LOAD_BUFFER_RING,
	LOAD_BUFFER_PERF,
};

struct load_opts {
	struct btfdepot_object object;
	const char *btf_path; /* for btf_custom_path; NULL: the kernel's own, or none */
	enum load_buffer buffer;
	const char *attach; /* alternatives tried first: "raw", "tp", "kprobe"; NULL: none */
	/* libbpf's own words, line by line; noise is 1 where they look bad and mean nothing. */
	void (*log)(void *ctx, const char *line, int noise);
	void *log_ctx;
};

/* Several programs of which one is attached, or none. */
struct load_event {
	char name[LOAD_NAME_SIZE];
	char by[LOAD_NAME_SIZE]; /* section of the one attached; "" if the event is off */
	char why[LOAD_WHY_SIZE]; /* of an event that is off */
};

struct load_times {
	uint32_t open_us, load_us, attach_us;
};

/*
 * -ENOTSUP: not one program can run here; -EPERM: no right to load; -EINVAL: not a BPF object;
 * -E2BIG; -ENOMEM. Not for several threads at once:
 * libbpf has one log for all.
 */
int load_new(const struct load_opts *opts, struct load **ret_load, struct fail *f);
/* To be called once. -ENOTSUP: nothing could be attached. */
int load_attach(struct load *load, struct fail *f);
void load_free(struct load *load); /* takes NULL */

size_t load_n_events(const struct load *load);
const struct load_event *load_event(const struct load *load, size_t i); /* owned by load */
struct load_times load_times(const struct load *load);
/* LOAD_BUFFER_ANY: the object has no maps of bpf/emit.h, so no events can be read. */
enum load_buffer load_buffer(const struct load *load);
/* -ENOENT: no such map, or it was left out. */
int load_map_fd(const struct load *load, const char *name);

#endif

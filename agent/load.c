// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "load.h"
#include "clock.h"
#include "btfs/fail.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KPROBE_PMU "/sys/bus/event_source/devices/kprobe/type"
#define LINE_SIZE  1024 /* of libbpf's log; longer lines are cut */

struct program {
	char name[LOAD_NAME_SIZE];
	char section[LOAD_NAME_SIZE];
	int off;		 /* 1: not to be loaded */
	char why[LOAD_WHY_SIZE]; /* of one that the kernel refused; "" for one that is not wanted */
	struct bpf_link *link;
};

struct load {
	struct load_opts opts;
	struct bpf_object *object;
	struct program *programs; /* in the object's order */
	size_t n_programs;
	struct load_event *events;
	size_t n_events;
	enum load_buffer buffer;
	struct load_times times;
	char missing[LOAD_WHY_SIZE]; /* the type or field that libbpf last named as missing */
};

/* libbpf's print callback has no context: this is the load that runs, or NULL. */
static struct load *logging;

/* "...: failed to resolve CO-RE relocation <byte_off> [8] struct x.y (0:0 @ offset 0)" */
static void note_missing(struct load *load, const char *line)
{
	static const char words[] = "failed to resolve CO-RE relocation ";
	const char *at = strstr(line, words), *end;
	int length;

	at = at ? strstr(at, "] ") : NULL;
	end = at ? strstr(at, " (") : NULL;
	length = end ? (int)(end - at) - 2 : 0;
	if (length > 0)
		snprintf(load->missing, sizeof(load->missing), "%.*s", length, at + 2);
}

static int __attribute__((format(printf, 2, 0)))
libbpf_said(enum libbpf_print_level level, const char *fmt, va_list args)
{
	static const char *const noise[] = {
		/* Kernels before 4.18 take no BTF at all, later ones not every kind of it. */
		"Error loading .BTF into kernel",
		/* Harmless from 5.11 on; where it is not, making the map fails and says so. */
		"RLIMIT_MEMLOCK",
	};
	char text[LINE_SIZE], *line, *rest = text;
	int is_noise = level == LIBBPF_DEBUG;
	size_t i;

	if (!logging)
		return 0;
	vsnprintf(text, sizeof(text), fmt, args);
	for (i = 0; i < sizeof(noise) / sizeof(noise[0]); i++)
		is_noise |= strstr(text, noise[i]) != NULL;
	while ((line = strsep(&rest, "\n"))) {
		note_missing(logging, line);
		if (*line && logging->opts.log)
			logging->opts.log(logging->opts.log_ctx, line, is_noise);
	}
	return 0;
}

/* The name's part that alternatives share. */
static size_t event_length(const char *name)
{
	const char *end = strstr(name, "__");

	return end ? (size_t)(end - name) : strlen(name);
}

static int same_event(const struct program *a, const struct program *b)
{
	size_t n = event_length(a->name);

	return n == event_length(b->name) && !memcmp(a->name, b->name, n);
}

static int ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

static int open_object(struct load *load, struct fail *f)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = load->opts.btf_path,
		    .object_name = "btfdepot");
	int err;

	load->object = bpf_object__open_mem(load->opts.object.data, load->opts.object.size, &opts);
	if (load->object)
		return 0;
	err = -errno;
	return fail(f, err == -ENOMEM ? err : -EINVAL,
		    "libbpf does not take it for a BPF object; -v shows what it says");
}

static int list_programs(struct load *load, struct fail *f)
{
	struct bpf_program *program;
	struct program *p;

	load->programs = calloc(LOAD_MAX_PROGRAMS, sizeof(*load->programs));
	load->events = calloc(LOAD_MAX_PROGRAMS, sizeof(*load->events));
	if (!load->programs || !load->events)
		return fail(f, -ENOMEM, "no memory for the list of programs");
	bpf_object__for_each_program(program, load->object) {
		if (load->n_programs == LOAD_MAX_PROGRAMS)
			return fail(f, -E2BIG, "the object has more than %d programs",
				    LOAD_MAX_PROGRAMS);
		p = &load->programs[load->n_programs++];
		snprintf(p->name, sizeof(p->name), "%s", bpf_program__name(program));
		snprintf(p->section, sizeof(p->section), "%s", bpf_program__section_name(program));
		p->off = !bpf_program__autoload(program);
	}
	return load->n_programs ? 0 : fail(f, -EINVAL, "the object has no programs");
}

/* Makes the object's settings those of the table; only: if not NULL, this program alone. */
static void apply_choice(struct load *load, const struct program *only)
{
	const struct program *p = load->programs;
	struct bpf_program *program;
	struct bpf_map *map;

	bpf_object__for_each_program(program, load->object) {
		bpf_program__set_autoload(program, only ? p == only : !p->off);
		p++;
	}
	if (load->buffer == LOAD_BUFFER_ANY)
		return;
	map = bpf_object__find_map_by_name(
		load->object, load->buffer == LOAD_BUFFER_RING ? LOAD_MAP_PERF : LOAD_MAP_RING);
	bpf_map__set_autocreate(map, false);
}

/* Switches the programs of the other kind of buffer off, where the object has both. */
static void choose_buffer(struct load *load)
{
	const char *other;
	size_t i;

	if (!bpf_object__find_map_by_name(load->object, LOAD_MAP_RING) ||
	    !bpf_object__find_map_by_name(load->object, LOAD_MAP_PERF))
		return;
	load->buffer = load->opts.buffer;
	if (load->buffer == LOAD_BUFFER_ANY)
		load->buffer = libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL) > 0
				       ? LOAD_BUFFER_RING
				       : LOAD_BUFFER_PERF;
	other = load->buffer == LOAD_BUFFER_RING ? "_perf" : "_ring";
	for (i = 0; i < load->n_programs; i++)
		load->programs[i].off |= ends_with(load->programs[i].name, other);
}

static int has_tracefs_file(const char *name)
{
	static const char *const roots[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	char path[128];
	size_t i;

	for (i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", roots[i], name);
		if (!access(path, F_OK))
			return 1;
	}
	return 0;
}

/* libbpf would load them and then fail with a bare ENOENT. */
static void choose_kprobes(struct load *load)
{
	struct program *p;

	if (!access(KPROBE_PMU, F_OK) || has_tracefs_file("kprobe_events"))
		return;
	for (p = load->programs; p < load->programs + load->n_programs; p++) {
		if (p->off ||
		    (strncmp(p->section, "kprobe", 6) && strncmp(p->section, "kretprobe", 9)))
			continue;
		p->off = 1;
		snprintf(p->why, sizeof(p->why), "this kernel has no kprobes");
	}
}

static void why_not_loaded(const struct load *load, struct program *p, int err)
{
	const char *why = NULL;

	switch (-err) {
	case EPERM:
		why = "no right to load it: needs root, or CAP_BPF and CAP_PERFMON";
		break;
	case EACCES:
		why = "the kernel's verifier refused it; -v shows why";
		break;
	case ESRCH:
		why = "there is no BTF for this kernel";
		break;
	}
	if (load->missing[0])
		snprintf(p->why, sizeof(p->why), "this kernel's BTF has no %.200s", load->missing);
	else if (why)
		snprintf(p->why, sizeof(p->why), "%s", why);
	else
		snprintf(p->why, sizeof(p->why), "the kernel does not take it (%s); -v shows why",
			 strerror(-err));
	p->off = 1;
}

static int reopen(struct load *load, struct fail *f)
{
	bpf_object__close(load->object);
	load->object = NULL;
	load->missing[0] = '\0';
	return open_object(load, f);
}

/* libbpf loads all or nothing and doesn't tell which one failed: each is tried alone. */
static int switch_off_failing(struct load *load, struct fail *f)
{
	struct program *p;
	int err;

	for (p = load->programs; p < load->programs + load->n_programs; p++) {
		if (p->off)
			continue;
		err = reopen(load, f);
		if (err)
			return err;
		apply_choice(load, p);
		err = bpf_object__load(load->object);
		if (err)
			why_not_loaded(load, p, err);
	}
	return reopen(load, f);
}

static const struct program *first_reason(const struct load *load)
{
	const struct program *p;

	for (p = load->programs; p < load->programs + load->n_programs; p++) {
		if (p->why[0])
			return p;
	}
	return NULL;
}

static int count_wanted(const struct load *load)
{
	size_t i;
	int n = 0;

	for (i = 0; i < load->n_programs; i++)
		n += !load->programs[i].off;
	return n;
}

static int nothing_runs(const struct load *load, int code, struct fail *f)
{
	const struct program *p = first_reason(load);

	if (!p)
		return fail(f, -ENOTSUP, "the object has no program that is to be loaded");
	return fail(f, code, "no program can run here; %s: %s", p->section, p->why);
}

static int load_programs(struct load *load, struct fail *f)
{
	int first, err;

	if (!count_wanted(load))
		return nothing_runs(load, -ENOTSUP, f);
	apply_choice(load, NULL);
	first = bpf_object__load(load->object);
	if (!first)
		return 0;
	err = switch_off_failing(load, f);
	if (err)
		return err;
	if (!count_wanted(load))
		return nothing_runs(load, first == -EPERM ? -EPERM : -ENOTSUP, f);
	apply_choice(load, NULL);
	err = bpf_object__load(load->object);
	if (err)
		return fail(f, err, "programs that load alone do not load together (%s)",
			    strerror(-err));
	return 0;
}

static void why_not_attached(struct program *p, int err)
{
	const char *why = NULL;
	int is_tp = !strncmp(p->section, "tp/", 3) || !strncmp(p->section, "tracepoint/", 11);

	if (err == -EOPNOTSUPP)
		why = "programs of this kind are not attached by btf-agent";
	else if (err == -EACCES && is_tp)
		why = "tracefs may not be read: needs root or CAP_DAC_READ_SEARCH";
	else if (err == -EPERM || err == -EACCES)
		why = "no right to attach it: needs root or CAP_PERFMON";
	else if (is_tp && !has_tracefs_file("events"))
		why = "tracefs is not mounted at /sys/kernel/tracing";
	else if (err == -ENOENT)
		why = "this kernel has nothing of that name";
	if (why)
		snprintf(p->why, sizeof(p->why), "%s", why);
	else
		snprintf(p->why, sizeof(p->why), "the kernel does not attach it (%s)",
			 strerror(-err));
}

static int attach(struct load *load, struct program *p)
{
	struct bpf_program *program = bpf_object__find_program_by_name(load->object, p->name);

	p->link = program ? bpf_program__attach(program) : NULL;
	if (!p->link)
		why_not_attached(p, program ? -errno : -ENOENT);
	return p->link != NULL;
}

/* Whether its name's part after "__" begins with the word. */
static int is_preferred(const struct program *p, const char *word)
{
	size_t n = event_length(p->name);

	return word && p->name[n] && !strncmp(p->name + n + 2, word, strlen(word));
}

/* Attaches the first alternative of first's event that takes; the preferred ones' turn is first. */
static struct program *attach_one_of(struct load *load, const struct program *first)
{
	struct program *p, *end = load->programs + load->n_programs;
	int turn;

	for (turn = 0; turn < 2; turn++) {
		for (p = load->programs; p < end; p++) {
			if (p->off || !same_event(p, first) ||
			    is_preferred(p, load->opts.attach) != !turn)
				continue;
			if (attach(load, p))
				return p;
		}
	}
	return NULL;
}

/* The reasons of an event's programs, one after the other. */
static void join_reasons(const struct load *load, const struct program *first,
			 struct load_event *event)
{
	const struct program *p;
	size_t n = 0;

	for (p = first; p < load->programs + load->n_programs; p++) {
		if (!p->why[0] || !same_event(p, first) || n >= sizeof(event->why))
			continue;
		n += (size_t)snprintf(event->why + n, sizeof(event->why) - n, "%s%s: %s",
				      n ? "; " : "", p->section, p->why);
	}
}

static void unload_spares(struct load *load)
{
	struct bpf_program *program;
	const struct program *p = load->programs;

	bpf_object__for_each_program(program, load->object) {
		if (!p->off && !p->link)
			bpf_program__unload(program);
		p++;
	}
}

static int attach_events(struct load *load, struct fail *f)
{
	struct program *p, *q, *done;
	struct load_event *event;
	uint64_t start = clock_now_us();
	int n_attached = 0;

	for (p = load->programs; p < load->programs + load->n_programs; p++) {
		for (q = load->programs; q < p && !same_event(q, p);)
			q++;
		if (q < p)
			continue;
		event = &load->events[load->n_events++];
		snprintf(event->name, sizeof(event->name), "%.*s", (int)event_length(p->name),
			 p->name);
		done = attach_one_of(load, p);
		if (done)
			snprintf(event->by, sizeof(event->by), "%s", done->section);
		else
			join_reasons(load, p, event);
		n_attached += done != NULL;
	}
	unload_spares(load);
	load->times.attach_us = (uint32_t)(clock_now_us() - start);
	return n_attached ? 0 : nothing_runs(load, -ENOTSUP, f);
}

static int open_and_load(struct load *load, struct fail *f)
{
	uint64_t start = clock_now_us(), opened;
	int err;

	err = open_object(load, f);
	if (err)
		return err;
	err = list_programs(load, f);
	if (err)
		return err;
	choose_buffer(load);
	choose_kprobes(load);
	opened = clock_now_us();
	load->times.open_us = (uint32_t)(opened - start);
	err = load_programs(load, f);
	load->times.load_us = (uint32_t)(clock_now_us() - opened);
	return err;
}

/* Runs one step with libbpf's log going to this load; outside of it libbpf is silent. */
static int with_log(struct load *load, int (*step)(struct load *load, struct fail *f),
		    struct fail *f)
{
	int err;

	logging = load;
	libbpf_set_print(libbpf_said);
	err = step(load, f);
	logging = NULL;
	return err;
}

int load_new(const struct load_opts *opts, struct load **ret_load, struct fail *f)
{
	struct load *load = calloc(1, sizeof(*load));
	int err;

	if (!load)
		return fail(f, -ENOMEM, "no memory to load an object");
	load->opts = *opts;
	err = with_log(load, open_and_load, f);
	if (err) {
		load_free(load);
		return err;
	}
	*ret_load = load;
	return 0;
}

int load_attach(struct load *load, struct fail *f)
{
	return with_log(load, attach_events, f);
}

void load_free(struct load *load)
{
	size_t i;

	if (!load)
		return;
	for (i = 0; i < load->n_programs; i++)
		bpf_link__destroy(load->programs[i].link);
	bpf_object__close(load->object);
	free(load->programs);
	free(load->events);
	free(load);
}

size_t load_n_events(const struct load *load)
{
	return load->n_events;
}

const struct load_event *load_event(const struct load *load, size_t i)
{
	return &load->events[i];
}

struct load_times load_times(const struct load *load)
{
	return load->times;
}

enum load_buffer load_buffer(const struct load *load)
{
	return load->buffer;
}

int load_map_fd(const struct load *load, const char *name)
{
	const struct bpf_map *map = bpf_object__find_map_by_name(load->object, name);
	int fd = map ? bpf_map__fd(map) : -1;

	return fd < 0 ? -ENOENT : fd;
}

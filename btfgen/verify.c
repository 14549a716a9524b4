// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "verify.h"

#include "btfs/fail.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define POISON_IMM 195896080 /* "bad relo": bpf_core_poison_insn in relo_core.c */

/* One object as libbpf relocated it with one BTF. */
struct relocated {
	struct bpf_object *object;
	int err; /* 0: relocation went through */
	char why[256];
};

/* libbpf tells why only through this, and gives it no context: one per thread. */
static _Thread_local struct log {
	bool relocated;
	bool denied;
	char last[256];
} log_of_thread;

static __attribute__((format(printf, 2, 0))) int take_log(enum libbpf_print_level level,
							  const char *format, va_list args)
{
	struct log *log = &log_of_thread;
	char line[256];

	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(line, sizeof(line), format, args);
	if (strstr(line, "missing BPF prog type"))
		log->relocated = true;
	if (strstr(line, "Couldn't load trivial BPF program"))
		log->denied = true;
	/* the first warning names the cause, those behind it what failed in turn */
	if (!log->last[0])
		snprintf(log->last, sizeof(log->last), "%s", line);
	log->last[strcspn(log->last, "\n")] = '\0';
	return 0;
}

static int share(const struct verify_btf *btf, char *path, size_t path_size, struct fail *f)
{
	int fd = memfd_create("btf", MFD_CLOEXEC);

	if (fd < 0)
		return fail(f, -errno, "cannot make a file in memory");
	if (write(fd, btf->data, btf->size) != (ssize_t)btf->size) {
		close(fd);
		return fail(f, -ENOSPC, "cannot write %zu bytes to a file in memory", btf->size);
	}
	snprintf(path, path_size, "/proc/self/fd/%d", fd);
	return fd;
}

/*
 * A program without a type is the first thing that libbpf refuses once everything is relocated, so
 * none gets one. Maps are not created, which relocation of instructions does not need.
 */
static void disarm(struct bpf_object *object)
{
	struct bpf_program *prog;
	struct bpf_map *map;

	bpf_object__for_each_program(prog, object) {
		bpf_program__set_autoload(prog, true);
		bpf_program__set_type(prog, BPF_PROG_TYPE_UNSPEC);
	}
	bpf_object__for_each_map(map, object)
		bpf_map__set_autocreate(map, false);
}

static int relocate(const struct verify_btf *elf, const struct verify_btf *btf,
		    struct relocated *ret, struct fail *f)
{
	char path[64];
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "verify", .btf_custom_path = path);
	int fd, err;

	fd = share(btf, path, sizeof(path), f);
	if (fd < 0)
		return fd;
	log_of_thread = (struct log){ 0 };
	ret->object = bpf_object__open_mem(elf->data, elf->size, &opts);
	if (!ret->object) {
		err = -errno;
		close(fd);
		return fail(f, -EINVAL, "libbpf cannot open it (%d): %s", err, log_of_thread.last);
	}
	disarm(ret->object);
	err = bpf_object__load(ret->object);
	close(fd);
	if (log_of_thread.denied)
		return fail(f, -EPERM, "libbpf may not use bpf(2): run as root or with CAP_BPF");
	ret->err = log_of_thread.relocated ? 0 : err ? err : -EINVAL;
	memcpy(ret->why, log_of_thread.last, sizeof(ret->why));
	return 0;
}

struct pair {
	struct btf *full, *min; /* parsed when a type's id turns up */
	const struct verify_btf *full_data, *min_data;
	struct verify_result *result;
};

static bool same_type(struct pair *p, uint32_t full_id, uint32_t min_id)
{
	const struct btf_type *a, *b;

	if (!p->full)
		p->full = btf__new(p->full_data->data, p->full_data->size);
	if (!p->min)
		p->min = btf__new(p->min_data->data, p->min_data->size);
	if (!p->full || !p->min)
		return false;
	a = btf__type_by_id(p->full, full_id);
	b = btf__type_by_id(p->min, min_id);
	return a && b && btf_kind(a) == btf_kind(b) &&
	       !strcmp(btf__name_by_offset(p->full, a->name_off),
		       btf__name_by_offset(p->min, b->name_off));
}

/* Only the number may differ, and only where both name the same type in their files. */
static bool same_insn(struct pair *p, const struct bpf_insn *a, const struct bpf_insn *b)
{
	struct bpf_insn with_imm = *b;

	if (!memcmp(a, b, sizeof(*a))) {
		p->result->n_poisoned += a->code == (BPF_JMP | BPF_CALL) && a->imm == POISON_IMM;
		return true;
	}
	with_imm.imm = a->imm;
	if (memcmp(a, &with_imm, sizeof(*a)) || a->imm <= 0 || b->imm <= 0 ||
	    !same_type(p, a->imm, b->imm))
		return false;
	p->result->n_type_ids++;
	return true;
}

static bool same_program(struct pair *p, const struct bpf_program *a, const struct bpf_program *b)
{
	const struct bpf_insn *x = bpf_program__insns(a), *y = bpf_program__insns(b);
	size_t n = bpf_program__insn_cnt(a);

	p->result->n_programs++;
	p->result->n_insns += n;
	if (n != bpf_program__insn_cnt(b)) {
		snprintf(p->result->note, sizeof(p->result->note),
			 "program %s has %zu instructions, with the minimised BTF %zu",
			 bpf_program__name(a), n, (size_t)bpf_program__insn_cnt(b));
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (same_insn(p, &x[i], &y[i]))
			continue;
		snprintf(p->result->note, sizeof(p->result->note),
			 "program %s instruction %zu: %02x off %d imm %d, minimised %02x %d %d",
			 bpf_program__name(a), i, x[i].code, x[i].off, x[i].imm, y[i].code,
			 y[i].off, y[i].imm);
		return false;
	}
	return true;
}

static bool same_programs(struct pair *p, struct bpf_object *a, struct bpf_object *b)
{
	struct bpf_program *x = NULL, *y = NULL;

	for (;;) {
		x = bpf_object__next_program(a, x);
		y = bpf_object__next_program(b, y);
		if (!x || !y)
			return x == y;
		if (!same_program(p, x, y))
			return false;
	}
}

static void compare(struct pair *p, const struct relocated *a, const struct relocated *b)
{
	struct verify_result *r = p->result;

	if (a->err != b->err) {
		r->verdict = VERIFY_DIFFERENT;
		snprintf(r->note, sizeof(r->note),
			 "libbpf gives %d (%.200s), minimised %d (%.200s)", a->err, a->why, b->err,
			 b->why);
	} else if (a->err) {
		r->verdict = VERIFY_REFUSED;
		snprintf(r->note, sizeof(r->note), "%s", a->why);
	} else {
		r->verdict =
			same_programs(p, a->object, b->object) ? VERIFY_SAME : VERIFY_DIFFERENT;
	}
	btf__free(p->full);
	btf__free(p->min);
}

int verify_object(const struct verify_btf *object, const struct verify_btf *full,
		  const struct verify_btf *min, struct verify_result *ret_result, struct fail *f)
{
	struct verify_result result = { 0 };
	struct pair p = { .full_data = full, .min_data = min, .result = &result };
	struct relocated a = { 0 }, b = { 0 };
	int err;

	libbpf_set_print(take_log);
	err = relocate(object, full, &a, f);
	if (!err)
		err = relocate(object, min, &b, f);
	if (!err)
		compare(&p, &a, &b);
	bpf_object__close(a.object);
	bpf_object__close(b.object);
	if (!err)
		*ret_result = result;
	return err;
}

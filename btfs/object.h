/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The CO-RE relocation records of one BPF object: its .BTF, and core_relo of its .BTF.ext. */
#ifndef BTFS_OBJECT_H
#define BTFS_OBJECT_H

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

struct elf;
struct fail;
struct view;

#define OBJECT_MAX_RECORDS (1u << 22)

struct object_record {
	const char *access; /* "0:1:2" */
	const char *section;
	uint32_t insn_off; /* bytes into the section */
	uint32_t type_id;  /* in view, not void */
	uint32_t kind;	   /* enum bpf_core_relo_kind, known to this library */
};

struct object {
	struct view *view; /* NULL: the object has no .BTF */
	struct object_record *records;
	size_t n_records;
};

/* The ELF file's bytes must outlive it; object_close frees. -EBADMSG, -ENOTSUP, -E2BIG, -ENOMEM. */
int object_open(const struct elf *elf, struct object *ret_object, struct fail *f);
void object_close(struct object *object);

#endif

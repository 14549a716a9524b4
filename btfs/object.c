// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "object.h"

#include "elf.h"
#include "fail.h"
#include "view.h"

#include <errno.h>
#include <stdlib.h>

#define EXT_HEADER_MIN	8u    /* magic to hdr_len */
#define EXT_HEADER_CORE 32u   /* up to core_relo_len */
#define RECORD_SIZE	16u   /* struct bpf_core_relo */
#define RECORD_MAX	1024u /* a longer record is newer than any that is known */
#define INSN_SIZE	8u

/* Bytes of .BTF.ext, in the byte order of the object's BTF. */
struct ext {
	const struct view *view;
	const uint8_t *p;
	size_t size;
};

static const char *string_at(const struct view *v, uint32_t off)
{
	return off < v->strs_len ? view_name(v, off) : NULL;
}

/* The core_relo part; ret_part->size is 0 if there is none. */
static int find_part(const struct view *v, const uint8_t *p, size_t size, struct ext *ret_part,
		     struct fail *f)
{
	uint64_t start, len, header;
	uint16_t magic;

	*ret_part = (struct ext){ .view = v };
	if (size < EXT_HEADER_MIN)
		return fail(f, -EBADMSG, ".BTF.ext is shorter than its header");
	memcpy(&magic, p, sizeof(magic));
	if ((v->swapped ? __builtin_bswap16(magic) : magic) != BTF_MAGIC)
		return fail(f, -EBADMSG, ".BTF.ext has not the magic or byte order of .BTF");
	if (p[2] != BTF_VERSION || p[3])
		return fail(f, -ENOTSUP, ".BTF.ext version %u is newer than this library", p[2]);
	header = view_u32(v, p + 4);
	if (header < EXT_HEADER_MIN || header > size)
		return fail(f, -EBADMSG, ".BTF.ext header lies outside of its section");
	if (header < EXT_HEADER_CORE)
		return 0;
	start = header + view_u32(v, p + 24);
	len = view_u32(v, p + 28);
	if (len == 0)
		return 0;
	if (start + len > size || len < 4)
		return fail(f, -EBADMSG, ".BTF.ext relocations lie outside of their section");
	ret_part->p = p + start;
	ret_part->size = len;
	return 0;
}

static int read_record(const struct ext *e, const uint8_t *p, struct object_record *r,
		       struct fail *f)
{
	const struct view *v = e->view;

	r->insn_off = view_u32(v, p);
	r->type_id = view_u32(v, p + 4);
	r->access = string_at(v, view_u32(v, p + 8));
	r->kind = view_u32(v, p + 12);
	if (r->insn_off % INSN_SIZE)
		return fail(f, -EBADMSG, "relocation in %s is not at an instruction (byte %u)",
			    r->section, r->insn_off);
	if (r->type_id == 0 || r->type_id >= v->n_types)
		return fail(f, -EBADMSG, "relocation in %s names type %u, which is not there",
			    r->section, r->type_id);
	if (!r->access)
		return fail(f, -EBADMSG, "relocation in %s has no access string", r->section);
	if (r->kind > BPF_CORE_TYPE_MATCHES)
		return fail(f, -ENOTSUP, "relocation in %s has kind %u, newer than this library",
			    r->section, r->kind);
	return 0;
}

/* One section's header (name, count) at pos; its size in bytes with records goes to ret_size. */
static int read_section(const struct ext *e, size_t pos, uint32_t record_size,
			struct object_record *ret_template, size_t *ret_n, struct fail *f)
{
	const uint8_t *p = e->p + pos;
	size_t left = e->size - pos;
	uint64_t n;

	if (left < 8)
		return fail(f, -EBADMSG, ".BTF.ext relocations are cut off");
	ret_template->section = string_at(e->view, view_u32(e->view, p));
	n = view_u32(e->view, p + 4);
	if (!ret_template->section)
		return fail(f, -EBADMSG, ".BTF.ext names a section that is not there");
	if (n == 0 || n * record_size > left - 8)
		return fail(f, -EBADMSG, ".BTF.ext relocations of section %s are cut off",
			    ret_template->section);
	*ret_n = n;
	return 0;
}

static int read_records(const struct ext *e, struct object *o, struct fail *f)
{
	uint32_t record_size = view_u32(e->view, e->p);
	struct object_record template = { 0 };
	size_t n = 0, max = e->size / RECORD_SIZE;
	int err;

	if (record_size < RECORD_SIZE || record_size % 4 || record_size > RECORD_MAX)
		return fail(f, -EBADMSG, ".BTF.ext claims relocation records of %u bytes",
			    record_size);
	if (max > OBJECT_MAX_RECORDS)
		return fail(f, -E2BIG, "object has more than %u relocations", OBJECT_MAX_RECORDS);
	o->records = calloc(max + 1, sizeof(*o->records));
	if (!o->records)
		return fail(f, -ENOMEM, "no memory for %zu relocations", max);
	for (size_t pos = 4; pos < e->size; pos += 8 + n * record_size) {
		err = read_section(e, pos, record_size, &template, &n, f);
		for (size_t i = 0; !err && i < n; i++) {
			struct object_record *r = &o->records[o->n_records++];

			*r = template;
			err = read_record(e, e->p + pos + 8 + i * record_size, r, f);
		}
		if (err)
			return err;
	}
	return 0;
}

static int open_object(const struct elf *elf, struct object *o, struct fail *f)
{
	const void *btf, *ext_data;
	size_t btf_size, ext_size;
	struct ext part = { 0 };
	int err;

	err = elf_section(elf, ".BTF.ext", &ext_data, &ext_size, f);
	if (err)
		return err == -ENOENT ? 0 : err;
	err = elf_section(elf, ".BTF", &btf, &btf_size, f);
	if (err)
		return err == -ENOENT ? fail(f, -EBADMSG, "object has .BTF.ext but no .BTF") : err;
	err = view_open(btf, btf_size, NULL, &o->view, f);
	if (!err)
		err = find_part(o->view, ext_data, ext_size, &part, f);
	if (!err && part.size)
		err = read_records(&part, o, f);
	return err;
}

int object_open(const struct elf *elf, struct object *ret_object, struct fail *f)
{
	struct object o = { 0 };
	int err;

	err = open_object(elf, &o, f);
	if (err)
		object_close(&o);
	else
		*ret_object = o;
	return err;
}

void object_close(struct object *object)
{
	view_close(object->view);
	free(object->records);
	*object = (struct object){ 0 };
}

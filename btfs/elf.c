// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "elf.h"

#include "fail.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#ifndef EM_BPF
#define EM_BPF 247
#endif

struct section {
	uint32_t name, type, link;
	uint64_t flags, offset, size;
};

static uint64_t number(const struct elf *e, const uint8_t *p, size_t bytes)
{
	uint64_t x = 0;

	for (size_t i = 0; i < bytes; i++)
		x |= (uint64_t)p[e->big_endian ? bytes - 1 - i : i] << 8 * i;
	return x;
}

#define FIELD(e, p, type, field) number(e, (p) + offsetof(type, field), sizeof(((type *)0)->field))

static bool inside(const struct elf *e, uint64_t off, uint64_t size)
{
	return off <= e->size && size <= e->size - off;
}

static struct section section_at(const struct elf *e, uint32_t i)
{
	const uint8_t *p = e->data + e->sections_off + (uint64_t)i * e->section_size;

	if (e->is_64)
		return (struct section){
			.name = FIELD(e, p, Elf64_Shdr, sh_name),
			.type = FIELD(e, p, Elf64_Shdr, sh_type),
			.link = FIELD(e, p, Elf64_Shdr, sh_link),
			.flags = FIELD(e, p, Elf64_Shdr, sh_flags),
			.offset = FIELD(e, p, Elf64_Shdr, sh_offset),
			.size = FIELD(e, p, Elf64_Shdr, sh_size),
		};
	return (struct section){
		.name = FIELD(e, p, Elf32_Shdr, sh_name),
		.type = FIELD(e, p, Elf32_Shdr, sh_type),
		.link = FIELD(e, p, Elf32_Shdr, sh_link),
		.flags = FIELD(e, p, Elf32_Shdr, sh_flags),
		.offset = FIELD(e, p, Elf32_Shdr, sh_offset),
		.size = FIELD(e, p, Elf32_Shdr, sh_size),
	};
}

static int read_header(const uint8_t *p, size_t size, struct elf *e, struct fail *f)
{
	if (size < sizeof(Elf32_Ehdr) || memcmp(p, ELFMAG, SELFMAG))
		return fail(f, -ENOENT, "not an ELF file");
	if (p[EI_CLASS] != ELFCLASS32 && p[EI_CLASS] != ELFCLASS64)
		return fail(f, -EBADMSG, "ELF class is %d, neither 32 nor 64 bits", p[EI_CLASS]);
	if (p[EI_DATA] != ELFDATA2LSB && p[EI_DATA] != ELFDATA2MSB)
		return fail(f, -EBADMSG, "ELF byte order is %d, neither little nor big",
			    p[EI_DATA]);
	e->data = p;
	e->size = size;
	e->is_64 = p[EI_CLASS] == ELFCLASS64;
	e->big_endian = p[EI_DATA] == ELFDATA2MSB;
	e->swapped = e->big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
	if (e->is_64 && size < sizeof(Elf64_Ehdr))
		return fail(f, -EBADMSG, "ELF header is cut off");
	e->type = FIELD(e, p, Elf64_Ehdr, e_type);
	e->machine = FIELD(e, p, Elf64_Ehdr, e_machine);
	return 0;
}

/* More than 65,279 sections, or a name table beyond them, are told by section 0 (gABI). */
static int read_section_table(struct elf *e, struct fail *f)
{
	const uint8_t *p = e->data;
	size_t want = e->is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	uint64_t n, names;
	struct section s;

	e->sections_off =
		e->is_64 ? FIELD(e, p, Elf64_Ehdr, e_shoff) : FIELD(e, p, Elf32_Ehdr, e_shoff);
	e->section_size = e->is_64 ? FIELD(e, p, Elf64_Ehdr, e_shentsize)
				   : FIELD(e, p, Elf32_Ehdr, e_shentsize);
	n = e->is_64 ? FIELD(e, p, Elf64_Ehdr, e_shnum) : FIELD(e, p, Elf32_Ehdr, e_shnum);
	names = e->is_64 ? FIELD(e, p, Elf64_Ehdr, e_shstrndx)
			 : FIELD(e, p, Elf32_Ehdr, e_shstrndx);
	if (e->sections_off == 0)
		return fail(f, -ENOENT, "ELF file has no sections");
	if (e->section_size != want)
		return fail(f, -EBADMSG, "ELF section headers have %u bytes, not %zu",
			    e->section_size, want);
	if (!inside(e, e->sections_off, want))
		return fail(f, -EBADMSG, "ELF section headers lie outside of the file");
	s = section_at(e, 0);
	if (n == 0)
		n = s.size;
	if (names == SHN_XINDEX)
		names = s.link;
	if (n > ELF_MAX_SECTIONS)
		return fail(f, -EBADMSG, "ELF file claims %llu sections, the limit is %u",
			    (unsigned long long)n, ELF_MAX_SECTIONS);
	if (names >= n || !inside(e, e->sections_off, n * want))
		return fail(f, -EBADMSG, "ELF section headers lie outside of the file");
	e->n_sections = n;
	s = section_at(e, names);
	if (s.type == SHT_NOBITS || !inside(e, s.offset, s.size))
		return fail(f, -EBADMSG, "ELF section names lie outside of the file");
	e->names_off = s.offset;
	e->names_size = s.size;
	return 0;
}

int elf_open(const void *data, size_t size, struct elf *ret_elf, struct fail *f)
{
	struct elf e = { 0 };
	int err;

	err = read_header(data, size, &e, f);
	if (!err)
		err = read_section_table(&e, f);
	if (!err)
		*ret_elf = e;
	return err;
}

static bool is_named(const struct elf *e, const struct section *s, const char *name)
{
	size_t len = strlen(name) + 1;

	return s->name < e->names_size && len <= e->names_size - s->name &&
	       !memcmp(e->data + e->names_off + s->name, name, len);
}

int elf_section(const struct elf *elf, const char *name, const void **ret_data, size_t *ret_size,
		struct fail *f)
{
	struct section found = { 0 };
	bool seen = false;

	for (uint32_t i = 1; i < elf->n_sections; i++) {
		struct section s = section_at(elf, i);

		if (!is_named(elf, &s, name))
			continue;
		if (seen)
			return fail(f, -EBADMSG, "ELF file has two sections %s", name);
		found = s;
		seen = true;
	}
	if (!seen)
		return fail(f, -ENOENT, "ELF file has no section %s", name);
	if (found.type == SHT_NOBITS)
		return fail(f, -ENOENT, "ELF section %s has no bytes in this file", name);
	if (found.flags & SHF_COMPRESSED)
		return fail(f, -ENOTSUP, "ELF section %s is compressed; decompress it with objcopy",
			    name);
	if (!inside(elf, found.offset, found.size))
		return fail(f, -EBADMSG, "ELF section %s lies outside of the file", name);
	*ret_data = elf->data + found.offset;
	*ret_size = found.size;
	return 0;
}

const char *elf_section_name(const struct elf *elf, uint32_t i)
{
	struct section s = section_at(elf, i);
	const char *name = (const char *)elf->data + elf->names_off + s.name;

	if (s.name >= elf->names_size || !memchr(name, '\0', elf->names_size - s.name))
		return NULL;
	return name;
}

int elf_next_object(const void *data, size_t size, size_t *pos, struct elf *ret_elf)
{
	const uint8_t *p = data, *hit;

	while (*pos < size) {
		struct elf e;

		hit = memmem(p + *pos, size - *pos, ELFMAG, SELFMAG);
		if (!hit)
			break;
		*pos = hit - p + SELFMAG;
		if (elf_open(hit, size - (hit - p), &e, NULL))
			continue;
		if (e.type != ET_REL || e.machine != EM_BPF ||
		    e.n_sections > ELF_MAX_OBJECT_SECTIONS)
			continue;
		*ret_elf = e;
		return 0;
	}
	return -ENOENT;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Sections of an ELF file by name, and the BPF objects that a program carries in its data. Reads
 * ELF32 and ELF64 of either byte order in place, every offset checked; nothing else of ELF is
 * looked at (gABI chapter 4). Our own, since libelf is not meant for untrusted input.
 */
#ifndef BTFS_ELF_H
#define BTFS_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fail;

#define ELF_MAX_SECTIONS (1u << 20)
#define ELF_MAX_OBJECTS	 256 /* BPF objects in one program */
#define ELF_MAX_OBJECT_SECTIONS \
	(1u << 16) /* of each: all of them may claim the same table, read for each anew */

struct elf {
	const uint8_t *data;
	size_t size; /* bytes from data to the end of the file */
	bool is_64, swapped, big_endian;
	uint16_t type, machine; /* ET_*, EM_* */
	uint64_t sections_off;
	uint32_t n_sections, section_size;
	uint64_t names_off, names_size;
};

/* data must outlive elf. -ENOENT: not ELF, or without sections; -EBADMSG: damaged. */
int elf_open(const void *data, size_t size, struct elf *ret_elf, struct fail *f);

/* The bytes of the one section of that name, inside data. -ENOENT: there is none; -EBADMSG: two,
 * or it lies outside of the file; -ENOTSUP: compressed. */
int elf_section(const struct elf *elf, const char *name, const void **ret_data, size_t *ret_size,
		struct fail *f);

/* The i-th section's name, below n_sections. NULL: it lies outside of the names. */
const char *elf_section_name(const struct elf *elf, uint32_t i);

/*
 * The next BPF object (ET_REL, EM_BPF) that lies in size bytes at data at or after *pos; *pos moves
 * past its header. For an object file that is the file itself, for a program with libbpf skeletons
 * each of theirs. -ENOENT: no more.
 */
int elf_next_object(const void *data, size_t size, size_t *pos, struct elf *ret_elf);

#endif

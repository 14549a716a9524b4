// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* ELF files of either class and byte order, put together here, then broken in one place. */
#include "btfs/elf.h"
#include "btfs/fail.h"
#include "tests/tap.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EM_BPF_ 247
#define N	4 /* sections: none, .BTF, .BTF.ext, names */

struct form {
	bool is_64, big;
};

static const struct form forms[] = {
	{ true, false }, { true, true }, { false, false }, { false, true }
};

/* A file while it is made, and where its parts are. */
struct file {
	uint8_t data[2048];
	size_t size, table, entry;
	struct form form;
};

static void put(struct file *f, size_t at, size_t bytes, uint64_t x)
{
	for (size_t i = 0; i < bytes; i++)
		f->data[at + i] = x >> 8 * (f->form.big ? bytes - 1 - i : i);
}

#define PUT(f, base, type, field, x)                                      \
	((f)->form.is_64 ? put(f, (base) + offsetof(Elf64_##type, field), \
			       sizeof(((Elf64_##type *)0)->field), x)     \
			 : put(f, (base) + offsetof(Elf32_##type, field), \
			       sizeof(((Elf32_##type *)0)->field), x))

static void put_section(struct file *f, size_t i, uint32_t name, uint64_t offset, uint64_t size)
{
	size_t at = f->table + i * f->entry;

	PUT(f, at, Shdr, sh_name, name);
	PUT(f, at, Shdr, sh_type, SHT_PROGBITS);
	PUT(f, at, Shdr, sh_offset, offset);
	PUT(f, at, Shdr, sh_size, size);
}

static struct file make(struct form form)
{
	static const char names[] = "\0.BTF\0.BTF.ext\0.shstrtab";
	struct file f = { .form = form, .size = 1024, .table = 256 };

	f.entry = form.is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	memcpy(f.data, ELFMAG, SELFMAG);
	f.data[EI_CLASS] = form.is_64 ? ELFCLASS64 : ELFCLASS32;
	f.data[EI_DATA] = form.big ? ELFDATA2MSB : ELFDATA2LSB;
	f.data[EI_VERSION] = EV_CURRENT;
	PUT(&f, 0, Ehdr, e_type, ET_REL);
	PUT(&f, 0, Ehdr, e_machine, EM_BPF_);
	PUT(&f, 0, Ehdr, e_shoff, f.table);
	PUT(&f, 0, Ehdr, e_shentsize, f.entry);
	PUT(&f, 0, Ehdr, e_shnum, N);
	PUT(&f, 0, Ehdr, e_shstrndx, 3);
	put_section(&f, 1, 1, 800, 10);
	put_section(&f, 2, 6, 1024, 0);
	put_section(&f, 3, 15, 700, sizeof(names));
	memcpy(f.data + 700, names, sizeof(names));
	memcpy(f.data + 800, "0123456789", 10);
	return f;
}

static void test_good(struct form form)
{
	struct file file = make(form);
	struct fail f = { .text = "" };
	struct elf elf = { 0 };
	const void *data = NULL;
	size_t size = 0, pos = 0;

	tap_is_int(elf_open(file.data, file.size, &elf, &f), 0, "ELF%d, %s%s", form.is_64 ? 64 : 32,
		   form.big ? "big" : "little", f.text);
	tap_ok(elf.machine == EM_BPF_ && elf.type == ET_REL && elf.n_sections == N &&
		       elf.big_endian == form.big,
	       "its header");
	tap_is_int(elf_section(&elf, ".BTF", &data, &size, &f), 0, "a section");
	tap_ok(size == 10 && data == file.data + 800, "is where it should be");
	tap_is_int(elf_section(&elf, ".BTF.ext", &data, &size, &f), 0, "an empty one at the end");
	tap_is_int(size, 0, "is empty");
	tap_is_int(elf_section(&elf, ".BT", &data, &size, &f), -ENOENT, "%s", f.text);
	tap_is_int(elf_next_object(file.data, file.size, &pos, &elf), 0, "it is a BPF object");
	tap_is_int(elf_next_object(file.data, file.size, &pos, &elf), -ENOENT, "and the only one");
}

/* One field of the header or of .BTF's entry, or of that of the names. */
struct damage {
	const char *what;
	enum { IN_HEADER, IN_BTF, IN_NAMES } where;
	const char *field;
	uint64_t value;
	int open, section; /* what is given; 0 for 1 where both are good */
	const char *said;
};

#define BIG UINT64_MAX
static const struct damage damages[] = {
	{ "no sections", IN_HEADER, "e_shoff", 0, -ENOENT, 0, "no sections" },
	{ "sections behind the end", IN_HEADER, "e_shoff", 1024, -EBADMSG, 0, "outside" },
	{ "sections at the last byte", IN_HEADER, "e_shoff", 1023, -EBADMSG, 0, "outside" },
	{ "sections that wrap", IN_HEADER, "e_shoff", BIG - 8, -EBADMSG, 0, "outside" },
	{ "entries of no bytes", IN_HEADER, "e_shentsize", 0, -EBADMSG, 0, "have 0 bytes" },
	{ "entries of a byte", IN_HEADER, "e_shentsize", 1, -EBADMSG, 0, "have 1 bytes" },
	{ "entries too long", IN_HEADER, "e_shentsize", 65535, -EBADMSG, 0, "65535" },
	{ "too many entries", IN_HEADER, "e_shnum", 60000, -EBADMSG, 0, "outside" },
	{ "names beyond the table", IN_HEADER, "e_shstrndx", 4, -EBADMSG, 0, "outside" },
	{ "names nowhere", IN_HEADER, "e_shstrndx", 65535, 0, -ENOENT, "no section .BTF" },
	{ "names of no section", IN_HEADER, "e_shstrndx", 0, 0, -ENOENT, "no section .BTF" },
	{ "names outside", IN_NAMES, "sh_offset", 1024, -EBADMSG, 0, "names lie outside" },
	{ "names that wrap", IN_NAMES, "sh_offset", BIG - 3, -EBADMSG, 0, "names lie outside" },
	{ "names without end", IN_NAMES, "sh_size", BIG, -EBADMSG, 0, "names lie outside" },
	{ "names without bytes", IN_NAMES, "sh_type", SHT_NOBITS, -EBADMSG, 0,
	  "names lie outside" },
	{ "a name outside", IN_BTF, "sh_name", 4096, 0, -ENOENT, "no section" },
	{ "a name cut off", IN_NAMES, "sh_size", 5, 0, -ENOENT, "no section" },
	{ "two of a name", IN_NAMES, "sh_name", 1, 0, -EBADMSG, "two sections .BTF" },
	{ "bytes outside", IN_BTF, "sh_offset", 1020, 0, -EBADMSG, "lies outside" },
	{ "bytes that wrap", IN_BTF, "sh_offset", BIG - 5, 0, -EBADMSG, "lies outside" },
	{ "bytes without end", IN_BTF, "sh_size", BIG, 0, -EBADMSG, "lies outside" },
	{ "no bytes", IN_BTF, "sh_type", SHT_NOBITS, 0, -ENOENT, "no bytes" },
	{ "compressed", IN_BTF, "sh_flags", SHF_COMPRESSED, 0, -ENOTSUP, "compressed" },
};

static void set(struct file *f, const struct damage *d)
{
	size_t at = d->where == IN_BTF ? f->table + f->entry : f->table + 3 * f->entry;

	if (!strcmp(d->field, "e_shoff"))
		PUT(f, 0, Ehdr, e_shoff, d->value);
	else if (!strcmp(d->field, "e_shentsize"))
		PUT(f, 0, Ehdr, e_shentsize, d->value);
	else if (!strcmp(d->field, "e_shnum"))
		PUT(f, 0, Ehdr, e_shnum, d->value);
	else if (!strcmp(d->field, "e_shstrndx"))
		PUT(f, 0, Ehdr, e_shstrndx, d->value);
	else if (!strcmp(d->field, "sh_name"))
		PUT(f, at, Shdr, sh_name, d->value);
	else if (!strcmp(d->field, "sh_type"))
		PUT(f, at, Shdr, sh_type, d->value);
	else if (!strcmp(d->field, "sh_flags"))
		PUT(f, at, Shdr, sh_flags, d->value);
	else if (!strcmp(d->field, "sh_offset"))
		PUT(f, at, Shdr, sh_offset, d->value);
	else
		PUT(f, at, Shdr, sh_size, d->value);
}

static void check_damage(struct form form, const struct damage *d)
{
	struct file file = make(form);
	struct fail f = { .text = "" };
	struct elf elf = { 0 };
	const void *data;
	size_t size;
	int err;

	set(&file, d);
	err = elf_open(file.data, file.size, &elf, &f);
	tap_is_int(err, d->open, "%s: %s", d->what, f.text);
	if (!err)
		tap_is_int(elf_section(&elf, ".BTF", &data, &size, &f), d->section, "%s: %s",
			   d->what, f.text);
	tap_ok(strstr(f.text, d->said) != NULL, "which says \"%s\"", d->said);
}

/* More sections than a half word holds: section 0 tells (gABI). */
static void test_many(void)
{
	struct file file = make(forms[0]);
	struct fail f = { .text = "" };
	struct elf elf = { 0 };
	const void *data;
	size_t size;

	PUT(&file, 0, Ehdr, e_shnum, 0);
	PUT(&file, 0, Ehdr, e_shstrndx, SHN_XINDEX);
	PUT(&file, file.table, Shdr, sh_size, N);
	PUT(&file, file.table, Shdr, sh_link, 3);
	tap_is_int(elf_open(file.data, file.size, &elf, &f), 0, "numbers in section 0%s", f.text);
	tap_is_int(elf_section(&elf, ".BTF", &data, &size, &f), 0, "are used");
	PUT(&file, file.table, Shdr, sh_size, UINT64_MAX);
	tap_is_int(elf_open(file.data, file.size, &elf, &f), -EBADMSG, "%s", f.text);
	PUT(&file, file.table, Shdr, sh_size, ELF_MAX_SECTIONS);
	tap_is_int(elf_open(file.data, file.size, &elf, &f), -EBADMSG, "%s", f.text);
	PUT(&file, file.table, Shdr, sh_size, 0);
	tap_is_int(elf_open(file.data, file.size, &elf, &f), -EBADMSG, "%s", f.text);
	PUT(&file, file.table, Shdr, sh_size, N);
	PUT(&file, file.table, Shdr, sh_link, UINT32_MAX);
	tap_is_int(elf_open(file.data, file.size, &elf, &f), -EBADMSG, "%s", f.text);
}

static void test_not_elf(void)
{
	struct file file = make(forms[0]);
	struct elf elf = { 0 };
	struct fail f = { .text = "" };
	size_t taken = 0, pos = 0;

	for (size_t size = 0; size < file.table + N * file.entry; size++) {
		uint8_t *part = malloc(size ? size : 1);

		if (!part)
			abort();
		memcpy(part, file.data, size);
		taken += elf_open(part, size, &elf, NULL) == 0;
		free(part);
	}
	tap_is_int(taken, 0, "nothing shorter than its table is taken");
	file.data[EI_CLASS] = 3;
	tap_is_int(elf_open(file.data, file.size, &elf, &f), -EBADMSG, "%s", f.text);
	file.data[EI_CLASS] = ELFCLASS64;
	file.data[EI_DATA] = 0;
	tap_is_int(elf_open(file.data, file.size, &elf, &f), -EBADMSG, "%s", f.text);
	tap_is_int(elf_next_object(file.data, file.size, &pos, &elf), -ENOENT, "nor is it found");
	pos = 5000;
	tap_is_int(elf_next_object(file.data, file.size, &pos, &elf), -ENOENT, "behind the end");
}

/* Other machines' files, and magic numbers without a file, are passed over. */
static void test_search(void)
{
	struct file bpf = make(forms[0]), x86 = make(forms[0]), big = make(forms[1]);
	uint8_t *blob = calloc(1, 8192);
	struct elf elf = { 0 };
	size_t pos = 0, n = 0;

	if (!blob)
		abort();
	PUT(&x86, 0, Ehdr, e_machine, EM_X86_64);
	memcpy(blob, x86.data, x86.size);
	memcpy(blob + 1500, ELFMAG, SELFMAG);
	memcpy(blob + 2001, bpf.data, bpf.size);
	memcpy(blob + 4003, big.data, big.size);
	memcpy(blob + 8192 - SELFMAG, ELFMAG, SELFMAG);
	while (elf_next_object(blob, 8192, &pos, &elf) == 0)
		n += elf.data == blob + (n ? 4003 : 2001);
	tap_is_int(n, 2, "two objects in a blob, at any address");
	PUT(&bpf, 0, Ehdr, e_type, ET_EXEC);
	pos = 0;
	tap_is_int(elf_next_object(bpf.data, bpf.size, &pos, &elf), -ENOENT, "no executables");
	free(blob);
}

/* Many objects that claim one large table would each have it read. */
static void test_large_tables(void)
{
	size_t n = ELF_MAX_OBJECT_SECTIONS + 1, size = 256 + (n + 1) * sizeof(Elf64_Shdr);
	struct file head = make(forms[0]);
	uint8_t *blob = calloc(1, size);
	struct elf elf = { 0 };
	size_t pos = 0;

	if (!blob)
		abort();
	PUT(&head, 0, Ehdr, e_shnum, 0);
	PUT(&head, head.table, Shdr, sh_size, n);
	memcpy(blob, head.data, head.size);
	tap_is_int(elf_open(blob, size, &elf, NULL), 0, "%zu sections are an ELF file's", n);
	tap_is_int(elf_next_object(blob, size, &pos, &elf), -ENOENT, "but no BPF object's");
	PUT(&head, head.table, Shdr, sh_size, n - 1);
	memcpy(blob, head.data, head.size);
	pos = 0;
	tap_is_int(elf_next_object(blob, size, &pos, &elf), 0, "one less may be");
	free(blob);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		test_good(forms[i]);
		for (size_t j = 0; j < sizeof(damages) / sizeof(*damages); j++)
			check_damage(forms[i], &damages[j]);
	}
	test_many();
	test_not_elf();
	test_search();
	test_large_tables();
	return tap_done();
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "btfs/archive.h"
#include "btfs/fail.h"
#include "btfs/tar.h"
#include "pack.h"
#include "tests/tap.h"

#include <bpf/btf.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MAX_MADE (1u << 20)

static char dir[] = "/tmp/archive-XXXXXX";
static struct bytes vmlinux, other, module, module2; /* BTF: two that stand alone, two split */

/* By libbpf, the way that real ones are made. */
static struct bytes raw_of(struct btf *btf)
{
	const void *data;
	__u32 size = 0;

	data = btf__raw_data(btf, &size);
	if (!data)
		abort();
	return pack_none((struct bytes){ (uint8_t *)data, size });
}

static void make_btfs(void)
{
	struct btf *base = btf__new_empty(), *split;

	btf__add_int(base, "int", 4, BTF_INT_SIGNED);
	other = raw_of(base);
	btf__add_struct(base, "task_struct", 4);
	btf__add_field(base, "pid", 1, 0, 0);
	vmlinux = raw_of(base);
	split = btf__new_empty_split(base);
	btf__add_typedef(split, "nf_t", 1);
	module = raw_of(split);
	btf__free(split);
	/* Of a module that adds nothing. */
	split = btf__new_empty_split(base);
	module2 = raw_of(split);
	btf__free(split);
	btf__free(base);
}

static void put(struct bytes *b, const void *data, size_t n)
{
	if (b->n + n > MAX_MADE)
		abort();
	if (n)
		memcpy(b->p + b->n, data, n);
	b->n += n;
}

static void put_member(struct bytes *b, char kind, const char *name, struct bytes content)
{
	static const uint8_t zeros[TAR_BLOCK];
	uint8_t header[TAR_BLOCK];

	tar_header(kind, name, content.n, header);
	put(b, header, sizeof(header));
	put(b, content.p, content.n);
	put(b, zeros, (TAR_BLOCK - content.n % TAR_BLOCK) % TAR_BLOCK);
}

static void put_end(struct bytes *b)
{
	static const uint8_t zeros[2 * TAR_BLOCK];

	put(b, zeros, sizeof(zeros));
}

static struct bytes made(void)
{
	return (struct bytes){ pack_room(MAX_MADE), 0 };
}

static const struct {
	const char *name;
	struct bytes (*pack)(struct bytes in);
} packers[] = {
	{ "plain", pack_none }, { "xz", pack_xz }, { "gzip", pack_gzip }, { "zstd", pack_zstd }
};

static bool is(const struct archive_part *part, const char *name, struct bytes content)
{
	return !strcmp(part->name, name) && part->size == content.n &&
	       !memcmp(part->data, content.p, content.n);
}

static void test_forms(void)
{
	struct bytes tar = made(), packed;
	struct archive a = { 0 };
	struct fail f = { 0 };

	put_member(&tar, '5', "folder/", (struct bytes){ 0 });
	put_member(&tar, '0', "folder/5.4.0.btf", vmlinux);
	put_end(&tar);
	for (size_t i = 0; i < COUNT(packers); i++) {
		packed = packers[i].pack(vmlinux);
		tap_is_int(archive_read_memory(packed.p, packed.n, "raw", &a, &f), 0, "%s BTF %s",
			   packers[i].name, f.text);
		tap_ok(is(&a.btf, "", vmlinux) && a.n_modules == 0, "is what was packed");
		archive_free(&a);
		free(packed.p);
		packed = packers[i].pack(tar);
		tap_is_int(archive_read_memory(packed.p, packed.n, "tar", &a, &f), 0,
			   "%s tar of it %s", packers[i].name, f.text);
		tap_ok(is(&a.btf, "folder/5.4.0.btf", vmlinux) && a.n_modules == 0,
		       "is what was packed");
		archive_free(&a);
		free(packed.p);
	}
	free(tar.p);
}

/* Datadog's older form, the kernel's BTF anywhere among its modules'. */
static void test_modules(void)
{
	for (int at = 0; at < 3; at++) {
		struct bytes tar = made();
		struct archive a = { 0 };
		struct fail f = { 0 };

		for (int i = 0; i < 3; i++) {
			if (i == at)
				put_member(&tar, '0', "vmlinux", vmlinux);
			if (i == 0)
				put_member(&tar, '0', "nf_tables", module);
			if (i == 1)
				put_member(&tar, '0', "empty.btf", module2);
		}
		put_end(&tar);
		tap_is_int(archive_read_memory(tar.p, tar.n, "x", &a, &f), 0,
			   "modules, and vmlinux at %d %s", at, f.text);
		tap_ok(is(&a.btf, "vmlinux", vmlinux), "which is the base");
		tap_is_int(a.n_modules, 2, "two modules");
		tap_ok(a.n_modules == 2 && is(&a.modules[0], "nf_tables", module) &&
			       is(&a.modules[1], "empty.btf", module2),
		       "in their order");
		archive_free(&a);
		free(tar.p);
	}
}

static void refuse_raw(struct bytes in, int err, const char *what)
{
	struct archive a = { .n_modules = 77 };
	struct bytes exact = pack_none(in);
	struct fail f = { 0 };

	tap_is_int(archive_read_memory(exact.p, exact.n, "x.btf.tar.xz", &a, &f), err, "%s: %s",
		   what, f.text);
	tap_ok(!strncmp(f.text, "x.btf.tar.xz: ", 14) && a.n_modules == 77 && !a.btf.data,
	       "which is told, and nothing given");
	free(exact.p);
}

static void refuse(struct bytes tar, int err, const char *what)
{
	struct bytes packed = pack_xz(tar);

	refuse_raw(packed, err, what);
	free(packed.p);
}

struct entry {
	const char *name;
	struct bytes *content;
};

static const struct {
	const char *what;
	struct entry entries[3];
} bad_members[] = {
	{ "no member", { { 0 } } },
	{ "two kernels", { { "a.btf", &vmlinux }, { "b.btf", &other } } },
	{ "one kernel twice", { { "a.btf", &vmlinux }, { "a.btf", &vmlinux } } },
	{ "vmlinux and another kernel", { { "vmlinux", &vmlinux }, { "b.btf", &other } } },
	{ "modules alone", { { "a", &module }, { "vmlinux", &module } } },
};

static void test_bad_members(void)
{
	static struct bytes garbage = { (uint8_t *)"this text is no BTF, long as it is", 34 };
	struct bytes tar = made(), again;

	for (size_t i = 0; i < COUNT(bad_members); i++) {
		for (size_t e = 0; e < 3 && bad_members[i].entries[e].name; e++)
			put_member(&tar, '0', bad_members[i].entries[e].name,
				   *bad_members[i].entries[e].content);
		put_end(&tar);
		refuse(tar, -EBADMSG, bad_members[i].what);
		tar.n = 0;
	}
	put_member(&tar, '0', "a.btf", (struct bytes){ 0 });
	put_end(&tar);
	refuse(tar, -EBADMSG, "a member of 0 bytes");
	tar.n = 0;
	put_member(&tar, '0', "a.btf", garbage);
	put_end(&tar);
	refuse(tar, -EBADMSG, "a member that is no BTF");
	tar.n = 0;
	put_member(&tar, '5', "a/", (struct bytes){ 0 });
	put_end(&tar);
	refuse(tar, -EBADMSG, "a folder alone");
	tar.n = 0;
	put_member(&tar, '0', "a.btf", vmlinux);
	put_member(&tar, '2', "b.btf", (struct bytes){ 0 });
	put_end(&tar);
	refuse(tar, -EBADMSG, "a link beside it");
	tar.n = 0;
	put_member(&tar, '0', "../a.btf", vmlinux);
	put_end(&tar);
	refuse(tar, -EBADMSG, "a name that leads out");
	again = pack_xz(tar);
	refuse(again, -EBADMSG, "xz in xz");
	free(again.p);
	tar.n = 0;
	put_member(&tar, '0', "a.btf", vmlinux);
	put_end(&tar);
	put_member(&tar, '0', "b.btf", other);
	put_end(&tar);
	refuse(tar, -EBADMSG, "two archives, one behind the other");
	free(tar.p);
}

static void test_bad_bytes(void)
{
	struct bytes tar = made();
	uint8_t btf[64];

	refuse_raw((struct bytes){ 0 }, -EBADMSG, "no bytes");
	refuse_raw((struct bytes){ (uint8_t *)"<html>404</html>", 16 }, -EBADMSG, "a page");
	refuse_raw((struct bytes){ (uint8_t *)"../20.04/x.btf.tar.xz", 21 }, -EBADMSG,
		   "a link's text");
	refuse((struct bytes){ 0 }, -EBADMSG, "xz of no bytes");
	memcpy(btf, vmlinux.p, sizeof(btf));
	refuse_raw((struct bytes){ btf, 23 }, -EBADMSG, "23 bytes of BTF");
	btf[1] = 0xec;
	refuse_raw((struct bytes){ btf, 64 }, -EBADMSG, "another magic");
	put_end(&tar);
	put_end(&tar);
	refuse(tar, -EBADMSG, "a tar of nothing");
	free(tar.p);
}

/* Small files that would unpack to more than any BTF has. */
static void test_bombs(void)
{
	struct bytes big = { calloc(1, 2 * ARCHIVE_MAX_BTF + MAX_MADE), 2 * ARCHIVE_MAX_BTF + 1 };
	struct bytes packed, tar = made();

	if (!big.p)
		abort();
	packed = pack_xz((struct bytes){ big.p, ARCHIVE_MAX_BTF });
	refuse_raw(packed, -EBADMSG, "64 MiB of zeros");
	free(packed.p);
	memcpy(big.p, vmlinux.p, vmlinux.n);
	packed = pack_gzip((struct bytes){ big.p, ARCHIVE_MAX_BTF + 1 });
	refuse_raw(packed, -E2BIG, "BTF with a byte over 64 MiB");
	free(packed.p);
	put_member(&tar, '0', "a.btf", vmlinux);
	memcpy(big.p, tar.p, tar.n);
	packed = pack_gzip(big);
	refuse_raw(packed, -E2BIG, "BTF and 128 MiB of zeros behind it");
	free(packed.p);
	tar_header('0', "a.btf", ARCHIVE_MAX_BTF + 1, tar.p);
	tar.n = TAR_BLOCK;
	put_end(&tar);
	refuse(tar, -E2BIG, "a member said to have a byte over 64 MiB");
	tar_header('0', "a.btf", ARCHIVE_MAX_BTF, tar.p);
	refuse(tar, -EBADMSG, "one said to have 64 MiB, which it has not");
	tar.n = 0;
	for (int i = 0; i < 1000; i++)
		put_member(&tar, '0', "a", (struct bytes){ 0 });
	put_end(&tar);
	refuse(tar, -EBADMSG, "1,000 empty members");
	free(big.p);
	free(tar.p);
}

/* Whether the first n bytes, copied to their exact size, are taken for an archive. */
static int reads(const void *data, size_t n)
{
	struct bytes exact = pack_none((struct bytes){ (uint8_t *)data, n });
	struct archive a = { 0 };
	int err = archive_read_memory(exact.p, n, "x", &a, NULL);

	archive_free(&a);
	free(exact.p);
	return err == 0;
}

/* Every way to cut a small archive off. */
static void test_cut(void)
{
	struct bytes tar = made();
	void *written = NULL;
	size_t size = 0;
	int read = 0;

	archive_write("5.4.0", vmlinux.p, vmlinux.n, &written, &size, NULL);
	tap_ok(reads(written, size), "a .btf.tar.xz of %zu bytes", size);
	for (size_t n = 0; n < size; n++)
		read += reads(written, n);
	tap_is_int(read, 0, "cut at each of them is refused");
	free(written);
	put_member(&tar, '0', "a.btf", vmlinux);
	put_member(&tar, '0', "m.btf", module);
	put_end(&tar);
	tap_ok(reads(tar.p, tar.n), "a plain tar of %zu bytes", tar.n);
	for (size_t n = read = 0; n < tar.n; n++)
		read += reads(tar.p, n);
	tap_is_int(read, 0, "cut at each of them is refused");
	free(tar.p);
}

static void put_number(uint8_t *p, uint64_t x, int bytes, int big_endian)
{
	for (int i = 0; i < bytes; i++)
		p[big_endian ? bytes - 1 - i : i] = x >> 8 * i;
}

#define SET(p, is64, type, field, x, big)                                                          \
	put_number(                                                                                \
		(p) + ((is64) ? offsetof(Elf64_##type, field) : offsetof(Elf32_##type, field)), x, \
		(is64) ? sizeof(((Elf64_##type *)0)->field) : sizeof(((Elf32_##type *)0)->field),  \
		big)

/* Header, names, BTF, and three section headers: none, names, .BTF. */
static struct bytes elf_with(struct bytes btf, int is64, int big, uint32_t type, uint32_t flags)
{
	static const char names[16] = "\0.BTF\0.shstrtab";
	size_t shsize = is64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	struct bytes b = { calloc(1, MAX_MADE), 0 };
	uint8_t *s;

	if (!b.p)
		abort();
	memcpy(b.p, ELFMAG, SELFMAG);
	b.p[EI_CLASS] = is64 ? ELFCLASS64 : ELFCLASS32;
	b.p[EI_DATA] = big ? ELFDATA2MSB : ELFDATA2LSB;
	b.p[EI_VERSION] = 1;
	memcpy(b.p + 64, names, sizeof(names));
	if (btf.n)
		memcpy(b.p + 80, btf.p, btf.n);
	b.n = (80 + btf.n + 7) & ~7ul;
	SET(b.p, is64, Ehdr, e_shoff, b.n, big);
	SET(b.p, is64, Ehdr, e_shentsize, shsize, big);
	SET(b.p, is64, Ehdr, e_shnum, 3, big);
	SET(b.p, is64, Ehdr, e_shstrndx, 1, big);
	s = b.p + b.n + shsize;
	SET(s, is64, Shdr, sh_name, 6, big);
	SET(s, is64, Shdr, sh_type, SHT_STRTAB, big);
	SET(s, is64, Shdr, sh_offset, 64, big);
	SET(s, is64, Shdr, sh_size, sizeof(names), big);
	s += shsize;
	SET(s, is64, Shdr, sh_name, 1, big);
	SET(s, is64, Shdr, sh_type, type, big);
	SET(s, is64, Shdr, sh_flags, flags, big);
	SET(s, is64, Shdr, sh_offset, 80, big);
	SET(s, is64, Shdr, sh_size, btf.n, big);
	b.n += 3 * shsize;
	return b;
}

static void test_elf(void)
{
	struct archive a = { 0 };
	struct fail f = { 0 };
	struct bytes elf;
	int read;

	for (int i = 0; i < 4; i++) {
		elf = elf_with(vmlinux, i & 1, i >> 1, SHT_PROGBITS, 0);
		tap_is_int(archive_read_memory(elf.p, elf.n, "vmlinux", &a, &f), 0,
			   "ELF%d, %s-endian %s", i & 1 ? 64 : 32, i >> 1 ? "big" : "little",
			   f.text);
		tap_ok(is(&a.btf, "", vmlinux), "its BTF");
		archive_free(&a);
		for (size_t n = read = 0; n < elf.n; n++)
			read += reads(elf.p, n);
		tap_is_int(read, 0, "cut at each of %zu bytes is refused", elf.n);
		free(elf.p);
	}
	elf = elf_with(vmlinux, 1, 0, SHT_PROGBITS, SHF_COMPRESSED);
	refuse_raw(elf, -ENOTSUP, "a compressed section");
	free(elf.p);
	elf = elf_with(vmlinux, 1, 0, SHT_NOBITS, 0);
	refuse_raw(elf, -ENOENT, "a section without bytes");
	elf.p[65] = '_';
	refuse_raw(elf, -ENOENT, "no section of that name");
	free(elf.p);
	elf = elf_with((struct bytes){ 0 }, 1, 0, SHT_PROGBITS, 0);
	refuse_raw(elf, -EBADMSG, "a section of 0 bytes");
	free(elf.p);
	elf = elf_with(vmlinux, 1, 0, SHT_PROGBITS, 0);
	refuse(elf, -ENOTSUP, "an ELF file within xz");
	free(elf.p);
}

static const char *in_dir(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void write_file(const char *path, struct bytes content)
{
	FILE *file = fopen(path, "we");

	if (!file || (content.n && fwrite(content.p, content.n, 1, file) != 1) || fclose(file))
		abort();
}

static void refuse_path(const char *path, int err, const char *what)
{
	struct archive a = { 0 };
	struct fail f = { 0 };

	tap_is_int(archive_read(path, &a, &f), err, "%s: %s", what, f.text);
	tap_ok(!strncmp(f.text, path, strlen(path)), "and the path is told");
}

static void test_paths(void)
{
	struct bytes elf = elf_with(vmlinux, 1, 0, SHT_PROGBITS, 0);
	struct archive a = { 0 };
	struct fail f = { 0 };

	alarm(60); /* whoever waits for the FIFO below is ended */
	write_file(in_dir("file"), vmlinux);
	tap_is_int(archive_read(in_dir("file"), &a, &f), 0, "a file %s", f.text);
	tap_ok(is(&a.btf, "", vmlinux), "its BTF");
	archive_free(&a);
	if (symlink("file", in_dir("link")))
		abort();
	tap_is_int(archive_read(in_dir("link"), &a, &f), 0, "a link to it %s", f.text);
	archive_free(&a);
	write_file(in_dir("vmlinux"), elf);
	tap_is_int(archive_read(in_dir("vmlinux"), &a, &f), 0, "an ELF file %s", f.text);
	tap_ok(is(&a.btf, "", vmlinux), "its BTF");
	archive_free(&a);
	refuse_path(in_dir("missing"), -ENOENT, "a missing file");
	refuse_path(dir, -EBADMSG, "a folder");
	if (mkfifo(in_dir("fifo"), 0644))
		abort();
	refuse_path(in_dir("fifo"), -EBADMSG, "a FIFO, without waiting");
	refuse_path("/dev/zero", -EBADMSG, "a device");
	write_file(in_dir("empty"), (struct bytes){ 0 });
	refuse_path(in_dir("empty"), -EBADMSG, "an empty file");
	if (truncate(in_dir("file"), (off_t)4 << 30 | 77))
		abort();
	refuse_path(in_dir("file"), -E2BIG, "a sparse file of 4 GiB");
	if (truncate(in_dir("file"), 200 << 20))
		abort();
	refuse_path(in_dir("file"), -E2BIG, "200 MiB that are no ELF");
	alarm(0);
	free(elf.p);
	for (const char *const *p =
		     (const char *const[]){ "file", "link", "vmlinux", "fifo", "empty", NULL };
	     *p; p++)
		unlink(in_dir(*p));
}

static int n_real, n_wrong;

static uint32_t u32(const struct archive_part *part, size_t at)
{
	const uint8_t *p = (const uint8_t *)part->data + at;

	return *(uint8_t *)part->data == 0xeb
		       ? (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]
		       : (uint32_t)p[3] << 24 | p[2] << 16 | p[1] << 8 | p[0];
}

/* Its one member is named for the file, and ends where the BTF's header says. */
static int visit(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	const char *file = path + ftw->base;
	struct archive a = { 0 };
	struct fail f = { 0 };
	size_t len;

	if (flag != FTW_F)
		return 0;
	n_real++;
	if (archive_read(path, &a, &f)) {
		printf("# %s\n", f.text);
		n_wrong++;
		return 0;
	}
	len = strlen(a.btf.name);
	n_wrong += a.n_modules != 0 || strncmp(file, a.btf.name, len) ||
		   strcmp(file + len, ".tar.xz") ||
		   u32(&a.btf, 4) + u32(&a.btf, 16) + u32(&a.btf, 20) != a.btf.size;
	archive_free(&a);
	return 0;
}

static const char *shared(const char *name, char path[512])
{
	const char *from = getenv("BTFDEPOT_SHARED");

	snprintf(path, 512, "%s/%s", from ? from : "../shared", name);
	return access(path, R_OK) ? NULL : path;
}

static void test_real(void)
{
	char path[512];

	if (shared("archive", path)) {
		nftw(path, visit, 16, FTW_PHYS);
		tap_ok(n_real > 0, "%d archives of real kernels", n_real);
		tap_is_int(n_wrong, 0, "all are read");
	} else {
		tap_skip("no %s", path);
	}
	if (shared("fleet/minimised-1999.tar.xz", path))
		refuse_path(path, -EBADMSG, "1,999 kernels in one archive");
	else
		tap_skip("no %s", path);
	if (shared("kernels/5.10.223-nobtf-tiny/vmlinux.xz", path))
		refuse_path(path, -ENOTSUP, "a kernel with DWARF, in xz");
	else
		tap_skip("no %s", path);
}

int main(void)
{
	if (!mkdtemp(dir))
		abort();
	make_btfs();
	test_forms();
	test_modules();
	test_bad_members();
	test_bad_bytes();
	test_bombs();
	test_cut();
	test_elf();
	test_paths();
	test_real();
	tap_is_int(rmdir(dir), 0, "all is cleaned up");
	archive_free(NULL);
	free(vmlinux.p);
	free(other.p);
	free(module.p);
	free(module2.p);
	return tap_done();
}

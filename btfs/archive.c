// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "archive.h"

#include "decoder.h"
#include "elf.h"
#include "fail.h"
#include "kernel.h"
#include "tar.h"
#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_UNPACKED (2 * ARCHIVE_MAX_BTF) /* bytes of everything in one archive */
#define MAX_PACKED   MAX_UNPACKED	   /* bytes of a file that is no ELF */
#define XZ_PRESET    6
#define BTF_MIN	     24 /* bytes of its header */

struct buffer {
	uint8_t *data;
	size_t size, room;
};

struct parts {
	struct archive_part *list;
	size_t n, room;
};

/* Grows as content comes, so that a header's claim costs nothing; never over max. */
static int buffer_grow(struct buffer *b, size_t max, struct fail *f)
{
	size_t room = b->room ? b->room * 2 : 64u << 10;
	uint8_t *data;

	if (room > max)
		room = max;
	data = realloc(b->data, room ? room : 1);
	if (!data)
		return fail(f, -ENOMEM, "no memory for %zu bytes", room);
	b->data = data;
	b->room = room;
	return 0;
}

/* Magic 0xeb9f in either byte order; view_open judges the rest. */
static bool is_btf(const uint8_t *p, size_t size)
{
	return size >= BTF_MIN &&
	       ((p[0] == 0x9f && p[1] == 0xeb) || (p[0] == 0xeb && p[1] == 0x9f));
}

static uint32_t u32(const uint8_t *p, bool big_endian)
{
	return big_endian ? (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]
			  : (uint32_t)p[3] << 24 | p[2] << 16 | p[1] << 8 | p[0];
}

/*
 * Split BTF takes the empty string from its base, so its own strings begin with another one, or
 * there are none; in BTF that stands alone the empty string comes first
 * (Documentation/bpf/btf.rst).
 */
static bool stands_alone(const struct archive_part *part)
{
	const uint8_t *p = part->data;
	bool big_endian = p[0] == 0xeb;
	uint64_t strs = (uint64_t)u32(p + 4, big_endian) + u32(p + 16, big_endian);

	return u32(p + 20, big_endian) > 0 && strs < part->size && p[strs] == 0;
}

static void part_free(struct archive_part *part)
{
	free(part->name);
	free(part->data);
}

static void parts_free(struct parts *parts)
{
	for (size_t i = 0; i < parts->n; i++)
		part_free(&parts->list[i]);
	free(parts->list);
}

/* Takes the buffer's bytes over, if all goes well. */
static int parts_add(struct parts *parts, const char *name, struct buffer *content, struct fail *f)
{
	struct archive_part *list;
	char *copy;

	if (content->size == 0)
		return fail(f, -EBADMSG, "no BTF in it: %s is empty", *name ? name : "it");
	if (!is_btf(content->data, content->size))
		return fail(f, -EBADMSG, "%s is not BTF", *name ? name : "what is in it");
	if (parts->n > ARCHIVE_MAX_MODULES)
		return fail(f, -E2BIG, "more than %d files in it", ARCHIVE_MAX_MODULES);
	if (parts->n == parts->room) {
		list = reallocarray(parts->list, parts->room * 2 + 1, sizeof(*list));
		if (!list)
			return fail(f, -ENOMEM, "no memory for %zu files", parts->n);
		parts->list = list;
		parts->room = parts->room * 2 + 1;
	}
	copy = strdup(name);
	if (!copy)
		return fail(f, -ENOMEM, "no memory for a name");
	parts->list[parts->n++] = (struct archive_part){ copy, content->data, content->size };
	*content = (struct buffer){ 0 };
	return 0;
}

/* All of the stream, of which the first n bytes were read already. */
static int read_raw(struct decoder *decoder, const uint8_t *first, size_t n, struct parts *parts,
		    struct fail *f)
{
	struct buffer b = { 0 };
	size_t got = n;
	int err;

	err = buffer_grow(&b, ARCHIVE_MAX_BTF + 1, f);
	if (err)
		return err;
	memcpy(b.data, first, n);
	b.size = n;
	while (!err && got > 0 && b.size <= ARCHIVE_MAX_BTF) {
		if (b.size == b.room)
			err = buffer_grow(&b, ARCHIVE_MAX_BTF + 1, f);
		if (!err)
			err = decoder_read(decoder, b.data + b.size, b.room - b.size, &got, f);
		if (!err)
			b.size += got;
	}
	if (!err && b.size > ARCHIVE_MAX_BTF)
		err = fail(f, -E2BIG, "BTF has more than %u bytes", ARCHIVE_MAX_BTF);
	if (!err)
		err = parts_add(parts, "", &b, f);
	free(b.data);
	return err;
}

static int read_member(struct tar *tar, const struct tar_member *member, struct parts *parts,
		       struct fail *f)
{
	struct buffer b = { 0 };
	int err = 0;

	if (member->size > ARCHIVE_MAX_BTF)
		return fail(f, -E2BIG, "%s has %zu bytes, the limit is %u", member->name,
			    member->size, ARCHIVE_MAX_BTF);
	while (!err && b.size < member->size) {
		err = buffer_grow(&b, member->size, f);
		if (!err)
			err = tar_read(tar, b.data + b.size, b.room - b.size, f);
		if (!err)
			b.size = b.room;
	}
	if (!err)
		err = parts_add(parts, member->name, &b, f);
	free(b.data);
	return err;
}

static int read_tar(struct decoder *decoder, const uint8_t *first, size_t n, struct parts *parts,
		    struct fail *f)
{
	struct tar_member member;
	struct tar tar;
	int err;

	tar_open(decoder, first, n, &tar);
	do {
		err = tar_next(&tar, &member, f);
		if (!err && member.kind == TAR_FILE)
			err = read_member(&tar, &member, parts, f);
	} while (!err && member.kind != TAR_END);
	return err;
}

static int read_packed(const void *data, size_t size, struct parts *parts, struct fail *f)
{
	static const uint8_t zeros[TAR_BLOCK];
	uint8_t first[TAR_BLOCK] = { 0 };
	struct decoder *decoder = NULL;
	size_t n;
	int err;

	err = decoder_new(data, size, MAX_UNPACKED, &decoder, f);
	if (!err)
		err = decoder_read(decoder, first, sizeof(first), &n, f);
	if (err)
		goto out;
	if (is_btf(first, n))
		err = read_raw(decoder, first, n, parts, f);
	else if (n >= 4 && !memcmp(first, "\177ELF", 4))
		err = fail(f, -ENOTSUP, "a compressed ELF file; decompress it first");
	else if (n == TAR_BLOCK && !memcmp(first, zeros, TAR_BLOCK))
		err = fail(f, -EBADMSG, "no BTF in it: an empty tar, or zeros");
	else if (n == TAR_BLOCK && tar_is_header(first))
		err = read_tar(decoder, first, n, parts, f);
	else
		err = fail(f, -EBADMSG, "neither BTF nor a tar of it");
out:
	decoder_free(decoder);
	return err;
}

static int read_elf(const void *data, size_t size, struct parts *parts, struct fail *f)
{
	struct buffer b = { 0 };
	const void *section;
	struct elf elf;
	size_t n;
	int err;

	err = elf_open(data, size, &elf, f);
	if (!err)
		err = elf_section(&elf, ".BTF", &section, &n, f);
	if (err)
		return err;
	if (n > ARCHIVE_MAX_BTF)
		return fail(f, -E2BIG, "section .BTF has %zu bytes, the limit is %u", n,
			    ARCHIVE_MAX_BTF);
	b.data = malloc(n ? n : 1);
	if (!b.data)
		return fail(f, -ENOMEM, "no memory for %zu bytes", n);
	memcpy(b.data, section, n);
	b.size = n;
	err = parts_add(parts, "", &b, f);
	free(b.data);
	return err;
}

/* Moves the one part that stands alone to the front; the others are its modules. */
static int choose_base(struct parts *parts, struct fail *f)
{
	struct archive_part first;
	size_t i, base = 0, n_bases = 0;

	if (parts->n == 0)
		return fail(f, -EBADMSG, "no BTF in it");
	if (parts->n == 1)
		return 0;
	for (i = 0; i < parts->n; i++) {
		if (!stands_alone(&parts->list[i]))
			continue;
		if (n_bases++ > 0)
			return fail(f, -EBADMSG, "two kernels' BTF in it: %s and %s",
				    parts->list[base].name, parts->list[i].name);
		base = i;
	}
	if (n_bases == 0)
		return fail(f, -EBADMSG, "%zu modules' BTF in it, but no kernel's", parts->n);
	first = parts->list[base];
	memmove(parts->list + 1, parts->list, base * sizeof(first));
	parts->list[0] = first;
	return 0;
}

int archive_read_memory(const void *data, size_t size, const char *name,
			struct archive *ret_archive, struct fail *f)
{
	struct archive archive = { 0 };
	struct parts parts = { 0 };
	int err;

	if (size == 0)
		err = fail(f, -EBADMSG, "no BTF in it: the file is empty");
	else if (size >= 4 && !memcmp(data, "\177ELF", 4))
		err = read_elf(data, size, &parts, f);
	else
		err = read_packed(data, size, &parts, f);
	if (!err)
		err = choose_base(&parts, f);
	if (!err && parts.n > 1) {
		archive.n_modules = parts.n - 1;
		archive.modules = calloc(archive.n_modules, sizeof(*archive.modules));
		if (!archive.modules)
			err = fail(f, -ENOMEM, "no memory for %zu modules", archive.n_modules);
	}
	if (err) {
		parts_free(&parts);
		return fail_in(f, err, "%s", name);
	}
	archive.btf = parts.list[0];
	if (archive.n_modules > 0)
		memcpy(archive.modules, parts.list + 1,
		       archive.n_modules * sizeof(*archive.modules));
	free(parts.list);
	*ret_archive = archive;
	return 0;
}

void archive_free(struct archive *archive)
{
	if (!archive)
		return;
	part_free(&archive->btf);
	for (size_t i = 0; i < archive->n_modules; i++)
		part_free(&archive->modules[i]);
	free(archive->modules);
	*archive = (struct archive){ 0 };
}

/* O_NONBLOCK: a FIFO would else wait for its writer. */
static int open_regular(const char *path, int *ret_fd, size_t *ret_size, struct fail *f)
{
	struct stat st;
	int fd, err = 0;

	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ENXIO)
		return fail(f, -EBADMSG, "%s: not a regular file", path);
	if (fd < 0)
		return fail(f, -errno, "%s: %m", path);
	if (fstat(fd, &st) < 0)
		err = fail(f, -errno, "%s: %m", path);
	else if (!S_ISREG(st.st_mode))
		err = fail(f, -EBADMSG, "%s: not a regular file", path);
	else if (st.st_size > ARCHIVE_MAX_FILE)
		err = fail(f, -E2BIG, "%s: has %lld bytes, the limit is %u", path,
			   (long long)st.st_size, ARCHIVE_MAX_FILE);
	if (err) {
		close(fd);
		return err;
	}
	*ret_fd = fd;
	*ret_size = st.st_size;
	return 0;
}

/*
 * A vmlinux has hundreds of megabytes, of which only a few are looked at. The price of a mapping:
 * whoever may shorten the file meanwhile can end us by SIGBUS.
 */
static int read_mapped(int fd, size_t size, const char *path, struct archive *ret_archive,
		       struct fail *f)
{
	void *data;
	int err;

	data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return fail(f, -errno, "%s: cannot map it: %m", path);
	err = archive_read_memory(data, size, path, ret_archive, f);
	munmap(data, size);
	return err;
}

/* Until its end, whatever fstat said: /proc and /sys do not always know. */
static int read_whole(int fd, const char *path, struct archive *ret_archive, struct fail *f)
{
	struct buffer b = { 0 };
	ssize_t n = 1;
	int err = 0;

	while (!err && n != 0) {
		if (b.size == MAX_PACKED)
			err = fail(f, -E2BIG, "%s: %u bytes or more, and not ELF", path,
				   MAX_PACKED);
		else if (b.size == b.room)
			err = buffer_grow(&b, MAX_PACKED, f);
		if (err)
			break;
		n = read(fd, b.data + b.size, b.room - b.size);
		if (n < 0 && errno != EINTR)
			err = fail(f, -errno, "%s: %m", path);
		if (n > 0)
			b.size += n;
	}
	if (!err)
		err = archive_read_memory(b.data, b.size, path, ret_archive, f);
	free(b.data);
	return err;
}

int archive_read(const char *path, struct archive *ret_archive, struct fail *f)
{
	char magic[4];
	size_t size = 0;
	int fd = -1, err;

	err = open_regular(path, &fd, &size, f);
	if (err)
		return err;
	if (pread(fd, magic, sizeof(magic), 0) == sizeof(magic) && !memcmp(magic, "\177ELF", 4))
		err = read_mapped(fd, size, path, ret_archive, f);
	else
		err = read_whole(fd, path, ret_archive, f);
	close(fd);
	return err;
}

static int xz_piece(lzma_stream *xz, const void *data, size_t size, lzma_action action)
{
	lzma_ret ret;

	xz->next_in = data;
	xz->avail_in = size;
	do
		ret = lzma_code(xz, action);
	while (ret == LZMA_OK && (xz->avail_in > 0 || action == LZMA_FINISH));
	return ret == LZMA_OK || ret == LZMA_STREAM_END ? 0 : -ENOMEM;
}

/* A name over 100 bytes is put before its member as the content of one of kind 'L' (GNU tar). */
static int write_head(lzma_stream *xz, const char *name, size_t size, size_t *ret_size)
{
	uint8_t head[3 * TAR_BLOCK] = { 0 };
	size_t n = 0, len = strlen(name);

	if (len > 100) {
		tar_header('L', "././@LongLink", len + 1, head);
		memcpy(head + TAR_BLOCK, name, len);
		n = 2 * TAR_BLOCK;
	}
	tar_header('0', name, size, head + n);
	*ret_size = n + TAR_BLOCK;
	return xz_piece(xz, head, *ret_size, LZMA_RUN);
}

/* tar -cJ --format=gnu --owner=root:0 --group=root:0 --mode=a=r --mtime=@0, byte for byte. */
static int write_tar(lzma_stream *xz, const char *name, const void *btf, size_t size)
{
	static const uint8_t zeros[TAR_RECORD + TAR_BLOCK];
	size_t head = 0, used, end;
	int err;

	err = write_head(xz, name, size, &head);
	if (!err)
		err = xz_piece(xz, btf, size, LZMA_RUN);
	if (err)
		return err;
	used = head + size + (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
	end = (used + 2 * TAR_BLOCK + TAR_RECORD - 1) / TAR_RECORD * TAR_RECORD;
	end -= head + size;
	if (end > sizeof(zeros)) {
		err = xz_piece(xz, zeros, end - sizeof(zeros), LZMA_RUN);
		end = sizeof(zeros);
	}
	return err ? err : xz_piece(xz, zeros, end, LZMA_FINISH);
}

int archive_write(const char *release, const void *btf, size_t size, void **ret_data,
		  size_t *ret_size, struct fail *f)
{
	char name[KERNEL_FIELD_SIZE + sizeof(".btf")];
	lzma_stream xz = LZMA_STREAM_INIT;
	size_t bound;
	uint8_t *out;
	int err;

	if (!kernel_name_ok(release))
		return fail(f, -EINVAL, "\"%s\" is no name of a kernel", release);
	if (size == 0)
		return fail(f, -EINVAL, "BTF of %s is empty", release);
	if (size > ARCHIVE_MAX_BTF)
		return fail(f, -E2BIG, "BTF has %zu bytes, the limit is %u", size, ARCHIVE_MAX_BTF);
	bound = lzma_stream_buffer_bound(size + 2 * TAR_RECORD);
	out = malloc(bound);
	if (!out || lzma_easy_encoder(&xz, XZ_PRESET, LZMA_CHECK_CRC64) != LZMA_OK) {
		err = fail(f, -ENOMEM, "no memory to compress %zu bytes", size);
		goto out;
	}
	snprintf(name, sizeof(name), "%s.btf", release);
	xz.next_out = out;
	xz.avail_out = bound;
	err = write_tar(&xz, name, btf, size);
	if (err) {
		fail(f, err, "cannot compress %zu bytes", size);
		goto out;
	}
	*ret_data = out;
	*ret_size = bound - xz.avail_out;
	out = NULL;
out:
	lzma_end(&xz);
	free(out);
	return err;
}

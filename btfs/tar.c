// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "tar.h"

#include "decoder.h"
#include "fail.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_LEN   100
#define PREFIX_LEN 155
#define MODE_SETID 06000

/* POSIX 1003.1, pax: ustar interchange format. GNU's differs in magic and in what prefix holds. */
struct header {
	char name[NAME_LEN];
	char mode[8], uid[8], gid[8];
	char size[12], mtime[12];
	char checksum[8];
	char kind;
	char linkname[100];
	char magic[8]; /* "ustar\0" "00", GNU: "ustar  \0" */
	char uname[32], gname[32];
	char devmajor[8], devminor[8];
	char prefix[PREFIX_LEN];
	char zeros[12];
};

_Static_assert(sizeof(struct header) == TAR_BLOCK, "a header fills its block");

static bool all_zero(const uint8_t *p, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (p[i])
			return false;
	return true;
}

static unsigned int checksum(const struct header *h)
{
	const uint8_t *p = (const uint8_t *)h;
	unsigned int sum = 0;

	for (size_t i = 0; i < sizeof(*h); i++)
		sum += p[i];
	/* The checksum itself counts as spaces. */
	for (size_t i = 0; i < sizeof(h->checksum); i++)
		sum += ' ' - (uint8_t)h->checksum[i];
	return sum;
}

/* Octal digits, spaces before, spaces or NULs after; GNU's base-256 is for sizes over 8 GiB. */
static int octal(const char *field, size_t len, uint64_t *ret_value)
{
	uint64_t value = 0;
	size_t i = 0, digits = 0;

	while (i < len && field[i] == ' ')
		i++;
	for (; i < len && field[i] >= '0' && field[i] <= '7'; i++, digits++)
		value = value << 3 | (uint64_t)(field[i] - '0');
	while (i < len && (field[i] == ' ' || field[i] == '\0'))
		i++;
	if (i < len || digits == 0)
		return -EBADMSG;
	*ret_value = value;
	return 0;
}

static bool is_gnu(const struct header *h)
{
	return !memcmp(h->magic, "ustar  ", sizeof(h->magic));
}

bool tar_is_header(const uint8_t block[TAR_BLOCK])
{
	const struct header *h = (const struct header *)block;
	uint64_t sum;

	if (!is_gnu(h) && memcmp(h->magic,
				 "ustar\0"
				 "00",
				 sizeof(h->magic)))
		return false;
	return !octal(h->checksum, sizeof(h->checksum), &sum) && sum == checksum(h);
}

/* One path component after another: none is "..", no byte is a control byte. */
static int check_name(const char *name, struct fail *f)
{
	const char *p = name;
	size_t len;

	if (*name == '\0' || *name == '/')
		return fail(f, -EBADMSG, "tar member \"%s\" has no relative name", name);
	for (p = name; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return fail(f, -EBADMSG, "tar member \"%s\" has control bytes in its name",
				    name);
	for (p = name; *p; p += len + (p[len] == '/')) {
		len = strcspn(p, "/");
		if (len == 2 && p[0] == '.' && p[1] == '.')
			return fail(f, -EBADMSG, "tar member \"%s\" leads out of its folder", name);
	}
	return 0;
}

static int set_name(const void *name, size_t len, char ret_name[TAR_MAX_NAME], struct fail *f)
{
	if (len >= TAR_MAX_NAME)
		return fail(f, -EBADMSG, "tar member has a name of %zu bytes, the limit is %d", len,
			    TAR_MAX_NAME - 1);
	if (memchr(name, 0, len))
		return fail(f, -EBADMSG, "tar member has a NUL in its name");
	memcpy(ret_name, name, len);
	ret_name[len] = '\0';
	return 0;
}

/* The name that the header itself has: prefix and name in POSIX's form, name alone in GNU's. */
static int header_name(const struct header *h, char ret_name[TAR_MAX_NAME], struct fail *f)
{
	size_t len = strnlen(h->name, NAME_LEN), prefix_len = 0;
	char joined[PREFIX_LEN + 1 + NAME_LEN];

	if (!all_zero((const uint8_t *)h->name + len, NAME_LEN - len))
		return fail(f, -EBADMSG, "tar member has a NUL in its name");
	if (!is_gnu(h))
		prefix_len = strnlen(h->prefix, PREFIX_LEN);
	memcpy(joined, h->prefix, prefix_len);
	if (prefix_len > 0)
		joined[prefix_len++] = '/';
	memcpy(joined + prefix_len, h->name, len);
	return set_name(joined, prefix_len + len, ret_name, f);
}

static int read_exactly(struct tar *tar, void *buf, size_t size, struct fail *f)
{
	size_t got;
	int err;

	err = decoder_read(tar->decoder, buf, size, &got, f);
	if (err)
		return err;
	return got == size ? 0 : fail(f, -EBADMSG, "tar is cut short");
}

static int skip(struct tar *tar, size_t size, struct fail *f)
{
	uint8_t waste[4096];
	size_t n;
	int err = 0;

	for (; size > 0 && !err; size -= n) {
		n = size < sizeof(waste) ? size : sizeof(waste);
		err = read_exactly(tar, waste, n, f);
	}
	return err;
}

static int next_block(struct tar *tar, struct fail *f)
{
	size_t have = tar->n_first;

	tar->n_first = 0;
	return read_exactly(tar, tar->block + have, TAR_BLOCK - have, f);
}

/* The first block of zeros was read: one more, and then no other byte. */
static int read_end(struct tar *tar, struct fail *f)
{
	uint8_t waste[4096];
	size_t got;
	int err;

	err = next_block(tar, f);
	if (err)
		return err;
	if (!all_zero(tar->block, TAR_BLOCK))
		return fail(f, -EBADMSG, "tar has a lone block of zeros in it");
	do {
		err = decoder_read(tar->decoder, waste, sizeof(waste), &got, f);
		if (err)
			return err;
		if (!all_zero(waste, got))
			return fail(f, -EBADMSG, "tar has bytes after its end");
	} while (got == sizeof(waste));
	return 0;
}

static void set_content(struct tar *tar, size_t size)
{
	tar->left = size;
	tar->padding = (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
}

int tar_read(struct tar *tar, void *buf, size_t size, struct fail *f)
{
	int err = read_exactly(tar, buf, size, f);

	if (!err)
		tar->left -= size;
	return err;
}

static int finish_content(struct tar *tar, struct fail *f)
{
	int err = skip(tar, tar->left + tar->padding, f);

	if (!err)
		set_content(tar, 0);
	return err;
}

static int read_long_name(struct tar *tar, size_t size, char ret_name[TAR_MAX_NAME], struct fail *f)
{
	char name[TAR_MAX_NAME + 1];
	int err;

	if (size == 0 || size > sizeof(name))
		return fail(f, -EBADMSG, "tar member has a name of %zu bytes, the limit is %d",
			    size, TAR_MAX_NAME - 1);
	err = tar_read(tar, name, size, f);
	if (err)
		return err;
	/* GNU counts the NUL at its end, others do not. */
	if (name[size - 1] == '\0')
		size--;
	return set_name(name, size, ret_name, f);
}

/* "key=value", len bytes. Only path says anything that matters here; size and sparse maps would
 * change where the next header is. */
static int take_pax_record(const char *record, size_t len, char ret_name[TAR_MAX_NAME],
			   struct fail *f)
{
	const char *value = memchr(record, '=', len);
	size_t key_len;

	if (!value)
		return fail(f, -EBADMSG, "pax record has no '='");
	key_len = value++ - record;
	if (key_len == 4 && !memcmp(record, "path", 4))
		return set_name(value, len - key_len - 1, ret_name, f);
	if ((key_len == 4 && !memcmp(record, "size", 4)) ||
	    (key_len >= 11 && !memcmp(record, "GNU.sparse.", 11)))
		return fail(f, -EBADMSG, "pax record \"%.*s\" changes a member's size",
			    (int)key_len, record);
	return 0;
}

/* Records "<length> key=value\n", the length counting itself in decimal. */
static int take_pax(const char *p, size_t size, char ret_name[TAR_MAX_NAME], struct fail *f)
{
	size_t len, digits;
	int err;

	while (size > 0) {
		for (len = digits = 0;
		     digits < size && digits < 6 && p[digits] >= '0' && p[digits] <= '9'; digits++)
			len = len * 10 + (size_t)(p[digits] - '0');
		if (digits == 0 || len > size || len < digits + 2 || p[digits] != ' ' ||
		    p[len - 1] != '\n')
			return fail(f, -EBADMSG, "pax record is malformed");
		err = take_pax_record(p + digits + 1, len - digits - 2, ret_name, f);
		if (err)
			return err;
		p += len;
		size -= len;
	}
	return 0;
}

static int read_pax(struct tar *tar, size_t size, char ret_name[TAR_MAX_NAME], struct fail *f)
{
	char *records;
	int err;

	if (size == 0 || size > TAR_MAX_PAX)
		return fail(f, -EBADMSG, "tar has %zu bytes of pax records, the limit is %u", size,
			    TAR_MAX_PAX);
	records = malloc(size);
	if (!records)
		return fail(f, -ENOMEM, "no memory for pax records");
	err = tar_read(tar, records, size, f);
	if (!err)
		err = take_pax(records, size, ret_name, f);
	free(records);
	return err;
}

/* A header and how much follows it. *ret_kind is '\0' for a block of zeros. */
static int read_header(struct tar *tar, char *ret_kind, size_t *ret_size, struct fail *f)
{
	const struct header *h = (const struct header *)tar->block;
	uint64_t size, mode;
	int err;

	err = finish_content(tar, f);
	if (!err)
		err = next_block(tar, f);
	if (err)
		return err;
	if (all_zero(tar->block, TAR_BLOCK)) {
		*ret_kind = '\0';
		return 0;
	}
	if (!tar_is_header(tar->block))
		return fail(f, -EBADMSG, "tar header is damaged or of another form");
	if (octal(h->size, sizeof(h->size), &size) || size > SIZE_MAX - TAR_BLOCK)
		return fail(f, -EBADMSG, "tar header has a malformed size");
	if (octal(h->mode, sizeof(h->mode), &mode) || (h->kind != '5' && mode & MODE_SETID))
		return fail(f, -EBADMSG, "tar header has a malformed or set-id mode");
	set_content(tar, size);
	*ret_size = size;
	*ret_kind = h->kind ? h->kind : '0';
	return 0;
}

static const char *kind_name(char kind)
{
	switch (kind) {
	case '1':
		return "a hard link";
	case '2':
		return "a symbolic link";
	case '3':
	case '4':
		return "a device";
	case '6':
		return "a FIFO";
	case 'S':
		return "a sparse file";
	default:
		return "no regular file";
	}
}

static int take_member(struct tar *tar, char kind, size_t size, struct tar_member *member,
		       struct fail *f)
{
	int err;

	if (member->name[0] == '\0') {
		err = header_name((const struct header *)tar->block, member->name, f);
		if (err)
			return err;
	}
	err = check_name(member->name, f);
	if (err)
		return err;
	if (kind != '0' && kind != '5')
		return fail(f, -EBADMSG, "tar member \"%s\" is %s", member->name, kind_name(kind));
	if (kind == '5' ? size > 0 : member->name[strlen(member->name) - 1] == '/')
		return fail(f, -EBADMSG, "tar member \"%s\" is half a folder, half a file",
			    member->name);
	member->kind = kind == '5' ? TAR_FOLDER : TAR_FILE;
	member->size = size;
	return 0;
}

/* At most one long name (GNU) or one set of records (pax) may come before a member. */
int tar_next(struct tar *tar, struct tar_member *ret_member, struct fail *f)
{
	struct tar_member member = { 0 };
	size_t size = 0;
	char kind;
	int err;

	err = read_header(tar, &kind, &size, f);
	if (!err && (kind == 'L' || kind == 'x')) {
		err = kind == 'L' ? read_long_name(tar, size, member.name, f)
				  : read_pax(tar, size, member.name, f);
		if (!err)
			err = read_header(tar, &kind, &size, f);
		if (!err && kind == '\0')
			return fail(f, -EBADMSG, "tar ends after the name of a member");
	}
	if (err)
		return err;
	if (kind == '\0') {
		member.kind = TAR_END;
		err = read_end(tar, f);
	} else {
		err = take_member(tar, kind, size, &member, f);
	}
	if (!err)
		*ret_member = member;
	return err;
}

void tar_open(struct decoder *decoder, const void *first, size_t n_first, struct tar *ret_tar)
{
	*ret_tar = (struct tar){ .decoder = decoder, .n_first = n_first };
	memcpy(ret_tar->block, first, n_first);
}

void tar_header(char kind, const char *name, size_t size, uint8_t ret_block[TAR_BLOCK])
{
	struct header h = { .kind = kind, .magic = "ustar  ", .uname = "root", .gname = "root" };
	size_t len = strnlen(name, sizeof(h.name));

	memcpy(h.name, name, len);
	memcpy(h.mode, kind == 'L' ? "0000644" : "0000444", sizeof(h.mode));
	memcpy(h.uid, "0000000", sizeof(h.uid));
	memcpy(h.gid, "0000000", sizeof(h.gid));
	snprintf(h.size, sizeof(h.size), "%011llo", (unsigned long long)size & 077777777777);
	memcpy(h.mtime, "00000000000", sizeof(h.mtime));
	/* Six digits, NUL, space: what every tar writes. */
	snprintf(h.checksum, sizeof(h.checksum) - 1, "%06o", checksum(&h) & 0777777);
	h.checksum[7] = ' ';
	memcpy(ret_block, &h, sizeof(h));
}

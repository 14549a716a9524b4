// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "index.h"

#include "digest.h"
#include "fail.h"
#include "kernel.h"
#include "text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLAIN "._~:+/-" /* bytes that stand for themselves, beside letters, digits and _ */

enum { ARCH, DISTRO, DISTRO_VERSION, RELEASE, BUILD_ID, VERSION_TEXT, SHA256, SIZE, N_COLUMNS };

static const char *const names[N_COLUMNS] = { "arch",	  "distro",  "distro_version", "release",
					      "build_id", "version", "sha256",	       "size" };

/* The same as a table, with letters and digits: most of the time goes here. */
static const bool plain[256] = {
	['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['_'] = true,
	['.'] = true,	      [':'] = true,	    ['~'] = true,	  ['+'] = true,
	['/'] = true,	      ['-'] = true,
};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* In place; end is where the value's TAB stood. NULL: not what index_put would write. */
static const char *decode(char *value, const char *end)
{
	char *to = value;

	if (value == end)
		return NULL;
	if (end - value == 1 && *value == '-')
		return end; /* a NUL stands there by now */
	for (const char *from = value; from < end; from++) {
		int c = (unsigned char)*from;

		if (c == '%') {
			int high = end - from < 3 ? -1 : hex_digit(from[1]);
			int low = high < 0 ? -1 : hex_digit(from[2]);

			if (low < 0)
				return NULL;
			c = high * 16 + low;
			from += 2;
			/* the dash is plain but where it would say "not known" */
			if (!c || (plain[c] && !(c == '-' && end - value == 3)))
				return NULL;
		} else if (!plain[c]) {
			return NULL;
		}
		*to++ = c;
	}
	*to = '\0';
	return value;
}

static bool is_build_id(const char *s)
{
	size_t len = strspn(s, "0123456789abcdef");

	return !s[len] && len >= 12 && len <= 64;
}

static bool is_version(const char *s)
{
	size_t len = 0;

	for (; s[len]; len++)
		if ((unsigned char)s[len] < 0x20 || s[len] == 0x7f)
			return false;
	return len < KERNEL_FIELD_SIZE;
}

static bool is_good(int column, const char *value)
{
	const char *arch;

	switch (column) {
	case ARCH:
		arch = kernel_arch(value);
		return arch && !strcmp(arch, value);
	case RELEASE:
		return kernel_name_ok(value);
	case DISTRO:
	case DISTRO_VERSION:
		return !*value || kernel_name_ok(value);
	case BUILD_ID:
		return !*value || is_build_id(value);
	case VERSION_TEXT:
		return is_version(value);
	default:
		return digest_is_hex(value);
	}
}

static bool parse_size(const char *s, size_t *ret_size)
{
	size_t size = 0;

	if (!*s || (*s == '0' && s[1]))
		return false;
	for (; *s; s++)
		if (*s < '0' || *s > '9' || __builtin_mul_overflow(size, 10, &size) ||
		    __builtin_add_overflow(size, *s - '0', &size))
			return false;
	*ret_size = size;
	return true;
}

/* line ends with a NUL at end. */
static int parse_row(char *line, char *end, struct index_row *row, size_t n_columns, struct fail *f)
{
	const char *values[N_COLUMNS] = { 0 };
	size_t n = 0;

	for (char *p = line; p <= end; n++) {
		char *stop = memchr(p, '\t', end - p);

		stop = stop ? stop : end;
		*stop = '\0';
		if (n < SIZE) {
			values[n] = decode(p, stop);
			if (!values[n] || !is_good(n, values[n]))
				return fail(f, -EBADMSG, "its %s is not well-formed", names[n]);
		} else if (n == SIZE && !parse_size(p, &row->size)) {
			return fail(f, -EBADMSG, "its size is not well-formed");
		}
		p = stop + 1;
	}
	if (n != n_columns)
		return fail(f, -EBADMSG, "it has %zu columns, the header %zu", n, n_columns);
	row->arch = values[ARCH];
	row->distro = values[DISTRO];
	row->distro_version = values[DISTRO_VERSION];
	row->release = values[RELEASE];
	row->build_id = values[BUILD_ID];
	row->version = values[VERSION_TEXT];
	row->sha256 = values[SHA256];
	return 0;
}

/* Bytes of the columns that say which kernel it is. */
static size_t key_size(const char *line, size_t size)
{
	const char *p = line, *end = line + size;

	for (int i = 0; i < SHA256 && p; i++) {
		p = memchr(p, '\t', end - p);
		p = p ? p + 1 : NULL;
	}
	return p ? (size_t)(p - line) : size;
}

struct line {
	const char *p; /* of the text as it came */
	size_t size;
};

static int check_order(const struct line *before, const struct line *now, struct fail *f)
{
	size_t least = before->size < now->size ? before->size : now->size;
	int order = memcmp(before->p, now->p, least);
	size_t key = key_size(now->p, now->size);

	if (order > 0 || (order == 0 && before->size >= now->size))
		return fail(f, -EBADMSG, "it does not stand behind the line before it in order");
	if (key < before->size && !memcmp(before->p, now->p, key))
		return fail(f, -EBADMSG, "it is about the same kernel as the line before it");
	return 0;
}

static int parse_rows(const char *text, size_t size, size_t at, struct index *index,
		      size_t n_columns, struct fail *f)
{
	struct line before = { "", 0 };
	int err;

	while (at < size) {
		const char *end = memchr(text + at, '\n', size - at);
		struct line line = { text + at, 0 };

		if (!end)
			return fail(f, -EBADMSG, "its last line does not end");
		line.size = end - line.p;
		err = check_order(&before, &line, f);
		if (!err)
			err = parse_row(index->text + at, index->text + (end - text),
					&index->rows[index->n], n_columns, f);
		if (err)
			return fail_in(f, err, "line %zu", index->n + 2);
		index->n++;
		before = line;
		at += line.size + 1;
	}
	return 0;
}

static size_t count(const char *text, size_t size, char c)
{
	size_t n = 0;

	for (const char *end = text + size; (text = memchr(text, c, end - text)); text++)
		n++;
	return n;
}

/* Gives the bytes of the header line with its newline, or 0. */
static size_t take_header(const char *text, size_t size, size_t *ret_columns)
{
	size_t known = strlen(INDEX_HEADER);
	const char *end;

	if (size <= known || memcmp(text, INDEX_HEADER, known) ||
	    (text[known] != '\n' && text[known] != '\t'))
		return 0;
	end = memchr(text, '\n', size);
	if (!end)
		return 0;
	*ret_columns = count(text, end - text, '\t') + 1;
	return end - text + 1;
}

int index_parse(const char *text, size_t size, struct index *ret_index, struct fail *f)
{
	struct index index = { 0 };
	size_t header, n_columns = 0, n;
	int err;

	if (size > INDEX_MAX_TEXT)
		return fail(f, -E2BIG, "index has %zu bytes, the limit is %u", size,
			    INDEX_MAX_TEXT);
	header = take_header(text, size, &n_columns);
	if (!header)
		return fail(f, -ENOTSUP, "not an index, or one newer than this library");
	if (memchr(text, '\0', size))
		return fail(f, -EBADMSG, "index holds a NUL");
	n = count(text, size, '\n') - 1;
	if (n > INDEX_MAX_ROWS)
		return fail(f, -E2BIG, "index has %zu rows, the limit is %u", n, INDEX_MAX_ROWS);
	index.rows = malloc((n + 1) * sizeof(*index.rows));
	index.text = malloc(size + 1);
	if (!index.rows || !index.text) {
		index_free(&index);
		return fail(f, -ENOMEM, "no memory for %zu rows", n);
	}
	memcpy(index.text, text, size);
	err = parse_rows(text, size, header, &index, n_columns, f);
	if (err)
		index_free(&index);
	else
		*ret_index = index;
	return err;
}

void index_free(struct index *index)
{
	free(index->rows);
	free(index->text);
	*index = (struct index){ 0 };
}

static void set(char field[KERNEL_FIELD_SIZE], const char *value)
{
	snprintf(field, KERNEL_FIELD_SIZE, "%s", value);
}

void index_kernel(const struct index_row *row, struct kernel *ret_kernel)
{
	set(ret_kernel->arch, row->arch);
	set(ret_kernel->release, row->release);
	set(ret_kernel->version, row->version);
	set(ret_kernel->build_id, row->build_id);
	set(ret_kernel->distro, row->distro);
	set(ret_kernel->distro_version, row->distro_version);
}

static void put_field(struct text *t, const char *value)
{
	if (!*value)
		text_bytes(t, "-", 1);
	else if (!strcmp(value, "-"))
		text_add(t, "%%2D"); /* the name, not "not known" */
	else
		text_percent(t, value, PLAIN);
	text_bytes(t, "\t", 1);
}

void index_put(struct text *t, const struct kernel *kernel, const char *sha256, size_t size)
{
	put_field(t, kernel->arch);
	put_field(t, kernel->distro);
	put_field(t, kernel->distro_version);
	put_field(t, kernel->release);
	put_field(t, kernel->build_id);
	put_field(t, kernel->version);
	text_add(t, "%s\t%zu\n", sha256, size);
}

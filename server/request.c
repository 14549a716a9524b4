// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "request.h"
#include "btfs/fail.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int bad_segment(const char *s, size_t n)
{
	return n == 0 || (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.');
}

/* "" is the root page and "a/" a folder: both are well-formed. */
static int check_segments(const char *path, struct fail *f)
{
	size_t n;

	for (; *path; path += n + (path[n] == '/')) {
		n = strcspn(path, "/");
		if (bad_segment(path, n))
			return fail(f, -EINVAL,
				    "the path has an empty, \".\" or \"..\" segment; ask for it "
				    "without");
	}
	return 0;
}

int request_path(const char *target, char ret_path[REQUEST_MAX_TARGET + 1], struct fail *f)
{
	char path[REQUEST_MAX_TARGET + 1] = "";
	size_t length = strcspn(target, "?"), n = 0, i;

	if (strlen(target) > REQUEST_MAX_TARGET)
		return fail(f, -EINVAL, "the path is longer than %d bytes; no name here is",
			    REQUEST_MAX_TARGET);
	if (target[0] != '/')
		return fail(f, -EINVAL, "the request's target must be a path that starts with /");
	for (i = 1; i < length; i++) {
		unsigned char c = target[i];
		int high, low;

		if (c == '%') {
			high = hex_digit(target[i + 1]);
			low = high < 0 ? -1 : hex_digit(target[i + 2]);
			if (low < 0)
				return fail(f, -EINVAL,
					    "the path has a %% without two hex digits; write %%25");
			c = high << 4 | low;
			i += 2;
			if (c == '/')
				return fail(f, -EINVAL,
					    "the path has an encoded /; no name has one");
		}
		if (c <= 0x20 || c >= 0x7f || c == '\\')
			return fail(f, -EINVAL,
				    "the path has a byte that no name here has; names are of "
				    "A-Z a-z 0-9 . _ + : ~ @ -");
		path[n++] = c;
	}
	path[n] = '\0';
	if (check_segments(path, f))
		return -EINVAL;
	memcpy(ret_path, path, n + 1);
	return 0;
}

/* Digits at *s; too large numbers become SIZE_MAX, which is beyond every file. */
static int parse_number(const char **s, size_t *ret_number)
{
	const char *p = *s;
	size_t n = 0;

	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *p - '0', &n))
			n = SIZE_MAX / 10;
	if (p == *s)
		return 0;
	*ret_number = n;
	*s = p;
	return 1;
}

enum request_range request_range(const char *value, size_t size, size_t *ret_first,
				 size_t *ret_length)
{
	size_t first = 0, last = SIZE_MAX;
	int has_first, has_last;

	if (strncasecmp(value, "bytes=", 6) != 0)
		return REQUEST_WHOLE;
	value += 6;
	has_first = parse_number(&value, &first);
	if (*value++ != '-')
		return REQUEST_WHOLE;
	has_last = parse_number(&value, &last);
	if (*value || (!has_first && !has_last) || (has_first && last < first))
		return REQUEST_WHOLE;
	if (!has_first && (last == 0 || size == 0))
		return REQUEST_UNSATISFIABLE;
	if (!has_first) {
		first = last < size ? size - last : 0;
		last = SIZE_MAX;
	}
	if (first >= size)
		return REQUEST_UNSATISFIABLE;
	*ret_first = first;
	*ret_length = (last < size ? last + 1 : size) - first;
	return REQUEST_PART;
}

int request_etag_listed(const char *list, const char *sha256, enum request_compare compare)
{
	size_t n, length = strlen(sha256);
	int weak;

	list += strspn(list, " \t,");
	if (*list == '*')
		return list[1 + strspn(list + 1, " \t")] == '\0';
	while (*list) {
		weak = strncmp(list, "W/", 2) == 0;
		list += weak ? 2 : 0;
		if (*list++ != '"')
			return 0;
		n = strcspn(list, "\"");
		if (list[n] != '"')
			return 0;
		if (n == length && memcmp(list, sha256, n) == 0 &&
		    (!weak || compare == REQUEST_WEAK))
			return 1;
		list += n + 1;
		list += strspn(list, " \t,");
	}
	return 0;
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct text *t, size_t more)
{
	size_t room = t->room ? t->room : 256;
	char *p;

	if (t->failed)
		return false;
	if (more < t->room - t->size)
		return true;
	while (room - t->size <= more) {
		if (__builtin_mul_overflow(room, 2, &room)) {
			t->failed = true;
			return false;
		}
	}
	p = realloc(t->p, room);
	if (!p) {
		t->failed = true;
		return false;
	}
	t->p = p;
	t->room = room;
	return true;
}

void text_bytes(struct text *t, const void *p, size_t size)
{
	if (!reserve(t, size))
		return;
	if (size)
		memcpy(t->p + t->size, p, size);
	t->size += size;
	t->p[t->size] = '\0';
}

void text_cut(struct text *t, size_t size)
{
	if (size >= t->size)
		return;
	t->size = size;
	t->p[size] = '\0';
}

void text_add(struct text *t, const char *fmt, ...)
{
	va_list args;
	int size;

	va_start(args, fmt);
	size = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (size < 0) {
		t->failed = true;
		return;
	}
	if (!reserve(t, size))
		return;
	va_start(args, fmt);
	vsnprintf(t->p + t->size, size + 1u, fmt, args);
	va_end(args);
	t->size += size;
}

void text_free(struct text *t)
{
	free(t->p);
	*t = (struct text){ 0 };
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

void text_percent(struct text *t, const char *s, const char *keep)
{
	size_t n;

	for (; *s; s += n) {
		for (n = 0; s[n] && (is_word(s[n]) || strchr(keep, s[n])); n++)
			;
		text_bytes(t, s, n);
		if (s[n])
			text_add(t, "%%%02X", (unsigned char)s[n++]);
	}
}

void text_string(struct text *t, const char *s)
{
	text_bytes(t, s, strlen(s));
}

void text_number(struct text *t, uint32_t x)
{
	char digits[10];
	size_t n = sizeof(digits);

	do
		digits[--n] = '0' + x % 10;
	while (x /= 10);
	text_bytes(t, digits + n, sizeof(digits) - n);
}

/* Bytes of the well-formed UTF-8 sequence at s (RFC 3629), 0 if it is none. */
static size_t utf8_size(const char *s)
{
	const uint8_t *p = (const uint8_t *)s;
	size_t n = p[0] < 0x80	 ? 1
		   : p[0] < 0xc2 ? 0
		   : p[0] < 0xe0 ? 2
		   : p[0] < 0xf0 ? 3
		   : p[0] < 0xf5 ? 4
				 : 0;

	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

void text_json(struct text *t, const char *s)
{
	size_t n;

	text_bytes(t, "\"", 1);
	for (; *s; s += n) {
		n = utf8_size(s);
		if (!n) {
			text_add(t, "\\ufffd");
			n = 1;
		} else if (*s == '"' || *s == '\\') {
			text_add(t, "\\%c", *s);
		} else if ((unsigned char)*s < 0x20 || *s == 0x7f) {
			text_add(t, "\\u%04x", (unsigned)*s);
		} else {
			text_bytes(t, s, n);
		}
	}
	text_bytes(t, "\"", 1);
}

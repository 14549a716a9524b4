// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "osrelease.h"

#include "fail.h"
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

struct scan {
	const char *p, *end;
};

/* Counts on past its room, so that too long a value is told from one that fits. */
struct value {
	char text[KERNEL_FIELD_SIZE];
	size_t len;
};

static bool at(const struct scan *s, const char *any)
{
	return s->p < s->end && strchr(any, *s->p);
}

static void skip_blanks(struct scan *s)
{
	while (at(s, " \t\r"))
		s->p++;
}

static void skip_line(struct scan *s)
{
	while (s->p < s->end && *s->p != '\n')
		s->p++;
	if (s->p < s->end)
		s->p++;
}

static void put(struct value *v, char c)
{
	if (v->len < sizeof(v->text) - 1)
		v->text[v->len] = c;
	v->len++;
}

/* Behind a backslash; within double quotes it is special only before these (POSIX 2.2.3). */
static void scan_escape(struct scan *s, struct value *v, bool quoted)
{
	if (s->p == s->end)
		return;
	if (quoted && !at(s, "$`\"\\\n"))
		put(v, '\\');
	if (*s->p != '\n')
		put(v, *s->p);
	s->p++;
}

static int scan_quoted(struct scan *s, struct value *v)
{
	char quote = *s->p++;

	while (s->p < s->end && *s->p != quote) {
		char c = *s->p++;

		if (c == '\\' && quote == '"')
			scan_escape(s, v, true);
		else
			put(v, c);
	}
	if (s->p == s->end)
		return -EBADMSG;
	s->p++;
	return 0;
}

/* Up to the end of the line, or where quotes say that it goes on. */
static int scan_value(struct scan *s, struct value *v)
{
	const char *start = s->p;

	while (s->p < s->end && !at(s, " \t\r\n")) {
		if (at(s, "'\"")) {
			if (scan_quoted(s, v)) {
				/* Give up this line only: the rest of the file may be sound. */
				s->p = start;
				skip_line(s);
				return -EBADMSG;
			}
		} else if (*s->p == '\\') {
			s->p++;
			scan_escape(s, v, false);
		} else {
			put(v, *s->p++);
		}
	}
	skip_blanks(s);
	if (s->p < s->end && !at(s, "\n#")) {
		skip_line(s);
		return -EBADMSG;
	}
	skip_line(s);
	return 0;
}

/* Whether the line assigns to key; if so the scan stands at the value. */
static bool scan_key(struct scan *s, const char *key, bool *ret_assigns)
{
	const char *start;
	size_t len;

	skip_blanks(s);
	start = s->p;
	while (s->p < s->end && (isalnum((unsigned char)*s->p) || *s->p == '_'))
		s->p++;
	len = s->p - start;
	skip_blanks(s);
	*ret_assigns = len > 0 && at(s, "=");
	if (!*ret_assigns)
		return false;
	s->p++;
	skip_blanks(s);
	return len == strlen(key) && !memcmp(start, key, len);
}

static int take(const char *key, struct value *v, int err, char ret_value[KERNEL_FIELD_SIZE],
		struct fail *f)
{
	ret_value[0] = '\0';
	if (err)
		return fail(f, err, "os-release: the value of %s is malformed", key);
	if (v->len == 0)
		return 0;
	if (v->len >= sizeof(v->text))
		return fail(f, -EBADMSG, "os-release: %s has %zu bytes, the limit is %zu", key,
			    v->len, sizeof(v->text) - 1);
	v->text[v->len] = '\0';
	if (!kernel_name_ok(v->text))
		return fail(f, -EBADMSG, "os-release: %s is \"%s\", which is no name", key,
			    v->text);
	memcpy(ret_value, v->text, v->len + 1);
	return 0;
}

int osrelease_get(const char *text, size_t size, const char *key, char ret_value[KERNEL_FIELD_SIZE],
		  struct fail *f)
{
	struct scan s = { text, text + size };
	struct value last = { .len = 0 };
	int last_err = 0, err;
	bool assigns;

	ret_value[0] = '\0';
	if (size > OSRELEASE_MAX_SIZE)
		return fail(f, -E2BIG, "os-release has %zu bytes, the limit is %u", size,
			    OSRELEASE_MAX_SIZE);
	if (size > 0 && memchr(text, 0, size))
		return fail(f, -EBADMSG, "os-release holds NUL bytes");
	if (size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		s.p += 3;
	while (s.p < s.end) {
		struct value v = { .len = 0 };
		bool ours = scan_key(&s, key, &assigns);

		err = 0;
		if (assigns)
			err = scan_value(&s, &v);
		else
			skip_line(&s);
		if (ours) {
			last = v;
			last_err = err;
		}
	}
	return take(key, &last, last_err, ret_value, f);
}

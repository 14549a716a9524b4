// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Foreign names end up in these sentences: what could move a terminal's cursor must not. */
static void clean(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

int fail(struct fail *f, int code, const char *fmt, ...)
{
	va_list args;

	if (!f)
		return code;
	va_start(args, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, args);
	va_end(args);
	clean(f->text);
	return code;
}

int fail_in(struct fail *f, int code, const char *fmt, ...)
{
	char subject[FAIL_TEXT_MAX], cause[FAIL_TEXT_MAX];
	va_list args;

	if (!f)
		return code;
	va_start(args, fmt);
	vsnprintf(subject, sizeof(subject), fmt, args);
	va_end(args);
	memcpy(cause, f->text, sizeof(cause));
	if (snprintf(f->text, sizeof(f->text), "%.200s: %.560s", subject, cause) < 0)
		f->text[0] = '\0';
	clean(f->text);
	return code;
}

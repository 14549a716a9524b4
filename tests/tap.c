// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES 512

static int n_points, n_failed;

/* '#' would begin a directive, a newline the next point. */
static void put_escaped(const char *text)
{
	for (; *text; text++) {
		if (*text == '#' || *text == '\\')
			putchar('\\');
		putchar(*text == '\n' ? ' ' : *text);
	}
}

__attribute__((format(printf, 2, 0))) static void point(int good, const char *fmt, va_list args)
{
	char name[NAME_MAX_BYTES];

	if (n_points == 0)
		setvbuf(stdout, NULL, _IOLBF, 0); /* a crash must not eat the points before it */
	vsnprintf(name, sizeof(name), fmt, args);
	n_points++;
	n_failed += !good;
	printf("%sok %d - ", good ? "" : "not ", n_points);
	put_escaped(name);
	putchar('\n');
}

static void put_value(const char *what, const char *text)
{
	printf("# %s: ", what);
	for (text = text ? text : "(null)"; *text; text++) {
		putchar(*text);
		if (*text == '\n')
			fputs("#       ", stdout);
	}
	putchar('\n');
}

void tap_ok(int cond, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	point(cond, fmt, args);
	va_end(args);
}

void tap_is_str(const char *got, const char *want, const char *fmt, ...)
{
	int same = got && want ? strcmp(got, want) == 0 : got == want;
	va_list args;

	va_start(args, fmt);
	point(same, fmt, args);
	va_end(args);
	if (same)
		return;
	put_value(" got", got);
	put_value("want", want);
}

void tap_is_int(long long got, long long want, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	point(got == want, fmt, args);
	va_end(args);
	if (got != want)
		printf("#  got: %lld\n# want: %lld\n", got, want);
}

void tap_skip(const char *why_fmt, ...)
{
	char why[NAME_MAX_BYTES];
	va_list args;

	va_start(args, why_fmt);
	vsnprintf(why, sizeof(why), why_fmt, args);
	va_end(args);
	n_points++;
	printf("ok %d # SKIP ", n_points);
	put_escaped(why);
	putchar('\n');
}

int tap_done(void)
{
	printf("1..%d\n", n_points);
	return n_failed || !n_points;
}

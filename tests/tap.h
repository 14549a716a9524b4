/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Test points for unit programs, in the Test Anything Protocol that prove reads.
 *
 *	tap_ok(view, "opens");
 *	tap_is_int(err, -EBADMSG, "is refused");
 *	return tap_done();
 *
 * One test point per call, one thread. What was got and expected is shown where they differ.
 */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

void tap_ok(int cond, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void tap_is_str(const char *got, const char *want, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void tap_is_int(long long got, long long want, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A point that can't be tested here, with the reason. */
void tap_skip(const char *why_fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints the plan; gives main's exit code: 0 if no point failed. */
int tap_done(void);

#endif

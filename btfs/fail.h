/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * One error, one sentence. The cause is recorded once, where it is known; a caller may put its
 * subject in front of it; only a main.c prints it.
 *
 *	if (size > MAX)
 *		return fail(f, -E2BIG, "file has %zu bytes, the limit is %d", size, MAX);
 *	...
 *	err = parse(data, f);
 *	if (err)
 *		return fail_in(f, err, "%s", path);
 */
#ifndef BTFS_FAIL_H
#define BTFS_FAIL_H

#define FAIL_TEXT_MAX 768 /* bytes, with the NUL; longer sentences are cut */

struct fail {
	char text[FAIL_TEXT_MAX]; /* one line without newline, control bytes shown as '?'; "" before
				   */
};

/* Records the sentence and returns code (a negative errno). f may be NULL. */
int fail(struct fail *f, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "subject: " before the sentence that f already holds and returns code. f may be NULL. */
int fail_in(struct fail *f, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif

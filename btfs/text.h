/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Text that grows. An allocation that fails is remembered, so that a whole document is written
 * first and asked once:
 *
 *	struct text t = { 0 };
 *	text_add(&t, "{\"types\": %u}\n", n);
 *	if (t.failed) ...
 *	text_free(&t);
 */
#ifndef BTFS_TEXT_H
#define BTFS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *p;     /* always ends with a NUL once something was added */
	size_t size; /* bytes, without the NUL */
	size_t room;
	bool failed;
};

void text_add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_bytes(struct text *t, const void *p, size_t size);
void text_string(struct text *t, const char *s);
void text_number(struct text *t, uint32_t x); /* in decimal */
/* Takes back what stands behind the first size bytes. */
void text_cut(struct text *t, size_t size);
void text_free(struct text *t);

/* Every byte but A-Za-z0-9_ and those in keep becomes %XX. */
void text_percent(struct text *t, const char *s, const char *keep);

/* A JSON string with its quotes; bytes that are no UTF-8 become U+FFFD. */
void text_json(struct text *t, const char *s);

#endif

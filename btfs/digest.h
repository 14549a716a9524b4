/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* SHA-256 (FIPS 180-4) by libsodium: names of needs, of blobs and of cache entries. */
#ifndef BTFS_DIGEST_H
#define BTFS_DIGEST_H

#include <stddef.h>

#define DIGEST_HEX_SIZE 65 /* 64 lower-case hex digits and a NUL */

/* The digest of size bytes at data as hex. Cannot fail. */
void digest_hex(const void *data, size_t size, char ret_hex[DIGEST_HEX_SIZE]);

/* 1 if s is exactly 64 lower-case hex digits, else 0. */
int digest_is_hex(const char *s);

#endif

// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "digest.h"

#include <sodium.h>
#include <string.h>

_Static_assert(DIGEST_HEX_SIZE == crypto_hash_sha256_BYTES * 2 + 1, "hex of a sha256 and a NUL");

void digest_hex(const void *data, size_t size, char ret_hex[DIGEST_HEX_SIZE])
{
	unsigned char hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, data, size);
	sodium_bin2hex(ret_hex, DIGEST_HEX_SIZE, hash, sizeof(hash));
}

int digest_is_hex(const char *s)
{
	size_t len = strspn(s, "0123456789abcdef");

	return len == DIGEST_HEX_SIZE - 1 && s[len] == '\0';
}

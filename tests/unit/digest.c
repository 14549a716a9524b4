// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "btfs/digest.h"
#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>

/* FIPS 180-4's own examples. */
static void test_known(void)
{
	static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	char hex[DIGEST_HEX_SIZE], *million;

	digest_hex("", 0, hex);
	tap_is_str(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		   "no bytes");
	digest_hex("abc", 3, hex);
	tap_is_str(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		   "three bytes");
	digest_hex(two_blocks, strlen(two_blocks), hex);
	tap_is_str(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
		   "two blocks");
	million = malloc(1000000);
	if (!million)
		abort();
	memset(million, 'a', 1000000);
	digest_hex(million, 1000000, hex);
	tap_is_str(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
		   "a million bytes");
	free(million);
}

static void test_is_hex(void)
{
	char hex[DIGEST_HEX_SIZE + 1];

	digest_hex("abc", 3, hex);
	tap_is_int(digest_is_hex(hex), 1, "a digest is one");
	hex[5] = 'A';
	tap_is_int(digest_is_hex(hex), 0, "upper case is not");
	hex[5] = 'g';
	tap_is_int(digest_is_hex(hex), 0, "another letter is not");
	hex[5] = '0';
	hex[63] = '\0';
	tap_is_int(digest_is_hex(hex), 0, "63 digits are not");
	hex[63] = hex[64] = '0';
	hex[65] = '\0';
	tap_is_int(digest_is_hex(hex), 0, "65 digits are not");
	tap_is_int(digest_is_hex(""), 0, "nothing is not");
}

int main(void)
{
	test_known();
	test_is_hex();
	return tap_done();
}

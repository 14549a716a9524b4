/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * BTF put together word by word, so that it may be as wrong as a test wants it:
 *
 *	struct raw r = raw_btf(RAW_WORDS(RAW_INT, RAW(S_A, TYPEDEF, 0, 0, 1)), RAW_NATIVE);
 *	... r.data, r.size ...
 *	free(r.data);
 *
 * Names are offsets into one string section that all share.
 */
#ifndef TESTS_RAW_H
#define TESTS_RAW_H

#include <linux/btf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define RAW_HEADER 24u /* bytes */

/* clang-format off */
static const char raw_strings[] = "\0int\0a\0b\0c\0long\0.rodata\0bad-name\0007up\0a\nb\0\303\251";
enum { S_NONE, S_INT, S_A = 5, S_B = 7, S_C = 9, S_LONG = 11, S_RODATA = 16, S_DASH = 24,
       S_DIGIT = 33, S_NEWLINE = 37, S_UTF8 = 41, S_END = 44 };
/* clang-format on */
_Static_assert(sizeof(raw_strings) == S_END, "offsets into raw_strings");

#define RAW_ENUM64 19u
#define RAW_KIND(name, kind, kflag, vlen, word) \
	(name), (uint32_t)(kflag) << 31 | (uint32_t)(kind) << 24 | (vlen), (word)
#define RAW(name, kind, kflag, vlen, word) RAW_KIND(name, BTF_KIND_##kind, kflag, vlen, word)
/* An int of 4 bytes; most tests begin with it as type 1. */
#define RAW_INT RAW(S_INT, INT, 0, 0, 4), 32
/* Two arguments in one: the words and their number. */
#define RAW_WORDS(...) \
	((const uint32_t[]){ __VA_ARGS__ }), sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4

struct raw {
	uint8_t *data;
	size_t size;
};

enum raw_order { RAW_NATIVE, RAW_SWAPPED };

static inline uint32_t raw_word(uint32_t x, enum raw_order order)
{
	return order == RAW_SWAPPED ? __builtin_bswap32(x) : x;
}

static inline struct raw raw_sections(const uint32_t *types, size_t n, const char *strs,
				      size_t strs_len, enum raw_order order)
{
	const uint32_t head[] = { RAW_HEADER, 0, n * 4, n * 4, strs_len };
	uint16_t magic = order == RAW_SWAPPED ? __builtin_bswap16(BTF_MAGIC) : BTF_MAGIC;
	struct raw r = { .size = RAW_HEADER + n * 4 + strs_len };
	uint8_t *p;

	p = r.data = malloc(r.size);
	if (!p)
		abort();
	memcpy(p, &magic, 2);
	p[2] = BTF_VERSION;
	p[3] = 0;
	p += 4;
	for (size_t i = 0; i < 5 + n; i++, p += 4) {
		uint32_t x = raw_word(i < 5 ? head[i] : types[i - 5], order);

		memcpy(p, &x, 4);
	}
	memcpy(p, strs, strs_len);
	return r;
}

static inline struct raw raw_btf(const uint32_t *types, size_t n, enum raw_order order)
{
	return raw_sections(types, n, raw_strings, sizeof(raw_strings), order);
}

#endif

// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "btfs/decoder.h"
#include "btfs/fail.h"
#include "pack.h"
#include "tests/tap.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PLENTY	 (1u << 30) /* bytes */
#define ROOM	 (64u << 10)

/* Text that does not compress away to nothing. */
static struct bytes sample(size_t n)
{
	struct bytes b = { pack_room(n), n };
	uint32_t x = 1;

	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		b.p[i] = "0123456789abcdef"[x >> 28];
	}
	return b;
}

static const struct {
	const char *name;
	struct bytes (*pack)(struct bytes in);
} packers[] = { { "xz", pack_xz }, { "gzip", pack_gzip }, { "zstd", pack_zstd } };

/* Decodes a copy of exactly that size, step bytes at a time. Gives what came out, *ret_err else. */
static struct bytes unpack(const uint8_t *data, size_t size, size_t step, size_t max, int *ret_err,
			   struct fail *f)
{
	struct bytes out = { malloc(ROOM + step), 0 };
	uint8_t *copy = malloc(size ? size : 1);
	struct decoder *d = NULL;
	size_t got = 0;

	if (!out.p || !copy)
		abort();
	if (size)
		memcpy(copy, data, size);
	*ret_err = decoder_new(copy, size, max, &d, f);
	while (!*ret_err) {
		*ret_err = decoder_read(d, out.p + out.n % ROOM, step, &got, f);
		if (*ret_err || got < step)
			break;
		out.n += got;
	}
	out.n += *ret_err ? 0 : got;
	decoder_free(d);
	free(copy);
	return out;
}

static int unpack_error(const uint8_t *data, size_t size, struct fail *f)
{
	int err;

	free(unpack(data, size, 4096, PLENTY, &err, f).p);
	return err;
}

static void test_round_trip(void)
{
	static const size_t sizes[] = { 0, 1, 511, 512, 513, 40000 };
	static const size_t steps[] = { 7, 512, ROOM };

	for (size_t i = 0; i < COUNT(packers) * COUNT(sizes) * COUNT(steps); i++) {
		size_t p = i % COUNT(packers), s = i / COUNT(packers) % COUNT(sizes),
		       step = steps[i / COUNT(packers) / COUNT(sizes)];
		struct bytes in = sample(sizes[s]), packed = packers[p].pack(in), out;
		int err;

		out = unpack(packed.p, packed.n, step, PLENTY, &err, NULL);
		tap_ok(!err && out.n == in.n && !memcmp(out.p, in.p, in.n),
		       "%s of %zu bytes, %zu at a time", packers[p].name, in.n, step);
		free(in.p);
		free(packed.p);
		free(out.p);
	}
}

static void test_plain(void)
{
	static const char *const plain[] = { "", "x", "\x1f", "\xfd\67zX", "just text" };
	struct bytes out;
	int err;

	for (size_t i = 0; i < COUNT(plain); i++) {
		out = unpack((const uint8_t *)plain[i], strlen(plain[i]), 4, PLENTY, &err, NULL);
		tap_ok(!err && out.n == strlen(plain[i]) && !memcmp(out.p, plain[i], out.n),
		       "%zu other bytes are handed on", strlen(plain[i]));
		free(out.p);
	}
}

/* Each length from the magic up, and each byte turned over. */
static void test_damage(void)
{
	for (size_t i = 0; i < COUNT(packers); i++) {
		struct bytes in = sample(1000), packed = packers[i].pack(in);
		int whole = 0, other = 0;
		struct fail f = { 0 };

		for (size_t n = 6; n < packed.n; n++)
			whole += unpack_error(packed.p, n, &f) != -EBADMSG;
		tap_is_int(whole, 0, "%s cut at each of %zu bytes is refused: %s", packers[i].name,
			   packed.n, f.text);
		for (size_t n = 6; n < packed.n; n++) {
			struct bytes out;
			int err;

			packed.p[n] ^= 0x10;
			out = unpack(packed.p, packed.n, 4096, PLENTY, &err, NULL);
			other += !err && (out.n != in.n || memcmp(out.p, in.p, in.n));
			free(out.p);
			packed.p[n] ^= 0x10;
		}
		tap_is_int(other, 0, "%s with a byte turned over never gives other bytes",
			   packers[i].name);
		free(in.p);
		free(packed.p);
	}
}

static void test_more_after(void)
{
	for (size_t i = 0; i < COUNT(packers); i++) {
		struct bytes in = sample(100), packed = packers[i].pack(in);
		uint8_t *twice = calloc(2, packed.n);
		struct fail f = { 0 };

		if (!twice)
			abort();
		memcpy(twice, packed.p, packed.n);
		tap_is_int(unpack_error(twice, packed.n + 1, &f), -EBADMSG,
			   "%s and a byte more: %s", packers[i].name, f.text);
		tap_is_int(unpack_error(twice, packed.n + 4, &f), -EBADMSG, "and stream padding");
		memcpy(twice + packed.n, packed.p, packed.n);
		tap_is_int(unpack_error(twice, 2 * packed.n, &f), -EBADMSG, "and a second stream");
		free(in.p);
		free(packed.p);
		free(twice);
	}
}

static void test_max_output(void)
{
	for (size_t i = 0; i < COUNT(packers); i++) {
		struct bytes in = sample(5000), packed = packers[i].pack(in);
		struct fail f = { 0 };
		int err;

		free(unpack(packed.p, packed.n, 512, 5000, &err, &f).p);
		tap_is_int(err, 0, "%s just within the limit", packers[i].name);
		free(unpack(packed.p, packed.n, 512, 4999, &err, &f).p);
		tap_is_int(err, -E2BIG, "%s a byte over it: %s", packers[i].name, f.text);
		free(in.p);
		free(packed.p);
	}
}

static void put_u32(uint8_t *p, uint32_t x)
{
	for (int i = 0; i < 4; i++)
		p[i] = x >> 8 * i;
}

/* Says in the block's header that the dictionary has another size, and makes the CRC right again.
 */
static void set_dictionary(struct bytes *b, uint8_t code)
{
	uint8_t *header = b->p + 12;
	size_t size = (header[0] + 1) * 4;

	for (size_t i = 1; i < size - 6; i++)
		if (header[i] == 0x21 && header[i + 1] == 1) {
			header[i + 2] = code;
			put_u32(header + size - 4, lzma_crc32(header, size - 4, 0));
			return;
		}
	abort();
}

/* What the xz format asks for by one byte: 2 or 3, shifted left. */
static void test_xz_dictionary(void)
{
	static const struct {
		const char *size;
		uint8_t code;
		int err;
	} dictionaries[] = {
		{ "64 MiB, xz -9's", 28, 0 },
		{ "96 MiB", 29, -E2BIG },
		{ "1.5 GiB", 37, -E2BIG },
		{ "4 GiB", 40, -E2BIG },
		{ "none that exists", 41, -ENOTSUP },
	};
	struct bytes in = sample(10), packed = pack_xz(in);
	struct fail f;

	for (size_t i = 0; i < COUNT(dictionaries); i++) {
		f.text[0] = '\0';
		set_dictionary(&packed, dictionaries[i].code);
		tap_is_int(unpack_error(packed.p, packed.n, &f), dictionaries[i].err,
			   "an xz dictionary of %s %s", dictionaries[i].size, f.text);
	}
	free(in.p);
	free(packed.p);
}

/* One raw block in a frame whose window has 2^log bytes (RFC 8878, 3.1.1.1.2). */
static void test_zstd_window(void)
{
	static const int errs[][2] = {
		{ 20, 0 }, { 26, 0 }, { 27, -E2BIG }, { 31, -E2BIG }, { 41, -E2BIG }
	};
	uint8_t frame[] = { 0x28, 0xb5, 0x2f, 0xfd, 0, 0, 3 << 3 | 1, 0, 0, 'a', 'b', 'c' };
	struct fail f;

	for (size_t i = 0; i < COUNT(errs); i++) {
		f.text[0] = '\0';
		frame[5] = (errs[i][0] - 10) << 3;
		tap_is_int(unpack_error(frame, sizeof(frame), &f), errs[i][1],
			   "a zstd window of 2^%d bytes %s", errs[i][0], f.text);
	}
}

static void test_xz_forms(void)
{
	struct bytes in = sample(3000), b;
	uint8_t *end;

	b = pack_xz_check(in, LZMA_CHECK_CRC32);
	tap_is_int(unpack_error(b.p, b.n, NULL), 0, "xz with CRC32");
	free(b.p);
	b = pack_xz_check(in, LZMA_CHECK_SHA256);
	tap_is_int(unpack_error(b.p, b.n, NULL), 0, "xz with SHA-256");
	free(b.p);
	/* A check that the format has room for and nobody has defined, said in head and foot. */
	b = pack_xz(in);
	b.p[7] = 0x02;
	put_u32(b.p + 8, lzma_crc32(b.p + 6, 2, 0));
	end = b.p + b.n;
	end[-3] = 0x02;
	put_u32(end - 12, lzma_crc32(end - 8, 6, 0));
	tap_is_int(unpack_error(b.p, b.n, NULL), -ENOTSUP, "xz with an unknown check");
	free(b.p);
	free(in.p);
}

/* The dictionary that they ask for is never allocated. */
static void test_memory(void)
{
	struct bytes in = sample(10), packed = pack_xz(in);
	struct rusage before, after;

	getrusage(RUSAGE_SELF, &before);
	set_dictionary(&packed, 40);
	for (int i = 0; i < 100; i++)
		unpack_error(packed.p, packed.n, NULL);
	getrusage(RUSAGE_SELF, &after);
	tap_ok(after.ru_maxrss - before.ru_maxrss < 2 * (long)(DECODER_MAX_MEMORY >> 10),
	       "100 such xz took %ld KiB", after.ru_maxrss - before.ru_maxrss);
	free(in.p);
	free(packed.p);
}

int main(void)
{
	test_round_trip();
	test_plain();
	test_damage();
	test_more_after();
	test_max_output();
	test_xz_dictionary();
	test_zstd_window();
	test_xz_forms();
	test_memory();
	decoder_free(NULL);
	return tap_done();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Bytes that a test makes, and packs the ways that a decoder unpacks. All ends in abort or memory.
 */
#ifndef TESTS_UNIT_PACK_H
#define TESTS_UNIT_PACK_H

#include <lzma.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

struct bytes {
	uint8_t *p; /* free with free */
	size_t n;
};

static inline void *pack_room(size_t n)
{
	void *p = malloc(n ? n : 1);

	if (!p)
		abort();
	return p;
}

/* Of the exact size, so that sanitizers see a read past the end. */
static inline struct bytes pack_none(struct bytes in)
{
	struct bytes out = { .n = in.n };

	out.p = pack_room(in.n);
	if (in.n)
		memcpy(out.p, in.p, in.n);
	return out;
}

static inline struct bytes pack_xz_check(struct bytes in, lzma_check check)
{
	size_t room = lzma_stream_buffer_bound(in.n), n = 0;
	uint8_t *p = pack_room(room);

	if (lzma_easy_buffer_encode(0, check, NULL, in.p, in.n, p, &n, room) != LZMA_OK)
		abort();
	return (struct bytes){ p, n };
}

static inline struct bytes pack_xz(struct bytes in)
{
	return pack_xz_check(in, LZMA_CHECK_CRC64);
}

static inline struct bytes pack_gzip(struct bytes in)
{
	z_stream z = { .next_in = in.p, .avail_in = in.n };
	size_t room = in.n + 1024;
	struct bytes out = { .n = 0 };

	out.p = pack_room(room);
	z.next_out = out.p;
	z.avail_out = room;
	if (deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, 0) != Z_OK ||
	    deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	out.n = z.total_out;
	deflateEnd(&z);
	return out;
}

static inline struct bytes pack_zstd(struct bytes in)
{
	size_t room = ZSTD_compressBound(in.n);
	ZSTD_CCtx *context = ZSTD_createCCtx();
	struct bytes out = { .n = 0 };

	out.p = pack_room(room);
	if (!context || ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)))
		abort();
	out.n = ZSTD_compress2(context, out.p, room, in.p, in.n);
	if (ZSTD_isError(out.n))
		abort();
	ZSTD_freeCCtx(context);
	return out;
}

#endif

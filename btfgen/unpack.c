// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "unpack.h"

#include "btfs/fail.h"

#include <errno.h>
#include <limits.h>
#include <lz4.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define BLOCK		(1u << 20) /* bytes written at once */
#define LZ4_BLOCK	(8u << 20) /* what a block of a legacy frame holds at most */
#define ZSTD_WINDOW_LOG 27
#define GZIP_ONLY	(15 + 16) /* inflateInit2's largest window, and no zlib or raw streams */

/* Where the bytes go. */
struct sink {
	struct mapping *out;
	uint8_t *block;
	uint64_t n, max;
};

static int put(struct sink *sink, size_t size, struct fail *f)
{
	sink->n += size;
	if (sink->n > sink->max)
		return fail(f, -E2BIG, "it unpacks to more than %llu bytes",
			    (unsigned long long)sink->max);
	return mapping_write(sink->out, sink->block, size, f);
}

static int from_gzip(const uint8_t *data, size_t size, struct sink *sink, struct fail *f)
{
	z_stream z = { .next_in = (Bytef *)data };
	int ret, err = 0;

	if (inflateInit2(&z, GZIP_ONLY) != Z_OK)
		return fail(f, -ENOMEM, "no memory to unpack gzip");
	do {
		if (z.avail_in == 0) {
			z.avail_in = size < UINT_MAX ? size : UINT_MAX;
			size -= z.avail_in;
		}
		z.next_out = sink->block;
		z.avail_out = BLOCK;
		ret = inflate(&z, Z_NO_FLUSH);
		if (ret == Z_BUF_ERROR)
			err = fail(f, -EBADMSG, "the gzip stream in it is cut short");
		else if (ret != Z_OK && ret != Z_STREAM_END)
			err = fail(f, -EBADMSG, "the gzip stream in it is damaged");
		else
			err = put(sink, BLOCK - z.avail_out, f);
	} while (!err && ret != Z_STREAM_END);
	inflateEnd(&z);
	return err;
}

static int lzma_error(lzma_ret ret, const char *name, struct fail *f)
{
	switch (ret) {
	case LZMA_OK:
	case LZMA_STREAM_END:
		return 0;
	case LZMA_MEM_ERROR:
		return fail(f, -ENOMEM, "no memory to unpack %s", name);
	case LZMA_MEMLIMIT_ERROR:
		return fail(f, -E2BIG, "the %s stream in it wants more than %u bytes of memory",
			    name, UNPACK_MAX_MEMORY);
	case LZMA_BUF_ERROR:
		return fail(f, -EBADMSG, "the %s stream in it is cut short", name);
	case LZMA_OPTIONS_ERROR:
		return fail(f, -ENOTSUP, "the %s stream in it uses a filter that is not known",
			    name);
	default:
		return fail(f, -EBADMSG, "the %s stream in it is damaged", name);
	}
}

static int run_lzma(lzma_stream *z, const char *name, struct sink *sink, struct fail *f)
{
	lzma_ret ret;
	int err;

	do {
		z->next_out = sink->block;
		z->avail_out = BLOCK;
		ret = lzma_code(z, LZMA_FINISH);
		err = lzma_error(ret, name, f);
		if (!err)
			err = put(sink, BLOCK - z->avail_out, f);
	} while (!err && ret != LZMA_STREAM_END);
	lzma_end(z);
	return err;
}

static int from_xz(const uint8_t *data, size_t size, struct sink *sink, struct fail *f)
{
	lzma_stream z = LZMA_STREAM_INIT;

	z.next_in = data;
	z.avail_in = size;
	if (lzma_stream_decoder(&z, UNPACK_MAX_MEMORY, 0) != LZMA_OK)
		return fail(f, -ENOMEM, "no memory to unpack xz");
	return run_lzma(&z, "xz", sink, f);
}

static int from_lzma(const uint8_t *data, size_t size, struct sink *sink, struct fail *f)
{
	lzma_stream z = LZMA_STREAM_INIT;

	z.next_in = data;
	z.avail_in = size;
	if (lzma_alone_decoder(&z, UNPACK_MAX_MEMORY) != LZMA_OK)
		return fail(f, -ENOMEM, "no memory to unpack LZMA");
	return run_lzma(&z, "LZMA", sink, f);
}

static int from_zstd(const uint8_t *data, size_t size, struct sink *sink, struct fail *f)
{
	ZSTD_inBuffer in = { data, size, 0 };
	ZSTD_DCtx *z = ZSTD_createDCtx();
	size_t left, taken;
	int err = 0;

	if (!z || ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG)))
		err = fail(f, -ENOMEM, "no memory to unpack zstd");
	for (left = 1; !err && left != 0;) {
		ZSTD_outBuffer out = { sink->block, BLOCK, 0 };

		taken = in.pos;
		left = ZSTD_decompressStream(z, &out, &in);
		if (ZSTD_isError(left))
			err = fail(f, -EBADMSG, "the zstd stream in it: %s",
				   ZSTD_getErrorName(left));
		else if (left != 0 && taken == in.pos && out.pos == 0)
			err = fail(f, -EBADMSG, "the zstd stream in it is cut short");
		else
			err = put(sink, out.pos, f);
	}
	ZSTD_freeDCtx(z);
	return err;
}

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | p[2] << 16 | p[1] << 8 | p[0];
}

/*
 * lz4's doc/lz4_Frame_format.md, "Legacy frame": a magic, then blocks, each behind its size, and
 * no end mark. The last four bytes may be the size of all, which the kernel's build appends.
 */
static int from_lz4(const uint8_t *data, size_t size, struct sink *sink, struct fail *f)
{
	uint8_t *block = malloc(LZ4_BLOCK), *own = sink->block;
	size_t pos = 4, n;
	int got, err = 0;

	if (!block)
		return fail(f, -ENOMEM, "no memory to unpack LZ4");
	sink->block = block;
	while (!err && size - pos >= 4) {
		n = le32(data + pos);
		pos += 4;
		if (pos == size) {
			if (n != (uint32_t)sink->n)
				err = fail(f, -EBADMSG, "the LZ4 stream in it is cut short");
			break;
		}
		if (n == 0 || n > size - pos) {
			err = fail(f, -EBADMSG, "the LZ4 stream in it is cut short");
			break;
		}
		got = LZ4_decompress_safe((const char *)data + pos, (char *)block, (int)n,
					  LZ4_BLOCK);
		pos += n;
		err = got < 0 ? fail(f, -EBADMSG, "the LZ4 stream in it is damaged")
			      : put(sink, got, f);
	}
	if (!err && size - pos != 0)
		err = fail(f, -EBADMSG, "the LZ4 stream in it is cut short");
	sink->block = own;
	free(block);
	return err;
}

static const struct method {
	const char *name;
	uint8_t magic[6];
	size_t magic_len;
	int (*run)(const uint8_t *data, size_t size, struct sink *sink, struct fail *f);
} methods[] = {
	{ "gzip", { 0x1f, 0x8b, 8 }, 3, from_gzip },
	{ "xz", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, from_xz },
	{ "zstd", { 0x28, 0xb5, 0x2f, 0xfd }, 4, from_zstd },
	{ "LZ4", { 0x02, 0x21, 0x4c, 0x18 }, 4, from_lz4 },
	{ "LZMA", { 0x5d, 0, 0 }, 3, from_lzma },
	{ "bzip2", { 'B', 'Z', 'h' }, 3, NULL },
	{ "LZO", { 0x89, 'L', 'Z', 'O', 0, 0x0d }, 6, NULL },
	{ "an LZ4 frame", { 0x04, 0x22, 0x4d, 0x18 }, 4, NULL },
};

static const struct method *method_of(const void *data, size_t size)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		if (size >= methods[i].magic_len &&
		    !memcmp(data, methods[i].magic, methods[i].magic_len))
			return &methods[i];
	return NULL;
}

bool unpack_knows(const void *data, size_t size)
{
	return method_of(data, size) != NULL;
}

int unpack(const void *data, size_t size, struct mapping *ret_out, struct fail *f)
{
	const struct method *method = method_of(data, size);
	struct mapping out = MAPPING_NONE;
	struct sink sink = { .out = &out, .max = (uint64_t)size * UNPACK_MAX_RATIO };
	int err;

	if (!method)
		return fail(f, -ENOTSUP, "it is compressed in a way that is not known");
	if (!method->run)
		return fail(f, -ENOTSUP, "it is compressed with %s, which is not read; unpack it",
			    method->name);
	if (sink.max < UNPACK_FREE)
		sink.max = UNPACK_FREE;
	if (sink.max > MAPPING_MAX)
		sink.max = MAPPING_MAX;
	sink.block = malloc(BLOCK);
	if (!sink.block)
		return fail(f, -ENOMEM, "no memory");
	err = mapping_scratch(&out, f);
	if (!err)
		err = method->run(data, size, &sink, f);
	if (!err)
		err = mapping_map(&out, f);
	free(sink.block);
	if (err)
		mapping_close(&out);
	else
		*ret_out = out;
	return err;
}

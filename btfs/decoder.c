// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "decoder.h"

#include "fail.h"
#include <errno.h>
#include <limits.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define ZSTD_WINDOW_LOG 26	  /* a window of 64 MiB, what DECODER_MAX_MEMORY leaves room for */
#define GZIP_ONLY	(15 + 16) /* inflateInit2's largest window, and no zlib or raw streams */

struct decoder {
	const struct method *method;
	const uint8_t *next; /* input not yet taken */
	size_t left;
	size_t max_output, output; /* bytes */
	bool ended;
	lzma_stream xz;
	z_stream gzip;
	ZSTD_DCtx *zstd;
};

/* run takes input and gives at least one byte of *out, or sets ended, or fails. */
struct method {
	const char *name;
	uint8_t magic[6];
	size_t magic_len;
	int (*start)(struct decoder *d, struct fail *f);
	int (*run)(struct decoder *d, uint8_t *out, size_t size, size_t *ret_size, struct fail *f);
	void (*stop)(struct decoder *d);
};

static int cut_short(const struct decoder *d, struct fail *f)
{
	return fail(f, -EBADMSG, "%s stream is cut short", d->method->name);
}

static int plain_run(struct decoder *d, uint8_t *out, size_t size, size_t *ret_size, struct fail *f)
{
	size_t n = size < d->left ? size : d->left;

	if (n > 0)
		memcpy(out, d->next, n);
	d->next += n;
	d->left -= n;
	d->ended = d->left == 0;
	*ret_size = n;
	return 0;
}

static int xz_error(const struct decoder *d, lzma_ret ret, struct fail *f)
{
	switch (ret) {
	case LZMA_BUF_ERROR:
		return cut_short(d, f);
	case LZMA_MEMLIMIT_ERROR:
		return fail(f, -E2BIG, "xz stream asks for %llu bytes of memory, the limit is %u",
			    (unsigned long long)lzma_memusage(&d->xz), DECODER_MAX_MEMORY);
	case LZMA_MEM_ERROR:
		return fail(f, -ENOMEM, "no memory to decode xz");
	case LZMA_OPTIONS_ERROR:
	case LZMA_UNSUPPORTED_CHECK:
		return fail(f, -ENOTSUP, "xz stream uses a filter or check that is not known");
	default:
		return fail(f, -EBADMSG, "xz stream is damaged");
	}
}

/*
 * The file states how much memory its dictionary takes: 110 bytes can ask for 4 GiB. liblzma counts
 * before it allocates. Without LZMA_CONCATENATED it stops after the first stream.
 */
static int xz_start(struct decoder *d, struct fail *f)
{
	lzma_ret ret;

	d->xz = (lzma_stream)LZMA_STREAM_INIT;
	ret = lzma_stream_decoder(&d->xz, DECODER_MAX_MEMORY, LZMA_TELL_UNSUPPORTED_CHECK);
	return ret == LZMA_OK ? 0 : xz_error(d, ret, f);
}

static int xz_run(struct decoder *d, uint8_t *out, size_t size, size_t *ret_size, struct fail *f)
{
	lzma_ret ret;

	d->xz.next_in = d->next;
	d->xz.avail_in = d->left;
	d->xz.next_out = out;
	d->xz.avail_out = size;
	do
		ret = lzma_code(&d->xz, LZMA_RUN);
	while (ret == LZMA_OK && d->xz.avail_out == size);
	d->next = d->xz.next_in;
	d->left = d->xz.avail_in;
	d->ended = ret == LZMA_STREAM_END;
	if (ret != LZMA_OK && ret != LZMA_STREAM_END)
		return xz_error(d, ret, f);
	*ret_size = size - d->xz.avail_out;
	return 0;
}

static void xz_stop(struct decoder *d)
{
	lzma_end(&d->xz);
}

static int gzip_start(struct decoder *d, struct fail *f)
{
	return inflateInit2(&d->gzip, GZIP_ONLY) == Z_OK
		       ? 0
		       : fail(f, -ENOMEM, "no memory to decode gzip");
}

static int gzip_run(struct decoder *d, uint8_t *out, size_t size, size_t *ret_size, struct fail *f)
{
	uInt in = d->left < UINT_MAX ? d->left : UINT_MAX, room = size < UINT_MAX ? size : UINT_MAX;
	int ret;

	d->gzip.next_in = (Bytef *)d->next;
	d->gzip.avail_in = in;
	d->gzip.next_out = out;
	d->gzip.avail_out = room;
	do
		ret = inflate(&d->gzip, Z_NO_FLUSH);
	while (ret == Z_OK && d->gzip.avail_out == room);
	d->next += in - d->gzip.avail_in;
	d->left -= in - d->gzip.avail_in;
	d->ended = ret == Z_STREAM_END;
	*ret_size = room - d->gzip.avail_out;
	if (ret == Z_OK || ret == Z_STREAM_END || (ret == Z_BUF_ERROR && *ret_size > 0))
		return 0;
	if (ret == Z_BUF_ERROR)
		return cut_short(d, f);
	if (ret == Z_MEM_ERROR)
		return fail(f, -ENOMEM, "no memory to decode gzip");
	return fail(f, -EBADMSG, "gzip stream is damaged");
}

static void gzip_stop(struct decoder *d)
{
	inflateEnd(&d->gzip);
}

static int zstd_error(size_t ret, struct fail *f)
{
	switch (ZSTD_getErrorCode(ret)) {
	case ZSTD_error_frameParameter_windowTooLarge:
		return fail(f, -E2BIG, "zstd frame asks for a window over %u bytes",
			    1u << ZSTD_WINDOW_LOG);
	case ZSTD_error_memory_allocation:
		return fail(f, -ENOMEM, "no memory to decode zstd");
	case ZSTD_error_version_unsupported:
	case ZSTD_error_frameParameter_unsupported:
		return fail(f, -ENOTSUP, "zstd frame uses a feature that is not known");
	default:
		return fail(f, -EBADMSG, "zstd frame is damaged");
	}
}

/* zstd's own limit is 128 MiB. */
static int zstd_start(struct decoder *d, struct fail *f)
{
	size_t ret;

	d->zstd = ZSTD_createDCtx();
	if (!d->zstd)
		return fail(f, -ENOMEM, "no memory to decode zstd");
	ret = ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
	return ZSTD_isError(ret) ? zstd_error(ret, f) : 0;
}

static int zstd_run(struct decoder *d, uint8_t *out, size_t size, size_t *ret_size, struct fail *f)
{
	ZSTD_inBuffer in = { d->next, d->left, 0 };
	ZSTD_outBuffer to = { out, size, 0 };
	size_t ret, before;

	do {
		before = in.pos;
		ret = ZSTD_decompressStream(d->zstd, &to, &in);
	} while (!ZSTD_isError(ret) && ret != 0 && to.pos == 0 && in.pos > before);
	d->next += in.pos;
	d->left -= in.pos;
	if (ZSTD_isError(ret))
		return zstd_error(ret, f);
	d->ended = ret == 0;
	if (!d->ended && to.pos == 0)
		return cut_short(d, f);
	*ret_size = to.pos;
	return 0;
}

static void zstd_stop(struct decoder *d)
{
	ZSTD_freeDCtx(d->zstd);
}

static int plain_start(struct decoder *d, struct fail *f)
{
	return 0;
}

static void plain_stop(struct decoder *d)
{
}

/* The last one has no magic and takes what no other took. */
static const struct method methods[] = {
	{ "xz", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, xz_start, xz_run, xz_stop },
	{ "gzip", { 0x1f, 0x8b }, 2, gzip_start, gzip_run, gzip_stop },
	{ "zstd", { 0x28, 0xb5, 0x2f, 0xfd }, 4, zstd_start, zstd_run, zstd_stop },
	{ "plain", { 0 }, 0, plain_start, plain_run, plain_stop },
};

static const struct method *find_method(const void *data, size_t size)
{
	const struct method *m = methods;

	while (m->magic_len > 0 && (size < m->magic_len || memcmp(data, m->magic, m->magic_len)))
		m++;
	return m;
}

int decoder_new(const void *data, size_t size, size_t max_output, struct decoder **ret_decoder,
		struct fail *f)
{
	struct decoder *d;
	int err;

	d = calloc(1, sizeof(*d));
	if (!d)
		return fail(f, -ENOMEM, "no memory for a decoder");
	d->method = find_method(data, size);
	d->next = data;
	d->left = size;
	d->max_output = max_output;
	err = d->method->start(d, f);
	if (err) {
		decoder_free(d);
		return err;
	}
	*ret_decoder = d;
	return 0;
}

void decoder_free(struct decoder *decoder)
{
	if (!decoder)
		return;
	decoder->method->stop(decoder);
	free(decoder);
}

int decoder_read(struct decoder *d, void *buf, size_t size, size_t *ret_size, struct fail *f)
{
	size_t done = 0, got = 0;
	int err;

	while (done < size && !d->ended) {
		err = d->method->run(d, (uint8_t *)buf + done, size - done, &got, f);
		if (err)
			return err;
		done += got;
		d->output += got;
		if (d->output > d->max_output)
			return fail(f, -E2BIG, "unpacks to more than %zu bytes", d->max_output);
		if (d->ended && d->left > 0)
			return fail(f, -EBADMSG, "%zu bytes follow the end of the %s stream",
				    d->left, d->method->name);
	}
	*ret_size = done;
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Bytes out of xz, gzip or zstd, told by their magic; anything else is handed on as it is. One
 * stream, and nothing after it. Both the memory that decoding takes and the bytes that come out
 * are bounded, whatever the input asks for.
 *
 *	err = decoder_new(data, size, max_output, &decoder, f);	data must outlive the decoder
 *	do
 *		err = decoder_read(decoder, block, sizeof(block), &got, f);
 *	while (!err && got == sizeof(block));
 *	decoder_free(decoder);
 *
 * Only the short read at the end proves the stream whole: its checksums are compared there.
 */
#ifndef BTFS_DECODER_H
#define BTFS_DECODER_H

#include <stddef.h>

struct fail;
struct decoder;

#define DECODER_MAX_MEMORY (80u << 20) /* bytes; xz -9 needs 65 MiB */

/* Free with decoder_free. -ENOMEM. */
int decoder_new(const void *data, size_t size, size_t max_output, struct decoder **ret_decoder,
		struct fail *f);
void decoder_free(struct decoder *decoder);

/*
 * Fills buf; fewer bytes only at the end. -EBADMSG: damaged, cut short or followed by more;
 * -E2BIG: over max_output, or over DECODER_MAX_MEMORY; -ENOTSUP: a method that is not known.
 */
int decoder_read(struct decoder *decoder, void *buf, size_t size, size_t *ret_size, struct fail *f);

#endif

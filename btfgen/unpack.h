/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What kernels are compressed with: gzip, xz, LZMA, zstd with its largest window, LZ4's legacy
 * frames. Unlike btfs/decoder.h it takes streams that something follows (the build appends the
 * size), and memory as kernels' build asks for it.
 */
#ifndef BTFGEN_UNPACK_H
#define BTFGEN_UNPACK_H

#include "mapping.h"

#include <stdbool.h>

struct fail;

#define UNPACK_MAX_RATIO  100	       /* of output to input, kernels have 3 to 8 ... */
#define UNPACK_FREE	  (64u << 20)  /* ... which is not looked at below so many bytes */
#define UNPACK_MAX_MEMORY (256u << 20) /* bytes; zstd -22 wants 128 MiB */

/* Whether it begins like a compressed stream, known or refused below. */
bool unpack_knows(const void *data, size_t size);

/*
 * The stream at data into a scratch file that is made and mapped. -EBADMSG: damaged, cut short;
 * -E2BIG: over a limit; -ENOTSUP: bzip2, LZO, LZ4's newer frames.
 */
int unpack(const void *data, size_t size, struct mapping *ret_out, struct fail *f);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A kernel in any form that distributions ship: vmlinux (ELF), x86's bzImage
 * (Documentation/arch/x86/boot.rst), arm64's and RISC-V's Image, EFI's zboot image, and each of
 * them compressed once more. What it is, is read from the bytes.
 */
#ifndef BTFGEN_KERNELIMAGE_H
#define BTFGEN_KERNELIMAGE_H

#include "btfs/kernel.h"
#include "mapping.h"

#include <stdbool.h>

struct fail;

#define KERNELIMAGE_MAX_LAYERS 3 /* vmlinuz.gz that is a zboot image of an Image */

struct kernelimage {
	/* What is told inside: arch ("arm" where it may be armel or armhf), release, version,
	 * build_id; "" for what is not. */
	struct kernel kernel;
	const uint8_t *btf; /* inside of file or a layer; NULL: it carries none */
	size_t btf_size;    /* bytes */
	int dwarf_fd;	    /* of an ELF file with DWARF, or -1; belongs to the image */
	const struct mapping *file;
	struct mapping layers[KERNELIMAGE_MAX_LAYERS];
	size_t n_layers;
};

/*
 * file must outlive the image. -EBADMSG: not a kernel, or damaged; -ENOTSUP: a form that is not
 * read; -E2BIG: over a limit of unpack.h. Close with kernelimage_close.
 */
int kernelimage_open(const struct mapping *file, struct kernelimage *ret_image, struct fail *f);
void kernelimage_close(struct kernelimage *image);

/*
 * Fills release and version from the kernel's greeting, "Linux version RELEASE (BY) (COMPILER)
 * VERSION\n", wherever it stands in size bytes at data. -ENOENT: there is none.
 */
int kernelimage_greeting(const void *data, size_t size, struct kernel *kernel);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A kernel's full BTF out of any source: a package, a kernel in any form, with BTF or DWARF, or
 * BTF as btfs/archive.h reads it; and what the source says about the kernel.
 */
#ifndef BTFGEN_EXTRACT_H
#define BTFGEN_EXTRACT_H

#include "btfs/archive.h"
#include "kernelimage.h"
#include "package.h"
#include "pahole.h"

struct fail;

struct extract {
	const void *btf;		  /* not yet checked by view_open */
	size_t btf_size;		  /* bytes */
	const char *from;		  /* "kernel", "dwarf" or "btf", as sidecar.h has it */
	struct kernel kernel;		  /* what is told inside of the kernel */
	struct package package;		  /* "" without one */
	char pahole[PAHOLE_VERSION_SIZE]; /* "" if it was not wanted */
	/* what btf lies in */
	struct mapping unpacked, encoded;
	struct kernelimage image;
	struct archive archive;
};

#define EXTRACT_NONE ((struct extract){ .unpacked = MAPPING_NONE, .encoded = MAPPING_NONE })

/*
 * file must outlive the extract. -ENOENT: a package without a kernel; -ENODATA: a kernel without
 * BTF and DWARF; else package.h's, kernelimage.h's, pahole.h's and archive.h's. Close with
 * extract_close.
 */
int extract_open(const struct mapping *file, struct extract *ret_extract, struct fail *f);
void extract_close(struct extract *extract);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Parts of a tree in the forms in which they are shipped or linked into programs. The same files
 * give the same bytes on every machine.
 */
#ifndef BTFGEN_PACK_H
#define BTFGEN_PACK_H

#include <stddef.h>

struct fail;
struct shelf;
struct text;

/* A bundle (btfs/bundle.h) of n shelves, sorted by need, into t, which is empty. */
int pack_bundle(const struct shelf *shelves, size_t n, struct text *t, struct fail *f);

#define PACK_BCC_NAME 100 /* bytes of a name with its NUL: what bcc's reader has room for */

/*
 * The next two forms know a kernel by its names alone. Kernels that have the same ones and another
 * answer, or names too long for the form, are left out and added to ret_left_out, one per line.
 *
 * What bcc's libbpf-tools have inside: a tar of ./ID/VERSION_ID/MACHINE/RELEASE.btf in gzip,
 * MACHINE being what uname -m says.
 */
int pack_bcc(const struct shelf *shelf, struct text *t, struct text *ret_left_out, struct fail *f);

/* A folder with <distro>/<version>/<arch>/<release>.btf; what stands there is kept or replaced. */
int pack_flat(const struct shelf *shelf, const char *folder, struct text *ret_left_out,
	      struct fail *f);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The kernels that an apt repository has (Debian's, Ubuntu's, its ddebs): dists/SUITE/Release names
 * main/binary-ARCH/Packages, whose stanzas (deb822(5)) name packages. */
#ifndef BTFGEN_APTINDEX_H
#define BTFGEN_APTINDEX_H

#include <stddef.h>

struct fail;
struct repo;
struct repo_package;
struct repo_packages;

/* arch as btfs/kernel.h has it. -ENOENT: no such suite or architecture; -EBADMSG. */
int aptindex_read(struct repo *repo, const char *suite, const char *arch,
		  struct repo_packages *ret_packages, struct fail *f);

/* The kernels of the text of a Packages file. */
int aptindex_parse(const char *text, size_t size, struct repo_packages *packages, struct fail *f);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The kernels that a yum or zypper repository has (createrepo_c's form): repodata/repomd.xml names
 * primary.xml, which names packages. */
#ifndef BTFGEN_YUMINDEX_H
#define BTFGEN_YUMINDEX_H

#include <stddef.h>

struct fail;
struct repo;
struct repo_packages;

/* arch as btfs/kernel.h has it. -ENOENT: no index there; -EBADMSG. */
int yumindex_read(struct repo *repo, const char *arch, struct repo_packages *ret_packages,
		  struct fail *f);

/* The kernels of the text of primary.xml that are for arch. */
int yumindex_parse(const char *text, size_t size, const char *arch, struct repo_packages *packages,
		   struct fail *f);

#endif

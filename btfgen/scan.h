/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Which kernels a folder in BTFHub's layout holds. Symbolic links (codenames) are not followed:
 * what they name is listed under its own name. */
#ifndef BTFGEN_SCAN_H
#define BTFGEN_SCAN_H

#include "btfs/kernel.h"

#include <stdbool.h>

struct fail;
struct text;

#define SCAN_MAX_KERNELS (1u << 20)
#define SCAN_MAX_LIST	 (16u << 20) /* bytes of a list of kernels */

struct scan_entry {
	char *path; /* root included */
	struct kernel kernel;
	bool second; /* not the first build of its release: its name says "@" and the build-id */
};

struct scan {
	struct scan_entry *entries; /* sorted by path */
	size_t n, room;
	size_t n_odd; /* files that are not of this layout, or sidecars that are damaged, and were
		       * left out */
};

/*
 * Lists every .btf.tar.xz and .btf below root; of a kernel that has both, the former. build_id and
 * version come from the sidecar (sidecar.h), where there is one. -ENOENT: no such folder. Free with
 * scan_free.
 */
int scan_archive(const char *root, struct scan *ret_scan, struct fail *f);
void scan_free(struct scan *scan);

/*
 * Leaves only kernels that a line of the list covers: "distro/version/arch/release", or a release
 * alone, with fnmatch(3)'s wildcards, none of which covers a '/'. Empty lines and lines that start
 * with '#' are passed over. Lines that cover nothing are added to ret_unused, one each.
 */
int scan_select(struct scan *scan, const char *list, struct text *ret_unused, struct fail *f);

/*
 * Leaves the part that is shard's, from 1, of n_shards: kernels are dealt by their paths, so that
 * an archive that grows deals the old ones as before.
 */
void scan_select_shard(struct scan *scan, const char *root, unsigned shard, unsigned n_shards);

/* Leaves only kernels of this arch. */
void scan_select_arch(struct scan *scan, const char *arch);

#endif

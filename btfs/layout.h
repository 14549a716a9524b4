/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Identity <-> path, in BTFHub's layout: <distro>/<version>/<arch>/<uname -r><suffix>. Quirks of
 * existing archives are understood when reading (aarch64 folders, codenames, SUSE's build counter)
 * and never written.
 */
#ifndef BTFS_LAYOUT_H
#define BTFS_LAYOUT_H

#include "kernel.h"

#define LAYOUT_PATH_SIZE 640 /* enough for every path this module makes, with its NUL */

enum layout_kind {
	LAYOUT_FULL,   /* .btf.tar.xz */
	LAYOUT_RAW,    /* .btf */
	LAYOUT_HASBTF, /* .hasbtf: the kernel ships its own BTF */
	LAYOUT_FAILED, /* .failed: its making failed */
};

/* The path, relative to the root, where this kernel's file of that kind is written.
 * -EINVAL: arch, release, distro or distro_version is unknown or may not stand in a path. */
int layout_path(const struct kernel *kernel, enum layout_kind kind, char ret_path[LAYOUT_PATH_SIZE],
		struct fail *f);

/*
 * The i-th path, from 0, where existing archives may keep it: the one that layout_path gives, then
 * its aliases (bullseye for debian 11, 2018 for amzn 2018.03, 8 for rhel 8.4, aarch64 ...).
 * -ENOENT: no more.
 */
int layout_alias(const struct kernel *kernel, enum layout_kind kind, size_t i,
		 char ret_path[LAYOUT_PATH_SIZE], struct fail *f);

/*
 * What a relative path says. Release "R@123456789abc" (a second build of a name) gives release R
 * and a build_id of those 12 digits. -EINVAL: not a path of this layout.
 */
int layout_parse(const char *path, struct kernel *ret_kernel, enum layout_kind *ret_kind,
		 struct fail *f);

/*
 * The paths of a need's tree, relative to the root: min/<need>/<distro>/.../<release>.btf,
 * min/<need>/by-build-id/<hex>.btf, min/<need>/by-release/<arch>/<release>.btf.
 */
int layout_min_path(const char *need, const struct kernel *kernel, char ret_path[LAYOUT_PATH_SIZE],
		    struct fail *f);
int layout_min_build_id(const char *need, const struct kernel *kernel,
			char ret_path[LAYOUT_PATH_SIZE], struct fail *f);
int layout_min_release(const char *need, const struct kernel *kernel,
		       char ret_path[LAYOUT_PATH_SIZE], struct fail *f);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The kernel out of a .deb, .ddeb or .rpm. ar and rpm's header are read here, tar and cpio by
 * libarchive in a process of its own: one hostile package ends that process, not the run. Nothing
 * is extracted but the one kernel, into a scratch file; links are not followed.
 */
#ifndef BTFGEN_PACKAGE_H
#define BTFGEN_PACKAGE_H

#include "mapping.h"

#include <stdbool.h>

struct fail;

#define PACKAGE_FIELD_SIZE 128
#define PACKAGE_PATH_SIZE  512
#define PACKAGE_MAX_RATIO  100	       /* of what it unpacks to, kernels have 3 to 12 ... */
#define PACKAGE_FREE	   (64u << 20) /* ... which is not looked at below so many bytes */
#define PACKAGE_TIMEOUT_S  1800	       /* debug packages unpack to 5 GB */

/* "" for what it does not say, or says in more bytes than there is room. */
struct package {
	char name[PACKAGE_FIELD_SIZE], version[PACKAGE_FIELD_SIZE], arch[PACKAGE_FIELD_SIZE];
	char distro[PACKAGE_FIELD_SIZE], distro_version[PACKAGE_FIELD_SIZE]; /* os-release(5) */
	char path[PACKAGE_PATH_SIZE];	  /* of the kernel in it */
	char release[PACKAGE_FIELD_SIZE]; /* of the kernel, as that path has it */
};

bool package_is(const void *data, size_t size);

/*
 * -ENOENT: it holds no kernel; -EBADMSG: damaged, cut short, or two kernels in it; -E2BIG: over a
 * limit; -ENOTSUP: an old form. Close ret_kernel.
 */
int package_read(const struct mapping *file, struct package *ret_package,
		 struct mapping *ret_kernel, struct fail *f);

/*
 * The release that the path of a kernel has in it: "boot/vmlinuz-R", "lib/modules/R/vmlinux", ...
 * Gives how much such a file is wanted, debug information most; 0: not a kernel's path.
 */
int package_rank(const char *path, char ret_release[PACKAGE_FIELD_SIZE]);

#endif

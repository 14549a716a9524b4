/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Files that appear whole or not at all: temporary name in the same folder, write, fsync, close,
 * rename, fsync of the folder, every step checked. A reader sees the old file or the new one.
 * After an error nothing new stays behind; only where the last step, the folder's fsync, fails, the
 * new file is there, whole, but may not survive a power cut. Errors are the system call's own
 * errno, negative.
 */
#ifndef BTFS_PUBLISH_H
#define BTFS_PUBLISH_H

#include <stddef.h>
#include <sys/types.h>

struct fail;

#define PUBLISH_TMP_PREFIX \
	".tmp-" /* what a killed process may leave; readers and listings skip it */

/* Makes the folders above path that are missing (mode, without umask's bits). */
int publish_parents(const char *path, mode_t mode, struct fail *f);

/* Writes size bytes to path, replacing what was there. mode is exact whatever the umask. */
int publish_file(const char *path, const void *data, size_t size, mode_t mode, struct fail *f);

struct publish_content {
	const void *data;
	size_t size; /* bytes */
	mode_t mode; /* exact whatever the umask */
};

/*
 * The first half of publish_file, for those who publish many at once: writes beside path, under the
 * temporary name *ret_tmp (to be freed), and syncs nothing. What follows is the caller's: syncfs,
 * rename to path, syncfs.
 */
int publish_prepare(const char *path, const struct publish_content *content, char **ret_tmp,
		    struct fail *f);

/* Makes path a hard link to existing (same file system), replacing what was there. */
int publish_link(const char *existing, const char *path, struct fail *f);

#endif

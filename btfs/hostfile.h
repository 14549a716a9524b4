/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Small files that tell about a host, whose tree may lie below another root (/host in a container).
 */
#ifndef BTFS_HOSTFILE_H
#define BTFS_HOSTFILE_H

#include <stddef.h>

struct fail;

#define HOSTFILE_MAX_LINKS 16 /* symbolic links on the way to one file */
#define HOSTFILE_MAX_DEPTH 32 /* folders */

/*
 * Reads the regular file at path, up to max bytes (more is -E2BIG). With a root, path and every
 * symbolic link on the way are taken as if root were "/": none leads out. Root NULL opens path
 * plainly. Never waits for a FIFO. The caller frees ret_data. -EBADMSG: not a regular file; else
 * the errno of the call that failed.
 */
int hostfile_read(const char *root, const char *path, size_t max, char **ret_data, size_t *ret_size,
		  struct fail *f);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The working copy of an archive: each kernel's BTF decoded and checked once, modules merged in,
 * kept raw so that the next run maps it instead of decoding for a tenth of a second. Only a cache:
 * a copy whose source changed in size, time or inode is made anew, and it may be removed at will.
 */
#ifndef BTFGEN_WORK_H
#define BTFGEN_WORK_H

#include <stddef.h>
#include <stdint.h>

struct fail;
struct view;
struct work;

#define WORK_FOLDER  ".btfgen" /* below the archive, where that can be written */
#define WORK_MAX_MIB 8192      /* all copies together; kernels beyond are decoded every time */

struct work_options {
	const char *archive;
	const char *folder; /* NULL: WORK_FOLDER, else $XDG_CACHE_HOME/btfgen/<digest of archive> */
	uint64_t max_mib;   /* 0: WORK_MAX_MIB */
};

/* NULL in *ret_work, and 0, where there is no place for one: nothing depends on it. */
int work_open(const struct work_options *options, struct work **ret_work, struct fail *f);
/* Publishes what was added. Failures cost time, not answers: they are not told. */
void work_close(struct work *work);

/* A copy that is up to date, mapped. */
struct work_copy {
	const void *map;
	size_t map_size; /* bytes of the mapping */
	size_t size;	 /* bytes of the BTF at its start */
	uint32_t modules_from;
};

/* 0 and a copy to be unmapped, or -ENOENT. work may be NULL. Threads may call it at once. */
int work_find(struct work *work, const char *source, struct work_copy *ret_copy);

/* Adds the copy of what was read from source; view must have passed whole. */
void work_add(struct work *work, const char *source, const struct view *view);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What was fetched before, for a kernel and a need, and which servers just failed. Nothing in it
 * is believed: owner, mode, size, sha256 and identity are looked at on every use, and the bytes go
 * through accept_btf again. A state that is odd in any way is a miss.
 *
 *	<dir>/index/<key>	text: whom the entry is for, then verdict, sha256, size
 *	<dir>/blob/<sha256>	the raw BTF; its mtime is when it was last used
 *	<dir>/neg/<key>		text: until when a server need not be asked, and why
 *
 * <key> is the sha256 of what the file is for. docs/formats.md has the grammars.
 */
#ifndef AGENT_CACHE_H
#define AGENT_CACHE_H

#include "btfdepot.h"
#include <stddef.h>
#include <stdint.h>

struct cache;
struct fail;
struct found;
struct kernel;

#define CACHE_DEFAULT_BYTES (64u << 20) /* of all blobs */
#define CACHE_MAX_FILES	    1024	/* in each folder */
#define CACHE_NEG_S	    60 /* a server's "none" or failure is remembered so long, ... */
#define CACHE_NEG_JITTER_S  15 /* ... and up to this more, so that a fleet does not pulse */
#define CACHE_NEG_MAX_S	    86400

/*
 * Opens dir, which is made (0700) where it is missing. A folder that is a symbolic link, not ours
 * (nor root's) or writable for others is refused with -EPERM: whoever planted it could feed us.
 * need_id "" stands for full BTF. The caller keeps kernel alive. Free with cache_free.
 */
int cache_open(const char *dir, uint64_t max_bytes, const struct kernel *kernel,
	       const char *need_id, struct cache **ret_cache, struct fail *f);
void cache_free(struct cache *cache);

/*
 * The entry for the kernel and need of this cache. -ENOENT: none (f says so); otherwise it was
 * damaged, and is removed where that is possible. The caller frees with found_free.
 */
int cache_get(struct cache *cache, size_t max_bytes, struct found *ret_found, struct fail *f);

/*
 * Keeps found, removes the oldest others beyond max_bytes, and sets found->path to the file. The
 * system call's errno; -E2BIG: it alone is larger than the cache may be.
 */
int cache_put(struct cache *cache, struct found *found, struct fail *f);

/* Removes the entry, for a BTF that turned out to be wrong. */
void cache_drop(struct cache *cache);

enum cache_neg {
	CACHE_NEG_SERVER, /* the server failed, whatever is asked of it */
	CACHE_NEG_NONE,	  /* it has nothing for this kernel and need */
};

/*
 * Remembers that url gave err and said so (one line); seconds 0 means CACHE_NEG_S. A memory that
 * cannot be written is none: nothing is reported.
 */
void cache_neg_put(struct cache *cache, enum cache_neg what, const char *url, int err,
		   uint32_t seconds, const char *said);

/* The remembered err (negative) and its sentence with the seconds left in f; 0: nothing known. */
int cache_neg_get(struct cache *cache, enum cache_neg what, const char *url, struct fail *f);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A bundle: many kernels' minimised BTF in one file, or linked into a program, and read in place.
 * docs/formats.md describes it. Every number in it is checked when it is used, so that opening and
 * finding look at a few pages only, however large the bundle is.
 *
 *	err = bundle_open(data, size, &bundle, f);	the data must outlive it
 *	err = bundle_find(&bundle, need_id, &kernel, &found, f);
 *	... found.data, found.size ...
 */
#ifndef BTFS_BUNDLE_H
#define BTFS_BUNDLE_H

#include "digest.h"
#include "kernel.h"

#include <stddef.h>
#include <stdint.h>

struct fail;

#define BUNDLE_MAX_SIZE	   (1u << 30) /* bytes */
#define BUNDLE_MAX_NEEDS   (1u << 16)
#define BUNDLE_MAX_ENTRIES (1u << 22) /* and of contents */
#define BUNDLE_MAX_SAME	   4096	      /* kernels of one need, arch and release */

/* The words of the format, for its writer too. All numbers are little-endian. */
#define BUNDLE_MAGIC	   "btfdepot-bundle 1\n\0\0\0\0\0\0" /* 24 bytes */
#define BUNDLE_MAGIC_SIZE  24u
#define BUNDLE_HEADER_SIZE 64u
#define BUNDLE_NEED_SIZE   32u
#define BUNDLE_ENTRY_SIZE  32u
#define BUNDLE_BUILD_SIZE  4u
#define BUNDLE_CONTENT	   48u /* bytes of its row */
#define BUNDLE_ALIGN	   8u

struct bundle {
	const uint8_t *data;
	size_t size; /* bytes */
	uint32_t n_needs, n_entries, n_builds, n_contents, strings_size;
	const uint8_t *needs, *entries, *builds, *contents;
	const char *strings;
};

/* -EBADMSG: not a bundle, or cut short; -ENOTSUP: a version newer than this library; -E2BIG. */
int bundle_open(const void *data, size_t size, struct bundle *ret_bundle, struct fail *f);

struct bundle_found {
	const void *data; /* inside the bundle, at a multiple of 8 from its start */
	size_t size;	  /* bytes */
	enum kernel_match match;
};

/*
 * The file for this need (64 hex digits) and kernel: that of its build-id, else of those that can
 * be this kernel (kernel_match) the best attested, distro and its version breaking ties. -ENOENT:
 * there is none; -ENOTUNIQ: several different ones, which the sentence lists; -EBADMSG: what was
 * met on the way is damaged.
 */
int bundle_find(const struct bundle *bundle, const char *need, const struct kernel *kernel,
		struct bundle_found *ret_found, struct fail *f);

/* One row, for listing. */
struct bundle_entry {
	uint32_t need; /* index, below n_needs */
	const char *arch, *release, *version, *build_id, *distro, *distro_version;
	uint32_t content; /* index, below n_contents */
};

/* i is below n_entries. -EBADMSG: damaged. */
int bundle_entry(const struct bundle *bundle, uint32_t i, struct bundle_entry *ret_entry,
		 struct fail *f);
/* i is below n_needs. */
void bundle_need(const struct bundle *bundle, uint32_t i, char ret_need[DIGEST_HEX_SIZE]);
/* i is below n_contents. The bytes are compared with their digest. -EBADMSG: damaged. */
int bundle_content(const struct bundle *bundle, uint32_t i, const void **ret_data, size_t *ret_size,
		   struct fail *f);

/* Everything: each row, their order, each content's digest. -EBADMSG says what is wrong. */
int bundle_check(const struct bundle *bundle, struct fail *f);

#endif

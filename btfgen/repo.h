/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A distribution's packages, at a URL or in a folder of the same form: what is there, and each
 * checked against the digest that its index says. That the index itself is the distribution's is
 * not checked here (no OpenPGP): that is as sure as the way to it, https or a mirror of one's own.
 */
#ifndef BTFGEN_REPO_H
#define BTFGEN_REPO_H

#include "btfs/digest.h"
#include "btfs/kernel.h"
#include "mapping.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fail;
struct fetch;

#define REPO_MAX_INDEX	  (128u << 20) /* bytes as they come; unpacked: unpack.h */
#define REPO_MAX_PACKAGE  (2u << 30)   /* bytes */
#define REPO_MAX_PACKAGES (1u << 20)   /* kernels' */
#define REPO_MAX_PATH	  1024
#define REPO_TIMEOUT_S	  3600 /* for one file */
#define REPO_MIN_BYTES                                                             \
	(1u << 20) /* a kernel's package has more; what only names another has not \
		    */

struct repo {
	const char *base; /* URL or folder */
	bool folder;
	struct fetch *fetch;
};

/* A package with a kernel in it, as the index says. */
struct repo_package {
	char *path;
	char name[KERNEL_FIELD_SIZE], version[KERNEL_FIELD_SIZE], arch[KERNEL_FIELD_SIZE];
	char release[KERNEL_FIELD_SIZE]; /* uname -r, as the name lets expect */
	char sha256[DIGEST_HEX_SIZE];
	uint64_t size; /* bytes */
	bool debug;    /* debug information, else the image */
};

struct repo_packages {
	struct repo_package *list;
	size_t n, room;
	char distro[KERNEL_FIELD_SIZE], distro_version[KERNEL_FIELD_SIZE]; /* "": not told */
};

/* -ENOTDIR, -EINVAL. Close with repo_close. */
int repo_open_url(const char *url, struct repo *ret_repo, struct fail *f);
int repo_open_folder(const char *folder, struct repo *ret_repo, struct fail *f);
void repo_close(struct repo *repo);

/*
 * A file, mapped. sha256 NULL: not checked. -ENOENT: not there; -EBADMSG: another digest, or the
 * path leads out; else btfs/fetch.h's.
 */
int repo_get(struct repo *repo, const char *path, uint64_t max_bytes, const char *sha256,
	     struct mapping *ret_file, struct fail *f);

/* Takes the package over, if its release and sizes are a kernel's; else passes it over. */
int repo_add(struct repo_packages *packages, const struct repo_package *package, struct fail *f);
void repo_packages_free(struct repo_packages *packages);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What is known of a kernel beside its BTF: a JSON object in RELEASE.json next to
 * RELEASE.btf.tar.xz. Keys are only added; those that are not known are passed over.
 */
#ifndef BTFGEN_SIDECAR_H
#define BTFGEN_SIDECAR_H

#include "btfs/digest.h"
#include "btfs/kernel.h"

#include <stdint.h>

struct fail;
struct text;

#define SIDECAR_MAX (64u << 10) /* bytes of its file */

/* "" and 0 for what is not known, and then not written. */
struct sidecar {
	struct kernel kernel;
	char package[KERNEL_FIELD_SIZE], package_version[KERNEL_FIELD_SIZE];
	char package_arch[KERNEL_FIELD_SIZE];
	char btf_from[KERNEL_FIELD_SIZE]; /* kernel (its own), dwarf (by pahole), btf (as given) */
	char sha256[DIGEST_HEX_SIZE];	  /* of the BTF, and its bytes and types: */
	uint64_t bytes, types;
	uint64_t types_before;		    /* deduplication; 0: it was not needed */
	char duplicated[KERNEL_FIELD_SIZE]; /* struct that stands there many times even so, */
	uint64_t duplicates;		    /* and how often */
	char btfgen[KERNEL_FIELD_SIZE], pahole[KERNEL_FIELD_SIZE]; /* their versions */
};

/* The members, without the braces, so that others can be put beside them. */
void sidecar_members(const struct sidecar *sidecar, const char *between, struct text *t);

/* The file's text. */
void sidecar_text(const struct sidecar *sidecar, struct text *t);

/* -EBADMSG: not JSON, not an object, a value of the wrong type or that can't be, or a key twice. */
int sidecar_parse(const char *text, size_t size, struct sidecar *ret_sidecar, struct fail *f);

/*
 * The one beside archive_path (".btf.tar.xz" or ".btf"). -ENOENT: there is none; -EBADMSG: as
 * above, or it is of another kernel than the path says (identity: layout_parse's).
 */
int sidecar_read(const char *archive_path, const struct kernel *identity,
		 struct sidecar *ret_sidecar, struct fail *f);

#endif

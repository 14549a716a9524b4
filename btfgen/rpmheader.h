/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What stands before an .rpm's payload (rpm's docs/manual/format.md): a lead, signatures, tags. */
#ifndef BTFGEN_RPMHEADER_H
#define BTFGEN_RPMHEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fail;
struct package;

#define RPMHEADER_MAX_TAGS  (64u << 10)
#define RPMHEADER_MAX_STORE (64u << 20) /* bytes of all their values */

bool rpmheader_is(const void *data, size_t size);

/* Fills name, version, arch and distro, and tells where the payload begins. -EBADMSG. */
int rpmheader_read(const uint8_t *data, size_t size, struct package *ret_package,
		   size_t *ret_payload, struct fail *f);

#endif

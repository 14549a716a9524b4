/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The kernel that a BTF is wanted for: the running one, or another one that the options name. */
#ifndef AGENT_IDENTITY_H
#define AGENT_IDENTITY_H

#include "btfdepot.h"
#include <stdbool.h>

struct fail;
struct kernel;

/* Whether the options name another kernel than the one that runs here. */
bool identity_is_foreign(const struct btfdepot_opts *opts);

/*
 * As kernel_live, but of a named kernel nothing is taken from the running one: no build-id and no
 * version, unless the options give these too.
 */
int identity_read(const struct btfdepot_opts *opts, struct kernel *ret_kernel, char *note,
		  size_t note_size, struct fail *f);

enum identity_btf {
	IDENTITY_BTF_ABSENT,	/* the kernel was built without, or nothing is known of it */
	IDENTITY_BTF_INVISIBLE, /* its configuration says that it has one */
};

/*
 * Asks the kernel's configuration, <host_root>/proc/config.gz or <host_root>/boot/config-<release>,
 * for CONFIG_DEBUG_INFO_BTF. where (size bytes) gets the file that said so, "" if none was read.
 */
enum identity_btf identity_config(const char *host_root, const struct kernel *kernel, char *where,
				  size_t size);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The door for every BTF that is not the kernel's own, wherever it came from: a cache entry goes
 * through it again on every use. libbpf sees only what came through here.
 */
#ifndef AGENT_ACCEPT_H
#define AGENT_ACCEPT_H

#include <stddef.h>

struct fail;

/*
 * 0 if size bytes at data are a raw BTF that view_open proves, with types in it, in the byte
 * order and pointer size of arch (a name as in struct kernel; one that is not known: this
 * machine's byte order, any pointer size). -EBADMSG, -E2BIG, -ENOTSUP, -ENOMEM.
 */
int accept_btf(const void *data, size_t size, const char *arch, struct fail *f);

struct accept_packed {
	const void *data; /* in any of archive.h's forms */
	size_t size;
	const char *arch;
	size_t max_bytes; /* of the BTF unpacked */
};

/* The same for bytes that may be packed; the caller frees ret_btf. */
int accept_packed(const struct accept_packed *packed, void **ret_btf, size_t *ret_size,
		  struct fail *f);

#endif

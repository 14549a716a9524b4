/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * libbpf as the oracle: an object is relocated by it with a kernel's whole BTF and with the
 * minimised one, and every instruction of every program is compared. Nothing is loaded into the
 * kernel: libbpf is stopped behind relocation. Needs root or CAP_BPF, since libbpf probes first.
 */
#ifndef BTFGEN_VERIFY_H
#define BTFGEN_VERIFY_H

#include <stddef.h>

struct fail;

struct verify_btf {
	const void *data;
	size_t size; /* bytes */
};

enum verify_verdict {
	VERIFY_SAME,	 /* every instruction is the same */
	VERIFY_REFUSED,	 /* libbpf refuses with both, for the same reason */
	VERIFY_DIFFERENT /* note says where */
};

struct verify_result {
	enum verify_verdict verdict;
	size_t n_programs, n_insns;
	size_t n_type_ids; /* instructions that hold a type's id, which has to differ */
	size_t n_poisoned; /* instructions that libbpf made invalid, in both */
	char note[512];
};

/* One BPF object (an ELF file, not a program with some inside). -EPERM: libbpf may not probe;
 * -EINVAL: libbpf does not take the object, whatever the BTF. */
int verify_object(const struct verify_btf *object, const struct verify_btf *full,
		  const struct verify_btf *min, struct verify_result *ret_result, struct fail *f);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What BPF objects need of a kernel: their CO-RE relocations in one canonical text, whose sha256
 * names it. Maker and asker compute it from the objects' bytes and must agree; the text alone
 * suffices to minimise. docs/formats.md gives the grammar.
 *
 *	need = need_new();
 *	need_add_object(need, elf, size, "prog.bpf.o", f);	as often as there are objects
 *	need_finish(need, f);
 *	printf("%s\n%s", need_id(need), need_text(need, &len));
 *	need_free(need);
 */
#ifndef BTFS_NEED_H
#define BTFS_NEED_H

#include "digest.h"
#include <stddef.h>
#include <stdint.h>

struct fail;
struct need;
struct reloc;

#define NEED_MAX_TEXT	(16u << 20) /* bytes */
#define NEED_MAX_RELOCS (1u << 18)
#define NEED_MAX_OBJECT (512u << 20) /* bytes of an object or of a program that embeds some */

struct need *need_new(void); /* NULL: no memory. Free with need_free. */
void need_free(struct need *need);

/*
 * Adds every CO-RE relocation of a BPF ELF object, or of every BPF object embedded in an
 * executable (libbpf skeletons). Gives the number of relocation records seen, 0 if it has none.
 * -EBADMSG: malformed, or libbpf would refuse it on every kernel; -ENOENT: no BPF object in it;
 * -E2BIG; -ENOTSUP: newer than this library. Nothing is added then.
 */
int need_add_object(struct need *need, const void *data, size_t size, const char *name,
		    struct fail *f);

/* Sorts, makes unique, fingerprints. To be called once, after the last object. */
int need_finish(struct need *need, struct fail *f);

/* Reads a finished need from its text. Only the canonical form is taken: what need_text gives. */
int need_parse(const char *text, size_t size, struct need **ret_need, struct fail *f);

/* Of a finished need; owned by it. */
const char *need_text(const struct need *need, size_t *ret_size);
const char *need_id(const struct need *need); /* 64 hex digits */
size_t need_count(const struct need *need);   /* relocations; 0: nothing is needed of a kernel */
const struct reloc *need_reloc(const struct need *need, size_t i); /* the i-th, in their order */

/* Architecture that an object was compiled for, by its file's name NAME.<arch>.bpf.o: a name as in
 * struct kernel, or NULL if it does not say. */
const char *need_arch_of(const char *file_name);

#endif

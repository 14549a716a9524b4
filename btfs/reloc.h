/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * One CO-RE relocation as a kernel is asked for it: what libbpf compares and nothing else. Made
 * from an object's record, or from its line in a need; both ways give the same.
 */
#ifndef BTFS_RELOC_H
#define BTFS_RELOC_H

#include "spec.h"
#include "text.h"

#include <stddef.h>
#include <stdint.h>

struct fail;

#define RELOC_MAX_NODES (1u << 16) /* of one relocation's local types */
#define RELOC_MAX_DEPTH 2176 /* of the same as a tree: 33 calls of 33 types, members between */
#define RELOC_MAX_LEVEL 32   /* libbpf's bound on recursion when it compares types */

enum reloc_word {
	RELOC_VOID,
	RELOC_INT,  /* number: bytes (type_matches) */
	RELOC_SINT, /* signed (type_matches) */
	RELOC_FLOAT,
	RELOC_PTR,    /* one child */
	RELOC_ARRAY,  /* one child; number: elements (type_matches) */
	RELOC_STRUCT, /* members, where libbpf looks at them (type_matches) */
	RELOC_UNION,
	RELOC_COMPOSITE, /* struct or union, whichever */
	RELOC_ENUM,	 /* enumerators (type_matches) */
	RELOC_FWD,	 /* number: 1 for a union (type_matches) */
	RELOC_FUNC,	 /* parameters, then what it returns */
	RELOC_MEMBER,	 /* one child */
	RELOC_ENUMERATOR,
	RELOC_NONE, /* matches nothing */
	RELOC_DEEP, /* libbpf gives up when it gets here */
	RELOC_N_WORDS,
};

/* A local type; its children follow it, n_children of them, the last ending before end. */
struct reloc_node {
	uint32_t name; /* essential name, offset into names */
	uint32_t number;
	uint32_t n_children;
	uint32_t end; /* index behind its last descendant */
	uint8_t word; /* enum reloc_word */
};

struct reloc_step {
	uint32_t name;	/* a member's full name, or the enumerator's essential one; 0: an index */
	uint32_t index; /* array element; of the root as an array for the first step */
	uint32_t node;	/* of a member: its local type */
};

struct reloc {
	uint8_t kind;	   /* enum bpf_core_relo_kind */
	uint8_t root_kind; /* BTF_KIND_*, ENUM for ENUM64 */
	uint32_t root;	   /* essential name */
	uint32_t n_steps;
	struct reloc_step steps[SPEC_MAX_LEN];
	struct reloc_node *nodes;
	uint32_t n_nodes, nodes_room;
	struct text names; /* NUL-terminated, one after another; offset 0 is "" */
};

static inline const char *reloc_name(const struct reloc *r, uint32_t name)
{
	return r->names.p + name;
}

/* Bytes of a name without its "___flavor" (bpf_core_essential_name_len). */
size_t reloc_essential_len(const char *name);

/* From a line of size bytes, without its newline. Only what reloc_format writes is taken. */
int reloc_parse(const char *line, size_t size, struct reloc *ret_reloc, struct fail *f);

/* Appends the line with its newline. */
void reloc_format(const struct reloc *reloc, struct text *t);

void reloc_free(struct reloc *reloc);

/*
 * Building one: begin, add in preorder, close. 0 is the empty name; NULL: no memory or over
 * RELOC_MAX_NODES; a node's address holds until the next is added. Allocations of names that
 * failed show in names.failed.
 */
int reloc_begin(struct reloc *r);
uint32_t reloc_add_name(struct reloc *r, const char *name, size_t len);
struct reloc_node *reloc_add_node(struct reloc *r, enum reloc_word word);
/* Sets end of the nodes from first on, out of their n_children. */
void reloc_close(struct reloc *r, uint32_t first);

/* "byte_off", "type_exists", ...: libbpf's names. NULL: unknown. */
const char *reloc_kind_name(uint32_t kind);

#endif

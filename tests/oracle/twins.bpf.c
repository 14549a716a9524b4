// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Structs that a kernel has several of by one name. ASK chooses what is asked, in which order:
 * libbpf keeps only the candidates that matched before.
 */
#include "corner.h"

/* made up: see world.c */
struct twin {
	int same;
	int moved;
	int only_a, only_b;
	int both_a_c;
} RELOCATED;

struct irq_info {
	unsigned int irq;
	unsigned char refcnt___x;
	struct {
		void *next;
	} eoi_list;
} RELOCATED;

struct slot {
	unsigned char number;
	unsigned int sun;
} RELOCATED;

/* the kernel's array has no elements and is not the last: nothing is in it, cut or not */
struct gap {
	int zero[4];
} RELOCATED;

#define ASK_GAP	    (BPF_CORE_READ(g, zero[1]) + bpf_core_field_size(g->zero))
#define ASK_SAME    BPF_CORE_READ(t, same)
#define ASK_MOVED   BPF_CORE_READ(t, moved)
#define ASK_ONLY_A  BPF_CORE_READ(t, only_a)
#define ASK_BOTH    (BPF_CORE_READ(t, only_a) + BPF_CORE_READ(t, only_b))
#define ASK_PRUNED  (BPF_CORE_READ(t, only_a) + BPF_CORE_READ(t, moved))
#define ASK_LATE    (BPF_CORE_READ(t, moved) + BPF_CORE_READ(t, only_a))
#define ASK_EMPTY   (BPF_CORE_READ(t, only_b) + BPF_CORE_READ(t, only_a) + BPF_CORE_READ(t, moved))
#define ASK_OVERLAP (BPF_CORE_READ(t, both_a_c) + BPF_CORE_READ(t, only_a) + BPF_CORE_READ(t, same))
#define ASK_SIZE    bpf_core_type_size(struct twin)
#define ASK_EXISTS  (bpf_core_type_exists(struct twin) + bpf_core_field_exists(t->only_b))
#define ASK_IRQ	    BPF_CORE_READ(i, irq)
#define ASK_EOI	    (long)BPF_CORE_READ(i, eoi_list.next)
#define ASK_NUMBER  BPF_CORE_READ(s, number)
#define ASK_SUN	    (BPF_CORE_READ(s, sun) + bpf_core_field_exists(s->number))

PROGRAM ask(struct twin *t)
{
	struct irq_info *i = (void *)t;
	struct slot *s = (void *)t;
	struct gap *g = (void *)t;

	(void)g;
	(void)i;
	(void)s;
	return ASK;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The types and members that a match needs to be found again. */
#ifndef BTFGEN_CLOSURE_H
#define BTFGEN_CLOSURE_H

#include <stddef.h>
#include <stdint.h>

struct fail;
struct match;
struct plan;
struct view;

struct closure {
	uint64_t *members; /* kept ones: struct's id << 32 | member, sorted, unique */
	size_t n_members, members_room;
	uint64_t *kept;	    /* a bit for each id */
	uint64_t *followed; /* the same: looked through pointers too */
	uint64_t *whole;    /* the same: with all members */
	uint64_t *behind;   /* the same: met behind a pointer, on the way to keep it whole */
	uint32_t *pending;  /* ids that wait, with flags */
	size_t n_pending, pending_room;
	const struct view *view;
	struct fail *f;
};

/*
 * For closure->view, with reasons going to closure->f; all else is to be 0. -ENOMEM; -EBADMSG: a
 * type that has to be kept breaks a rule. Free with closure_free, after an error too.
 */
int closure_of(const struct plan *plan, const struct match *match, struct closure *closure);
/*
 * Keeps more, for the seldom case that something's absence hangs on it: every candidate of
 * relocations that ask for a type as a whole, which might match once what it points to is left out;
 * and a member behind an array without elements, which would else be taken for a flexible one.
 */
int closure_widen(const struct plan *plan, struct closure *closure);
void closure_free(struct closure *closure);

/* Keeps one more type, alone. */
static inline void closure_keep(struct closure *c, uint32_t id)
{
	c->kept[id / 64] |= 1ull << id % 64;
}

#endif

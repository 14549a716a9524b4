/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What is answered to a method and a target: one table. Nothing here knows the HTTP library, ranges
 * or conditions; http.c makes these of an answer.
 */
#ifndef SERVER_ROUTES_H
#define SERVER_ROUTES_H

#include "btfs/fail.h"

#include <stddef.h>

struct metrics;
struct tree;
struct tree_file;

#define ROUTES_NONE  0		 /* the route of a request that was refused before it had one */
#define ROUTES_ALLOW "GET, HEAD" /* the methods of every route, as the Allow header has them */

/* What answers are made from: a snapshot, the same for all of one answer. */
struct site {
	const struct tree *tree;
	struct metrics *metrics;
};

struct answer {
	unsigned int status;
	size_t route;		      /* or ROUTES_NONE */
	const struct tree_file *file; /* the body, from the site's tree; NULL: text */
	char *text;		      /* the body, owned; NULL: the sentence in why */
	size_t text_size;	      /* bytes */
	const char *type;	      /* of text */
	struct fail why;	      /* of statuses from 400 on: what was wrong, what to do */
};

/* The routes' names, as metrics have them; ROUTES_NONE is "none". */
size_t routes_count(void);
const char *routes_name(size_t route);

/* Fills the whole answer, to be freed with answer_free. */
void routes_answer(const struct site *site, const char *method, const char *target,
		   struct answer *ret_answer);
void answer_free(struct answer *answer);

#endif

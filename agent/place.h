/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Where in a tree, local or on a server, the BTF for a kernel and a need may lie, best first. */
#ifndef AGENT_PLACE_H
#define AGENT_PLACE_H

#include "btfdepot.h"
#include "btfs/layout.h"

#define PLACE_MAX_ALIASES 4 /* of the full file: a server is not asked for every old spelling */
#define PLACE_MAX	  (3 + PLACE_MAX_ALIASES)

enum place_form {
	PLACE_MIN,  /* raw, cut for the need */
	PLACE_FULL, /* whole and packed */
};

struct place {
	enum place_form form;
	enum btfdepot_verdict verdict; /* what a file found here is worth, before any signature */
	char path[LAYOUT_PATH_SIZE];   /* relative to the root */
};

/* Fills places and gives their number; need_id "" leaves out what is cut for a need. */
size_t place_list(const struct kernel *kernel, const char *need_id,
		  struct place ret_places[PLACE_MAX]);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* How far a long command is, on stderr: only where that is a terminal, only after half a second,
 * and gone when it ends. */
#ifndef BTFGEN_CMD_PROGRESS_H
#define BTFGEN_CMD_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

struct progress {
	size_t done, total;
	double start_s, shown_s;
	bool on, visible;
};

void progress_start(struct progress *p, size_t total, bool quiet);
void progress_step(struct progress *p);
void progress_end(struct progress *p);

#endif

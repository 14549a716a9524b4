/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * libbpf takes a path only. What was checked is handed over as a copy that nobody can change any
 * more: a sealed memfd by its name in /proc, or, where the kernel (before 3.17) or a missing /proc
 * does not allow that, a file in a folder that only this user can enter.
 */
#ifndef AGENT_HANDOVER_H
#define AGENT_HANDOVER_H

#include <stddef.h>

struct fail;
struct handover;

enum handover_form {
	HANDOVER_ANY,
	HANDOVER_FILE, /* as on kernels without memfd */
};

/* -EROFS, -ENOSPC, ...: no form could be made. Free with handover_free, which removes the file. */
int handover_make(const void *data, size_t size, enum handover_form form,
		  struct handover **ret_handover, struct fail *f);
void handover_free(struct handover *handover);

const char *handover_path(const struct handover *handover);
int handover_fd(const struct handover *handover);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The BPF objects that a command names, and the need that they have together. */
#ifndef BTFGEN_INPUTS_H
#define BTFGEN_INPUTS_H

#include <stdbool.h>
#include <stddef.h>

struct fail;
struct need;
struct text;

struct input {
	const char *path;
	char *data;
	size_t size;
	int n_records; /* CO-RE relocation records in it */
};

struct inputs {
	struct input *files;
	size_t n;
	struct need *need; /* of all together */
	const char *arch;  /* that all are for, by their names; NULL: none says */
};

/* Reads and checks them. -EINVAL: they are for different archs. Free with inputs_free. */
int inputs_read(char *const *paths, size_t n, struct inputs *ret_inputs, struct fail *f);
void inputs_free(struct inputs *inputs);

/* need.json: what the need was made from. Names without folders, so that it says nothing of the
 * machine. */
void inputs_json(const struct inputs *inputs, struct text *t);

#endif

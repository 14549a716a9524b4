/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* BTF out of DWARF, by the program pahole (package dwarves, 1.22 or later). */
#ifndef BTFGEN_PAHOLE_H
#define BTFGEN_PAHOLE_H

#include "mapping.h"

struct fail;

#define PAHOLE_TIMEOUT_S    1800 /* some 30 s for a distribution's kernel */
#define PAHOLE_VERSION_SIZE 32

/* "1.24". -ENOENT: it is not installed. */
int pahole_version(char ret_version[PAHOLE_VERSION_SIZE], struct fail *f);

/*
 * The BTF of the ELF file open at fd, into a scratch file that is made and mapped. One thread: with
 * more, 1.24 gives other bytes each time. -EBADMSG: it failed, the sentence has its first words.
 */
int pahole_encode(int fd, struct mapping *ret_btf, struct fail *f);

#endif

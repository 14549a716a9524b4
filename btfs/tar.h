/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The tar that archives of BTF are made of (POSIX ustar, GNU's and pax's long names), one member
 * after another, nothing extracted. Our own and strict: of tar's many forms only plain files and
 * folders are taken, and general readers recurse on hostile chains of headers (libarchive 3.6 dies
 * of 9 KB) or skip what they do not like.
 *
 *	tar_open(decoder, first, n, &tar);	first: the n <= 512 bytes already read
 *	while ((err = tar_next(&tar, &member, f)) == 0 && member.kind != TAR_END)
 *		if (member.kind == TAR_FILE)
 *			err = tar_read(&tar, buf, n, f);	in all, its size
 */
#ifndef BTFS_TAR_H
#define BTFS_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct decoder;
struct fail;

#define TAR_BLOCK    512
#define TAR_RECORD   10240	 /* what GNU tar pads an archive to */
#define TAR_MAX_NAME 256	 /* bytes with the NUL */
#define TAR_MAX_PAX  (64u << 10) /* bytes of one member's pax records */

enum tar_kind { TAR_FILE, TAR_FOLDER, TAR_END };

struct tar_member {
	enum tar_kind kind;
	size_t size;		 /* bytes; 0 for folders */
	char name[TAR_MAX_NAME]; /* relative, without ".." or control bytes */
};

struct tar {
	struct decoder *decoder;
	uint8_t block[TAR_BLOCK];
	size_t n_first; /* bytes of the first block that were handed over; 0 once it is used */
	size_t left;	/* bytes of the member's content not yet read */
	size_t padding; /* after them */
};

/* Whether the block can be the first of such a tar. */
bool tar_is_header(const uint8_t block[TAR_BLOCK]);

void tar_open(struct decoder *decoder, const void *first, size_t n_first, struct tar *ret_tar);

/*
 * Skips what is left of the member before. TAR_END is given only when two blocks of zeros and then
 * nothing but zeros were seen up to the end. -EBADMSG: damaged, cut short, a name that leads out,
 * a link, a device, or any form but the above.
 */
int tar_next(struct tar *tar, struct tar_member *ret_member, struct fail *f);

/* The next size bytes of the member; no more than are left of it. */
int tar_read(struct tar *tar, void *buf, size_t size, struct fail *f);

/* GNU tar's header of a member: mode 0444, owner root, time 0; kind '0' is a file, 'L' a long name.
 */
void tar_header(char kind, const char *name, size_t size, uint8_t ret_block[TAR_BLOCK]);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What kernel something is for. uname -r alone is not unique (Ubuntu GA and HWE kernels share
 * names, Debian ABI names span package versions), so a build-id decides where both sides have one.
 */
#ifndef BTFS_KERNEL_H
#define BTFS_KERNEL_H

#include <stddef.h>

struct fail;

#define KERNEL_FIELD_SIZE 128 /* bytes of each field with its NUL; uname(2) gives at most 65 */

/* Every field is "" where it is not known. No field but version holds '/' or "..", none control
 * bytes. */
struct kernel {
	char arch[KERNEL_FIELD_SIZE];	  /* x86_64, arm64 (BTFHub); Debian's names for others */
	char release[KERNEL_FIELD_SIZE];  /* uname -r */
	char version[KERNEL_FIELD_SIZE];  /* uname -v; spaces allowed, '/' too */
	char build_id[KERNEL_FIELD_SIZE]; /* GNU build-id note as lower-case hex, 16 to 64 digits */
	char distro[KERNEL_FIELD_SIZE];	  /* os-release(5) ID, in lower case */
	char distro_version[KERNEL_FIELD_SIZE]; /* os-release(5) VERSION_ID */
};

/* Where the live kernel is asked. NULL: the default in brackets. */
struct kernel_sources {
	const char *host_root;	/* ["/"] os-release is read below it: etc/, then usr/lib/ */
	const char *notes_path; /* ["/sys/kernel/notes"] */
	const char *release;	/* [uname(2)] overrides what uname says */
	const char *version;
	const char *machine;
};

/*
 * Fills ret_kernel from the running kernel. A missing, unreadable or malformed notes file or
 * os-release leaves those fields "" and is no error, nor is a machine that kernel_arch does not
 * know; the reasons go to the note ("" if there are none; note_size bytes, may be 0).
 * -EINVAL: uname has bytes that no kernel name may hold ('/', control bytes, "..").
 */
int kernel_live(const struct kernel_sources *sources, struct kernel *ret_kernel, char *note,
		size_t note_size, struct fail *f);

/*
 * Fills distro and distro_version from the text of an os-release file, all quoting styles.
 * -EBADMSG, -E2BIG: what is wrong with it; a field that can't be told is "", the other may be set.
 */
int kernel_parse_os_release(const char *text, size_t size, struct kernel *kernel, struct fail *f);

/* The GNU build-id of ELF notes (either byte order), as hex. -ENOENT: no such note. */
int kernel_parse_notes(const void *notes, size_t size, char ret_hex[KERNEL_FIELD_SIZE],
		       struct fail *f);

/*
 * The arch name of paths for any spelling (aarch64, amd64, i686, ...); NULL: not known. "mips" is
 * Debian's name of the big-endian one; kernel_live, where uname calls both so, takes the byte order
 * of the running program.
 */
const char *kernel_arch(const char *name);

/* 1 if s may stand in a path as release, distro, ...: 1..127 bytes of A-Za-z0-9._+:~@- , not "."
 * and without "..". */
int kernel_name_ok(const char *s);

/*
 * Whether two identities can be one kernel. A field that one side lacks neither matches nor
 * conflicts; build-ids decide alone where both sides have one; distro and its version are ties
 * only, not looked at here. Without arch and release on both sides nothing but a build-id matches.
 * A build_id of 12 digits (layout_parse) is the beginning of one: it can differ, but it attests
 * at most.
 */
enum kernel_match {
	KERNEL_DIFFERS,	 /* some field both have differs */
	KERNEL_NAMED,	 /* same arch and release, nothing differs: not unique, needs proof */
	KERNEL_ATTESTED, /* same arch, release and uname -v */
	KERNEL_EXACT,	 /* same build-id */
};
enum kernel_match kernel_match(const struct kernel *a, const struct kernel *b);

#endif

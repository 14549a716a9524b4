/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * BTF out of whatever it comes in: raw, gzip, zstd, xz, a tar of one of these (BTFHub's
 * .btf.tar.xz), an ELF file with a .BTF section. What it is, is read from the bytes, never from
 * the name. Nothing is written to disk, no name or link inside is followed. Every result still has
 * to pass view_open: only its first bytes were looked at here. What decoding may take is bounded in
 * decoder.h, which tar is read is told in tar.h.
 */
#ifndef BTFS_ARCHIVE_H
#define BTFS_ARCHIVE_H

#include <stddef.h>

struct fail;

#define ARCHIVE_MAX_BTF	    (64u << 20) /* bytes of one BTF; the largest known has 27 MB */
#define ARCHIVE_MAX_FILE    (1u << 30)	/* bytes of a file on disk: vmlinux with DWARF */
#define ARCHIVE_MAX_MODULES 8192	/* members of a multi-member archive */

struct archive_part {
	char *name; /* its name inside, "" for a file that is the BTF itself; for people only */
	void *data;
	size_t size; /* bytes */
};

/* A kernel's BTF and, in multi-member archives, one split BTF for each module, in their order. */
struct archive {
	struct archive_part btf;
	struct archive_part *modules;
	size_t n_modules;
};

/*
 * Reads from a regular file, or from size bytes at data (name is for messages). The caller frees
 * with archive_free. -ENOENT: no such file, or no BTF in it; -EBADMSG: damaged, or not one BTF
 * (no member, several without a base, a member that is no regular file, a name with ".."...);
 * -E2BIG: over a limit; -ENOTSUP: a form we do not read.
 */
int archive_read(const char *path, struct archive *ret_archive, struct fail *f);
int archive_read_memory(const void *data, size_t size, const char *name,
			struct archive *ret_archive, struct fail *f);
void archive_free(struct archive *archive);

/*
 * The deterministic tar.xz of one BTF under BTFHub's name "<release>.btf": mode 0444, owner root,
 * time 0, one xz stream with CRC64; same bytes on every machine with the same liblzma.
 * The caller frees ret_data.
 */
int archive_write(const char *release, const void *btf, size_t size, void **ret_data,
		  size_t *ret_size, struct fail *f);

#endif

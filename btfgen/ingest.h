/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Sources into an archive in BTFHub's layout: each kernel's BTF checked, packed deterministically,
 * and put beside what is known of it (sidecar.h). Same sources, same archive before: same archive
 * after, whatever the number of threads.
 */
#ifndef BTFGEN_INGEST_H
#define BTFGEN_INGEST_H

#include "btfs/layout.h"
#include "identify.h"
#include "sidecar.h"

#include <stdbool.h>
#include <stddef.h>

struct fail;
struct mapping;
struct sources;

#define INGEST_NOTE_SIZE 256

enum ingest_status {
	INGEST_NEW,
	INGEST_SAME,	 /* it is there already */
	INGEST_REPLACED, /* this build's BTF was there, made in another way */
	INGEST_SKIPPED,	 /* found in a folder, and nothing to make BTF from */
	INGEST_FAILED,
};

struct ingest_report {
	const char *source;
	enum ingest_status status;
	int err;
	const char *why;	     /* of SKIPPED and FAILED, a sentence */
	char path[LAYOUT_PATH_SIZE]; /* in the archive, of the others */
	struct sidecar about;
	size_t packed_size;	     /* bytes */
	char note[INGEST_NOTE_SIZE]; /* what is odd about it, or "" */
};

struct ingest {
	const char *archive;
	struct identify_given given;
	const struct sources *sources;
	unsigned n_threads; /* 0: one per core */
	/* Called from one thread at a time: begin in any order, report in that of the sources. */
	void (*begin)(void *ctx, size_t i);
	void (*report)(void *ctx, const struct ingest_report *report);
	void *ctx;
};

void ingest_run(const struct ingest *ingest);

/*
 * One source that is in memory already; name is what its file is called. Fills ret_report but for
 * its why, which is the sentence in f; gives its err.
 */
int ingest_file(const char *archive, const struct identify_given *given, const char *name,
		const struct mapping *file, struct ingest_report *ret_report, struct fail *f);

#endif

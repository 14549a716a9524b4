/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * One provisioning while it runs: what is asked for, the answers so far, what was found. Used by
 * the library's own files; programs see btfdepot.h.
 */
#ifndef AGENT_DEPOT_H
#define AGENT_DEPOT_H

#include "btfdepot.h"
#include "btfs/digest.h"
#include "btfs/fail.h"
#include "btfs/kernel.h"
#include <stdbool.h>

#define DEPOT_MAX_SOURCES 64 /* trees, and urls: of each */

struct cache;
struct handover;
struct need;

struct answer {
	const char *source;
	char *where, *said;
	int err;
	uint32_t took_ms;
};

/* What a source gave. path is a file on disk that holds the same bytes, or NULL. */
struct found {
	void *data; /* NULL where the kernel's own BTF, or none, is to be used */
	size_t size;
	enum btfdepot_verdict verdict;
	char *path;
};

struct btfdepot {
	struct btfdepot_opts opts; /* defaults filled in; its pointers are the caller's, and only
				      used within btfdepot__provision */
	struct kernel kernel;
	char need_id[DIGEST_HEX_SIZE]; /* "" without objects */
	uint64_t deadline_ms;
	struct cache *cache; /* NULL: none, or not usable */
	struct found found;
	bool own_elsewhere; /* the kernel's own BTF, but not where libbpf looks for it */
	struct handover *handover;
	struct answer *answers;
	size_t n_answers;
	char *report;
};

/*
 * Notes one source's answer. since_ms: fetch_now_ms() when it was asked. Gives err back, or
 * -ENOMEM.
 */
int depot_answer(struct btfdepot *depot, const char *source, const char *where, uint64_t since_ms,
		 int err, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* One line to the log callback, if there is one. */
void depot_log(const struct btfdepot *depot, enum btfdepot_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Unpacks and checks (accept_packed) for this kernel; fills data and size of *ret_found. */
int depot_unpack(const struct btfdepot *depot, const void *data, size_t size,
		 struct found *ret_found, struct fail *f);

void found_free(struct found *found);

#endif

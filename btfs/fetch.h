/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * HTTP GET with every limit set and one deadline, by libcurl: http and https only, no redirect
 * followed, no cookies, no netrc, certificates checked, bytes counted as they come, a transfer
 * that drips is cut at the deadline. Agent, mirror, crawl and upstream all use it.
 */
#ifndef BTFS_FETCH_H
#define BTFS_FETCH_H

#include <stddef.h>
#include <stdint.h>

struct fail;
struct fetch;

struct fetch_request {
	const char *url;
	size_t max_bytes;     /* of the body; more is -E2BIG */
	uint64_t deadline_ms; /* on CLOCK_MONOTONIC, see fetch_now_ms */
	const char *ca_file;  /* NULL: the system's */
	const char *etag;     /* NULL, or sent as If-None-Match */
};

struct fetch_answer {
	long status;		/* HTTP's; 200 has a body, 304 and 404 have none here */
	void *data;		/* free with fetch_answer_free */
	size_t size;		/* bytes */
	char etag[160];		/* "" if none came */
	uint32_t retry_after_s; /* of 429 and 503, at most 86400; 0 if none came */
};

/* A handle keeps connections for the next call; one thread at a time. NULL: errno. */
struct fetch *fetch_new(void);
void fetch_free(struct fetch *fetch);

uint64_t fetch_now_ms(void);

/*
 * 0: the server answered, whatever its status. -ETIMEDOUT: the deadline; -ECONNREFUSED: no
 * connection or no such host; -EPROTO: not HTTP, TLS refused, cut short; -E2BIG; -EINVAL: the URL
 * is not http(s) or holds control bytes.
 */
int fetch_get(struct fetch *fetch, const struct fetch_request *request,
	      struct fetch_answer *ret_answer, struct fail *f);
void fetch_answer_free(struct fetch_answer *answer);

/* Appends path to base, each segment percent-encoded ('+' becomes %2B). NULL: no memory. */
char *fetch_url(const char *base, const char *path);

#endif

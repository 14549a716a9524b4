/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The only part that knows libmicrohttpd: its callbacks, conditional requests, ranges, and the
 * limits that it does not have itself (with door.h).
 */
#ifndef SERVER_HTTP_H
#define SERVER_HTTP_H

struct fail;
struct http;
struct log_entry;
struct metrics;
struct tree_slot;

#define HTTP_MAX_HEAD                                                              \
	(16u << 10) /* bytes of a request's line and headers, and of the library's \
		     * other memory for a connection */

struct http_opts {
	int listen_fd;
	unsigned int threads; /* that serve; 1..POOL_MAX_THREADS */
	unsigned int max_connections;
	unsigned int max_per_address; /* 0: no limit */
	unsigned int header_timeout_ms, response_timeout_ms;
	int max_fds; /* RLIMIT_NOFILE */
	struct tree_slot *slot;
	struct metrics *metrics;
	void (*log)(const struct log_entry *entry); /* NULL: none; from any thread */
};

/* Everything in opts must outlive it. */
int http_start(const struct http_opts *opts, struct http **ret_http, struct fail *f);

/* Accepts nothing more, gives what is being answered grace_ms, ends. Takes NULL. */
void http_stop(struct http *http, unsigned int grace_ms);

#endif

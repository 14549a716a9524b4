/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A request's headers: what they say together, and whether they may be believed. */
#ifndef SERVER_HEAD_H
#define SERVER_HEAD_H

#include "request.h"

struct MHD_Connection;

struct head {
	unsigned int n_hosts, n_lengths, n_encodings, n_ranges, n_if_ranges;
	int has_if_none_match, has_if_match;
	int has_body, is_malformed, wants_json;
	const char *range, *if_range; /* valid as long as the request */
};

void head_read(struct MHD_Connection *c, struct head *ret_head);

/*
 * What must not be served whatever it asks for: requests that two programs may read differently
 * (RFC 9112, 3.2 and 6.1), and bodies. 0, or the status with a sentence for the client.
 */
unsigned int head_check(const struct head *head, const char *version, const char **ret_why);

/* 1 if the header, which may come several times, lists the tag of this sha256, else 0. */
int head_lists_etag(struct MHD_Connection *c, const char *name, const char *sha256,
		    enum request_compare compare);

#endif

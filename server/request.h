/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What the bytes of a request's target and headers say (RFC 9110, RFC 9112). No state, no I/O. */
#ifndef SERVER_REQUEST_H
#define SERVER_REQUEST_H

#include <stddef.h>

struct fail;

#define REQUEST_MAX_TARGET \
	1024 /* bytes of a request's target; the longest path of a tree has 640 */

/*
 * The path of an origin-form target, percent-decoded exactly once, without leading '/' and without
 * the query. -EINVAL: too long, not origin-form, a malformed escape, a byte below 0x21 or above
 * 0x7e, '\', an encoded '/', an empty segment, "." or ".."; the sentence is for the client.
 */
int request_path(const char *target, char ret_path[REQUEST_MAX_TARGET + 1], struct fail *f);

enum request_range {
	REQUEST_WHOLE,	       /* several ranges, another unit or not well-formed: all is sent */
	REQUEST_PART,	       /* one range */
	REQUEST_UNSATISFIABLE, /* one range, beyond the end */
};

/* What a Range header's value asks of size bytes. The outputs are set for REQUEST_PART. */
enum request_range request_range(const char *value, size_t size, size_t *ret_first,
				 size_t *ret_length);

enum request_compare {
	REQUEST_STRONG, /* a tag W/"..." never matches */
	REQUEST_WEAK,
};

/* 1 if the list of entity tags ("*" or tags with commas between) has this sha256, else 0. What
 * follows a malformed tag is not looked at. */
int request_etag_listed(const char *list, const char *sha256, enum request_compare compare);

#endif

// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "head.h"

#include <microhttpd.h>
#include <string.h>
#include <strings.h>

static int is_token(const char *s, size_t n)
{
	static const char others[] = "!#$%&'*+-.^_`|~";
	size_t i;

	for (i = 0; i < n; i++)
		if (!(s[i] >= '0' && s[i] <= '9') && !((s[i] | 32) >= 'a' && (s[i] | 32) <= 'z') &&
		    (!s[i] || !strchr(others, s[i])))
			return 0;
	return n > 0;
}

static int is_field_text(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (((unsigned char)s[i] < 0x20 && s[i] != '\t') || s[i] == 0x7f)
			return 0;
	return 1;
}

static enum MHD_Result read_header(void *arg, enum MHD_ValueKind kind, const char *key,
				   size_t key_size, const char *value, size_t value_size)
{
	struct head *head = arg;

	if (!value || !is_token(key, key_size) || !is_field_text(value, value_size)) {
		head->is_malformed = 1;
		return MHD_YES;
	}
	if (strcasecmp(key, "Host") == 0) {
		head->n_hosts++;
	} else if (strcasecmp(key, "Content-Length") == 0) {
		head->n_lengths++;
		head->has_body |= value[strspn(value, "0")] != '\0';
	} else if (strcasecmp(key, "Transfer-Encoding") == 0) {
		head->n_encodings++;
		head->has_body = 1;
	} else if (strcasecmp(key, "Range") == 0) {
		head->n_ranges++;
		head->range = value;
	} else if (strcasecmp(key, "If-Range") == 0) {
		head->n_if_ranges++;
		head->if_range = value;
	} else if (strcasecmp(key, "If-None-Match") == 0) {
		head->has_if_none_match = 1;
	} else if (strcasecmp(key, "If-Match") == 0) {
		head->has_if_match = 1;
	} else if (strcasecmp(key, "Accept") == 0) {
		head->wants_json |= strcasestr(value, "application/json") != NULL;
	}
	return MHD_YES;
}

void head_read(struct MHD_Connection *c, struct head *ret_head)
{
	struct head head = { 0 };

	MHD_get_connection_values_n(c, MHD_HEADER_KIND, read_header, &head);
	*ret_head = head;
}

struct etag_search {
	const char *name, *sha256;
	enum request_compare compare;
	int found;
};

static enum MHD_Result find_etag(void *arg, enum MHD_ValueKind kind, const char *key,
				 const char *value)
{
	struct etag_search *search = arg;

	if (value && strcasecmp(key, search->name) == 0)
		search->found |= request_etag_listed(value, search->sha256, search->compare);
	return MHD_YES;
}

int head_lists_etag(struct MHD_Connection *c, const char *name, const char *sha256,
		    enum request_compare compare)
{
	struct etag_search search = { .name = name, .sha256 = sha256, .compare = compare };

	MHD_get_connection_values(c, MHD_HEADER_KIND, find_etag, &search);
	return search.found;
}

unsigned int head_check(const struct head *head, const char *version, const char **ret_why)
{
	const char *why = NULL;

	if (head->is_malformed)
		why = "a header's name or value has bytes that none may have";
	else if (head->n_hosts > 1 || (head->n_hosts == 0 && strcmp(version, "HTTP/1.0") != 0))
		why = "the request must have exactly one Host header";
	else if (head->n_lengths > 1)
		why = "the request has more than one Content-Length header; send one";
	else if (head->n_lengths && head->n_encodings)
		why = "the request has both Content-Length and Transfer-Encoding; send one";
	if (why) {
		*ret_why = why;
		return MHD_HTTP_BAD_REQUEST;
	}
	if (head->has_body) {
		*ret_why = "no body is taken here; send the request without one";
		return MHD_HTTP_CONTENT_TOO_LARGE;
	}
	return 0;
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "log.h"
#include "request.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MAX_METHOD 32 /* bytes that are shown of a method */

/* Four bytes for each of max, "..." and a NUL must fit in ret_text. */
static void escape(const char *s, size_t max, char *ret_text)
{
	static const char digits[] = "0123456789abcdef";
	size_t n;

	for (n = 0; *s && n < max; s++, n++) {
		unsigned char c = *s;

		if (c > 0x20 && c < 0x7f && c != '"' && c != '\\') {
			*ret_text++ = c;
			continue;
		}
		*ret_text++ = '\\';
		*ret_text++ = 'x';
		*ret_text++ = digits[c >> 4];
		*ret_text++ = digits[c & 15];
	}
	memcpy(ret_text, *s ? "..." : "", *s ? 4 : 1);
}

void log_peer(const struct sockaddr_storage *peer, char ret_text[LOG_MAX_PEER])
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)peer;
	const struct sockaddr_in *in = (const struct sockaddr_in *)peer;
	char text[INET6_ADDRSTRLEN] = "?";

	if (peer->ss_family == AF_INET) {
		inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
		snprintf(ret_text, LOG_MAX_PEER, "%s:%u", text, ntohs(in->sin_port));
	} else if (peer->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		inet_ntop(AF_INET, in6->sin6_addr.s6_addr + 12, text, sizeof(text));
		snprintf(ret_text, LOG_MAX_PEER, "%s:%u", text, ntohs(in6->sin6_port));
	} else if (peer->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
		snprintf(ret_text, LOG_MAX_PEER, "[%s]:%u", text, ntohs(in6->sin6_port));
	} else {
		memcpy(ret_text, "-", 2);
	}
}

void log_format(const struct log_entry *entry, char ret_line[LOG_MAX_LINE])
{
	char method[MAX_METHOD * 4 + 4], target[REQUEST_MAX_TARGET * 4 + 4], when[32];
	char peer[LOG_MAX_PEER];
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	log_peer(entry->peer, peer);
	escape(entry->method ? entry->method : "-", MAX_METHOD, method);
	escape(entry->target ? entry->target : "-", REQUEST_MAX_TARGET, target);
	snprintf(ret_line, LOG_MAX_LINE, "%s.%03ldZ %s %s \"%s\" %u %zu %.3fms%s%s", when,
		 now.tv_nsec / 1000000, peer, method, target, entry->status, entry->bytes,
		 entry->us / 1000.0, entry->note ? " " : "", entry->note ? entry->note : "");
}

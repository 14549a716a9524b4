/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* One line for each request; whatever a client sends, it is one line of printable ASCII. */
#ifndef SERVER_LOG_H
#define SERVER_LOG_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define LOG_MAX_LINE 4864 /* bytes: a target of 1 KiB with every byte escaped, and the rest */
#define LOG_MAX_PEER 64

struct log_entry {
	const struct sockaddr_storage *peer;
	const char *method, *target; /* as they came; NULL: none came */
	unsigned int status;
	size_t bytes;	  /* of the body */
	uint64_t us;	  /* from the first line of the request to the end of the answer */
	const char *note; /* why it was not finished, or NULL */
};

/*
 * "2024-11-22T14:00:00.123Z 192.0.2.1:4711 GET "/healthz" 200 3 0.145ms", without newline; then the
 * note if there is one. Bytes that are not printable ASCII, '"' and '\' become \xHH.
 */
void log_format(const struct log_entry *entry, char ret_line[LOG_MAX_LINE]);

/* 192.0.2.1:4711 or [2001:db8::1]:4711 */
void log_peer(const struct sockaddr_storage *peer, char ret_text[LOG_MAX_PEER]);

#endif

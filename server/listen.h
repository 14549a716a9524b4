/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A listening socket from what the user wrote: 127.0.0.1:8080, [::1]:8080, :8080; port 0 is free.
 */
#ifndef SERVER_LISTEN_H
#define SERVER_LISTEN_H

#include <sys/socket.h>

struct fail;

struct listen_address {
	struct sockaddr_storage addr;
	socklen_t size; /* bytes */
	int is_any;	/* no host was given: IPv6 and IPv4, or IPv4 where there is no IPv6 */
};

/* Numbers only, so that no resolver is asked. -EINVAL. */
int listen_parse(const char *text, struct listen_address *ret_address, struct fail *f);

/* A non-blocking socket that listens; ret_bound is where. */
int listen_open(const struct listen_address *address, int *ret_fd,
		struct sockaddr_storage *ret_bound, struct fail *f);

#endif

// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "listen.h"
#include "btfs/fail.h"
#include "log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int parse_port(const char *text, in_port_t *ret_port)
{
	unsigned long port;
	char *end;

	if (text[0] < '0' || text[0] > '9' || strlen(text) > 5)
		return 0;
	port = strtoul(text, &end, 10);
	if (*end || port > 65535)
		return 0;
	*ret_port = htons(port);
	return 1;
}

int listen_parse(const char *text, struct listen_address *ret_address, struct fail *f)
{
	struct listen_address address = { 0 };
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address.addr;
	struct sockaddr_in *in = (struct sockaddr_in *)&address.addr;
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 2] = "";
	size_t n = colon ? colon - text : 0;
	in_port_t port;

	if (!colon || n >= sizeof(host) || !parse_port(colon + 1, &port))
		goto bad;
	memcpy(host, text, n);
	if (n == 0 || (n > 2 && host[0] == '[' && host[n - 1] == ']')) {
		address.addr.ss_family = AF_INET6;
		address.size = sizeof(*in6);
		address.is_any = n == 0;
		in6->sin6_port = port;
		if (n)
			host[n - 1] = '\0';
		if (n && inet_pton(AF_INET6, host + 1, &in6->sin6_addr) != 1)
			goto bad;
	} else {
		address.addr.ss_family = AF_INET;
		address.size = sizeof(*in);
		in->sin_port = port;
		if (inet_pton(AF_INET, host, &in->sin_addr) != 1)
			goto bad;
	}
	*ret_address = address;
	return 0;
bad:
	return fail(f, -EINVAL,
		    "%s is no address to listen on; write 127.0.0.1:8080, [::1]:8080 or :8080",
		    text);
}

static int bind_and_listen(int fd, const struct listen_address *address)
{
	int on = 1, off = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		return -errno;
	if (address->addr.ss_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, address->is_any ? &off : &on, sizeof(on)))
		return -errno;
	if (bind(fd, (const struct sockaddr *)&address->addr, address->size) ||
	    listen(fd, SOMAXCONN))
		return -errno;
	return 0;
}

static int open_one(const struct listen_address *address, int *ret_fd)
{
	int fd = socket(address->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err;

	if (fd < 0)
		return -errno;
	err = bind_and_listen(fd, address);
	if (err) {
		close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

int listen_open(const struct listen_address *address, int *ret_fd,
		struct sockaddr_storage *ret_bound, struct fail *f)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address->addr;
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = in6->sin6_port };
	struct listen_address v4 = { .size = sizeof(any) };
	struct sockaddr_storage bound = { 0 };
	socklen_t size = sizeof(bound);
	char name[LOG_MAX_PEER];
	int fd = -1, err;

	err = open_one(address, &fd);
	if ((err == -EAFNOSUPPORT || err == -EADDRNOTAVAIL) && address->is_any) {
		memcpy(&v4.addr, &any, sizeof(any));
		err = open_one(&v4, &fd);
	}
	if (err) {
		log_peer(&address->addr, name);
		return fail(f, err, "can't listen on %s: %s", name, strerror(-err));
	}
	if (getsockname(fd, (struct sockaddr *)&bound, &size)) {
		err = fail(f, -errno, "can't ask for the port: %s", strerror(errno));
		close(fd);
		return err;
	}
	*ret_fd = fd;
	*ret_bound = bound;
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Threads that serve, each with a libmicrohttpd daemon and an epoll set of its own; connections are
 * dealt out in turn. The library has such threads too, but 0.9.75's may sleep on work: when exactly
 * 128 events come at once it waits for more, without a timeout, before it looks at these.
 */
#ifndef SERVER_POOL_H
#define SERVER_POOL_H

#include <sys/socket.h>

struct MHD_Daemon;
struct fail;
struct pool;

#define POOL_MAX_THREADS 64

struct pool_opts {
	unsigned int threads;
	/* A daemon without threads and without a listening socket. NULL: errno. */
	struct MHD_Daemon *(*start)(void *arg);
	/* In the daemon's thread; takes fd. */
	void (*add)(void *arg, struct MHD_Daemon *daemon, int fd, const struct sockaddr *addr,
		    socklen_t size);
	void *arg;
};

int pool_new(const struct pool_opts *opts, struct pool **ret_pool, struct fail *f);

/* Hands a connection to the next thread. Takes fd, also when it fails: -EAGAIN, too many wait. One
 * thread at a time. */
int pool_hand(struct pool *pool, int fd, const struct sockaddr *addr, socklen_t size);

/* Ends threads, daemons and all connections. Takes NULL. */
void pool_free(struct pool *pool);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Who may be connected, and for how long. libmicrohttpd's timeouts count inactivity only, so a
 * client that drips a byte now and then holds its connection for ever: here are absolute deadlines.
 * One thread accepts, hands each connection on, and cuts (shutdown(2)) those whose time is over:
 *
 *	waiting for a header, since accepted or since the last answer	header_timeout_ms
 *	being answered, since the header was complete			response_timeout_ms
 *
 * Over a limit, the connection that has waited longest goes first, of the same address if it is
 * that address's limit; where nothing waits, the newcomer gets 503. Accepting itself rather than
 * letting the library do it: 0.9.75 deadlocks when an added connection meets its own limit.
 */
#ifndef SERVER_DOOR_H
#define SERVER_DOOR_H

#include <stdint.h>
#include <sys/socket.h>

struct door;
struct fail;
struct metrics;

enum conn_state {
	CONN_FREE,
	CONN_WAITING,
	CONN_ANSWERED, /* being answered */
	CONN_CUT,      /* shut down by us, about to be closed by the library */
};

struct conn {
	enum conn_state state;
	int fd;
	uint64_t since_ms; /* when the state began, CLOCK_MONOTONIC */
	struct conn *next, *prev;
	struct sockaddr_storage peer;
	const char *cut_why; /* see door_cut_why */
	uint64_t written;    /* for the owner: bytes sent when the last answer was finished */
};

struct door_opts {
	int listen_fd;
	unsigned int max_connections;
	unsigned int max_per_address; /* 0: no limit */
	unsigned int header_timeout_ms, response_timeout_ms;
	struct metrics *metrics;
	/* Takes fd, whatever it returns; door_enter must follow, from any thread, unless it fails.
	 */
	int (*take)(void *arg, int fd, const struct sockaddr *addr, socklen_t size);
	void *arg;
};

/* Descriptors must stay below max_fds. */
int door_new(const struct door_opts *opts, int max_fds, struct door **ret_door, struct fail *f);
int door_start(struct door *door, struct fail *f);

/* No more connections; those that are being answered have until grace_ms from now. */
void door_close(struct door *door, unsigned int grace_ms);
void door_free(struct door *door); /* after door_close; takes NULL */

/* To be told by whoever takes the connections. The conn is valid until door_leave. */
void door_lost(struct door *door); /* it was closed before it could enter */
struct conn *door_enter(struct door *door, int fd, const struct sockaddr *addr, socklen_t size);
void door_answering(struct door *door, struct conn *conn);
void door_waiting(struct door *door, struct conn *conn);
void door_leave(struct door *door, struct conn *conn); /* before its fd is closed */

/* Why it was cut, NULL if it was not. */
const char *door_cut_why(struct door *door, const struct conn *conn);

int door_is_closing(struct door *door);
uint64_t door_now_us(void); /* CLOCK_MONOTONIC */

#endif

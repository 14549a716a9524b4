// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "door.h"
#include "btfs/fail.h"
#include "metrics.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define MAX_SLEEP_MS  250 /* between looks at the deadlines, so the most that one is overrun by */
#define ACCEPT_BATCH  64  /* connections between two looks at the deadlines */
#define FULL_PAUSE_MS 50  /* without accepting, when out of descriptors or memory */

/* Oldest first: the deadline is the same for all in a list, so only heads are ever looked at. */
struct list {
	struct conn head;
};

struct door {
	struct door_opts opts;
	struct conn *conns; /* by descriptor */
	int max_fds, stop_fd;
	pthread_t thread;
	int is_started;
	pthread_mutex_t lock; /* of all below and of the conns */
	pthread_cond_t all_answered;
	struct list waiting, answered;
	unsigned int n_taken; /* handed on, not entered yet */
	unsigned int n_waiting, n_answered;
	unsigned int n_conns; /* these and the ones that are cut and not closed yet */
	int is_closing;
};

uint64_t door_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static uint64_t now_ms(void)
{
	return door_now_us() / 1000;
}

static void list_init(struct list *list)
{
	list->head.next = list->head.prev = &list->head;
}

static struct conn *list_first(struct list *list)
{
	return list->head.next == &list->head ? NULL : list->head.next;
}

static void list_append(struct list *list, struct conn *conn)
{
	conn->prev = list->head.prev;
	conn->next = &list->head;
	conn->prev->next = conn->next->prev = conn;
}

static void list_remove(struct conn *conn)
{
	if (!conn->next)
		return;
	conn->prev->next = conn->next;
	conn->next->prev = conn->prev;
	conn->next = conn->prev = NULL;
}

static int is_v4_mapped(const struct sockaddr_storage *a)
{
	return a->ss_family == AF_INET6 &&
	       IN6_IS_ADDR_V4MAPPED(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

/* An IPv6 client owns a /64 at least, so that is what counts as its address. */
static int same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)a;
	const struct sockaddr_in6 *b6 = (const struct sockaddr_in6 *)b;

	if (a->ss_family != b->ss_family)
		return 0;
	if (a->ss_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
		       ((const struct sockaddr_in *)b)->sin_addr.s_addr;
	return memcmp(&a6->sin6_addr, &b6->sin6_addr, is_v4_mapped(a) ? 16 : 8) == 0;
}

/* The state changes with the lock held; the descriptor is open until door_leave, which needs it. */
static void set_state(struct door *door, struct conn *conn, enum conn_state state)
{
	if (conn->state == CONN_ANSWERED && --door->n_answered == 0)
		pthread_cond_broadcast(&door->all_answered);
	if (conn->state == CONN_WAITING)
		door->n_waiting--;
	list_remove(conn);
	conn->state = state;
	conn->since_ms = now_ms();
	if (state == CONN_WAITING) {
		list_append(&door->waiting, conn);
		door->n_waiting++;
	}
	if (state == CONN_ANSWERED) {
		list_append(&door->answered, conn);
		door->n_answered++;
	}
}

static void cut(struct door *door, struct conn *conn, enum metrics_event event, const char *why)
{
	conn->cut_why = why;
	shutdown(conn->fd, SHUT_RDWR);
	set_state(door, conn, CONN_CUT);
	metrics_count(door->opts.metrics, event);
}

static int cut_overdue(struct door *door)
{
	uint64_t now = now_ms(), next = now + MAX_SLEEP_MS;
	struct conn *conn;

	pthread_mutex_lock(&door->lock);
	while ((conn = list_first(&door->waiting)) != NULL &&
	       conn->since_ms + door->opts.header_timeout_ms <= now)
		cut(door, conn, METRICS_HEADER_DEADLINE, "cut: header deadline");
	if (conn && conn->since_ms + door->opts.header_timeout_ms < next)
		next = conn->since_ms + door->opts.header_timeout_ms;
	while ((conn = list_first(&door->answered)) != NULL &&
	       conn->since_ms + door->opts.response_timeout_ms <= now)
		cut(door, conn, METRICS_RESPONSE_DEADLINE, "cut: response deadline");
	if (conn && conn->since_ms + door->opts.response_timeout_ms < next)
		next = conn->since_ms + door->opts.response_timeout_ms;
	pthread_mutex_unlock(&door->lock);
	return next - now + 1;
}

static unsigned int count_address(const struct list *list, const struct sockaddr_storage *peer,
				  struct conn **ret_oldest)
{
	struct conn *conn;
	unsigned int n = 0;

	for (conn = list->head.next; conn != &list->head; conn = conn->next) {
		if (!same_address(&conn->peer, peer))
			continue;
		if (n++ == 0 && ret_oldest)
			*ret_oldest = conn;
	}
	return n;
}

/* How many of this peer's address are more than its share, and which of them waits longest. */
static int over_share(const struct door *door, const struct sockaddr_storage *peer,
		      struct conn **ret_oldest)
{
	unsigned int n;

	if (!door->opts.max_per_address)
		return -1;
	n = count_address(&door->waiting, peer, ret_oldest);
	n += count_address(&door->answered, peer, NULL);
	return (int)n - (int)door->opts.max_per_address;
}

/* Whether there is room for this peer, perhaps after one that waits has been told to go. */
static int make_room(struct door *door, const struct sockaddr_storage *peer)
{
	struct conn *oldest = NULL;

	if (over_share(door, peer, &oldest) >= 0)
		goto evict;
	/* Those cut and not yet closed still have descriptors. */
	if (door->n_conns + door->n_taken >= 2 * door->opts.max_connections)
		return 0;
	if (door->n_waiting + door->n_answered + door->n_taken < door->opts.max_connections)
		return 1;
	oldest = list_first(&door->waiting);
evict:
	if (!oldest)
		return 0;
	cut(door, oldest, METRICS_EVICTED, "cut: evicted");
	return 1;
}

static void turn_away(struct door *door, int fd)
{
	static const char answer[] =
		"HTTP/1.1 503 Service Unavailable\r\n"
		"Retry-After: 2\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

	metrics_count(door->opts.metrics, METRICS_REFUSED);
	send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

static void admit(struct door *door, int fd, const struct sockaddr_storage *peer, socklen_t size)
{
	int has_room;

	pthread_mutex_lock(&door->lock);
	has_room = fd < door->max_fds && make_room(door, peer);
	door->n_taken += has_room;
	pthread_mutex_unlock(&door->lock);
	if (!has_room) {
		turn_away(door, fd);
		return;
	}
	metrics_count(door->opts.metrics, METRICS_ACCEPTED);
	if (door->opts.take(door->opts.arg, fd, (const struct sockaddr *)peer, size))
		door_lost(door);
}

/* 0, or -EMFILE and the like: the kernel keeps the others waiting in its queue. */
static int accept_some(struct door *door)
{
	struct sockaddr_storage peer;
	socklen_t size;
	int fd, i;

	for (i = 0; i < ACCEPT_BATCH; i++) {
		size = sizeof(peer);
		memset(&peer, 0, sizeof(peer));
		fd = accept4(door->opts.listen_fd, (struct sockaddr *)&peer, &size,
			     SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0)
			admit(door, fd, &peer, size);
		else if (errno == EAGAIN)
			return 0;
		else if (errno != EINTR && errno != ECONNABORTED)
			return -errno;
	}
	return 0;
}

static void *run(void *arg)
{
	struct door *door = arg;
	struct pollfd polled[2] = {
		{ .fd = door->stop_fd, .events = POLLIN },
		{ .fd = door->opts.listen_fd, .events = POLLIN },
	};
	int timeout_ms, is_full = 0;

	for (;;) {
		timeout_ms = cut_overdue(door);
		if (is_full && timeout_ms > FULL_PAUSE_MS)
			timeout_ms = FULL_PAUSE_MS;
		polled[1].revents = 0;
		poll(polled, is_full ? 1 : 2, timeout_ms);
		if (polled[0].revents)
			return NULL;
		if (is_full || polled[1].revents)
			is_full = accept_some(door) < 0;
	}
}

int door_new(const struct door_opts *opts, int max_fds, struct door **ret_door, struct fail *f)
{
	struct door *door = calloc(1, sizeof(*door));
	pthread_condattr_t attr;

	if (!door)
		return fail(f, -ENOMEM, "no memory");
	door->opts = *opts;
	door->max_fds = max_fds;
	door->conns = calloc(max_fds, sizeof(*door->conns));
	door->stop_fd = eventfd(0, EFD_CLOEXEC);
	pthread_mutex_init(&door->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&door->all_answered, &attr);
	pthread_condattr_destroy(&attr);
	list_init(&door->waiting);
	list_init(&door->answered);
	if (!door->conns || door->stop_fd < 0) {
		door_free(door);
		return fail(f, -ENOMEM, "no memory for %d connections", max_fds);
	}
	*ret_door = door;
	return 0;
}

int door_start(struct door *door, struct fail *f)
{
	int err = pthread_create(&door->thread, NULL, run, door);

	if (err)
		return fail(f, -err, "can't start a thread: %s", strerror(err));
	door->is_started = 1;
	return 0;
}

void door_close(struct door *door, unsigned int grace_ms)
{
	struct timespec until;

	pthread_mutex_lock(&door->lock);
	door->is_closing = 1;
	pthread_mutex_unlock(&door->lock);
	/* Those in the kernel's queue are told at once, not when the process ends. */
	shutdown(door->opts.listen_fd, SHUT_RDWR);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += grace_ms / 1000;
	until.tv_nsec += grace_ms % 1000 * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	if (door->is_started) {
		eventfd_write(door->stop_fd, 1);
		pthread_join(door->thread, NULL);
		door->is_started = 0;
	}
	pthread_mutex_lock(&door->lock);
	while (door->n_answered)
		if (pthread_cond_timedwait(&door->all_answered, &door->lock, &until))
			break;
	pthread_mutex_unlock(&door->lock);
}

void door_free(struct door *door)
{
	if (!door)
		return;
	if (door->stop_fd >= 0)
		close(door->stop_fd);
	pthread_cond_destroy(&door->all_answered);
	pthread_mutex_destroy(&door->lock);
	free(door->conns);
	free(door);
}

void door_lost(struct door *door)
{
	pthread_mutex_lock(&door->lock);
	door->n_taken--;
	pthread_mutex_unlock(&door->lock);
}

struct conn *door_enter(struct door *door, int fd, const struct sockaddr *addr, socklen_t size)
{
	struct conn *conn = &door->conns[fd], *oldest = NULL;

	pthread_mutex_lock(&door->lock);
	memset(conn, 0, sizeof(*conn));
	conn->fd = fd;
	memcpy(&conn->peer, addr, size);
	set_state(door, conn, CONN_WAITING);
	door->n_taken--;
	metrics_set(door->opts.metrics, METRICS_CONNECTIONS, ++door->n_conns);
	/* A burst is accepted before the first of it is counted. */
	if (over_share(door, &conn->peer, &oldest) > 0 && oldest)
		cut(door, oldest, METRICS_EVICTED, "cut: evicted");
	pthread_mutex_unlock(&door->lock);
	return conn;
}

void door_answering(struct door *door, struct conn *conn)
{
	pthread_mutex_lock(&door->lock);
	if (conn->state == CONN_WAITING)
		set_state(door, conn, CONN_ANSWERED);
	pthread_mutex_unlock(&door->lock);
}

void door_waiting(struct door *door, struct conn *conn)
{
	pthread_mutex_lock(&door->lock);
	if (conn->state == CONN_ANSWERED)
		set_state(door, conn, CONN_WAITING);
	pthread_mutex_unlock(&door->lock);
}

void door_leave(struct door *door, struct conn *conn)
{
	pthread_mutex_lock(&door->lock);
	set_state(door, conn, CONN_FREE);
	metrics_set(door->opts.metrics, METRICS_CONNECTIONS, --door->n_conns);
	pthread_mutex_unlock(&door->lock);
}

const char *door_cut_why(struct door *door, const struct conn *conn)
{
	const char *why;

	pthread_mutex_lock(&door->lock);
	why = conn->cut_why;
	pthread_mutex_unlock(&door->lock);
	return why;
}

int door_is_closing(struct door *door)
{
	int is_closing;

	pthread_mutex_lock(&door->lock);
	is_closing = door->is_closing;
	pthread_mutex_unlock(&door->lock);
	return is_closing;
}

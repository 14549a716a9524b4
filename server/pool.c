// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "pool.h"
#include "btfs/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_SLEEP_MS 1000

/* What goes through the pipe, whole: it is smaller than PIPE_BUF. */
struct handed {
	int fd;
	socklen_t size;
	struct sockaddr_in6 addr; /* or sockaddr_in, which is smaller */
};

_Static_assert(sizeof(struct handed) <= PIPE_BUF, "written in one piece");

struct worker {
	const struct pool_opts *opts;
	struct MHD_Daemon *daemon;
	int pipe[2]; /* the end of its input ends the thread */
	pthread_t thread;
	int is_started;
};

struct pool {
	struct pool_opts opts;
	struct worker workers[POOL_MAX_THREADS];
	unsigned int n_workers, next;
};

/* 0: there may be more later; 1: the end. */
static int take_handed(struct worker *worker)
{
	struct handed handed;
	ssize_t n;

	while ((n = read(worker->pipe[0], &handed, sizeof(handed))) == sizeof(handed))
		worker->opts->add(worker->opts->arg, worker->daemon, handed.fd,
				  (const struct sockaddr *)&handed.addr, handed.size);
	return n == 0;
}

static void *run(void *arg)
{
	struct worker *worker = arg;
	const union MHD_DaemonInfo *info;
	struct pollfd polled[2] = { { .fd = worker->pipe[0], .events = POLLIN },
				    { .events = POLLIN } };
	MHD_UNSIGNED_LONG_LONG ms;

	info = MHD_get_daemon_info(worker->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	polled[1].fd = info->epoll_fd;
	for (;;) {
		if (MHD_get_timeout(worker->daemon, &ms) != MHD_YES || ms > MAX_SLEEP_MS)
			ms = MAX_SLEEP_MS;
		poll(polled, 2, ms);
		if (polled[0].revents && take_handed(worker))
			return NULL;
		MHD_run(worker->daemon);
	}
}

static int start_worker(struct worker *worker, const struct pool_opts *opts, struct fail *f)
{
	int err;

	worker->opts = opts;
	if (pipe2(worker->pipe, O_CLOEXEC | O_NONBLOCK)) {
		worker->pipe[0] = worker->pipe[1] = -1;
		return fail(f, -errno, "can't make a pipe: %s", strerror(errno));
	}
	worker->daemon = opts->start(opts->arg);
	if (!worker->daemon)
		return fail(f, -EAGAIN, "libmicrohttpd can't start: %s", strerror(errno));
	err = pthread_create(&worker->thread, NULL, run, worker);
	if (err)
		return fail(f, -err, "can't start a thread: %s", strerror(err));
	worker->is_started = 1;
	return 0;
}

static void stop_worker(struct worker *worker)
{
	if (worker->pipe[1] >= 0)
		close(worker->pipe[1]);
	if (worker->is_started)
		pthread_join(worker->thread, NULL);
	if (worker->daemon)
		MHD_stop_daemon(worker->daemon);
	if (worker->pipe[0] >= 0)
		close(worker->pipe[0]);
}

int pool_new(const struct pool_opts *opts, struct pool **ret_pool, struct fail *f)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	int err;

	if (!pool)
		return fail(f, -ENOMEM, "no memory");
	pool->opts = *opts;
	while (pool->n_workers < opts->threads) {
		err = start_worker(&pool->workers[pool->n_workers++], &pool->opts, f);
		if (err) {
			pool_free(pool);
			return err;
		}
	}
	*ret_pool = pool;
	return 0;
}

int pool_hand(struct pool *pool, int fd, const struct sockaddr *addr, socklen_t size)
{
	struct worker *worker = &pool->workers[pool->next++ % pool->n_workers];
	struct handed handed = { .fd = fd, .size = size };

	if (size > sizeof(handed.addr)) {
		close(fd);
		return -EINVAL;
	}
	memcpy(&handed.addr, addr, size);
	if (write(worker->pipe[1], &handed, sizeof(handed)) == sizeof(handed))
		return 0;
	close(fd);
	return -EAGAIN;
}

void pool_free(struct pool *pool)
{
	unsigned int i;

	if (!pool)
		return;
	for (i = 0; i < pool->n_workers; i++)
		stop_worker(&pool->workers[i]);
	free(pool);
}

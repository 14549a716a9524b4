// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "child.h"

#include "btfs/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void limit(int what, uint64_t value)
{
	struct rlimit r;

	if (getrlimit(what, &r) == 0 && (r.rlim_max == RLIM_INFINITY || value < r.rlim_max)) {
		r.rlim_cur = r.rlim_max = value;
		setrlimit(what, &r);
	}
}

static int live(const struct child *child, pid_t parent, int out)
{
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		return 1;
	/* a group, so that what it starts ends with it */
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_CPU, child->timeout_s);
	limit(RLIMIT_FSIZE, child->max_file_bytes);
	return child->run(child->ctx, out);
}

/* More of what it says. False at the end. */
static int listen_to(int in, struct child_said *said)
{
	char rest[4096];
	size_t room = said->size - said->n;
	ssize_t n;

	n = read(in, room ? said->text + said->n : rest, room ? room : sizeof(rest));
	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (room)
		said->n += n;
	return n > 0;
}

/* Until it has closed its end and is dead. -ETIMEDOUT: it is not. */
static int attend(int in, int pidfd, uint64_t deadline_ms, struct child_said *said)
{
	struct pollfd p[2] = { { .fd = in, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };
	uint64_t now;

	while (p[0].fd >= 0 || p[1].fd >= 0) {
		now = now_ms();
		if (now >= deadline_ms)
			return -ETIMEDOUT;
		if (poll(p, 2, (int)(deadline_ms - now)) < 0 && errno != EINTR)
			return -errno;
		if (p[0].revents && !listen_to(in, said))
			p[0].fd = -1;
		if (p[1].revents) {
			/* its words are all in the pipe by now; another that holds it is not waited
			 * for */
			p[1].fd = -1;
			while (p[0].fd >= 0 && poll(p, 1, 0) > 0 && listen_to(in, said))
				;
			p[0].fd = -1;
		}
	}
	return 0;
}

int child_run(const struct child *child, struct child_said *said, struct fail *f)
{
	uint64_t deadline_ms = now_ms() + (uint64_t)child->timeout_s * 1000;
	pid_t parent = getpid(), pid;
	int ends[2], pidfd, err;

	said->n = 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail(f, -errno, "cannot make a pipe: %m");
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		_exit(live(child, parent, ends[1]));
	}
	err = pid < 0 ? fail(f, -errno, "cannot start a process: %m") : 0;
	close(ends[1]);
	if (!err) {
		pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
		err = attend(ends[0], pidfd, deadline_ms, said);
		if (pidfd >= 0)
			close(pidfd);
		/* its own name too: it may not have made its group yet */
		kill(-pid, SIGKILL);
		if (err)
			kill(pid, SIGKILL);
		while (waitpid(pid, &said->status, 0) < 0 && errno == EINTR)
			;
		if (!err && WIFSIGNALED(said->status) && WTERMSIG(said->status) == SIGXCPU)
			err = -ETIMEDOUT;
		if (err)
			fail(f, err, "took more than %u seconds", child->timeout_s);
	}
	close(ends[0]);
	return err;
}

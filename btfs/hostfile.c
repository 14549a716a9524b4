// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "hostfile.h"

#include "fail.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* fds[0] is the root, fds[depth] where we stand; rest is still to be walked. */
struct walk {
	int fds[HOSTFILE_MAX_DEPTH + 1];
	int depth, n_links;
	char rest[PATH_MAX];
};

static void walk_up(struct walk *w, int depth)
{
	while (w->depth > depth)
		close(w->fds[w->depth--]);
}

/* Cuts the next component off. 1: here it is, 0: there is none. */
static int walk_component(struct walk *w, char name[NAME_MAX + 1])
{
	const char *start = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(start, "/");

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, start, len);
	name[len] = '\0';
	memmove(w->rest, start + len, strlen(start + len) + 1);
	return len > 0;
}

static int walk_link(struct walk *w, const char *target)
{
	char joined[PATH_MAX];
	int len;

	if (++w->n_links > HOSTFILE_MAX_LINKS)
		return -ELOOP;
	len = snprintf(joined, sizeof(joined), "%s/%s", target, w->rest);
	if (len < 0 || (size_t)len >= sizeof(joined))
		return -ENAMETOOLONG;
	memcpy(w->rest, joined, len + 1);
	if (target[0] == '/')
		walk_up(w, 0);
	return 0;
}

static int walk_step(struct walk *w, const char *name)
{
	char target[PATH_MAX];
	ssize_t len;
	int fd;

	if (!strcmp(name, "."))
		return 0;
	if (!strcmp(name, "..")) {
		walk_up(w, w->depth > 0 ? w->depth - 1 : 0);
		return 0;
	}
	len = readlinkat(w->fds[w->depth], name, target, sizeof(target) - 1);
	if (len >= 0) {
		target[len] = '\0';
		return walk_link(w, target);
	}
	if (w->depth == HOSTFILE_MAX_DEPTH)
		return -ENAMETOOLONG;
	fd = openat(w->fds[w->depth], name, OPEN_FLAGS | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	w->fds[++w->depth] = fd;
	return 0;
}

/* By hand, since openat2's RESOLVE_IN_ROOT came with Linux 5.6 and the hosts are older. */
static int open_below(const char *root, const char *path)
{
	char name[NAME_MAX + 1];
	struct walk w = { 0 };
	int fd, err;

	if (snprintf(w.rest, sizeof(w.rest), "%s", path) >= (int)sizeof(w.rest))
		return -ENAMETOOLONG;
	w.fds[0] = open(root, OPEN_FLAGS | O_DIRECTORY);
	if (w.fds[0] < 0)
		return -errno;
	while ((err = walk_component(&w, name)) > 0) {
		err = walk_step(&w, name);
		if (err)
			break;
	}
	fd = err ? err : fcntl(w.fds[w.depth], F_DUPFD_CLOEXEC, 0);
	if (fd < 0 && !err)
		fd = -errno;
	walk_up(&w, 0);
	close(w.fds[0]);
	return fd;
}

/* Until its end, whatever fstat says: /proc and /sys do not always know. */
static int read_all(int fd, size_t max, char **ret_data, size_t *ret_size)
{
	size_t size = 0, room = 0;
	char *data = NULL, *more;
	ssize_t n = 1;
	int err = 0;

	while (!err && n != 0 && size <= max) {
		if (size == room) {
			room = room ? room * 2 : 4096;
			more = realloc(data, room);
			if (!more) {
				err = -ENOMEM;
				break;
			}
			data = more;
		}
		n = read(fd, data + size, room - size);
		if (n < 0 && errno != EINTR)
			err = -errno;
		if (n > 0)
			size += n;
	}
	if (!err && size > max)
		err = -E2BIG;
	if (err) {
		free(data);
		return err;
	}
	*ret_data = data;
	*ret_size = size;
	return 0;
}

int hostfile_read(const char *root, const char *path, size_t max, char **ret_data, size_t *ret_size,
		  struct fail *f)
{
	const char *above = root && strcmp(root, "/") ? root : "", *slash = *above ? "/" : "";
	struct stat st;
	int fd, err = 0;

	if (root) {
		fd = open_below(root, path);
	} else {
		fd = open(path, OPEN_FLAGS);
		fd = fd < 0 ? -errno : fd;
	}
	if (fd < 0) {
		errno = -fd;
		return fail(f, fd, "cannot open %s%s%s: %m", above, slash, path);
	}
	if (fstat(fd, &st) < 0)
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = fail(f, -EBADMSG, "%s%s%s is not a regular file", above, slash, path);
	else
		err = read_all(fd, max, ret_data, ret_size);
	if (err == -E2BIG)
		fail(f, err, "%s%s%s has more than %zu bytes", above, slash, path, max);
	else if (err && err != -EBADMSG) {
		errno = -err;
		fail(f, err, "cannot read %s%s%s: %m", above, slash, path);
	}
	close(fd);
	return err;
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "file.h"
#include "btfs/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_FIRST_BYTES 65536

static int grow(char **data, size_t *room, size_t max_bytes)
{
	size_t more = *room * 2 > max_bytes + 1 ? max_bytes + 1 : *room * 2;
	char *p = realloc(*data, more);

	if (!p)
		return -ENOMEM;
	*data = p;
	*room = more;
	return 0;
}

/* st_size is not believed: files of sysfs tell one page or nothing, and files grow. */
int file_read_fd(int fd, size_t max_bytes, void **ret_data, size_t *ret_size, struct fail *f)
{
	size_t room = FILE_FIRST_BYTES, size = 0;
	struct stat st;
	char *data;
	ssize_t n = 1;
	int err = 0;

	if (fstat(fd, &st))
		return fail(f, -errno, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fail(f, -EINVAL, "is not a regular file");
	if (st.st_size > 0 && (size_t)st.st_size < max_bytes)
		room = (size_t)st.st_size + 1;
	data = malloc(room);
	while (data && !err && n) {
		n = read(fd, data + size, room - size);
		if (n < 0 && errno != EINTR)
			err = -errno;
		if (n > 0)
			size += n;
		if (size > max_bytes)
			err = -E2BIG;
		else if (size == room)
			err = grow(&data, &room, max_bytes);
	}
	if (data && !err) {
		*ret_data = data;
		*ret_size = size;
		return 0;
	}
	free(data);
	if (err == -E2BIG)
		return fail(f, err, "has more than %zu bytes", max_bytes);
	err = err ? err : -ENOMEM;
	return fail(f, err, "%s", strerror(-err));
}

int file_read(const char *path, size_t max_bytes, void **ret_data, size_t *ret_size, struct fail *f)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int err;

	if (fd < 0) {
		err = errno == ENOTDIR ? -ENOENT : -errno;
		return fail(f, err, "%s", err == -ENOENT ? "no such file" : strerror(errno));
	}
	err = file_read_fd(fd, max_bytes, ret_data, ret_size, f);
	close(fd);
	return err;
}

int file_write_fd(int fd, const void *data, size_t size, struct fail *f)
{
	const char *p = data;

	while (size) {
		ssize_t n = write(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(f, -errno, "%s", strerror(errno));
		p += n;
		size -= n;
	}
	return 0;
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "handover.h"
#include "file.h"
#include "btfs/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HANDOVER_PATH_SIZE 64

struct handover {
	int fd;
	char path[HANDOVER_PATH_SIZE];
	char folder[HANDOVER_PATH_SIZE]; /* "" for a memfd */
};

/* By number: the C libraries of old hosts have no wrapper. */
static int make_memfd(const void *data, size_t size, struct handover *h, struct fail *f)
{
	static const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
	int fd = syscall(SYS_memfd_create, "btfdepot", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int err;

	if (fd < 0)
		return fail(f, -errno, "memfd_create: %s", strerror(errno));
	err = file_write_fd(fd, data, size, f);
	if (!err && fcntl(fd, F_ADD_SEALS, seals))
		err = fail(f, -errno, "cannot seal: %s", strerror(errno));
	snprintf(h->path, sizeof(h->path), "/proc/self/fd/%d", fd);
	if (!err && access(h->path, R_OK))
		err = fail(f, -errno, "/proc is not mounted");
	if (!err && lseek(fd, 0, SEEK_SET))
		err = fail(f, -errno, "%s", strerror(errno));
	if (err) {
		close(fd);
		return err;
	}
	h->fd = fd;
	return 0;
}

static int write_file(const char *path, const void *data, size_t size, int *ret_fd, struct fail *f)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
	int err;

	if (fd < 0)
		return fail(f, -errno, "%s: %s", path, strerror(errno));
	err = file_write_fd(fd, data, size, f);
	if (close(fd) && !err)
		err = fail(f, -errno, "%s: %s", path, strerror(errno));
	if (err)
		return err;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail(f, -errno, "%s: %s", path, strerror(errno));
	*ret_fd = fd;
	return 0;
}

/* mkdtemp gives a random name and mode 0700: others can neither look into it nor replace it. */
static int make_file(const char *below, const void *data, size_t size, struct handover *h,
		     struct fail *f)
{
	int err;

	snprintf(h->folder, sizeof(h->folder), "%s/btfdepot-XXXXXX", below);
	if (!mkdtemp(h->folder)) {
		err = fail(f, -errno, "%s: %s", below, strerror(errno));
		h->folder[0] = '\0';
		return err;
	}
	snprintf(h->path, sizeof(h->path), "%.50s/btf", h->folder);
	err = write_file(h->path, data, size, &h->fd, f);
	if (err) {
		unlink(h->path);
		rmdir(h->folder);
		h->folder[0] = '\0';
	}
	return err;
}

int handover_make(const void *data, size_t size, enum handover_form form,
		  struct handover **ret_handover, struct fail *f)
{
	static const char *const folders[] = { "/run", "/dev/shm", "/tmp" };
	struct handover *h = calloc(1, sizeof(*h));
	int err = -ENOSYS;
	size_t i;

	if (!h)
		return fail(f, -ENOMEM, "no memory");
	h->fd = -1;
	if (form == HANDOVER_ANY)
		err = make_memfd(data, size, h, f);
	for (i = 0; err && i < sizeof(folders) / sizeof(*folders); i++)
		err = make_file(folders[i], data, size, h, f);
	if (err) {
		free(h);
		return fail_in(f, err, "cannot hand the BTF over to libbpf");
	}
	*ret_handover = h;
	return 0;
}

void handover_free(struct handover *handover)
{
	if (!handover)
		return;
	close(handover->fd);
	if (handover->folder[0]) {
		unlink(handover->path);
		rmdir(handover->folder);
	}
	free(handover);
}

const char *handover_path(const struct handover *handover)
{
	return handover->path;
}

int handover_fd(const struct handover *handover)
{
	return handover->fd;
}

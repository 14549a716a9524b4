// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "publish.h"

#include "fail.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_NAME_TRIES 100 /* temporary names that may be taken before we give up */

/* Where a file is to appear: its folder, and its name in there. */
struct place {
	int folder;
	const char *path, *name;
	char tmp[64];
};

static int sync_folder(int fd, const char *path, struct fail *f)
{
	/* Some file systems (FUSE, CIFS) have nothing to sync for a folder and say so by EINVAL. */
	if (fsync(fd) < 0 && errno != EINVAL)
		return fail(f, -errno, "cannot sync the folder of %s: %m", path);
	return 0;
}

static int open_folder(const char *path, size_t len, int *ret_fd)
{
	char folder[PATH_MAX];
	int fd;

	if (len >= sizeof(folder))
		return -ENAMETOOLONG;
	memcpy(folder, path, len);
	folder[len] = '\0';
	fd = open(len ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

/* root could: "--out /dev/null" would take the device from the whole machine, and so would what
 * replaces the link /dev/stdout. */
static bool is_device(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
		return true;
	return !strncmp(path, "/dev/", 5) && lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

static int place_open(struct place *place, const char *path, struct fail *f)
{
	const char *slash = strrchr(path, '/');
	int err;

	if (is_device(path))
		return fail(f, -EINVAL, "%s is a device, and no place for a file", path);

	place->path = path;
	place->name = slash ? slash + 1 : path;
	if (!*place->name)
		return fail(f, -EINVAL, "\"%s\" is no name of a file", path);
	err = open_folder(path, place->name - path, &place->folder);
	if (err) {
		errno = -err;
		return fail(f, err, "cannot open the folder of %s: %m", path);
	}
	return 0;
}

static void place_name_tmp(struct place *place)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(place->tmp, sizeof(place->tmp), PUBLISH_TMP_PREFIX "%d-%llx", (int)getpid(),
		 now.tv_sec * 1000000000ull + now.tv_nsec);
}

static int place_rename(struct place *place, struct fail *f)
{
	if (renameat(place->folder, place->tmp, place->folder, place->name) < 0)
		return fail(f, -errno, "cannot rename to %s: %m", place->path);
	return 0;
}

static int create_tmp(struct place *place, int *ret_fd)
{
	int fd, i;

	for (i = 0; i < MAX_NAME_TRIES; i++) {
		place_name_tmp(place);
		fd = openat(place->folder, place->tmp,
			    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd >= 0) {
			*ret_fd = fd;
			return 0;
		}
		if (errno != EEXIST)
			break;
	}
	return -errno;
}

static int link_tmp(struct place *place, const char *existing)
{
	int i;

	for (i = 0; i < MAX_NAME_TRIES; i++) {
		place_name_tmp(place);
		if (linkat(AT_FDCWD, existing, place->folder, place->tmp, 0) == 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	return -errno;
}

static int write_all(int fd, const void *data, size_t size)
{
	const char *p = data;
	ssize_t n;

	while (size > 0) {
		n = write(fd, p, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		p += n;
		size -= n;
	}
	return 0;
}

enum sync { SYNC_NOW, SYNC_LATER };

/*
 * Closes fd in any case. fsync is asked once: after a failure the kernel may have dropped the
 * dirty pages, and a second call would then succeed without them.
 */
static int fill(int fd, const char *path, const struct publish_content *content, enum sync sync,
		struct fail *f)
{
	int err;

	err = write_all(fd, content->data, content->size);
	if (err) {
		errno = -err;
		err = fail(f, err, "cannot write %zu bytes to %s: %m", content->size, path);
	} else if (fchmod(fd, content->mode) < 0) {
		err = fail(f, -errno, "cannot set the mode of %s: %m", path);
	} else if (sync == SYNC_NOW && fsync(fd) < 0) {
		err = fail(f, -errno, "cannot sync %s: %m", path);
	}
	if (close(fd) < 0 && !err)
		err = fail(f, -errno, "cannot close %s: %m", path);
	return err;
}

/* The content under place's temporary name, which is gone again after an error. */
static int write_tmp(struct place *place, const struct publish_content *content, enum sync sync,
		     struct fail *f)
{
	int err, fd = -1;

	err = create_tmp(place, &fd);
	if (err) {
		errno = -err;
		return fail(f, err, "cannot make a file beside %s: %m", place->path);
	}
	err = fill(fd, place->path, content, sync, f);
	if (err)
		unlinkat(place->folder, place->tmp, 0);
	return err;
}

static int make_folder(const char *path, mode_t mode, struct fail *f)
{
	const char *slash = strrchr(path, '/');
	int err, mkdir_errno, fd = -1;
	struct stat st;

	if (mkdir(path, mode) < 0) {
		mkdir_errno = errno;
		if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
			return 0;
		errno = mkdir_errno == EEXIST ? ENOTDIR : mkdir_errno;
		return fail(f, -errno, "cannot make the folder %s: %m", path);
	}
	err = open_folder(path, slash ? slash - path + 1 : 0, &fd);
	if (err) {
		errno = -err;
		return fail(f, err, "cannot open the folder of %s: %m", path);
	}
	err = sync_folder(fd, path, f);
	close(fd);
	return err;
}

int publish_parents(const char *path, mode_t mode, struct fail *f)
{
	char *copy, *slash;
	int err = 0;

	copy = strdup(path);
	if (!copy)
		return fail(f, -ENOMEM, "no memory for a path");
	for (slash = strchr(copy + (*copy == '/'), '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		err = make_folder(copy, mode, f);
		*slash = '/';
		if (err)
			break;
	}
	free(copy);
	return err;
}

int publish_file(const char *path, const void *data, size_t size, mode_t mode, struct fail *f)
{
	const struct publish_content content = { data, size, mode };
	struct place place = { .folder = -1 };
	int err;

	err = place_open(&place, path, f);
	if (err)
		return err;
	err = write_tmp(&place, &content, SYNC_NOW, f);
	if (!err) {
		err = place_rename(&place, f);
		if (err)
			unlinkat(place.folder, place.tmp, 0);
		else
			err = sync_folder(place.folder, path, f);
	}
	close(place.folder);
	return err;
}

int publish_link(const char *existing, const char *path, struct fail *f)
{
	struct place place = { .folder = -1 };
	int err;

	err = place_open(&place, path, f);
	if (err)
		return err;
	err = link_tmp(&place, existing);
	if (err) {
		errno = -err;
		err = fail(f, err, "cannot link %s to %s: %m", path, existing);
		goto out;
	}
	err = place_rename(&place, f);
	/* rename(2) does nothing and succeeds where both names are the same file already. */
	unlinkat(place.folder, place.tmp, 0);
	if (!err)
		err = sync_folder(place.folder, path, f);
out:
	close(place.folder);
	return err;
}

int publish_prepare(const char *path, const struct publish_content *content, char **ret_tmp,
		    struct fail *f)
{
	struct place place = { .folder = -1 };
	char *tmp = NULL;
	int err;

	err = place_open(&place, path, f);
	if (err)
		return err;
	err = write_tmp(&place, content, SYNC_LATER, f);
	if (!err && asprintf(&tmp, "%.*s%s", (int)(place.name - path), path, place.tmp) < 0) {
		err = fail(f, -ENOMEM, "no memory for a path");
		unlinkat(place.folder, place.tmp, 0);
	}
	if (!err)
		*ret_tmp = tmp;
	close(place.folder);
	return err;
}

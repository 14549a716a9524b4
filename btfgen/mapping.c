// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "mapping.h"

#include "btfs/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int mapping_map(struct mapping *mapping, struct fail *f)
{
	struct stat st;
	void *data;

	if (fstat(mapping->fd, &st) < 0)
		return fail(f, -errno, "cannot look at it: %m");
	if (!S_ISREG(st.st_mode))
		return fail(f, -EBADMSG, "not a regular file");
	if (st.st_size == 0)
		return fail(f, -EBADMSG, "it is empty");
	if ((uint64_t)st.st_size > MAPPING_MAX || (uint64_t)st.st_size > SIZE_MAX)
		return fail(f, -E2BIG, "it has %lld bytes, the limit is %llu",
			    (long long)st.st_size, MAPPING_MAX);
	data = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, mapping->fd, 0);
	if (data == MAP_FAILED)
		return fail(f, -errno, "cannot map it: %m");
	mapping->data = data;
	mapping->size = st.st_size;
	return 0;
}

int mapping_open(const char *path, struct mapping *ret_mapping, struct fail *f)
{
	struct mapping m = MAPPING_NONE;
	int err;

	m.fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (m.fd < 0 && errno == ENXIO)
		return fail(f, -EBADMSG, "not a regular file");
	if (m.fd < 0)
		return fail(f, -errno, "cannot open it: %m");
	err = mapping_map(&m, f);
	if (err) {
		close(m.fd);
		return err;
	}
	*ret_mapping = m;
	return 0;
}

int mapping_scratch(struct mapping *ret_mapping, struct fail *f)
{
	const char *folder = getenv("TMPDIR");
	char path[4096];
	int fd;

	if (!folder || !*folder)
		folder = "/var/tmp";
	fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		snprintf(path, sizeof(path), "%s/btfgen-XXXXXX", folder);
		fd = mkostemp(path, O_CLOEXEC);
		if (fd >= 0)
			unlink(path);
	}
	if (fd < 0)
		return fail(f, -errno, "cannot make a temporary file in %s: %m", folder);
	*ret_mapping = MAPPING_NONE;
	ret_mapping->fd = fd;
	return 0;
}

int mapping_write(const struct mapping *mapping, const void *data, size_t size, struct fail *f)
{
	const uint8_t *p = data;
	ssize_t n;

	while (size > 0) {
		n = write(mapping->fd, p, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(f, -errno,
				    "cannot write a temporary file (TMPDIR says where): %m");
		p += n;
		size -= n;
	}
	return 0;
}

void mapping_close(struct mapping *mapping)
{
	if (!mapping)
		return;
	if (mapping->data)
		munmap((void *)mapping->data, mapping->size);
	if (mapping->fd >= 0)
		close(mapping->fd);
	*mapping = MAPPING_NONE;
}

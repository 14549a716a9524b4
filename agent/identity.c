// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "identity.h"
#include "btfs/fail.h"
#include "btfs/kernel.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#define IDENTITY_MAX_CONFIG (4u << 20) /* bytes, unpacked; today's have 300 KB */

bool identity_is_foreign(const struct btfdepot_opts *opts)
{
	return opts->release || opts->machine;
}

int identity_read(const struct btfdepot_opts *opts, struct kernel *ret_kernel, char *note,
		  size_t note_size, struct fail *f)
{
	bool foreign = identity_is_foreign(opts);
	struct kernel_sources sources = {
		.host_root = opts->host_root,
		.notes_path = opts->notes_path,
		.release = opts->release,
		.version = opts->version,
		.machine = opts->machine,
	};
	struct kernel kernel;
	int err;

	if (foreign && !opts->notes_path)
		sources.notes_path = "/dev/null";
	err = kernel_live(&sources, &kernel, note, note_size, f);
	if (err)
		return err;
	if (foreign && !opts->version)
		kernel.version[0] = '\0';
	if (foreign && !opts->notes_path && note_size)
		note[0] = '\0';
	*ret_kernel = kernel;
	return 0;
}

/* -1: not readable. zlib reads plain files too, so that both forms go one way. */
static int config_says_btf(const char *path)
{
	static const char wanted[] = "CONFIG_DEBUG_INFO_BTF=y\n";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t total = 0;
	struct stat st;
	char line[512];
	gzFile file;
	int found = 0;

	if (fd < 0)
		return -1;
	file = fstat(fd, &st) || !S_ISREG(st.st_mode) ? NULL : gzdopen(fd, "rb");
	if (!file) {
		close(fd);
		return -1;
	}
	while (!found && total < IDENTITY_MAX_CONFIG && gzgets(file, line, sizeof(line))) {
		total += strlen(line);
		found = !strcmp(line, wanted);
	}
	gzclose(file);
	return found;
}

enum identity_btf identity_config(const char *host_root, const struct kernel *kernel, char *where,
				  size_t size)
{
	const char *root = strcmp(host_root, "/") ? host_root : "";
	char paths[2][PATH_MAX];
	size_t i;

	snprintf(paths[0], sizeof(paths[0]), "%s/proc/config.gz", root);
	snprintf(paths[1], sizeof(paths[1]), "%s/boot/config-%s", root, kernel->release);
	if (size)
		where[0] = '\0';
	for (i = 0; i < 2; i++) {
		int says = config_says_btf(paths[i]);

		if (says < 0)
			continue;
		snprintf(where, size, "%s", paths[i]);
		return says ? IDENTITY_BTF_INVISIBLE : IDENTITY_BTF_ABSENT;
	}
	return IDENTITY_BTF_ABSENT;
}

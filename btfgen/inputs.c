// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "inputs.h"

#include "btfs/digest.h"
#include "btfs/fail.h"
#include "btfs/hostfile.h"
#include "btfs/need.h"
#include "btfs/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int set_arch(struct inputs *in, const char *path, struct fail *f)
{
	const char *arch = need_arch_of(path);

	if (!arch)
		return 0;
	if (in->arch && strcmp(in->arch, arch))
		return fail(f, -EINVAL,
			    "%s is for %s, another object for %s; make one need for each", path,
			    arch, in->arch);
	in->arch = arch;
	return 0;
}

static int read_one(struct inputs *in, const char *path, struct fail *f)
{
	struct input *file = &in->files[in->n];
	int err;

	err = hostfile_read(NULL, path, NEED_MAX_OBJECT, &file->data, &file->size, f);
	if (err)
		return err;
	in->n++;
	file->path = path;
	err = need_add_object(in->need, file->data, file->size, path, f);
	if (err < 0)
		return err;
	file->n_records = err;
	return set_arch(in, path, f);
}

int inputs_read(char *const *paths, size_t n, struct inputs *ret_inputs, struct fail *f)
{
	struct inputs in = { 0 };
	int err = 0;

	in.need = need_new();
	in.files = calloc(n + 1, sizeof(*in.files));
	if (!in.need || !in.files)
		err = fail(f, -ENOMEM, "no memory");
	for (size_t i = 0; !err && i < n; i++)
		err = read_one(&in, paths[i], f);
	if (!err)
		err = need_finish(in.need, f);
	if (err)
		inputs_free(&in);
	else
		*ret_inputs = in;
	return err;
}

void inputs_free(struct inputs *inputs)
{
	for (size_t i = 0; i < inputs->n; i++)
		free(inputs->files[i].data);
	free(inputs->files);
	need_free(inputs->need);
	*inputs = (struct inputs){ 0 };
}

void inputs_json(const struct inputs *inputs, struct text *t)
{
	char digest[DIGEST_HEX_SIZE];

	text_add(t, "{\"format\": 1, \"need\": \"%s\", \"relocations\": %zu, \"objects\": [",
		 need_id(inputs->need), need_count(inputs->need));
	for (size_t i = 0; i < inputs->n; i++) {
		const struct input *file = &inputs->files[i];
		const char *slash = strrchr(file->path, '/');

		digest_hex(file->data, file->size, digest);
		text_add(t, "%s{\"name\": ", i ? ", " : "");
		text_json(t, slash ? slash + 1 : file->path);
		text_add(t, ", \"sha256\": \"%s\", \"records\": %d}", digest, file->n_records);
	}
	text_add(t, "], \"tool\": \"btfgen " VERSION "\"}\n");
}

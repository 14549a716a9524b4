// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "extract.h"

#include "btfs/decoder.h"
#include "btfs/fail.h"
#include "btfs/tar.h"

#include <errno.h>
#include <string.h>

/* BTF, or a tar, maybe packed: a look at the first bytes that come out. */
static bool is_archive(const struct mapping *m)
{
	uint8_t block[TAR_BLOCK];
	struct decoder *decoder = NULL;
	size_t n = 0;
	int err;

	/* a decoder that is done at once wants no more output than was asked for */
	err = decoder_new(m->data, m->size, ARCHIVE_MAX_FILE, &decoder, NULL);
	if (!err)
		err = decoder_read(decoder, block, sizeof(block), &n, NULL);
	decoder_free(decoder);
	if (err || n < 4)
		return false;
	return !memcmp(block, "\x9f\xeb", 2) || !memcmp(block, "\xeb\x9f", 2) ||
	       (n == TAR_BLOCK && tar_is_header(block));
}

static int from_archive(const struct mapping *m, struct extract *x, struct fail *f)
{
	int err;

	err = archive_read_memory(m->data, m->size, "BTF in it", &x->archive, f);
	if (err)
		return err;
	x->btf = x->archive.btf.data;
	x->btf_size = x->archive.btf.size;
	x->from = "btf";
	return 0;
}

static int from_kernel(const struct mapping *m, struct extract *x, struct fail *f)
{
	int err;

	err = kernelimage_open(m, &x->image, f);
	if (err)
		return err;
	x->kernel = x->image.kernel;
	if (x->image.btf) {
		if (!x->image.btf_size)
			return fail(f, -EBADMSG, "its BTF is empty");
		x->btf = x->image.btf;
		x->btf_size = x->image.btf_size;
		x->from = "kernel";
		return 0;
	}
	if (x->image.dwarf_fd < 0)
		return fail(f, -ENODATA,
			    "a kernel with neither BTF nor DWARF; give its debug package");
	err = pahole_version(x->pahole, f);
	if (!err)
		err = pahole_encode(x->image.dwarf_fd, &x->encoded, f);
	if (err)
		return err;
	x->btf = x->encoded.data;
	x->btf_size = x->encoded.size;
	x->from = "dwarf";
	return 0;
}

int extract_open(const struct mapping *file, struct extract *ret_extract, struct fail *f)
{
	const struct mapping *m = file;
	int err = 0;

	*ret_extract = EXTRACT_NONE;
	if (package_is(file->data, file->size)) {
		err = package_read(file, &ret_extract->package, &ret_extract->unpacked, f);
		m = &ret_extract->unpacked;
	}
	if (!err)
		err = m == file && is_archive(m) ? from_archive(m, ret_extract, f)
						 : from_kernel(m, ret_extract, f);
	if (err)
		extract_close(ret_extract);
	return err;
}

void extract_close(struct extract *extract)
{
	if (!extract)
		return;
	archive_free(&extract->archive);
	kernelimage_close(&extract->image);
	mapping_close(&extract->encoded);
	mapping_close(&extract->unpacked);
	*extract = EXTRACT_NONE;
}

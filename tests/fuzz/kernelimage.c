// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The door for kernels in every form; what comes out lies inside of what went in. */
#include "btfgen/kernelimage.h"
#include "btfs/fail.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool inside(const struct mapping *m, const uint8_t *p, size_t n)
{
	return p >= m->data && n <= m->size && p <= m->data + (m->size - n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mapping file = { .fd = -1, .data = data, .size = size };
	struct kernelimage image;
	struct fail f = { .text = "" };
	bool found;

	if (kernelimage_open(&file, &image, &f)) {
		if (!f.text[0])
			abort();
		return 0;
	}
	found = !image.btf || inside(&file, image.btf, image.btf_size);
	for (size_t i = 0; i < image.n_layers; i++)
		found |= inside(&image.layers[i], image.btf, image.btf_size);
	if (!found || (*image.kernel.release && !kernel_name_ok(image.kernel.release)) ||
	    !memchr(image.kernel.version, 0, KERNEL_FIELD_SIZE))
		abort();
	kernelimage_close(&image);
	return 0;
}

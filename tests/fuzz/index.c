// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The door for index.tsv: what is taken is written the same again. */
#include "btfs/index.h"
#include "btfs/fail.h"
#include "btfs/kernel.h"
#include "btfs/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct index index = { 0 };
	struct text again = { 0 };
	struct fail f = { 0 };
	size_t header = strlen(INDEX_HEADER) + 1;
	int err;

	err = index_parse((const char *)data, size, &index, &f);
	if ((err != 0) != (f.text[0] != '\0'))
		abort();
	if (err)
		return 0;
	text_add(&again, INDEX_HEADER "\n");
	for (size_t i = 0; i < index.n; i++) {
		struct kernel k;

		index_kernel(&index.rows[i], &k);
		index_put(&again, &k, index.rows[i].sha256, index.rows[i].size);
	}
	/* with columns that are newer the text was longer */
	if (size >= header && data[header - 1] == '\n' &&
	    (again.size != size || memcmp(again.p, data, size) != 0))
		abort();
	text_free(&again);
	index_free(&index);
	return 0;
}

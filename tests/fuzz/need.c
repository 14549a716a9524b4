// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The door for the text of a need. What is taken comes out as it went in. */
#include "btfs/need.h"
#include "btfs/fail.h"
#include "btfs/reloc.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct need *need, const char *text, size_t size)
{
	struct text out = { 0 };
	const char *own;
	size_t own_size;

	own = need_text(need, &own_size);
	if (own_size != size || memcmp(own, text, size) || strlen(need_id(need)) != 64)
		abort();
	text_add(&out, "btfdepot-need 1\n");
	for (size_t i = 0; i < need_count(need); i++)
		reloc_format(need_reloc(need, i), &out);
	if (out.size != size || memcmp(out.p, text, size))
		abort();
	text_free(&out);
}

static void parse(const char *text, size_t size)
{
	struct need *need = NULL;
	struct fail f = { .text = "" };

	if (need_parse(text, size, &need, &f)) {
		if (!f.text[0] || need)
			abort();
		return;
	}
	check(need, text, size);
	need_free(need);
}

/* Once as it is, and behind the header, which would only cost the fuzzer time. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char header[] = "btfdepot-need 1\n";
	size_t skip = strlen(header);
	char *text;

	parse((const char *)data, size);
	text = malloc(skip + size);
	if (!text)
		return 0;
	memcpy(text, header, skip);
	if (size)
		memcpy(text + skip, data, size);
	parse(text, skip + size);
	free(text);
	return 0;
}

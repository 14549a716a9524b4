// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The door for BPF objects. A need that was made of one has a text that is taken again. */
#include "btfs/elf.h"
#include "btfs/fail.h"
#include "btfs/need.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_again(const struct need *need)
{
	struct need *again = NULL;
	const char *text;
	size_t size;

	text = need_text(need, &size);
	if (need_parse(text, size, &again, NULL) || strcmp(need_id(need), need_id(again)) != 0)
		abort();
	need_free(again);
}

/* Every section that has a name we ask for. */
static void read_sections(const uint8_t *data, size_t size)
{
	static const char *const names[] = { ".BTF", ".BTF.ext", ".notes", "" };
	unsigned char sum = 0;
	struct elf elf;

	if (elf_open(data, size, &elf, NULL))
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const void *section;
		size_t n;

		if (elf_section(&elf, names[i], &section, &n, NULL))
			continue;
		for (size_t j = 0; j < n; j++)
			sum ^= ((const uint8_t *)section)[j];
	}
	if (sum == 1 && size == 0)
		abort(); /* never: keeps the reads */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct need *need = need_new();
	struct fail f = { .text = "" };
	int n;

	if (!need)
		return 0;
	read_sections(data, size);
	n = need_add_object(need, data, size, "input", &f);
	if (n < 0 && !f.text[0])
		abort();
	f.text[0] = '\0';
	if (need_finish(need, &f) == 0)
		read_again(need);
	else if (n >= 0 && !strstr(f.text, "limit"))
		abort();
	need_free(need);
	return 0;
}

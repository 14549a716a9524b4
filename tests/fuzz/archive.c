// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The door for whatever a BTF comes in. Each input is read twice: as it is, and with the checksums
 * of its tar headers made right, which no fuzzer would guess.
 */
#include "btfs/archive.h"
#include "btfs/fail.h"
#include "btfs/tar.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_part(const struct archive_part *part)
{
	if (!part->name || !part->data || part->size < 24 || part->size > ARCHIVE_MAX_BTF ||
	    strlen(part->name) >= TAR_MAX_NAME || part->name[0] == '/')
		abort();
}

static void read_once(const uint8_t *data, size_t size)
{
	struct archive archive = { 0 };
	struct fail f = { 0 };

	if (archive_read_memory(data, size, "input", &archive, &f)) {
		if (!f.text[0] || archive.btf.data)
			abort();
		return;
	}
	check_part(&archive.btf);
	for (size_t i = 0; i < archive.n_modules; i++)
		check_part(&archive.modules[i]);
	archive_free(&archive);
}

static void repair(uint8_t *block)
{
	unsigned int sum = 0;
	char digits[8];

	memset(block + 148, ' ', 8);
	for (int i = 0; i < TAR_BLOCK; i++)
		sum += block[i];
	snprintf(digits, sizeof(digits), "%06o", sum);
	memcpy(block + 148, digits, 7);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	read_once(data, size);
	if (size < TAR_BLOCK || memcmp(data + 257, "ustar", 5))
		return 0;
	copy = malloc(size);
	if (!copy)
		return 0;
	memcpy(copy, data, size);
	for (size_t at = 0; at + TAR_BLOCK <= size; at += TAR_BLOCK)
		if (!memcmp(copy + at + 257, "ustar", 5))
			repair(copy + at);
	read_once(copy, size);
	free(copy);
	return 0;
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The door for bundles: whatever one holds, it is searched within its bounds. */
#include "btfs/bundle.h"
#include "btfs/fail.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct bundle *b, const void *found, size_t size)
{
	const uint8_t *p = found;

	if (p < b->data || size > b->size || p > b->data + b->size - size)
		abort();
}

/* Asks for what the bundle itself lists, so that the search comes to its end. */
static void ask(const struct bundle *b, uint32_t i)
{
	struct bundle_found found = { 0 };
	struct bundle_entry e;
	struct kernel k = { 0 };
	char need[DIGEST_HEX_SIZE];

	if (bundle_entry(b, i, &e, NULL))
		return;
	bundle_need(b, e.need, need);
	snprintf(k.arch, sizeof(k.arch), "%s", e.arch);
	snprintf(k.release, sizeof(k.release), "%s", e.release);
	if (!bundle_find(b, need, &k, &found, NULL))
		check(b, found.data, found.size);
	snprintf(k.build_id, sizeof(k.build_id), "%s", e.build_id);
	if (!bundle_find(b, need, &k, &found, NULL))
		check(b, found.data, found.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fail f = { 0 };
	struct bundle b;
	int err;

	err = bundle_open(data, size, &b, &f);
	if ((err != 0) != (f.text[0] != '\0'))
		abort();
	if (err)
		return 0;
	bundle_check(&b, &f);
	for (uint32_t i = 0; i < b.n_entries && i < 16; i++)
		ask(&b, i);
	return 0;
}

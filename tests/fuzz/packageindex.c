// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The doors for what tells about packages: an rpm's header, apt's and yum's indexes, and what
 * stands beside an archive. The first byte says which. */
#include "btfgen/aptindex.h"
#include "btfgen/package.h"
#include "btfgen/repo.h"
#include "btfgen/rpmheader.h"
#include "btfgen/sidecar.h"
#include "btfgen/yumindex.h"
#include "btfs/fail.h"
#include "btfs/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool good)
{
	if (!good)
		abort();
}

static void check_packages(struct repo_packages *packages)
{
	for (size_t i = 0; i < packages->n; i++) {
		const struct repo_package *p = &packages->list[i];

		need(p->path && kernel_name_ok(p->release) && digest_is_hex(p->sha256));
		need(p->size >= REPO_MIN_BYTES && memchr(p->version, 0, sizeof(p->version)));
	}
	repo_packages_free(packages);
}

static void read_rpm(const uint8_t *data, size_t size, struct fail *f)
{
	struct package package;
	size_t payload;

	if (!rpmheader_is(data, size) || rpmheader_read(data, size, &package, &payload, f))
		return;
	need(payload <= size && memchr(package.name, 0, sizeof(package.name)) &&
	     memchr(package.distro_version, 0, sizeof(package.distro_version)));
}

/* What was read is written and read to the same. */
static void read_sidecar(const uint8_t *data, size_t size, struct fail *f)
{
	struct sidecar first, second;
	struct text t = { 0 }, again = { 0 };

	if (sidecar_parse((const char *)data, size, &first, f))
		return;
	sidecar_text(&first, &t);
	need(!sidecar_parse(t.p, t.size, &second, NULL));
	sidecar_text(&second, &again);
	need(t.size == again.size && !memcmp(t.p, again.p, t.size));
	text_free(&t);
	text_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct repo_packages packages = { .list = NULL };
	struct fail f = { .text = "" };

	if (size == 0)
		return 0;
	switch (data[0]) {
	case 'a':
		aptindex_parse((const char *)data + 1, size - 1, &packages, &f);
		break;
	case 'y':
		yumindex_parse((const char *)data + 1, size - 1, "x86_64", &packages, &f);
		break;
	case 's':
		read_sidecar(data + 1, size - 1, &f);
		break;
	default:
		read_rpm(data + 1, size - 1, &f);
		break;
	}
	check_packages(&packages);
	return 0;
}

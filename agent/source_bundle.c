// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "source.h"
#include "accept.h"
#include "depot.h"
#include "file.h"
#include "btfs/bundle.h"
#include "btfs/fetch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A file is read whole, not mapped: one that is cut meanwhile must not kill the program. */
#define SOURCE_MAX_BUNDLE (256u << 20) /* bytes */

static enum btfdepot_verdict verdict_of(enum kernel_match match)
{
	switch (match) {
	case KERNEL_EXACT:
		return BTFDEPOT_EXACT;
	case KERNEL_ATTESTED:
		return BTFDEPOT_ATTESTED;
	default:
		return BTFDEPOT_NAMED;
	}
}

static int take(struct btfdepot *depot, const struct btfdepot_bundle *bytes,
		struct found *ret_found, struct fail *f)
{
	struct bundle_found in = { 0 };
	struct found found = { 0 };
	struct bundle bundle;
	int err;

	err = bundle_open(bytes->data, bytes->size, &bundle, f);
	if (!err)
		err = bundle_find(&bundle, depot->need_id, &depot->kernel, &in, f);
	if (!err && in.size > depot->opts.max_btf_bytes)
		err = fail(f, -E2BIG, "has %zu bytes for it, the limit is %u", in.size,
			   depot->opts.max_btf_bytes);
	if (!err)
		err = accept_btf(in.data, in.size, depot->kernel.arch, f);
	if (err)
		return err;
	found.data = malloc(in.size);
	if (!found.data)
		return -ENOMEM;
	memcpy(found.data, in.data, in.size);
	found.size = in.size;
	found.verdict = verdict_of(in.match);
	*ret_found = found;
	return 0;
}

static int ask_bundle(struct btfdepot *depot, const struct btfdepot_bundle *bytes,
		      const char *where, struct found *ret_found)
{
	uint64_t since = fetch_now_ms();
	struct fail f = { "" };
	int err = take(depot, bytes, ret_found, &f);

	if (err)
		return err == -ENOMEM
			       ? err
			       : depot_answer(depot, "bundle", where, since, err, "%s", f.text);
	return depot_answer(depot, "bundle", where, since, 0, "%zu bytes (%s)", ret_found->size,
			    btfdepot__verdict_name(ret_found->verdict));
}

static int ask_file(struct btfdepot *depot, const char *path, struct found *ret_found)
{
	struct btfdepot_bundle bytes;
	uint64_t since = fetch_now_ms();
	struct fail f = { "" };
	void *data;
	int err;

	err = file_read(path, SOURCE_MAX_BUNDLE, &data, &bytes.size, &f);
	if (err)
		return depot_answer(depot, "bundle", path, since, err, "%s", f.text);
	bytes.data = data;
	err = ask_bundle(depot, &bytes, path, ret_found);
	free(data);
	return err;
}

/* What is for no need in particular is not in bundles. */
int source_bundles(struct btfdepot *depot, struct found *ret_found)
{
	const char *const *path = depot->opts.bundle_files;
	int err = -ENOENT;

	if (!*depot->need_id)
		return err;
	for (; path && *path; path++) {
		err = ask_file(depot, *path, ret_found);
		if (!err || err == -ENOMEM)
			return err;
	}
	for (size_t i = 0; i < depot->opts.n_bundles; i++) {
		err = ask_bundle(depot, &depot->opts.bundles[i], "memory", ret_found);
		if (!err || err == -ENOMEM)
			return err;
	}
	return err;
}

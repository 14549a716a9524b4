// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "pack.h"

#include "btfs/bundle.h"
#include "btfs/fail.h"
#include "btfs/layout.h"
#include "btfs/publish.h"
#include "btfs/tar.h"
#include "btfs/text.h"
#include "shelf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct entry {
	uint32_t need;
	const struct shelf_file *file;
};

/* A bundle while it is written. */
struct packer {
	const struct shelf *shelves;
	size_t n_shelves;
	struct entry *entries;
	size_t n_entries;
	uint32_t *builds; /* entries that have a whole build-id, sorted by it */
	size_t n_builds;
	const struct shelf_file **contents; /* one file for each digest, sorted */
	size_t n_contents;
	const char **names; /* sorted, unique, the empty one first */
	size_t n_names;
	uint32_t *name_at; /* offset of each */
};

static const char *const *key_of(const struct index_row *r, const char *ret[6])
{
	ret[0] = r->arch;
	ret[1] = r->release;
	ret[2] = r->version;
	ret[3] = r->build_id;
	ret[4] = r->distro;
	ret[5] = r->distro_version;
	return ret;
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	const char *kx[6], *ky[6];
	int order = x->need == y->need ? 0 : x->need < y->need ? -1 : 1;

	key_of(x->file->row, kx);
	key_of(y->file->row, ky);
	for (int i = 0; !order && i < 6; i++)
		order = strcmp(kx[i], ky[i]);
	return order;
}

static int compare_builds(const void *a, const void *b, void *ctx)
{
	const struct packer *p = ctx;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	const struct entry *x = &p->entries[i], *y = &p->entries[k];
	int order = x->need == y->need ? 0 : x->need < y->need ? -1 : 1;

	if (!order)
		order = strcmp(x->file->row->build_id, y->file->row->build_id);
	return order ? order : i < k ? -1 : i > k;
}

static int compare_contents(const void *a, const void *b)
{
	const struct shelf_file *x = *(const struct shelf_file *const *)a;
	const struct shelf_file *y = *(const struct shelf_file *const *)b;
	int order = strcmp(x->row->sha256, y->row->sha256);

	return order ? order : strcmp(x->path, y->path);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void collect(struct packer *p)
{
	size_t n = 0, n_names = 1;

	p->names[0] = "";
	for (size_t s = 0; s < p->n_shelves; s++)
		for (size_t i = 0; i < p->shelves[s].n; i++) {
			const struct shelf_file *file = &p->shelves[s].files[i];

			p->entries[n] = (struct entry){ s, file };
			p->contents[n++] = file;
			key_of(file->row, p->names + n_names);
			n_names += 6;
		}
	p->n_entries = p->n_contents = n;
	p->n_names = n_names;
}

static void sort(struct packer *p)
{
	size_t n = 0;

	qsort(p->entries, p->n_entries, sizeof(*p->entries), compare_entries);
	for (size_t i = 0; i < p->n_entries; i++)
		/* 12 digits are the beginning of one: not to be found by */
		if (strlen(p->entries[i].file->row->build_id) > 12)
			p->builds[p->n_builds++] = i;
	qsort_r(p->builds, p->n_builds, sizeof(*p->builds), compare_builds, p);
	qsort(p->contents, p->n_contents, sizeof(*p->contents), compare_contents);
	for (size_t i = 0; i < p->n_contents; i++)
		if (!n || strcmp(p->contents[n - 1]->row->sha256, p->contents[i]->row->sha256))
			p->contents[n++] = p->contents[i];
	p->n_contents = n;
	qsort(p->names, p->n_names, sizeof(*p->names), compare_names);
	n = 0;
	for (size_t i = 0; i < p->n_names; i++)
		if (!n || strcmp(p->names[n - 1], p->names[i]))
			p->names[n++] = p->names[i];
	p->n_names = n;
}

static void put(struct text *t, uint64_t x, size_t bytes)
{
	uint8_t b[8];

	for (size_t i = 0; i < bytes; i++)
		b[i] = x >> 8 * i;
	text_bytes(t, b, bytes);
}

static void put_digest(struct text *t, const char *hex)
{
	for (size_t i = 0; hex[i]; i += 2) {
		char pair[3] = { hex[i], hex[i + 1], '\0' };

		put(t, strtoul(pair, NULL, 16), 1);
	}
}

static uint32_t name_at(const struct packer *p, const char *name)
{
	const char **at = bsearch(&name, p->names, p->n_names, sizeof(name), compare_names);

	return p->name_at[at - p->names];
}

static uint32_t content_of(const struct packer *p, const char *sha256)
{
	size_t low = 0, high = p->n_contents;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(p->contents[middle]->row->sha256, sha256) <= 0)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static void put_entries(const struct packer *p, struct text *t)
{
	for (size_t i = 0; i < p->n_entries; i++) {
		const struct index_row *row = p->entries[i].file->row;
		const char *key[6];

		key_of(row, key);
		put(t, p->entries[i].need, 4);
		for (int k = 0; k < 6; k++)
			put(t, name_at(p, key[k]), 4);
		put(t, content_of(p, row->sha256), 4);
	}
}

static size_t aligned(size_t x)
{
	return (x + BUNDLE_ALIGN - 1) / BUNDLE_ALIGN * BUNDLE_ALIGN;
}

/* at: where the first content is to stand. */
static void put_tables(const struct packer *p, size_t at, struct text *t)
{
	for (size_t i = 0; i < p->n_shelves; i++)
		put_digest(t, p->shelves[i].need);
	put_entries(p, t);
	for (size_t i = 0; i < p->n_builds; i++)
		put(t, p->builds[i], 4);
	for (size_t i = 0; i < p->n_contents; i++) {
		const struct index_row *row = p->contents[i]->row;

		put_digest(t, row->sha256);
		put(t, at, 8);
		put(t, row->size, 8);
		at = aligned(at + row->size);
	}
	for (size_t i = 0; i < p->n_names; i++)
		text_bytes(t, p->names[i], strlen(p->names[i]) + 1);
}

static void pad(struct text *t, size_t multiple)
{
	static const char zeros[TAR_RECORD];

	text_bytes(t, zeros, (multiple - t->size % multiple) % multiple);
}

static int put_contents(const struct packer *p, struct text *t, struct fail *f)
{
	int err = 0;

	for (size_t i = 0; !err && i < p->n_contents; i++) {
		char *data = NULL;

		pad(t, BUNDLE_ALIGN);
		err = shelf_read(p->contents[i], &data, f);
		if (!err)
			text_bytes(t, data, p->contents[i]->row->size);
		free(data);
	}
	pad(t, BUNDLE_ALIGN);
	return err;
}

static int write_bundle(struct packer *p, struct text *t, struct fail *f)
{
	size_t strings = 0, tables, size;

	for (size_t i = 0; i < p->n_names; i++) {
		p->name_at[i] = strings;
		strings += strlen(p->names[i]) + 1;
	}
	tables = BUNDLE_HEADER_SIZE + p->n_shelves * BUNDLE_NEED_SIZE +
		 p->n_entries * BUNDLE_ENTRY_SIZE + p->n_builds * BUNDLE_BUILD_SIZE +
		 p->n_contents * BUNDLE_CONTENT + strings;
	size = aligned(tables);
	for (size_t i = 0; i < p->n_contents; i++)
		size = aligned(size + p->contents[i]->row->size);
	if (size > BUNDLE_MAX_SIZE || p->n_entries > BUNDLE_MAX_ENTRIES ||
	    p->n_shelves > BUNDLE_MAX_NEEDS)
		return fail(f, -E2BIG, "bundle would have %zu bytes, the limit is %u", size,
			    BUNDLE_MAX_SIZE);
	text_bytes(t, BUNDLE_MAGIC, BUNDLE_MAGIC_SIZE);
	put(t, size, 8);
	put(t, p->n_shelves, 4);
	put(t, p->n_entries, 4);
	put(t, p->n_builds, 4);
	put(t, p->n_contents, 4);
	put(t, strings, 4);
	pad(t, BUNDLE_HEADER_SIZE);
	put_tables(p, aligned(tables), t);
	return put_contents(p, t, f);
}

int pack_bundle(const struct shelf *shelves, size_t n, struct text *t, struct fail *f)
{
	struct packer p = { .shelves = shelves, .n_shelves = n };
	size_t files = 0;
	int err;

	for (size_t i = 0; i < n; i++)
		files += shelves[i].n;
	p.entries = calloc(files + 1, sizeof(*p.entries));
	p.builds = calloc(files + 1, sizeof(*p.builds));
	p.contents = calloc(files + 1, sizeof(*p.contents));
	p.names = calloc(6 * files + 1, sizeof(*p.names));
	p.name_at = calloc(6 * files + 1, sizeof(*p.name_at));
	if (p.entries && p.builds && p.contents && p.names && p.name_at) {
		collect(&p);
		sort(&p);
		err = write_bundle(&p, t, f);
		if (!err && t->failed)
			err = fail(f, -ENOMEM, "no memory");
	} else {
		err = fail(f, -ENOMEM, "no memory for %zu files", files);
	}
	free(p.entries);
	free(p.builds);
	free(p.contents);
	free(p.names);
	free(p.name_at);
	return err;
}

/* Others are called the same, or have several names of which no single one is right. */
static const char *machine_of(const char *arch)
{
	static const char *const machines[][2] = {
		{ "arm64", "aarch64" },	      { "i386", "i686" },   { "armhf", "armv7l" },
		{ "ppc64el", "ppc64le" },     { "mipsel", "mips" }, { "mips64el", "mips64" },
		{ "loong64", "loongarch64" },
	};

	for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++)
		if (!strcmp(machines[i][0], arch))
			return machines[i][1];
	return arch;
}

static void leave_out(const struct kernel *k, struct text *left_out)
{
	text_add(left_out, "%s/%s/%s/%s\n", k->distro, k->distro_version, k->arch, k->release);
}

static bool same_name(const struct kernel *a, const struct kernel *b)
{
	return !strcmp(a->release, b->release) && !strcmp(a->arch, b->arch) &&
	       !strcmp(a->distro, b->distro) && !strcmp(a->distro_version, b->distro_version);
}

/*
 * The next file from *pos on whose names are its own, or shared with equal ones only; NULL: no
 * more. In an index those of a name stand together.
 */
static const struct shelf_file *next_named(const struct shelf *shelf, size_t *pos,
					   struct text *left_out)
{
	while (*pos < shelf->n) {
		const struct shelf_file *first = &shelf->files[*pos];
		bool split = false;

		while (++*pos < shelf->n && same_name(&first->kernel, &shelf->files[*pos].kernel))
			split |= strcmp(first->row->sha256, shelf->files[*pos].row->sha256) != 0;
		if (!split)
			return first;
		leave_out(&first->kernel, left_out);
	}
	return NULL;
}

static int add_member(const struct shelf_file *file, struct text *tar, struct text *left_out,
		      struct fail *f)
{
	const struct kernel *k = &file->kernel;
	uint8_t head[TAR_BLOCK];
	char name[PACK_BCC_NAME];
	char *data = NULL;
	int err;

	if (snprintf(name, sizeof(name), "./%s/%s/%s/%s.btf", k->distro, k->distro_version,
		     machine_of(k->arch), k->release) >= (int)sizeof(name)) {
		leave_out(k, left_out);
		return 0;
	}
	err = shelf_read(file, &data, f);
	if (err)
		return err;
	tar_header('0', name, file->row->size, head);
	text_bytes(tar, head, sizeof(head));
	text_bytes(tar, data, file->row->size);
	pad(tar, TAR_BLOCK);
	free(data);
	return 0;
}

/* Without a time or a name in its header. */
static int compress_gzip(const struct text *tar, struct text *t, struct fail *f)
{
	z_stream z = { 0 };
	uint8_t block[65536];
	int status;

	if (tar->size > UINT32_MAX)
		return fail(f, -E2BIG, "archive would have %zu bytes unpacked", tar->size);
	if (deflateInit2(&z, 9, Z_DEFLATED, MAX_WBITS + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK)
		return fail(f, -ENOMEM, "no memory to compress");
	z.next_in = (uint8_t *)tar->p;
	z.avail_in = tar->size;
	do {
		z.next_out = block;
		z.avail_out = sizeof(block);
		status = deflate(&z, Z_FINISH);
		text_bytes(t, block, sizeof(block) - z.avail_out);
	} while (status == Z_OK);
	deflateEnd(&z);
	return status == Z_STREAM_END ? 0 : fail(f, -EIO, "cannot compress: zlib error %d", status);
}

int pack_bcc(const struct shelf *shelf, struct text *t, struct text *ret_left_out, struct fail *f)
{
	static const char end[2 * TAR_BLOCK];
	const struct shelf_file *file;
	struct text tar = { 0 };
	size_t pos = 0;
	int err = 0;

	while (!err && (file = next_named(shelf, &pos, ret_left_out)))
		err = add_member(file, &tar, ret_left_out, f);
	if (!err) {
		text_bytes(&tar, end, sizeof(end));
		pad(&tar, TAR_RECORD);
		err = tar.failed ? fail(f, -ENOMEM, "no memory") : compress_gzip(&tar, t, f);
	}
	text_free(&tar);
	if (!err && (t->failed || ret_left_out->failed))
		err = fail(f, -ENOMEM, "no memory");
	return err;
}

static int write_flat(const struct shelf_file *file, const char *folder, struct fail *f)
{
	char rel[LAYOUT_PATH_SIZE], *data = NULL;
	struct text path = { 0 };
	int err;

	err = layout_path(&file->kernel, LAYOUT_RAW, rel, f);
	if (!err)
		err = shelf_read(file, &data, f);
	if (err)
		return err;
	text_add(&path, "%s/%s", folder, rel);
	if (path.failed)
		err = fail(f, -ENOMEM, "no memory");
	if (!err)
		err = publish_parents(path.p, 0755, f);
	if (!err)
		err = publish_file(path.p, data, file->row->size, 0644, f);
	text_free(&path);
	free(data);
	return err;
}

int pack_flat(const struct shelf *shelf, const char *folder, struct text *ret_left_out,
	      struct fail *f)
{
	const struct shelf_file *file;
	size_t pos = 0;
	int err = 0;

	while (!err && (file = next_named(shelf, &pos, ret_left_out)))
		err = write_flat(file, folder, f);
	return !err && ret_left_out->failed ? fail(f, -ENOMEM, "no memory") : err;
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "bundle.h"

#include "fail.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define MAX_NAMED 4 /* candidates that a sentence lists */

static uint32_t u32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t u64(const uint8_t *p)
{
	return u32(p) | (uint64_t)u32(p + 4) << 32;
}

static int read_header(struct bundle *b, struct fail *f)
{
	const uint8_t *p = b->data;
	size_t word = strlen("btfdepot-bundle ");

	if (b->size < BUNDLE_HEADER_SIZE || memcmp(p, BUNDLE_MAGIC, word))
		return fail(f, -EBADMSG, "not a bundle of btfdepot");
	if (memcmp(p, BUNDLE_MAGIC, BUNDLE_MAGIC_SIZE))
		return fail(f, -ENOTSUP, "bundle has a version newer than this library");
	if (b->size > BUNDLE_MAX_SIZE)
		return fail(f, -E2BIG, "bundle has %zu bytes, the limit is %u", b->size,
			    BUNDLE_MAX_SIZE);
	if (u64(p + 24) != b->size)
		return fail(f, -EBADMSG, "bundle has %zu bytes, its header says %llu", b->size,
			    (unsigned long long)u64(p + 24));
	b->n_needs = u32(p + 32);
	b->n_entries = u32(p + 36);
	b->n_builds = u32(p + 40);
	b->n_contents = u32(p + 44);
	b->strings_size = u32(p + 48);
	for (size_t i = 52; i < BUNDLE_HEADER_SIZE; i++)
		if (p[i])
			return fail(f, -ENOTSUP, "bundle has fields newer than this library");
	if (b->n_needs > BUNDLE_MAX_NEEDS || b->n_entries > BUNDLE_MAX_ENTRIES ||
	    b->n_contents > BUNDLE_MAX_ENTRIES)
		return fail(f, -E2BIG, "bundle claims %u needs, %u entries, %u contents",
			    b->n_needs, b->n_entries, b->n_contents);
	if (b->n_builds > b->n_entries)
		return fail(f, -EBADMSG, "bundle claims more build-ids than entries");
	return 0;
}

int bundle_open(const void *data, size_t size, struct bundle *ret_bundle, struct fail *f)
{
	struct bundle b = { .data = data, .size = size };
	uint64_t end = BUNDLE_HEADER_SIZE;
	int err;

	err = read_header(&b, f);
	if (err)
		return err;
	/* the limits above keep every sum far below 2^64 */
	b.needs = b.data + end;
	end += (uint64_t)b.n_needs * BUNDLE_NEED_SIZE;
	b.entries = b.data + end;
	end += (uint64_t)b.n_entries * BUNDLE_ENTRY_SIZE;
	b.builds = b.data + end;
	end += (uint64_t)b.n_builds * BUNDLE_BUILD_SIZE;
	b.contents = b.data + end;
	end += (uint64_t)b.n_contents * BUNDLE_CONTENT;
	b.strings = (const char *)b.data + end;
	end += b.strings_size;
	if (end > size)
		return fail(f, -EBADMSG, "bundle's tables take %llu bytes of its %zu",
			    (unsigned long long)end, size);
	if (!b.strings_size || b.strings[b.strings_size - 1])
		return fail(f, -EBADMSG, "bundle's names do not end with a NUL");
	*ret_bundle = b;
	return 0;
}

/* Names end before the section does: its last byte is a NUL. */
static bool take_name(const struct bundle *b, const uint8_t *p, const char **ret_name)
{
	uint32_t at = u32(p);

	if (at >= b->strings_size)
		return false;
	*ret_name = b->strings + at;
	return strnlen(*ret_name, KERNEL_FIELD_SIZE) < KERNEL_FIELD_SIZE;
}

int bundle_entry(const struct bundle *bundle, uint32_t i, struct bundle_entry *ret_entry,
		 struct fail *f)
{
	const uint8_t *p = bundle->entries + (size_t)i * BUNDLE_ENTRY_SIZE;
	struct bundle_entry e = { .need = u32(p), .content = u32(p + 28) };

	if (e.need >= bundle->n_needs || e.content >= bundle->n_contents ||
	    !take_name(bundle, p + 4, &e.arch) || !take_name(bundle, p + 8, &e.release) ||
	    !take_name(bundle, p + 12, &e.version) || !take_name(bundle, p + 16, &e.build_id) ||
	    !take_name(bundle, p + 20, &e.distro) || !take_name(bundle, p + 24, &e.distro_version))
		return fail(f, -EBADMSG, "bundle is damaged: entry %u", i);
	*ret_entry = e;
	return 0;
}

void bundle_need(const struct bundle *bundle, uint32_t i, char ret_need[DIGEST_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = bundle->needs + (size_t)i * BUNDLE_NEED_SIZE;

	for (size_t k = 0; k < BUNDLE_NEED_SIZE; k++) {
		ret_need[2 * k] = digits[p[k] >> 4];
		ret_need[2 * k + 1] = digits[p[k] & 15];
	}
	ret_need[DIGEST_HEX_SIZE - 1] = '\0';
}

int bundle_content(const struct bundle *bundle, uint32_t i, const void **ret_data, size_t *ret_size,
		   struct fail *f)
{
	const uint8_t *p = bundle->contents + (size_t)i * BUNDLE_CONTENT;
	size_t tables = bundle->strings - (const char *)bundle->data + bundle->strings_size;
	uint64_t at = u64(p + 32), size = u64(p + 40);
	char got[DIGEST_HEX_SIZE], want[DIGEST_HEX_SIZE];
	struct bundle digest = { .needs = p };

	if (at < tables || at % BUNDLE_ALIGN || at > bundle->size || size > bundle->size - at)
		return fail(f, -EBADMSG, "bundle is damaged: content %u lies outside of it", i);
	digest_hex(bundle->data + at, size, got);
	bundle_need(&digest, 0, want);
	if (memcmp(got, want, sizeof(got)))
		return fail(f, -EBADMSG, "bundle is damaged: content %u has sha256 %s, not %s", i,
			    got, want);
	*ret_data = bundle->data + at;
	*ret_size = size;
	return 0;
}

/* Index of the need, or n_needs. */
static uint32_t find_need(const struct bundle *b, const char *need)
{
	uint32_t low = 0, high = b->n_needs;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		char id[DIGEST_HEX_SIZE];
		int order;

		bundle_need(b, middle, id);
		order = strcmp(id, need);
		if (!order)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return b->n_needs;
}

/* What is looked for; and in which of the two tables. */
struct key {
	uint32_t need;
	const struct kernel *kernel;
	bool by_build_id;
};

static int read_at(const struct bundle *b, const struct key *key, uint32_t i,
		   struct bundle_entry *ret, struct fail *f)
{
	if (key->by_build_id) {
		i = u32(b->builds + (size_t)i * BUNDLE_BUILD_SIZE);
		if (i >= b->n_entries)
			return fail(f, -EBADMSG, "bundle is damaged: build-id of entry %u", i);
	}
	return bundle_entry(b, i, ret, f);
}

static int compare(const struct bundle_entry *e, const struct key *key)
{
	int order;

	if (e->need != key->need)
		return e->need < key->need ? -1 : 1;
	if (key->by_build_id)
		return strcmp(e->build_id, key->kernel->build_id);
	order = strcmp(e->arch, key->kernel->arch);
	return order ? order : strcmp(e->release, key->kernel->release);
}

/* The first entry that is not before the key. */
static int lower_bound(const struct bundle *b, const struct key *key, uint32_t *ret, struct fail *f)
{
	uint32_t low = 0, high = key->by_build_id ? b->n_builds : b->n_entries;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		struct bundle_entry e;
		int err = read_at(b, key, middle, &e, f);

		if (err)
			return err;
		if (compare(&e, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret = low;
	return 0;
}

/* Candidates that were met, the best of them kept. */
struct choice {
	int rank;	  /* 0: none yet */
	uint32_t content; /* of the first that has it */
	bool split;	  /* another of this rank has other content */
	size_t n;	  /* of this rank */
	enum kernel_match match;
	char named[512];
};

static void set(char field[KERNEL_FIELD_SIZE], const char *value)
{
	snprintf(field, KERNEL_FIELD_SIZE, "%s", value);
}

static enum kernel_match judge(const struct bundle_entry *e, const struct kernel *kernel)
{
	struct kernel k = { 0 };

	set(k.arch, e->arch);
	set(k.release, e->release);
	set(k.version, e->version);
	set(k.build_id, e->build_id);
	return kernel_match(&k, kernel);
}

static void name_candidate(struct choice *c, const struct bundle_entry *e)
{
	size_t len = strlen(c->named);
	const char *more = *e->build_id ? e->build_id : e->version;

	if (c->n <= MAX_NAMED)
		snprintf(c->named + len, sizeof(c->named) - len, "%s%s/%s%s%s", len ? ", " : "",
			 *e->distro ? e->distro : "?", *e->distro_version ? e->distro_version : "?",
			 *more ? " " : "", more);
	else if (c->n == MAX_NAMED + 1)
		snprintf(c->named + len, sizeof(c->named) - len, " and more");
}

/* A build-id decides alone; of others, distro and its version break ties. */
static void consider(struct choice *c, const struct bundle_entry *e, const struct kernel *kernel)
{
	enum kernel_match match = judge(e, kernel);
	int rank = 2 * match;

	if (match == KERNEL_DIFFERS)
		return;
	if (match < KERNEL_EXACT && *e->distro && !strcmp(e->distro, kernel->distro) &&
	    !strcmp(e->distro_version, kernel->distro_version))
		rank++;
	if (rank < c->rank)
		return;
	if (rank > c->rank)
		*c = (struct choice){ .rank = rank, .match = match, .content = e->content };
	c->split |= c->content != e->content;
	c->n++;
	name_candidate(c, e);
}

static int choose(const struct bundle *b, const struct key *key, struct choice *ret_choice,
		  struct fail *f)
{
	uint32_t first = 0, n = key->by_build_id ? b->n_builds : b->n_entries;
	struct bundle_entry e;
	int err;

	err = lower_bound(b, key, &first, f);
	for (uint32_t i = first; !err && i < n; i++) {
		err = read_at(b, key, i, &e, f);
		if (err || compare(&e, key))
			return err;
		if (i - first == BUNDLE_MAX_SAME)
			return fail(f, -EBADMSG, "bundle has more than %u kernels %s",
				    BUNDLE_MAX_SAME, key->kernel->release);
		consider(ret_choice, &e, key->kernel);
	}
	return err;
}

int bundle_find(const struct bundle *bundle, const char *need, const struct kernel *kernel,
		struct bundle_found *ret_found, struct fail *f)
{
	struct key key = { .need = find_need(bundle, need), .kernel = kernel };
	struct bundle_found found;
	struct choice c = { 0 };
	int err = 0;

	if (key.need == bundle->n_needs)
		return fail(f, -ENOENT, "bundle has nothing for the need %.12s...", need);
	if (*kernel->build_id) {
		key.by_build_id = true;
		err = choose(bundle, &key, &c, f);
	}
	key.by_build_id = false;
	if (!err && !c.n)
		err = choose(bundle, &key, &c, f);
	if (err)
		return err;
	if (!c.n)
		return fail(f, -ENOENT, "bundle has none for %s %s", kernel->arch, kernel->release);
	if (c.split)
		return fail(f, -ENOTUNIQ, "bundle has different ones for %s %s: %s", kernel->arch,
			    kernel->release, c.named);
	found.match = c.match;
	err = bundle_content(bundle, c.content, &found.data, &found.size, f);
	if (!err)
		*ret_found = found;
	return err;
}

/* The order of entries: as they are looked for, then by what tells equal names apart. */
static int compare_entries(const struct bundle_entry *x, const struct bundle_entry *y)
{
	const char *const names[][2] = {
		{ x->arch, y->arch },	    { x->release, y->release },
		{ x->version, y->version }, { x->build_id, y->build_id },
		{ x->distro, y->distro },   { x->distro_version, y->distro_version },
	};
	int order = x->need == y->need ? 0 : x->need < y->need ? -1 : 1;

	for (size_t i = 0; !order && i < sizeof(names) / sizeof(*names); i++)
		order = strcmp(names[i][0], names[i][1]);
	return order;
}

static int check_builds(const struct bundle *b, struct fail *f)
{
	const struct key key = { .by_build_id = true };
	struct bundle_entry e, before = { 0 };
	int err;

	for (uint32_t i = 0; i < b->n_builds; i++) {
		err = read_at(b, &key, i, &e, f);
		if (err)
			return err;
		if (i && (e.need < before.need ||
			  (e.need == before.need && strcmp(before.build_id, e.build_id) > 0)))
			return fail(f, -EBADMSG, "bundle is damaged: build-id %u is out of order",
				    i);
		before = e;
	}
	return 0;
}

int bundle_check(const struct bundle *bundle, struct fail *f)
{
	struct bundle_entry e, before = { 0 };
	const void *data;
	size_t size;
	int err = 0;

	for (uint32_t i = 1; i < bundle->n_needs; i++)
		if (memcmp(bundle->needs + (size_t)(i - 1) * BUNDLE_NEED_SIZE,
			   bundle->needs + (size_t)i * BUNDLE_NEED_SIZE, BUNDLE_NEED_SIZE) >= 0)
			return fail(f, -EBADMSG, "bundle is damaged: need %u is out of order", i);
	for (uint32_t i = 0; !err && i < bundle->n_entries; i++) {
		err = bundle_entry(bundle, i, &e, f);
		if (!err && i && compare_entries(&before, &e) >= 0)
			err = fail(f, -EBADMSG, "bundle is damaged: entry %u is out of order", i);
		before = e;
	}
	if (!err)
		err = check_builds(bundle, f);
	for (uint32_t i = 0; !err && i < bundle->n_contents; i++)
		err = bundle_content(bundle, i, &data, &size, f);
	return err;
}

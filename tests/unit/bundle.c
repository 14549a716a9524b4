// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Written by btfgen/pack, from a tree as btfgen/shelf reads it, and read by btfs/bundle. */
#include "btfs/bundle.h"
#include "btfgen/pack.h"
#include "btfgen/shelf.h"
#include "btfs/digest.h"
#include "btfs/fail.h"
#include "btfs/layout.h"
#include "btfs/publish.h"
#include "btfs/text.h"
#include "tests/tap.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NEED_A "1111111111111111111111111111111111111111111111111111111111111111"
#define NEED_B "2222222222222222222222222222222222222222222222222222222222222222"
#define NEED_C "3333333333333333333333333333333333333333333333333333333333333333"
#define ID_GA  "aaaaaaaaaaaaaaaaaaaa"
#define ID_HWE "bbbbbbbbbbbbbbbbbbbb"

static const struct file {
	const char *arch, *distro, *distro_version, *release, *build_id, *version, *content;
} files[] = {
	{ "arm64", "debian", "11", "5.10.0-1-arm64", "", "", "one" },
	{ "x86_64", "centos", "7", "3.10.0-1160.el7.x86_64", "", "", "one" },
	{ "x86_64", "debian", "11", "5.10.0-1-amd64", "", "", "two bytes" },
	{ "x86_64", "debian", "12", "5.10.0-1-amd64", "", "", "two bytes" },
	{ "x86_64", "ol", "7", "3.10.0-1160.el7.x86_64", "", "", "three" },
	{ "x86_64", "ubuntu", "18.04", "5.4.0-42-generic", ID_HWE, "#46~18.04.1-Ubuntu", "three" },
	{ "x86_64", "ubuntu", "20.04", "5.4.0-42-generic", ID_GA, "#46-Ubuntu", "one" },
	{ "x86_64", "ubuntu", "22.04", "5.4.0-42-generic", ID_GA, "#46-Ubuntu", "one" },
};

static char root[] = "bundle-XXXXXX"; /* in the folder that the runner removes */

static void put_file(const char *path, const void *data, size_t size)
{
	struct fail f = { "" };

	if (publish_parents(path, 0755, &f) || publish_file(path, data, size, 0644, &f))
		printf("# %s\n", f.text);
}

static struct kernel kernel_of(const struct file *file)
{
	struct kernel k = { 0 };

	snprintf(k.arch, sizeof(k.arch), "%s", file->arch);
	snprintf(k.distro, sizeof(k.distro), "%s", file->distro);
	snprintf(k.distro_version, sizeof(k.distro_version), "%s", file->distro_version);
	snprintf(k.release, sizeof(k.release), "%s", file->release);
	snprintf(k.build_id, sizeof(k.build_id), "%s", file->build_id);
	snprintf(k.version, sizeof(k.version), "%s", file->version);
	return k;
}

/* The first n files, for one need. */
static void put_need(const char *need, size_t n)
{
	char rel[LAYOUT_PATH_SIZE], path[LAYOUT_PATH_SIZE + sizeof(root) + 1];
	char digest[DIGEST_HEX_SIZE];
	struct text index = { 0 };

	text_add(&index, INDEX_HEADER "\n");
	for (size_t i = 0; i < n; i++) {
		struct kernel k = kernel_of(&files[i]);

		digest_hex(files[i].content, strlen(files[i].content), digest);
		index_put(&index, &k, digest, strlen(files[i].content));
		layout_min_path(need, &k, rel, NULL);
		snprintf(path, sizeof(path), "%s/%s", root, rel);
		put_file(path, files[i].content, strlen(files[i].content));
	}
	snprintf(path, sizeof(path), "%s/min/%s/index.tsv", root, need);
	put_file(path, index.p, index.size);
	text_free(&index);
}

static int pack(struct text *t, struct fail *f)
{
	const struct shelf_filter all = { 0 };
	struct shelf shelves[2] = { 0 };
	struct shelf_needs needs = { 0 };
	int err;

	err = shelf_needs(root, &needs, f);
	for (size_t i = 0; !err && i < 2; i++)
		err = shelf_open(root, needs.ids[i], &all, &shelves[i], f);
	if (!err)
		err = pack_bundle(shelves, 2, t, f);
	shelf_free(&shelves[0]);
	shelf_free(&shelves[1]);
	shelf_needs_free(&needs);
	return err;
}

static void find(const struct bundle *b, const char *need, struct kernel kernel, int code,
		 const char *content, const char *what)
{
	struct bundle_found found = { .data = "", .size = 0 };
	struct fail f = { "" };
	char got[64];

	tap_is_int(bundle_find(b, need, &kernel, &found, &f), code, "%s (%s)", what, f.text);
	snprintf(got, sizeof(got), "%.*s", (int)found.size, (const char *)found.data);
	tap_is_str(got, content, "with these bytes");
	tap_ok(((const uint8_t *)found.data - b->data) % BUNDLE_ALIGN == 0 || !found.size,
	       "aligned");
}

static void test_names(const struct bundle *b)
{
	struct kernel k = { .arch = "x86_64", .release = "5.10.0-1-amd64" };

	find(b, NEED_A, k, 0, "two bytes", "two distros, one answer");
	find(b, NEED_C, k, -ENOENT, "", "a need that is not there");
	snprintf(k.arch, sizeof(k.arch), "arm64");
	find(b, NEED_A, k, -ENOENT, "", "another arch");
	snprintf(k.release, sizeof(k.release), "5.10.0-1-arm64");
	find(b, NEED_A, k, 0, "one", "the first row");
	snprintf(k.release, sizeof(k.release), "5.10.0-1-arm6");
	find(b, NEED_A, k, -ENOENT, "", "never the nearest");
	snprintf(k.release, sizeof(k.release), "9");
	find(b, NEED_A, k, -ENOENT, "", "behind the last release");
	find(b, NEED_A, (struct kernel){ 0 }, -ENOENT, "", "nothing is known");
}

static void test_ties(const struct bundle *b)
{
	struct kernel k = { .arch = "x86_64", .release = "3.10.0-1160.el7.x86_64" };

	find(b, NEED_A, k, -ENOTUNIQ, "", "two distros, two answers");
	snprintf(k.distro, sizeof(k.distro), "rhel");
	find(b, NEED_A, k, -ENOTUNIQ, "", "a third distro takes neither");
	snprintf(k.distro, sizeof(k.distro), "ol");
	snprintf(k.distro_version, sizeof(k.distro_version), "7");
	find(b, NEED_A, k, 0, "three", "the distro breaks the tie");
}

static void test_ids(const struct bundle *b)
{
	struct kernel k = { .arch = "x86_64", .release = "5.4.0-42-generic" };
	struct bundle_found found = { 0 };

	find(b, NEED_A, k, -ENOTUNIQ, "", "one name of two kernels");
	snprintf(k.version, sizeof(k.version), "#46~18.04.1-Ubuntu");
	find(b, NEED_A, k, 0, "three", "uname -v tells them apart");
	snprintf(k.build_id, sizeof(k.build_id), ID_GA);
	snprintf(k.version, sizeof(k.version), "#other");
	find(b, NEED_A, k, 0, "one", "the build-id decides alone");
	bundle_find(b, NEED_A, &k, &found, NULL);
	tap_is_int(found.match, KERNEL_EXACT, "exactly");
	snprintf(k.build_id, sizeof(k.build_id), "cccccccccccccccccccc");
	snprintf(k.version, sizeof(k.version), "#46-Ubuntu");
	find(b, NEED_A, k, -ENOENT, "", "another build-id is another kernel");
}

static void test_second_need(const struct bundle *b)
{
	struct kernel k = { .arch = "x86_64", .release = "3.10.0-1160.el7.x86_64" };
	char id[DIGEST_HEX_SIZE];

	find(b, NEED_B, k, 0, "one", "the other need has but one");
	tap_is_int(b->n_needs, 2, "needs");
	tap_is_int(b->n_entries, 10, "entries");
	tap_is_int(b->n_contents, 3, "each content stands there once");
	bundle_need(b, 1, id);
	tap_is_str(id, NEED_B, "the second need");
}

/* No byte of it can be changed or cut off without an error, or the right bytes after all. */
static void test_damage(const struct text *good)
{
	struct kernel k = { .arch = "x86_64", .release = "5.10.0-1-amd64" };
	size_t wrong = 0, unseen = 0, cuts = 0;
	char *copy = malloc(good->size + 1);

	if (!copy)
		abort();
	for (size_t i = 0; i < good->size; i++) {
		struct bundle_found found = { 0 };
		struct bundle b;
		bool padding;

		memcpy(copy, good->p, good->size);
		copy[i] ^= 0x41;
		if (bundle_open(copy, good->size, &b, NULL))
			continue;
		if (!bundle_find(&b, NEED_A, &k, &found, NULL) &&
		    (found.size != 9 || memcmp(found.data, "two bytes", 9) != 0))
			wrong++;
		padding = good->p[i] == 0 && i > (size_t)((const uint8_t *)b.strings - b.data);
		unseen += !bundle_check(&b, NULL) && !padding &&
			  i < (size_t)((const uint8_t *)b.entries - b.data);
	}
	for (size_t size = 0; size < good->size; size++) {
		struct bundle b;

		cuts += bundle_open(good->p, size, &b, NULL) == 0;
	}
	tap_is_int(wrong, 0, "no changed byte gives other bytes than were packed");
	tap_is_int(cuts, 0, "no cut is opened");
	tap_ok(unseen <= BUNDLE_NEED_SIZE * 2, "the header is wholly checked");
	free(copy);
}

static void test_stale(void)
{
	char path[sizeof(root) + 128];
	struct text t = { 0 };
	struct fail f = { "" };

	/* of equal files the first is read */
	snprintf(path, sizeof(path), "%s/min/" NEED_A "/centos/7/x86_64/3.10.0-1160.el7.x86_64.btf",
		 root);
	put_file(path, "ONE", 3);
	tap_is_int(pack(&t, &f), -EBADMSG, "a tree that has changed since is not packed");
	tap_ok(strstr(f.text, "not what index.tsv says") != NULL, "%s", f.text);
	text_free(&t);
}

static void test_refused(void)
{
	static const char newer[64] = "btfdepot-bundle 2\n";
	struct fail f = { "" };
	struct bundle b;

	tap_is_int(bundle_open("", 0, &b, &f), -EBADMSG, "nothing");
	tap_is_int(bundle_open(newer, sizeof(newer), &b, &f), -ENOTSUP, "a newer version");
	tap_is_str(f.text, "bundle has a version newer than this library", "its sentence");
}

int main(void)
{
	struct text t = { 0 }, again = { 0 };
	const char *tmp = getenv("TMP");
	struct fail f = { "" };
	struct bundle b;

	tap_ok(!chdir(tmp ? tmp : "/tmp") && mkdtemp(root), "a folder");
	put_need(NEED_A, sizeof(files) / sizeof(*files));
	put_need(NEED_B, 2);
	tap_is_int(pack(&t, &f), 0, "packs %s", f.text);
	tap_is_int(pack(&again, &f), 0, "and again");
	if (!t.p || !again.p)
		return tap_done();
	tap_ok(t.size == again.size && !memcmp(t.p, again.p, t.size), "the same bytes");
	tap_is_int(bundle_open(t.p, t.size, &b, &f), 0, "opens %s", f.text);
	tap_is_int(bundle_check(&b, &f), 0, "is whole %s", f.text);
	test_names(&b);
	test_ties(&b);
	test_ids(&b);
	test_second_need(&b);
	test_damage(&t);
	test_stale();
	test_refused();
	text_free(&t);
	text_free(&again);
	return tap_done();
}

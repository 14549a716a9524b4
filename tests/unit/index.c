// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "btfs/index.h"
#include "btfs/fail.h"
#include "btfs/kernel.h"
#include "btfs/text.h"
#include "tests/tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHA	     "4489df790cca904b92e5fcc701eaef3225ebbae8fa0b646197cf914562a4b0b8"
#define TAIL	     "\t" SHA "\t656"
#define ROW(release) "x86_64\tdebian\t12\t" release "\t-\t-" TAIL "\n"

static int parse(const char *text, struct index *ret, struct fail *f)
{
	return index_parse(text, strlen(text), ret, f);
}

static void refused(const char *rows, int code, const char *says, const char *what)
{
	struct text t = { 0 };
	struct fail f = { "" };
	struct index index;
	int err;

	text_add(&t, INDEX_HEADER "\n%s", rows);
	err = parse(t.p, &index, &f);
	if (!err)
		index_free(&index);
	tap_is_int(err, code, "%s", what);
	tap_is_str(f.text, says, "its sentence");
	text_free(&t);
}

static void test_round_trip(void)
{
	const struct kernel kernel = {
		.arch = "x86_64",
		.distro = "ubuntu",
		.distro_version = "-",
		.release = "5.4.0-42+a@b~c",
		.version = "#46~18.04.1-Ubuntu SMP Fri 100% \303\251",
		.build_id = "3d2c1e5f7a9b8c6d4e0f",
	};
	const struct kernel bare = { .arch = "arm64", .release = "6.1.0" };
	struct index index = { 0 };
	struct kernel again;
	struct text t = { 0 };
	struct fail f = { "" };

	text_add(&t, INDEX_HEADER "\n");
	index_put(&t, &bare, SHA, 0);
	index_put(&t, &kernel, SHA, 4711);
	tap_is_int(index_parse(t.p, t.size, &index, &f), 0, "what was written is read %s", f.text);
	tap_is_int(index.n, 2, "both rows");
	tap_is_str(index.rows[0].distro, "", "what is not known is empty");
	tap_is_int(index.rows[0].size, 0, "a size of 0");
	tap_is_int(index.rows[1].size, 4711, "the size");
	tap_is_str(index.rows[1].sha256, SHA, "the digest");
	index_kernel(&index.rows[1], &again);
	tap_is_str(again.release, kernel.release, "release");
	tap_is_str(again.version, kernel.version, "version with blanks, %% and UTF-8");
	tap_is_str(again.distro_version, "-", "a name that is a dash is not 'not known'");
	tap_is_str(again.build_id, kernel.build_id, "build-id");
	index_free(&index);
	text_free(&t);
}

static void test_header(void)
{
	struct index index = { 0 };
	struct fail f = { "" };

	tap_is_int(parse("", &index, &f), -ENOTSUP, "an empty file");
	tap_is_int(parse(INDEX_HEADER, &index, &f), -ENOTSUP, "a header that does not end");
	tap_is_int(parse("release\tarch\n", &index, &f), -ENOTSUP, "other columns");
	tap_is_int(parse(INDEX_HEADER "s\n", &index, &f), -ENOTSUP, "a longer name");
	tap_is_int(parse(INDEX_HEADER "\n", &index, &f), 0, "no rows");
	tap_is_int(index.n, 0, "are none");
	index_free(&index);
	tap_is_int(parse(INDEX_HEADER "\tmore\nx86_64\tdebian\t12\tr\t-\t-" TAIL "\tx%%\n", &index,
			 &f),
		   0, "a column more, whatever is in it");
	tap_is_str(index.n ? index.rows[0].release : "", "r", "the others are read");
	index_free(&index);
	tap_is_int(index_parse(INDEX_HEADER "\n\0", sizeof(INDEX_HEADER) + 1, &index, &f), -EBADMSG,
		   "a NUL");
}

static void test_order(void)
{
	refused(ROW("b") ROW("a"), -EBADMSG,
		"line 3: it does not stand behind the line before it in order", "out of order");
	refused(ROW("a") ROW("a"), -EBADMSG,
		"line 3: it does not stand behind the line before it in order", "a row twice");
	refused(ROW("a") "x86_64\tdebian\t12\ta\t-\t-" TAIL "7\n", -EBADMSG,
		"line 3: it is about the same kernel as the line before it", "a kernel twice");
}

static void test_values(void)
{
	refused("x86_64\tdebian\t12\ta\t-\t-" TAIL, -EBADMSG, "its last line does not end",
		"cut off");
	refused("amd64\tdebian\t12\ta\t-\t-" TAIL "\n", -EBADMSG,
		"line 2: its arch is not well-formed", "another name for an arch");
	refused("-\tdebian\t12\ta\t-\t-" TAIL "\n", -EBADMSG, "line 2: its arch is not well-formed",
		"no arch");
	refused("x86_64\tdebian\t12\t-\t-\t-" TAIL "\n", -EBADMSG,
		"line 2: its release is not well-formed", "no release");
	refused("x86_64\tdebian\t12\ta%2Fb\t-\t-" TAIL "\n", -EBADMSG,
		"line 2: its release is not well-formed", "a slash, encoded though it need not be");
	refused("x86_64\tdebian\t12\t../a\t-\t-" TAIL "\n", -EBADMSG,
		"line 2: its release is not well-formed", "a release that leads out");
	refused("x86_64\tdebian\t12\ta b\t-\t-" TAIL "\n", -EBADMSG,
		"line 2: its release is not well-formed", "a blank that is not encoded");
	refused("x86_64\tdebian\t12\ta\t-\t%23%0A" TAIL "\n", -EBADMSG,
		"line 2: its version is not well-formed", "a control byte, encoded");
	refused("x86_64\tdebian\t12\ta\t-\t%2b" TAIL "\n", -EBADMSG,
		"line 2: its version is not well-formed", "hex digits in lower case");
	refused("x86_64\tdebian\t12\ta\t-\t%00" TAIL "\n", -EBADMSG,
		"line 2: its version is not well-formed", "an encoded NUL");
	refused("x86_64\tdebian\t12\ta\t-\t%4" TAIL "\n", -EBADMSG,
		"line 2: its version is not well-formed", "half of a byte");
	refused("x86_64\tdebian\t12\ta\t-\t" TAIL "\n", -EBADMSG,
		"line 2: its version is not well-formed", "an empty value");
	refused("x86_64\tdebian\t12\ta\tABCDEF123456\t-" TAIL "\n", -EBADMSG,
		"line 2: its build_id is not well-formed", "a build-id in upper case");
	refused("x86_64\tdebian\t12\ta\t-\t-\t4489\t1\n", -EBADMSG,
		"line 2: its sha256 is not well-formed", "a short digest");
	refused("x86_64\tdebian\t12\ta\t-\t-\t" SHA "\t01\n", -EBADMSG,
		"line 2: its size is not well-formed", "a number with a leading zero");
	refused("x86_64\tdebian\t12\ta\t-\t-\t" SHA "\t99999999999999999999\n", -EBADMSG,
		"line 2: its size is not well-formed", "a number too large");
	refused("x86_64\tdebian\t12\ta\t-\t-" TAIL "\t1\n", -EBADMSG,
		"line 2: it has 9 columns, the header 8", "a column too many");
	refused("x86_64\tdebian\t12\ta\n", -EBADMSG, "line 2: it has 4 columns, the header 8",
		"columns missing");
}

/* Every cut of a good index is refused or is a shorter one. */
static void test_cuts(void)
{
	static const char text[] = INDEX_HEADER "\n" ROW("a") ROW("b");
	size_t bad = 0, good = 0;

	for (size_t size = 0; size < sizeof(text); size++) {
		char *copy = malloc(size + 1);
		struct index index;

		if (!copy)
			abort();
		memcpy(copy, text, size);
		if (index_parse(copy, size, &index, NULL)) {
			bad++;
		} else {
			good++;
			index_free(&index);
		}
		free(copy);
	}
	tap_is_int(good, 3, "the header, one row, two rows");
	tap_is_int(bad, sizeof(text) - 3, "every other cut is refused");
}

int main(void)
{
	test_round_trip();
	test_header();
	test_order();
	test_values();
	test_cuts();
	return tap_done();
}

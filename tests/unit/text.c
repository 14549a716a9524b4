// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "btfs/text.h"
#include "tests/tap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void test_growth(void)
{
	struct text t = { 0 };
	size_t bad = 0;

	for (int i = 0; i < 100000; i++)
		text_add(&t, "%05d\n", i);
	tap_ok(!t.failed && t.size == 600000, "600,000 bytes in 100,000 pieces");
	for (int i = 0; i < 100000; i++)
		bad += atol(t.p + i * 6l) != i;
	tap_is_int(bad, 0, "each in its place");
	tap_is_int(t.p[t.size], 0, "with a NUL behind");
	text_free(&t);
	tap_ok(!t.p && !t.size && !t.room, "freed and empty");
	text_free(&t);
}

/* Sizes around the room that is there. */
static void test_edges(void)
{
	static char fill[4096];
	size_t bad = 0;

	memset(fill, 'x', sizeof(fill));
	for (size_t size = 0; size < 1030; size++) {
		struct text t = { 0 };

		text_bytes(&t, fill, size);
		text_add(&t, "%s", "");
		text_add(&t, "%.*s", (int)size, fill);
		bad += t.failed || t.size != 2 * size || strlen(t.p) != 2 * size ||
		       t.room <= t.size;
		text_free(&t);
	}
	tap_is_int(bad, 0, "1,030 sizes");
}

static void test_failed(void)
{
	struct text t = { .failed = true };

	text_add(&t, "x");
	text_bytes(&t, "y", 1);
	text_percent(&t, "z", "");
	text_json(&t, "z");
	tap_ok(!t.p && t.failed, "what failed once stays so");
	t = (struct text){ 0 };
	text_add(&t, "kept");
	text_bytes(&t, "", SIZE_MAX / 2);
	tap_ok(t.failed, "a size that no memory has");
	tap_is_str(t.p, "kept", "leaves what was there");
	text_bytes(&t, "more", 4);
	tap_is_str(t.p, "kept", "and takes no more");
	text_free(&t);
}

static void check(void (*put)(struct text *, const char *), const char *in, const char *want)
{
	struct text t = { 0 };

	put(&t, in);
	tap_is_str(t.p, want, "%s", want);
	text_free(&t);
}

static void percent(struct text *t, const char *s)
{
	text_add(t, "<");
	text_percent(t, s, "-.");
	text_add(t, ">");
}

int main(void)
{
	test_growth();
	test_edges();
	test_failed();
	check(percent, "", "<>");
	check(percent, "5.4.0-42_generic", "<5.4.0-42_generic>");
	check(percent, "a b", "<a%20b>");
	check(percent, "%", "<%25>");
	check(percent, "+/~:", "<%2B%2F%7E%3A>");
	check(percent, "\t\n\x7f\xff", "<%09%0A%7F%FF>");
	check(text_json, "", "\"\"");
	check(text_json, "a\"b\\c", "\"a\\\"b\\\\c\"");
	check(text_json, "\x01\t\n\x1f\x7f", "\"\\u0001\\u0009\\u000a\\u001f\\u007f\"");
	check(text_json, "\303\251 \342\202\254 \360\237\220\232",
	      "\"\303\251 \342\202\254 \360\237\220\232\"");
	check(text_json, "\xff", "\"\\ufffd\"");
	check(text_json, "\303", "\"\\ufffd\"");
	check(text_json, "\300\200", "\"\\ufffd\\ufffd\"");	       /* NUL made long */
	check(text_json, "\355\240\200", "\"\\ufffd\\ufffd\\ufffd\""); /* half a surrogate pair */
	check(text_json, "\364\220\200\200", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
	check(text_json, "\342\202x", "\"\\ufffd\\ufffdx\"");
	return tap_done();
}

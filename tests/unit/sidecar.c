// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What stands beside an archive: written, read back, and damaged in many ways. */
#include "btfgen/sidecar.h"
#include "btfs/fail.h"
#include "btfs/text.h"
#include "tests/tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct sidecar full = {
	.kernel = { "x86_64", "5.4.0-42-generic", "#46 SMP \"x\"", "0123456789abcdef", "ubuntu",
		    "20.04" },
	.package = "linux-image",
	.package_version = "5.4.0-42.46~18.04.1",
	.package_arch = "amd64",
	.btf_from = "dwarf",
	.sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	.bytes = 5,
	.types = 1ull << 40,
	.types_before = 9,
	.duplicated = "node",
	.duplicates = 3,
	.btfgen = "0.1",
	.pahole = "1.24",
};

static void test_both_ways(void)
{
	struct text t = { 0 }, again = { 0 };
	struct fail f = { .text = "" };
	struct sidecar s;

	sidecar_text(&full, &t);
	tap_is_int(sidecar_parse(t.p, t.size, &s, &f), 0, "is read back %s", f.text);
	sidecar_text(&s, &again);
	tap_is_str(again.p, t.p, "and says the same");
	tap_ok(s.types == 1ull << 40 && !strcmp(s.kernel.version, full.kernel.version),
	       "large numbers and quotes");
	/* a cut anywhere is noticed */
	for (size_t n = 0; n + 2 < t.size; n++) {
		if (sidecar_parse(t.p, n, &s, NULL) != -EBADMSG) {
			tap_ok(0, "the first %zu bytes are accepted", n);
			break;
		}
	}
	text_free(&t);
	text_free(&again);
	sidecar_text(&(struct sidecar){ .kernel.arch = "arm64" }, &t);
	tap_is_str(t.p, "{\n  \"arch\": \"arm64\"\n}\n", "what is not known is not written");
	text_free(&t);
}

static void test_parse(void)
{
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		{ "{}", 0 },
		{ "{\"new\": [1, {\"x\": null}], \"arch\": \"arm64\"}", 0 },
		{ "{\"uname_version\": \"#1 SMP a/b\"}", 0 },
		{ "", -EBADMSG },
		{ "[]", -EBADMSG },
		{ "\"x\"", -EBADMSG },
		{ "{} {}", -EBADMSG },
		{ "{\"arch\": \"arm64\", \"arch\": \"arm64\"}", -EBADMSG },
		{ "{\"arch\": 1}", -EBADMSG },
		{ "{\"arch\": null}", -EBADMSG },
		{ "{\"arch\": \"../x\"}", -EBADMSG },
		{ "{\"kernel_version\": \"a/b\"}", -EBADMSG },
		{ "{\"distribution\": \"\\u0000\"}", -EBADMSG },
		{ "{\"uname_version\": \"a\\nb\"}", -EBADMSG },
		{ "{\"uname_version\": \"a\\u007f\"}", -EBADMSG },
		{ "{\"build_id\": \"0123456789abcdeF\"}", -EBADMSG },
		{ "{\"build_id\": \"0123456789abcde\"}", -EBADMSG },
		{ "{\"build_id\": \"01234567\"}", -EBADMSG },
		{ "{\"btf_sha256\": \"00\"}", -EBADMSG },
		{ "{\"btf_bytes\": -1}", -EBADMSG },
		{ "{\"btf_bytes\": 1.5}", -EBADMSG },
		{ "{\"btf_bytes\": \"1\"}", -EBADMSG },
		{ "{\"btf_bytes\": 99999999999999999999}", -EBADMSG },
		{ "{\"package\": \"\xff\"}", -EBADMSG },
	};
	struct sidecar s = { .types = 77 };
	struct fail f = { .text = "" };
	char *big;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		s.types = 77;
		tap_is_int(sidecar_parse(cases[i].text, strlen(cases[i].text), &s, &f),
			   cases[i].err, "%s: %s", cases[i].text, cases[i].err ? f.text : "read");
		if (cases[i].err && s.types != 77)
			tap_ok(0, "it touched its output");
	}
	big = calloc(1, SIDECAR_MAX + 1);
	if (!big)
		abort();
	memset(big, ' ', SIDECAR_MAX + 1);
	memcpy(big, "{}", 2);
	tap_is_int(sidecar_parse(big, SIDECAR_MAX, &s, &f), 0, "as large as may be");
	tap_is_int(sidecar_parse(big, SIDECAR_MAX + 1, &s, &f), -E2BIG, "larger: %s", f.text);
	memset(big, '[', SIDECAR_MAX);
	tap_is_int(sidecar_parse(big, SIDECAR_MAX, &s, &f), -EBADMSG, "deep: %s", f.text);
	free(big);
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	if (!file || fputs(text, file) < 0 || fclose(file))
		abort();
}

static void test_read(void)
{
	struct kernel k = { .arch = "arm64", .release = "5.4" };
	char dir[] = "/tmp/sidecar-XXXXXX", archive[64], json[64];
	struct fail f = { .text = "" };
	struct sidecar s;

	if (!mkdtemp(dir))
		abort();
	snprintf(archive, sizeof(archive), "%s/5.4.btf.tar.xz", dir);
	snprintf(json, sizeof(json), "%s/5.4.json", dir);
	tap_is_int(sidecar_read(archive, &k, &s, &f), -ENOENT, "none there: %s", f.text);
	put(json, "{\"arch\": \"arm64\", \"kernel_version\": \"5.4\", "
		  "\"build_id\": \"0123456789abcdef\"}");
	tap_is_int(sidecar_read(archive, &k, &s, &f), 0, "there");
	tap_is_str(s.kernel.build_id, "0123456789abcdef", "tells the build-id");
	snprintf(archive, sizeof(archive), "%s/5.4.btf", dir);
	tap_is_int(sidecar_read(archive, &k, &s, &f), 0, "also beside plain BTF");
	memcpy(k.build_id, "0123456789ab", sizeof("0123456789ab"));
	tap_is_int(sidecar_read(archive, &k, &s, &f), 0, "a build-id's beginning fits");
	memcpy(k.build_id, "0123456789aa", sizeof("0123456789aa"));
	tap_is_int(sidecar_read(archive, &k, &s, &f), -EBADMSG, "another does not: %s", f.text);
	k.build_id[0] = '\0';
	memcpy(k.release, "5.5", sizeof("5.5"));
	tap_is_int(sidecar_read(archive, &k, &s, &f), -EBADMSG, "nor another release");
	put(json, "{");
	tap_is_int(sidecar_read(archive, &k, &s, &f), -EBADMSG, "damaged: %s", f.text);
	unlink(json);
	rmdir(dir);
}

int main(void)
{
	test_both_ways();
	test_parse();
	test_read();
	return tap_done();
}

// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Gives a fuzzer's corpus to it once, without libFuzzer: one test point per file. The corpus is
 * tests/fuzz/corpus/NAME for the program replay-NAME, or the files in the arguments.
 */
#include "tests/tap.h"

#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_INPUT (64u << 20) /* bytes */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay(const char *path)
{
	uint8_t *data = NULL, *room = NULL;
	size_t size = 0;
	FILE *file;

	printf("# %s\n", path);
	fflush(stdout); /* a crash must not eat the name */
	file = fopen(path, "rbe");
	room = malloc(MAX_INPUT);
	if (!file || !room) {
		tap_ok(0, "%s can be read", path);
		goto out;
	}
	size = fread(room, 1, MAX_INPUT, file);
	/* Of the exact size, so that a read past the end is seen. */
	data = malloc(size ? size : 1);
	if (!data || ferror(file)) {
		tap_ok(0, "%s can be read", path);
		goto out;
	}
	memcpy(data, room, size);
	tap_ok(LLVMFuzzerTestOneInput(data, size) == 0, "%s", path);
out:
	free(data);
	free(room);
	if (file)
		fclose(file);
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	glob_t found = { 0 };
	char pattern[256];
	size_t i;

	if (argc > 1) {
		for (i = 1; i < (size_t)argc; i++)
			replay(argv[i]);
		return tap_done();
	}
	name = name ? name + 1 : argv[0];
	name = strncmp(name, "replay-", 7) == 0 ? name + 7 : name;
	snprintf(pattern, sizeof(pattern), "tests/fuzz/corpus/%s/*", name);
	if (glob(pattern, 0, NULL, &found) != 0) {
		puts("1..0 # SKIP no corpus yet");
		return 0;
	}
	for (i = 0; i < found.gl_pathc; i++)
		replay(found.gl_pathv[i]);
	globfree(&found);
	return tap_done();
}

#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# Each allocation failing in turn: a clean failure or the right bytes, never a crash or a wrong file.
. "$(dirname "$0")/common.sh"

command -v cc >/dev/null || tap_skip "cc is missing"
if nm -D "$AGENT" | grep -q __asan_init; then
	tap_skip "the sanitizers bring their own malloc"
fi
full good "$DIR/root/$LAYOUT/$RELEASE.btf.tar.xz"
mkbtf good "$DIR/good"
cat >"$DIR/nth.c" <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
static long left = -1;

__attribute__((constructor)) static void start(void)
{
	const char *n = getenv("FAIL_AT");

	left = n ? atol(n) : -1;
}

static int fails(void)
{
	if (left < 0 || left-- > 0)
		return 0;
	left = -1;
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return fails() ? NULL : __libc_realloc(p, size);
}
END
cc -shared -fPIC -O1 -w -o "$DIR/nth.so" "$DIR/nth.c" || tap_skip "cc makes no shared object"

crashed=0 wrong=0 failed=0 served=0 row=0 at=0
# Sixty in a row that were not missed, or not reached: the end.
while [ $row -lt 60 ] && [ $at -lt 2000 ]; do
	rm -rf "$DIR/cache" "$DIR/result"
	LD_PRELOAD=$DIR/nth.so FAIL_AT=$at timeout 20 "$AGENT" fetch --machine x86_64 \
		--release "$RELEASE" --host-root "$DIR/host" --tree "$DIR/root" \
		--cache "$DIR/cache" --out "$DIR/result" >/dev/null 2>"$DIR/err"
	code=$?
	if [ $code = 0 ]; then
		served=$((served + 1))
		row=$((row + 1))
		cmp -s "$DIR/result" "$DIR/good" || wrong=$((wrong + 1))
	elif [ $code -gt 5 ]; then
		crashed=$((crashed + 1))
		echo "# allocation $at: exit code $code: $(head -c 200 "$DIR/err")"
	else
		failed=$((failed + 1))
		row=0
		test ! -e "$DIR/result" || wrong=$((wrong + 1))
	fi
	at=$((at + 1))
done
is $crashed 0 "no allocation that fails makes a crash"
is $wrong 0 "nor a wrong file"
ok "$failed failed cleanly" test $failed -gt 10
ok "$served served all the same" test $served -ge 60

tap_done

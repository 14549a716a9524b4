#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# Each allocation of btfgen failing in turn: an error or the right bytes, never a crash, and no file
# that is wrong.
. "$TOP/tests/tap.sh"
. "$TOP/tests/oracle/build.sh"
[ -r $LIVE ] || tap_skip "$LIVE cannot be read"
if nm -D "$BTFGEN" | grep -q __asan_init; then
	tap_skip "the sanitizers bring their own malloc"
fi
ok "the corner cases compile" corners
cd "$TMP" || exit 1
cat >nth.c <<'END'
#include <errno.h>
#include <stdlib.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
static long left = -1;

__attribute__((constructor)) static void start(void)
{
	left = getenv("FAIL_AT") ? atol(getenv("FAIL_AT")) : -1;
}

/* Told by a file in this folder, so that the test knows its end. */
__attribute__((destructor)) static void finish(void)
{
	extern int unlink(const char *);

	if (left < 0)
		unlink("not-reached");
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

void *reallocarray(void *p, size_t n, size_t size)
{
	return fails() ? NULL : __libc_realloc(p, n * size);
}
END
cc -shared -fPIC -O1 -w -o nth.so nth.c || tap_skip "cc makes no shared object"

sweep() # name check command...: check compares after each run that gave 0
{
	local name=$1 check=$2 at=0 crashed=0 wrong=0 failed=0 silent=0 code

	shift 2
	while [ $at -lt 3000 ]; do
		rm -rf out
		: >not-reached
		LD_PRELOAD=$TMP/nth.so FAIL_AT=$at timeout 20 "$BTFGEN" "$@" >said 2>err
		code=$?
		if [ $code = 0 ]; then
			$check || wrong=$((wrong + 1))
			[ ! -e not-reached ] || break
		elif [ $code = 1 ]; then
			failed=$((failed + 1))
			[ -s err ] || silent=$((silent + 1))
		else
			crashed=$((crashed + 1))
			echo "# allocation $at: exit code $code: $(head -c 200 err)"
		fi
		at=$((at + 1))
	done
	is $crashed 0 "$name: none of $at crashes"
	is $wrong 0 "$name: none gives something wrong"
	is $silent 0 "$name: none fails without a word"
	ok "$name: $failed failed" test $failed -gt 20
	ok "$name: the last was reached" test -e not-reached
}

same_file()
{
	cmp -s out good
}

same_said()
{
	cmp -s said good-said
}

same_tree()
{
	diff -r good-tree out >/dev/null
}

objects=(corners/fields.bpf.o corners/types.bpf.o corners/enums.bpf.o)
"$BTFGEN" cut -q $LIVE small "${objects[@]}" # a small kernel: quick to read
mkdir -p archive/a/1/x86_64
cp small archive/a/1/x86_64/5.4.0.btf
cp small archive/a/1/x86_64/5.5.0.btf
"$BTFGEN" cut -q small good "${objects[@]}"
"$BTFGEN" need corners/types.bpf.o >good-said
"$BTFGEN" min -q --archive archive --out good-tree corners/fields.bpf.o
sweep cut same_file cut -q small out "${objects[@]}"
sweep need same_said need corners/types.bpf.o
sweep min same_tree min -q --jobs 1 --archive archive --out out corners/fields.bpf.o
tap_done

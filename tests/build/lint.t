#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# Each check of make lint finds what it is there for: a small project that passes, then one breach
# at a time.
. "$TOP/tests/tap.sh"
command -v clang-tidy >/dev/null || tap_skip "no clang-tidy"
project=$TMP/project
export CC=${CC:-cc} CLANG=${CLANG:-clang} O=build V=
export LISTED="btfs/good.c" LIBRARY="build/obj/btfs/good.o"
export LINT_CFLAGS="-std=gnu11 -iquote ." LINT_BPF_CFLAGS="-target bpf -iquote ."
spdx='// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause'

# A file from stdin, its licence put above.
put() # path
{
	{ echo "$spdx"; cat; } >"$project/$1"
}

fresh()
{
	rm -rf "$project"
	mkdir -p "$project"/{tests,agent,btfs,bpf,server,build/obj/btfs} || exit 1
	cp "$TOP"/.clang-{format,tidy} "$project"
	cp "$TOP"/tests/lint.sh "$TOP"/tests/lint-model.h "$project/tests"
	put agent/btfdepot.h <<<'int btfdepot(void);'
	sed -i 's|^// \(.*\)|/* \1 */|' "$project/agent/btfdepot.h"
	put bpf/events.h </dev/null
	put btfs/fail.h <<-'END'
	struct fail;
	int fail(struct fail *f, int code, const char *fmt, ...);
	int fail_in(struct fail *f, int code, const char *fmt, ...);
	END
	put btfs/good.h <<-'END'
	int good(const char *s);
	END
	put btfs/good.c <<-'END'
	#include "good.h"

	/* Never printf("..."), and no system() either. */
	int good(const char *s)
	{
	@return s[0] == '\n';
	}
	END
	sed -i 's/^@/\t/' "$project/btfs/good.c"
}

lint() # check...
{
	"$project/tests/lint.sh" "$@" >"$TMP/said" 2>&1
}

finds() # check what-it-says name: in the project as it is now
{
	lint "$1"
	is "$?" 1 "$1: $3"
	grep -qE -- "$2" "$TMP/said" || sed 's/^/# /' "$TMP/said"
	ok "$1: says where" grep -qE -- "$2" "$TMP/said"
	fresh
}

object() # path: compiled, from stdin
{
	"$CC" -fPIC -x c -c -o "$project/build/obj/$1" -
}

fresh
object btfs/good.o <<<'const char *const names[] = { "a" };'
lint
is "$?" 0 "a good project passes"
[ "$(grep -c ': ok' "$TMP/said")" = 10 ] || sed 's/^/# /' "$TMP/said"

put btfs/good.c <<<'#include "agent/btfdepot.h"'
finds includes '^btfs/good.c:2:' "the ground floor includes a room above it"
put server/main.c <<<'#include "agent/btfdepot.h"'
finds includes '^server/main.c:2:' "server meets agent"
put btfs/good.c <<<'#include "../agent/btfdepot.h"'
finds includes '^btfs/good.c:2:' "a room reaches across"
put btfs/good.c <<<'void f(char *a, char *b) { strcpy(a, b); }'
finds forbidden '^btfs/good.c: strcpy' "strcpy"
put btfs/good.c <<<'void f(void) { fprintf(stderr, "x"); }'
finds prints '^btfs/good.c: stderr' "a library prints"
put btfs/good.h <<<'int good(size_t size);'
finds headers '^btfs/good.h: ' "a header needs another"
echo 'int f(int class);' >>"$project/agent/btfdepot.h"
finds headers 'btfdepot.h: ' "the public header is no C++"
put btfs/other.c </dev/null
finds listed '^btfs/other.c: not in' "a source is forgotten"
rm "$project/btfs/good.c"
finds listed '^btfs/good.c: .* not there' "a source is gone"
object btfs/good.o <<<'int f(void) { static int n; return n++; }'
finds globals 'n\.[0-9]+ can be written' "a static variable in the library"
put btfs/good.c <<<"/* $(printf '%0101d' 0) */"
finds text '^btfs/good.c:2: over 100' "a long line"
echo 'int good(void);' >"$project/btfs/good.c"
finds text '^btfs/good.c:1: names no licence' "no licence"
put btfs/good.c <<<"/* /${project:+work}/main */"
finds text '^btfs/good.c:2:.*one machine' "a path of the machine"
printf '%s\n' '#!/bin/bash' "# $spdx" >"$project/tests/a.sh"
finds text '^tests/a.sh: begins with' "a script that cannot be run"
put btfs/good.c <<<'int  good(void);'
finds format '^btfs/good.c: clang-format' "another layout"
{
	echo 'int good(int n);'
	echo 'int good(int n)'
	echo '{'
	for i in {1..80}; do echo "	n += $i;"; done
	echo '	return n;'
	echo '}'
} | put btfs/good.c
finds tidy '^btfs/good.c:3:.*function-size' "a function over 70 lines"
put btfs/good.c <<-'END'
	void good(int a, int b, int c, int d, int e, int f, int *g) { *g = a + b + c + d + e + f; }
END
finds tidy '^btfs/good.c:2:.*function-size' "a function with seven parameters"
put btfs/good.c <<<'int good(void) { int *p = 0; return *p; }'
finds tidy '^btfs/good.c:2:.*NullDereference' "a null pointer is read"
if command -v shellcheck >/dev/null; then
	printf '%s\n' '#!/bin/bash' 'unused=1' >"$project/tests/a.sh"
	finds shells '^tests/a.sh:2:' "a careless script"
else
	skip "no shellcheck"
fi
tap_done

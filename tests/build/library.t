#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# The library as others meet it: installed, found by pkg-config, linked both ways, nothing but its
# own names visible.
. "$TOP/tests/tap.sh"
[[ $O != *san* ]] || tap_skip "a sanitized library is for the tests alone"
cd "$TOP" || exit 1
export PKG_CONFIG_PATH=$TMP/usr/lib/pkgconfig LD_LIBRARY_PATH=$TMP/usr/lib

names() # nm's options
{
	nm --defined-only "$@" | awk 'NF == 3 && $2 ~ /[A-TV-Z]/ { sub("@.*", "", $3); print $3 }' |
		grep -v '^BTFDEPOT_' | sort -u
}

build() # name compiler flag...
{
	local out=$TMP/$1 compiler=$2

	shift 2
	# shellcheck disable=SC2046 # pkg-config's words are words
	"$compiler" -Wall -Wextra -pedantic -Werror -o "$out" "$@" && "$out" >"$out.said"
}

flags() # pkg-config's options
{
	pkg-config "$@" btfdepot
}

cat >"$TMP/user.c" <<'END'
#include <btfdepot.h>
#include <stdio.h>

/* Names of ours that a user may well have too. */
int fail(void);
int fail(void)
{
	return 0;
}

int main(void)
{
	return puts(btfdepot__version()) < 0 || fail();
}
END
cp "$TMP/user.c" "$TMP/user.cc"

ok "make install" make -s install O="$O" DESTDIR="$TMP" PREFIX=/usr
ok "again, over it" make -s install O="$O" DESTDIR="$TMP" PREFIX=/usr
sed -i "s|^prefix=.*|prefix=$TMP/usr|; s|^libdir=.*|libdir=$TMP/usr/lib|" \
	"$TMP/usr/lib/pkgconfig/btfdepot.pc"

for file in bin/btfgen bin/btf-server bin/btf-agent include/btfdepot.h lib/libbtfdepot.a \
	lib/libbtfdepot.so lib/btfdepot/kernel.x86_64.bpf.o lib/btfdepot/kernel.arm64.bpf.o; do
	ok "installs $file" test -s "$TMP/usr/$file"
done
version=$(flags --modversion)
is "$(readelf -d "$TMP/usr/lib/libbtfdepot.so.$version" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')" \
	"libbtfdepot.so.0" "has its soname"

declared=$(grep -o 'btfdepot__[a-z_]*(const\|btfdepot__[a-z_]*(\(struct\|enum\|void\)' \
	agent/btfdepot.h | sed 's/(.*//' | sort -u)
is "$(names -D "$TMP/usr/lib/libbtfdepot.so")" "$declared" "the .so shows what the header declares"
is "$(names "$TMP/usr/lib/libbtfdepot.a")" "$declared" "so does the .a"

read -ra dynamic < <(flags --cflags --libs)
read -ra private < <(flags --cflags --libs --static)
private=("${private[@]/#-lbtfdepot/$TMP/usr/lib/libbtfdepot.a}")
ok "a C99 program links with the .so" build c99 "${CC:-cc}" -std=c99 "$TMP/user.c" "${dynamic[@]}"
ok "a C++ program links with it" build cxx c++ "$TMP/user.cc" "${dynamic[@]}"
ok "a program links with the .a" build static "${CC:-cc}" -std=c99 "$TMP/user.c" "${private[@]}"
is "$(cat "$TMP/c99.said")" "$version" "the library knows its version"
tap_done

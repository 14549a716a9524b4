#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# Two checkouts build identical bytes, wherever they lie: BPF line info and DWARF hold paths.
. "$TOP/tests/tap.sh"
[[ $O != *san* ]] || tap_skip "once is enough"
cd "$TOP" || exit 1

checkout() # folder
{
	mkdir -p "$1" &&
		tar -c --exclude=./build --exclude=./.git --exclude=./btfs/tree . | tar -x -C "$1"
}

built() # folder: digests of what was built in it
{
	(cd "$1/build" && find bpf obj -name '*.o' -o -name '*.a' | sort | xargs sha256sum)
}

build() # folder
{
	# Of no use twice: the programs, which are these objects linked.
	checkout "$1" && make -s -C "$1" -j2 build/obj/libbtfs.a bpf
}

ok "builds in one place" build "$TMP/a"
ok "builds in another" build "$TMP/other/place/b"
here=$(built "$TMP/a")
ok "something was built" grep -q 'bpf\.o' <<<"$here"
is "$here" "$(built "$TMP/other/place/b")" "the same bytes"
is "$(grep -rlF "$TMP" "$TMP/a/build" --include='*.o')" "" "no path of the place is in them"
tap_done

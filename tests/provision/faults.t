#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# Servers and files that are wrong in every way: each one line, the documented exit code, within the
# deadline, and nothing left in the cache.
. "$(dirname "$0")/common.sh"

start_server
NAME=$LAYOUT/$RELEASE.btf.tar.xz
full good "$DIR/root/$NAME"

# wrong MODE CODE PATTERN: the server behind $BASE/MODE
wrong() {
	rm -rf "$DIR/cache"
	fetch --url "$BASE/$1" --timeout-ms 1500 --out "$DIR/result"
	is "$CODE" "$2" "$1: exit code"
	said "$3" "$1"
	test "$MS" -lt 5000
	tap_point $? "$1: took $MS ms"
	is "$(n_cached)" 0 "$1: nothing is left in the cache"
	test ! -e "$DIR/result"
	tap_point $? "$1: nothing was written"
}

wrong status-404 3 'has none for x86_64 5\.10\.0-faults'
wrong status-410 3 'ships its own BTF'
wrong status-302 5 'HTTP 302.*not followed'
wrong status-401 5 'HTTP 401'
wrong status-429 5 'HTTP 429'
wrong status-503 5 'HTTP 503'
wrong status-500 5 'HTTP 500'
wrong status-204 5 'HTTP 204'
wrong status-206 5 'HTTP 206'
wrong status-304 5 'HTTP 304'
wrong drip 5 'in time'
wrong silent 5 'in time'
wrong cut-100 5 'cut after 100 bytes'
wrong reset 5 'reset'
wrong headers 5 'headers'
wrong interim 5 'headers'
wrong nohttp 5 'HTTP/0\.9'
wrong portal 4 'is a web page'
wrong garbage 4 'server http'
wrong endless 4 'larger than 67108864 bytes'
wrong huge 4 'larger than 67108864 bytes'
wrong flip-200 4 'server http'

kill $SERVER
wait $SERVER 2>/dev/null
SERVER=
wrong ok 5 'refused|connect'

start_server

# bad KIND PATTERN: the file that a local tree, an option and a server hold
bad() {
	rm -rf "$DIR/cache" "$DIR/root"
	full "$1" "$DIR/root/$NAME"
	fetch --tree "$DIR/root"
	is "$CODE" 4 "$1 in a tree: exit code"
	said "$2" "$1 in a tree"
	fetch --url "$BASE/ok"
	is "$CODE" 4 "$1 on a server: exit code"
	said "$2" "$1 on a server"
	mkbtf "$1" "$DIR/raw"
	fetch --btf "$DIR/raw"
	is "$CODE" 4 "$1 as a file: exit code"
	said '^path ' "$1 as a file"
	is "$(n_cached)" 0 "$1: nothing is left in the cache"
}

bad truncated '.'
bad header '.'
bad empty '.'
bad magic '.'
bad typeless 'without any type|no type'
bad cyclic 'cycl|loop|contains itself|itself|depth'
bad dangling '.'
bad foreign-order 'another architecture'
bad foreign-pointer 'another architecture'

printf '<html>' >"$DIR/root/$NAME"
fetch --tree "$DIR/root"
is "$CODE" 4 "a page instead of an archive"
said 'is a web page' "a page instead of an archive"

rm "$DIR/root/$NAME"
mkfifo "$DIR/root/$NAME"
fetch --tree "$DIR/root"
said 'not a regular file' "a FIFO in a tree does not hold us"
test "$CODE" != 0 && test "$MS" -lt 5000
tap_point $? "and fails in $MS ms"

tap_done

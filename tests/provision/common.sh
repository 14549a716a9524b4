# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# shellcheck shell=bash
#
# What the scripts beside it share: one agent call with its limits, the fault server, small BTFs.
# shellcheck source=tests/tap.sh
. "${TOP:=$PWD}/tests/tap.sh"

AGENT=${BIN:-$TOP/build/bin}/btf-agent
HERE=$TOP/tests/provision
RELEASE=5.10.0-faults+x
BUILD_ID=00112233445566778899aabbccddeeff00112233
DIR=$(mktemp -d /tmp/btfdepot-provision-XXXXXX) || exit 1
SERVER=

unset http_proxy https_proxy all_proxy ALL_PROXY
unset BTFDEPOT_URLS BTFDEPOT_TREES BTFDEPOT_CACHE BTFDEPOT_BTF BTFDEPOT_TIMEOUT_MS

finish() {
	test -z "$SERVER" || kill "$SERVER" 2>/dev/null
	rm -rf "$DIR"
}
trap finish EXIT

command -v python3 >/dev/null || tap_skip "python3 is missing"

start_server() {
	mkdir -p "$DIR/root"
	: >"$DIR/log"
	rm -f "$DIR/port"
	mkfifo "$DIR/port"
	python3 $HERE/faultd.py "$DIR/root" "$DIR/log" >"$DIR/port" &
	SERVER=$!
	read -r PORT <"$DIR/port"
	BASE=http://127.0.0.1:$PORT
}

n_requests() {
	wc -l <"$DIR/log" | tr -d ' '
}

# agent ARGS...: for the kernel that the trees here are for. Leaves CODE, OUT, ERR and MS.
agent() {
	local start
	start=$(date +%s%3N)
	timeout 60 "$AGENT" "$@" --machine x86_64 --release "$RELEASE" --host-root "$DIR/host" \
		>"$DIR/out" 2>"$DIR/err"
	CODE=$?
	MS=$(($(date +%s%3N) - start))
	OUT=$(cat "$DIR/out")
	ERR=$(cat "$DIR/err")
}

fetch() {
	agent fetch --cache "$DIR/cache" "$@"
}

# Files of BTF in the cache, and entries that name them.
n_cached() {
	find "$DIR/cache/blob" "$DIR/cache/index" -type f 2>/dev/null | wc -l | tr -d ' '
}

# said PATTERN DESCRIPTION: one line on stderr beside the cache's, and it matches
said() {
	local line

	line=$(grep -v '^cache .*: has no entry' "$DIR/err")
	is "$(wc -l <<<"$line" | tr -d ' ')" 1 "$2: one line"
	grep -Eq "$1" <<<"$line"
	tap_point $? "$2: $line"
}

# The distro's folder, as the layout has it, and an os-release that names it.
mkdir -p "$DIR/host/etc"
printf 'ID=debian\nVERSION_ID="11"\n' >"$DIR/host/etc/os-release"
LAYOUT=debian/11/x86_64

mkbtf() {
	mkdir -p "$(dirname "$2")"
	python3 $HERE/mkbtf.py "$@"
}

# full KIND FILE: in BTFHub's form
full() {
	mkdir -p "$(dirname "$2")" "$DIR/pack"
	mkbtf "$1" "$DIR/pack/$RELEASE.btf"
	tar -C "$DIR/pack" -cJf "$2" "$RELEASE.btf"
}

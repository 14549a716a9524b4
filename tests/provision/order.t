#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# Who is asked, in which order, for what, and how often.
. "$(dirname "$0")/common.sh"

start_server
ROOT=$DIR/root
FULL=$LAYOUT/$RELEASE.btf.tar.xz
ENCODED=$LAYOUT/${RELEASE/+/%2B}
mkbtf notes "$DIR/notes" $BUILD_ID
mkbtf good "$DIR/good"

forget() {
	rm -rf "$DIR/cache"
	: >"$DIR/log"
}

verdict() {
	sed -n 's/.*"verdict":"\([a-z]*\)".*/\1/p' "$DIR/out"
}

# --- full BTF, no need ---
full good "$ROOT/$FULL"
forget
fetch --url "$BASE/ok" --json --out "$DIR/result"
is "$CODE $(verdict)" "0 named" "a full file is found by its distro's path"
ok "and is written as raw BTF" cmp "$DIR/result" "$DIR/good"
is "$(cat "$DIR/log")" "ok/$ENCODED.btf.tar.xz" "with one request, '+' encoded"
is "$(n_cached)" 2 "it is kept"
is "$(find "$DIR/cache" -type f ! -perm 0400 | wc -l)" 0 "for us alone"

fetch --url "$BASE/ok" --json
is "$CODE $(verdict) $(n_requests)" "0 named 1" "the next time nobody is asked"
fetch --json
is "$CODE $(verdict)" "0 named" "the cache alone will do"
agent fetch --no-cache --url "$BASE/ok"
is "$CODE $(n_requests)" "0 2" "--no-cache asks"
BTFDEPOT_CACHE=$DIR/cache BTFDEPOT_URLS="$BASE/ok" agent fetch
is "$CODE $(n_requests)" "0 2" "the environment names cache and server"
BTFDEPOT_CACHE=/nonexistent BTFDEPOT_URLS="$BASE/status-500" fetch --url "$BASE/ok"
is "$CODE $(n_requests)" "0 2" "an option goes before the environment"

agent status --cache "$DIR/empty" --url "$BASE/ok"
is "$CODE $(n_requests)" "0 2" "status asks no server"
ok "and says so" grep -q 'not asked' "$DIR/out"
agent status --no-cache --url "$BASE/ok" --ask --json
is "$CODE $(n_requests) $(verdict)" "0 3 named" "but with --ask"

# --- local before far, the user's before all ---
forget
fetch --tree "$ROOT" --url "$BASE/ok"
is "$CODE $(n_requests)" "0 0" "a local tree goes before a server"
forget
fetch --btf "$DIR/good" --url "$BASE/ok" --json
is "$CODE $(n_requests) $(verdict) $(n_cached)" "0 0 explicit 0" \
	"a named file goes before all, and is not kept for the kernel"
forget
fetch --btf "$DIR/none" --tree "$DIR/none" --tree "$ROOT"
is "$CODE" 0 "sources that are not there are passed over"

# --- the kernel's own ---
agent fetch --no-cache --kernel-btf "$DIR/good" --url "$BASE/ok" --json --out "$DIR/own"
is "$CODE $(n_requests) $(verdict)" "0 0 native" "where the kernel has BTF nobody is asked"
ok "--out copies it" cmp "$DIR/own" "$DIR/good"
mkdir -p "$DIR/host/boot"
echo CONFIG_DEBUG_INFO_BTF=y >"$DIR/host/boot/config-$RELEASE"
agent fetch --no-cache --kernel-btf "$DIR/none"
is "$CODE" 3 "BTF that is not visible is none"
said 'not visible, but .*config.* says that this kernel has BTF' "told apart from BTF that is not there"
echo '# CONFIG_DEBUG_INFO_BTF is not set' >"$DIR/host/boot/config-$RELEASE"
agent fetch --no-cache --kernel-btf "$DIR/none"
said 'is not there: this kernel was built without BTF' "a kernel without BTF"
mkdir -p "$DIR/host/proc"
echo CONFIG_DEBUG_INFO_BTF=y | gzip >"$DIR/host/proc/config.gz"
agent fetch --no-cache --kernel-btf "$DIR/none"
said 'not visible, but .*config.gz' "by its packed configuration"
rm -r "$DIR/host/proc" "$DIR/host/boot"
mkdir -p "$ROOT/$LAYOUT"
: >"$DIR/root/$LAYOUT/$RELEASE.hasbtf"
mv "$ROOT/$FULL" "$DIR/full"
agent fetch --no-cache --tree "$ROOT"
said 'ships its own BTF' "a tree's marker that the kernel has BTF"
mkdir -p "$ROOT/debian/bullseye/x86_64"
cp "$DIR/full" "$ROOT/debian/bullseye/x86_64/$RELEASE.btf.tar.xz"
agent fetch --no-cache --tree "$ROOT"
is "$CODE" 0 "an archive's older spelling of the distro is found"
rm -r "${ROOT:?}/debian/bullseye"
mv "$DIR/full" "$ROOT/$FULL"

# --- several servers ---
forget
fetch --url "$BASE/portal" --url "$BASE/ok"
is "$CODE" 0 "a server with a wrong answer does not hide a good one"
forget
fetch --url "$BASE/drip" --url "http://localhost:$PORT/ok" --timeout-ms 3000
is "$CODE" 0 "nor does one that drips"
ok "within the deadline: $MS ms" test "$MS" -lt 8000
forget
fetch --url "$BASE/status-404" --url "$BASE/portal" --url "$BASE/status-410"
is "$CODE" 4 "one was refused, the others have none: refused"
is "$(grep -c '^server' "$DIR/err")" 3 "one line for each server"
forget
fetch --url "$BASE/status-404" --url "$BASE/status-500" --url "$BASE/status-410"
is "$CODE" 5 "one could not answer, the others have none: try later"
forget
fetch --url "$BASE/drip" --url "$BASE/ok" --url "$BASE/portal" --timeout-ms 600 --tree /nonexistent
is "$CODE" 5 "one machine that hangs is not asked again under another path"
is "$(grep -c '^server.*not asked: the same server failed' "$DIR/err")" 2 "and the lines say so"

# --- no storms ---
for mode in status-500 cut-10 reset; do
	forget
	agent fetch --no-cache --url "$BASE/$mode"
	is "$CODE $(n_requests)" "5 2" "$mode: one retry, no more"
done
forget
fetch --url "$BASE/once"
is "$CODE $(n_requests)" "0 2" "one retry repairs a connection that was cut"
for mode in status-429 status-503 status-404 status-403; do
	forget
	fetch --url "$BASE/$mode"
	first="$CODE $(n_requests)"
	fetch --url "$BASE/$mode"
	is "$CODE $(n_requests)" "$first" "$mode: not asked again soon, same exit code"
	said 'not asked again for [0-9]+ s' "$mode: remembered"
done
forget
fetch --url "$BASE/status-429"
fetch --url "$BASE/status-429"
ok "Retry-After is kept, with a jitter" grep -Eq 'again for ([1-9]|1[0-9]|2[0-2]) s' "$DIR/err"

# --- what a BPF object needs ---
object=
for f in "${BPF:-$TOP/build/bpf}"/*.x86_64.bpf.o; do
	test ! -e "$f" || object=$f
done
if [ -z "$object" ]; then
	skip "no BPF object was built"
	tap_done
fi
forget
fetch --object "$object" --notes "$DIR/notes" --url "$BASE/ok" --json
NEED=$(sed -n 's/.*"need":"\([0-9a-f]*\)".*/\1/p' "$DIR/out")
is "$CODE ${#NEED}" "0 64" "an object has a need"
is "$(tr '\n' ' ' <"$DIR/log")" "ok/min/$NEED/by-build-id/$BUILD_ID.btf \
ok/min/$NEED/by-release/x86_64/${RELEASE/+/%2B}.btf ok/min/$NEED/$ENCODED.btf \
ok/$ENCODED.btf.tar.xz " "asked by build-id, by release, by distro, then for the full file"

mkbtf good "$ROOT/min/$NEED/$LAYOUT/$RELEASE.btf"
forget
fetch --object "$object" --url "$BASE/ok" --json
is "$CODE $(verdict) $(n_requests)" "0 named 2" "no build-id is known, none is asked for"
mkbtf good "$ROOT/min/$NEED/by-release/x86_64/$RELEASE.btf"
forget
fetch --object "$object" --tree "$ROOT" --json
is "$CODE $(verdict)" "0 named" "the same from a local tree"
mkbtf good "$ROOT/min/$NEED/by-build-id/$BUILD_ID.btf"
forget
fetch --object "$object" --notes "$DIR/notes" --url "$BASE/ok" --json
is "$CODE $(verdict) $(n_requests)" "0 exact 1" "a build-id is exact"
fetch --object "$object" --notes "$DIR/notes" --json
is "$CODE $(verdict)" "0 exact" "and stays so in the cache"
fetch --object "$object" --json
is "$CODE" 3 "which does not serve a kernel without that build-id"
fetch --notes "$DIR/notes"
is "$CODE" 3 "nor what needs the full BTF"
for kind in truncated page cyclic foreign-order; do
	mkbtf $kind "$ROOT/min/$NEED/by-build-id/$BUILD_ID.btf"
	forget
	fetch --object "$object" --notes "$DIR/notes" --url "$BASE/ok"
	is "$CODE $(n_cached)" "4 0" "minimised, $kind: refused, nothing kept"
	fetch --object "$object" --notes "$DIR/notes" --tree "$ROOT"
	is "$CODE $(n_cached)" "4 0" "minimised, $kind in a tree: refused, nothing kept"
done

# --- objects that are none ---
fetch --object "$DIR/none.bpf.o"
is "$CODE" 1 "an object that does not exist"
said 'none.bpf.o: no such file' "an object that does not exist"
fetch --object "$DIR/good"
is "$CODE" 1 "a file that is no object"
said '/good' "a file that is no object"
if command -v clang >/dev/null; then
	echo 'int answer(void *ctx) { return 42; }' >"$DIR/plain.c"
	clang -g -O2 -target bpf -c "$DIR/plain.c" -o "$DIR/plain.bpf.o"
	forget
	agent fetch --object "$DIR/plain.bpf.o" --url "$BASE/ok" --cache "$DIR/unused" --json
	is "$CODE $(verdict) $(n_requests)" "0 none 0" "an object that needs nothing of a kernel"
	ok "touches nothing" test ! -e "$DIR/unused"
else
	skip "clang is missing"
fi

tap_done

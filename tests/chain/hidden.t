#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# This machine's kernel with its BTF hidden in a mount namespace: minimised from its own full BTF,
# taken from a folder and from a server, by root and by a user with few capabilities; each time
# the events of a known child arrive.
. "$TOP/tests/tap.sh"
. "$TOP/tests/server.sh"
. "$TOP/tests/known.sh"

full=/sys/kernel/btf/vmlinux
if [ -z "${HIDDEN:-}" ]; then
	[ "$(id -u)" = 0 ] || tap_skip "needs root"
	[ -r $full ] || tap_skip "this kernel has no BTF of its own to make a tree from"
	unshare -m -n true 2>/dev/null || tap_skip "no right to make namespaces"
	HIDDEN=1 exec unshare -m -n "$0"
fi
case $(uname -m) in
x86_64) arch=x86_64 ;;
aarch64) arch=arm64 ;;
*) tap_skip "no collector for $(uname -m)" ;;
esac

check_known() # name
{
	local pid

	pid=$(cat "$TMP/$1.pid")
	ok "$1: exec of a known child, by pid and comm" known_event "$TMP/$1.json" exec \
		"\"pid\":$pid,\"ppid\":$$,\"uid\":0,\"comm\":\"known7\",\"parent_comm\":\"hidden.t\","
	ok "$1: its exit, with its code" known_event "$TMP/$1.json" exit \
		"\"pid\":$pid,\"ppid\":$$,\"uid\":0,\"comm\":\"known7\",.*\"exit_code\":7,\"signal\":null,"
	is "$(cat "$TMP/$1.exit")" 0 "$1: SIGTERM ends it with 0"
	[ $tap_failed = 0 ] || tap_show "$TMP/$1.err"
}

said() # name, pattern, description
{
	ok "$1: $3" grep -Eq "$2" "$TMP/$1.err"
}

# Another user must reach what it is to run and read.
chmod 711 "$TMP"
cp "$BIN/btf-agent" "$TMP/"
known_make "$TMP"
. /etc/os-release
mkdir -p "$TMP/archive/$ID/${VERSION_ID:-0}/$arch"
cp $full "$TMP/archive/$ID/${VERSION_ID:-0}/$arch/$(uname -r).btf"
ok "btfgen makes a tree of this kernel" "$BIN/btfgen" min --out "$TMP/tree" \
	--archive "$TMP/archive" "$BPF/kernel.$arch.bpf.o"
chmod -R a+rX "$TMP/tree"

mount -t tmpfs none /sys/kernel/btf
[ -e /sys/kernel/tracing/events ] || mount -t tracefs none /sys/kernel/tracing
ip link set lo up
is "$(ls /sys/kernel/btf)" "" "the kernel's BTF is hidden"

agent=("$TMP/btf-agent" run --no-cache)
known_run tree "${agent[@]}" --tree "$TMP/tree"
check_known tree
said tree ' from tree ' "the BTF came from the folder"
if [ -e /sys/bus/event_source/devices/kprobe ] || [ -e /sys/kernel/tracing/kprobe_events ]; then
	said tree 'creds by kprobe/commit_creds' "the kprobe is attached"
else
	said tree 'creds off: kprobe/commit_creds: this kernel has no kprobes' \
		"without kprobes their program is off and the others run"
fi

ok "the server serves the tree" serve_start "$TMP/tree"
url=http://127.0.0.1:$serve_port
before=$(serve_requests)
known_run server "${agent[@]}" --url "$url" --buffer perf
check_known server
said server " from server $url" "the BTF came from the server"
said server 'events by the perf buffer' "the perf buffer can be chosen"
ok "server: it was asked" [ "$(serve_requests)" -gt "$before" ]

user=(setpriv --reuid 65534 --regid 65534 --clear-groups)
caps=-all,+bpf,+perfmon
known_run raw "${user[@]}" --inh-caps $caps --ambient-caps $caps \
	"${agent[@]}" --tree "$TMP/tree" --attach tp
check_known raw
said raw 'exec by raw_tp/' "another user with bpf and perfmon has raw tracepoints, no others"

caps=$caps,+dac_read_search
known_run tp "${user[@]}" --inh-caps $caps --ambient-caps $caps \
	"${agent[@]}" --tree "$TMP/tree" --attach tp
check_known tp
said tp 'exec by tp/' "with dac_read_search it has tracepoints"

"${user[@]}" "${agent[@]}" --tree "$TMP/tree" --max-events 1 >"$TMP/none.json" 2>"$TMP/none.err"
is $? 1 "none: without capabilities it fails"
said none 'needs root, or CAP_BPF and CAP_PERFMON' "it says what is needed"
is "$(wc -l <"$TMP/none.err")" 1 "none: in one line"
tap_done

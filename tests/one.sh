#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# Runs one test program under prove, from the project's top. Every test is a program that prints
# TAP; make check runs
#	tests/unit/*.c, tests/fuzz/*.c	compiled (a fuzzer replays its corpus)
#	tests/cli/*.sh			through tests/cli/run.sh
#	tests/*/*.t			executable scripts, with the environment below
# A test that cannot be made here prints "1..0 # SKIP reason" or, shorter, its reason as the last
# line and exits with 77. One by hand: tests/one.sh tests/serve/get.t
set -u
cd "$(dirname "$0")/.." || exit 1
TOP=$PWD
O=${O:-build}
BIN=$TOP/$O/bin
BPF=$TOP/build/bpf
SHARED=${BTFDEPOT_SHARED:-$TOP/../shared}
VM_KERNEL=${BTFDEPOT_VM_KERNEL:-}
TMP=$(mktemp -d) || exit 1
export TOP O BIN BPF SHARED VM_KERNEL TMP

# Same words everywhere, nothing from the caller's own setup, nor from the make that is running.
export LC_ALL=C TZ=UTC
unset MAKEFLAGS MAKELEVEL MFLAGS NO_COLOR http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY \
	ALL_PROXY "${!BTFDEPOT_@}"
export BTFDEPOT_SHARED=$SHARED
export ASAN_OPTIONS=${ASAN_OPTIONS:-allocator_may_return_null=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

# Not into a pipe: a server that a test left behind would keep it open, and prove waiting.
said=$(mktemp) || exit 1
trap 'rm -rf "$TMP" "$said"' EXIT
timeout -k 10 "${TEST_SECONDS:-300}" "$@" >"$said" 2>&1 </dev/null
status=$?
if [ $status = 77 ]; then
	grep -q '^1\.\.0' "$said" || sed -i '$ s/^\(# *\)\{0,1\}/1..0 # SKIP /' "$said"
	[ -s "$said" ] || echo "1..0 # SKIP it gave no reason" >"$said"
	status=0
fi
cat "$said"
[ $status != 124 ] || echo "# stopped after ${TEST_SECONDS:-300} s"
exit $status

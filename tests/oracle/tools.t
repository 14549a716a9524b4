#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# The programs of libbpf-tools, which hold their BPF objects inside: each against some kernels, and
# one BTF for all of them.
. "$TOP/tests/tap.sh"
. "$TOP/tests/oracle/build.sh"
may_ask
mapfile -t programs < <(tools)
[ ${#programs[@]} -gt 0 ] || tap_skip "libbpf-tools is not installed"
ok "the kernels are made" kernels
cat >"$TMP/list" <<'END'
debian/11/x86_64/5.10.0-30-amd64
debian/12/x86_64/6.1.0-56-amd64
debian/13/x86_64/6.18.15+deb13-amd64
END

verify() # name option...
{
	local name=$1

	shift
	"$BTFGEN" verify "$@" "${programs[@]}" >"$TMP/said" 2>&1
	tap_point $? "$name"
	sed 's/^/# /' "$TMP/said"
	ok "$name: instructions were compared" grep -qE '^[1-9][0-9]* instructions' "$TMP/said"
	ok "$name: nothing was refused" grep -q ' 0 refused' "$TMP/said"
}

verify "each with its own, here" --each --archive "$TMP/here"
if [ -d "$SHARED/archive" ]; then
	verify "each with its own" --each --archive "$SHARED/archive" --kernels "$TMP/list"
	verify "one for all" --archive "$SHARED/archive" --kernels "$TMP/list"
else
	skip "no archive of kernels"
fi
tap_done

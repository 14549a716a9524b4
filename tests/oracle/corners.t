#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# libbpf relocates each corner case with whole and with minimised BTF: every instruction must be the
# same, and what it refuses we refuse.
. "$TOP/tests/tap.sh"
. "$TOP/tests/oracle/build.sh"
may_ask
ok "the corner cases compile" corners
ok "the kernels are made" kernels
subset
cd "$TMP/corners" || exit 1

verify() # name option...
{
	local name=$1

	shift
	"$BTFGEN" verify -v "$@" >"$TMP/said" 2>&1
	tap_point $? "$name"
	grep -E '^(DIFFERENT|unasked|btfgen)' "$TMP/said" | sed 's/^/# /'
	tail -n 2 "$TMP/said" | sed 's/^/# /'
}

refused() # kernel: the twins that libbpf refuses there
{
	sed -n "s|^refused  *[^ ]*/$1  twins-\(.*\)\.bpf\.o:.*|\1|p" "$TMP/said" | sort | tr '\n' ' '
}

verify "one by one, here" --each --archive "$TMP/here" ./*.bpf.o
if [ -e "$TMP/here/made/up/x86_64/world.btf" ]; then
	sed -i 's|  \./|  |' "$TMP/said"
	is "$(refused world)" "LATE MOVED SIZE " "libbpf refuses twins that disagree, and no others"
	ok "which it says where the order counts" \
		grep -q '^refused .*twins-LATE.*field offset ambiguity' "$TMP/said"
	ok "and we where it does not" grep -q '^refused .*twins-MOVED.*: ambiguous: byte_off' "$TMP/said"
	ok "a type's absence may hang on a pointer" \
		grep -q '^same .*world  types' "$TMP/said"
else
	skip "no clang-16 or bpftool to make up a kernel with"
fi

# The union of several needs: libbpf prunes in the order of each object.
verify "twins together" --archive "$TMP/here" twins-{PRUNED,LATE,ONLY_A,BOTH,EMPTY}.bpf.o
verify "the others together" --archive "$TMP/here" {fields,types,enums,chains}*.bpf.o

if [ -d "$SHARED/archive" ]; then
	verify "one by one, kernels of every sort" --each --archive "$SHARED/archive" \
		--kernels "$TMP/subset.list" ./*.bpf.o
	sed -i 's|  \./|  |' "$TMP/said"
	is "$(refused 6.1.0-56-amd64)" "IRQ NUMBER " "ambiguous structs of a real kernel are refused"
	is "$(grep -cE '^(same|refused)' "$TMP/said")" $((8 * $(ls ./*.bpf.o | wc -l))) \
		"every pair was asked"
	ok "ids of types are seen to differ" grep -qE ' [1-9][0-9]* hold a type' "$TMP/said"
	ok "poisoned instructions are seen" grep -qE ' [1-9][0-9]* poisoned in both' "$TMP/said"
else
	skip "no archive of kernels"
fi
tap_done

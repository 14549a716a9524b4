#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# "btfgen cut --no-probe" writes the bytes that "bpftool gen min_core_btf" writes, for 64-bit
# little-endian kernels. Elsewhere the two differ, and each case is named here with its reason.
. "$TOP/tests/tap.sh"
. "$TOP/tests/oracle/build.sh"
command -v bpftool >/dev/null || tap_skip "bpftool is missing"
ok "the corner cases compile" corners
ok "the kernels are made" kernels
mkdir -p "$TMP/tools"
mapfile -t programs < <(tools)
[ ${#programs[@]} = 0 ] || python3 "$HERE/extract.py" "$TMP/tools" "${programs[@]}" >/dev/null

# A need has no order: where libbpf may prune candidates in several ways, all are kept.
# twins-LATE: libbpf refuses the object for its order; what is cut serves others of the same need.
# types, matches on the made-up kernel: bpftool's output lets a type appear that is not there.
# twins-GAP: in bpftool's an array becomes the last member, and flexible by that.
# types elsewhere: key_ref_t leads to a forward declaration, which bpftool cannot write.
world_differs="matches twins-BOTH twins-EMPTY twins-EXISTS twins-GAP twins-OVERLAP twins-PRUNED types types-16"
world_alone="twins-LATE"
real_differs="twins-SUN"
real_alone="types types-16"

compare() # BTF object...: counts into same, names into differ, alone and never
{
	local btf=$1 object name theirs ours

	same=0 differ='' alone='' never='' theirs_alone=''
	shift
	for object; do
		name=$(basename "$object")
		name=${name%%.*}
		bpftool gen min_core_btf "$btf" "$TMP/theirs" "$object" >/dev/null 2>&1
		theirs=$?
		"$BTFGEN" cut -q --no-probe "$btf" "$TMP/ours" "$object" >/dev/null 2>&1
		ours=$?
		case $((theirs != 0))$((ours != 0)) in
		00)	if cmp -s "$TMP/theirs" "$TMP/ours"; then
				same=$((same + 1))
			else
				differ+="$name "
			fi ;;
		10)	alone+="$name " ;;
		01)	theirs_alone+="$name " ;;
		11)	never+="$name " ;;
		esac
	done
}

words() # text: sorted
{
	# shellcheck disable=SC2086 # words
	printf '%s\n' $1 | sort | tr '\n' ' '
}

judge() # kernel differ alone
{
	is "$(words "$differ")" "$(words "$2")" "$1: $same the same, the others are known"
	is "$(words "$alone")" "$(words "$3")" "$1: what bpftool cannot do"
	is "$theirs_alone" "" "$1: it can do nothing that we cannot"
	ok "$1: there is something to compare" [ "$same" -gt 5 ]
}

only() # names: those of them that were compiled
{
	local name

	for name in $1; do
		[ ! -e "$TMP/corners/$name.bpf.o" ] || echo "$name"
	done
}

world=$TMP/here/made/up/x86_64/world.btf
if [ -e "$world" ]; then
	compare "$world" "$TMP"/corners/*.o
	judge "made-up kernel" "$(only "$world_differs")" "$world_alone"
	is "$(words "$never")" "twins-MOVED twins-SIZE " "both refuse what is ambiguous"
else
	skip "no clang-16 to make up a kernel with"
fi
shopt -s nullglob
for kernel in debian/12/x86_64/6.1.0-56-amd64 debian/13/x86_64/6.18.15+deb13-amd64; do
	file=$SHARED/archive/$kernel.btf.tar.xz
	[ -e "$file" ] || { skip "no $kernel"; continue; }
	tar -xJOf "$file" >"$TMP/kernel.btf"
	compare "$TMP/kernel.btf" "$TMP"/corners/*.o "$TMP"/tools/*.o
	judge "$kernel" "$real_differs" "$(only "$real_alone")"
done

# All objects at once.
if [ -s "$TMP/kernel.btf" ] && [ ${#programs[@]} -gt 0 ]; then
	bpftool gen min_core_btf "$TMP/kernel.btf" "$TMP/theirs" "$TMP"/tools/*.o >/dev/null 2>&1
	"$BTFGEN" cut -q --no-probe "$TMP/kernel.btf" "$TMP/ours" "$TMP"/tools/*.o
	ok "all tools at once: the same bytes" cmp "$TMP/theirs" "$TMP/ours"
	"$BTFGEN" cut -q --no-probe "$TMP/kernel.btf" "$TMP/ours" "${programs[@]}"
	ok "and from the programs as they are" cmp "$TMP/theirs" "$TMP/ours"
fi
tap_done

#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# btfgen beside bpftool gen min_core_btf and xz, in the same run. Whole kernels come from this
# machine and, where it is there, from ../shared; objects from Debian's libbpf-tools and a made one
# that reads members of 300 structs. Results go to memory: neither side waits for a disk.
set -eu
cd "$(dirname "$0")/../.."
: "${O:=build}" "${SHARED:=../shared}" "${RUNS:=15}"
btfgen=$PWD/$O/bin/btfgen
work=$(mktemp -d /dev/shm/btfdepot-bench.XXXXXX)
trap 'rm -rf "$work"' EXIT
measure() { python3 tests/bench/measure.py "$@"; }

bpftool=$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v bpftool) || {
	echo "bench: no bpftool to measure against"
	exit 0
}
host=/sys/kernel/btf/vmlinux
[ -r "$host" ] || host=$(find "$SHARED/kernels" -name vmlinux.btf 2>/dev/null | head -n 1)
[ -n "$host" ] || { echo "bench: no kernel's BTF on this machine"; exit 0; }
cp "$host" "$work/kernel.btf"
"$bpftool" btf dump file "$work/kernel.btf" format raw | python3 tests/bench/large.py 300 >"$work/large.bpf.c"
clang -g -O2 -target bpf -c "$work/large.bpf.c" -o "$work/large.bpf.o"
llvm-strip -g "$work/large.bpf.o"

one() # title kernel object runs
{
	measure -n "$4" "$1" "$btfgen" cut --no-probe "$2" "$work/ours.btf" "$3" -- \
		"$bpftool" gen min_core_btf "$2" "$work/peer.btf" "$3"
	cmp "$work/ours.btf" "$work/peer.btf" && echo "  the outputs are identical"
}

small=build/bpf/kernel.x86_64.bpf.o
one "one kernel ($(stat -c %s "$work/kernel.btf") bytes), small object ($small)" \
	"$work/kernel.btf" "$small" "$RUNS"
one "one kernel, large object (900 relocations of 300 structs)" \
	"$work/kernel.btf" "$work/large.bpf.o" $((RUNS / 3 + 1))

[ -d "$SHARED/archive" ] || { echo "bench: the rest wants ../shared/archive"; exit 0; }
mkdir "$work/raw"
(cd "$SHARED/archive" && find . -name '*.btf.tar.xz') | while read -r i; do
	mkdir -p "$work/raw/${i%/*}"
	tar -xJf "$SHARED/archive/$i" -C "$work/raw/${i%/*}"
done
monster=$(find "$work/raw" -name '*.btf' -size +20M | head -n 1)
[ -z "$monster" ] || one "the largest kernel ($(stat -c %s "$monster") bytes), large object" \
	"$monster" "$work/large.bpf.o" 3

# The programs carry their objects inside; bpftool wants them cut out.
mapfile -t programs < <(dpkg -L libbpf-tools 2>/dev/null | grep bin/)
[ "${#programs[@]}" -gt 0 ] || { echo "bench: the rest wants the package libbpf-tools"; exit 0; }
python3 tests/bench/objects.py "$work/objects" "${programs[@]}"
find "$work/raw" -name '*.btf' >"$work/kernels"
find "$work/objects" -name '*.o' >"$work/names"
while read -r k; do sed "s|^|$k |" "$work/names"; done <"$work/kernels" >"$work/pairs"
cat >"$work/one.sh" <<END
"$bpftool" gen min_core_btf "\$1" "$work/peer.\$\$" "\$2" 2>/dev/null
rm -f "$work/peer.\$\$"
END
echo "xargs -P2 -L1 sh '$work/one.sh' <'$work/pairs' || true" >"$work/loop.sh"
min="$btfgen min -q --out $work/tree --archive $SHARED/archive"
$min --each --work "$work/copy" "$work"/objects/*.o >/dev/null 2>&1 || true
measure -n 1 "$(wc -l <"$work/kernels") kernels by $(wc -l <"$work/names") objects, working copy prepared;
peer: a loop of bpftool over raw files, two at a time" \
	"rm -rf $work/tree; $min --each --work $work/copy $work/objects/*.o 2>/dev/null || true" -- \
	bash "$work/loop.sh"
measure -n 5 "a new object over the prepared archive; peer: bpftool on one kernel" \
	"rm -rf $work/tree; $min --work $work/copy $small || true" -- \
	"$bpftool gen min_core_btf $work/kernel.btf $work/peer.btf $small"
measure -n 2 "the same objects from cold archives, no copy kept; peer: xz -dc alone, one after the other" \
	"rm -rf $work/tree; $min --each --no-work $work/objects/*.o 2>/dev/null || true" -- \
	"find $SHARED/archive -name '*.xz' -exec xz -dc {} + >/dev/null"

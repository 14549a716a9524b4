#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# seeds.sh FOLDER: good inputs for the fuzzers of BTF, objects and needs, made of what the tests of
# the oracle compile: FOLDER/view, object, need, minimize; without clang there are none of these. And
# of kernels and packages, as the tests of ingest make them: FOLDER/kernelimage, packageindex.
set -u
TOP=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
BIN=$TOP/${O:-build}/bin
TMP=$(mktemp -d) || exit 1
export TOP BIN TMP
trap 'rm -rf "$TMP"' EXIT
. "$TOP/tests/oracle/build.sh"
out=$1

swap() # BTF: in the other byte order
{
	python3 - "$1" <<'END'
import struct
import sys

LENGTH = {1: 16, 3: 24, 14: 16, 17: 16}
EACH = {4: 12, 5: 12, 15: 12, 19: 12, 6: 8, 13: 8}
data = open(sys.argv[1], "rb").read()
head = list(struct.unpack_from("<HBBIIIII", data))
types = data[head[3] + head[4]:][:head[5]]
strs = data[head[3] + head[6]:][:head[7]]
words = struct.unpack(f"<{len(types) // 4}I", types)
sys.stdout.buffer.write(struct.pack(">HBBIIIII", *head))
sys.stdout.buffer.write(struct.pack(f">{len(words)}I", *words) + strs)
END
}

join() # BTF need
{
	local size

	size=$(stat -c %s "$1")
	# shellcheck disable=SC2059 # the format is made here
	printf "\\x$(printf %02x $((size & 255)))\\x$(printf %02x $((size >> 8)))"
	cat "$1"
	tail -n +2 "$2"
}

mkdir -p "$out"/{view,object,need,minimize}
mkdir -p "$out"/{kernelimage,packageindex}
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$TOP/tests/ingest python3 - "$out" <<'END'
import sys
from kernels import *

vmlinux = elf()
forms = {"vmlinux": vmlinux, "image": image(), "zboot": zboot(pack(image(), "gzip"), "gzip")}
forms.update({"bzimage-" + how: bzimage(pack(vmlinux, how)) for how in PACKERS})
for name, data in forms.items():
    pathlib.Path(sys.argv[1], "kernelimage", name).write_bytes(data)
pathlib.Path(sys.argv[1], "packageindex", "rpm").write_bytes(b"r" + rpm([("boot/vmlinuz-1", b"x")]))
END
corners && kernels || exit 0
world=$TMP/here/made/up/x86_64/world.btf
for object in "$TMP"/corners/*.o; do
	name=$(basename "$object" .bpf.o)
	llvm-strip -g -o "$out/object/$name" "$object"
	llvm-objcopy --dump-section ".BTF=$out/view/$name" "$object" "$TMP/copy.o"
	"$BTFGEN" need "$object" >"$out/need/$name"
	for kernel in "$world" "$TMP/here/live/1/x86_64/live.btf"; do
		"$BTFGEN" cut -q "$kernel" "$TMP/min" "$object" 2>/dev/null || continue
		swap "$TMP/min" >"$TMP/swapped"
		cp "$TMP/min" "$out/view/$name-min"
		cp "$TMP/swapped" "$out/view/$name-swapped"
		join "$TMP/min" "$out/need/$name" >"$out/minimize/$name"
		join "$TMP/swapped" "$out/need/$name" >"$out/minimize/$name-swapped"
	done
	[ ! -e "$world" ] || join "$world" "$out/need/$name" >"$out/minimize/$name-world"
done
[ ! -e "$world" ] || { cp "$world" "$out/view/world"; swap "$world" >"$out/view/world-swapped"; }

# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# shellcheck shell=bash
# One line per finding; errors decide the exit code, notes do not.
. "$TOP/tests/cli/kernels.bash"
kernel ubuntu/20.04/x86_64/5.4.0-77-generic 100
"$BIN/btfgen" lint archive/ubuntu/20.04/x86_64/5.4.0-77-generic.btf
echo "exit $?"
cp archive/ubuntu/20.04/x86_64/5.4.0-77-generic.btf good
mkdir -p archive/debian/12/{s390x,x86_64}
cp good archive/debian/12/s390x/6.1.0-1-s390x.btf
cp good archive/debian/12/x86_64/6.1.0+debug.btf
head -c 60 good >archive/debian/12/x86_64/6.1.0-cut.btf
echo junk >archive/debian/12/x86_64/6.1.0-junk.btf
cp good other.btf
tar -cJf archive/debian/12/x86_64/6.1.0-member.btf.tar.xz other.btf
python3 - archive/debian/12/x86_64/6.1.0 <<'END'
import struct
import sys

def write(name, types):
    strs = b"\0page\0"
    words = struct.pack(f"<{len(types)}I", *types)
    head = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(words), len(words), len(strs))
    with open(sys.argv[1] + name + ".btf", "wb") as f:
        f.write(head + words + strs)

write("-empty", [])
write("-often", [1, 4 << 24, 8] * 32)
write("-seldom", [1, 4 << 24, 8] * 31 + [1, 16 << 24, 4])
END
"$BIN/btfgen" lint --archive archive
echo "exit $?"
"$BIN/btfgen" lint -q --archive archive | wc -l
"$BIN/btfgen" lint --json archive/debian/12/x86_64/6.1.0-empty.btf
"$BIN/btfgen" lint

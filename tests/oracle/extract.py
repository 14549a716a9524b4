#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""extract.py FOLDER PROGRAM...: writes the BPF objects that programs have inside, for tools that
do not look for them themselves: FOLDER/PROGRAM.N.o, and that name to standard output."""

import os
import struct
import sys

EM_BPF = 247


def objects(data):
    at = data.find(b"\x7fELF", 0)
    while at >= 0:
        head = data[at:at + 64]
        if len(head) == 64 and struct.unpack_from("<H", head, 18)[0] == EM_BPF:
            sections, = struct.unpack_from("<Q", head, 40)
            size, n = struct.unpack_from("<HH", head, 58)
            yield data[at:at + sections + size * n]
        at = data.find(b"\x7fELF", at + 4)


for program in sys.argv[2:]:
    with open(program, "rb") as f:
        found = list(objects(f.read()))
    for n, data in enumerate(found):
        name = f"{sys.argv[1]}/{os.path.basename(program)}.{n}.o"
        with open(name, "wb") as f:
            f.write(data)
        print(name)

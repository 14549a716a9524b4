#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""Cuts the BPF objects out of programs that embed them: objects.py FOLDER PROGRAM..."""
import os
import struct
import sys

ET_REL, EM_BPF = 1, 247


def objects(data):
    at = data.find(b"\x7fELF")
    while at >= 0:
        if len(data) - at >= 64 and struct.unpack_from("<HH", data, at + 16) == (ET_REL, EM_BPF):
            sections, = struct.unpack_from("<Q", data, at + 40)
            size, count = struct.unpack_from("<HH", data, at + 58)
            yield data[at:at + sections + size * count]
        at = data.find(b"\x7fELF", at + 4)


def main(folder, programs):
    os.makedirs(folder, exist_ok=True)
    for program in programs:
        with open(program, "rb") as f:
            for i, elf in enumerate(objects(f.read())):
                name = f"{os.path.basename(program)}{i or ''}.bpf.o"
                with open(os.path.join(folder, name), "wb") as out:
                    out.write(elf)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])

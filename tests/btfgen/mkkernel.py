#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""mkkernel.py FILE OFFSET: the BTF of a kernel in which task_struct.pid is at that byte."""

import struct
import sys

strings = b"\0unsigned int\0task_struct\0pid\0other\0"
at = strings.index
INT, STRUCT = 1 << 24, 4 << 24


def word(*values):
    return struct.pack(f"<{len(values)}I", *values)


offset = int(sys.argv[2])
types = word(at(b"unsigned"), INT, 4, 32)
types += word(at(b"task"), STRUCT | 2, offset + 8)
types += word(at(b"pid"), 1, offset * 8) + word(at(b"other"), 1, offset * 8 + 32)
head = struct.pack("<HBB", 0xEB9F, 1, 0) + word(24, 0, len(types), len(types), len(strings))
with open(sys.argv[1], "wb") as f:
    f.write(head + types + strings)

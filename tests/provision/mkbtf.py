#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""Writes a small raw BTF, sound or not: mkbtf.py KIND FILE; or ELF notes: mkbtf.py notes FILE HEX"""
import struct
import sys

INT, STRUCT, TYPEDEF = 1, 4, 8
STRINGS = b"\0long unsigned int\0task\0pid\0loop\0"


def name(s):
    return STRINGS.index(b"\0" + s + b"\0") + 1 if s else 0


def btf(types, e="<", strings=STRINGS):
    body = b"".join(types)
    head = struct.pack(e + "HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(body), len(body), len(strings))
    return head + body + strings


def type_(e, n, kind, vlen, size_or_type, rest=b""):
    return struct.pack(e + "III", name(n), kind << 24 | vlen, size_or_type) + rest


def long_(e="<", size=8):
    return type_(e, b"long unsigned int", INT, 0, size, struct.pack(e + "I", size * 8))


def task(e="<", size=8):
    return type_(e, b"task", STRUCT, 1, size, struct.pack(e + "III", name(b"pid"), 1, 0))


def notes(build_id):
    return struct.pack("=III", 4, len(build_id), 3) + b"GNU\0" + build_id


ORDER = "<" if sys.byteorder == "little" else ">"
OTHER = ">" if ORDER == "<" else "<"
GOOD = btf([long_(ORDER), task(ORDER)], ORDER)
KINDS = {
    "good": GOOD,
    "truncated": GOOD[:-20],
    "header": GOOD[:10],
    "empty": b"",
    "blank": b"\n\n",
    "page": b"\n <html><body>log in</body></html>",
    "magic": b"\x7fELF" + GOOD[4:],
    "typeless": btf([], ORDER, b"\0"),
    "cyclic": btf([long_(ORDER), type_(ORDER, b"loop", TYPEDEF, 0, 3),
                   type_(ORDER, b"loop", TYPEDEF, 0, 2), task(ORDER)], ORDER),
    "dangling": btf([long_(ORDER), type_(ORDER, b"loop", TYPEDEF, 0, 77)], ORDER),
    "foreign-order": btf([long_(OTHER), task(OTHER)], OTHER),
    "foreign-pointer": btf([long_(ORDER, 4), task(ORDER, 4)], ORDER),
}

with open(sys.argv[2], "wb") as out:
    out.write(notes(bytes.fromhex(sys.argv[3])) if sys.argv[1] == "notes" else KINDS[sys.argv[1]])

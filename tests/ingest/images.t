#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# BTF out of kernels in every form, and what they say of themselves.
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kernels import *

GIVEN = ["--distro", "ubuntu", "--distro-version", "18.04"]
HERE = f"ubuntu/18.04/x86_64/{RELEASE}.btf.tar.xz"


def comes_out(source, name, path=HERE, btf_=BTF, *options):
    archive = Archive()
    status, reports = archive.ingest(*GIVEN, *options, source)
    if status or not (archive.root / path).exists():
        ok(False, f"{name}: {status} {reports} {archive.err}")
        return {}
    data, about = archive.btf(path)
    same((data == btf_, about["kernel_version"], about.get("uname_version"), about.get("build_id")),
         (True, RELEASE, VERSION, BUILD_ID.hex()), name)
    return about


vmlinux = elf()
about = comes_out(write("vmlinux", vmlinux), "vmlinux")
same({k: about.get(k) for k in ("arch", "btf_from", "btf_bytes", "btf_types", "btf_sha256", "package", "pahole")},
     {"arch": "x86_64", "btf_from": "kernel", "btf_bytes": len(BTF), "btf_types": 3,
      "btf_sha256": hashlib.sha256(BTF).hexdigest(), "package": None, "pahole": None}, "what is written beside it")
for how in PACKERS:
    comes_out(write(f"bz-{how}", bzimage(pack(vmlinux, how))), f"bzImage with {how}")
    comes_out(write(f"vmlinux-{RELEASE}{SUFFIXES[how]}", PACKERS[how](vmlinux)), f"vmlinux{SUFFIXES[how]}")
big = elf(sections={".data": bytes(20 << 20)})
comes_out(write("bz-blocks", bzimage(pack(big, "lz4"))), "bzImage with LZ4 of several blocks")
comes_out(write("bz-far", bzimage(pack(big, "zstd"))), "bzImage with a large window of zstd")
ARM = f"ubuntu/18.04/arm64/{RELEASE}.btf.tar.xz"
comes_out(write("Image", image()), "arm64 Image: its own note, not the vDSO's; BTF, not what looks like it", ARM)
comes_out(write("Image.gz", PACKERS["gzip"](image())), "Image.gz", ARM)
for how in ("gzip", "zstd"):
    comes_out(write(f"zboot-{how}", zboot(pack(image(), how), how)), f"zboot image with {how}", ARM)
comes_out(write("Image-riscv", image(b"RSC\x05")), "riscv64 Image", ARM.replace("arm64", "riscv64"))
comes_out(write("arm", elf(machine=40)), "arm, told by --arch which", ARM.replace("arm64", "armhf"), BTF, "--arch",
          "armhf")
other = btf(e=">")
comes_out(write("be", elf(btf=other)), "BTF of the other byte order stays as it is", HERE, other)

# What is known of none.
weak = Archive()
status, reports = weak.ingest(*GIVEN, write("weak", elf(sections={".rodata": greeting(version="# SMP")})))
same((status, reports[0].get("uname_version"), reports[0]["kernel_version"]), (0, None, RELEASE),
     "a greeting without the build's number tells no uname -v")
twice = image(sections={"more": note(bytes(range(20)))})
status, reports = weak.ingest(*GIVEN, write("twice", twice))
same((status, reports[0].get("build_id")), (0, None), "two notes in an Image: no build-id is better than a wrong one")

# What is no kernel, or damaged: one line, exit 1, nothing written.
bad = Archive()
bzip2 = bzimage(bz2.compress(vmlinux))
old = bytearray(bzimage(pack(vmlinux, "gzip")))
old[0x206] = 7
zimage = bytearray(image(b"\0\0\0\0"))
zimage[0x24:0x28] = struct.pack("<I", 0x016F2818)
for name, data, why in [
        ("empty", b"", "empty"), ("text", b"#!/bin/sh\n" * 100, "not a kernel"),
        ("object", elf(type_=1), "no executable"), ("machine", elf(machine=4711), "machine"),
        ("plain", elf(btf=None), "neither BTF nor DWARF"), ("empty-btf", elf(btf=EMPTY_BTF), "empty"),
        ("no-btf", elf(btf=b""), "empty"),
        ("bad-btf", elf(btf=BTF[:-3]), "its BTF"), ("module", elf(btf=btf(("snd_card",))), "task_struct"),
        ("bz-bzip2", bzip2, "bzip2"), ("bz-old", bytes(old), "2.07"), ("zImage", bytes(zimage), "zImage"),
        ("lz4-frame", b"\x04\x22\x4d\x18" + bytes(100), "LZ4 frame"),
        ("silent", image(sections={".rodata": None}), "which Linux"),
        ("bz-text", bzimage(pack(b"text" * 1000, "gzip")), "not a kernel"),
        ("onion", gzip.compress(gzip.compress(gzip.compress(gzip.compress(vmlinux)))), "more than 3 times"),
        ("bomb", gzip.compress(bytes(80 << 20)), "unpacks to more"),
        ("bz-bomb", bzimage(pack(bytes(80 << 20), "zstd")), "unpacks to more")]:
    bad.refused(write("bad/" + name, data), why, name, *GIVEN)
for how in PACKERS:
    whole = bzimage(pack(vmlinux, how))
    cut = bytearray(bzimage(pack(vmlinux, how)[:len(pack(vmlinux, how)) // 2]))
    bad.refused(write(f"bad/{how}-half", bytes(cut)), "", f"{how} payload cut in half", *GIVEN)
    bad.refused(write(f"bad/{how}-file", whole[:1900]), "cut short", f"{how}: file cut short", *GIVEN)
for n in (1, 63, 64, 700, len(vmlinux) - 1):
    bad.refused(write(f"bad/elf-{n}", vmlinux[:n]), "", f"vmlinux cut after {n} bytes", *GIVEN)
os.mkfifo(TMP / "fifo")
bad.refused(TMP / "fifo", "not a regular file", "FIFO", *GIVEN)
bad.refused(TMP / "none", "No such file", "no file", *GIVEN)
same(bad.content(), {}, "nothing was written")
done()

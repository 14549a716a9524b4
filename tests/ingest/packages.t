#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# Kernels out of .deb and .rpm, which of several files is taken, and what is refused.
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kernels import *

UBUNTU = ["--distro-version", "18.04"]
HERE = f"ubuntu/18.04/x86_64/{RELEASE}.btf.tar.xz"
kernel = bzimage(pack(elf(), "lz4"))
vmlinux = elf()
usual = [("boot", None), ("boot/System.map-" + RELEASE, b"map"), ("boot/vmlinuz-" + RELEASE, kernel),
         ("lib/modules/" + RELEASE + "/kernel/lib/x.ko", b"module" * 5000),
         ("lib/modules/" + RELEASE + "/build", ("symlink", "/usr/src/" + RELEASE))]


def comes_out(name, data, about, path=HERE, *options):
    archive = Archive()
    status, reports = archive.ingest(*options, write(name, data))
    if status or not (archive.root / path).exists():
        ok(False, f"{name}: {status} {reports} {archive.err}")
        return
    found, beside = archive.btf(path)
    same((found == BTF, {k: beside.get(k) for k in about}), (True, about), name)


told = {"package": "linux-image-unsigned-" + RELEASE, "package_version": "5.4.0-42.46~18.04.1",
        "package_arch": "amd64",
        "build_id": BUILD_ID.hex(), "uname_version": VERSION, "btf_from": "kernel"}
for how in ("gzip", "xz", "zstd", "bzip2", "lzma", "none"):
    comes_out(f"{how}.deb", deb(usual, how=how), told, HERE, *UBUNTU)
debug = f"usr/lib/debug/boot/vmlinux-{RELEASE}"
comes_out("debug.ddeb", deb([(debug, vmlinux), (f"usr/lib/debug/lib/modules/{RELEASE}/vmlinux", ("symlink", "../x"))],
                            name="linux-image-unsigned-" + RELEASE + "-dbgsym"),
          {**told, "package": "linux-image-unsigned-" + RELEASE + "-dbgsym"}, HERE, *UBUNTU)
comes_out("both.deb", deb([("boot/vmlinuz-" + RELEASE, kernel), (debug, elf(build_id=bytes(range(20))))]),
          {"build_id": bytes(range(20)).hex()}, HERE, *UBUNTU)
comes_out("both-round.deb", deb([(debug, elf(build_id=bytes(range(20)))), ("boot/vmlinuz-" + RELEASE, kernel)]),
          {"build_id": bytes(range(20)).hex()}, HERE, *UBUNTU)
comes_out("twice.deb", deb(usual + [(f"usr/lib/modules/{RELEASE}/vmlinuz", kernel)]), told, HERE, *UBUNTU)
comes_out("packed.deb", deb([(f"boot/vmlinux-{RELEASE}.gz", gzip.compress(vmlinux))]), told, HERE, *UBUNTU)

EL8 = "4.18.0-147.5.1.el8_1.aarch64"
arm = gzip.compress(image(release=EL8))
inside = [("lib/modules", None), (f"lib/modules/{EL8}/vmlinuz", arm), (f"lib/modules/{EL8}/System.map", b"x"),
          (f"boot/vmlinuz-{EL8}", ("symlink", "../x"))]
told = {"package": "kernel-core", "package_version": "4.18.0-147.5.1.el8_1", "package_arch": "aarch64",
        "distribution": "centos", "distribution_version": "8", "build_id": BUILD_ID.hex(), "kernel_version": EL8}
for how in ("gzip", "xz", "zstd", "bzip2", "lzma"):
    comes_out(f"{how}.rpm", rpm(inside, how=how), told, f"centos/8/arm64/{EL8}.btf.tar.xz")
FC = "5.3.7-301.fc31.x86_64"
comes_out("debuginfo.rpm", rpm([(f"usr/lib/debug/lib/modules/{FC}/vmlinux", elf(release=FC))], "kernel-debuginfo",
                               "5.3.7",
                               "301.fc31", "x86_64", "Fedora Project", "zstd"),
          {"package": "kernel-debuginfo", "distribution": "fedora", "distribution_version": "31"},
          f"fedora/31/x86_64/{FC}.btf.tar.xz")
SUSE = "4.4.103-6.33-default"
comes_out("suse.rpm", rpm([(f"boot/vmlinux-{SUSE}.gz", gzip.compress(elf(release=SUSE))),
                           (f"boot/vmlinuz-{SUSE}", b"x" * 99)],
                          "kernel-default", "4.4.103", "6.33.1", "x86_64", "SUSE LLC <https://www.suse.com/>"),
          {"kernel_version": SUSE}, f"sles/12.3/x86_64/{SUSE}.btf.tar.xz", "--distro", "sles", "--distro-version",
          "12.3")
if shutil.which("rpmbuild"):
    root = TMP / "rpmbuild"
    spec = write("kernel.spec", f"""Name: kernel-core
Version: 5.3.7
Release: 301.fc31
Summary: a kernel
License: GPL-2.0-only
Vendor: Fedora Project
%description
A kernel.
%install
mkdir -p %{{buildroot}}/lib/modules/{FC}
cp {write("rpm-vmlinuz", bzimage(pack(elf(release=FC), "zstd"), release=FC))} %{{buildroot}}/lib/modules/{FC}/vmlinuz
%files
/lib/modules/{FC}
""".encode())
    subprocess.run(["rpmbuild", "-bb", "--quiet", "--target", "x86_64", "--define", f"_topdir {root}", spec],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (made,) = list(root.rglob("*.rpm")) or [None]
    comes_out("made-by-rpmbuild.rpm", made.read_bytes() if made else b"",
              {"distribution": "fedora", "kernel_version": FC},
              f"fedora/31/x86_64/{FC}.btf.tar.xz")
else:
    skip("made-by-rpmbuild.rpm", "no rpmbuild here")

# Refused: one line, exit 1, nothing written.
bad = Archive()
whole = deb(usual)
for name, data, why in [
        ("headers.deb", deb([("usr/src/linux-headers/Makefile", b"all:")], name="linux-headers-5.4.0-42"),
         "holds no kernel"),
        ("empty.deb", deb([]), "holds no kernel"),
        ("link.deb", deb([("boot/vmlinuz-" + RELEASE, ("symlink", str(write("target", kernel))))]),
         "holds no kernel"),
        ("hard.deb", deb([("boot/x", kernel), ("boot/vmlinuz-" + RELEASE, ("link", "./boot/x"))]), "holds no kernel"),
        ("elsewhere.deb", deb([("usr/share/doc/vmlinuz-" + RELEASE, kernel)]), "holds no kernel"),
        ("two.deb", deb([("boot/vmlinuz-5.4.0-1", kernel), ("boot/vmlinuz-5.4.0-2", kernel)]), "two kernels"),
        ("text.deb", deb([("boot/vmlinuz-" + RELEASE, b"text")]), "not a kernel"),
        ("nocontrol.deb", ar([("debian-binary", b"2.0\n"), ("data.tar", tar(usual))]), "control file"),
        ("nodata.deb", ar([("debian-binary", b"2.0\n"), ("control.tar", tar([("control", b"Package: x\n")]))]),
         "content"),
        ("members.deb", ar([(str(i), b"") for i in range(99)]), "members"),
        ("notar.deb", ar([("debian-binary", b"2.0\n"), ("control.tar", b"text" * 500)]), "control file"),
        ("bomb.deb", deb([("usr/big", bytes(80 << 20))] + usual), "unpacks to more"),
        ("bomb-kernel.deb", deb([("boot/vmlinuz-" + RELEASE, bytes(80 << 20))]), "unpacks to more"),
        ("bomb.rpm", rpm([("usr/big", bytes(80 << 20))] + inside), "unpacks to more"),
        ("headers.rpm", rpm([("usr/include/linux/bpf.h", b"x")]), "holds no kernel"),
        ("tags.rpm", b"\xed\xab\xee\xdb" + bytes(92) + b"\x8e\xad\xe8\x01" + bytes(4) + b"\xff" * 8 + bytes(99),
         "tags"),
        ("noheader.rpm", b"\xed\xab\xee\xdb" + bytes(200), "no header"),
        ("lead.rpm", rpm(inside)[:96], "cut short")]:
    bad.refused(write("bad/" + name, data), why, name, *UBUNTU)
# Dots that lead out are no place where a kernel is looked for, and nothing is put there.
bad.refused(write("bad/dots.deb", deb([("../../../boot/vmlinuz-" + RELEASE, kernel)])), "holds no kernel",
            "dots.deb", *UBUNTU)
for n in (4, 30, 67, 120, 400, len(whole) // 2, len(whole) - 40, len(whole) - 1):
    bad.refused(write(f"bad/cut-{n}.deb", whole[:n]), "", f"cut after {n} of {len(whole)} bytes", *UBUNTU)
whole = rpm(inside)
for n in (97, 111, 150, 300, 420, len(whole) // 2, len(whole) - 40, len(whole) - 1):
    bad.refused(write(f"bad/cut-{n}.rpm", whole[:n]), "", f"rpm cut after {n} of {len(whole)} bytes", *UBUNTU)
# libarchive takes a chain of headers by recursion, and older ones die of it: never the run.
header = tarfile.TarInfo("x")
header.type = b"g"
chain = header.tobuf(tarfile.USTAR_FORMAT) * 120000 + tar(usual)
control = tar([("control", b"Package: x\nVersion: 1\nArchitecture: amd64\n")])
hostile = write("bad/chain.deb", ar([("debian-binary", b"2.0\n"), ("control.tar", control),
                                     ("data.tar.xz", lzma.compress(chain, preset=0))]))
good = write("good.deb", deb(usual))
status, reports = Archive().ingest(*UBUNTU, hostile, good)
same((status, [r["status"] for r in reports]), (1, ["failed", "new"]),
     f"a chain of headers ends no run: {reports[0].get('why')}")

# A folder: all that is named like a package or a kernel, whatever lies around.
write("folder/b/linux-headers.deb", deb([("usr/src/x", b"y")], name="linux-headers"))
write("folder/a/linux-image.deb", deb(usual))
write("folder/a/plain.deb", deb([("boot/vmlinuz-5.4.0-1",
                                  bzimage(pack(elf(btf=None, release="5.4.0-1"), "gzip"), "5.4.0-1"))]))
write("folder/c/kernel.rpm", rpm(inside))
write("folder/c/README", b"text")
write("folder/c/.tmp-x.deb", b"half")
(TMP / "folder/loop").symlink_to(TMP / "folder")
archive = Archive()
status, reports = archive.ingest(*UBUNTU, TMP / "folder")
same((status, [(r["source"].split("/")[-1], r["status"]) for r in reports]),
     (0, [("linux-image.deb", "new"), ("plain.deb", "skipped"), ("linux-headers.deb", "skipped"),
          ("kernel.rpm", "new")]),
     "a folder, sorted; without a kernel, or without BTF, is skipped")
write("folder/a/damaged.deb", deb(usual)[:500])
status, reports = archive.ingest(*UBUNTU, TMP / "folder")
same((status, [r["status"] for r in reports]), (1, ["failed", "same", "skipped", "skipped", "same"]),
     "one that is damaged fails, and stops no other")
same((list(SCRATCH.iterdir()), (TMP / "boot").exists()), ([], False), "nothing was extracted, no scratch file stays")
done()

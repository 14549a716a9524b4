#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# Kernels of a distribution and of this machine. Debian's packages are got by apt-get, for the other
# architecture with a root of apt's own, and kept in build/cache.
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kernels import *


def apt(arch):
    """Options that make apt-get see that architecture, whatever this machine's is."""
    root = CACHE / f"apt-{arch}"
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "status").touch()
    return ["-q", "-o", f"Dir::State={root}/state", "-o", f"Dir::Cache={root}/cache", "-o",
            f"Dir::State::status={root}/status", "-o", f"APT::Architecture={arch}", "-o",
            f"APT::Architectures={arch}",
            "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20"]


def run(*args, **how):
    try:
        return subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              timeout=120, **how).stdout.decode()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def package(arch):
    """The image of the newest 6.1 for clouds, which is small."""
    kept = sorted(CACHE.glob(f"linux-image-6.1.*-cloud-{arch}_*.deb"))
    if kept or not shutil.which("apt-get"):
        return kept[-1] if kept else None
    CACHE.mkdir(parents=True, exist_ok=True)
    pattern = f"^linux-image-6\\.1\\..*-cloud-{arch}$"
    for update in (True, False):
        if update:
            run("apt-get", *apt(arch), "update")
        names = run("apt-cache", *apt(arch), "search", "--names-only", pattern).split()
        names = sorted((n for n in names if re.match(pattern, n)),
                       key=lambda n: [int(i) for i in re.findall(r"\d+", n)])
        if names:
            run("apt-get", *apt(arch), "download", names[-1], cwd=CACHE)
            break
    kept = sorted(CACHE.glob(f"linux-image-6.1.*-cloud-{arch}_*.deb"))
    return kept[-1] if kept else None


def shared_btf(path):
    """What others extracted from the same kernel, or None."""
    try:
        with tarfile.open(SHARED / "archive" / path) as t:
            return t.extractfile(t.getmembers()[0]).read()
    except OSError:
        return None


both, alone = [], {}
for arch, ours in (("amd64", "x86_64"), ("arm64", "arm64")):
    deb_ = package(arch)
    if not deb_:
        for name in ("comes out", "says what it is", "is what others have of it", "says what it was built as"):
            skip(f"Debian's image for {arch} {name}", "no apt, no network, or no such package")
        continue
    both.append(deb_)
    archive = Archive()
    status, reports = archive.ingest("--distro-version", "12", deb_)
    release = deb_.name.split("_")[0][len("linux-image-"):]
    path = f"debian/12/{ours}/{release}.btf.tar.xz"
    if not ok(status == 0 and reports[0].get("path") == path, f"Debian's image for {arch} comes out"):
        print(f"# {reports}")
        continue
    alone.update(archive.content())
    data, about = archive.btf(path)
    same({k: about[k] for k in ("arch", "kernel_version", "package", "package_version", "package_arch", "btf_from")},
         {"arch": ours, "kernel_version": release, "package": f"linux-image-{release}", "btf_from": "kernel",
          "package_version": deb_.name.split("_")[1], "package_arch": arch}, "and says what it is")
    ok(re.fullmatch(r"#\d+ SMP.* Debian " + re.escape(deb_.name.split("_")[1]) + r" \(\d{4}-\d\d-\d\d\)",
                    about["uname_version"]) and re.fullmatch("[0-9a-f]{40}", about["build_id"]),
       f"what it was built as: {about['uname_version']}, {about['build_id']}")
    want = shared_btf(path)
    if want:
        ok(data == want, "its BTF is byte for byte what others have of it")
    else:
        skip("its BTF is what others have of it", "the shared archive has not this one")
if len(both) == 2:
    one = Archive()
    one.ingest("--distro-version", "12", "--jobs", "4", *reversed(both))
    same((len(alone), one.content()), (4, alone), "same bytes alone and side by side")
    whole = both[1].read_bytes()
    for share in (0.001, 0.3, 0.9999):
        cut = write("cut.deb", whole[:int(len(whole) * share)])
        one.refused(cut, "", f"cut after {share:.2%}", "--distro-version", "12")
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 0x10
    one.refused(write("damaged.deb", bytes(damaged)), "damaged", "one bit turned", "--distro-version", "12")
else:
    skip("both architectures at once", "one of them is not there")

# DWARF of a kernel that was built without BTF, through pahole.
tiny = SHARED / "kernels/5.10.223-nobtf-tiny"
if not (tiny / "vmlinux.xz").exists() or not shutil.which("pahole"):
    skip("DWARF through pahole", "no vmlinux with DWARF here" if shutil.which("pahole") else "no pahole here")
else:
    vmlinux = write("vmlinux", lzma.open(tiny / "vmlinux.xz").read())
    archive = Archive()
    status, reports = archive.ingest("--distro", "debian", "--distro-version", "11", tiny / "vmlinux.xz")
    data, about = archive.btf("debian/11/x86_64/5.10.223-nobtf-tiny.btf.tar.xz")
    notes = run("readelf", "-n", vmlinux)
    version = run("pahole", "--version").strip().lstrip("v")
    if notes:
        same(about["build_id"], re.search("Build ID: ([0-9a-f]+)", notes)[1], "its own build-id, as readelf reads it")
    else:
        skip("its own build-id", "no readelf here")
    setup = (tiny / "bzImage").read_bytes()
    at = struct.unpack_from("<H", setup, 0x20E)[0] + 0x200
    same((status, about["btf_from"], about["pahole"], about["uname_version"]),
         (0, "dwarf", version, setup[at:setup.index(b"\0", at)].decode().split(") ", 1)[1]),
         "made by pahole, of the version that its image says")
    subprocess.run(["pahole", f"--btf_encode_detached={TMP}/pahole.btf", vmlinux], check=True)
    ok(data == (TMP / "pahole.btf").read_bytes(), "byte for byte what pahole makes")
    before = archive.content()
    status, reports = archive.ingest("--distro", "debian", "--distro-version", "11", vmlinux)
    same((reports[0]["status"], archive.content()), ("same", before), "unpacked, and a second time: the same")
    archive.refused(tiny / "bzImage", "neither BTF nor DWARF", "its bzImage has none", "--distro", "debian",
                    "--distro-version", "11")

# This machine's own.
host = pathlib.Path("/sys/kernel/btf/vmlinux")
if host.exists():
    archive = Archive()
    copied = write("host", host.read_bytes())
    status, reports = archive.ingest("--distro", "x", "--distro-version", "1", "--arch", os.uname().machine,
                                     "--release",
                                     os.uname().release, copied)
    data, about = archive.btf(reports[0]["path"])
    same((status, data == copied.read_bytes(), about["btf_from"]), (0, True, "btf"), "raw BTF of this machine")
else:
    skip("raw BTF of this machine", "this kernel shows none")
done()

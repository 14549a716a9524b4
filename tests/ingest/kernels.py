# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""What the tests of ingest and crawl share: TAP points, small kernels in every form that real ones
have, packages of them, and btfgen run on them."""
import bz2
import gzip
import hashlib
import io
import json
import lzma
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
BIN = os.environ.get("BIN") or os.path.join(TOP, "build", "bin")
SHARED = pathlib.Path(os.environ.get("SHARED") or TOP / ".." / "shared")
TMP = pathlib.Path(os.environ.get("TMP") or tempfile.mkdtemp())
SCRATCH = TMP / "scratch"  # where btfgen has its scratch files
SCRATCH.mkdir()
os.environ["TMPDIR"] = str(SCRATCH)
CACHE = TOP / "build" / "cache"  # packages of distributions, kept between runs

points = failed = 0


def ok(good, name):
    global points, failed
    points += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {points} - {name}".replace("#", "\\#"), flush=True)
    return good


def same(got, want, name):
    if not ok(got == want, name):
        print(f"#  got: {got!r}\n# want: {want!r}", flush=True)


def skip(name, why):
    global points
    points += 1
    print(f"ok {points} - {name} # SKIP {why}", flush=True)


def done():
    print(f"1..{points}")
    sys.exit(1 if failed or not points else 0)


# --- BTF ---

INT, STRUCT, TYPEDEF = 1, 4, 8


def btf(structs=("task_struct", "list_head"), e="<", nested=0):
    """An int, and structs with one member of it. nested: that many equal structs behind them, each
    with an int of its own, which deduplication makes one."""
    strings = b"\0long unsigned int\0a\0"
    at = {}

    def name(s):
        nonlocal strings
        if s not in at:
            at[s] = len(strings)
            strings += s.encode() + b"\0"
        return at[s]

    def integer():
        return struct.pack(e + "IIII", 1, INT << 24, 8, 64)

    def one(s, member):
        return struct.pack(e + "IIIIII", name(s), STRUCT << 24 | 1, 8, 19, member, 0)

    types = integer() + b"".join(one(s, 1) for s in structs)
    for i in range(nested):
        types += integer() + one("again", 2 + len(structs) + 2 * i)
    return struct.pack(e + "HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(types), len(types), len(strings)) + types + strings


BTF = btf()
EMPTY_BTF = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, 0, 0, 1) + b"\0"
BUILD_ID = bytes(range(0x10, 0x24))
RELEASE = "5.4.0-42-generic"
VERSION = "#46~18.04.1-Ubuntu SMP Fri Jul 10 07:21:24 UTC 2020"


def note(build_id=BUILD_ID):
    return struct.pack("<III", 4, len(build_id), 3) + b"GNU\0" + build_id


def greeting(release=RELEASE, version=VERSION):
    return (f"Linux version {release} (buildd@lgw01-amd64-038) (gcc version 9.3.0 (Ubuntu 9.3.0-10ubuntu2)) "
            f"{version}\n").encode() + b"\0"


def sections_of(what):
    """name -> content of a vmlinux; what may replace or (None) leave out."""
    sections = {
        # the pattern of /proc/version, and the weak greeting that kernels have since 6.1
        ".rodata": b"%s version %s (buildd@x) (gcc) %s\n\0" +
                   greeting(what.get("release", RELEASE), "# SMP") +
                   greeting(what.get("release", RELEASE), what.get("version", VERSION)),
        ".notes": struct.pack("<III", 6, 4, 0x100) + b"Linux\0\0\0" + b"salt" +
                  note(what.get("build_id", BUILD_ID)),
        ".BTF": what.get("btf", BTF),
    }
    sections.update(what.get("sections", {}))
    return {n: c for n, c in sections.items() if c is not None}


def elf(machine=62, type_=2, **what):
    sections = sections_of(what)
    body, heads, names = b"", [b"\0" * 64], b"\0"
    for n, content in list(sections.items()) + [(".shstrtab", None)]:
        at = len(names)
        names += n.encode() + b"\0"
        content = names if content is None else content
        kind = 3 if n == ".shstrtab" else 7 if n == ".notes" else 1
        body += b"\0" * (-len(body) % 16)
        heads.append(struct.pack("<IIQQQQIIQQ", at, kind, 0, 0, 64 + len(body), len(content), 0, 0, 1, 0))
        body += content
    body += b"\0" * (-len(body) % 16)
    head = b"\x7fELF\2\1\1" + b"\0" * 9 + struct.pack("<HHIQQQIHHHHHH", type_, machine, 1, 0, 0, 64 + len(body), 0, 64,
                                                   0, 0, 64, len(heads), len(heads) - 1)
    return head + body + b"".join(heads)


# --- how kernels are compressed; each but gzip with the size behind it, as the kernel's build has it ---


def lz4_block(data):
    """Literals only."""
    n, head = len(data), b""
    if n >= 15:
        rest = n - 15
        head = b"\xf0" + b"\xff" * (rest // 255) + bytes([rest % 255])
    else:
        head = bytes([n << 4])
    return head + data


def lz4(data):
    out = struct.pack("<I", 0x184C2102)
    for i in range(0, len(data), 8 << 20):
        block = lz4_block(data[i:i + (8 << 20)])
        out += struct.pack("<I", len(block)) + block
    return out


def zstd(data):
    return subprocess.run(["zstd", "-q", "-22", "--ultra", "--long=27", "-c"], input=data,
                          stdout=subprocess.PIPE, check=True).stdout


PACKERS = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "xz": lambda data: lzma.compress(data, filters=[{"id": lzma.FILTER_X86},
                                                    {"id": lzma.FILTER_LZMA2, "dict_size": 32 << 20}]),
    "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE),
    "zstd": zstd,
    "lz4": lz4,
}


def pack(data, how):
    packed = PACKERS[how](data)
    return packed if how == "gzip" else packed + struct.pack("<I", len(data))


def bzimage(payload, release=RELEASE, version=VERSION):
    """Documentation/arch/x86/boot.rst: two setup sectors, then code, then the payload."""
    head = bytearray(3 * 512 + 256)
    head[0x1F1] = 2
    head[0x1FE:0x200] = b"\x55\xaa"
    head[0x202:0x206] = b"HdrS"
    head[0x206:0x208] = struct.pack("<H", 0x20D)
    text = f"{release} (buildd@lgw01-amd64-038) {version}".encode() + b"\0"
    head[0x20E:0x210] = struct.pack("<H", 0x300 - 0x200)
    head[0x300:0x300 + len(text)] = text
    head[0x248:0x250] = struct.pack("<II", 256, len(payload))
    return bytes(head) + payload + b"\0" * 2048


def vdso():
    return elf(type_=3, btf=None, sections={".rodata": None, ".notes": note(bytes(20)), ".BTF": None})


def image(machine=b"ARM\x64", **what):
    """An uncompressed Image: no sections, a vDSO with a note of its own, something like BTF."""
    out = bytearray(64)
    out[:2] = b"MZ"
    out[56:60] = machine
    for content in [vdso()] + [b"\x9f\xeb\x01\x00" + b"\x18\0\0\0" + b"\xff" * 40] + \
            list(sections_of(what).values()):
        out += b"\0" * (-len(out) % 16) + content
    return bytes(out) + b"\0" * 2048


def zboot(payload, how):
    head = bytearray(64)
    head[:2] = b"MZ"
    head[4:8] = b"zimg"
    head[8:16] = struct.pack("<II", 64, len(payload))
    head[24:24 + len(how)] = how.encode()
    return bytes(head) + payload


# --- packages ---


def tar(members):
    """(name, content), content bytes, or ("symlink"|"link", target), or None for a folder."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as t:
        for name, content in members:
            info = tarfile.TarInfo("./" + name)
            if content is None:
                info.type = tarfile.DIRTYPE
            elif isinstance(content, tuple):
                info.type = tarfile.SYMTYPE if content[0] == "symlink" else tarfile.LNKTYPE
                info.linkname = content[1]
            else:
                info.size = len(content)
            t.addfile(info, io.BytesIO(content) if isinstance(content, bytes) else None)
    return out.getvalue()


SUFFIXES = {"gzip": ".gz", "xz": ".xz", "zstd": ".zst", "bzip2": ".bz2", "lzma": ".lzma", "lz4": ".lz4", "none": ""}


def squeeze(data, how):
    if how == "none":
        return data
    return bz2.compress(data) if how == "bzip2" else PACKERS[how](data)


def ar(members):
    out = b"!<arch>\n"
    for name, content in members:
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode() + content
        out += b"\n" * (len(content) & 1)
    return out


def deb(members, name="linux-image-unsigned-" + RELEASE, version="5.4.0-42.46~18.04.1", arch="amd64",
        maintainer="Ubuntu Kernel Team <kernel-team@lists.ubuntu.com>", how="xz"):
    control = (f"Package: {name}\nSource: linux\nVersion: {version}\nArchitecture: {arch}\nMaintainer: {maintainer}\n"
               "Description: Linux kernel image\n Package: not this\n").encode()
    return ar([("debian-binary", b"2.0\n"),
               ("control.tar" + SUFFIXES[how], squeeze(tar([("control", control)]), how)),
               ("data.tar" + SUFFIXES[how], squeeze(tar(members), how))])


def cpio(members):
    out = b""
    for i, (name, content) in enumerate(members + [("TRAILER!!!", b"")]):
        mode = 0o120777 if isinstance(content, tuple) else 0o40755 if content is None else 0o100644
        content = content[1].encode() if isinstance(content, tuple) else content or b""
        name = ("./" + name if name != "TRAILER!!!" else name).encode() + b"\0"
        out += b"070701" + b"".join(b"%08x" % n for n in (i + 1, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0,
                                                       len(name), 0)) + name
        out += b"\0" * (-len(out) % 4) + content
        out += b"\0" * (-len(out) % 4)
    return out


def rpm_header(tags):
    index, store = b"", b""
    for tag, value in sorted(tags.items()):
        index += struct.pack(">IIII", tag, 6, len(store), 1)
        store += value.encode() + b"\0"
    return b"\x8e\xad\xe8\x01\0\0\0\0" + struct.pack(">II", len(tags), len(store)) + index + store


def rpm(members, name="kernel-core", version="4.18.0", release="147.5.1.el8_1", arch="aarch64", vendor="CentOS",
        how="xz"):
    signature = rpm_header({269: "0" * 41})
    return b"\xed\xab\xee\xdb\3\0" + b"\0" * 90 + signature + b"\0" * (-len(signature) % 8) + rpm_header(
        {1000: name, 1001: version, 1002: release, 1011: vendor, 1022: arch, 1124: "cpio"}) + \
        squeeze(cpio(members), how)


# --- running it ---


def write(name, data):
    path = TMP / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def btfgen(*args, env=None):
    """(exit status, standard output, standard error)"""
    run = subprocess.run([os.path.join(BIN, "btfgen"), *map(str, args)], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=250, env=env)
    return run.returncode, run.stdout.decode(), run.stderr.decode()


class Archive:
    """A new archive, and what becomes of it."""
    count = 0

    def __init__(self):
        Archive.count += 1
        self.root = TMP / f"archive{Archive.count}"

    def ingest(self, *args, env=None):
        """Exit status and the reports."""
        status, out, err = btfgen("ingest", "--json", "--archive", self.root, *args, env=env)
        self.err = err
        return status, [json.loads(line) for line in out.splitlines()]

    def refused(self, source, why, name, *options):
        """One clear line, exit 1, nothing written."""
        before = self.content()
        status, reports = self.ingest(*options, source)
        said = reports[0].get("why", "") if len(reports) == 1 else ""
        good = status == 1 and why in said and "\n" not in said and self.content() == before
        if not ok(good, f"{name}: {said}"):
            print(f"# exit {status}, {reports}, {self.err}")

    def content(self):
        return {str(p.relative_to(self.root)): hashlib.sha256(p.read_bytes()).hexdigest()
                for p in sorted(self.root.rglob("*")) if p.is_file()}

    def btf(self, path):
        """The BTF of an archive in it, and what stands beside it."""
        with tarfile.open(self.root / path) as t:
            (member,) = t.getmembers()
            return t.extractfile(member).read(), json.loads(
                (self.root / path.replace(".btf.tar.xz", ".json")).read_text())

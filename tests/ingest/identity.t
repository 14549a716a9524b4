#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# Which kernel a source is of, what is refused as another, several builds of one name, same bytes
# from the same source whatever is around.
import os
import select
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kernels import *

GIVEN = ["--distro", "ubuntu", "--distro-version", "18.04"]
HERE = f"ubuntu/18.04/x86_64/{RELEASE}"
vmlinux = write("vmlinux", elf())



def until(condition, seconds=20):
    """Polls. Gives what the condition gave last."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        select.select([], [], [], 0.02)
    return condition()


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] not in "ZX"
    except OSError:
        return False


# What nobody tells must be given, and what is told twice must be the same.
a = Archive()
a.refused(vmlinux, "give --distro and --distro-version", "no distribution")
a.refused(vmlinux, "give --distro-version", "no version", "--distro", "ubuntu")
a.refused(write("deb.deb", deb([("boot/vmlinuz-" + RELEASE, elf())])), "give --distro-version",
          "Ubuntu of which version")
a.refused(write("host.btf", BTF), "--release", "BTF of which release", *GIVEN, "--arch", "arm64")
a.refused(write(f"{RELEASE}.btf", BTF), "--arch", "BTF of which architecture", *GIVEN)
a.refused(write("arm", elf(machine=40)), "--arch", "arm of which kind", *GIVEN)
a.refused(vmlinux, f"the kernel inside is {RELEASE}, but --release says 5.4.0-1", "another --release", *GIVEN,
          "--release",
          "5.4.0-1")
a.refused(vmlinux, "--arch says arm64", "another --arch", *GIVEN, "--arch", "arm64")
a.refused(write("arm2", elf(machine=40)), "arm", "a kernel for arm is not one for arm64", *GIVEN, "--arch", "arm64")
a.refused(write("vmlinuz-5.4.0-43-generic", elf()), "its file name says 5.4.0-43-generic", "another file name",
          *GIVEN)
a.refused(write("name.deb", deb([("boot/vmlinuz-5.4.0-43-generic", elf())])),
          "its name in the package says 5.4.0-43-generic",
          "another name in the package", *GIVEN)
a.refused(vmlinux, "path", "a distribution that is no name", "--distro", "../x", "--distro-version", "1")
a.refused(write("odd", elf(release="5.4..0")), "--release", "a release that no path can hold", *GIVEN)
for release, package in [("4.18.0-147.el8.x86_64+debug", "kernel-core"), ("3.10.0-1160.el7.x86_64.debug", "kernel"),
                         ("4.4.103-6.33-debug", "kernel-x"), ("4.18.0-147.el8.x86_64", "kernel-debug-core"),
                         ("4.18.0-147.el8.x86_64", "kernel-debug-debuginfo")]:
    source = write("debug.rpm", rpm([(f"lib/modules/{release}/vmlinuz", elf(release=release))], package,
                                    arch="x86_64"))
    a.refused(source, "built to be debugged", f"{package} {release}")
for package in ("kernel-debuginfo", "linux-image-dbg", "kernel-core"):
    source = write("fine.rpm", rpm([(f"lib/modules/{RELEASE}/vmlinuz", elf())], package, arch="x86_64"))
    same(a.ingest(*GIVEN, source)[0], 0, f"{package} is none")
same(a.content().keys(), {HERE + ".btf.tar.xz", HERE + ".json"}, "and of all only that one was written")

# BTF as others archived it: its place tells what it is.
a = Archive()
source = write("old/centos/8/aarch64/4.18.0-147.el8.aarch64.btf", BTF)
status, reports = a.ingest(source)
same((status, reports[0]["path"], reports[0]["btf_from"]),
     (0, "centos/8/arm64/4.18.0-147.el8.aarch64.btf.tar.xz", "btf"), "raw BTF in BTFHub's layout")
again = Archive()
same(again.ingest(a.root / reports[0]["path"])[0], 0, "what was written is a source too")
same(again.content(), a.content(), "of the same bytes")
# Debian's packages of i386 hold kernels for amd64, +deb13 says whose they are.
source = write("i386.deb", deb([("boot/vmlinuz-6.12.117+deb13-amd64", elf(release="6.12.117+deb13-amd64"))],
                               "linux-image-6.12.117+deb13-amd64", "6.12.117-1", "i386", "Debian Kernel Team <x@y>"))
status, reports = a.ingest(source)
same((status, reports[0].get("path")), (0, "debian/13/x86_64/6.12.117+deb13-amd64.btf.tar.xz"),
     "the kernel's arch counts")

# Two builds of a name: the first keeps it, also when more threads work.
one = write("builds/a-vmlinux", elf(version="#1 SMP one"))
first = write("builds/vmlinux-1", b"x")
first.unlink()
one = write("builds/vmlinux", elf(version="#1 SMP one", sections={".data": bytes(3 << 20)}))
two = write("builds/z/vmlinux", elf(version="#1 SMP two", build_id=b"\xab" * 20, btf=btf(("task_struct", "other"))))
for jobs in ("1", "4"):
    a = Archive()
    status, reports = a.ingest(*GIVEN, "--jobs", jobs, TMP / "builds/vmlinux", two)
    same((status, [r["path"] for r in reports]), (0, [HERE + ".btf.tar.xz", HERE + "@abababababab.btf.tar.xz"]),
         f"two builds, --jobs {jobs}")
    same(a.btf(HERE + "@abababababab.btf.tar.xz")[1]["uname_version"], "#1 SMP two", "each with its own sidecar")
    before = a.content()
    status, reports = a.ingest(*GIVEN, two, one)
    same((status, [r["status"] for r in reports], a.content()), (0, ["same", "same"], before), "both are found again")
with tarfile.open(a.root / (HERE + "@abababababab.btf.tar.xz")) as t:
    same(t.getnames(), [RELEASE + ".btf"], "the second's member has the plain name")
out = TMP / "list.json"
status, said, err = btfgen("min", "--out", TMP / "tree", "--archive", a.root, TOP / "build/bpf/kernel.x86_64.bpf.o")
index = "".join(p.read_text() for p in (TMP / "tree").rglob("index.tsv"))
same((BUILD_ID.hex() in index, "ab" * 20 in index, "%231%20SMP%20two" in index), (True, True, True),
     "a tree made of it knows both build-ids")
(a.root / (HERE + ".json")).write_text('{"build_id": "')
status, said, err = btfgen("min", "--out", TMP / "tree2", "--archive", a.root, TOP / "build/bpf/kernel.x86_64.bpf.o")
index = "".join(p.read_text() for p in (TMP / "tree2").rglob("index.tsv"))
same((BUILD_ID.hex() in index, "ab" * 20 in index), (False, True), "a damaged sidecar tells nothing")
# Without a build-id of its own, a second build can't be told apart.
a = Archive()
a.ingest(*GIVEN, one)
a.refused(write("anonymous", elf(version="#1 SMP three", btf=btf(("task_struct", "x")), sections={".notes": None})),
          "is there", "another build without build-id", *GIVEN)
a.refused(write(f"old/{HERE}.btf", btf(("task_struct", "x"))), "nothing tells whether",
          "unknown content of a taken name")

# The kernel's own BTF is not replaced by another of the same build, and replaces it.
a, other = Archive(), btf(("task_struct", "x"))
pahole = write("bin/pahole", f"""#!/bin/sh
[ "$1" = --version ] && {{ echo v1.99; exit; }}
cat {write("other.btf", other)} >"${{1#*=}}"
""".encode())
pahole.chmod(0o755)
fake = {**os.environ, "PATH": f"{TMP}/bin:{os.environ['PATH']}"}
dwarf = write("dwarf", elf(btf=None, sections={".debug_info": b"x"}))
status, reports = a.ingest(*GIVEN, dwarf, env=fake)
same((status, reports[0].get("btf_from"), reports[0].get("pahole"), a.btf(HERE + ".btf.tar.xz")[0] == other),
     (0, "dwarf", "1.99", True), "DWARF goes through pahole, whose version is kept")
same((a.ingest(*GIVEN, vmlinux)[1][0]["status"], a.btf(HERE + ".btf.tar.xz")[0] == BTF), ("replaced", True),
     "the kernel's own replaces it")
same((a.ingest(*GIVEN, dwarf, env=fake)[1][0]["status"], a.btf(HERE + ".btf.tar.xz")[0] == BTF), ("same", True),
     "and stays")
# pahole's failures
for script, why in [("echo; echo 'oh no, line 1' >&2; echo two >&2; exit 1", "pahole failed: oh no, line 1"),
                    ("exit 0", "made no BTF"), ("kill -SEGV $$", "signal 11"), ("exit 3", "does not say why"),
                    ('echo text >"${1#*=}"', "its BTF"), ("yes | head -c 5000000 >&2; exit 1", "pahole failed: y"),
                    ('head -c 80000000 /dev/zero >"${1#*=}"', "pahole")]:
    pahole.write_text(f"#!/bin/sh\n[ \"$1\" = --version ] && {{ echo v1.99; exit; }}\n{script}\n")
    status, reports = Archive().ingest(*GIVEN, dwarf, env=fake)
    same((status, why in reports[0]["why"]), (1, True), f"pahole: {reports[0]['why']}")
# Killed while pahole runs: that ends too, and nothing stays.
pahole.write_text(f'#!/bin/sh\n[ "$1" = --version ] && {{ echo v1.99; exit; }}\necho $$ >{TMP}/pid.new\n'
                  f'mv {TMP}/pid.new {TMP}/pid\nexec sleep 1000\n')
a = Archive()
running = subprocess.Popen([os.path.join(BIN, "btfgen"), "ingest", "--archive", a.root, *GIVEN, dwarf], env=fake,
                           stdout=subprocess.DEVNULL)
until((TMP / "pid").exists)
pid = int((TMP / "pid").read_text())
running.kill()
running.wait()
ok(until(lambda: not is_running(pid)), "pahole ends with btfgen")
same((a.content(), list(SCRATCH.iterdir())), ({}, []), "nothing stays of a run that was killed")
pahole.unlink()
status, reports = Archive().ingest(*GIVEN, dwarf, env={**os.environ, "PATH": f"{TMP}/bin"})
same((status, "package dwarves" in reports[0]["why"]), (1, True), f"no pahole: {reports[0]['why']}")

# A type over and over.
a = Archive()
status, reports = a.ingest(*GIVEN, write("exploded", elf(btf=btf(nested=40))))
same((status, reports[0]["btf_types_before"], reports[0]["btf_types"], reports[0].get("btf_duplicated")),
     (0, 83, 4, None), f"deduplicated: {reports[0]['note']}")
same(Archive().ingest(*GIVEN, write("few", elf(btf=btf(nested=8))))[1][0].get("btf_types_before"), None,
     "a few of one name are left as they are")
many = btf(["task_struct"] + ["node"] * 40)
same(Archive().ingest(*GIVEN, write("equal", elf(btf=many)))[1][0]["btf_types"], 3, "equal ones become one")

# Whatever the machine, user and time.
def made(*options, **how):
    archive = Archive()
    subprocess.run([os.path.join(BIN, "btfgen"), "ingest", "--archive", archive.root, *GIVEN, *options], check=True,
                   stdout=subprocess.DEVNULL, **how)
    return archive.content()

want = made(vmlinux)
copy = write("elsewhere/vmlinux", vmlinux.read_bytes())
os.utime(copy, (1, 1))
copy.chmod(0o600)
same(made(copy, umask=0o077, cwd=TMP, env={"TZ": "Asia/Tokyo", "LC_ALL": "de_DE.UTF-8", "TMPDIR": str(SCRATCH),
                                          "HOME": "/", "USER": "other"}), want, "same bytes elsewhere")
archive = Archive()
archive.ingest(*GIVEN, vmlinux)
same([oct(p.stat().st_mode & 0o777) for p in sorted(archive.root.rglob("*")) if p.is_file()], ["0o644"] * 2,
     "readable for all")
same(list(SCRATCH.iterdir()), [], "no scratch file stays")

# The command line.
for args, why in [(["ingest", vmlinux], "--archive"), (["ingest", "--archive", a.root], "usage"),
                  (["ingest", "--archive", a.root, "--release", "1", vmlinux, vmlinux], "one SOURCE"),
                  (["ingest", "--archive", a.root, "--suite", "x", vmlinux], "option")]:
    status, said, err = btfgen(*args)
    same((status, why in err, err.count("\n")), (2, True, 1), f"usage: {err.strip()}")
status, said, err = btfgen("ingest", "--archive", TMP / "x", *GIVEN, vmlinux)
same((status, said.startswith("new       " + HERE), err), (0, True, ""), "one line, nothing else")
status, said, err = btfgen("ingest", "-q", "--archive", TMP / "x", *GIVEN, vmlinux)
same((status, said, err), (0, "", ""), "-q")
blocked = write("blocked", b"a file")
status, said, err = btfgen("ingest", "--archive", blocked, *GIVEN, vmlinux)
same((status, said.count("\n")), (1, 1), f"an archive that is a file: {said.strip()}")
done()

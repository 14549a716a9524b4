#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# Kernels that a repository has and an archive lacks, from a folder and over HTTP.
import functools
import http.server
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kernels import *

FILL = os.urandom(1 << 20)  # real packages are not small, and what is small names another only


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def image_of(release, **what):
    return [("boot/vmlinuz-" + release, bzimage(pack(elf(release=release, **what), "lz4"), release)),
            ("lib/x.ko", FILL)]


class Repository:
    def __init__(self, name):
        self.root = TMP / name

    def put(self, path, data):
        write(self.root / path, data)
        return data


class Apt(Repository):
    def stanza(self, package, version, data, arch="amd64", path=None):
        path = path or f"pool/main/l/linux/{package}_{version}_{arch}.deb"
        if data is not None and not path.startswith((".", "/")):
            self.put(path, data)
        data = data or b"x" * (2 << 20)
        return (f"Package: {package}\nVersion: {version}\nArchitecture: {arch}\nFilename: {path}\nSize: {len(data)}\n"
                f"SHA256: {sha256(data)}\nDescription: x\n y\n\n")

    def publish(self, suite, stanzas, how="xz", arch="amd64",
                head="Origin: Debian\nVersion: 12.14\nCodename: bookworm\n",
                release="Release"):
        packages = squeeze("".join(stanzas).encode(), how)
        path = f"main/binary-{arch}/Packages{SUFFIXES[how]}"
        self.put(f"dists/{suite}/{path}", packages)
        self.put(f"dists/{suite}/{release}", (f"{head}MD5Sum:\n {'0' * 32} {len(packages)} {path}\nSHA256:\n "
                 f"{'1' * 64} 3 "
                 f"main/x\n {sha256(packages)} {len(packages):>8} {path}\n").encode())


def debian(name, release, version, members):
    return deb(members, name, version, "amd64", "Debian Kernel Team <x@y>")


apt = Apt("apt")
R1, R2, R3 = "6.1.0-9-amd64", "6.1.0-10-amd64", "6.1.0-11-cloud-amd64"
plain = dict(btf=None)
first = debian(f"linux-image-{R1}", R1, "6.1.1-1", image_of(R1))
second = debian(f"linux-image-{R2}", R2, "6.1.2-1", image_of(R2, btf=None))
dbg = debian(f"linux-image-{R2}-dbg", R2, "6.1.2-1",
             [(f"usr/lib/debug/boot/vmlinux-{R2}", elf(release=R2)), ("x", FILL)])
stanzas = [apt.stanza(f"linux-image-{R2}", "6.1.2-1", second), apt.stanza(f"linux-image-{R2}-dbg", "6.1.2-1", dbg),
           apt.stanza(f"linux-image-{R1}", "6.1.1-1", first),
           apt.stanza(f"linux-image-{R1}-unsigned", "6.1.1-1", None),
           apt.stanza(f"linux-image-{R3}", "6.1.3-1", debian(f"linux-image-{R3}", R3, "6.1.3-1", image_of(R3))),
           apt.stanza("linux-image-amd64", "6.1.2-1", None),
           apt.stanza("linux-headers-6.1.0-9-amd64", "6.1.1-1", None),
           apt.stanza("linux-image-6.1.0-99-amd64", "6.1.9", b"small"),
           apt.stanza("linux-image-6.1.0-8/../x", "1", None)]
apt.publish("bookworm", stanzas)


def crawl(*args):
    status, out, err = btfgen("crawl", "--json", *args)
    return status, [json.loads(line) for line in out.splitlines()], err


archive = Archive()
status, said, err = crawl("--dir", apt.root, "--suite", "bookworm", "--archive", archive.root)
same((status, [(k["kernel_version"], k["package_version"], k["status"], "image" in k, "debug" in k) for k in said]),
     (0, [(R1, "6.1.1-1", "lacking", True, False), (R2, "6.1.2-1", "lacking", True, True),
          (R3, "6.1.3-1", "lacking", True, False)]), "an apt repository, in the order of versions")
for how in ("gzip", "none"):
    apt.publish("other-" + how, stanzas, how)
    same(crawl("--dir", apt.root, "--suite", "other-" + how)[1], said, f"Packages with {how}")
apt.publish("inrelease", stanzas, release="InRelease")
same(crawl("--dir", apt.root, "--suite", "inrelease")[1], said, "where only InRelease is")
same([k["kernel_version"] for k in crawl("--dir", apt.root, "--suite", "bookworm", "--match", "*-cloud-*")[1]], [R3],
     "--match")

# Over HTTP, with what was asked for written down.
asked = []


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        asked.append(self.path)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(TMP)))
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/apt"
same(crawl("--apt", url, "--suite", "bookworm", "--archive", archive.root)[1], said, "the same over HTTP")
ok(not [p for p in asked if "/pool/" in p], "listing fetches no package")
status, reports, err = crawl("--apt", url + "/", "--suite", "bookworm", "--archive", archive.root, "--fetch",
                             "--match",
                             "6.1.0-*[0-9]-amd64")
same((status, [(r["status"], r.get("path"), r.get("package"), r.get("build_id")) for r in reports]),
     (0, [("new", f"debian/12/x86_64/{R1}.btf.tar.xz", f"linux-image-{R1}", BUILD_ID.hex()),
          ("new", f"debian/12/x86_64/{R2}.btf.tar.xz", f"linux-image-{R2}-dbg", BUILD_ID.hex())]),
     "--fetch: the image, or where that has no BTF the debug package")
same(len([p for p in asked if "/pool/" in p]), 3, "and nothing else was fetched")
status, left, err = crawl("--apt", url, "--suite", "bookworm", "--archive", archive.root)
same([(k["kernel_version"], k["status"]) for k in left], [(R1, "there"), (R2, "there"), (R3, "lacking")],
     "what is left")
asked.clear()
crawl("--apt", url, "--suite", "bookworm", "--archive", archive.root, "--fetch", "--match", R1)
same([p for p in asked if "/pool/" in p], [], "what is there is not fetched again")
apt.publish("updates", [apt.stanza(f"linux-image-{R1}", "6.1.1-2", first)])
same([k["status"] for k in crawl("--dir", apt.root, "--suite", "updates", "--archive", archive.root)[1]], ["lacking"],
     "another version of a package is another build")
arm = "6.1.0-9-arm64"
apt.publish("bookworm-arm", [apt.stanza(f"linux-image-{arm}", "6.1.1-1", None, "arm64")], arch="arm64")
same([k["arch"] for k in crawl("--dir", apt.root, "--suite", "bookworm-arm", "--arch", "aarch64")[1]], ["arm64"],
     "--arch")

# Ubuntu's ddebs have the same form.
ddeb = f"linux-image-unsigned-{RELEASE}-dbgsym"
made = deb([(f"usr/lib/debug/boot/vmlinux-{RELEASE}", elf()), ("x", FILL)], ddeb, "5.4.0-42.46")
apt.publish("focal", [apt.stanza(ddeb, "5.4.0-42.46", made, path=f"pool/main/l/linux/{ddeb}_5.4.0-42.46_amd64.ddeb")],
            head="Origin: Ubuntu\nVersion: 20.04\n")
status, reports, err = crawl("--dir", apt.root, "--suite", "focal", "--archive", archive.root, "--fetch")
same((status, [r.get("path") for r in reports]), (0, [f"ubuntu/20.04/x86_64/{RELEASE}.btf.tar.xz"]), "Ubuntu's ddebs")

# What is wrong: one line, exit 1, nothing written.
before = archive.content()
victim = apt.root / f"pool/main/l/linux/linux-image-{R3}_6.1.3-1_amd64.deb"
victim.write_bytes(victim.read_bytes()[:-1] + b"x")
status, reports, err = crawl("--apt", url, "--suite", "bookworm", "--archive", archive.root, "--fetch")
same((status, [(r["status"], "sha256" in r.get("why", "")) for r in reports]), (1, [("failed", True)]),
     "another package than the index says")
victim.unlink()
status, reports, err = crawl("--apt", url, "--suite", "bookworm", "--archive", archive.root, "--fetch")
same((status, [(r["status"], "404" in r.get("why", "")) for r in reports]), (1, [("failed", True)]),
     "a package that is gone")
apt.publish("out", [apt.stanza("linux-image-6.1.0-1-amd64", "1", first, path="../../first.deb")])
write(TMP / "first.deb", first)
status, reports, err = crawl("--dir", apt.root, "--suite", "out", "--archive", archive.root, "--fetch")
same((status, [(r["status"], "leads out" in r.get("why", "")) for r in reports]), (1, [("failed", True)]),
     "a path that leads out")


def fails(why, name, *args):
    status, out, err = btfgen("crawl", *args)
    same((status, out, why in err, err.count("\n")), (1, "", True, 1), f"{name}: {err.strip()}")


packages = apt.root / "dists/other-none/main/binary-amd64/Packages"
packages.write_bytes(packages.read_bytes() + b"\n")
fails("sha256", "an index that was changed", "--dir", apt.root, "--suite", "other-none")
fails("no packages for riscv64", "no such architecture", "--dir", apt.root, "--suite", "bookworm", "--arch",
      "riscv64")
fails("404", "no such suite", "--apt", url, "--suite", "sarge")
fails("", "no server", "--apt", "http://127.0.0.1:1/", "--suite", "bookworm")
fails("No such file", "no folder", "--dir", TMP / "none", "--suite", "x")
apt.put("dists/bomb/main/binary-amd64/Packages.xz", lzma.compress(bytes(80 << 20), preset=0))
bomb = (apt.root / "dists/bomb/main/binary-amd64/Packages.xz").read_bytes()
apt.put("dists/bomb/Release", f"SHA256:\n {sha256(bomb)} {len(bomb)} main/binary-amd64/Packages.xz\n".encode())
fails("unpacks to more", "a bomb", "--dir", apt.root, "--suite", "bomb")

# yum's and zypper's.
yum = Repository("yum")
EL8 = "4.18.0-147.5.1.el8_1"
SUSE = ("kernel-default", "4.4.103", "6.33.1")


def package(name, version, release, arch, data, path=None):
    path = path or f"Packages/{name}-{version}-{release}.{arch}.rpm"
    if not path.startswith("."):
        yum.put(path, data)
    return (f'<package type="rpm"><name>{name}</name><arch>{arch}</arch>'
            f'<version epoch="0" ver="{version}" rel="{release}"/>'
            f'<checksum type="sha256" pkgid="YES">{sha256(data)}</checksum><summary>&lt;x&gt;</summary>'
            f'<description>{"long " * 500}</description><size package="{len(data)}" installed="1" archive="1"/>'
            f'<location href="{path}"/><format><rpm:license>GPL</rpm:license></format></package>\n')


def publish(packages, how="gzip", head='<?xml version="1.0" encoding="UTF-8"?>\n'):
    primary = squeeze((head + '<metadata xmlns="http://linux.duke.edu/metadata/common" '
                       'xmlns:rpm="http://linux.duke.edu/'
                       f'metadata/rpm" packages="9">\n{"".join(packages)}</metadata>').encode(), how)
    path = f"repodata/{sha256(primary)[:8]}-primary.xml{SUFFIXES[how]}"
    yum.put(path, primary)
    yum.put("repodata/repomd.xml", f"""<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo"><revision>1</revision>
<data type="filelists"><checksum type="sha256">{'2' * 64}</checksum><location href="repodata/filelists.xml.gz"/></data>
<data type="primary"><checksum type="sha256">{sha256(primary)}</checksum>
<open-checksum type="sha256">{'3' * 64}</open-checksum>
<location href="{path}"/></data></repomd>""".encode())


core = rpm([(f"lib/modules/{EL8}.x86_64/vmlinuz", bzimage(pack(elf(release=EL8 + ".x86_64"), "gzip"),
                                                          EL8 + ".x86_64")), ("x", FILL)],
           release="147.5.1.el8_1", arch="x86_64")
listed = [package("kernel-core", "4.18.0", "147.5.1.el8_1", "x86_64", core),
          package("kernel", "4.18.0", "147.5.1.el8_1", "x86_64", b"names others"),
          package("kernel-debug-core", "4.18.0", "147.5.1.el8_1", "x86_64", FILL),
          package("kernel-debuginfo", "4.18.0", "147.5.1.el8_1", "x86_64", FILL),
          package("kernel-core", "4.18.0", "147.5.1.el8_1", "aarch64", FILL),
          package("kernel-headers", "4.18.0", "147.5.1.el8_1", "x86_64", FILL), package(*SUSE, "x86_64", FILL)]
archive = Archive()
for how in ("gzip", "xz", "zstd", "none"):
    publish(listed, how)
    status, said, err = crawl("--dir", yum.root, "--archive", archive.root)
    same((status, [(k["kernel_version"], "image" in k, "debug" in k) for k in said]),
         (0, [("4.4.103-6.33-default", True, False), (EL8 + ".x86_64", True, True)]),
         f"a yum repository, primary.xml with {how}")
url = url.replace("/apt", "/yum")
status, reports, err = crawl("--yum", url, "--archive", archive.root, "--match", "*el8*", "--fetch")
same((status, [r.get("path") for r in reports]), (0, [f"centos/8/x86_64/{EL8}.x86_64.btf.tar.xz"]), "--fetch from it")
publish(listed, "gzip", '<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>\n')
fails("document type", "XML with entities", "--dir", yum.root)
publish(["<package>" * 50])
fails("nest", "XML too deep", "--dir", yum.root)
publish(["<package"])
fails("line", "XML that is none", "--dir", yum.root)
yum.put("repodata/repomd.xml", b"<repomd></repomd>")
fails("names no primary.xml", "repomd.xml without primary.xml", "--dir", yum.root)
for args, why in [([], "one of --apt"), (["--apt", url, "--yum", url], "one of --apt"), (["--apt", url], "--suite"),
                  (["--yum", url, "--fetch"], "--archive"), (["--yum", url, "x"], "no other arguments")]:
    status, out, err = btfgen("crawl", *args)
    same((status, why in err), (2, True), f"usage: {err.strip()}")
same(list(SCRATCH.iterdir()), [], "no scratch file stays")
done()

#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# Start, options, reading the tree again, the end.
import os
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from served import *

tree = Tree()
index = tree.put("index.tsv", b"one\n")
big_path = "debian/11/x86_64/5.10.0-32-amd64.btf.tar.xz"
big = tree.put(big_path, bytes_of("big", 8 << 20))


def run(*args):
    r = subprocess.run([PROGRAM, *args], stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
    return r.returncode, r.stdout.decode(), r.stderr.decode()


# Options.
code, out, err = run("--help")
same((code, out.startswith("usage: btf-server"), err), (0, True, ""), "--help")
code, out, err = run("--version")
same((code, re.fullmatch(r"btf-server \d+\.\d+\.\d+\n", out) is not None, err), (0, True, ""), "--version")
good = ["--root", tree.root, "--listen", "127.0.0.1:0"]
for args in ([], good[:2], good[2:], good + ["--nonsense"], good + ["x"], good + ["--max-connections"], good + ["-x"],
             *[good + ["--max-connections", v] for v in ("0", "-1", "1x", "", "99999999999999999999")],
             *[good[:2] + ["--listen", v] for v in ("", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "localhost:80",
                                                    "[::1", "[::1]", "::1:80", "127.0.0.1:8x", "[]:1", "[:1")]):
    code, out, err = run(*args)
    same((code, out, err.count("\n"), "try --help" in err), (2, "", 1, True), f"usage: {' '.join(args[-2:])[-40:]!r}")
for args, why in [(["--root", tree.root + "/none", "--listen", "127.0.0.1:0"], "no root"),
                  (["--root", tree.root + "/index.tsv", "--listen", "127.0.0.1:0"], "a root that is a file"),
                  (good + ["--port-file", tree.root + "/none/port"], "no folder for the port file")]:
    code, out, err = run(*args)
    said = [line for line in err.splitlines() if " has " not in line]
    same((code, out, len(said)), (1, "", 1), f"one line and exit 1: {why}")

server = Server(tree.root, "--port-file", tree.root + "/.port")
code, out, err = run("--root", tree.root, "--listen", f"127.0.0.1:{server.port}")
same((code, out, "can't listen on" in err), (1, "", True), "a port that is taken: exit 1")
with open(tree.root + "/.port") as f:
    same(f.read(), f"{server.port}\n", "the port is in the file")

# Reading again.
counted = 'btfdepot_tree_reloads_total{result="ok"}'


def reload():
    n = server.metric(counted)
    server.process.send_signal(signal.SIGHUP)
    ok(until(lambda: server.metric(counted) == n + 1), "SIGHUP reads the tree again")


new = tree.put("debian/11/x86_64/new.btf.tar.xz", b"new")
same(server.get("/debian/11/x86_64/new.btf.tar.xz")[0], 404, "a new file is not there yet")
with open(tree.root + "/.tmp-half.tsv", "wb") as f:
    f.write(b"half")
reload()
same(server.get("/debian/11/x86_64/new.btf.tar.xz")[2], new, "now it is")
same(server.get("/.tmp-half.tsv")[0], 404, "a half-written one is not")
tree.put("index.tsv", b"two\n")
same(server.get("/index.tsv")[2], b"one\n", "a small file is what was read, until then")
reload()
status, headers, body = server.get("/index.tsv")
same((body, headers["etag"]), (b"two\n", f'"{sha256(body)}"'), "and the new one after, with its own tag")
os.link(tree.root + "/" + big_path, tree.root + "/debian/11/x86_64/linked.btf.tar.xz")
same(server.get("/" + big_path)[2] == big, True, "another name for the same bytes changes nothing")
os.unlink(tree.root + "/debian/11/x86_64/new.btf.tar.xz")
reload()
same(server.get("/debian/11/x86_64/new.btf.tar.xz")[0], 404, "what was taken away is gone")
same(server.get("/debian/11/x86_64/linked.btf.tar.xz")[2] == big, True, "what was linked is there")

# A big file that is not what was read: never wrong bytes under an old tag.
old = server.get("/" + big_path, "HEAD")[1]["etag"]
newer = tree.put(big_path, bytes_of("newer", 8 << 20))
status, headers, body = server.get("/" + big_path)
same((status, "retry-after" in headers), (503, True), "replaced under us: 503 until the tree is read again")
reload()
status, headers, body = server.get("/" + big_path, If_Range=old, Range="bytes=1-5")
same((status, body == newer), (200, True), "then the new one, whole for who has a part of the old")
os.unlink(tree.root + "/" + big_path)
os.symlink("/etc/passwd", tree.root + "/" + big_path)
same(server.get("/" + big_path)[0], 503, "a symbolic link in its place is not followed")
os.unlink(tree.root + "/" + big_path)
os.rename(tree.root + "/debian", tree.root + "/away")
os.symlink("away", tree.root + "/debian")
same(server.get("/debian/11/x86_64/linked.btf.tar.xz")[0], 503, "nor is one in place of a folder")
os.unlink(tree.root + "/debian")
os.rename(tree.root + "/away", tree.root + "/debian")
same(server.get("/debian/11/x86_64/linked.btf.tar.xz")[2] == big, True, "back in its place it is served")

# The root goes: what was read is still served.
os.rename(tree.root, tree.root + ".gone")
server.process.send_signal(signal.SIGHUP)
ok(until(lambda: server.metric('btfdepot_tree_reloads_total{result="failed"}') == 1), "a root that is gone is noticed")
same(server.get("/index.tsv")[2], b"two\n", "and the tree before is served on")
ok("still serving" in server.log(), "which it says")
os.rename(tree.root + ".gone", tree.root)

# Readers of an old snapshot finish with it while trees come and go.
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.settimeout(PATIENCE)
s.connect((server.host, server.port))
s.sendall(b"GET /debian/11/x86_64/linked.btf.tar.xz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
for i in range(3):
    tree.put("index.tsv", b"%d\n" % i)
    reload()
got = b""
while part := s.recv(1 << 16):
    got += part
same(got.endswith(big), True, "an answer that has begun is finished from the old tree")

# The end: what is being answered is finished, who is idle is not waited for.
idle = server.connect()
half = server.connect()
half.sendall(b"GET /index.tsv HTTP/1.1\r\n")
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.settimeout(PATIENCE)
s.connect((server.host, server.port))
s.sendall(b"GET /debian/11/x86_64/linked.btf.tar.xz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
ok(select.select([s], [], [], PATIENCE)[0], "an answer is under way")
server.process.send_signal(signal.SIGTERM)


def is_refused():
    try:
        server.connect().close()
        return False
    except OSError:
        return True


ok(until(is_refused), "after SIGTERM nobody is let in")
got = b""
while part := s.recv(1 << 16):
    got += part
same(got.endswith(big), True, "and the answer is finished")
same(server.process.wait(PATIENCE), 0, "then it ends with 0")
server.process.stdout.close()
server.forget()

server = Server(tree.root)
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.connect((server.host, server.port))
s.sendall(b"GET /debian/11/x86_64/linked.btf.tar.xz HTTP/1.1\r\nHost: x\r\n\r\n")
select.select([s], [], [], PATIENCE)
start = time.monotonic()
same(server.stop(signal.SIGINT), 0, "SIGINT ends it too, with 0")
took = time.monotonic() - start
ok(3 < took < 12, "a client that doesn't read is waited for a few seconds, no longer")
server.forget()

# Other addresses.
if os.path.exists("/proc/net/if_inet6") and open("/proc/net/if_inet6").read():
    server = Server(tree.root, listen="[::1]:0")
    same((server.hello.startswith("listening on http://[::1]:"), server.get("/healthz")[0]), (True, 200), "IPv6")
    ok(until(lambda: any(" [::1]:" in line for line in server.lines())), "and in the log")
    server.stop()
    server.forget()
else:
    skip("IPv6", "this machine has none")
server = Server(tree.root, listen=":0")
server.host = "127.0.0.1"
same(server.get("/healthz")[0], 200, "no host: all addresses")
ok(until(lambda: any(" 127.0.0.1:" in line for line in server.lines())), "IPv4 peers are written as such")
server.stop()
server.forget()

# As nobody, from a tree that it may only read.
if os.getuid() == 0:
    where = os.path.dirname(tree.root)
    mode = os.stat(where).st_mode
    if not mode & 1:
        os.chmod(where, mode | 1)
    os.chmod(tree.root + "/debian/11/x86_64", 0o555)
    tree.put("private.txt", b"no")
    os.chmod(tree.root + "/private.txt", 0o600)

    def become_nobody():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)

    if os.access(PROGRAM, os.X_OK) and subprocess.run([PROGRAM, "--version"], preexec_fn=become_nobody,
                                                      capture_output=True).returncode == 0:
        server = Server(tree.root, preexec=become_nobody)
        same((server.get("/index.tsv")[0], server.get("/private.txt")[0]), (200, 404), "nobody serves what it may read")
        ok("private.txt can't be read" in server.log(), "and says what it may not")
        same(server.stop(), 0, "ends with 0")
        server.forget()
    else:
        skip("as nobody", "the program lies where nobody can't run it")
else:
    skip("as nobody", "needs root")
tree.remove()
done()

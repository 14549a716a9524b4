#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# Clients that hold on: absolute deadlines, limits of connections, bounded memory; others are served meanwhile.
import os
import resource
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from served import *

soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
tree = Tree()
tree.put("index.tsv", b"arch\n")
big = tree.put("debian/11/x86_64/5.10.0-32-amd64.btf.tar.xz", bytes_of("big", 32 << 20))
REQUEST = b"GET /index.tsv HTTP/1.1\r\nHost: x\r\n\r\n"


def is_closed(s):
    """Whether the server has ended it. What it still had to say is thrown away."""
    s.setblocking(False)
    try:
        while s.recv(1 << 16):
            pass
        return True
    except BlockingIOError:
        return False
    except OSError:
        return True


def drip(s, data):
    """A byte now and then, until the server has enough. Seconds that it took, None if it never had."""
    start = time.monotonic()
    for byte in data:
        try:
            s.send(bytes([byte]))
        except OSError:
            return time.monotonic() - start
        if until(lambda: is_closed(s), 0.2):
            return time.monotonic() - start
    return None


def memory(server):
    with open(f"/proc/{server.process.pid}/status") as f:
        for line in f:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])


# A second for the header, whatever drips in; the library's own timeout never ends such a client.
server = Server(tree.root, "--header-timeout", "1", "--response-timeout", "2")
slow = [server.connect() for _ in range(3)]
slow[1].sendall(b"GET /index.tsv HTTP/1.1\r\n")
slow[2].sendall(REQUEST + b"GET /ind")
took = drip(slow[0], b"GET /index.tsv HTTP/1.1\r\nHost: x\r\nX-Drip: " + b"y" * 100)
ok(took and 0.5 < took < 6, "a dripping client is cut at the deadline")
for s, what in (slow[1], "one that stops in its header"), (slow[2], "one that stops in its second request"):
    ok(until(lambda: is_closed(s), 6), f"so is {what}")
same(server.get("/index.tsv")[2], b"arch\n", "another is served")
ok(until(lambda: sum(" 408 " in line and "header deadline" in line for line in server.lines()) == 1),
   "the one whose first line had come is logged as 408")
same(server.metric('btfdepot_connections_closed_total{why="header-deadline"}'), 3, "and counted")
idle = server.connect()
idle.sendall(REQUEST)
ok(until(lambda: is_closed(idle), 6), "an idle connection is closed after the same time")

# A client that doesn't take what it asked for.
slow = socket.socket()
slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
slow.settimeout(PATIENCE)
slow.connect((server.host, server.port))
start = time.monotonic()
slow.sendall(b"GET /debian/11/x86_64/5.10.0-32-amd64.btf.tar.xz HTTP/1.1\r\nHost: x\r\n\r\n")
said = until(lambda: [line for line in server.lines() if "response deadline" in line], 10)
took = time.monotonic() - start
ok(said and 1.5 < took < 8, "one that doesn't read is cut at the response's deadline")
got = 0
try:
    while part := slow.recv(65536):
        got += len(part)
except OSError:
    pass
ok(got < len(big), "and has not got all of it")
same(server.get("/debian/11/x86_64/5.10.0-32-amd64.btf.tar.xz")[2] == big, True, "another gets all of it")
same(server.stop(), 0, "ends with 0")
server.forget()

# Each address has its share.
server = Server(tree.root, "--max-per-address", "50", "--max-connections", "200", "--header-timeout", "60")
hoard = [server.connect("127.0.0.2") for _ in range(300)]
ok(until(lambda: sum(is_closed(s) for s in hoard) == 250), "of 300 connections of one address, 50 stay")
ok(all(is_closed(s) for s in hoard[:150]), "not the oldest ones")
same(server.get("/index.tsv")[2], b"arch\n", "other addresses don't notice")
ok(server.metric("btfdepot_connections") <= 52, "the others are gone")

# Many addresses: whoever has waited longest makes room.
hoard += [server.connect(f"127.0.1.{i % 100 + 1}") for i in range(400)]
# Those that were just evicted hold their places until they are closed: 503 is right till then.
ok(until(lambda: server.get("/healthz")[0] == 200), "the flood is dealt with")
same([server.get("/index.tsv")[0] for _ in range(20)], [200] * 20, "with all places taken, newcomers are served")
ok(until(lambda: server.metric("btfdepot_connections") <= 201), "and the limit holds")
ok(server.metric('btfdepot_connections_closed_total{why="evicted"}') >= 450, "idle ones made room")
for s in hoard:
    s.close()
ok(until(lambda: server.metric("btfdepot_connections") <= 1), "what clients close is let go")

# All places taken by answers: 503, and no place is lost.
taken = []
for i in range(200):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.bind((f"127.0.2.{i % 10 + 1}", 0))
    s.connect((server.host, server.port))
    s.sendall(b"GET /debian/11/x86_64/5.10.0-32-amd64.btf.tar.xz HTTP/1.1\r\nHost: x\r\n\r\n")
    taken.append(s)
    until(lambda: select.select([s], [], [], 0)[0])
got = until(lambda: (a := server.raw(REQUEST))[9:12] == b"503" and a)
ok(got and b"Retry-After: " in got, "503 and when to come again")
for s in taken:
    s.close()
same(until(lambda: status_of(server.raw(REQUEST)) == 200), True, "200 when they are gone")
same(server.stop(), 0, "ends with 0")
server.forget()

# Thousands of idle ones, and a bound on memory.
n = min(4000, (hard - 200) // 5)
server = Server(tree.root, "--max-connections", str(n), "--max-per-address", "0", "--header-timeout", "60",
                "--response-timeout", "60", "-q")
before = memory(server)
idle = []
for i in range(n - 100):
    idle.append(server.connect(f"127.0.3.{i % 200 + 1}"))
    idle[-1].sendall(b"GET /index.tsv HTTP/1.1\r\nHost: x\r\nX: y")
ok(until(lambda: server.metric("btfdepot_connections") >= n - 100), f"{n - 100} clients stop in their header")
start = time.monotonic()
same([server.get("/index.tsv")[0] for _ in range(200)], [200] * 200, "another is served 200 times")
ok(time.monotonic() - start < 10, "without waiting for them")
for _ in range(20):
    server.get("/debian/11/x86_64/5.10.0-32-amd64.btf.tar.xz")
grown = memory(server) - before
if is_sanitized():
    skip("memory", "sanitizers keep what is freed")
else:
    ok(grown < n * 24 + 20000, f"memory grew by {grown} KiB: less than 24 KiB for each connection, and no file")
for s in idle:
    s.close()
ok(until(lambda: server.metric("btfdepot_connections") <= 1), "all are let go")
same(server.log().count("\n"), 1, "-q: no lines of requests")
same(server.stop(), 0, "ends with 0")
server.forget()

# Connections that are reset while they are answered.
server = Server(tree.root, "-q")
for i in range(500):
    with server.connect() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        s.sendall(REQUEST if i % 2 else b"GET /debian/11/x86_64/5.10.0-32-amd64.btf.tar.xz HTTP/1.1\r\nHost: x\r\n\r\n")
same(server.get("/index.tsv")[0], 200, "a storm of resets passes")
ok(until(lambda: len(os.listdir(f"/proc/{server.process.pid}/fd")) < 40), "and leaves no descriptor behind")
same(server.stop(), 0, "ends with 0")
server.forget()
tree.remove()
done()

#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# Requests that no honest client sends: the right status, one line in the log, and the next client is served.
import os
import re
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from served import *

tree = Tree()
tree.put("index.tsv", b"arch\n")
server = Server(tree.root)
H = b"Host: x\r\n"
END = b"\r\n"


def expect(name, data, *statuses):
    before = len(server.lines())
    got = status_of(server.raw(data))
    # A reset may overtake the answer where bytes were left unread; the log has the status then.
    said = until(lambda: server.lines()[before:])
    logged = int(re.search(r'" (\d+) ', said[0])[1]) if said else 0
    good = len(said) == 1 and logged in statuses and got in (*statuses, 0)
    if not ok(good, f"{'/'.join(map(str, statuses))}: {name}"):
        print(f"# got {got}, log {said}")


def get(target, headers=H, version=b"HTTP/1.1"):
    return b"GET " + target + b" " + version + b"\r\n" + headers + END


# Targets.
for target in (b"/%00", b"/index.tsv%00", b"/a%2Fb", b"/a%2fb", b"/%5c", b"/a\\b", b"/..", b"/../etc/passwd",
               b"/a/../index.tsv", b"/%2e%2e/x", b"/a/%2E/b", b"/./index.tsv", b"//index.tsv",
               b"/a//b", b"/%0d%0aSet-Cookie:x",
               b"/%7f", b"/%1b[2J", b"/%", b"/%4", b"/%zz", b"/%+1", b"/\xff", b"/%ff", b"/\x01", b"/%20",
               b"/" + b"a" * 1024, b"/" + b"%41" * 342):
    expect(f"target {target[:24]!r}", get(target), 400)
for target in b"http://x/index.tsv", b"*", b"index.tsv", b"x:443", b"?", b"https://[::1]/":
    expect(f"target {target[:24]!r}", get(target), 400)
expect("a space in the target", get(b"/a b"), 400)
expect("a path of 1024 bytes is well-formed", get(b"/" + b"a" * 1023), 404)
expect("64 KiB of target", get(b"/" + b"a" * 65536), 414)
expect("a full header", get(b"/", H + b"".join(b"X-%d: y\r\n" % i for i in range(10000))), 413, 431)
expect("64 KiB of If-None-Match", get(b"/", H + b"If-None-Match: " + b'"a", ' * 12000 + END), 413, 431)

# Versions and request lines.
expect("HTTP/0.9", b"GET /index.tsv\r\n\r\n", 400)
expect("HTTP/2.0", get(b"/index.tsv", H, b"HTTP/2.0"), 400, 505)
expect("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, 505)
expect("HTTP/0.1", get(b"/", H, b"HTTP/0.1"), 400, 505)
expect("small letters", get(b"/", H, b"http/1.1"), 400)
expect("a TLS hello",
       b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(32, 127)) + b"\r\n\r\n", 400)
expect("LF alone is tolerated", b"GET /index.tsv HTTP/1.1\nHost: x\nConnection: close\n\n", 200)
expect("HTTP/1.0 without Host", b"GET /index.tsv HTTP/1.0\r\n\r\n", 200)

# Headers.
expect("no Host", get(b"/index.tsv", b""), 400)
expect("two Hosts", get(b"/index.tsv", H + H), 400)
expect("two Content-Lengths", get(b"/index.tsv", H + b"Content-Length: 0\r\nContent-Length: 0\r\n"), 400)
expect("Content-Length and Transfer-Encoding",
       get(b"/index.tsv", H + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n") + b"0\r\n\r\n", 400)
for value in b"-1", b"+1", b"1 1", b"0x1", b"a", b"":
    expect(f"Content-Length {value!r}", get(b"/index.tsv", H + b"Content-Length: " + value + END), 400)
expect("Content-Length beyond 64 bits",
       get(b"/index.tsv", H + b"Content-Length: 99999999999999999999999\r\n"), 400, 413)
expect("a body", get(b"/index.tsv", H + b"Content-Length: 3\r\n") + b"abc", 413)
expect("a body of 1 GiB, announced", get(b"/index.tsv", H + b"Content-Length: 1073741824\r\n"), 413)
expect("a body after 100-continue", get(b"/index.tsv", H + b"Content-Length: 3\r\nExpect: 100-continue\r\n"), 413)
expect("a chunked body", get(b"/index.tsv", H + b"Transfer-Encoding: chunked\r\n") + b"1\r\na\r\n0\r\n\r\n", 413)
expect("a transfer coding nobody knows", get(b"/index.tsv", H + b"Transfer-Encoding: x\r\n"), 413)
expect("space before a colon", get(b"/index.tsv", H + b"Content-Length : 3\r\n"), 400)
expect("a header without colon", get(b"/index.tsv", H + b"nonsense\r\n"), 400)
expect("an escape in a header", get(b"/index.tsv", H + b"X: \x1b[2J\r\n"), 400)
expect("a bare CR in a header", get(b"/index.tsv", H + b"X: a\rb\r\n"), 400)
expect("a folded header is one header", get(b"/index.tsv", H + b"X: a\r\n b\r\nConnection: close\r\n"), 200, 400)

# Methods.
for method in b"POST", b"PUT", b"DELETE", b"TRACE", b"OPTIONS", b"PATCH", b"get", b"X" * 100, b"G\x1bT":
    expect(f"method {method[:12]!r}", method + b" /index.tsv HTTP/1.1\r\n" + H + END, 405)
expect("OPTIONS *", b"OPTIONS * HTTP/1.1\r\n" + H + END, 405)
expect("CONNECT", b"CONNECT x:443 HTTP/1.1\r\n" + H + END, 405)
expect("POST of nothing", b"POST /index.tsv HTTP/1.1\r\n" + H + b"Content-Length: 0\r\n\r\n", 405)
same(server.get("/index.tsv", "POST")[1].get("allow"), "GET, HEAD", "405 says what is allowed")

# What two readers could understand differently ends the connection.
got = server.raw(get(b"/index.tsv", H + b"Content-Length: 44\r\nTransfer-Encoding: chunked\r\n") +
                 b"0\r\n\r\nGET /index.tsv HTTP/1.1\r\nHost: smuggled\r\n\r\n")
same((got.count(b"HTTP/1.1"), b"onnection: close" in got), (1, True), "nothing behind it is read")

# 10,000 requests at once on one connection.
wanted = 10000
lines = len(server.lines())
with server.connect() as s:
    got = seen = 0
    data = memoryview(get(b"/index.tsv") * wanted)
    tail = b""
    s.setblocking(False)
    while got < wanted:
        reading, writing, _ = select.select([s], [s] if data else [], [], PATIENCE)
        if not reading and not writing:
            break
        if writing:
            data = data[s.send(data):]
        if reading:
            part = s.recv(1 << 16)
            if not part:
                break
            tail += part
            got += tail.count(b"HTTP/1.1 200")
            tail = tail[-11:]
same(got, wanted, "10,000 pipelined requests are all answered")

same(until(lambda: len(server.lines()) >= lines + wanted), True, "and have a line each")

# A nasty path in the log: one line, nothing that moves a cursor or forges a line.
lines = len(server.lines())
server.raw(get(b"/\x1b[31m\"\\%0a\xe2\x80\xae"))
said = until(lambda: server.lines()[lines:])
same([re.sub(r"^\S+ 127\.0\.0\.1:\d+ (.*) \d+ [\d.]+ms$", r"\1", line) for line in said],
     [r'GET "/\x1b[31m\x22\x5c%0a\xe2\x80\xae" 400'], "is escaped")
ok(all(0x20 <= ord(c) < 0x7f for line in server.lines() for c in line), "the whole log is printable ASCII")

# Half requests.
server.raw(b"GET /index.tsv HTTP/1.1\r\nHost")
ok(until(lambda: any(" 499 " in line for line in server.lines())), "a request that is given up is logged as 499")
for cut in range(1, 60):
    with server.connect() as s:
        s.sendall(get(b"/index.tsv" * 3)[:cut])
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
same(server.get("/index.tsv")[2], b"arch\n", "after all of this, the next client is served")
same(server.stop(), 0, "ends with 0")
server.forget()
tree.remove()
done()

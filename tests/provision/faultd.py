#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""A web server that misbehaves on demand: faultd.py ROOT LOG

Listens on 127.0.0.1 at a free port, prints the port, and appends one line per request to LOG.
The first segment of a path chooses the behaviour, the rest names a file below ROOT: a client that
is given http://127.0.0.1:PORT/drip as its server gets every file at a byte a second.
"""
import os
import socket
import struct
import sys
import threading
import time

ROOT, LOG = sys.argv[1], sys.argv[2]
LOCK = threading.Lock()
REASONS = {200: "OK", 404: "Not Found"}
HTML = b"<!DOCTYPE html><html><body>Please log in to the network.</body></html>\n"


def head(status, length=None, extra=""):
    text = f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}\r\n{extra}"
    if length is not None:
        text += f"Content-Length: {length}\r\n"
    return (text + "Connection: close\r\n\r\n").encode()


def read_file(name):
    path = os.path.join(ROOT, *[part for part in name.split("/") if part not in ("", "..")])
    try:
        with open(path, "rb") as f:
            return f.read()
    except OSError:
        return None


def ok(c, body, arg):
    c.sendall(head(200, len(body), 'ETag: "one"\r\n') + body)


def drip(c, body, arg):
    c.sendall(head(200, len(body)))
    for i in range(len(body)):
        c.sendall(body[i : i + 1])
        time.sleep(1)


def cut(c, body, arg):
    c.sendall(head(200, len(body)) + body[: int(arg)])


def endless(c, body, arg):
    c.sendall(head(200))
    while True:
        c.sendall(b"\x9f\xeb\x01\x00" * 16384)


def headers(c, body, arg):
    c.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        c.sendall(b"X-Filler: " + b"x" * 4000 + b"\r\n")


def interim(c, body, arg):
    while True:
        c.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 100)


def status(c, body, arg):
    code = int(arg)
    extra = "Retry-After: 7\r\n" if code in (429, 503) else ""
    extra += "Location: /ok/elsewhere\r\n" if code in (301, 302, 307) else ""
    empty = code in (204, 304)
    c.sendall(head(code, None if empty else len(HTML), extra) + (b"" if empty else HTML))


def portal(c, body, arg):
    c.sendall(head(200, len(HTML), "Content-Type: text/html\r\n") + HTML)


def garbage(c, body, arg):
    junk = bytes(range(1, 250)) * 8
    c.sendall(head(200, len(junk)) + junk)


def reset(c, body, arg):
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def once(c, body, arg):
    """Resets the first connection, serves the second."""
    with LOCK:
        first = not once.seen
        once.seen = True
    (reset if first else ok)(c, body, arg)


once.seen = False


def silent(c, body, arg):
    c.settimeout(60)
    c.recv(1)


def huge(c, body, arg):
    c.sendall(head(200, 1 << 40) + b"\x9f\xeb\x01\x00")


def nohttp(c, body, arg):
    c.sendall(body)


def flip(c, body, arg):
    """Changes one byte: number arg."""
    at = int(arg)
    ok(c, body[:at] + bytes([body[at] ^ 0xFF]) + body[at + 1 :], arg)


MODES = {f.__name__: f for f in (ok, drip, cut, endless, headers, interim, status, portal, garbage,
                                 reset, once, silent, huge, nohttp, flip)}
NEED_FILE = ("ok", "drip", "cut", "once", "flip")


def serve(c):
    with c:
        data = b""
        while b"\r\n\r\n" not in data:
            more = c.recv(4096)
            if not more or len(data) > 65536:
                return
            data += more
        path = data.split(b" ", 2)[1].decode("latin-1").lstrip("/")
        with LOCK, open(LOG, "a", encoding="latin-1") as log:
            log.write(path + "\n")
        mode, _, rest = path.partition("/")
        name, _, arg = mode.partition("-")
        body = read_file(rest.replace("%2B", "+").replace("%40", "@").replace("%7E", "~"))
        if body is None and name in NEED_FILE:
            status(c, None, 404)
        elif name in MODES:
            MODES[name](c, body or b"", arg)
        if name not in ("reset", "once"):
            c.shutdown(socket.SHUT_WR)


def serve_quietly(c):
    try:
        serve(c)
    except OSError:
        pass


def main():
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)
    while True:
        c, _ = listener.accept()
        threading.Thread(target=serve_quietly, args=(c,), daemon=True).start()


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# What is answered to well-formed requests.
import http.client
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from served import *

tree = Tree()
need_text = b"btfdepot-need 1\n"
need = sha256(need_text)
here = f"min/{need}"
small = tree.put(f"{here}/debian/13/x86_64/6.12.117+deb13-amd64.btf", bytes_of("small", 700))
tree.put(f"{here}/need.txt", need_text)
tree.put(f"{here}/index.tsv", b"arch\tdistro\n")
tree.put(f"{here}/by-build-id/0123456789abcdef0123.btf", small)
sig = tree.put(f"{here}/debian/13/x86_64/6.12.117+deb13-amd64.btf.minisig", b"untrusted comment: x\n")
big = tree.put("debian/11/x86_64/5.10.0-32-amd64.btf.tar.xz", bytes_of("big", 3000001))
tree.put("debian/11/x86_64/5.10.0-32-amd64.json", b"{}\n")
tree.put("debian/11/x86_64/5.10.0-99-amd64.hasbtf", b"")
second = tree.put("debian/11/x86_64/5.10.0-32-amd64@0123456789ab.btf.tar.xz", b"second build")
index = tree.put("index.tsv", b"arch\tdistro\tdistro_version\n")
tree.put("revoked.txt", b"")
tree.put("debian/11/x86_64/.tmp-half.btf", b"half")
tree.put("secret.key", b"no")
outside = Tree()
outside.put("outside.txt", b"no")
os.symlink(os.path.join(outside.root, "outside.txt"), os.path.join(tree.root, "link.txt"))
os.symlink(outside.root, os.path.join(tree.root, "folder"))
server = Server(tree.root)

# Types, and who may keep what.
minimal = f"/{here}/debian/13/x86_64/6.12.117%2Bdeb13-amd64.btf"
for path, kind in [
        (minimal, "application/octet-stream"),
        (f"/{here}/need.txt", "text/plain; charset=utf-8"),
        (minimal + ".minisig", "text/plain; charset=utf-8"),
        ("/index.tsv", "text/tab-separated-values"),
        ("/revoked.txt", "text/plain; charset=utf-8"),
        ("/debian/11/x86_64/5.10.0-32-amd64.btf.tar.xz", "application/x-xz"),
        ("/debian/11/x86_64/5.10.0-32-amd64.json", "application/json")]:
    status, headers, body = server.get(path)
    same((status, headers["content-type"]), (200, kind), f"200 and type of {path.split('/')[-1]}")
    same(headers["etag"], f'"{sha256(body)}"', "its ETag is the sha256 of its bytes")
    keeps = "public, max-age=31536000, immutable" if "need.txt" in path else "public, no-cache"
    same(headers["cache-control"], keeps, "only what is named by its digest is immutable")
    same(headers["x-content-type-options"], "nosniff", "nosniff")
    same((headers["server"], "date" in headers), ("btf-server", True), "Server says no more than a name")
    status, head, body = server.get(path, "HEAD")
    drop = lambda h: {k: v for k, v in h.items() if k != "date"}
    same((status, drop(head), body), (200, drop(headers), b""), "HEAD has the same headers and no body")

# Ways to write one name.
same(server.get(minimal)[2], small, "%2B finds a name with +")
same(server.get(minimal.replace("%2B", "+"))[2], small, "so does a bare +")
same(server.get(minimal.replace("x86_64", "%78%386%5f64"))[2], small, "and any other escaped byte")
same(server.get(minimal + "?x=/..")[2], small, "a query is not part of the name")
same(server.get(minimal.replace("%2B", "%252B"))[0], 404, "decoding happens once")
same(server.get("/v1" + minimal)[2], small, "/v1/min is /min")
same(server.get(f"/{here}/by-build-id/0123456789abcdef0123.btf")[2], small, "by build-id")
for prefix in "", "/aquasecurity/btfhub-archive/raw/main", "/btfs":
    same(server.get(prefix + "/debian/11/x86_64/5.10.0-32-amd64.btf.tar.xz")[2], big,
         f"a full archive below {prefix or '/'}")
same(server.get("/debian/bullseye/x86_64/5.10.0-32-amd64.btf.tar.xz")[2], big, "codename of the version")
same(server.get("/debian/11/x86_64/5.10.0-32-amd64@0123456789ab.btf.tar.xz")[2], second,
     "a second build has its own name")
same(server.get("/debian/bullseye/x86_64/5.10.0-32-amd64@ba9876543210.btf.tar.xz")[0], 404,
     "another build is not answered with the first")

# What is not there.
for path in ["/debian/11/x86_64/.tmp-half.btf", "/secret.key", "/link.txt", "/folder/outside.txt",
             "/debian", "/debian/", "/", "/min/" + "0" * 64 + "/need.txt", "/index.tsv/", "/INDEX.TSV"]:
    same(server.get(path)[0], 404, f"404 for {path[:40]}")
status, headers, body = server.get("/debian/12/x86_64/none.btf.tar.xz")
same((body.count(b"\n"), headers["content-type"]), (1, "text/plain; charset=utf-8"), "an error is one line of text")
status, headers, body = server.get("/none", Accept="text/html, application/json;q=0.5")
same((status, headers["content-type"], list(json.loads(body))), (404, "application/json", ["error"]),
     "or JSON for who asks for it")
status, _, body = server.get("/debian/11/x86_64/5.10.0-99-amd64.btf.tar.xz")
same((status, b"own BTF" in body), (410, True), "410 for a kernel that ships its own BTF")
same(server.get(f"/v1/{here}/debian/bullseye/x86_64/5.10.0-99-amd64.btf")[0], 410, "also minimised")

# Conditions.
etag = f'"{sha256(index)}"'
for value in etag, "*", f'"a", W/"b" ,{etag}', f"W/{etag}", f'"",,{etag}':
    status, headers, body = server.get("/index.tsv", If_None_Match=value)
    same((status, headers["etag"], body), (304, etag, b""), f"304 for If-None-Match {value[:24]}")
same(headers["content-length"], str(len(index)), "its length is that of the file")
for value in '"x"', etag[1:-1], etag[:-1], "", "**", f'"a" b {etag}', etag.upper():
    same(server.get("/index.tsv", If_None_Match=value)[0], 200, f"200 for If-None-Match {value[:24]!r}")
same(server.get("/index.tsv", "HEAD", If_None_Match=etag)[0], 304, "304 for HEAD")
same(server.get("/index.tsv", If_Match='"x"')[0], 412, "412 for another If-Match")
same(server.get("/index.tsv", If_Match=etag)[0], 200, "200 for its own")
same(server.get("/index.tsv", If_Match="W/" + etag)[0], 412, "a weak tag is none for If-Match")

# Ranges, of a file in memory and of one on disk.
for path, data in (minimal, small), ("/debian/11/x86_64/5.10.0-32-amd64.btf.tar.xz", big):
    n = len(data)
    for value, first, end in [("bytes=0-0", 0, 1), ("bytes=5-9", 5, 10), ("bytes=10-", 10, n), ("bytes=-7", n - 7, n),
                              (f"bytes=-{n + 5}", 0, n), (f"bytes={n - 1}-", n - 1, n), (f"bytes=3-{n + 9}", 3, n),
                              (f"bytes=0-{'9' * 30}", 0, n), ("Bytes=1-2", 1, 3)]:
        status, headers, body = server.get(path, Range=value)
        same((status, headers.get("content-range"), body == data[first:end]),
             (206, f"bytes {first}-{end - 1}/{n}", True), f"206 for {value[:30]} of {n}")
    for value in f"bytes={n}-", "bytes=-0", f"bytes={'9' * 40}-":
        status, headers, body = server.get(path, Range=value)
        same((status, headers.get("content-range")), (416, f"bytes */{n}"), f"416 for {value[:30]}")
    for value in ("bytes=0-0,2-3", "bytes=9-5", "bytes=", "bytes=-", "lines=0-1", "bytes=a-b", "bytes=1",
                  "bytes= 0-1", "bytes=0-1x", "bytes=" + "0-0," * 1000 + "1-1"):
        status, _, body = server.get(path, Range=value)
        same((status, body == data), (200, True), f"all of it for {value[:20]}")
    same(server.get(path, Range="bytes=0-1", If_Range=f'"{sha256(data)}"')[0], 206, "If-Range with its tag")
    for value in '"x"', f'W/"{sha256(data)}"', "Sun, 06 Nov 1994 08:49:37 GMT", "*":
        same(server.get(path, Range="bytes=0-1", If_Range=value)[0], 200, f"all of it for If-Range {value[:12]}")
    same(server.get(path, "HEAD", Range="bytes=0-1")[0], 200, "HEAD has no ranges")
    same(server.get(path, Range="bytes=0-1", If_None_Match="*")[0], 304, "If-None-Match goes first")
same(server.get("/revoked.txt", Range="bytes=0-")[0], 416, "an empty file has no range")

# One connection serves many requests, also after answers without a body.
c = http.client.HTTPConnection(server.host, server.port, timeout=PATIENCE)
c.connect()
port = c.sock.getsockname()[1]
statuses = []
for method, path, headers in [("GET", "/index.tsv", {}), ("HEAD", "/index.tsv", {}), ("GET", "/none", {}),
                              ("GET", "/index.tsv", {"If-None-Match": etag}),
                              ("HEAD", "/debian/11/x86_64/5.10.0-32-amd64.btf.tar.xz", {}),
                              ("GET", "/debian/11/x86_64/5.10.0-32-amd64.btf.tar.xz", {"Range": "bytes=1-2"}),
                              ("GET", "/healthz", {})]:
    c.request(method, path, headers=headers)
    r = c.getresponse()
    r.read()
    statuses.append(r.status)
same((statuses, c.sock.getsockname()[1]), ([200, 200, 404, 304, 200, 206, 200], port), "keep-alive")
c.close()

# The counter that tests of others rely on.
before = server.requests()
server.get("/healthz")
same(server.requests(), before, "health and metrics are counted apart")
counted = 'btfdepot_http_requests_total{route="min",status="200"}'
n = server.metric(counted)
server.get(minimal)
same((server.metric(counted), server.requests()), (n + 1, before + 1), "a request counts once")
server.get("/%00")
server.get("/index.tsv", "DELETE")
same((server.requests(), server.metric('btfdepot_http_requests_total{route="none",status="405"}') > 0),
     (before + 3, True), "bad ones count too")
same(server.get("/healthz")[2], b"ok\n", "healthz")

same(server.stop(), 0, "ends with 0")
server.forget()
tree.remove()
outside.remove()
done()

# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""What the tests of btf-server share: TAP points, a tree to serve, a running server, raw requests."""
import hashlib
import http.client
import os
import pathlib
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
BIN = os.environ.get("BIN") or os.path.join(TOP, "build", "bin")
PROGRAM = os.environ.get("BTF_SERVER") or os.path.join(BIN, "btf-server")
PATIENCE = 20  # seconds that anything may take before a test gives up

points = failed = 0


def ok(good, name):
    global points, failed
    points += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {points} - {name}", flush=True)
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


def until(condition, seconds=PATIENCE):
    """Polls. Gives what the condition gave last."""
    end = time.monotonic() + seconds
    while True:
        got = condition()
        if got or time.monotonic() > end:
            return got
        select.select([], [], [], 0.02)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def bytes_of(seed, size):
    """Any bytes, the same each time."""
    return hashlib.shake_128(seed.encode()).digest(size)


class Tree:
    def __init__(self):
        self.root = tempfile.mkdtemp(prefix="btf-server-")
        os.chmod(self.root, 0o755)

    def put(self, path, data):
        """Appears whole, as publishers do it."""
        whole = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        tmp = os.path.join(os.path.dirname(whole), ".tmp-test")
        with open(tmp, "wb") as f:
            f.write(data)
        os.rename(tmp, whole)
        return data

    def remove(self):
        shutil.rmtree(self.root, ignore_errors=True)


class Server:
    def __init__(self, root, *args, listen="127.0.0.1:0", preexec=None):
        self.log_path = tempfile.mktemp(prefix="btf-server-log-")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "--root", root, "--listen", listen, *args],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, preexec_fn=preexec)
        ready = select.select([self.process.stdout], [], [], PATIENCE)[0]
        self.hello = self.process.stdout.readline().decode() if ready else ""
        match = re.fullmatch(r"listening on http://(.*):(\d+)\n", self.hello)
        if not match:
            print(f"Bail out! no server: {self.hello!r} {self.log()!r}")
            sys.exit(1)
        self.host, self.port = match[1].strip("[]"), int(match[2])

    def log(self):
        with open(self.log_path, "rb") as f:
            return f.read().decode("latin-1")

    def lines(self):
        """Of requests, without the server's own."""
        return [line for line in self.log().splitlines() if re.match(r"\d{4}-", line)]

    def connect(self, source=None):
        s = socket.create_connection((self.host, self.port), PATIENCE,
                                     source_address=(source, 0) if source else None)
        return s

    def get(self, path, method="GET", body=None, **headers):
        """(status, headers with small letters, body) on a connection of its own."""
        c = http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)
        try:
            c.putrequest(method, path, skip_accept_encoding=True)
            for key, value in headers.items():
                c.putheader(key.replace("_", "-"), value)
            c.endheaders(body)
            r = c.getresponse()
            return r.status, {k.lower(): v for k, v in r.getheaders()}, r.read()
        finally:
            c.close()

    def raw(self, data, source=None):
        """All that comes back until the server closes, or until it resets."""
        with self.connect(source) as s:
            got = b""
            try:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
                while part := s.recv(65536):
                    got += part
            except OSError:
                pass
            return got

    def metric(self, name):
        for line in self.get("/metrics")[2].decode().splitlines():
            if line.startswith(name + " "):
                return int(line.split()[-1])
        return 0

    def requests(self):
        """How many were counted that were no /metrics and no /healthz."""
        n = 0
        for line in self.get("/metrics")[2].decode().splitlines():
            match = re.match(r'btfdepot_http_requests_total\{route="(.*?)",status=".*?"\} (\d+)', line)
            if match and match[1] not in ("metrics", "healthz"):
                n += int(match[2])
        return n

    def stop(self, signal=15):
        """Its exit code; None if it had to be killed."""
        self.process.send_signal(signal)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None
        finally:
            self.process.stdout.close()

    def forget(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.unlink(self.log_path)


def status_of(answer):
    match = re.match(rb"HTTP/1\.[01] (\d{3}) ", answer)
    return int(match[1]) if match else 0


def is_sanitized():
    with open(PROGRAM, "rb") as f:
        program = f.read()
    return b"__asan_init" in program or b"__tsan_init" in program

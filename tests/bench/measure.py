#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""Commands side by side: measure.py [-n RUNS] TITLE OURS -- PEER

Runs both by turns, RUNS times each after one to warm up, and prints medians of wall clock and cpu
time, the peak of memory, and how much the peer takes of each as a multiple of ours. OURS and PEER
are shell commands; their output goes to /dev/null. A command that fails ends it all.
"""
import os
import shlex
import statistics
import subprocess
import sys
import time


def run(command):
    """Wall and cpu milliseconds and peak MiB of a command with its children."""
    start = time.monotonic()
    words = ["bash", "-c", command] if set(command) & set(";|&$(<>*") else shlex.split(command)
    child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE)
    said = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = (time.monotonic() - start) * 1e3
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"bench: exit {child.returncode}: {command}\n{said.decode(errors='replace')}")
    return wall, (usage.ru_utime + usage.ru_stime) * 1e3, usage.ru_maxrss / 1024


def medians(rows):
    walls, cpus, peaks = zip(*rows)
    return statistics.median(walls), statistics.median(cpus), max(peaks)


def line(name, values):
    wall, cpu, peak = values
    print(f"  {name:<10} {wall:10.2f} ms wall {cpu:10.2f} ms cpu {peak:9.1f} MiB peak")


def main(args):
    runs = 15
    if args[0] == "-n":
        runs, args = int(args[1]), args[2:]
    title, rest = args[0], args[1:]
    cut = rest.index("--")
    ours, peer = " ".join(rest[:cut]), " ".join(rest[cut + 1:])
    rows = [], []
    for i in range(runs + (runs > 1)):
        for side, command in enumerate((ours, peer)):
            row = run(command)
            if i or runs == 1:
                rows[side].append(row)
    a, b = medians(rows[0]), medians(rows[1])
    print(f"{title} (median of {len(rows[0])})")
    line("ours", a)
    line("peer", b)
    print(f"  peer/ours  {b[0] / a[0]:10.1f} x wall  {b[1] / a[1]:10.1f} x cpu  "
          f"{b[2] / a[2]:9.1f} x memory", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

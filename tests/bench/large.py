#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""The source of a BPF program that reads three members each of many kernel structs.

large.py N <"bpftool btf dump file BTF format raw"
"""
import collections
import re
import sys

C_WORDS = set("auto break case char const continue default do double else enum extern float for goto "
              "if inline int long register restrict return short signed sizeof static struct switch "
              "typedef union unsigned void volatile while".split())


def read(lines):
    kinds, structs, current = {}, [], None
    for text in lines:
        head = re.match(r"\[(\d+)\] (\w+) '([^']*)'", text)
        if head:
            kinds[int(head[1])] = head[2]
            current = (head[3], []) if head[2] == "STRUCT" else None
            if current:
                structs.append(current)
            continue
        member = re.match(r"\t'(\w+)' type_id=(\d+) bits_offset=\d+$", text)
        if member and current:
            current[1].append((member[1], int(member[2])))
    return kinds, structs


def main(n):
    kinds, structs = read(line.rstrip("\n") for line in sys.stdin)
    seen = collections.Counter(name for name, _ in structs)
    once = {name for name, count in seen.items() if count == 1}
    chosen = []
    for name, members in structs:
        plain = [(m, kinds.get(t)) for m, t in members
                 if kinds.get(t) in ("INT", "PTR") and m not in C_WORDS]
        if re.fullmatch(r"[a-z]\w*", name) and name in once and len(plain) >= 3 and \
                name not in C_WORDS and "___" not in name and name != "pt_regs":
            chosen.append((name, plain[:3]))
    step = max(1, len(chosen) // n)
    chosen = chosen[::step][:n]
    print("#define SEC(name) __attribute__((section(name), used))")
    for name, members in chosen:
        fields = " ".join(f"{'void *' if kind == 'PTR' else 'int '}{m};" for m, kind in members)
        print(f"struct {name} {{ {fields} }} __attribute__((preserve_access_index));")
    # a function for each struct: one for all would need more stack than BPF has
    for i, (name, members) in enumerate(chosen):
        terms = " + ".join(f"(long)&((struct {name} *)p)->{m}" for m, _ in members)
        print(f"__attribute__((noinline)) long f{i}(void *p) {{ return {terms}; }}")
    calls = "".join(f"\tsum += f{i}(ctx);\n" for i in range(len(chosen)))
    print(f'SEC("socket") int large(void *ctx)\n{{\n\tlong sum = 0;\n\n{calls}\treturn sum;\n}}')
    print('char _license[] SEC("license") = "Dual BSD/GPL";')


if __name__ == "__main__":
    main(int(sys.argv[1]))

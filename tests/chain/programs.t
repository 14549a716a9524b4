#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# Objects of users: what needs the kernel's own BTF is refused before anything is asked of anyone;
# of the others, what this kernel cannot run is switched off by name and the rest runs.
. "$TOP/tests/tap.sh"

object() # macro
{
	"${CLANG:-clang}" -g -O2 -target bpf -iquote "$TOP" -D"$1" -D__TARGET_ARCH_x86 \
		-c "$TOP/tests/chain/partly.bpf.c" -o "$TMP/$1.o"
}

run() # macro, option...: leaves its words in $TMP/said and its exit code in $status
{
	local name=$1

	shift
	"$BIN/btf-agent" run --no-cache --object "$TMP/$name.o" "$@" >"$TMP/out" 2>"$TMP/said"
	status=$?
}

said() # description, pattern
{
	ok "$1" grep -Eq "$2" "$TMP/said"
}

for macro in TYPED_TRACEPOINT FUNCTION_ENTRY TYPED_SYMBOL SOME; do
	ok "clang compiles $macro" object $macro
done

refused() # macro, pattern
{
	run "$1" --kernel-btf /nonexistent --url http://127.0.0.1:1
	is $status 1 "$1: refused without the kernel's BTF"
	said "$1: the sentence names what it is" "$2"
	is "$(wc -l <"$TMP/said")" 1 "$1: and no source was asked"
}
refused TYPED_TRACEPOINT "program typed \(tp_btf/sched_process_exec\) needs the kernel's own BTF"
refused FUNCTION_ENTRY "program entry \(fentry/commit_creds\) needs the kernel's own BTF"
refused TYPED_SYMBOL "kernel symbol runqueues is declared with a type, which needs the kernel's own BTF"

if [ "$(id -u)" != 0 ] || [ ! -r /sys/kernel/btf/vmlinux ]; then
	skip "loading needs root and a kernel with BTF"
	tap_done
fi
run SOME --steps --duration-ms 100
is $status 0 "SOME: the program that can run does"
said "SOME: it is named" 'good by raw_tp/sched_process_fork$'
said "SOME: a field that the kernel has not is named" \
	"missing off: raw_tp/sched_process_exit: this kernel's BTF has no struct task_struct___never.no_such_field$"
said "SOME: a tracepoint that is not there is said to be off" 'nowhere off: tp/sched/no_such_tracepoint: '
said "SOME: it is told that no events can be read" 'has no maps events_ring and events_perf'
tap_done

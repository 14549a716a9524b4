#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# A kernel without BTF: the agent fetches what btfgen made, over HTTP from outside of the guest,
# loads the collector with it, and tells what a known child did, by raw tracepoints and the ring
# buffer as well as by tracepoints and the perf buffer, and by a kprobe in both.
# BTFDEPOT_VM_KERNEL is a folder with bzImage, config and vmlinux.btf.
. "$TOP/tests/tap.sh"
. "$TOP/tests/vm/lib.sh"
. "$TOP/tests/server.sh"
. "$TOP/tests/known.sh"

vm_need
kernel=${VM_KERNEL:-}
for known in "$SHARED/kernels/5.10.223-nobtf-tiny" "$TOP/build/vm-kernel"; do
	[ -n "$kernel" ] || [ ! -e "$known/bzImage" ] || kernel=$known
done
[ -n "$kernel" ] || tap_skip "no kernel without BTF; make vm-kernel builds one"
export VM_DISTRO_VERSION=11
release=$(vm_release "$kernel/bzImage")
folder=$TMP/archive/debian/$VM_DISTRO_VERSION/x86_64

mkdir -p "$folder"
cp "$kernel/vmlinux.btf" "$folder/$release.btf"
ok "btfgen makes a tree for $release" "$BIN/btfgen" min --out "$TMP/tree" \
	--archive "$TMP/archive" "$BPF/kernel.x86_64.bpf.o"
ok "the server serves it" serve_start "$TMP/tree"

vm_root "$TMP/root"
vm_program "$TMP/root" "$BIN/btf-agent"
cat "$TOP/tests/vm/guest.sh" - >"$TMP/root/test" <<'END'
ls -d /sys/kernel/btf 2>/dev/null >/tmp/kernel-btf
show kernel-btf /tmp/kernel-btf
run_agent ring --url http://10.0.2.100 --cache /var/cache/btfdepot
run_agent perf --url http://10.0.2.100 --cache /var/cache/btfdepot --buffer perf --attach tp
END
ok "the guest boots and ends by itself" vm_boot "$TMP/root" "$kernel/bzImage" \
	"$(vm_machine "$kernel/config")" "$serve_port" "$TMP/console"
[ $tap_failed = 0 ] || tap_show "$TMP/console"
is "$(grep -c '^@file kernel-btf$' "$TMP/console"):$(vm_file "$TMP/console" kernel-btf)" "1:" \
	"it has no /sys/kernel/btf"

known_events "$TMP/console" ring
ok "ring: the BTF came from the server" grep -q ' from server http://10.0.2.100' "$TMP/ring/err"
ok "ring: events by the ring buffer" grep -q 'events by the ring buffer' "$TMP/ring/err"
ok "ring: exec by its raw tracepoint" grep -q 'exec by raw_tp/sched_process_exec' "$TMP/ring/err"
known_events "$TMP/console" perf
ok "perf: the BTF came from the cache" grep -q ' from cache ' "$TMP/perf/err"
ok "perf: events by the perf buffer" grep -q 'events by the perf buffer' "$TMP/perf/err"
ok "perf: exit by its tracepoint" grep -q 'exit by tp/sched/sched_process_exit' "$TMP/perf/err"
ok "the server counts its requests" test "$(serve_requests)" -gt 0
tap_done

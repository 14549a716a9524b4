#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# Debian's 6.1 has its own BTF: the agent uses that and asks nobody, although a server is there.
. "$TOP/tests/tap.sh"
. "$TOP/tests/vm/lib.sh"
. "$TOP/tests/server.sh"
. "$TOP/tests/known.sh"

vm_need
package=$(vm_newest 'linux-image-6\.1\.0-[0-9]+-cloud-amd64')
[ -n "$package" ] || tap_skip "apt knows no linux-image-6.1.0-N-cloud-amd64 here"
dir=$(vm_package "$package" 2>"$TMP/apt") || tap_skip "$package cannot be had: $(tail -n 1 "$TMP/apt")"

mkdir "$TMP/tree"
ok "the server serves an empty tree" serve_start "$TMP/tree"
vm_root "$TMP/root"
vm_program "$TMP/root" "$BIN/btf-agent"
# shellcheck disable=SC2086 # a list
vm_modules "$TMP/root" "$dir/lib/modules" $VM_NET_MODULES
cat "$TOP/tests/vm/guest.sh" - >"$TMP/root/test" <<'END'
wc -c /sys/kernel/btf/vmlinux >/tmp/kernel-btf
show kernel-btf /tmp/kernel-btf
run_agent own --url http://10.0.2.100 --cache /var/cache/btfdepot
ls -A /var/cache/btfdepot 2>/dev/null >/tmp/cache
show cache /tmp/cache
wget -q -O /tmp/health http://10.0.2.100/healthz && show health /tmp/health
END
before=$(serve_requests)
ok "$package boots and ends by itself" vm_boot "$TMP/root" "$(echo "$dir"/boot/vmlinuz-*)" pc \
	"$serve_port" "$TMP/console"
after=$(serve_requests)
[ $tap_failed = 0 ] || tap_show "$TMP/console"

ok "it has its own BTF" grep -q /sys/kernel/btf/vmlinux <(vm_file "$TMP/console" kernel-btf)
known_events "$TMP/console" own
ok "own: the BTF is the kernel's" grep -q 'BTF native from kernel /sys/kernel/btf/vmlinux' \
	"$TMP/own/err"
ok "own: events by the ring buffer" grep -q 'events by the ring buffer' "$TMP/own/err"
is "$(vm_file "$TMP/console" cache)" "" "nothing was put into the cache"
# The guest's own look at /healthz shows that it could have asked.
ok "the guest reaches the server" grep -q '^@eof health$' "$TMP/console"
is "$((after - before))" 1 "the server counts that look and no request of the agent"
tap_done

#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# Events that find no room are counted: the agent is stopped while more processes start and end
# than a buffer holds, and afterwards what it printed and what it says was lost make up the whole.
. "$TOP/tests/tap.sh"
. "$TOP/tests/known.sh"

[ "$(id -u)" = 0 ] || tap_skip "needs root"
[ -r /sys/kernel/btf/vmlinux ] || tap_skip "needs a kernel with BTF"
command -v taskset >/dev/null || tap_skip "no taskset here"

# Two events each, of 160 bytes together and more; a buffer has 256 KiB.
processes=2500
agent=
# It may be stopped when the test ends early.
trap '[ -z "$agent" ] || kill -KILL "$agent" 2>/dev/null' EXIT
# On one processor, since each has a perf buffer of its own.
cpu=$(taskset -pc $$ | sed 's/.*: *\([0-9]*\).*/\1/')

many()
{
	# shellcheck disable=SC2016 # the inner shell's variables
	taskset -c "$cpu" bash -c 'for ((i = 0; i < $1; i++)); do /bin/true; done' many $processes
}

count() # buffer
{
	local events lost

	: >"$TMP/ready"
	"$BIN/btf-agent" run --no-cache --json --buffer "$1" --ready-fd 9 --duration-ms 120000 \
		9>"$TMP/ready" >"$TMP/json" 2>"$TMP/err" &
	agent=$!
	ok "$1: the agent is ready" known_wait $agent test -s "$TMP/ready"
	kill -STOP $agent
	many
	kill -TERM $agent
	kill -CONT $agent
	wait $agent
	is $? 0 "$1: it ends with 0"
	agent=
	read -r events lost < <(sed -nE 's/^btf-agent run: ([0-9]+) events, ([0-9]+) lost$/\1 \2/p' "$TMP/err")
	is "$(wc -l <"$TMP/json")" "${events:-none}" "$1: it printed as many events as it says"
	ok "$1: ${lost:-none} events were lost" test "${lost:-0}" -gt 0
	ok "$1: with them all are accounted for" test $((events + lost)) -ge $((2 * processes))
	[ "$tap_failed" = 0 ] || tap_show "$TMP/err"
}

count ring
count perf
tap_done

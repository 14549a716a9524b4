# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# shellcheck shell=bash
#
# What the agent must have told of a known child: one that runs known7 and ends with 7. vm/guest.sh
# shows the files that known_events reads, from the guest.

known_event() # json, event, pattern of what follows the time: whether it was printed
{
	grep -Eq "^\{\"event\":\"$2\",\"time_ns\":[0-9]+,$3" "$1"
}

known_field() # json, event, pid, comm, field: its value
{
	sed -nE "/^\{\"event\":\"$2\",.*\"pid\":$3,.*\"comm\":\"$4\"/s/.*\"$5\":([0-9]+).*/\1/p" "$1" |
		head -n 1
}

known_within() # value, lowest, highest
{
	[ -n "$1" ] && [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}

known_wait() # pid, command...: until it succeeds, the process has ended or 30 s are over
{
	local pid=$1 i

	shift
	for ((i = 0; i < 300; i++)); do
		! "$@" || return 0
		kill -0 "$pid" 2>/dev/null || return 1
		sleep 0.1
	done
	return 1
}

known_make() # folder: where the program known7 is to be
{
	printf '#!/bin/sh\nexit 7\n' >"$1/known7"
	chmod 755 "$1/known7"
}

# Here, not in a guest: runs the agent's command, starts known7 once it is ready and ends it when
# known7's end was told. Leaves NAME.json, .err, .pid and .exit in $TMP.
known_run() # name, command...
{
	local name=$TMP/$1 agent

	shift
	: >"$name.ready"
	"$@" --json --steps --duration-ms 60000 --ready-fd 9 \
		9>"$name.ready" >"$name.json" 2>"$name.err" &
	agent=$!
	known_wait $agent test -s "$name.ready" || true
	"$TMP/known7" &
	echo $! >"$name.pid"
	wait $!
	known_wait $agent grep -q "\"pid\":$(cat "$name.pid"),.*\"exit_code\":7" "$name.json" || true
	kill -TERM $agent 2>/dev/null
	wait $agent
	echo $? >"$name.exit"
}

known_events() # console, name
{
	local dir=$TMP/$2 file pid ppid start ticks after

	mkdir -p "$dir"
	for file in json err pid ppid ticks exit; do
		vm_file "$1" "$2.$file" >"$dir/$file"
	done
	pid=$(cat "$dir/pid") ppid=$(cat "$dir/ppid") ticks=$(cat "$dir/ticks")
	ok "$2: exec of a known child, by pid and comm" known_event "$dir/json" exec \
		"\"pid\":$pid,\"ppid\":$ppid,\"uid\":65534,\"comm\":\"known7\",\"parent_comm\":\"sh\","
	ok "$2: its exit, with its code" known_event "$dir/json" exit \
		"\"pid\":$pid,\"ppid\":$ppid,\"uid\":65534,\"comm\":\"known7\",.*\"exit_code\":7,\"signal\":null,"
	after='.*"new_uid":65534,"euid":0,"new_euid":65534}$'
	ok "$2: its change of user, by a kprobe's argument" known_event "$dir/json" creds \
		"\"pid\":$pid,\"ppid\":$ppid,\"uid\":0,\"comm\":\"setpriv\",$after"
	# /proc/PID/stat counts in ticks of 10 ms.
	start=$(known_field "$dir/json" exit "$pid" known7 started_boot_ns)
	ok "$2: its start is what /proc says" \
		known_within "$((${start:-0} / 10000000))" "$ticks" "$ticks"
	ok "$2: its life took between 0.1 ms and a minute" known_within \
		"$(known_field "$dir/json" exit "$pid" known7 duration_ns)" 100000 60000000000
	ok "$2: no event was lost" grep -Eq '^btf-agent run: [0-9]+ events, 0 lost$' "$dir/err"
	is "$(cat "$dir/exit")" 0 "$2: SIGTERM ends it with 0"
	[ "${tap_failed:-0}" = 0 ] || tap_show "$dir/json" 20
	[ "${tap_failed:-0}" = 0 ] || tap_show "$dir/err"
}

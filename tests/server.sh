# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# shellcheck shell=bash
#
# The server, for tests: serve_start TREE sets serve_port; serve_requests tells what was asked.

serve_pid=
serve_port=

serve_start() # tree
{
	local i

	"$BIN/btf-server" --root "$1" --listen 127.0.0.1:0 --port-file "$TMP/port" \
		>"$TMP/server.log" 2>&1 &
	serve_pid=$!
	trap serve_stop EXIT
	for ((i = 0; i < 100; i++)); do
		[ -s "$TMP/port" ] && break
		kill -0 $serve_pid 2>/dev/null || break
		sleep 0.1
	done
	serve_port=$(cat "$TMP/port" 2>/dev/null)
	[ -n "$serve_port" ] || tap_show "$TMP/server.log"
	[ -n "$serve_port" ]
}

serve_stop()
{
	[ -z "$serve_pid" ] || kill "$serve_pid" 2>/dev/null
	serve_pid=
}

# Requests so far, those for the counters themselves left out.
serve_requests()
{
	curl -sf --max-time 10 "http://127.0.0.1:$serve_port/metrics" |
		awk '/^btfdepot_http_requests_total/ && !/route="metrics"/ { n += $NF } END { print n + 0 }'
}

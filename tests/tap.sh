# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# shellcheck shell=bash
#
# Test points for shell tests, to be sourced:
#	. "$TOP/tests/tap.sh"
#	ok "serves the file" curl -sf "$url"
#	is "$status" 404 "refuses another"
#	tap_done
# A command's output is shown only where its point fails.
tap_points=0
tap_failed=0

tap_point() # status name
{
	local word='ok'

	tap_points=$((tap_points + 1))
	[ "$1" = 0 ] || { word='not ok'; tap_failed=1; }
	printf '%s %d - %s\n' "$word" "$tap_points" "${2//#/\\#}"
}

ok() # name command...: it exits with 0
{
	local name=$1 said=$TMP/.said status

	shift
	"$@" >"$said" 2>&1 # here, not in a subshell: what it sets stays set
	status=$?
	tap_point $status "$name"
	[ $status = 0 ] || { echo "exit code $status"; cat "$said"; } | sed 's/^/# /'
}

is() # got want name
{
	if [ "$1" = "$2" ]; then
		tap_point 0 "$3"
		return
	fi
	tap_point 1 "$3"
	printf ' got: %s\nwant: %s\n' "$1" "$2" | sed 's/^/# /'
}

skip() # reason: one point
{
	tap_points=$((tap_points + 1))
	printf 'ok %d # SKIP %s\n' "$tap_points" "$1"
}

tap_skip() # reason: the whole program
{
	printf '1..0 # SKIP %s\n' "$1"
	exit 0
}

tap_show() # file [lines]: its end, as a comment
{
	tail -n "${2:-50}" "$1" 2>/dev/null | tr -d '\r' | sed 's/^/# /'
}

tap_done()
{
	printf '1..%d\n' "$tap_points"
	exit $((tap_failed || tap_points == 0))
}

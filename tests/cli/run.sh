#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# Golden files: each NAME.sh is run by bash in an empty folder, $TMP, and what it wrote and its
# exit code compared with NAME.out, NAME.err (absent: empty) and NAME.exit (absent: 0). One test
# point per script; exit 77 skips it, the last line on stderr being the reason. UPDATE=1 writes the
# files instead. Names as arguments choose some: tests/one.sh tests/cli/run.sh NAME
set -u
cd "$(dirname "$0")" || exit 1
: "${TOP:?is set by tests/one.sh}" "${TMP:?is set by tests/one.sh}"
work=$TMP

put() # file text-file: keeps no empty file
{
	if [ -s "$2" ]; then
		cp "$2" "$1"
	else
		rm -f "$1"
	fi
}

update() # name
{
	put "$1.out" "$work/out"
	put "$1.err" "$work/err"
	echo "$status" >"$work/exit"
	[ "$status" != 0 ] || : >"$work/exit"
	put "$1.exit" "$work/exit"
}

differs() # what expected-file got-file
{
	[ -e "$2" ] || set -- "$1" /dev/null "$3"
	diff -u --label "expected $1" --label "got $1" "$2" "$3" >"$work/diff" && return 1
	sed 's/^/# /' "$work/diff"
}

compare() # name
{
	local want=0 bad=0

	[ ! -e "$1.exit" ] || want=$(cat "$1.exit")
	[ "$status" = "$want" ] || { echo "# exit code is $status, expected $want"; bad=1; }
	differs "$1.out" "$1.out" "$work/out" && bad=1
	differs "$1.err" "$1.err" "$work/err" && bad=1
	return $bad
}

n=0
failed=0
[ $# -gt 0 ] || set -- *.sh
for name in "${@%.sh}"; do
	[ "$name" != run ] || continue
	n=$((n + 1))
	rm -rf "$work/dir"
	mkdir "$work/dir" || exit 1
	(cd "$work/dir" && TMP=$work/dir exec bash "$TOP/tests/cli/$name.sh") \
		>"$work/out" 2>"$work/err" </dev/null
	status=$?
	if [ $status = 77 ] && [ ! -e "$name.exit" ]; then
		echo "ok $n - $name # SKIP $(tail -n 1 "$work/err")"
		continue
	fi
	[ -z "${UPDATE:-}" ] || update "$name"
	if compare "$name" >"$work/why"; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		cat "$work/why"
		failed=1
	fi
done
if [ $n = 0 ]; then
	echo "1..0 # SKIP no script in tests/cli"
else
	echo "1..$n"
fi
exit $failed

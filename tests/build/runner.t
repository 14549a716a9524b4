#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# What make check runs must not lose a failure: known programs are given to it, its counts compared.
. "$TOP/tests/tap.sh"
cd "$TOP" || exit 1

give() # name: a program from stdin
{
	cat >"$TMP/$1" && chmod +x "$TMP/$1"
}

run() # name...: what prove says at the end
{
	PERL5LIB=tests prove --formatter Tally --merge --exec tests/one.sh "${@/#/$TMP/}" \
		>"$TMP/said" 2>&1
	status=$?
	last=$(tail -n 1 "$TMP/said")
}

give good <<<'#!/bin/bash
echo "ok 1 - a"; echo "ok 2 # SKIP none here"; echo "1..2"'
give bad <<<'#!/bin/bash
echo "ok 1 - a"; echo "not ok 2 - b"; echo "because of this" >&2; echo "1..2"; exit 1'
give dies <<<'#!/bin/bash
echo "ok 1 - a"; kill -SEGV $$'
give short <<<'#!/bin/bash
echo "ok 1 - a"; echo "1..2"'
give silent <<<'#!/bin/bash
exit 0'
give skips <<<'#!/bin/bash
echo "needs a thing" >&2; exit 77'
give hangs <<<'#!/bin/bash
echo "ok 1 - a"; echo 1..1; sleep 1000'
give leaves <<<'#!/bin/bash
sleep 60 & echo $! >'"$TMP"'/pid; echo "ok 1 - a"; echo 1..1'

run good
is "$status: $last" "0: 1 passed, 0 failed, 1 skipped" "good points and skips are counted"
ok "a skip comes with its reason" grep -q 'skipped: .*/good: none here' "$TMP/said"
run good bad
is "$status: $last" "1: 2 passed, 1 failed, 1 skipped" "a bad point fails the run"
ok "what the failed one said is shown" grep -q 'because of this' "$TMP/said"
run dies
is "$((status != 0)): $last" "1: 1 passed, 1 failed, 0 skipped" "a killed program is a failure"
run short
is "$((status != 0)): $last" "1: 1 passed, 1 failed, 0 skipped" "so is a broken plan"
run silent
is "$((status != 0)): $last" "1: 0 passed, 1 failed, 0 skipped" "so is a program that says nothing"
run skips
is "$status: $last" "0: 0 passed, 0 failed, 1 skipped" "exit 77 skips"
ok "with its last line as the reason" grep -q 'skipped: .*/skips: needs a thing' "$TMP/said"
TEST_SECONDS=1 run hangs
is "$((status != 0)): $last" "1: 1 passed, 1 failed, 0 skipped" "one that hangs fails"
run leaves
is "$status: $last" "0: 1 passed, 0 failed, 0 skipped" "a process left behind holds nothing up"
kill "$(cat "$TMP/pid")"
tap_done

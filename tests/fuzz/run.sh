#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# Runs fuzzers in turn, each for FUZZ_SECONDS, on its kept corpus and on what earlier runs found.
# An input that breaks one is left in build/fuzz; it belongs into tests/fuzz/corpus/NAME.
set -u
cd "$(dirname "$0")/../.." || exit 1
FUZZ=${FUZZ:-build/fuzz}
status=0

# What the corpora have not: good inputs, which are made here.
[ ! -x "${O:-build}/bin/btfgen" ] || tests/fuzz/seeds.sh "$FUZZ/corpus" >/dev/null 2>&1
[ $# -gt 0 ] || echo "no fuzzers: tests/fuzz holds none"
for name; do
	echo "--- $name"
	mkdir -p "$FUZZ/corpus/$name" || exit 1
	seeds=() options=()
	[ ! -d "tests/fuzz/corpus/$name" ] || seeds=("tests/fuzz/corpus/$name")
	[ ! -e "tests/fuzz/$name.dict" ] || options=("-dict=tests/fuzz/$name.dict")
	"$FUZZ/$name" "${options[@]}" -max_total_time="${FUZZ_SECONDS:-30}" -timeout=10 \
		-rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
		-artifact_prefix="$FUZZ/$name-" "$FUZZ/corpus/$name" "${seeds[@]}" || status=1
done
exit $status

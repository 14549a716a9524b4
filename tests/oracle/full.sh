#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# The whole matrix, run by hand: every corner case and every program of libbpf-tools against every
# kernel of an archive and the live one, each with its own BTF and all with one.
#	tests/oracle/full.sh [ARCHIVE]
set -u
TOP=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
BIN=$TOP/${O:-build}/bin
SHARED=${BTFDEPOT_SHARED:-$TOP/../shared}
TMP=$(mktemp -d) || exit 1
export TOP BIN SHARED TMP
trap 'rm -rf "$TMP"' EXIT
. "$TOP/tests/oracle/build.sh"
archive=${1:-$SHARED/archive}
status=0

corners && kernels || exit 1
mapfile -t programs < <(tools)
agreeing=("$TMP"/corners/{fields,types,enums,chains}*.o "${programs[@]}")
[ ! -e "$TMP/corners/matches.bpf.o" ] || agreeing+=("$TMP/corners/matches.bpf.o")

verify() # name option...
{
	echo "--- $1"
	shift
	"$BTFGEN" verify "$@" || status=1
}

for place in "$TMP/here" "$archive"; do
	verify "$place, each with its own" --each --archive "$place" \
		"$TMP"/corners/*.o "${programs[@]}"
	verify "$place, one for all" --archive "$place" "${agreeing[@]}"
done
exit $status
